"""The digests of what was acknowledged: nothing else is kept of an edit."""

from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from ghapp.attribution.model import EditResult
from ghapp.collector.sent import KEPT, AcknowledgedEdits
from tests.store.records import NOW, edit


def test_what_was_sent_is_remembered_over_runs(tmp_path: Path) -> None:
    path = tmp_path / "sent"
    AcknowledgedEdits(path).add([edit("a"), edit("b")], NOW)
    AcknowledgedEdits(path).add([edit("c")], NOW)
    assert len(AcknowledgedEdits(path)) == 3
    assert all(edit(name) in AcknowledgedEdits(path) for name in "abc")
    assert edit("d") not in AcknowledgedEdits(path)


def test_a_copy_is_known_at_any_time_and_an_edit_with_other_lines_is_not(tmp_path: Path) -> None:
    path = tmp_path / "sent"
    sent = edit("Write:0", "one = 1")
    AcknowledgedEdits(path).add([sent], NOW)
    assert replace(sent, at=NOW + timedelta(seconds=2)) in AcknowledgedEdits(path)
    assert edit("Write:0", "two = 2") not in AcknowledgedEdits(path)
    assert replace(sent, path="src/other.py") not in AcknowledgedEdits(path)
    assert replace(sent, outcome=EditResult.REFUSED) not in AcknowledgedEdits(path)


def test_an_id_drawn_by_chance_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "sent"
    name = "toolu_01A09q90qw90lq917835lq9"
    AcknowledgedEdits(path).add([edit(name, "one = 1")], NOW)
    assert edit(name, "one = 1", "two = 2") in AcknowledgedEdits(path)
    assert replace(edit(name), outcome=EditResult.REFUSED) not in AcknowledgedEdits(path)


def test_what_is_very_old_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "sent"
    AcknowledgedEdits(path).add([edit("a")], NOW)
    AcknowledgedEdits(path).add([edit("b")], NOW + timedelta(days=2))
    AcknowledgedEdits(path).expire(NOW + KEPT + timedelta(days=1))
    assert (edit("a") in AcknowledgedEdits(path), edit("b") in AcknowledgedEdits(path)) == (
        False,
        True,
    )
    AcknowledgedEdits(path).forget()
    assert len(AcknowledgedEdits(path)) == 0
