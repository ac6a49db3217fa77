"""Notes about a policy: why a check failed, and what is broken."""

import pytest

from ghapp.reports.markdown import CheckOutput
from ghapp.reports.policy_notes import LONG_PROBLEM, above_the_limit, broken_policy, noted
from tests.reports.audits import totals

CHECK = CheckOutput(title="Title", summary="Summary", text="Text")


@pytest.mark.parametrize(
    ("limit", "shown"), [(0.5, "up to 0.5 "), (0.3333333, "up to 0.3333 "), (0.0, "up to 0 ")]
)
def test_a_share_above_the_limit_is_told_as_a_floor(limit: float, shown: str) -> None:
    note = above_the_limit(totals(["run", "run", "no_match"]), limit)
    assert note.startswith("> [!CAUTION]\n> ")
    assert "At least 66% of the counted lines" in note
    assert shown in note


def test_each_problem_is_one_line_of_the_note_whatever_it_says() -> None:
    note = broken_policy(["no such key: a\nb", "@octocat " + "x" * 5000], "the built-in policy")
    rows = note.split("\n")
    assert [row[:4] for row in rows] == ["> [!", "> **", "> - ", "> - "]
    assert all(row.startswith("> ") for row in rows)
    assert "@octocat" not in note
    assert len(rows[3]) < 2 * LONG_PROBLEM


def test_notes_stand_above_the_summary_and_change_nothing_else() -> None:
    found = noted(CHECK, ["one", "two"])
    assert found == CheckOutput(title="Title", summary="one\n\ntwo\n\nSummary", text="Text")
    assert noted(CHECK, []) is CHECK
