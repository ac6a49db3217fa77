"""Parts of the usage add up to the whole, whatever they are parted by."""

import pytest

from ghapp.usage.counts import DecidedCounts
from ghapp.usage.decisions import DecidedBy, EditDecision
from ghapp.usage.parts import NAMES, UNKNOWN, parted, whole
from tests.usage.test_days import decision, record

ANSWERS = [record(), record(model=None, agent_session="t"), record(answers=None)]
EDITS = [
    decision(decided_by=DecidedBy.PERSON),
    decision(),
    decision(decision=EditDecision.REFUSED, decided_by=DecidedBy.PERSON, lines=9),
    decision(decision=EditDecision.FAILED, lines=None, project="/w"),
]


def test_the_whole_counts_deciders_apart() -> None:
    edits = whole(ANSWERS, EDITS).edits
    assert edits.by_people == DecidedCounts(accepted=1, refused=1)
    assert (edits.automatic, edits.unknown) == (DecidedCounts(), DecidedCounts(accepted=1))
    assert (edits.failed, edits.lines_accepted, edits.lines_suggested) == (1, 6, 15)
    rate = edits.accept_rate
    assert rate is not None
    assert rate.at_least == pytest.approx(1 / 2)
    assert rate.at_most == pytest.approx(2 / 3)


@pytest.mark.parametrize("by", NAMES)
def test_parts_add_up(by: str) -> None:
    found = parted(ANSWERS, EDITS, by)
    all_ = whole(ANSWERS, EDITS)
    assert list(found) == sorted(found)
    assert sum(one.answers for one in found.values()) == all_.answers == 2
    assert sum(one.tokens.output for one in found.values()) == all_.tokens.output
    assert sum(one.edits.lines_accepted or 0 for one in found.values()) == all_.edits.lines_accepted
    assert sum(one.edits.all.accepted for one in found.values()) == all_.edits.all.accepted


def test_what_no_record_names_has_a_part_of_its_own() -> None:
    assert list(parted(ANSWERS, EDITS, "project")) == [UNKNOWN, "/w"]


def test_without_a_person_s_decision_the_rate_is_unknown() -> None:
    edits = whole([], [decision(), decision(decided_by=DecidedBy.AUTOMATIC)]).edits
    assert edits.accept_rate is None
