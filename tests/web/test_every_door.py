"""Each method of each route in the url map, of the app and of the set-up page: no door answers 500.

`tests/web/test_bad_input.py` changes what each kind of door reads; here every door gets what none
of them expects: another's body, another's method, headers and paths at their edges. In a plain run
each body and each set of headers goes to one door in three or four, in the night to all.
"""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ghapp.store import NewToken, TokenKind, new_secret
from ghapp.web.registration import app_file
from ghapp.web.setup import SetUp, create_setup_app
from tests.searching import sampled
from tests.store.records import DAY
from tests.web.conftest import NOW
from tests.web.machine import machine_of
from tests.web.place import Place

OPERATOR = "4f0d9a7be21c83556d10"
SET_UP = "printed at the start"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND")
VALUES = {"owner": "acme", "name": "app", "organization": "acme", "number": "17"}
DEEP = b"[" * 20_000
BODIES: tuple[tuple[str, bytes], ...] = (
    *(("application/json", body) for body in (b"", b"null", b"1e999", b"[]", b"{}", DEEP)),
    ("application/json", b'{"\\ud800": 9223372036854775808, "handle": ["\\u0000"]}'),
    ("application/json; charset=utf-7", b"\xff\xfe{}"),
    ("application/x-www-form-urlencoded", b"form_token=%00&installation=%ed%a0%80&days=1e9"),
    ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % one for one in range(2_000))),
    ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="t'),
    ("multipart/form-data; boundary=b", b"--b\r\n\r\nx\r\n--b--\r\n"),
    ("multipart/form-data", b"--b--"),
    ("text/html; charset=zip", b"<p>"),
    ("\u00e9", b"x"),
)
HEADERS: tuple[dict[str, str], ...] = (
    *({"Content-Encoding": one} for one in ("gzip", "br", "zip", "\u00e9")),
    *({"Accept": one} for one in ("text/html;q=nan", "*/*;q=1e999", ",;,", "\u00e9/\u00e9")),
    *(
        {"Cookie": one}
        for one in ("login=\u00e9", "login=%00; login=x", "sign-in=gAAAAA==; setup=1")
    ),
    *({"Range": one} for one in ("bytes=9-1", "bytes=0-,-9223372036854775809", "lines=1")),
    *({"If-None-Match": one} for one in ('"', 'W/"\u00e9"', "*")),
    *({"If-Modified-Since": one} for one in ("never", "Thu, 01 Jan 9999999 00:00:00 GMT")),
    {"X-Forwarded-Prefix": "/\u00e9", "X-Forwarded-For": "\u00e9", "X-Forwarded-Host": "["},
    {"Origin": "https://[", "Sec-Fetch-Site": "\u00e9"},
    {"Origin": "null"},
    {"Host": "["},
    {"Host": "\u00e9:99999999"},
    {"X-Hub-Signature-256": "sha256=\u00e9", "X-GitHub-Event": "\u00e9", "X-GitHub-Delivery": "\0"},
)
IDENTITIES = ("", "Bearer", "Bearer \u00e9", "Basic \u00e9", "Basic Og==", "Digest realm", "\u00e9")
"""Values of `Authorization` that are nobody's."""
IDENTIFIED = (*HEADERS, *({"Authorization": one} for one in IDENTITIES))
PATHS = ("%00", "%ed%a0%80", "%e9", "..", "%2e%2e", "-1", "9" * 40, "a" * 3_000, "%0d%0aX:1", "1.5")


@dataclass(frozen=True)
class Door:
    """One rule of a url map, and a client that may enter."""

    rule: str
    client: FlaskClient
    headers: dict[str, str]
    form: dict[str, str]

    def path(self, edge: str | None = None) -> str:
        """Return a path of the rule; ``edge`` stands in each of its places."""
        return re.sub(
            r"<(?:[^<>:]+:)?(\w+)>", lambda one: edge or VALUES.get(one[1], "1"), self.rule
        )

    def fault(self, method: str, path: str, **given: Any) -> list[str]:
        """Send one request; return it if the app breaks."""
        headers = {**self.headers, **given.pop("headers", {})}
        answer = self.client.open(path, method=method, headers=headers, **given)
        answer.get_data()
        answer.close()
        told = f"{answer.status_code} {method} {path[:90]} {str(given or headers)[:120]}"
        return [told] if answer.status_code >= 500 else []


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory, at_night_on_each: dict[str, str]
) -> Iterator[Place]:
    made = Place(
        tmp_path_factory.mktemp("doors"), GHAPP_OPERATOR_TOKEN=OPERATOR, **at_night_on_each
    )
    made.sandbox.allow(made.repositories["app"], "ann", "write")
    yield made
    made.close()


@pytest.fixture
def doors(place: Place, tmp_path_factory: pytest.TempPathFactory) -> list[Door]:
    """Return every rule of both url maps, each with whom it is for."""
    setup = SetUp(
        app_file=app_file(),
        api_url=place.sandbox.api_url,
        web_url=place.sandbox.web_url,
        public_url=None,
        token=SET_UP,
    )
    kept = tmp_path_factory.mktemp("kept")
    setting_up = create_setup_app(setup, lambda found, _: _kept(kept, found)).test_client()
    main = [_door(place, rule) for rule in _rules(place.app)]
    return main + [
        Door(rule, setting_up, {}, {"token": SET_UP}) for rule in _rules(setting_up.application)
    ]


def _kept(folder: Path, found: object) -> None:
    (folder / "credentials").write_text(str(found))


def _rules(app: Flask) -> list[str]:
    return sorted({rule.rule for rule in app.url_map.iter_rules()})


def _door(place: Place, rule: str) -> Door:
    if rule.startswith(("/operator", "/metrics")):
        return Door(rule, place.browser(), {"Authorization": f"Bearer {OPERATOR}"}, {})
    if rule.startswith(("/api/evidence", "/api/enrollment", "/api/usage")):
        return Door(rule, place.browser(), machine_of(place, "ann").headers, {})
    browser = place.signed_in("admin")
    if rule.startswith("/api/"):
        return Door(rule, place.browser(), {"Authorization": f"Bearer {_read_token(place)}"}, {})
    return Door(rule, browser, {}, place.form_of(browser))


def _read_token(place: Place) -> str:
    person, secret = place.store.logins.named("admin"), new_secret(TokenKind.READ)
    assert person is not None
    new = NewToken(kind=TokenKind.READ, login="admin", user_id=person.id)
    place.store.tokens.issue(new, secret, now=place.clock())
    return secret


def test_no_method_and_no_path_breaks_a_door(doors: list[Door]) -> None:
    faults = [
        fault
        for door in doors
        for method in METHODS
        for edge in (None, *(PATHS if "<" in door.rule and method in {"GET", "POST"} else ()))
        for fault in door.fault(method, door.path(edge))
    ]
    assert faults == [], "\n".join(faults[:20])


def test_no_body_breaks_a_door(doors: list[Door]) -> None:
    faults = [
        fault
        for turn, door in enumerate(doors)
        for method in ("GET", "POST", "DELETE")
        for kind, body in sampled(BODIES, 3, turn)
        for fault in door.fault(method, door.path(), data=body, content_type=kind)
    ]
    assert faults == [], "\n".join(faults[:20])


def test_no_field_of_a_form_breaks_a_door(doors: list[Door]) -> None:
    """The token of our own forms is there, so that each door reads the rest."""
    named = ("name", "label", "days", "installation", "policy", "since", "until", "webhook", "mail")
    fields = (*named, "public_url", "organization", "weekday", "compare")
    texts = (
        "",
        "\0",
        "\u202e",
        "9" * 400,
        "http://[",
        "https://\u00e9.example",
        "=1",
        "0001-01-01",
    )
    faults = [
        fault
        for door in doors
        for text in texts
        for fault in door.fault(
            "POST", door.path(), data={**dict.fromkeys(fields, text), **door.form}
        )
    ]
    assert faults == [], "\n".join(faults[:20])


def test_no_header_breaks_a_door(doors: list[Door]) -> None:
    faults = [
        fault
        for turn, door in enumerate(doors)
        for method in ("GET", "POST")
        for headers in sampled(IDENTIFIED, 4, turn)
        for fault in door.fault(method, door.path(), headers=headers)
    ]
    assert faults == [], "\n".join(faults[:20])


def test_every_door_is_entered_by_whom_it_is_for(doors: list[Door]) -> None:
    """Else the tests above would show only that strangers are sent away."""
    away = [
        (door.rule, status)
        for door in doors
        if (status := door.client.get(door.path(), headers=door.headers).status_code) in {401, 403}
    ]
    assert away == [], away


@pytest.fixture
def fingerprints(place: Place) -> list[bytes]:
    """Return what a machine sent and the app keeps of lines, in the forms of an answer."""
    ann = machine_of(place, "ann")
    edit = ann.edit("toolu_kept", "total = sum(line.amount for line in lines)")
    assert ann.send(ann.batch(edit)).status_code == 200
    (hunk,) = edit.lines.hunks
    (line,) = hunk.own
    kept = place.store.evidence.of(place.repositories["app"].id, NOW - DAY, NOW + DAY)
    assert line in [own for one in kept for part in one.lines.hunks for own in part.own]
    parts = [line.line, line.tokens]
    return [form(one) for one in parts for form in (bytes, base64.b64encode, _as_hex)]


def _as_hex(value: bytes) -> bytes:
    return value.hex().encode()


def test_no_door_returns_a_fingerprint(doors: list[Door], fingerprints: list[bytes]) -> None:
    read, found = 0, []
    for door in doors:
        answer = door.client.get(door.path(), headers=door.headers)
        text = answer.get_data()
        answer.close()
        read += answer.status_code == 200
        found += [door.rule for one in fingerprints if one in text]
    assert found == []
    assert read > 30


def test_bodies_are_what_their_names_say() -> None:
    assert json.loads(BODIES[6][1]) == {"\ud800": 2**63, "handle": ["\0"]}
