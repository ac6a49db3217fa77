"""Questions about groups of people: what they merged and used, and how adoption went.

It reads; `ghapp.usage.segments` and `ghapp.usage.adoption` say what may be shown. The caller checks
first what the reader may read.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import cached_property
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, case, func, select

from ghapp.attribution.model import Struct
from ghapp.store.database import Database
from ghapp.store.schema import (
    access_token,
    machine_report,
    outcome,
    pull_summary,
)
from ghapp.store.summaries.conditions import (
    TeamMembers,
    conditions,
    first_days,
    midnight,
    same_pull,
    teams_of,
)
from ghapp.store.summaries.query import ReadTransaction, SelectionQuery
from ghapp.store.summaries.usage import UsageQuery
from ghapp.store.tokens import TokenKind
from ghapp.summaries.counts import PullCounts
from ghapp.summaries.periods import DayPeriod
from ghapp.summaries.segments import PeopleSegment, SegmentKind, whole_months
from ghapp.summaries.selection import (
    SMALLEST_GROUP,
    NotShown,
    PersonNaming,
    PullSelection,
    TimeGrain,
)
from ghapp.usage.adoption import (
    AdoptionStudy,
    PersonWeeks,
    cohort_rows,
    group_rows,
    mondays,
)
from ghapp.usage.counts import PersonPart, UsageSelection
from ghapp.usage.segments import (
    MonthlyNumber,
    PersonKey,
    PersonMonth,
    ReviewedCounts,
    SegmentFacts,
    SegmentTable,
    segment_rows,
)

ValueT = TypeVar("ValueT")
SIX_DAYS = timedelta(days=6)


class SegmentSelection(Struct, frozen=True):
    """Which people, in which groups, and what of them."""

    usage: UsageSelection
    """Organization, repositories and days; without a team and an agent."""
    by: SegmentKind
    within: PeopleSegment | None = None
    """Only the people of this group; ``None``: everybody."""


class SegmentQuestions:
    """The groups of all organizations. Methods raise `NotShown` and `DatabaseUnavailable`."""

    def __init__(self, database: Database, naming: PersonNaming) -> None:
        self._database = database
        self._naming = naming

    def table(self, asked: SegmentSelection) -> SegmentTable:
        """Return the numbers of each group in the whole months of the days."""
        period = whole_months(asked.usage.since, asked.usage.until)
        if period is None:
            raise NotShown("groups are told in whole months: select one at least")
        with self._database.read() as connection:
            query = _SegmentQuery(connection, self._naming, asked, period)
            query.check_within()
            months, total, rows = segment_rows(query.facts())
        return SegmentTable(asked.by, asked.within, period, months, total, rows)

    def adoption(self, asked: SegmentSelection) -> AdoptionStudy:
        """Return how adoption went in the whole weeks of the days."""
        weeks = mondays(asked.usage.since, asked.usage.until)
        if not weeks:
            raise NotShown("adoption is told in whole weeks: select one at least")
        sunday = weeks[-1] + SIX_DAYS
        is_owner = asked.usage.has_unplaced
        with self._database.read() as connection:
            query = _SegmentQuery(connection, self._naming, asked, DayPeriod(weeks[0], sunday))
            query.check_within()
            people = query.people_by_week()
            counts = query.usage().adoption() if asked.within is None else None
        has_cohorts = is_owner and asked.within is None
        return AdoptionStudy(
            by=asked.by,
            within=asked.within,
            until=sunday,
            counts=counts,
            groups=group_rows(people, weeks, has_machines=is_owner) if query.groups else (),
            cohorts=cohort_rows(people, sunday) if has_cohorts else None,
        )


class _SegmentQuery:
    """One selection, answered in one transaction."""

    def __init__(
        self,
        connection: Connection,
        naming: PersonNaming,
        asked: SegmentSelection,
        period: DayPeriod,
    ) -> None:
        self._transaction = ReadTransaction(connection, naming)
        self._connection = connection
        self._asked = asked
        self._period = period
        self._by = self._members(asked.by)
        self._within = self._members(asked.within.kind) if asked.within else None

    def _members(self, kind: SegmentKind) -> TeamMembers:
        ids = self._asked.usage.repository_ids
        return teams_of(self._connection, ids, self._period.until, kind)

    @property
    def groups(self) -> bool:
        """Whether anything of the kind is known of anybody."""
        return bool(self._by)

    def check_within(self) -> None:
        """Raise `NotShown` if the filter is too few people, or all but too few."""
        within = self._asked.within
        if within is None or self._within is None:
            return
        inside = self._transaction.accounts.people(self._within.members(within.name))
        everybody = self._transaction.accounts.people(self._within)
        if inside < SMALLEST_GROUP or 0 < everybody - inside < SMALLEST_GROUP:
            raise NotShown(
                f"{within.kind.value.replace('_', ' ')} {within.name} has fewer than "
                f"{SMALLEST_GROUP} people, or all others have: their numbers are not shown"
            )

    def _is_within(self, login: str | None) -> bool:
        within = self._asked.within
        return within is None or self._within is None or self._within.of(login) == within.name

    # --- months -----------------------------------------------------------------------------------

    def facts(self) -> SegmentFacts:
        """Return what is counted, with who is behind it."""
        inside, outside = self._sizes()
        return SegmentFacts(
            sizes=inside,
            outside=outside,
            pulls=self._authored(self._pulls()),
            outcomes=self._authored(self._outcomes()),
            users=self._parts(None),
            tokens=self._parts("tokens"),
            edits=self._parts("edits"),
        )

    def _sizes(self) -> tuple[dict[str, int], dict[str, int]]:
        """Return how many people of each group the filter takes, and how many it does not."""
        sizes: tuple[dict[str, int], dict[str, int]] = ({}, {})
        logins: defaultdict[tuple[bool, str], list[str]] = defaultdict(list)
        for login in self._by:
            logins[self._is_within(login), str(self._by.of(login))].append(login)
        for (is_within, name), own in logins.items():
            sizes[0 if is_within else 1][name] = self._transaction.accounts.people(own)
        return sizes

    def _authored(self, found: Iterable[tuple[str, date, ValueT]]) -> MonthlyNumber[ValueT]:
        """Return what authors add to a number by month."""
        keys, parts = self._transaction.accounts.keys, []
        for login, month, value in found:
            person = next(iter(keys([login])), None)
            group, is_within = self._by.of(login), self._is_within(login)
            parts.append(PersonMonth(month, person, group, is_within, value))
        return MonthlyNumber(tuple(parts))

    def _pulls(self) -> Iterator[tuple[str, date, PullCounts]]:
        for month in self._months():
            query = SelectionQuery(self._transaction, self._selection(month))
            for login, counts in query.authors.items():
                yield login, month.since, counts

    def _months(self) -> Iterator[DayPeriod]:
        start = self._period.since
        while start <= self._period.until:
            end = TimeGrain.MONTH.next(start)
            yield DayPeriod(start, end - timedelta(days=1))
            start = end

    def _selection(self, span: DayPeriod) -> PullSelection:
        ids = self._asked.usage.repository_ids
        return PullSelection(ids, since=span.since, until=span.until)

    def _outcomes(self) -> Iterator[tuple[str, date, ReviewedCounts]]:
        def count(column: Any) -> Any:
            return func.sum(case((column, 1), else_=0))

        columns, author = outcome.c, func.coalesce(pull_summary.c.author, "")
        sums = (func.count(), count(columns.reverted), count(columns.fixed_up))
        for month in self._months():
            query = (
                select(author, *sums)
                .join_from(pull_summary, outcome, same_pull(outcome))
                .where(*conditions(self._selection(month), self._by))
                .where(columns.reverted.is_not(None))
                .group_by(author)
            )
            for login, *counts in self._connection.execute(query):
                yield login, month.since, ReviewedCounts(*map(int, counts))

    def usage(self, span: DayPeriod | None = None) -> UsageQuery:
        """Return the query of everybody's usage in some of the days; by default in all."""
        days = span or self._period
        selection = msgspec.structs.replace(
            self._asked.usage, since=days.since, until=days.until, team=None, agent=None
        )
        return UsageQuery(self._connection, selection)

    @cached_property
    def _used(self) -> list[tuple[date, PersonPart]]:
        """What people used, by month."""
        queries = ((month, self.usage(month)) for month in self._months())
        return [(month.since, one) for month, query in queries for one in query.by_person]

    def _parts(self, name: str | None) -> MonthlyNumber[Any]:
        """Return what people's usage adds to a number of that name; ``None``: only who they are."""
        login = self.usage().login
        parts = []
        for month, one in self._used:
            value = getattr(one, name) if name else None
            if name is None or value is not None:
                who = login(one.person)
                group, is_within = self._by.of(who), self._is_within(who)
                parts.append(PersonMonth(month, one.person, group, is_within, value))
        return MonthlyNumber(tuple(parts))

    # --- weeks ------------------------------------------------------------------------------------

    def people_by_week(self) -> list[PersonWeeks]:
        """Return everybody whom the table of people, a machine or usage names, with their weeks."""
        query = self.usage()
        used = query.weeks_by_person()
        enrolled, heard, logins = self._machines()
        starts = first_days(self._connection, self._asked.usage.repository_ids)
        known = {login: person for person, login in (logins | query.logins).items()}
        people: defaultdict[PersonKey, list[str]] = defaultdict(list)
        for login in sorted(self._by):
            own = self._transaction.accounts.keys([login])
            people[known.get(login) or next(iter(own), login)].append(login)
        for person in (*used, *enrolled):
            people[person] = people[person] or [query.login(person) or logins.get(person) or ""]
        return [
            PersonWeeks(
                person=person,
                group=self._by.of(own[0]),
                is_within=self._is_within(own[0]),
                weeks=frozenset(used.get(person, ())) if isinstance(person, int) else frozenset(),
                # Who was renamed began under the old login.
                began=min((starts[one] for one in own if one in starts), default=None),
                enrolled=enrolled.get(person) if isinstance(person, int) else None,
                heard=heard.get(person) if isinstance(person, int) else None,
            )
            for person, own in people.items()
        ]

    def _machines(self) -> tuple[dict[int, date], dict[int, date], dict[int, str]]:
        """Return when people enrolled, when machines last said anything, and enrolled logins.

        Nothing for who is no owner: a token is for an installation, not for a repository.
        """
        if not self._asked.usage.has_unplaced:
            return {}, {}, {}
        number, token = self._asked.usage.installation_id, access_token.c
        query = select(token.user_id, token.login_lower, token.installations, token.created_at)
        enrolled: dict[int, date] = {}
        logins: dict[int, str] = {}
        upload = query.where(token.kind == TokenKind.UPLOAD.value).order_by(token.created_at)
        for user, login, reached, created_at in self._connection.execute(upload):
            if reached is None or number in msgspec.json.decode(reached):
                enrolled.setdefault(user, created_at.date())
                logins[user] = login
        report = machine_report.c
        latest = select(report.user_id, func.max(report.week)).where(
            report.installation_id == number, report.week <= midnight(self._period.until)
        )
        rows = self._connection.execute(latest.group_by(report.user_id))
        return enrolled, {user: week.date() for user, week in rows}, logins
