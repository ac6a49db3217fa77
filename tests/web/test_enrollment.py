"""A machine is let in by a typed code; its token says who, where, and nothing else."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from ghapp.store import TokenKind
from ghapp.wire import EnrollmentStarted, MachineEnrolled, MachineEnrollment
from tests.web.machine import enroll, machine_of, told
from tests.web.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    made.sandbox.allow(made.repositories["app"], "ann", "write")
    yield made
    assert made.sandbox.violations == []
    made.close()


def _started(place: Place) -> EnrollmentStarted:
    answer = place.browser().post("/api/enroll")
    return msgspec.json.decode(answer.data, type=EnrollmentStarted)


def _finish(place: Place, handle: str) -> tuple[int, dict[str, object]]:
    place.clock.pass_by(seconds=5)
    answer = place.browser().post("/api/enroll/finish", json={"handle": handle})
    return answer.status_code, answer.get_json()


def test_a_person_types_a_code_and_the_machine_gets_token_and_key(place: Place) -> None:
    started = _started(place)
    assert started.verification_uri == f"{place.sandbox.web_url}/login/device"
    assert _finish(place, started.handle) == (202, {"pending": True})
    place.sandbox.device_flow.approve(started.user_code, "ann")
    status, found = _finish(place, started.handle)
    enrolled = msgspec.convert(found, MachineEnrolled, strict=False)
    made = enrolled.enrollment
    assert (status, made.login, made.host) == (200, "ann", "127.0.0.1")
    (installation,) = made.installations
    key = place.services.keys.present(place.installed.id, now=place.clock())
    assert (installation.account, installation.key_id) == ("acme", key.id)
    assert installation.key == key.secret
    token = place.store.tokens.check(enrolled.token, TokenKind.UPLOAD, now=place.clock())
    assert token is not None
    assert (token.login, token.installations) == ("ann", (place.installed.id,))
    assert _finish(place, started.handle)[0] == 403


def test_no_token_of_githubs_is_kept(place: Place, tmp_path: Path) -> None:
    assert enroll(place, "ann").status_code == 200
    files = [one.read_bytes() for one in (tmp_path / "data").rglob("*") if one.is_file()]
    assert not any(b"ghu_" in raw or b"ghr_" in raw for raw in files)


@pytest.mark.parametrize("login", ["reader", "stranger"])
def test_who_may_write_to_nothing_is_not_enrolled(place: Place, login: str) -> None:
    answer = enroll(place, login)
    assert answer.status_code == 403
    assert "may not write to any repository" in answer.get_json()["error"]


def test_a_refused_late_or_foreign_sign_in_is_over(place: Place) -> None:
    refused = _started(place)
    place.sandbox.device_flow.deny(refused.user_code)
    assert _finish(place, refused.handle)[0] == 403
    late = _started(place)
    place.clock.pass_by(minutes=20)
    assert _finish(place, late.handle)[0] == 403
    for handle in ("", "made up", "é", late.user_code):
        assert _finish(place, handle)[0] == 403


def test_the_app_may_have_no_device_flow(place: Place) -> None:
    app = next(iter(place.sandbox.world.apps.values()))
    app.device_flow = False
    answer = place.browser().post("/api/enroll")
    assert answer.status_code == 403
    assert "Enable Device Flow" in answer.get_json()["error"]


def test_a_changed_key_is_fetched_by_token(place: Place) -> None:
    machine = machine_of(place, "ann")
    place.services.keys.rotate(place.installed.id, now=place.clock())
    answer = machine.http.get("/api/enrollment", headers=machine.headers)
    found = msgspec.json.decode(answer.data, type=MachineEnrollment)
    assert [one.key_id for one in found.installations] == [f"{place.installed.id}-2"]


def test_who_may_not_write_any_more_gets_no_key(place: Place) -> None:
    machine = machine_of(place, "ann")
    place.sandbox.allow(place.repositories["app"], "ann", "read")
    place.clock.pass_by(minutes=6)
    answer = machine.http.get("/api/enrollment", headers=machine.headers)
    assert answer.get_json()["installations"] == []
    assert told(machine.send(machine.batch(machine.edit()))) == (403, "may_not_write", "remotes")


def test_a_suspended_installation_is_left_out(place: Place) -> None:
    machine = machine_of(place, "ann")
    place.store.installations.suspended(place.installed.id, now=place.clock())
    answer = machine.http.get("/api/enrollment", headers=machine.headers)
    assert answer.get_json()["installations"] == []
    assert told(machine.send(machine.batch()))[:2] == (403, "other_installation")


def test_other_tokens_open_nothing(place: Place) -> None:
    machine = machine_of(place, "ann")
    for header in ("", "Bearer", "Bearer x", "Basic eDp5", f"Bearer {machine.token}x"):
        answer = machine.http.get("/api/enrollment", headers={"Authorization": header})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    (token,) = place.store.tokens.of_login("ann")
    place.store.tokens.revoke(token.id, now=place.clock())
    answer = machine.http.get("/api/enrollment", headers=machine.headers)
    assert told(answer)[:2] == (401, "revoked")


def test_where_github_is_away_nothing_is_lost(place: Place) -> None:
    started = _started(place)
    place.sandbox.device_flow.approve(started.user_code, "ann")
    fault = {"kind": "server_error", "method": "GET", "status": 500}
    place.sandbox.play({**fault, "route": "/user"})
    status, _ = _finish(place, started.handle)
    assert status == 503
    machine = machine_of(place, "ann")
    place.clock.pass_by(minutes=6)
    place.sandbox.play({**fault, "route": "*/permission"})
    away = machine.send(machine.batch(machine.edit()))
    assert (away.status_code, away.headers["Retry-After"]) == (503, "30")
    assert machine.send(machine.batch(machine.edit())).status_code == 200


def test_a_code_that_was_typed_makes_one_token_however_many_ask_at_once(place: Place) -> None:
    started = _started(place)
    place.sandbox.device_flow.approve(started.user_code, "ann")
    before = len(place.store.tokens.of_login("ann"))
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: _finish(place, started.handle)[0], range(8)))
    assert told.count(200) == 1
    assert len(place.store.tokens.of_login("ann")) == before + 1
