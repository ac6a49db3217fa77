"""A week as a letter: shares are floors, unknown is not zero, and nobody is named."""

from datetime import date

import pytest
from msgspec.structs import replace

from ghapp.reports.letter import to_markdown
from ghapp.reports.weekly import MOST_ROWS, QUIET_WORDS, WeekSummary, weekly
from ghapp.summaries.counts import (
    AgentCounts,
    OrganizationSummary,
    PullCounts,
    QuietReason,
    QuietSpot,
    RepositoryCounts,
)
from ghapp.usage.answers import TokenCounts
from ghapp.usage.counts import UsageCounts

WEEK = WeekSummary(
    organization="acme",
    first=date(2026, 5, 18),
    last=date(2026, 5, 24),
    address="https://ghapp.example/acme",
)
COUNTS = PullCounts(
    pulls=4,
    assisted=2,
    not_assisted=1,
    no_evidence=1,
    whole_effective=200,
    whole_attributed=61,
    known_effective=90,
)


def summary(totals: PullCounts = COUNTS, repositories: int = 1) -> OrganizationSummary:
    rows = tuple(
        RepositoryCounts(repository_id=at, repository=f"acme/r{at}", counts=totals)
        for at in range(repositories)
    )
    return OrganizationSummary(
        **{
            name: ()
            for name in OrganizationSummary.__struct_fields__
            if name not in ("totals", "repositories", "agents")
        },
        totals=totals,
        repositories=rows,
        agents=(AgentCounts(agent="codex", pulls=1, attributed=61),),
    )


def message(totals: PullCounts = COUNTS, before: PullCounts = COUNTS, **more: int) -> str:
    return to_markdown(weekly(WEEK, summary(totals, **more), before))


@pytest.mark.parametrize(
    ("first", "name"),
    [
        (date(2026, 5, 18), "2026-W21"),
        (date(2025, 12, 29), "2026-W01"),
        (date(2026, 1, 5), "2026-W02"),
    ],
)
def test_a_week_is_named_as_iso_8601_does(first: date, name: str) -> None:
    assert replace(WEEK, first=first).name == name


def test_shares_are_floors_beside_those_of_the_week_before() -> None:
    told = message()
    assert "- 4 merged pull requests, as many as the week before" in told
    assert "- **2 with an agent**, at least 50% (50% the week before)" in told
    assert "- **61 of 200 lines with an agent**, at least 30% (30% the week before)" in told
    assert "- 1 pull request without evidence" in told
    assert "By agent: Codex 61 lines in 1 pull request." in told
    assert told.endswith("(https://ghapp.example/acme)\n")


def test_where_nothing_was_known_before_nothing_is_compared() -> None:
    unknown = PullCounts(pulls=3, no_evidence=3, whole_effective=50)
    told = message(before=unknown)
    assert "4 merged pull requests, 3 the week before" in told
    assert "% the week before" not in told


def test_without_evidence_no_share_of_lines_is_told() -> None:
    told = message(PullCounts(pulls=3, no_evidence=3, whole_effective=50))
    assert "lines with an agent" not in told
    assert "| 50 | - |" in told


def test_a_week_without_pull_requests_says_so() -> None:
    told = message(PullCounts())
    assert "No pull requests were merged." in told
    assert "|" not in told


def test_rows_beyond_the_most_are_counted() -> None:
    told = message(repositories=MOST_ROWS + 2)
    assert told.count("acme/r") == MOST_ROWS
    assert "… and 2 more." in told


def test_a_quiet_spot_says_what_is_quiet_about_it() -> None:
    nothing = PullCounts()
    spots = tuple(
        QuietSpot(repository_id=1, name=f"acme/{rule}", rule=rule, now=nothing, before=nothing)
        for rule in QuietReason
    )
    since = replace(spots[0], name="acme/since", since=date(2026, 4, 6), team="core")
    told = to_markdown(weekly(WEEK, replace(summary(PullCounts()), quiet=(*spots, since)), COUNTS))
    assert [line for line in told.splitlines() if line.startswith("- `acme/")] == [
        *(f"- `acme/{rule}`: {QUIET_WORDS[rule]}, for 16 weeks or more" for rule in QuietReason),
        f"- `acme/since` and team `core`: {QUIET_WORDS[since.rule]}, since 2026-04-06",
    ]


def test_without_an_address_there_is_no_link() -> None:
    assert "](" not in to_markdown(weekly(replace(WEEK, address=None), summary(), COUNTS))


def test_usage_of_few_people_is_not_told() -> None:
    usage = UsageCounts(people=5, agent_sessions=7, tokens=TokenCounts(output=1_000))
    told = to_markdown(weekly(WEEK, summary(), COUNTS, usage))
    assert "Use of agents: 5 people, 7 agent sessions, 1,000 output tokens.\n" in told
    for few in (replace(usage, people=4), UsageCounts(), None):
        assert "Use of agents" not in to_markdown(weekly(WEEK, summary(), COUNTS, few))
    unknown = replace(usage, agent_sessions=None, tokens=None)
    assert "Use of agents: 5 people.\n" in to_markdown(weekly(WEEK, summary(), COUNTS, unknown))
