"""The digests of what was acknowledged: nothing else is kept of an edit."""

from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from ghapp.attribution.model import Outcome
from ghapp.collector.sent import KEPT, Sent
from tests.store.records import NOW, edit


def test_what_was_sent_is_remembered_over_runs(tmp_path: Path) -> None:
    path = tmp_path / "sent"
    Sent(path).add([edit("a"), edit("b")], NOW)
    Sent(path).add([edit("c")], NOW)
    assert len(Sent(path)) == 3
    assert all(edit(name) in Sent(path) for name in "abc")
    assert edit("d") not in Sent(path)


def test_a_copy_that_claims_otherwise_is_another_one(tmp_path: Path) -> None:
    path = tmp_path / "sent"
    Sent(path).add([edit("a", "one = 1")], NOW)
    assert edit("a", "two = 2") in Sent(path)
    assert edit("a", "one = 1", "two = 2") not in Sent(path)
    assert replace(edit("a", "one = 1"), outcome=Outcome.REFUSED) not in Sent(path)


def test_what_is_very_old_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "sent"
    Sent(path).add([edit("a")], NOW)
    Sent(path).add([edit("b")], NOW + timedelta(days=2))
    Sent(path).expire(NOW + KEPT + timedelta(days=1))
    assert (edit("a") in Sent(path), edit("b") in Sent(path)) == (False, True)
    Sent(path).forget()
    assert len(Sent(path)) == 0
