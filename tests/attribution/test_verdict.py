"""Counts, shares and verdicts; unknown is not zero."""

from datetime import timedelta

import pytest

from ghapp.attribution.model import AuditTotals, FileVerdict, LineVerdict, Reason
from ghapp.attribution.nearest import MissedLine
from ghapp.attribution.verdict import (
    excluded_file,
    judged_file,
    missed_line,
    settled,
    state,
    totals,
)
from tests.attribution.strategies import MERGED, diff_of
from tests.attribution.test_candidates import edit

FILE = diff_of("a.py", [], ["one", "two", "three"])


def judged(attributed: int, missed: int, agent: str = "codex") -> FileVerdict:
    lines = [
        LineVerdict(line=at + 1, reason="run", attributed=True, agent=agent)
        for at in range(attributed)
    ]
    lines += [
        LineVerdict(line=attributed + at + 1, reason="no_match", agent=agent)
        for at in range(missed)
    ]
    return judged_file(FILE, tuple(lines), effective=attributed + missed)


def counted(attributed: int, effective: int = 5) -> AuditTotals:
    return AuditTotals(
        added=5, effective=effective, attributed=attributed, share=None, by_reason={}, by_agent={}
    )


def test_totals_are_over_all_files_and_name_only_agents_with_lines() -> None:
    found = totals([judged(1, 2), judged(0, 3, agent="aider"), judged(1, 0, "cursor")])
    assert (found.added, found.effective, found.attributed) == (7, 7, 2)
    assert settled(found, edits_considered=1, complete=True)[0].share == 0.2857
    assert found.by_reason == {"no_match": 5, "run": 2}
    assert found.by_agent == {"codex": 1, "cursor": 1}


@pytest.mark.parametrize(
    ("attributed", "missed", "edits", "complete", "share"),
    [
        (0, 0, 1, True, None),
        (2, 2, 1, False, None),
        (0, 4, 1, True, 0.0),
        (0, 4, 0, True, None),
        (2, 2, 1, True, 0.5),
    ],
    ids=["of nothing", "half a change", "none of it", "no evidence", "half of it"],
)
def test_a_share_that_nobody_knows_is_null_and_not_zero(
    attributed: int,
    missed: int,
    edits: int,
    complete: bool,  # noqa: FBT001 (a column of the table)
    share: float | None,
) -> None:
    counts = totals([judged(attributed, missed)])
    assert settled(counts, edits_considered=edits, complete=complete)[0].share == share


def test_every_line_of_an_excluded_file_has_the_rule_as_its_reason() -> None:
    found = excluded_file(FILE, "lock_file")
    assert (found.added, found.effective, found.attributed) == (3, 0, 0)
    assert found.excluded == "lock_file"
    assert [(line.line, line.reason) for line in found.lines] == [
        (1, "lock_file"),
        (2, "lock_file"),
        (3, "lock_file"),
    ]


def test_a_missed_line_names_the_nearest_edit_and_credits_it_with_nothing() -> None:
    found = missed_line(3, MissedLine(Reason.REWRITTEN, edit("toolu_1"), 1 / 3))
    assert (found.edit, found.agent, found.difference) == ("toolu_1", "claude-code", 0.3333)
    assert not found.attributed
    assert missed_line(3, MissedLine(Reason.NO_MATCH)) == LineVerdict(line=3, reason="no_match")


@pytest.mark.parametrize(
    ("attributed", "edits", "complete", "expected"),
    [
        (1, 1, True, "assisted"),
        (1, 1, False, "assisted"),
        (0, 1, True, "not_assisted"),
        (0, 1, False, "no_evidence"),
        (0, 0, True, "no_evidence"),
    ],
)
def test_none_is_said_only_of_a_whole_change_with_evidence(
    attributed: int,
    edits: int,
    complete: bool,  # noqa: FBT001 (a column of the table)
    expected: str,
) -> None:
    _, found = settled(counted(attributed), edits_considered=edits, complete=complete)
    assert found == expected


def test_the_last_instant_of_the_window_is_still_provisional() -> None:
    assert state(MERGED, MERGED) == "provisional"
    assert state(MERGED + timedelta(microseconds=1), MERGED) == "final"
