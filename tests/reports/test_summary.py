"""A share is a floor, unknown is not zero, and half a change has no share."""

from pathlib import Path

import pytest

from ghapp.reports.summary import percent, summarize
from tests.cases import cases, names
from tests.reports.renew import CASES, read


@pytest.mark.parametrize(
    ("attributed", "effective", "shown"),
    [
        (0, 0, "-"),
        (0, 5, "0%"),
        (1, 500, "<1%"),
        (1, 100, "1%"),
        (199, 300, "66%"),
        (999, 1000, "99%"),
        (5, 5, "100%"),
    ],
)
def test_percent_is_rounded_down(attributed: int, effective: int, shown: str) -> None:
    assert percent(attributed, effective) == shown


@pytest.mark.parametrize("case", ["no_evidence", "files_could_not_be_read", "nothing_to_count"])
def test_no_percentage_where_there_is_no_share(case: str) -> None:
    summary = summarize(read(CASES / case))
    assert not summary.has_share
    assert "%" not in summary.headline + summary.sentence


def test_no_evidence_gives_no_file_a_share() -> None:
    assert {row.share for row in summarize(read(CASES / "no_evidence")).files} == {"-"}


@pytest.mark.parametrize("case", cases("reports"), ids=names(cases("reports")))
def test_reasons_add_up_to_the_added_lines(case: Path) -> None:
    summary = summarize(read(case))
    assert sum(row.lines for row in summary.reasons) == summary.added


def test_an_agent_we_do_not_know_keeps_its_id() -> None:
    assert summarize(read(CASES / "several_agents")).authors == (
        "Claude Code",
        "Codex",
        "house-agent",
    )
