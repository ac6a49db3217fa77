"""Quiet spots: teams and repositories whose adoption fell or never started, and since when.

docs/metrics.md (Quiet spots) has the rules; `ghapp.store.summaries.groups` applies them.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date

from msgspec.structs import replace

from ghapp.attribution.model import Struct
from ghapp.store.summaries.conditions import ONE_DAY, TeamMembers
from ghapp.store.summaries.groups import QUIET_BEFORE, QUIET_NOW, quiet_rule, quiet_since
from ghapp.store.summaries.query import ReadTransaction, SelectionQuery
from ghapp.summaries.counts import PullCounts, QuietSpot
from ghapp.summaries.selection import PullSelection, TimeGrain


class _Span(Struct, frozen=True):
    """The four weeks that are judged and the twelve before them."""

    now: SelectionQuery
    before: SelectionQuery
    whole: SelectionQuery
    first: date
    """Monday of the four weeks."""


def quiet_spots(
    transaction: ReadTransaction, selection: PullSelection, today: date
) -> tuple[QuietSpot, ...] | None:
    """Compare the last 4 whole weeks with the 12 before them, by team and by repository.

    The last of them ends by the selection's last day, and before ``today``. ``None``: more is
    selected than repositories and days. A team and a repository of the same pull requests are one
    place.
    """
    if not selection.is_plain:
        return None
    after = min((selection.until or today) + ONE_DAY, today)
    ids, end = selection.repository_ids, TimeGrain.WEEK.start(after)
    teams = transaction.teams(ids, after)
    first = end - QUIET_NOW

    def between(since: date, until: date) -> SelectionQuery:
        asked = PullSelection(ids, since=since, until=until - ONE_DAY)
        return SelectionQuery(transaction, asked, teams)

    start = first - QUIET_BEFORE
    span = _Span(between(first, end), between(start, first), between(start, end), first)
    return _named_once(_teams(span, teams), _repositories(span))


def _teams(span: _Span, teams: TeamMembers) -> list[QuietSpot]:
    earlier = {row.team: row.counts for row in span.before.teams()}
    found = [
        spot
        for row in span.now.teams()
        if row.team is not None
        and row.team in earlier
        and (spot := _spot(None, row.team, row.counts, earlier[row.team]))
    ]
    quiet = {one.name for one in found}
    logins = span.now.authors.keys() | span.before.authors.keys()
    asked = {login: str(team) for login in logins if (team := teams.of(login)) in quiet}
    weeks: defaultdict[str, dict[date, PullCounts]] = defaultdict(dict)
    for (login, monday), counts in (span.whole.author_weeks(asked) if asked else {}).items():
        of_team = weeks[asked[login]]
        of_team[monday] = of_team.get(monday, PullCounts()) + counts
    return [_since(one, weeks[one.name], span.first) for one in found]


def _repositories(span: _Span) -> list[QuietSpot]:
    earlier = {row.repository_id: row.counts for row in span.before.repositories()}
    found = [
        spot
        for row in span.now.repositories()
        if (
            spot := _spot(
                row.repository_id,
                row.repository,
                row.counts,
                earlier.get(row.repository_id, PullCounts()),
            )
        )
    ]
    ids = tuple(one.repository_id for one in found if one.repository_id is not None)
    weeks: defaultdict[int | None, dict[date, PullCounts]] = defaultdict(dict)
    for (repository_id, monday), counts in (
        span.whole.repository_weeks(ids) if ids else {}
    ).items():
        weeks[repository_id][monday] = counts
    return [_since(one, weeks[one.repository_id], span.first) for one in found]


def _spot(
    repository_id: int | None, name: str, now: PullCounts, before: PullCounts
) -> QuietSpot | None:
    rule = quiet_rule(now, before)
    return None if rule is None else QuietSpot(repository_id, name, rule, now, before)


def _since(spot: QuietSpot, weeks: Mapping[date, PullCounts], first: date) -> QuietSpot:
    return replace(spot, since=quiet_since(spot.rule, spot.before, weeks, first))


def _named_once(teams: list[QuietSpot], repositories: list[QuietSpot]) -> tuple[QuietSpot, ...]:
    """Return both, but where all of a team's pull requests are all of a repository's, one spot."""
    found, alone = [], list(teams)
    for one in repositories:
        same = next((team for team in alone if _is_same(team, one)), None)
        if same is not None:
            alone.remove(same)
        found.append(one if same is None else replace(one, team=same.name))
    return (*alone, *found)


def _is_same(one: QuietSpot, other: QuietSpot) -> bool:
    return (one.now, one.before) == (other.now, other.before)
