"""Deliveries: what each becomes, and what is refused and why."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.github.webhooks import (
    BadSignature,
    MalformedEvent,
    WebhookError,
    WebhookEvent,
    WrongApp,
    WrongContentType,
    sign,
)
from tests.cases import cases, names
from tests.searching import searched

SECRET = "the secret of the tests"
APP = 41001
CASES = cases("webhooks")
PING = b'{"zen": "Design for failure."}'


def signed(body: bytes, **headers: str) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "X-Hub-Signature-256": sign(body, SECRET),
        "X-GitHub-Event": "ping",
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }


def read(body: bytes, headers: dict[str, str], *secrets: str) -> WebhookEvent:
    return WebhookEvent.from_http(headers, body, secrets=secrets or (SECRET,), app_id=APP)


def outcome(body: bytes, headers: dict[str, str]) -> dict[str, Any]:
    try:
        event = read(body, headers)
    except WebhookError as error:
        return {"error": type(error).__name__, "status": error.status, "says": str(error)}
    built: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(event))
    return {"type": type(event).__name__, **built}


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_delivery_becomes_what_the_case_expects(case: Path, tmp_path: Path) -> None:
    body = (case / "body.json").read_bytes()
    given_headers = json.loads((case / "headers.json").read_text())
    found = outcome(body, {**signed(body), **given_headers})
    (tmp_path / "actual.json").write_text(json.dumps(found, indent=2))
    assert found == json.loads((case / "expected.json").read_text())


def test_any_of_several_secrets_is_accepted() -> None:
    headers = signed(PING, X_Hub_Signature_256=sign(PING, "old"))
    assert read(PING, headers, "new", "old").name == "ping"


def test_header_names_ignore_case() -> None:
    headers = {name.lower(): value for name, value in signed(PING).items()}
    assert read(PING, headers).delivery.startswith("72d3162e")


@pytest.mark.parametrize(
    "signature",
    [sign(PING, "other"), sign(PING + b" ", SECRET), "", "sha256=", "sha1=" + "0" * 40, "\udcff é"],
)
def test_wrong_signature_is_refused(signature: str) -> None:
    with pytest.raises(BadSignature, match="matches none of the 1 secrets"):
        read(PING, {**signed(PING), "X-Hub-Signature-256": signature})


def test_missing_signature_is_refused_and_the_old_kind_does_not_count() -> None:
    headers = signed(PING)
    headers["X-Hub-Signature"] = headers.pop("X-Hub-Signature-256")
    with pytest.raises(BadSignature, match="is missing"):
        read(PING, headers)


@pytest.mark.parametrize("secrets", [(), ("",)])
def test_without_a_secret_nothing_is_trusted(secrets: tuple[str, ...]) -> None:
    headers = signed(PING, X_Hub_Signature_256=sign(PING, ""))
    with pytest.raises(BadSignature, match="no webhook secret is set"):
        WebhookEvent.from_http(headers, PING, secrets=secrets, app_id=APP)


def test_signature_is_checked_before_anything_else() -> None:
    headers = {"Content-Type": "text/plain", "X-Hub-Signature-256": "sha256=00"}
    with pytest.raises(BadSignature):
        read(b"\xff not json", headers)


def test_another_apps_delivery_is_refused() -> None:
    header = "X_GitHub_Hook_Installation_Target_ID"
    with pytest.raises(WrongApp, match="'9', this app is 41001"):
        read(PING, signed(PING, **{header: "9"}))
    assert read(PING, signed(PING, **{header: "41001"}))


def test_form_encoding_is_refused() -> None:
    headers = signed(PING, Content_Type="application/x-www-form-urlencoded")
    with pytest.raises(WrongContentType, match="set the webhook's content type"):
        read(PING, headers)
    assert read(PING, signed(PING, Content_Type="Application/JSON; charset=utf-8"))


# `{}` would be an event that is ignored.
@searched(25)
@given(st.binary(max_size=200).filter(lambda body: not body.lstrip().startswith(b"{")))
def test_no_signed_body_is_a_surprise(body: bytes) -> None:
    headers = signed(body, X_GitHub_Event="pull_request")
    with pytest.raises(MalformedEvent):
        read(body, headers)


@searched(25)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["action", "installation", "id"]), inner, max_size=3)
        ),
    )
)
def test_any_json_is_an_event_or_malformed(value: object) -> None:
    body = json.dumps(value).encode()
    for name in ("pull_request", "installation", "push", "ping", "watch"):
        headers = signed(body, X_GitHub_Event=name)
        try:
            event = read(body, headers)
        except MalformedEvent:
            continue
        assert event.name == name
