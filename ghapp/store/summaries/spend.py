"""Questions about spend, answered from stored costs. It prices nothing.

Every answer reads in one transaction. The caller checks first what the reader may read.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Subquery,
    and_,
    func,
    select,
)

from ghapp.spend.allocation import MergedLines, PullCostPart, pull_request_cost
from ghapp.spend.budgets import BudgetOf, MonthlyBudget, state_of
from ghapp.spend.changes import ShownSpend, spend_changes
from ghapp.spend.closed_months import month_of, next_month
from ghapp.spend.cost import CostBasis, TokenCost, total_cost
from ghapp.spend.counts import (
    ActiveDayCost,
    BilledAmount,
    BudgetCheck,
    ChargeBack,
    Divided,
    DividedCost,
    PersonCost,
    PersonMonth,
    PullCostDetails,
    PullSpend,
    ShippedCost,
    SpendChanges,
    SpendPoint,
    SpendSummary,
    active_days,
    charged_back,
    divided,
    periods,
)
from ghapp.spend.forecast import WEEKS, MonthForecast, forecast
from ghapp.spend.shown import ByPerson, SpendPart, folded, may_be_shown
from ghapp.store.budgets import budgets_of
from ghapp.store.database import Database
from ghapp.store.id_sets import among
from ghapp.store.pricing import closed_months
from ghapp.store.schema import (
    audit,
    cost_sum,
    outcome,
    pull_cost,
    pull_summary,
    repository,
    usage_identity,
    vendor_amount,
)
from ghapp.store.summaries.conditions import (
    same_pull,
    to_day,
)
from ghapp.store.summaries.tally import day_number
from ghapp.store.summaries.usage import UsageQuery, asked_before
from ghapp.store.teams import cost_centers
from ghapp.store.usage_costs import AMOUNTS, ESTIMATES, cost_of, cost_of_sums, summed_cost
from ghapp.store.usage_rows import NOWHERE
from ghapp.summaries.models import family_of
from ghapp.summaries.selection import (
    LEADERBOARD,
    NamesShown,
    PersonNaming,
    TimeGrain,
)
from ghapp.usage.answers import known_sum
from ghapp.usage.counts import FOUR_WEEKS, UsageSelection

ONE_DAY = timedelta(days=1)
WEEK = 7


class SpendQuestions:
    """The spend of all installations. Methods raise `NotShown` and `DatabaseUnavailable`."""

    def __init__(self, database: Database, naming: PersonNaming) -> None:
        self._database = database
        self._naming = naming

    def summary(
        self, selection: UsageSelection, basis: CostBasis, grain: TimeGrain, *, today: date
    ) -> SpendSummary:
        """Return what a page of spend shows; ``basis`` is one of the two estimates."""
        with self._database.read() as connection:
            query = SpendQuery(connection, selection, basis, self._naming)
            month = month_of(selection.until)
            coming = query.forecast(month, today)
            now = query.shown
            return SpendSummary(
                basis=basis,
                totals=now.totals,
                series=query.series_of_costs(grain),
                agents=now.agents,
                models=query.cost_models(),
                teams=now.teams,
                repositories=now.repositories,
                shipped=now.shipped,
                active_day=query.active_day(),
                dearest=query.dearest(LEADERBOARD),
                people=query.people(),
                billed=billed(connection, selection),
                month=month,
                forecast=coming,
                budgets=query.budgets(month, coming),
                repriced=query.repriced(),
                changes=query.cost_changes(),
            )

    def changes(self, selection: UsageSelection, basis: CostBasis) -> SpendChanges:
        """Return what was spent beside the period before; ``basis`` is one of the two estimates."""
        with self._database.read() as connection:
            return SpendQuery(connection, selection, basis, self._naming).cost_changes()

    def makers(
        self, selection: UsageSelection, basis: CostBasis
    ) -> tuple[tuple[SpendPart, ...], tuple[SpendPart, ...]]:
        """Return the costs by tool, and by family of models."""
        with self._database.read() as connection:
            query = SpendQuery(connection, selection, basis, self._naming)
            return query.cost_agents(), query.cost_models()

    def total(self, selection: UsageSelection, basis: CostBasis) -> DividedCost:
        """Return what everybody in a selection costs together."""
        with self._database.read() as connection:
            query = SpendQuery(connection, selection, basis, self._naming)
            return divided(query.everybody)

    def billed(self, selection: UsageSelection) -> tuple[BilledAmount, ...]:
        """Return what vendors bill; nothing for who may not read all: it has no repository."""
        with self._database.read() as connection:
            return billed(connection, selection)

    def charge_back(self, selection: UsageSelection, basis: CostBasis) -> tuple[ChargeBack, ...]:
        """Return what the people of each cost center cost, by month."""
        with self._database.read() as connection:
            query = SpendQuery(connection, selection, basis, self._naming)
            return query.charge_back()

    def budgets(
        self, installation_id: int, repository_ids: tuple[int, ...], month: date, *, today: date
    ) -> tuple[BudgetCheck, ...]:
        """Return how an organization's budgets stand in a month, whatever their basis."""
        last = next_month(month) - ONE_DAY
        whole = UsageSelection(installation_id, repository_ids, month, last, has_unplaced=True)
        found: list[BudgetCheck] = []
        with self._database.read() as connection:
            for basis in ESTIMATES:
                query = SpendQuery(connection, whole, basis, self._naming)
                found += query.budgets(month, query.forecast(month, today))
        return tuple(found)

    def pulls(self, selection: UsageSelection, basis: CostBasis) -> tuple[PullSpend, ...]:
        """Return the pull requests that were merged on the days and have a cost, dearest first."""
        with self._database.read() as connection:
            query = SpendQuery(connection, selection, basis, self._naming)
            return query.dearest(None)

    def pull(
        self, repository_id: int, pull_request: int, basis: CostBasis, *, now: datetime
    ) -> PullCostDetails | None:
        """Return a pull request's cost; ``None``: it has no audit."""
        with self._database.read() as connection:
            about = connection.execute(
                select(audit.c.merged_at, audit.c.window_from, audit.c.window_to)
                .add_columns(pull_summary.c.attributed, audit.c.number)
                .join_from(pull_summary, audit, same_pull(audit))
                .where(
                    pull_summary.c.repository_id == repository_id,
                    pull_summary.c.pull_request == pull_request,
                    audit.c.number == pull_summary.c.audit_number,
                )
            ).first()
            if about is None:
                return None
            columns = pull_cost.c
            rows = connection.execute(
                select(pull_cost).where(
                    columns.repository_id == repository_id, columns.pull_request == pull_request
                )
            ).all()
        return _details(about, rows, basis, now)


def _details(
    about: Row[Any], rows: Sequence[Row[Any]], basis: CostBasis, now: datetime
) -> PullCostDetails:
    parts = [
        PullCostPart(
            agent_session=(row.agent, row.agent_session),
            attributed=row.attributed,
            cost=cost_of(row, basis),
            last_day=to_day(row.last_day),
            is_repriced=row.is_repriced,
        )
        for row in rows
    ]
    models: defaultdict[str | None, TokenCost] = defaultdict(TokenCost)
    for row, part in zip(rows, parts, strict=True):
        models[row.model or None] += part.cost
    merged = MergedLines(
        merged_at=about.merged_at,
        attributed_lines=about.attributed,
        before=about.merged_at - about.window_from,
        after=about.window_to - about.merged_at,
    )
    return PullCostDetails(
        audit_number=about.number,
        whole=pull_request_cost(merged, parts, basis, now),
        models=tuple(sorted(models.items(), key=lambda one: (-(one[1].amount or 0), one[0] or ""))),
    )


class _CostRow(NamedTuple):
    """What a person's usage costs in one repository; ``None``: of all models and agents."""

    repository_id: int
    person: int
    cost: TokenCost
    agent: str | None = None
    model: str | None = None
    is_matched: bool | None = None


class SpendQuery(UsageQuery):
    """One selection of spend, answered in one transaction."""

    def __init__(
        self,
        connection: Connection,
        selection: UsageSelection,
        basis: CostBasis,
        naming: PersonNaming,
    ) -> None:
        super().__init__(connection, selection)
        self._basis = basis
        self._naming = naming
        self._months: dict[date, Sequence[_CostRow]] = {}

    @cached_property
    def _rows(self) -> Sequence[_CostRow]:
        """The costs by all that a page names: one question costs less than one for each part."""
        key = ("person", "model", "repository_id", "is_matched", "agent")
        rows = self._whole(cost_sum, *key, *(f"{self._basis}_{name}" for name in AMOUNTS))
        columns = [rows.c[name] for name in key]
        query = select(*columns, *self._sums(rows.c)).group_by(*columns)
        return [
            _CostRow(place, person, cost_of_sums(*sums), agent, model, is_matched)
            for person, model, place, is_matched, agent, *sums in self._connection.execute(query)
        ]

    # --- usage ------------------------------------------------------------------------------------

    @property
    def everybody(self) -> Divided:
        """The cost of each person in the selection."""
        return _divided((row.person, bool(row.is_matched), row.cost) for row in self._rows)

    @cached_property
    def shown(self) -> ShownSpend:
        """Return what is compared with another period."""
        return ShownSpend(
            totals=divided(self.everybody),
            shipped=self.shipped(),
            agents=self.cost_agents(),
            teams=self.cost_teams(),
            repositories=self.repositories(),
        )

    def cost_changes(self) -> SpendChanges:
        """Return what was spent beside the period before."""
        before = asked_before(
            self._selection,
            lambda one: SpendQuery(self._connection, one, self._basis, self._naming),
        )
        return spend_changes(self.period, self.shown, before.shown if before else None)

    def cost_parts(self, name: Callable[[_CostRow], str | None]) -> tuple[SpendPart, ...]:
        """Return the cost by what a row is called."""
        return folded(_by(self._rows, name))

    def cost_agents(self) -> tuple[SpendPart, ...]:
        """Return the costs by tool."""
        return self.cost_parts(lambda row: row.agent)

    def cost_models(self) -> tuple[SpendPart, ...]:
        """Return the costs by family of models."""
        return self.cost_parts(lambda row: family_of(row.model) if row.model else None)

    def cost_teams(self) -> tuple[SpendPart, ...]:
        """Return the cost by team; nothing if there are no teams."""
        if not self._teams:
            return ()
        return self.cost_parts(lambda row: self._teams.of(self.logins.get(row.person)))

    def repositories(self) -> tuple[SpendPart, ...]:
        """Return the cost by the repository in which an agent worked; nothing of a single one."""
        if len(self._selection.repository_ids) == 1 and not self._selection.has_unplaced:
            return ()
        names = self._names({row.repository_id for row in self._rows} - {NOWHERE})
        return self.cost_parts(lambda row: names.get(row.repository_id))

    def series_of_costs(self, grain: TimeGrain) -> tuple[SpendPoint, ...]:
        """Return the cost by period, oldest first."""
        columns = cost_sum.c
        key = (columns.person, columns.is_matched)
        by_start: defaultdict[int, list[tuple[int, bool, TokenCost]]] = defaultdict(list)
        # By place: a member's name costs as much as the sum.
        rows: Sequence[Any] = self._by_period(cost_sum, grain, self._sums(columns), *key)
        for start, person, is_matched, *sums in rows:
            by_start[start].append((person, is_matched, cost_of_sums(*sums)))
        if not by_start:
            return ()
        found = {to_day(start): _divided(own) for start, own in by_start.items()}
        starts, first = [], grain.start(self._selection.since)
        while first <= self._selection.until:
            starts.append(first)
            first = grain.next(first)
        return periods(found, starts)

    def active_day(self) -> ActiveDayCost:
        """Return what a person's day with usage costs, in the last four weeks of the selection."""
        last = self._selection.until
        first = max(self._selection.since, last - FOUR_WEEKS + ONE_DAY)
        columns = cost_sum.c
        query = (
            select(columns.person, func.count(columns.start.distinct()).label("days"))
            .add_columns(*self._sums(columns))
            .where(*self._between_days(first, last))
            .group_by(columns.person)
        )
        rows = self._connection.execute(query).all()
        people = {row.person: summed_cost(row) for row in rows}
        return active_days(people, sum(row.days for row in rows))

    def people(self) -> tuple[PersonMonth, ...] | None:
        """Return the cost of each person and month; ``None``: this app names no people."""
        if self._naming.names is NamesShown.TEAMS:
            return None
        found = [
            PersonMonth(
                person=self._named(row.person),
                month=to_day(row.start),
                cost=summed_cost(row),
            )
            for row in self._by_month()
        ]
        found.sort(key=lambda one: (one.month, -(one.cost.amount or 0), one.person))
        return tuple(found)

    def charge_back(self) -> tuple[ChargeBack, ...]:
        """Return what the people of each cost center cost, by month."""
        found: defaultdict[date, dict[int, PersonCost]] = defaultdict(dict)
        for row in self._by_month():
            found[to_day(row.start)][row.person] = PersonCost(summed_cost(row))
        last = {month: next_month(month) - ONE_DAY for month in found}
        centers_on = cost_centers(self._connection, self._selection.installation_id, last.values())
        of_month = {}
        for month, day in last.items():
            centers = centers_on[day]
            of_login = {person: centers.get(login) for person, login in self.logins.items()}
            of_month[month] = {who: one for who, one in of_login.items() if one}
        return charged_back(found, of_month)

    def _by_month(self) -> Sequence[Row[Any]]:
        """Return the cost of each person and month."""
        columns = cost_sum.c
        return self._by_period(cost_sum, TimeGrain.MONTH, self._sums(columns), columns.person)

    def _named(self, person: int) -> str:
        login = self.logins.get(person)
        return self._naming.of(login or f"{'name' if person < 0 else 'account'} {abs(person)}")

    def _sums(self, columns: Any) -> list[ColumnElement[Any]]:
        """Return the sums of a cost on the basis that is asked for, as `summed_cost` reads them."""
        return [func.sum(columns[f"{self._basis}_{name}"]).label(name) for name in AMOUNTS]

    def _names(self, numbers: Iterable[int]) -> dict[int, str]:
        columns = repository.c
        found = select(columns.id, columns.owner, columns.name)
        query = found.where(among(columns.id, sorted(numbers)))
        return {row.id: f"{row.owner}/{row.name}" for row in self._connection.execute(query)}

    # --- pull requests ----------------------------------------------------------------------------

    def _pulls(self) -> Subquery:
        """Return the query of what each selected pull request costs."""
        columns = pull_cost.c
        asked = self._pulls_asked()
        if self._selection.agent is not None:
            asked.append(columns.agent == self._selection.agent)
        key = (columns.repository_id, columns.pull_request)
        return (
            select(*key, *self._sums(columns))
            .join_from(pull_summary, pull_cost, same_pull(pull_cost))
            .where(*asked)
            .group_by(*key)
            .subquery()
        )

    def dearest(self, most: int | None) -> tuple[PullSpend, ...]:
        """Return the pull requests with the largest amounts; ``most`` ``None``: all with a cost."""
        costs = self._pulls()
        amount = costs.c.amount
        query = (
            select(costs, pull_summary.c.title, pull_summary.c.merged_at)
            .add_columns(pull_summary.c.attributed, repository.c.owner, repository.c.name)
            .join_from(costs, pull_summary, _same(costs))
            .join(repository, repository.c.id == costs.c.repository_id)
            .order_by(amount.is_(None), amount.desc(), costs.c.repository_id, costs.c.pull_request)
            .limit(most)
        )
        return tuple(
            PullSpend(
                repository=f"{row.owner}/{row.name}",
                pull_request=row.pull_request,
                title=row.title,
                merged_at=row.merged_at,
                amount=cost.amount,
                attributed=row.attributed,
                unpriced_tokens=cost.unpriced_tokens,
            )
            for row in self._connection.execute(query)
            for cost in [summed_cost(row)]
        )

    def shipped(self) -> ShippedCost:
        """Return what the selected pull requests cost together, by the lines that they shipped."""
        costs, columns = self._pulls(), pull_summary.c
        after = outcome.c.attributed_after_90
        query = (
            select(costs.c.amount, columns.attributed, columns.author_id, columns.author)
            .add_columns(outcome.c.attributed_lines, after)
            .join_from(costs, pull_summary, _same(costs))
            .outerjoin(outcome, same_pull(outcome))
        )
        rows = self._connection.execute(query).all()
        costed = [row for row in rows if row.amount is not None]
        looked = [row for row in costed if row.attributed_after_90 is not None]
        return ShippedCost(
            pulls=len(rows),
            costed=len(costed),
            amount=_together(costed),
            attributed=known_sum(row.attributed for row in costed),
            looked_up=known_sum(row.attributed_lines for row in looked),
            standing=known_sum(row.attributed_after_90 for row in looked),
            amount_of_looked_up=_together(looked),
        )

    # --- what comes, and what was agreed ----------------------------------------------------------

    def forecast(self, month: date, today: date) -> MonthForecast | None:
        """Return the forecast of a month that is not over; ``None``: too little is known."""
        if month != month_of(today) or not self._month_is_shown(month):
            return None
        through = today - ONE_DAY  # today is not over
        first = through - timedelta(days=WEEKS * WEEK)
        columns = cost_sum.c
        days = self._between_days(min(first, month), through)
        query = select(columns.start, *self._sums(columns)).where(*days).group_by(columns.start)
        amounts = {
            to_day(row.start): summed_cost(row).amount or 0
            for row in self._connection.execute(query)
        }
        known = min(amounts, default=through)
        return forecast(amounts, month, known_from=max(known, first), through=through)

    def _between_days(self, first: date, last: date) -> list[ColumnElement[bool]]:
        columns = cost_sum.c
        of_days = and_(
            columns.grain == TimeGrain.DAY.value,
            columns.start.between(day_number(first), day_number(last)),
        )
        return self._asked(cost_sum, of_days)

    def _month(self, month: date) -> Sequence[_CostRow]:
        """Return the costs of a month by person and repository; they are asked for once."""
        if month not in self._months:
            self._months[month] = self._asked_month(month)
        return self._months[month]

    def _asked_month(self, month: date) -> Sequence[_CostRow]:
        columns = cost_sum.c
        key = (columns.repository_id, columns.person)
        is_month = and_(columns.grain == TimeGrain.MONTH.value, columns.start == day_number(month))
        query = (
            select(*key, *self._sums(columns))
            .where(*self._asked(cost_sum, is_month))
            .group_by(*key)
        )
        return [
            _CostRow(row[0], row[1], summed_cost(row)) for row in self._connection.execute(query)
        ]

    def _month_is_shown(self, month: date) -> bool:
        return may_be_shown(_by(self._month(month), lambda _: "all").get("all", {}))

    def budgets(self, month: date, coming: MonthForecast | None) -> tuple[BudgetCheck, ...]:
        """Return how the organization's budgets of this basis stand in a month."""
        if not self._selection.has_unplaced or self._selection.team or self._selection.agent:
            return ()  # they are of everything
        agreed = [
            one
            for one in budgets_of(self._connection, self._selection.installation_id)
            if one.basis is self._basis
        ]
        if not agreed:
            return ()
        rows = self._month(month)
        names = self._names({row.repository_id for row in rows} - {NOWHERE})
        by_kind = {
            BudgetOf.ORGANIZATION: _by(rows, lambda _: None),
            BudgetOf.TEAM: _by(rows, lambda row: self._teams.of(self.logins.get(row.person))),
            BudgetOf.REPOSITORY: _by(rows, lambda row: names.get(row.repository_id)),
        }
        return tuple(
            _checked(one, month, by_kind[one.of].get(one.name, {}), None if one.name else coming)
            for one in agreed
        )

    def repriced(self) -> tuple[date, ...]:
        """Return the closed months of the selection that were priced again."""
        selection = self._selection
        return tuple(
            month
            for month, one in closed_months(self._connection).items()
            if one.is_repriced and next_month(month) > selection.since and month <= selection.until
        )


def billed(connection: Connection, selection: UsageSelection) -> tuple[BilledAmount, ...]:
    """Return what vendors bill; nothing for who may not read all: it has no repository."""
    columns = vendor_amount.c
    if not selection.has_unplaced or selection.team is not None:
        return ()
    asked = [
        columns.installation_id == selection.installation_id,
        columns.day.between(day_number(selection.since), day_number(selection.until)),
    ]
    if selection.agent is not None:
        asked.append(columns.agent == selection.agent)
    key = (columns.vendor, columns.report, columns.currency, usage_identity.c.person)
    days = (func.min(columns.day).label("first"), func.max(columns.day).label("last"))
    sums = (func.sum(columns[name]).label(name) for name in ("billed", "list_price"))
    query = (
        select(*key, *days, *sums)
        .outerjoin(usage_identity, usage_identity.c.id == columns.identity_id)
        .where(*asked)
        .group_by(*key)
        .order_by(columns.vendor, columns.report, columns.currency)
    )
    rows = connection.execute(query).all()
    return tuple(
        _billed(*of, list(own))
        for of, own in groupby(rows, key=attrgetter("vendor", "report", "currency"))
    )


def _billed(vendor: str, report: str, currency: str, rows: Sequence[Row[Any]]) -> BilledAmount:
    amounts = {}
    for name in ("billed", "list_price"):
        known = [row for row in rows if getattr(row, name) is not None]
        people = {
            row.person: TokenCost(amount=int(getattr(row, name)))
            for row in known
            if row.person is not None
        }
        # What a vendor attributes to nobody is about no person.
        is_shown = bool(known) and (not people or may_be_shown(people))
        amounts[name] = sum(int(getattr(row, name)) for row in known) if is_shown else None
    return BilledAmount(
        vendor=vendor,
        report=report,
        currency=currency,
        billed=amounts["billed"],
        list_price=amounts["list_price"],
        first=to_day(min(row.first for row in rows)),
        last=to_day(max(row.last for row in rows)),
    )


def _checked(
    budget: MonthlyBudget, month: date, people: ByPerson, coming: MonthForecast | None
) -> BudgetCheck:
    is_shown = bool(people) and may_be_shown(people)
    spent = sum(people.values(), TokenCost()).amount if is_shown else None
    state = state_of(budget, spent, coming)
    return BudgetCheck(budget=budget, month=month, spent=spent, state=state)


def _together(rows: Sequence[Row[Any]]) -> int | None:
    """Return the sum of pull requests' amounts; ``None``: there are none, or of too few people."""
    people: defaultdict[int, TokenCost] = defaultdict(TokenCost)
    names = {row.author or "": number for number, row in enumerate(rows, 1)}
    for row in rows:
        who = row.author_id if row.author_id is not None else -names[row.author or ""]
        people[who] += TokenCost(amount=int(row.amount), priced_tokens=1)
    return sum(int(row.amount) for row in rows) if rows and may_be_shown(people) else None


def _same(costs: Subquery) -> ColumnElement[bool]:
    return and_(
        costs.c.repository_id == pull_summary.c.repository_id,
        costs.c.pull_request == pull_summary.c.pull_request,
    )


def _divided(costs: Iterable[tuple[int, bool, TokenCost]]) -> Divided:
    """Return what each person costs, with and without matched lines."""
    found: dict[int, tuple[list[TokenCost], list[TokenCost]]] = {}
    for person, is_matched, one in costs:
        if person not in found:
            found[person] = [], []
        found[person][not is_matched].append(one)
    return {person: PersonCost(*map(total_cost, both)) for person, both in found.items()}


def _by(
    rows: Iterable[_CostRow], name: Callable[[_CostRow], str | None]
) -> dict[str | None, ByPerson]:
    """Return what each person costs in each part."""
    found: defaultdict[str | None, defaultdict[int, list[TokenCost]]]
    found = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[name(row)][row.person].append(row.cost)
    return {
        part: {person: total_cost(costs) for person, costs in people.items()}
        for part, people in found.items()
    }
