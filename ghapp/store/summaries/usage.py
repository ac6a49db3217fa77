"""Questions about usage, answered from the sums of what counts. It decides no source.

Every answer reads in one transaction. The caller checks first what the reader may read.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import date
from functools import cached_property
from operator import itemgetter
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    Subquery,
    Table,
    and_,
    case,
    func,
    literal,
    not_,
    or_,
    select,
    union_all,
)

from ghapp.store.database import Database
from ghapp.store.id_sets import among
from ghapp.store.schema import (
    access_token,
    agent_session_day,
    agent_session_sum,
    agent_session_total,
    decision_sum,
    decision_total,
    outcome,
    pull_agent,
    pull_summary,
    source_day,
    source_total,
    token_sum,
    token_total,
    usage_identity,
    usage_place,
)
from ghapp.store.summaries.accounts import account_numbers
from ghapp.store.summaries.conditions import (
    ONE_DAY,
    GrainSpan,
    TeamMembers,
    conditions,
    finest,
    same_pull,
    spans,
    teams_of,
    to_day,
    within,
)
from ghapp.store.summaries.tally import day_number
from ghapp.store.tokens import TokenKind
from ghapp.store.usage_rows import NOWHERE
from ghapp.summaries.models import family_of
from ghapp.summaries.periods import DayPeriod, period_before
from ghapp.summaries.selection import SMALLEST_GROUP, NotShown, PullSelection, TimeGrain
from ghapp.usage.answers import TOKEN_KINDS, TokenCounts
from ghapp.usage.changes import Named, part_changes, whole_change
from ghapp.usage.counts import (
    FOUR_WEEKS,
    OTHERS,
    POWER_DAYS,
    STALLED_WEEKS,
    AdoptionCounts,
    DecidedCounts,
    EditCounts,
    LineFunnel,
    PersonPart,
    SourceCounts,
    UsageChanges,
    UsageCounts,
    UsagePart,
    UsagePoint,
    UsageSelection,
    UsageSummary,
    by_name,
    counted,
    folded,
    hidden,
    told,
    told_of,
    unmapped,
)
from ghapp.usage.sources import UsageSource

QueryT = TypeVar("QueryT")
WEEK = 7
AFTER_MONDAY = 3
"""Day 0 is a Thursday."""


class UsageQuestions:
    """The usage of all installations. Methods raise `NotShown` and `DatabaseUnavailable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def summary(self, selection: UsageSelection, grain: TimeGrain) -> UsageSummary:
        """Return what a page of usage shows."""
        with self._database.read() as connection:
            query = UsageQuery(connection, selection)
            return UsageSummary(
                totals=counted(query.everything),
                unmapped=unmapped(query.everything),
                series=query.series(grain),
                agents=query.agents(),
                models=query.models(),
                languages=query.languages(),
                teams=query.teams(),
                funnel=query.funnel(),
                adoption=query.adoption(),
                sources=query.sources(),
                changes=query.changes(),
            )

    def changes(self, selection: UsageSelection) -> UsageChanges:
        """Return the usage beside that of the period before."""
        with self._database.read() as connection:
            return UsageQuery(connection, selection).changes()

    def totals(self, selection: UsageSelection) -> UsageCounts:
        """Return the usage of everybody together."""
        with self._database.read() as connection:
            return counted(UsageQuery(connection, selection).by_person)

    def makers(
        self, selection: UsageSelection
    ) -> tuple[tuple[UsagePart, ...], tuple[UsagePart, ...]]:
        """Return the usage by tool, and the tokens by family of models."""
        with self._database.read() as connection:
            query = UsageQuery(connection, selection)
            return query.agents(), query.models()

    def by_team(self, selection: UsageSelection) -> dict[str, UsageCounts]:
        """Return the usage of each team that may be shown, by name."""
        with self._database.read() as connection:
            query = UsageQuery(connection, selection)
            teams = query.in_teams(query.by_person)
            return {one.name: one.counts for one in teams if one.name != OTHERS}

    def people(self, selection: UsageSelection) -> tuple[UsagePart, ...]:
        """Return the usage of single people by login; names that nobody mapped are `OTHERS`, last.

        Only for who may see people by name.
        """
        with self._database.read() as connection:
            query = UsageQuery(connection, selection)
            named = by_name((query.login(one.person), one) for one in query.by_person)
        rest = named.pop(None, [])
        people = sorted(((str(login), own) for login, own in named.items()), key=itemgetter(0))
        rows = tuple(UsagePart(login, counted(own, least=1)) for login, own in people)
        return (*rows, UsagePart(OTHERS, counted(rest, least=1))) if rest else rows

    def by_login(
        self, selection: UsageSelection, logins: Collection[str]
    ) -> dict[str, UsageCounts]:
        """Return the usage of single people, by login in lower case; of an account once.

        Only for who may see people by name.
        """
        with self._database.read() as connection:
            accounts = account_numbers(connection, logins)
            query = UsageQuery(connection, selection, frozenset(accounts.values()))
            found: defaultdict[int, list[PersonPart]] = defaultdict(list)
            for one in query.by_person:
                found[one.person].append(one)
        # An account that had several logins has them all in the list: its usage stands once.
        last = {number: login for login, number in sorted(accounts.items())}
        return {last[number]: counted(own, least=1) for number, own in found.items()}


class UsageQuery:
    """One selection, answered in one transaction."""

    def __init__(
        self,
        connection: Connection,
        selection: UsageSelection,
        only: frozenset[int] | None = None,
    ) -> None:
        """``only``: no other people than these, by number."""
        self._connection = connection
        self._selection = selection
        self.period = DayPeriod(selection.since, selection.until)
        self._members: tuple[int, ...] | None = None
        members = self._of_team() if selection.team is not None else None
        if only is not None:
            members = tuple(only if members is None else only & set(members))
        self._members = members

    # --- who and where ----------------------------------------------------------------------------

    @cached_property
    def _teams(self) -> TeamMembers:
        selection = self._selection
        return teams_of(self._connection, selection.repository_ids, selection.until)

    @cached_property
    def logins(self) -> dict[int, str]:
        """Login in lower case by account."""
        columns = usage_identity.c
        query = select(columns.account_id, func.lower(columns.login)).where(
            columns.installation_id == self._selection.installation_id,
            columns.account_id.is_not(None),
            columns.login.is_not(None),
        )
        return {row[0]: row[1] for row in self._connection.execute(query)}

    def login(self, person: int) -> str | None:
        """Return a person's login in lower case; ``None``: nobody mapped that name."""
        if person < 0:
            return None
        return self.logins.get(person, f"account {person}")

    def _of_team(self) -> tuple[int, ...]:
        team = str(self._selection.team)
        members = self._teams.members(team)
        if len(members) < SMALLEST_GROUP:
            raise NotShown(
                f"team {team} has fewer than {SMALLEST_GROUP} people: their usage is not shown"
            )
        chosen = frozenset(members)
        found = tuple(account for account, login in self.logins.items() if login in chosen)
        for table in (self._token_table, self._decision_table):
            rows = self._whole(table, "person")
            people = self._connection.execute(select(rows.c.person).distinct()).scalars()
            others = set(people).difference(found)
            if 0 < len(others) < SMALLEST_GROUP:
                raise NotShown(
                    f"fewer than {SMALLEST_GROUP} people are not in team {team}: without it, "
                    "their usage could be told"
                )
        return found

    @property
    def _places(self) -> tuple[int, ...]:
        unplaced = (NOWHERE,) if self._selection.has_unplaced else ()
        return (*self._selection.repository_ids, *unplaced)

    @cached_property
    def _is_everywhere(self) -> bool:
        """Whether the selection has every place where there ever was usage."""
        columns = usage_place.c
        query = select(literal(1)).where(
            columns.installation_id == self._selection.installation_id,
            not_(among(columns.repository_id, self._places)),
        )
        return self._connection.execute(query.limit(1)).first() is None

    @property
    def _token_table(self) -> Table:
        return token_total if self._is_everywhere else token_sum

    @property
    def _decision_table(self) -> Table:
        return decision_total if self._is_everywhere else decision_sum

    @property
    def _agent_session_table(self) -> Table:
        return agent_session_total if self._is_everywhere else agent_session_sum

    def _asked(self, table: Table, days: ColumnElement[bool]) -> list[ColumnElement[bool]]:
        """Return the conditions of the selection on a table, with those on its days."""
        selection, columns = self._selection, table.c
        found = [
            columns.installation_id == selection.installation_id,
            days,
        ]
        # Where the selection has every place, asking for them again would be a look-up a row.
        if "repository_id" in columns and not self._is_everywhere:
            found.append(among(columns.repository_id, self._places))
        if selection.agent is not None:
            found.append(columns.agent == selection.agent)
        if self._members is not None:
            found.append(among(columns.person, self._members))
        return found

    def _whole(self, table: Table, *names: str) -> Subquery:
        """Return columns of the selection's sums: whole months and weeks, and days at the ends.

        A part for each span: where they are one condition with OR, SQLite remembers the key of
        each row so that none comes twice. https://sqlite.org/optoverview.html (section 8)
        """
        columns = [table.c[name] for name in names]
        spans = finest(self._days)
        parts = (self._asked(table, _of_span(table, span)) for span in spans)
        return union_all(*(select(*columns).where(*asked) for asked in parts)).subquery()

    def _by_grain(self, table: Table, grain: TimeGrain) -> list[ColumnElement[bool]]:
        """Return the conditions on sums by a grain, with the days at the ends."""
        parts = spans(self._days, grain)
        return self._asked(table, or_(*(_of_span(table, span) for span in parts)))

    def _between(self, table: Table, first: date, last: date) -> list[ColumnElement[bool]]:
        return self._asked(table, table.c.day.between(day_number(first), day_number(last)))

    @property
    def _days(self) -> PullSelection:
        return PullSelection((), since=self._selection.since, until=self._selection.until)

    # --- parts ------------------------------------------------------------------------------------

    @cached_property
    def _tokens(self) -> list[tuple[str, str, PersonPart]]:
        """The tokens of each person by agent and model."""
        key = ("person", "model", "agent")
        rows = self._whole(self._token_table, *key, *TOKENS)
        query = select(*(rows.c[one] for one in key), *_token_sums(rows))
        query = query.group_by(*(rows.c[one] for one in key))
        return [
            (row.agent, row.model, PersonPart(row.person, **_tokens(row)))
            for row in self._connection.execute(query)
        ]

    @cached_property
    def _edits(self) -> list[tuple[str, str, PersonPart]]:
        """The decided edits of each person by agent and language."""
        key = ("person", "language", "agent")
        rows = self._whole(self._decision_table, *key, *AMOUNTS)
        query = select(*(rows.c[one] for one in key), *_edit_sums(rows))
        query = query.group_by(*(rows.c[one] for one in key))
        return [
            (row.agent, row.language, PersonPart(row.person, edits=_edits(row)))
            for row in self._connection.execute(query)
        ]

    @cached_property
    def _agent_sessions(self) -> list[tuple[str, PersonPart]]:
        """The agent sessions of each person by agent."""
        rows = self._whole(self._agent_session_table, "person", "agent", "singles")
        key = (rows.c.person, rows.c.agent)
        query = select(*key, _singles(rows)).group_by(*key)
        found = {
            (row.agent, row.person): int(row.singles) for row in self._connection.execute(query)
        }
        for one in self._several():
            found[one.agent, one.person] += 1
        return [
            # Nobody counted those of a source that names none.
            (agent, PersonPart(person, agent_sessions=count or None))
            for (agent, person), count in found.items()
        ]

    def _several(self, start: ColumnElement[int] | None = None) -> Sequence[Row[Any]]:
        """Return the agent sessions of several days or repositories, each once (for a period)."""
        columns = agent_session_day.c
        own = (columns.agent, columns.person, columns.agent_session)
        key = own if start is None else (start, *own)
        days = self._between(agent_session_day, self._selection.since, self._selection.until)
        query = select(*key).where(*days, not_(columns.is_single)).distinct()
        return self._connection.execute(query).all()

    @cached_property
    def _by_agent(self) -> list[tuple[str, PersonPart]]:
        return [
            *((agent, one) for agent, _, one in self._tokens),
            *((agent, one) for agent, _, one in self._edits),
            *self._agent_sessions,
        ]

    @cached_property
    def everything(self) -> list[PersonPart]:
        """All parts of the selection."""
        return [one for _, one in self._by_agent]

    @cached_property
    def by_person(self) -> list[PersonPart]:
        """All parts of the selection, by person alone: quicker where nothing else is asked."""
        found: list[PersonPart] = []
        tokens = self._whole(self._token_table, "person", *TOKENS)
        edits = self._whole(self._decision_table, "person", *AMOUNTS)
        kinds: tuple[
            tuple[Subquery, Sequence[ColumnElement[Any]], Callable[[Row[Any]], Any]], ...
        ] = (
            (tokens, _token_sums(tokens), _tokens),
            (edits, _edit_sums(edits), lambda row: {"edits": _edits(row)}),
        )
        for own, sums, part in kinds:
            query = select(own.c.person, *sums).group_by(own.c.person)
            found += [
                PersonPart(row.person, **part(row)) for row in self._connection.execute(query)
            ]
        whole = self._whole(self._agent_session_table, "person", "singles")
        rows = self._connection.execute(
            select(whole.c.person, _singles(whole)).group_by(whole.c.person)
        )
        named = Counter({row.person: int(row.singles) for row in rows})
        named.update(one.person for one in self._several())
        # Nobody counted those of a source that names none.
        found += [
            PersonPart(person, agent_sessions=count or None) for person, count in named.items()
        ]
        return found

    def agents(self) -> tuple[UsagePart, ...]:
        """Return the usage by tool."""
        return folded(self.agent_parts)

    @cached_property
    def agent_parts(self) -> Named:
        """What people add to each tool."""
        return by_name(self._by_agent)

    def models(self) -> tuple[UsagePart, ...]:
        """Return the tokens by family of models."""
        named = ((family_of(model) if model else None, one) for _, model, one in self._tokens)
        return folded(by_name(named))

    def languages(self) -> tuple[UsagePart, ...]:
        """Return the decided edits by language."""
        return folded(by_name((language or None, one) for _, language, one in self._edits))

    def teams(self) -> tuple[UsagePart, ...]:
        """Return the usage by team; nothing if there are no teams."""
        return folded(self.team_parts)

    def in_teams(self, parts: Iterable[PersonPart]) -> tuple[UsagePart, ...]:
        """Return these parts by team; nothing if there are no teams."""
        return folded(self._team_parts(parts))

    @cached_property
    def team_parts(self) -> Named:
        """What people add to each team; nothing if there are no teams."""
        return self._team_parts(self.everything)

    def _team_parts(self, parts: Iterable[PersonPart]) -> Named:
        if not self._teams:
            return {}
        return by_name((self._teams.of(self.logins.get(one.person)), one) for one in parts)

    def changes(self) -> UsageChanges:
        """Return the usage beside that of the period before."""
        before = asked_before(self._selection, lambda one: UsageQuery(self._connection, one))
        agents, teams = (before.agent_parts, before.team_parts) if before else ({}, {})
        return UsageChanges(
            period=self.period,
            before=period_before(self.period),
            totals=whole_change(self.everything, before.everything if before else None),
            agents=part_changes(self.agent_parts, agents),
            teams=part_changes(self.team_parts, teams),
        )

    # --- over time --------------------------------------------------------------------------------

    def series(self, grain: TimeGrain) -> tuple[UsagePoint, ...]:
        """Return the usage by period, oldest first; a period without usage has nobody."""
        found: defaultdict[int, dict[str, Any]] = defaultdict(dict)
        named: Counter[int] = Counter()
        active, tokens, edits = self._agent_session_table, self._token_table, self._decision_table
        for row in self._periods(active, grain, [_singles(active)]):
            found[row.start]["people"] = row.people
            named[row.start] += int(row.singles)
        named.update(
            row.start
            for row in self._several(self._start(agent_session_day.c.day, grain).label("start"))
        )
        for first, counts in found.items():
            # Nobody counted those of sources that name none.
            counts["agent_sessions"] = named[first] or None
        for row in self._shown(tokens, grain, _token_sums(tokens)):
            found[row.start] |= _tokens(row)
        for row in self._shown(edits, grain, _edit_sums(edits)):
            found[row.start]["edits"] = _edits(row)
        if not found:
            return ()
        start, last = grain.start(self._selection.since), self._selection.until
        points = []
        while start <= last:
            counts = {"agent_sessions": 0, **found.get(day_number(start), {})}
            points.append(UsagePoint(start, UsageCounts(**counts)))
            start = grain.next(start)
        return tuple(points)

    def _shown(
        self, table: Table, grain: TimeGrain, sums: Sequence[ColumnElement[Any]]
    ) -> list[Row[Any]]:
        """Return the periods whose sums may be shown; `hidden` says which may not."""
        rows = self._periods(table, grain, sums)
        few = [row.start for row in rows if row.people < SMALLEST_GROUP]
        if not few:
            return list(rows)
        # Nobody asks who was there in the others: any of them is enough people.
        people: dict[int, Collection[int]] = {row.start: range(-row.people, 0) for row in rows}
        people |= {start: set() for start in few}
        start = self._start(table.c.start, grain).label("start")
        asked = self._by_grain(table, grain)
        whole = select(start, table.c.person).where(*asked).distinct().subquery()
        for row in self._connection.execute(select(whole).where(whole.c.start.in_(few))):
            people[row.start] = {*people[row.start], row.person}
        unshown = hidden(people)
        return [row for row in rows if row.start not in unshown]

    def _periods(
        self, table: Table, grain: TimeGrain, sums: Sequence[ColumnElement[Any]]
    ) -> Sequence[Row[Any]]:
        people = func.count(table.c.person.distinct()).label("people")
        found = self._by_period(table, grain, [people, *sums])
        # Without a GROUP BY there is a row for nobody, too.
        return [row for row in found if row.people]

    def _by_period(
        self,
        table: Table,
        grain: TimeGrain,
        sums: Sequence[ColumnElement[Any]],
        *key: ColumnElement[Any],
    ) -> Sequence[Row[Any]]:
        """Return sums by the first day of each period and by ``key``."""
        parts = []
        for first, span in self._periods_of(grain):
            start = table.c.start if first is None else literal(day_number(first))
            query = select(start.label("start"), *key, *sums)
            query = query.where(*self._asked(table, _of_span(table, span)))
            parts.append(query.group_by(*([table.c.start] if first is None else []), *key))
        return self._connection.execute(union_all(*parts)).all()

    def _periods_of(self, grain: TimeGrain) -> Iterator[tuple[date | None, GrainSpan]]:
        """Split the selection so that no period is in two spans.

        With each comes the first day of its period; ``None``: each of its rows is of one period.
        One question for all would have to sort the rows.
        """
        for span in spans(self._days, grain):
            if span.grain is grain or span.first is None or span.last is None:
                yield None, span
                continue
            day, last = to_day(span.first), to_day(span.last)
            while day <= last:
                first = grain.start(day)
                end = min(grain.next(first) - ONE_DAY, last)
                yield first, GrainSpan(TimeGrain.DAY, day_number(day), day_number(end))
                day = end + ONE_DAY

    def _start(self, day: ColumnElement[int], grain: TimeGrain) -> ColumnElement[int]:
        """Return the number of the first day of the period that contains a day."""
        if grain is TimeGrain.DAY:
            return day
        if grain is TimeGrain.WEEK:
            return day - (day + AFTER_MONDAY) % WEEK
        month = grain.start(self._selection.since)
        starts = [month]
        while (month := grain.next(month)) <= self._selection.until:
            starts.append(month)
        later = [(day >= day_number(one), literal(day_number(one))) for one in starts[:0:-1]]
        first = literal(day_number(starts[0]))
        return case(*later, else_=first) if later else first + 0 * day

    # --- lines ------------------------------------------------------------------------------------

    def funnel(self) -> LineFunnel:
        """Return how many lines are left at each step."""
        edits = [one.edits for _, _, one in self._edits if one.edits]
        everybody = counted(one for _, _, one in self._edits).edits
        whole = everybody if everybody and edits else EditCounts()
        agent = self._selection.agent
        asked = self._pulls_asked(agent)
        left = None if agent is not None else self._left(asked)
        return LineFunnel(
            suggested=whole.lines_suggested,
            accepted=whole.lines_accepted,
            merged=self._merged(asked),
            known_30=left.known_30 if left else 0,
            left_30=left.left_30 if left and left.known_30 else None,
            known_90=left.known_90 if left else 0,
            left_90=left.left_90 if left and left.known_90 else None,
        )

    def _pulls_asked(self, agent: str | None = None) -> list[ColumnElement[bool]]:
        """Return the conditions of the selection on pull requests, with lines of an agent."""
        selection = self._selection
        pulls = PullSelection(
            repository_ids=selection.repository_ids,
            since=selection.since,
            until=selection.until,
            team=selection.team,
            agent=agent,
        )
        return conditions(pulls, self._teams)

    def _merged(self, asked: Sequence[ColumnElement[bool]]) -> int | None:
        """Return the lines attributed in the selected pull requests; ``None``: there are none."""
        query = select(func.count(), func.sum(pull_summary.c.attributed)).where(*asked)
        if self._selection.agent is not None:
            query = (
                select(func.count(), func.sum(pull_agent.c.attributed))
                .join_from(pull_summary, pull_agent, same_pull(pull_agent))
                .where(*asked, pull_agent.c.agent == self._selection.agent)
            )
        pulls, lines = self._connection.execute(query).one()
        return int(lines) if pulls else None

    def _left(self, asked: Sequence[ColumnElement[bool]]) -> Row[Any]:
        columns = outcome.c

        def sums(left: ColumnElement[Any], days: int) -> Iterator[ColumnElement[Any]]:
            known = case((left.is_not(None), columns.attributed_lines), else_=0)
            yield func.coalesce(func.sum(known), 0).label(f"known_{days}")
            yield func.coalesce(func.sum(left), 0).label(f"left_{days}")

        query = (
            select(*sums(columns.attributed_after_30, 30), *sums(columns.attributed_after_90, 90))
            .join_from(pull_summary, outcome, same_pull(outcome))
            .where(*asked)
        )
        return self._connection.execute(query).one()

    # --- adoption ---------------------------------------------------------------------------------

    def adoption(self) -> AdoptionCounts:
        """Return how many people use agents in the last four weeks of the selection, and how."""
        last = self._selection.until
        first = last - 2 * FOUR_WEEKS + ONE_DAY
        table = self._agent_session_table
        columns = table.c
        week = ((columns.start - day_number(first)) // WEEK).label("week")
        days = GrainSpan(TimeGrain.DAY, day_number(first), day_number(last))
        asked = self._asked(table, _of_span(table, days))
        query = (
            select(columns.person, week, func.count(columns.start.distinct()).label("days"))
            .where(*asked)
            .group_by(columns.person, week)
        )
        weeks: defaultdict[int, dict[int, int]] = defaultdict(dict)
        for row in self._connection.execute(query):
            weeks[row.person][int(row.week)] = row.days
        now = {one: [of.get(week, 0) for week in range(4, 8)] for one, of in weeks.items()}
        before = {one: [of.get(week, 0) for week in range(4)] for one, of in weeks.items()}
        enrolled = self._enrolled()
        return AdoptionCounts(
            enrolled=None if enrolled is None else told(len(enrolled)),
            weekly=None
            if enrolled is None
            else told_of(enrolled, {one for one, of in now.items() if of[-1]}),
            active=told(sum(any(of) for of in now.values())),
            power=told(sum(min(of) >= POWER_DAYS for of in now.values())),
            stalled=told(
                sum(
                    not any(now[one]) and sum(map(bool, of)) >= STALLED_WEEKS
                    for one, of in before.items()
                )
            ),
        )

    def weeks_by_person(self) -> dict[int, set[date]]:
        """Return the Mondays of the weeks in which each person used an agent; days are weeks."""
        table = self._agent_session_table
        query = select(table.c.person, table.c.start).where(*self._by_grain(table, TimeGrain.WEEK))
        found: defaultdict[int, set[date]] = defaultdict(set)
        for person, start in self._connection.execute(query.distinct()):
            found[person].add(to_day(start))
        return found

    def _enrolled(self) -> frozenset[int] | None:
        """Return who has a machine that may send; ``None``: unknown."""
        if not self._selection.has_unplaced:
            return None  # a token is for an installation, not for a repository
        columns = access_token.c
        query = select(columns.user_id, columns.installations).where(
            columns.kind == TokenKind.UPLOAD.value, columns.revoked_at.is_(None)
        )
        number = self._selection.installation_id
        people = {
            row.user_id
            for row in self._connection.execute(query)
            if row.installations is None or number in msgspec.json.decode(row.installations)
        }
        if self._members is not None:
            people &= set(self._members)
        return frozenset(people)

    # --- sources ----------------------------------------------------------------------------------

    def sources(self) -> tuple[SourceCounts, ...]:
        """Return what each source said, the first by precedence first."""
        days = self._days_of_sources()
        query: Select[Any] = (
            select(
                *(days.c.source, days.c.counts),
                func.sum(days.c.days).label("days"),
                func.sum(days.c.tokens).label("tokens"),
                func.max(days.c.read_at).label("read_at"),
            )
            .group_by(days.c.source, days.c.counts)
            .order_by(days.c.source)
        )
        found: defaultdict[int, dict[bool, Row[Any]]] = defaultdict(dict)
        for row in self._connection.execute(query):
            found[row.source][bool(row.counts)] = row
        return tuple(_source(source, of_one) for source, of_one in found.items())

    def _days_of_sources(self) -> Subquery:
        """Return what sources said in periods, with how many days; each place is there once."""
        if self._is_everywhere:
            return self._whole(source_total, "source", "counts", "days", "tokens", "read_at")
        columns = source_day.c
        # All rows of a source's day count, or none; in the order of the key nothing is sorted.
        counts = func.max(case((columns.counts, 1), else_=0)).label("counts")
        return (
            select(
                *(columns.source, counts, literal(1).label("days")),
                func.sum(columns.tokens).label("tokens"),
                func.max(columns.read_at).label("read_at"),
            )
            .where(*self._between(source_day, self._selection.since, self._selection.until))
            .group_by(columns.day, columns.person, columns.agent, columns.source)
            .subquery()
        )


def asked_before(
    selection: UsageSelection, ask: Callable[[UsageSelection], QueryT]
) -> QueryT | None:
    """Return the query of the period before, as that period's own page asks it.

    ``None``: no such days can be selected, or the team had fewer than five people then.
    """
    before = period_before(DayPeriod(selection.since, selection.until))
    if before is None:
        return None
    try:
        return ask(msgspec.structs.replace(selection, since=before.since, until=before.until))
    except NotShown:
        return None


def _source(source: int, rows: dict[bool, Row[Any]]) -> SourceCounts:
    shown, covered = rows.get(True), rows.get(False)
    return SourceCounts(
        source=UsageSource(source).name.lower(),
        days_shown=int(shown.days) if shown else 0,
        days_covered=int(covered.days) if covered else 0,
        tokens_shown=int(shown.tokens) if shown else 0,
        tokens_covered=int(covered.tokens) if covered else 0,
        last_read_at=max(row.read_at for row in rows.values()),
    )


TOKENS = ("answers", *TOKEN_KINDS)


def _token_sums(table: FromClause) -> list[ColumnElement[Any]]:
    return [func.sum(table.c[name]).label(name) for name in TOKENS]


def _tokens(row: Row[Any]) -> dict[str, Any]:
    """Return the sums at the end of a row as members of a part; PostgreSQL has decimals."""
    answers, *kinds = map(_whole, row[-1 - len(TOKEN_KINDS) :])
    counts: dict[str, Any] = dict(zip(TOKEN_KINDS, kinds, strict=True))
    return {"tokens": TokenCounts(**counts), "answers": answers}


def _singles(table: FromClause) -> ColumnElement[Any]:
    return func.sum(table.c.singles).label("singles")


def _of_span(table: Table, span: GrainSpan) -> ColumnElement[bool]:
    return and_(table.c.grain == span.grain.value, *within(table.c.start, span))


AMOUNTS = [column.name for column in decision_sum.c if column.name not in decision_sum.primary_key]


def _edit_sums(table: FromClause) -> list[ColumnElement[Any]]:
    return [func.sum(table.c[name]).label(name) for name in AMOUNTS]


def _edits(row: Row[Any]) -> EditCounts:
    """Return the sums at the end of a row; by their names they would cost three times as much."""
    counts = row[-len(AMOUNTS) :]
    people, automatic, unknown = (
        DecidedCounts(int(counts[place]), int(counts[place + 1])) for place in (0, 2, 4)
    )
    failed, suggested, accepted = counts[6:]
    return EditCounts(
        by_people=people,
        automatic=automatic,
        unknown=unknown,
        failed=int(failed),
        lines_suggested=_whole(suggested),
        lines_accepted=_whole(accepted),
    )


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)
