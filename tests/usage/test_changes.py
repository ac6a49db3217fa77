"""Usage of two periods side by side: what is told of people's decisions, and what stays hidden."""

from ghapp.reports.figures import FROM_CHANCE, difference_words, rate_words
from ghapp.summaries.counts import MeasuredDifference
from ghapp.summaries.intervals import difference, ratio
from ghapp.usage.answers import TokenCounts
from ghapp.usage.changes import measured_rate, part_changes, rate_difference, whole_change
from ghapp.usage.counts import DecidedCounts, EditCounts, MeasuredRate, PersonPart

UNKNOWN = MeasuredDifference(value=None, low=None, high=None)


def person(number: int, accepted: int, refused: int, unknown: int = 0) -> PersonPart:
    """Return a person's decided edits; ``unknown`` accepted ones name no decider."""
    edits = EditCounts(
        by_people=DecidedCounts(accepted, refused), unknown=DecidedCounts(accepted=unknown)
    )
    return PersonPart(number, tokens=TokenCounts(output=1), edits=edits)


def test_a_person_s_decisions_are_one_cluster_wherever_they_stand() -> None:
    halves = [person(one, 5, 1) for one in range(6)] + [person(one, 4, one) for one in range(6)]
    found = measured_rate(halves)
    whole = ratio((9, 10 + one) for one in range(6))
    assert found == MeasuredRate(
        at_least=whole.value or 0, at_most=whole.value or 0, low=whole.low, high=whole.high
    )
    alone = ratio((1, 1) if one < 54 else (0, 1) for one in range(75))
    assert found.low is not None
    assert alone.low is not None
    assert found.low < alone.low  # 75 decisions of six people tell less than those of 75


def test_a_difference_that_is_known_has_the_interval_of_two_ratios() -> None:
    now = [person(one, 9, 1 + one % 2) for one in range(20)]
    before = [person(one, 4 + one % 3, 6) for one in range(20)]
    found = whole_change(now, before).difference
    new = ratio((9, 10 + one % 2) for one in range(20))
    old = ratio((4 + one % 3, 10 + one % 3) for one in range(20))
    assert found == difference(new, old)
    assert difference_words(found).endswith(")")
    assert "points more" in difference_words(found)
    alike = whole_change(now, now).difference
    assert difference_words(alike).startswith(FROM_CHANCE)


def test_a_rate_that_is_a_range_has_an_interval_and_no_single_difference() -> None:
    now = [person(one, 8, 0, unknown=2) for one in range(9)]
    before = [person(one, 1, 8, unknown=1) for one in range(9)]
    rate, old = measured_rate(now), measured_rate(before)
    assert rate is not None
    assert old is not None
    assert old.at_least < old.at_most
    found = rate_difference(rate, old)
    assert found.value is None
    assert found.low is not None
    assert found.high is not None
    assert found.low < rate.at_least - old.at_most < rate.at_most - old.at_least < found.high
    assert " points more" in difference_words(found)
    assert " to " in rate_words(old)


def test_what_one_period_hides_has_no_difference() -> None:
    many = [person(one, 3, 1) for one in range(6)]
    few = [*many[:4], PersonPart(5, tokens=TokenCounts(output=1))]
    (row,) = part_changes({"codex": many}, {"codex": few})
    assert row.before is not None
    assert (row.before.edits, row.rate_before, row.difference) == (None, None, UNKNOWN)
    (row,) = part_changes({"codex": many}, {"codex": few[:4]})
    assert row.before is None
    alone = whole_change(many, None)
    assert (alone.before, alone.difference) == (None, UNKNOWN)


def test_one_person_s_decisions_among_many_have_no_interval() -> None:
    parts = [person(1, 3, 1), *(person(one, 0, 0) for one in range(2, 8))]
    found = whole_change(parts, parts)
    assert found.rate == MeasuredRate(at_least=0.75, at_most=0.75, low=None, high=None)
    assert difference_words(found.difference) == "too few to tell"
