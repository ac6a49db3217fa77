"""What is compared of two periods: unknown stays unknown, and whatever either has is in it."""

from ghapp.summaries.changes import (
    ChangeMeasure,
    MeasuredCounts,
    changed,
    maker_changes,
    part_changes,
)
from ghapp.summaries.counts import ClusterSums, PullCounts

LINES = ClusterSums(clusters=4, part=20, whole=40, part_squared=130, product=200, whole_squared=400)
KNOWN = MeasuredCounts(
    PullCounts(
        pulls=4,
        assisted=3,
        not_assisted=1,
        effective=40,
        attributed=20,
        whole_effective=40,
        whole_attributed=20,
        known_effective=40,
    ),
    lines=LINES,
    known_lines=LINES,
)
UNKNOWN = MeasuredCounts(
    PullCounts(pulls=2, no_evidence=2, effective=9, whole_effective=9),
    lines=ClusterSums(clusters=2, whole=9, whole_squared=41),
)


def test_what_nobody_knows_is_no_zero_share() -> None:
    for measured in ChangeMeasure:
        found = changed(measured, UNKNOWN, KNOWN)
        if measured is ChangeMeasure.NO_EVIDENCE:
            assert (found.now.value, found.before.value) == (1.0, 0.0)
            assert found.difference.is_told is not None
        else:
            assert (found.now.value, found.difference.value) == (None, None)
            assert found.before.value is not None


def test_with_pull_requests_that_nobody_knows_a_floor_sinks_and_the_known_share_does_not() -> None:
    both = KNOWN + UNKNOWN
    assert both.figure(ChangeMeasure.SHARE).value == 20 / 49 == both.counts.share
    assert both.figure(ChangeMeasure.KNOWN_SHARE).value == 0.5 == both.counts.known_share
    assert both.figure(ChangeMeasure.PULLS_SHARE).value == 0.5
    assert both.figure(ChangeMeasure.NO_EVIDENCE).value == 2 / 6


def test_parts_and_makers_of_either_period_are_listed() -> None:
    rows = part_changes({"web": UNKNOWN, "core": KNOWN}, {"web": KNOWN, "old": KNOWN})
    assert [(one.name, one.now is None, one.before is None) for one in rows] == [
        ("core", False, True),
        ("web", False, False),
        ("old", True, False),
    ]
    made = maker_changes([(("codex", None), 1, 5)], [(("cursor", None), 2, 9)])
    assert [(one.agent, one.attributed, one.attributed_before) for one in made] == [
        ("codex", 5, 0),
        ("cursor", 0, 9),
    ]
