"""What machines send is taken whole and bounded, one at a time, and refused in clear words."""

import dataclasses
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from werkzeug.exceptions import HTTPException

from ghapp.store import Store
from ghapp.web.app import create_app
from ghapp.web.limits import RATES
from ghapp.web.machines import turn
from ghapp.wire import MOST_BYTES, MOST_EDITS, BatchReceipt
from tests.store.records import DAY, NOW
from tests.web.machine import Machine, ids, machine_of, told
from tests.web.place import Place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("machines"))
    made.sandbox.allow(made.repositories["app"], "ann", "write")
    yield made
    made.close()


@pytest.fixture
def ann(place: Place) -> Iterator[Machine]:
    yield machine_of(place, "ann")
    place.store.evidence.expire(NOW + 99 * DAY)


def receipt(answer: Any) -> BatchReceipt:
    assert answer.status_code == 200, answer.data
    return msgspec.json.decode(answer.data, type=BatchReceipt)


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("schema",), "ghapp/evidence/9", "schema"),
        (("installation",), "7", "installation"),
        (("machine",), "my laptop", "machine"),
        (("remotes",), ["x"] * 21, "remotes"),
        (("remotes",), [""], "remotes[0]"),
        (("edits", 0, "at"), "2026-05-20T15:30:00", "edits[0].at"),
        (("edits", 0, "outcome"), "done", "edits[0].outcome"),
        (("edits", 0, "agent"), "Claude Code", "edits[0].agent"),
        (("edits", 0, "id"), "", "edits[0].id"),
        (("edits", 0, "lines"), [[[[], ["x = 1"], []]], []], "edits[0].lines[0][0][1][0]"),
    ],
)
def test_a_wrong_member_is_named(
    place: Place, ann: Machine, path: tuple[Any, ...], value: object, field: str
) -> None:
    batch = msgspec.json.decode(msgspec.json.encode(ann.batch(ann.edit())))
    at = batch
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    assert told(ann.send(batch)) == (422, None, field)
    assert ids(place) == []


def test_bodies_are_bounded_packed_or_not(ann: Machine) -> None:
    gzipped = {"Content-Encoding": "gzip"}
    too_large = (413, "too_large", None)
    assert told(ann.send(b" " * (MOST_BYTES + 1))) == too_large
    bomb = gzip.compress(b" " * (MOST_BYTES * 8), 9)
    assert told(ann.send(bomb, **gzipped)) == too_large
    many = ann.batch(*[ann.edit(str(number)) for number in range(MOST_EDITS + 1)])
    assert told(ann.send(many)) == (422, None, "edits")
    for raw in (b"", b"no gzip", gzip.compress(b"{}")[:-4], gzip.compress(b"")):
        assert told(ann.send(raw, **gzipped))[0] == 400
    assert told(ann.send(b"{}", **{"Content-Encoding": "br"}))[0] == 415
    for raw in (b"", b"{", b"\xff", b"[" * 100_000):
        assert told(ann.send(raw))[0] in {400, 422}


def test_while_another_upload_is_worked_on_a_machine_is_told_to_come_again(
    place: Place, ann: Machine
) -> None:
    # Its lock is on a file that it opened itself, as that of another process.
    with turn(place.services.settings.data_dir / "uploads", 1):
        busy = ann.send(ann.batch(ann.edit("a")))
    assert (busy.status_code, busy.headers["Retry-After"]) == (429, "1")
    assert receipt(ann.send(ann.batch(ann.edit("a")))).stored == 1


def test_as_many_as_are_allowed_have_a_turn_at_once(place: Place, tmp_path: Path) -> None:
    with place.app.test_request_context("/api/evidence"):
        with turn(tmp_path, 2), turn(tmp_path, 2), pytest.raises(HTTPException), turn(tmp_path, 2):
            pytest.fail("a third one had a turn")
        with turn(tmp_path, 2), turn(tmp_path, 2):
            pass


def test_a_machine_that_sends_too_often_has_to_wait(
    place: Place, ann: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RATES, "/api/evidence", replace(RATES["/api/evidence"], amount="3 per day"))
    assert [ann.send(b"{}").status_code for _ in range(4)] == [422, 422, 422, 429]
    assert machine_of(place, "ann").send(b"{}").status_code == 422


def test_without_a_database_nothing_is_taken_and_a_machine_comes_again(
    place: Place, ann: Machine
) -> None:
    away = Store.unmigrated("postgresql://nobody@127.0.0.1:1/none")
    app = create_app(dataclasses.replace(place.services, store=away))
    for method, path in (("POST", "evidence"), ("DELETE", "evidence"), ("GET", "enrollment")):
        answer = app.test_client().open(
            f"/api/{path}", method=method, data=b"{}", headers=ann.headers
        )
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
        assert "nobody" not in answer.text
