"""One selection, answered in one transaction: which table gives which number.

A selection of repositories and days reads groups of repositories from `group_tally`, and whole
months of single repositories from `tally`; it counts days at the ends by pull request. All other
selections are counted by pull request.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, timedelta
from functools import cached_property
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Float,
    Table,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.sql.selectable import FromClause

from ghapp.attribution.model import NoEvidence, Verdict
from ghapp.store.coverage import AuthorsHeard, PullCoverage, heard, silent
from ghapp.store.id_sets import among
from ghapp.store.outcomes import compare, reverted_by_agent
from ghapp.store.schema import (
    agent_day,
    group_tally,
    pull_agent,
    pull_lines,
    pull_model,
    pull_summary,
    repository,
    tally,
)
from ghapp.store.summaries.accounts import AuthorAccounts
from ghapp.store.summaries.conditions import (
    GrainSpan,
    TeamMembers,
    below,
    by_month,
    child,
    conditions,
    counted,
    day_of,
    finest,
    into_default,
    merged_within,
    one_of,
    other_branches,
    same_pull,
    spans,
    teams_of,
    to_day,
    within,
)
from ghapp.store.summaries.groups import (
    OTHERS,
    UNKNOWN,
    fold_teams,
    person_counts,
    team_logins,
    total,
)
from ghapp.store.summaries.pull_list import pull_page
from ghapp.store.summaries.repository_groups import GroupCover, cover
from ghapp.store.summaries.tally import (
    AGENT,
    ALL,
    AUTHOR,
    COUNTS,
    DIRECTORY,
    ELSEWHERE,
    LANGUAGE,
    MODEL,
    day_number,
)
from ghapp.summaries.changes import MeasuredCounts
from ghapp.summaries.comparisons import OutcomeSummary
from ghapp.summaries.counts import (
    AdoptionDay,
    AgentCounts,
    CauseCounts,
    ClusterSums,
    LineCounts,
    ModelCounts,
    PersonCounts,
    PullCounts,
    PullPage,
    RepositoryCounts,
    RevertedCounts,
    SeriesPoint,
    TeamCounts,
)
from ghapp.summaries.selection import (
    SMALLEST_GROUP,
    ListSlice,
    NamesShown,
    NotShown,
    PersonNaming,
    PullSelection,
    TimeGrain,
)

A_FEW_MONTHS = timedelta(days=130)
"""Longer spans are counted by month."""

KeyT = TypeVar("KeyT", str, int)


class ReadTransaction:
    """One transaction, and what its selections look up only once."""

    def __init__(self, connection: Connection, naming: PersonNaming) -> None:
        self.connection = connection
        self.naming = naming
        self._teams: dict[tuple[tuple[int, ...], date | None], TeamMembers] = {}
        self._covers: dict[tuple[int, ...], GroupCover] = {}
        self._names: dict[int, str] = {}
        self.accounts = AuthorAccounts(connection)

    def teams(self, repository_ids: tuple[int, ...], until: date | None) -> TeamMembers:
        """Return the teams as of a day."""
        key = repository_ids, until
        if key not in self._teams:
            self._teams[key] = teams_of(self.connection, *key)
        return self._teams[key]

    def cover(self, repository_ids: tuple[int, ...]) -> GroupCover:
        """Return the groups and single repositories that make up these repositories."""
        if repository_ids not in self._covers:
            self._covers[repository_ids] = cover(self.connection, repository_ids)
        return self._covers[repository_ids]

    def names(self, repository_ids: Iterable[int]) -> dict[int, str]:
        """Return the current names of these repositories, and of those from earlier calls."""
        new, columns = {*repository_ids} - self._names.keys(), repository.c
        query = select(columns.id, columns.owner, columns.name).where(among(columns.id, new))
        for repository_id, owner, name in self.connection.execute(query) if new else ():
            self._names[repository_id] = f"{owner}/{name}"
        return self._names


class SelectionQuery:
    """One selection, answered in one transaction."""

    def __init__(
        self,
        transaction: ReadTransaction,
        selection: PullSelection,
        teams: TeamMembers | None = None,
    ) -> None:
        """Prepare; ``teams``: teams to use instead of those of the selection's last day.

        Raises `NotShown`.
        """
        self._transaction = transaction
        self._connection = transaction.connection
        self._naming = transaction.naming
        self._selection = selection
        self._other_teams = teams
        self._count = transaction.accounts.people
        self._check_shown()

    @property
    def _teams(self) -> TeamMembers:
        if self._other_teams is not None:
            return self._other_teams
        return self._transaction.teams(self._selection.repository_ids, self._selection.until)

    @property
    def _asked_teams(self) -> TeamMembers:
        """The teams that conditions need: where none is selected, nobody looks them up."""
        return TeamMembers({}) if self._selection.team is None else self._teams

    def totals(self) -> PullCounts:
        """Return the counts of everything selected."""
        return total(self._by_day(TimeGrain.MONTH).values())

    def other_branches(self) -> int:
        """Return how many pull requests only their branch leaves out."""
        if self._selection.base is not None:
            return 0
        if self._selection.is_plain:
            found = self._by_day(TimeGrain.MONTH, ELSEWHERE)
            return total(found.values()).pulls
        asked = other_branches(self._selection, self._asked_teams)
        query = select(func.count()).select_from(pull_summary).where(*asked)
        return int(self._connection.execute(query).scalar_one())

    def series(self, grain: TimeGrain) -> tuple[SeriesPoint, ...]:
        """Return the counts by period, oldest first."""
        points: defaultdict[date, PullCounts] = defaultdict(PullCounts)
        for number, counts in self._by_day(grain).items():
            points[grain.start(to_day(number))] += counts
        return _without_gaps(points, grain, self._selection)

    def _by_day(self, grain: TimeGrain, dimension: str = ALL) -> dict[int, PullCounts]:
        """Return the counts by the first day of each whole period, and by day at the ends."""
        if not self._selection.is_plain:
            return self._selected(day_of(pull_summary.c.merged_at))
        return self._with_groups(
            group_tally.c.start,
            dimension,
            spans(self._selection, grain),
            lambda query: query.own_days(grain, dimension),
        )

    def own_days(self, grain: TimeGrain, dimension: str) -> dict[int, PullCounts]:
        """Return the counts by first day, without using groups."""
        return self._tallied(dimension, grain, tally.c.start)

    def repositories(self) -> tuple[RepositoryCounts, ...]:
        """Return the counts by repository."""
        if self._selection.is_plain:
            found = self._sums(ALL, finest(self._selection), tally.c.repository_id)
        else:
            found = self._selected(pull_summary.c.repository_id)
        names = self._transaction.names(found)
        rows = (
            RepositoryCounts(one, names.get(one, f"repository {one}"), counts)
            for one, counts in found.items()
        )
        return tuple(sorted(rows, key=lambda row: (-row.counts.pulls, row.repository)))

    def trends(self, shown: tuple[int, ...]) -> dict[int, tuple[SeriesPoint, ...]]:
        """Return the counts of each shown repository by month."""
        if self._selection.is_plain:
            found = self._only(shown).own_months()
        else:
            key = pull_summary.c.repository_id * _DAYS + day_of(pull_summary.c.merged_at)
            found = self._selected(key)
        points: dict[int, defaultdict[date, PullCounts]] = {
            one: defaultdict(PullCounts) for one in shown if one in self._selection.repository_ids
        }
        for number, counts in found.items():
            repository_id, day = divmod(number, _DAYS)
            if repository_id in points:
                of_one, month = points[repository_id], TimeGrain.MONTH.start(to_day(day))
                of_one[month] = of_one[month] + counts if month in of_one else counts
        return {
            one: _without_gaps(of_one, TimeGrain.MONTH, self._selection)
            for one, of_one in points.items()
            if of_one
        }

    def own_months(self) -> dict[int, PullCounts]:
        """Return the counts by a number that combines repository and first day of the month."""
        ours = among(tally.c.repository_id, self._selection.repository_ids)
        place = tally.c.repository_id * _DAYS
        keys = [
            (place + (tally.c.start if first is None else day_number(first)), span)
            for first, span in by_month(self._selection)
        ]
        return dict(self._summed(tally, ours, ALL, keys))

    def repository_weeks(
        self, repository_ids: tuple[int, ...]
    ) -> dict[tuple[int, date], PullCounts]:
        """Return the counts of these repositories by week, of days that are whole weeks."""
        ours = among(tally.c.repository_id, repository_ids)
        key = tally.c.repository_id * _DAYS + tally.c.start
        keys = [(key, span) for span in spans(self._selection, TimeGrain.WEEK)]
        found = dict(self._summed(tally, ours, ALL, keys))
        return {(one // _DAYS, to_day(one % _DAYS)): counts for one, counts in found.items()}

    def author_weeks(self, logins: Collection[str]) -> dict[tuple[str, date], PullCounts]:
        """Return the counts of these authors by week, of days that are whole weeks."""
        found = self._with_groups(
            _week_of(group_tally),
            AUTHOR,
            spans(self._selection, TimeGrain.WEEK),
            lambda query: query.own_author_weeks(logins),
            names=logins,
        )
        split = ((key.partition(" "), counts) for key, counts in found.items())
        return {(login, to_day(int(start))): counts for (start, _, login), counts in split}

    def own_author_weeks(self, logins: Collection[str]) -> dict[str, PullCounts]:
        """Return the counts by week and login, without using groups."""
        ours = and_(
            among(tally.c.repository_id, self._selection.repository_ids), tally.c.name.in_(logins)
        )
        keys = [(_week_of(tally), span) for span in spans(self._selection, TimeGrain.WEEK)]
        return dict(self._summed(tally, ours, AUTHOR, keys))

    @cached_property
    def authors(self) -> dict[str, PullCounts]:
        """The counts by login; ``""``: not known."""
        if not self._selection.is_plain:
            return self._selected(func.coalesce(pull_summary.c.author, ""))
        return self._named(AUTHOR, SelectionQuery.own_authors)

    def own_authors(self) -> dict[str, PullCounts]:
        """Return the counts by login, without using groups."""
        grain = closest(self._selection)
        found = self._tallied(AUTHOR, grain, tally.c.name, days=False)
        for first, last in partial_edges(self._selection, grain):
            part = msgspec.structs.replace(self._selection, since=first, until=last)
            query = self._grouped(func.coalesce(pull_summary.c.author, ""), part)
            found = _added(found, query)
        return found

    def agents(self) -> tuple[AgentCounts, ...]:
        """Return the counts by agent, most lines first."""
        found = self._named(AGENT, SelectionQuery.own_agents)
        rows = (AgentCounts(agent, one.pulls, one.attributed) for agent, one in found.items())
        return tuple(sorted(rows, key=lambda row: (-row.attributed, row.agent)))

    def own_agents(self) -> dict[str, PullCounts]:
        """Return the counts by agent, without using groups."""
        return self._own_makers(AGENT, pull_agent, pull_agent.c.agent)

    def models(self) -> tuple[ModelCounts, ...]:
        """Return the counts by agent and model's family, most lines first."""
        found = self._named(MODEL, SelectionQuery.own_models)
        named = ((name.partition(" "), counts) for name, counts in found.items())
        rows = (
            ModelCounts(agent, family or None, counts.pulls, counts.attributed)
            for (agent, _, family), counts in named
        )
        return tuple(sorted(rows, key=lambda row: (-row.attributed, row.agent, row.model or "")))

    def own_models(self) -> dict[str, PullCounts]:
        """Return the counts by agent and model's family, without using groups."""
        columns = pull_model.c
        return self._own_makers(MODEL, pull_model, columns.agent + " " + columns.family)

    def _own_makers(
        self, dimension: str, table: Table, name: ColumnElement[str]
    ) -> dict[str, PullCounts]:
        """Return the counts by what made the lines, without using groups."""
        found = dict[str, PullCounts]()
        if self._selection.is_plain:
            found = self._tallied(dimension, TimeGrain.MONTH, tally.c.name, days=False)
        source, parts = self._one_by_one(table)
        for part in parts:
            sums = (name, func.count(), func.sum(table.c.attributed))
            query = select(*sums).select_from(source).where(*part).group_by(name)
            more = (
                (one, PullCounts(pulls=pulls, assisted=pulls, attributed=int(attributed)))
                for one, pulls, attributed in self._connection.execute(query)
            )
            found = _added(found, more)
        return found

    # --- lines ----------------------------------------------------------------------------------

    def directories(self) -> tuple[LineCounts, ...]:
        """Return the lines by directory right below the selected path."""
        path = self._selection.path
        return _folded(
            self.own_lines(DIRECTORY, pull_lines.c.directory), lambda name: child(name, path)
        )

    def languages(self) -> tuple[LineCounts, ...]:
        """Return the lines by language."""
        name = pull_lines.c.language
        found = self._named(LANGUAGE, lambda query: query.own_lines(LANGUAGE, name))
        return _folded(found, str)

    def own_lines(self, dimension: str, name: ColumnElement[str]) -> dict[str, PullCounts]:
        """Return the counts by directory or language, without using groups."""
        found = dict[str, PullCounts]()
        if self._selection.is_plain:
            found = self._tallied(dimension, TimeGrain.MONTH, tally.c.name, days=False)
        source, parts = self._one_by_one(pull_lines)
        for part in parts:
            query = select(name, *_line_sums()).select_from(source).where(*part).group_by(name)
            more = (
                (one, PullCounts(count, **dict(zip(_LINE_COUNTS, counted(sums), strict=True))))
                for one, count, *sums in self._connection.execute(query)
            )
            found = _added(found, more)
        return found

    # --- people -----------------------------------------------------------------------------------

    def teams(self) -> tuple[TeamCounts, ...]:
        """Return the counts by team."""
        return self._in_teams if self._teams else ()

    @cached_property
    def _in_teams(self) -> tuple[TeamCounts, ...]:
        return fold_teams(self.authors, self._teams, self._count)

    def measured_authors(self) -> dict[str, MeasuredCounts]:
        """Return the counts by login with what intervals of their lines need."""
        author = func.coalesce(pull_summary.c.author, "")
        return self._measured(self.authors, author)

    def measured_teams(self, authors: dict[str, MeasuredCounts]) -> dict[str, MeasuredCounts]:
        """Return the same of each team that may be shown, by name; nothing if there are none."""
        if not self._teams:
            return {}
        found = team_logins(authors, self._teams, self._count)
        return {
            team: sum((authors[login] for login in logins), MeasuredCounts())
            for team, logins in found.items()
            if team is not None
        }

    def measured_repositories(self) -> dict[str, MeasuredCounts]:
        """Return the same of each repository, by its full name."""
        rows = {row.repository_id: row for row in self.repositories()}
        counts = {one: row.counts for one, row in rows.items()}
        found = self._measured(counts, pull_summary.c.repository_id)
        return {rows[one].repository: measured for one, measured in found.items()}

    def _measured(
        self, counts: dict[KeyT, PullCounts], key: ColumnElement[KeyT]
    ) -> dict[KeyT, MeasuredCounts]:
        columns, lines = pull_summary.c, dict[KeyT, tuple[ClusterSums, ClusterSums]]()
        whole = (columns.change_complete, columns.effective > 0)
        asked = conditions(self._selection, self._asked_teams, in_order=False)
        query = select(key, *_cluster_sums()).where(*asked, *whole).group_by(key)
        for name, *sums, known, known_whole, known_squared in self._connection.execute(query):
            every = ClusterSums(*sums)
            # Without evidence no line is attributed, so the sums of parts are the same.
            lines[name] = (
                every,
                msgspec.structs.replace(
                    every, clusters=known, whole=known_whole, whole_squared=known_squared
                ),
            )
        return {
            name: MeasuredCounts(one, *lines.get(name, (ClusterSums(), ClusterSums())))
            for name, one in counts.items()
        }

    def people(self) -> tuple[PersonCounts, ...]:
        """Return the counts by person, or by team if people are not named."""
        authors = self.authors
        if self._naming.names is NamesShown.TEAMS:
            rows = [
                person_counts(team.team or OTHERS, team.people, team.counts)
                for team in self._in_teams
            ]
        else:
            rows = [
                person_counts(
                    self._naming.of(login) if login else UNKNOWN, self._count([login]), counts
                )
                for login, counts in authors.items()
            ]
        return tuple(sorted(rows, key=lambda row: row.name))

    def adoption(self) -> tuple[AdoptionDay, ...] | None:
        """Return active developers and agent sessions by day; ``None``: there are no edits."""
        if not self._selection.is_of_edits:
            return None
        columns = agent_day.c
        agent_sessions = self._active([columns.agent, columns.agent_session])
        if not agent_sessions:
            return None
        developers = self._active([columns.actor], columns.actor != "")
        pulls = {point.start: point.counts.pulls for point in self.series(TimeGrain.DAY)}
        days = sorted({*developers, *agent_sessions, *(day for day in pulls if pulls[day])})
        return tuple(
            AdoptionDay(
                day=day,
                developers=developers.get(day, 0),
                agent_sessions=agent_sessions.get(day, 0),
                pulls=pulls.get(day, 0),
            )
            for day in days
        )

    def _active(
        self, what: list[ColumnElement[str]], *asked: ColumnElement[bool]
    ) -> dict[date, int]:
        """Return the number of distinct values of these columns, by day."""
        selection, columns = self._selection, agent_day.c
        asked += (one_of(columns.repository_id, selection.repository_ids),)
        for span in spans(selection, TimeGrain.DAY):
            asked += (*within(columns.day, span),)
        if selection.agent is not None:
            asked += (columns.agent == selection.agent,)
        if selection.team is not None:
            asked += (columns.actor.in_(self._teams.members(selection.team)),)
        different = select(columns.day, *what).where(*asked).distinct().subquery()
        query = select(different.c.day, func.count()).group_by(different.c.day)
        return {to_day(number): count for number, count in self._connection.execute(query)}

    # --- lists ------------------------------------------------------------------------------------

    @property
    def asked(self) -> list[ColumnElement[bool]]:
        """The conditions of the selection on ``pull_summary``."""
        return conditions(self._selection, self._asked_teams)

    def pulls(self, listing: ListSlice) -> PullPage:
        """Return one page of a list."""
        return pull_page(self._connection, self.asked, listing, self._naming, self._teams)

    def outcomes(self) -> OutcomeSummary:
        """Compare the outcomes of assisted pull requests with those of the others."""
        return compare(self._connection, self.asked)

    def causes(self) -> tuple[CauseCounts, ...]:
        """Return how many pull requests have no evidence by cause, most first."""
        columns = pull_summary.c
        asked = (*self.asked, columns.verdict == Verdict.NO_EVIDENCE.value)
        query = select(columns.no_evidence, func.count()).where(*asked)
        rows = self._connection.execute(query.group_by(columns.no_evidence))
        found = (CauseCounts(cause and NoEvidence(cause), count) for cause, count in rows)
        return tuple(sorted(found, key=lambda one: (-one.pulls, one.cause or "")))

    def reverted(self) -> tuple[RevertedCounts, ...]:
        """Return what became of each agent's pull requests, by agent."""
        return reverted_by_agent(self._connection, self.asked)

    def heard(self) -> AuthorsHeard:
        """Return how many of the latest pull requests have an author whose machine is silent."""
        return heard(self._connection, self.asked)

    def silent(self, most: int) -> tuple[PullCoverage, ...]:
        """Return those of the latest pull requests whose author's machine is silent."""
        return silent(self._connection, self.asked, most)

    # --- groups -----------------------------------------------------------------------------------

    def _named(
        self, dimension: str, own: "Callable[[SelectionQuery], dict[str, PullCounts]]"
    ) -> dict[str, PullCounts]:
        """Return the counts by name of a dimension that groups also have."""
        if not self._selection.is_plain:
            return own(self)
        return self._with_groups(group_tally.c.name, dimension, finest(self._selection), own)

    def _with_groups(
        self,
        key: ColumnElement[KeyT],
        dimension: str,
        periods: Iterable[GrainSpan],
        own: "Callable[[SelectionQuery], dict[KeyT, PullCounts]]",
        names: Collection[str] | None = None,
    ) -> dict[KeyT, PullCounts]:
        """Add up groups and single repositories, which ``own`` counts; ``names``: only of these."""
        parts = self._cover
        if not parts.groups:
            return own(self)
        ours = among(group_tally.c.group_id, parts.groups)
        if names is not None:
            ours = and_(ours, group_tally.c.name.in_(names))
        keys = [(key, span) for span in periods]
        found = dict(self._summed(group_tally, ours, dimension, keys))
        if parts.added:
            found = _added(found, own(self._only(parts.added)).items())
        if parts.taken:
            less = own(self._only(parts.taken)).items()
            found = _added(found, ((name, PullCounts() - counts) for name, counts in less))
        return {name: counts for name, counts in found.items() if counts != PullCounts()}

    @cached_property
    def _cover(self) -> GroupCover:
        return self._transaction.cover(self._selection.repository_ids)

    def _only(self, repository_ids: tuple[int, ...]) -> "SelectionQuery":
        part = msgspec.structs.replace(self._selection, repository_ids=repository_ids)
        query = SelectionQuery(self._transaction, part, self._other_teams)
        query._cover = GroupCover((), repository_ids, ())
        return query

    # --- counting ---------------------------------------------------------------------------------

    def _tallied(
        self, dimension: str, grain: TimeGrain, key: ColumnElement[KeyT], *, days: bool = True
    ) -> dict[KeyT, PullCounts]:
        """Sum tallies by a column; ``days=False``: without the days at the ends."""
        periods = spans(self._selection, grain)
        return self._sums(dimension, (one for one in periods if days or one.grain is grain), key)

    def _sums(
        self, dimension: str, periods: Iterable[GrainSpan], key: ColumnElement[KeyT]
    ) -> dict[KeyT, PullCounts]:
        ours = among(tally.c.repository_id, self._selection.repository_ids)
        return dict(self._summed(tally, ours, dimension, [(key, span) for span in periods]))

    def _summed(
        self,
        table: Table,
        ours: ColumnElement[bool],
        dimension: str,
        keys: Sequence[tuple[ColumnElement[KeyT], GrainSpan]],
    ) -> Iterable[tuple[KeyT, PullCounts]]:
        """Sum the tallies of some periods, each by a column of its own, in one query."""
        columns = table.c
        of_periods = [
            select(key.label("key"), *(columns[name] for name in COUNTS)).where(
                ours,
                columns.dimension == dimension,
                columns.grain == span.grain.value,
                *within(columns.start, span),
            )
            for key, span in keys
        ]
        if not of_periods:
            return
        rows = union_all(*of_periods).subquery()
        # PostgreSQL returns sums as decimals, which cost Python more than the sums themselves.
        sums = (cast(func.sum(rows.c[name]), BigInteger) for name in COUNTS)
        query = select(rows.c.key, *sums).group_by(rows.c.key)
        # All at once: thousands of rows one by one cost as much again.
        for name, *counts in self._connection.execute(query).all():
            yield name, PullCounts(*counts)

    def _selected(self, key: ColumnElement[KeyT]) -> dict[KeyT, PullCounts]:
        return _added({}, self._grouped(key, self._selection))

    def _grouped(
        self, key: ColumnElement[KeyT], selection: PullSelection
    ) -> Iterable[tuple[KeyT, PullCounts]]:
        """Count pull requests by any expression, without tallies."""
        agent = selection.counting
        of_agent = and_(same_pull(pull_agent), pull_agent.c.agent == agent)
        source = pull_summary.outerjoin(pull_agent, of_agent) if agent else pull_summary
        query = (
            select(key, *_pull_sums(with_agent=agent is not None))
            .select_from(source)
            .where(*conditions(selection, self._asked_teams))
            .group_by(key)
        )
        for name, *sums in self._connection.execute(query):
            yield name, PullCounts(*counted(sums))

    def _one_by_one(self, table: Table) -> tuple[FromClause, list[list[ColumnElement[bool]]]]:
        """Return what no tally covers: where to read it, and the conditions of each part."""
        selection, source = self._selection, table.join(pull_summary, same_pull(table))
        if not selection.is_plain:
            asked = self.asked
            if table is pull_lines and selection.path is not None:
                asked.append(below(selection.path))
            return source, [asked]
        ours = among(table.c.repository_id, selection.repository_ids)
        edges = partial_edges(selection)
        return source, [[ours, *merged_within(table, *edge), into_default()] for edge in edges]

    def _check_shown(self) -> None:
        """Raise `NotShown` if the selection is about one person or too few people."""
        selection = self._selection
        if selection.author is not None and self._naming.names is not NamesShown.PEOPLE:
            raise NotShown("people are not named here (GHAPP_NAMES): select a team instead")
        if selection.team is None:
            return
        whole = msgspec.structs.replace(selection, team=None)
        authors = select(pull_summary.c.author).where(*conditions(whole, self._teams)).distinct()
        inside, outside = set[str](), set[str]()
        for login in self._connection.execute(authors).scalars():
            (inside if self._teams.of(login) == selection.team else outside).add(login or "")
        if 0 < self._count(inside) < SMALLEST_GROUP:
            raise NotShown(f"fewer than {SMALLEST_GROUP} people are left: select less narrowly")
        if inside and 0 < self._count(outside) < SMALLEST_GROUP:
            raise NotShown(
                f"fewer than {SMALLEST_GROUP} people are not in team {selection.team}: without it, "
                "their numbers could be told"
            )


# --- sums -----------------------------------------------------------------------------------------

_DAYS = 1_000_000
"""More than there are days: combines a repository and a day into one number."""
_LINE_COUNTS = LineCounts.__struct_fields__[1:]


def _week_of(table: Table) -> ColumnElement[str]:
    """Return a key of a tally's row that has its first day and its name."""
    return cast(table.c.start, Text) + " " + table.c.name


def closest(selection: PullSelection) -> TimeGrain:
    """Return the grain with the fewest rows: in short spans, months leave too many days over."""
    since, until = selection.since, selection.until
    is_short = since is not None and until is not None and until - since < A_FEW_MONTHS
    return TimeGrain.WEEK if is_short else TimeGrain.MONTH


def partial_edges(
    selection: PullSelection, grain: TimeGrain = TimeGrain.MONTH
) -> list[tuple[date | None, date | None]]:
    """Return the first and last day of each end that no whole period covers."""
    return [
        (
            None if span.first is None else to_day(span.first),
            None if span.last is None else to_day(span.last),
        )
        for span in spans(selection, grain)
        if span.grain is TimeGrain.DAY
    ]


def _added(
    before: dict[KeyT, PullCounts], more: Iterable[tuple[KeyT, PullCounts]]
) -> dict[KeyT, PullCounts]:
    found = dict(before)
    for name, counts in more:
        found[name] = found[name] + counts if name in found else counts
    return found


def _folded(found: dict[str, PullCounts], shown: Callable[[str], str]) -> tuple[LineCounts, ...]:
    """Return lines by the shown form of their names, most lines first."""
    folded = _added({}, ((shown(one), counts) for one, counts in found.items()))
    rows = (
        LineCounts(one, *(getattr(counts, name) for name in _LINE_COUNTS))
        for one, counts in folded.items()
    )
    return tuple(sorted(rows, key=lambda row: (-row.effective, row.name)))


def _pull_sums(*, with_agent: bool) -> list[ColumnElement[Any]]:
    """Return the sums that make up a `PullCounts`, in the order of its members."""
    columns = pull_summary.c
    known = columns.verdict != Verdict.NO_EVIDENCE.value
    open_, whole = columns.state == "provisional", columns.change_complete
    assisted = columns.verdict == Verdict.ASSISTED.value
    attributed: ColumnElement[Any] = columns.attributed
    if with_agent:
        assisted = pull_agent.c.agent.is_not(None)
        attributed = func.coalesce(pull_agent.c.attributed, 0)

    def count(condition: ColumnElement[bool], value: ColumnElement[Any] | int = 1) -> Any:
        return func.sum(case((condition, value), else_=0))

    return [
        func.count(),
        count(assisted),
        count(and_(known, ~assisted)),
        count(~known),
        count(open_),
        count(~whole),
        func.sum(columns.added),
        func.sum(columns.effective),
        func.sum(attributed),
        count(whole, columns.effective),
        count(whole, attributed),
        count(and_(whole, known), columns.effective),
        count(and_(whole, open_), columns.effective),
        count(and_(whole, open_), attributed),
    ]


def _cluster_sums() -> list[ColumnElement[Any]]:
    """Return what makes up a `ClusterSums`, and its clusters and wholes with evidence alone."""
    columns = pull_summary.c
    # As floats: squares of lines add up to more than a whole number of SQLite holds.
    part, whole = cast(columns.attributed, Float), cast(columns.effective, Float)
    known = columns.verdict != Verdict.NO_EVIDENCE.value
    squares = (part * part, part * whole, whole * whole)
    of_known = (case((known, value), else_=0) for value in (literal(1), whole, whole * whole))
    return [func.count(), *map(func.sum, (part, whole, *squares)), *map(func.sum, of_known)]


def _line_sums() -> list[ColumnElement[Any]]:
    columns, whole = pull_lines.c, pull_lines.c.change_complete
    known = and_(whole, pull_summary.c.verdict != Verdict.NO_EVIDENCE.value)
    return [
        func.count(),
        func.sum(columns.added),
        func.sum(columns.effective),
        func.sum(columns.attributed),
        func.sum(case((whole, columns.effective), else_=0)),
        func.sum(case((whole, columns.attributed), else_=0)),
        func.sum(case((known, columns.effective), else_=0)),
    ]


def _without_gaps(
    points: dict[date, PullCounts], grain: TimeGrain, selection: PullSelection
) -> tuple[SeriesPoint, ...]:
    """Return a point for each period of the selection; an open end is the first or last point."""
    first = selection.since or min(points, default=None)
    last = selection.until or max(points, default=None)
    found: list[SeriesPoint] = []
    if first is None or last is None or first > (selection.until or first):
        return ()
    # A point is at the first day of its period, which can be before the selection.
    start = grain.start(first)
    while start <= last:
        found.append(SeriesPoint(start, points.get(start, PullCounts())))
        start = grain.next(start)
    return tuple(found)
