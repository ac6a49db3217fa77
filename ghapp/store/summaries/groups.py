"""What summaries show of groups: teams, people, quiet spots. It queries no database.

It enforces that a group of fewer than five people is not shown by itself (docs/metrics.md, Names).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import Any

import msgspec

from ghapp.store.summaries.accounts import people
from ghapp.store.summaries.conditions import TeamMembers
from ghapp.summaries.counts import PersonCounts, PullCounts, QuietReason, TeamCounts
from ghapp.summaries.selection import SMALLEST_GROUP, RankBy

QUIET_NOW = timedelta(days=28)
QUIET_BEFORE = timedelta(days=84)
WEEK = timedelta(days=7)
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
    """Return the counts by team; people without a team or in a small one are the rest, last."""
    found = team_logins(authors, teams, count)
    rest = found.pop(None, [])
    rows = [_team(team, logins, authors, count) for team, logins in found.items()]
    rows.sort(key=lambda row: (-row.counts.pulls, str(row.team)))
    return (*rows, _team(None, rest, authors, count)) if rest else tuple(rows)


def team_logins(
    logins: Iterable[str], teams: TeamMembers, count: CountPeople = people
) -> dict[str | None, list[str]]:
    """Return the logins of each team that may be shown; ``None``: of all others.

    If these are fewer people than a team needs, the smallest team joins them.
    """
    found: defaultdict[str | None, list[str]] = defaultdict(list)
    everybody = list(logins)
    for login in everybody:
        found[teams.of(login)].append(login)
    count(everybody)  # looks them up at once, and not team by team
    rest = found.pop(None, [])
    sizes = {team: count(members) for team, members in found.items()}
    of_rest = count(rest)
    for team in sorted(found, key=lambda team: (sizes[team], str(team))):
        if sizes[team] < SMALLEST_GROUP or 0 < of_rest < SMALLEST_GROUP:
            rest += found.pop(team)
            of_rest = count(rest)
    return {**found, None: rest} if rest else dict(found)


def _team(
    team: str | None, logins: list[str], authors: dict[str, PullCounts], count: CountPeople
) -> TeamCounts:
    return TeamCounts(team, count(logins), total(authors[login] for login in logins))


def person_counts(name: str, count: int, counts: PullCounts) -> PersonCounts:
    """Return one row of a leaderboard or export."""
    return PersonCounts(
        name=name,
        people=count,
        pulls_with=counts.assisted if counts.is_known else None,
        pulls=counts.pulls,
        lines_with=counts.attributed if counts.is_known else None,
        lines=counts.effective,
        no_evidence=counts.no_evidence,
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


def quiet_since(
    rule: QuietReason, before: PullCounts, weeks: Mapping[date, PullCounts], first: date
) -> date | None:
    """Return the Monday since which a spot is quiet; ``None``: in all 16 weeks.

    ``first`` is the Monday of the last four of them, which are quiet together. Weeks before them
    belong to it as long as each is quiet by itself, or nothing was merged in it.
    """
    since = first
    while since > first - QUIET_BEFORE:
        week = weeks.get(since - WEEK, PullCounts())
        if week.pulls and not _is_quiet(rule, week, before):
            return since
        since -= WEEK
    return None


def _is_quiet(rule: QuietReason, week: PullCounts, before: PullCounts) -> bool:
    if rule is QuietReason.NO_EVIDENCE:
        return week.no_evidence == week.pulls
    return (week.pulls_share or 0.0) < (before.pulls_share or 0.0) / 2 or not week.assisted


def total(counts: Iterable[PullCounts]) -> PullCounts:
    """Return the sum of these counts."""
    rows = [msgspec.structs.astuple(one) for one in counts]
    return PullCounts(*map(sum, zip(*rows, strict=True))) if rows else PullCounts()
