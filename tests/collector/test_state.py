"""What the collector remembers between runs: shown, and never a reason to fail."""

from collections import Counter

import pytest

from ghapp.collector import state
from ghapp.collector.state import CollectorState
from tests.collector.machine import NOW, Machine


def test_what_is_stored_is_read_back(machine: Machine) -> None:
    machine.places.prepare()
    kept = CollectorState(
        sent_at=NOW,
        sent=3,
        problem="away",
        not_before=NOW,
        heard_at={7: NOW},
        refused={"github.com/acme/new": "unknown"},
        stays={"too old": 1},
    )
    state.save(machine.places, kept)
    assert state.load(machine.places) == kept
    assert machine.places.state.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"sent": "many"}', b"[]"])
def test_what_cannot_be_read_is_an_empty_state(machine: Machine, content: bytes | None) -> None:
    machine.places.prepare()
    if content is not None:
        machine.places.state.write_bytes(content)
    assert state.load(machine.places) == CollectorState()


def test_what_stays_is_added_up_by_reason() -> None:
    before = CollectorState(sent=3, stays={"too old": 1})
    after = state.with_stays(before, Counter({"too old": 2, "outside any clone": 1, "none": 0}))
    assert after == CollectorState(sent=3, stays={"too old": 3, "outside any clone": 1})
    assert before.stays == {"too old": 1}
