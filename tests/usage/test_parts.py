"""Parts of the usage add up to the whole, whatever they are parted by."""

import pytest

from ghapp.usage.decisions import DecidedBy, EditDecision
from ghapp.usage.parts import NAMES, UNKNOWN, Deciders, parted, whole
from tests.usage.test_days import decision, record

ANSWERS = [record(), record(model=None, agent_session="t"), record(answers=None)]
EDITS = [
    decision(decided_by=DecidedBy.PERSON),
    decision(),
    decision(decision=EditDecision.REFUSED, decided_by=DecidedBy.PERSON, lines=None),
    decision(decision=EditDecision.FAILED, lines=None, project="/w"),
]


def test_the_whole_counts_deciders_apart() -> None:
    edits = whole(ANSWERS, EDITS).edits
    assert edits.accepted == Deciders(person=1, unknown=1)
    assert edits.refused == Deciders(person=1)
    assert (edits.failed, edits.lines) == (1, 6)
    assert edits.people_accept_rate is not None
    assert edits.people_accept_rate.at_least == pytest.approx(1 / 2)
    assert edits.people_accept_rate.at_most == pytest.approx(2 / 3)


@pytest.mark.parametrize("by", NAMES)
def test_parts_add_up(by: str) -> None:
    found = parted(ANSWERS, EDITS, by)
    all_ = whole(ANSWERS, EDITS)
    assert list(found) == sorted(found)
    assert sum(one.answers for one in found.values()) == all_.answers == 2
    assert sum(one.tokens.output for one in found.values()) == all_.tokens.output
    assert sum(one.edits.lines for one in found.values()) == all_.edits.lines
    assert sum(one.edits.accepted.all for one in found.values()) == all_.edits.accepted.all


def test_what_no_record_names_has_a_part_of_its_own() -> None:
    assert list(parted(ANSWERS, EDITS, "project")) == [UNKNOWN, "/w"]


def test_without_a_person_s_decision_the_rate_is_unknown() -> None:
    assert (
        whole([], [decision(), decision(decided_by=DecidedBy.AUTOMATIC)]).edits.people_accept_rate
        is None
    )
