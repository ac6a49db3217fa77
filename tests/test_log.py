"""The log: JSON lines, what was bound in each of them, and no secret in any."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from ghapp.bootstrap import Services
from ghapp.jobs.perform import perform
from ghapp.log import REDACTED, bound, configure, redact
from ghapp.store import Installation
from ghapp.web.app import create_app
from tests.web.conftest import NOW
from tests.web.conftest import queue as queue  # noqa: PLC0414 - a fixture, by its name
from tests.web.conftest import services as services  # noqa: PLC0414 - a fixture, by its name
from tests.web.test_webhook import MERGED, send

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxIn0.c2lnbmF0dXJl_-x"
PLANTED = {
    "old": "ghs_" + "a1B2" * 9,
    "new": f"ghs_123456_{JWT}" + "x" * 400,
    "person": "ghp_" + "0" * 36,
    "user": "ghu_" + "Z" * 36,
    "oauth": "gho_" + "9" * 36,
    "refresh": "ghr_" + "r" * 76,
    "fine_grained": "github_pat_11ABCDEFG0" + "h" * 60,
    "anthropic": "sk-ant-admin01-" + "h" * 60,
    "cursor": "key_" + "h" * 64,
    "jwt": JWT,
    "key": "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----",
    "key_on_a_line": "-----BEGIN PRIVATE KEY-----\\nMIIEow\\n-----END PRIVATE KEY-----",
    "key_cut_off": "-----BEGIN PRIVATE KEY-----\nMIIEow\nIBAAKC",
    "header": "Authorization: Bearer abcdef0123456789",
    "header_of_git": "http.extraheader=AUTHORIZATION: basic eC1hY2Nlc3M6YWJjZGVm",
    "header_as_data": "{'Authorization': 'token abcdef0123456789'}",
    "address": "https://x-access-token:abcdef0123456789@github.com/acme/shop.git",
}
HARMLESS = [
    "0123456789abcdef0123456789abcdef01234567",
    "sha256:" + "ab" * 32,
    "https://github.com/acme/shop/pull/17#issuecomment-1",
    "the basic rule of authorization is simple",
    "ghost_of_a_name",
    "src/app.py:12",
]
SECRET_PARTS = (
    "MIIEow",
    "IBAAKC",
    "abcdef0123456789",
    "eC1hY2Nlc3M6YWJjZGVm",
    "a1B2a1B2",
    "hhhhhh",
    "c2lnbmF0dXJl",
    "xxxxxx",
    "000000",
    "ZZZZZZ",
    "999999",
    "rrrrrr",
)


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Return where the log of this test goes; everything is put back afterwards."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, structlog.get_config()
    stream = io.StringIO()
    configure("DEBUG", stream=stream, hidden=["correct horse", "x"])
    yield stream
    root.handlers[:], level, known = before
    root.setLevel(level)
    structlog.configure(**known)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_has_event_level_time_and_what_was_bound(stream: io.StringIO) -> None:
    log = structlog.get_logger("ghapp.test")
    with bound(delivery="guid-1"):
        log.info("accepted", repository=42)
    log.warning("left")
    first, second = lines(stream)
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "event": "accepted",
        "level": "info",
        "logger": "ghapp.test",
        "delivery": "guid-1",
        "repository": 42,
    }
    assert "delivery" not in second


def test_the_lines_of_a_delivery_and_of_an_item_name_it(
    stream: io.StringIO, services: Services
) -> None:
    client = create_app(services).test_client()
    configure("INFO", stream=stream)
    assert send(client, MERGED).status_code == 202
    (item,) = services.store.work.overdue(NOW)
    gone = Installation(id=5, account="acme")
    services.store.installations.seen(gone, now=NOW)
    services.store.installations.removed(5, now=NOW)
    assert perform(item.id, services, worker="test")
    told = {line["event"]: line for line in lines(stream)}
    assert told["delivery_accepted"]["delivery"]
    assert (told["item_settled"]["item"], told["item_settled"]["attempt"]) == ("audit:42:17", 1)


def _fail(secret: str) -> None:
    raise RuntimeError(secret)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_secret_is_taken_out(stream: io.StringIO, name: str) -> None:
    secret = PLANTED[name]
    log = structlog.get_logger("ghapp.test")
    log.info("event", text=f"before {secret}", inner={"list": [secret, {"deep": secret}]})
    log.info("event", raw=secret.encode(), error=ValueError(secret), path=Path(secret))
    logging.getLogger("urllib3").warning("library said %s", secret)
    try:
        _fail(secret)
    except RuntimeError:
        log.exception("failed")
        logging.getLogger("rq.worker").exception("failed")
    written = stream.getvalue()
    assert len(lines(stream)) == 5
    assert REDACTED in written
    assert not [part for part in SECRET_PARTS if part in written]


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_stays(text: str) -> None:
    assert redact(text) == text


def test_an_address_keeps_its_host() -> None:
    assert redact(PLANTED["address"]) == (
        f"https://x-access-token:{REDACTED}@github.com/acme/shop.git"
    )


def test_values_under_a_secret_name_are_taken_out(stream: io.StringIO) -> None:
    structlog.get_logger().info(
        "event",
        webhook_secret="plain",
        inner={"Authorization": "plain"},
        token_count=3,
        pem="plain",
    )
    (line,) = lines(stream)
    assert "plain" not in json.dumps(line)
    assert line["token_count"] == 3


def test_secrets_of_this_installation_are_taken_out(stream: io.StringIO) -> None:
    structlog.get_logger().info("event", text="the correct horse, x", **{"correct horse": 1})
    (line,) = lines(stream)
    assert line["text"] == f"the {REDACTED}, x"
    assert line[REDACTED] == 1


def test_libraries_write_the_same_lines(stream: io.StringIO) -> None:
    with bound(job="audit:42:17"):
        logging.getLogger("rq.worker").info("started %d", 3, extra={"queue": "live"})
    (line,) = lines(stream)
    assert (line["event"], line["job"], line["queue"], line["logger"]) == (
        "started 3",
        "audit:42:17",
        "live",
        "rq.worker",
    )


def test_pygithub_speaks_only_through_us(stream: io.StringIO) -> None:
    pygithub = logging.getLogger("github")
    assert pygithub.handlers == []
    logging.getLogger("github.Requester").debug("POST access_tokens: %s", PLANTED["new"])
    logging.getLogger("github.GithubRetry").warning("secondary limit")
    assert [line["event"] for line in lines(stream)] == ["secondary limit"]


def test_configuring_again_writes_each_line_once(stream: io.StringIO) -> None:
    configure("INFO", stream=stream)
    structlog.get_logger().debug("hidden")
    structlog.get_logger().info("shown")
    assert [line["event"] for line in lines(stream)] == ["shown"]


def test_nesting_without_end_is_cut(stream: io.StringIO) -> None:
    endless: dict[str, Any] = {}
    endless["inner"] = endless
    structlog.get_logger().info("event", endless=endless)
    assert len(lines(stream)) == 1


@given(st.text())
def test_redacting_twice_changes_nothing(text: str) -> None:
    assert redact(redact(text)) == redact(text)
