"""What summaries show of groups: teams, people, quiet spots. It queries no database.

It enforces that a group of fewer than five people is not shown by itself (docs/metrics.md, Names).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import msgspec

from ghapp.store.summaries.accounts import people
from ghapp.store.summaries.conditions import TeamMembers
from ghapp.summaries.counts import PersonCounts, PullCounts, QuietReason, TeamCounts
from ghapp.summaries.selection import SMALLEST_GROUP, RankBy

QUIET_NOW = timedelta(days=28)
QUIET_BEFORE = timedelta(days=84)
QUIET_LEAST_PULLS = 10
QUIET_LEAST_FALL = 0.1
UNKNOWN = "(unknown)"
"""Name in lists of people for authors that GitHub no longer knows."""
OTHERS = "(others)"
"""Name in lists of people for small teams and people without a team."""


CountPeople = Callable[[Iterable[str | None]], int]
"""Logins → how many people they are."""


def fold_teams(
    authors: dict[str, PullCounts], teams: TeamMembers, count: CountPeople = people
) -> tuple[TeamCounts, ...]:
    """Return the counts by team; people without a team or in a small one are the rest, last.

    If the rest has fewer people than a team needs, the smallest team joins it.
    """
    found: defaultdict[str | None, list[str]] = defaultdict(list)
    for login in authors:
        found[teams.of(login)].append(login)
    count(authors)  # looks everybody up at once, and not team by team
    rest = found.pop(None, [])
    sizes = {team: count(logins) for team, logins in found.items()}
    of_rest = count(rest)
    for team in sorted(found, key=lambda team: (sizes[team], str(team))):
        if sizes[team] < SMALLEST_GROUP or 0 < of_rest < SMALLEST_GROUP:
            rest += found.pop(team)
            of_rest = count(rest)
    rows = [
        TeamCounts(team, sizes[team], total(authors[login] for login in logins))
        for team, logins in found.items()
    ]
    rows.sort(key=lambda row: (-row.counts.pulls, str(row.team)))
    if not rest:
        return tuple(rows)
    return (*rows, TeamCounts(None, of_rest, total(authors[login] for login in rest)))


def person_counts(name: str, count: int, counts: PullCounts) -> PersonCounts:
    """Return one row of a leaderboard or export."""
    return PersonCounts(
        name=name,
        people=count,
        pulls_with=counts.assisted if counts.is_known else None,
        pulls=counts.pulls,
        lines_with=counts.attributed if counts.is_known else None,
        lines=counts.effective,
    )


def first(rows: Iterable[PersonCounts], by: RankBy, most: int) -> tuple[PersonCounts, ...]:
    """Return the first rows by what is with an agent, without the rest of small groups."""

    def rank(row: PersonCounts) -> tuple[Any, ...]:
        with_and_all = (row.pulls_with, row.pulls), (row.lines_with, row.lines)
        first, second = with_and_all if by is RankBy.PULLS else reversed(with_and_all)
        return (*(-(count or 0) for count in (*first, *second)), row.name)

    return tuple(sorted((row for row in rows if row.name != OTHERS), key=rank)[:most])


def quiet_rule(now: PullCounts, before: PullCounts) -> QuietReason | None:
    """Return why something is a quiet spot (docs/metrics.md); ``None``: it is not one."""
    if now.pulls < QUIET_LEAST_PULLS:
        return None
    if now.no_evidence == now.pulls:
        return QuietReason.NO_EVIDENCE
    if now.assisted + before.assisted == 0:
        return QuietReason.NEVER_STARTED
    then, today = before.pulls_share or 0.0, now.pulls_share or 0.0
    fell = today < then / 2 and then - today >= QUIET_LEAST_FALL
    return QuietReason.FELL if fell and before.pulls >= QUIET_LEAST_PULLS else None


def total(counts: Iterable[PullCounts]) -> PullCounts:
    """Return the sum of these counts."""
    rows = [msgspec.structs.astuple(one) for one in counts]
    return PullCounts(*map(sum, zip(*rows, strict=True))) if rows else PullCounts()
