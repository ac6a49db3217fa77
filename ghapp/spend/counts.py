"""What a page of spend shows: nouns and what follows from them. It queries nothing.

Every amount of one page has one basis; what vendors bill stands apart (docs/spend-page.md).
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from ghapp.attribution.model import Struct
from ghapp.spend.allocation import PullRequestCost
from ghapp.spend.budgets import BudgetState, MonthlyBudget
from ghapp.spend.cost import NOTHING, CostBasis, TokenCost
from ghapp.spend.forecast import MonthForecast
from ghapp.spend.money import each
from ghapp.spend.shown import ByPerson, SpendPart, folded, may_be_shown, merged, total
from ghapp.summaries.periods import DayPeriod
from ghapp.summaries.selection import SMALLEST_GROUP
from ghapp.usage.counts import OTHERS, kept_back

NO_COST_CENTER = "(none)"
"""Where people stand of whom the table of people tells none."""


class DividedCost(Struct, frozen=True):
    """What some people's usage costs, and how much of it has no matched line."""

    people: int
    cost: TokenCost | None
    """``None``: of too few people, or nearly all of one."""
    unallocated: TokenCost | None
    """Of agent sessions without a matched line in any pull request; ``None`` as above, also where
    the rest would tell it."""


class SpendPoint(Struct, frozen=True):
    """The spend of one day, week or month."""

    start: date
    spent: DividedCost


class PullSpend(Struct, frozen=True):
    """A merged pull request and its cost."""

    repository: str
    """``owner/name``."""
    pull_request: int
    title: str | None
    merged_at: datetime
    amount: int | None
    """Micro-dollars; ``None``: no agent session in it has priced usage."""
    attributed: int
    unpriced_tokens: int


class ShippedCost(Struct, frozen=True):
    """What merged pull requests cost together, by the lines that they shipped."""

    pulls: int
    """Merged pull requests with attributed lines."""
    costed: int
    """Those of them with a known amount."""
    amount: int | None
    """Micro-dollars of these; ``None``: none is known, or they are of too few people."""
    attributed: int | None
    """Attributed lines in these; ``None``: there are none."""
    looked_up: int | None
    """Attributed lines of these that were looked up 90 days later; ``None``: none were."""
    standing: int | None
    """Those that were still there."""
    amount_of_looked_up: int | None
    """Micro-dollars of the pull requests whose lines were looked up."""

    @property
    def by_pull(self) -> int | None:
        """Micro-dollars of a merged pull request with a known amount."""
        return each(self.amount, self.costed)

    @property
    def by_line(self) -> int | None:
        """Micro-dollars of an attributed line in them."""
        return each(self.amount, self.attributed)

    @property
    def by_standing_line(self) -> int | None:
        """Micro-dollars of an attributed line that still stood after 90 days."""
        return each(self.amount_of_looked_up, self.standing)


class ActiveDayCost(Struct, frozen=True):
    """What people's days with usage cost, in the last four weeks of a selection."""

    days: int | None
    """Days with usage, of each person; ``None``: of too few people, or nearly all of one's."""
    cost: TokenCost | None
    """Of these days; ``None`` as above."""

    @property
    def by_day(self) -> int | None:
        """Micro-dollars of one person's day with usage."""
        return each(self.cost.amount, self.days) if self.cost else None


class BilledAmount(Struct, frozen=True):
    """What one vendor says it charges for the days, in its own currency."""

    vendor: str
    report: str
    """Of the vendor's reports: two of them may tell the same money, so they are not added."""
    currency: str
    billed: int | None
    """Millionths of the currency; ``None``: not told, or of too few people."""
    list_price: int | None
    first: date
    last: date
    """The vendor's own days."""


class BudgetCheck(Struct, frozen=True):
    """A budget and how it stands in a month."""

    budget: MonthlyBudget
    month: date
    """Its first day."""
    spent: int | None
    """Micro-dollars in it; ``None``: unknown, or not shown."""
    state: BudgetState


class PersonMonth(Struct, frozen=True):
    """What one person's usage cost in one month."""

    person: str
    month: date
    cost: TokenCost


class ChargeBack(Struct, frozen=True):
    """What the people of one cost center cost in one month."""

    month: date
    """Its first day."""
    cost_center: str
    """`NO_COST_CENTER`, or `OTHERS`: what may not be shown by itself."""
    people: int
    cost: TokenCost | None
    """``None``: of too few people, or nearly all of one."""


class SpendChange(Struct, frozen=True):
    """What something costs in a period and in the one before."""

    name: str | None
    """``None``: everything."""
    now: TokenCost | None
    """``None``: nobody used it, or it may not be shown."""
    before: TokenCost | None
    difference: int | None
    """Micro-dollars of priced tokens now, less those before; ``None``: one is not known."""


class AmountChange(Struct, frozen=True):
    """An average in a period and in the one before, in micro-dollars; ``None``: not known."""

    now: int | None
    before: int | None
    difference: int | None


class SpendChanges(Struct, frozen=True):
    """The selected days beside those before them."""

    period: DayPeriod
    before: DayPeriod | None
    """``None``: no days before it can be selected."""
    spent: SpendChange
    unallocated: SpendChange
    by_pull: AmountChange
    by_line: AmountChange
    agents: tuple[SpendChange, ...]
    teams: tuple[SpendChange, ...]
    repositories: tuple[SpendChange, ...]


class SpendSummary(Struct, frozen=True):
    """What a page of spend shows."""

    basis: CostBasis
    """Of every amount but the billed ones."""
    totals: DividedCost
    series: tuple[SpendPoint, ...]
    agents: tuple[SpendPart, ...]
    models: tuple[SpendPart, ...]
    """By family."""
    teams: tuple[SpendPart, ...]
    """Empty: no teams are known."""
    repositories: tuple[SpendPart, ...]
    """Where the agent worked; empty for a single repository."""
    shipped: ShippedCost
    active_day: ActiveDayCost
    dearest: tuple[PullSpend, ...]
    """The pull requests with the largest amounts, merged on these days."""
    people: tuple[PersonMonth, ...] | None
    """By person and month; ``None``: this app does not name people."""
    billed: tuple[BilledAmount, ...]
    """What vendors bill to the organization; empty: unknown, or not for this reader."""
    month: date
    """First day of the month of the forecast and the budgets: the last one of the selection."""
    forecast: MonthForecast | None
    """``None``: too little is known, or not shown."""
    budgets: tuple[BudgetCheck, ...]
    repriced: tuple[date, ...]
    """Closed months of the selection that were priced again."""
    changes: SpendChanges


class PullCostDetails(Struct, frozen=True):
    """What a pull request's own page says of its cost."""

    audit_number: int
    """The audit whose lines it is allocated by: the one in force."""
    whole: PullRequestCost
    models: tuple[tuple[str | None, TokenCost], ...]
    """By model; ``None``: not recorded."""


class PersonCost(Struct, frozen=True):
    """What one person's usage costs, with and without matched lines."""

    matched: TokenCost = NOTHING
    unmatched: TokenCost = NOTHING

    def __add__(self, other: "PersonCost") -> "PersonCost":
        return PersonCost(self.matched + other.matched, self.unmatched + other.unmatched)

    @property
    def whole(self) -> TokenCost:
        """Both."""
        return self.matched + self.unmatched


Divided = Mapping[int, PersonCost]
"""Person → cost."""


def divided(people: Divided, *, least: int = SMALLEST_GROUP, is_shown: bool = True) -> DividedCost:
    """Return the cost of these people, as far as it may be shown."""
    whole, left, matched = (_of(people, name) for name in ("whole", "unmatched", "matched"))
    can_whole = is_shown and may_be_shown(whole, least=least)
    can_left = all(not one or may_be_shown(one, least=least) for one in (left, matched))
    return DividedCost(
        people=len(people),
        cost=total(whole) if can_whole else None,
        unallocated=total(left) if can_whole and can_left else None,
    )


def active_days(people: ByPerson, days: int, *, least: int = SMALLEST_GROUP) -> ActiveDayCost:
    """Return what these people's days with usage cost, as far as it may be shown."""
    if not people or not may_be_shown(people, least=least):
        return ActiveDayCost(None, None)
    return ActiveDayCost(days, total(people))


def _of(people: Divided, name: str) -> ByPerson:
    """Return the part of each person's cost, without people who have none of it."""
    found = {person: getattr(one, name) for person, one in people.items()}
    return {person: one for person, one in found.items() if one != NOTHING}


def periods(
    found: Mapping[date, Divided], starts: Iterable[date], *, least: int = SMALLEST_GROUP
) -> tuple[SpendPoint, ...]:
    """Return the spend of each period, oldest first; one without usage has nobody.

    A period that may not be shown could be told from the total less the others: the smallest
    others are hidden with it, until together they may be shown.
    """
    costs = {start: _of(people, "whole") for start, people in found.items()}
    secret = kept_back(
        costs, size=len, is_enough=lambda parts: may_be_shown(merged(parts), least=least)
    )
    return tuple(
        SpendPoint(start, divided(found.get(start, {}), least=least, is_shown=start not in secret))
        for start in starts
    )


def charged_back(
    found: Mapping[date, Divided],
    centers: Mapping[date, Mapping[int, str]],
    *,
    least: int = SMALLEST_GROUP,
) -> tuple[ChargeBack, ...]:
    """Return what each cost center's people cost by month; ``centers``: month → person → its name.

    A month that a page of spend does not show is not divided either.
    """
    rows: list[ChargeBack] = []
    for point in periods(found, sorted(found), least=least):
        people, of_month = _of(found[point.start], "whole"), centers.get(point.start, {})
        groups: dict[str | None, dict[int, TokenCost]] = {}
        for person, cost in people.items():
            groups.setdefault(of_month.get(person, NO_COST_CENTER), {})[person] = cost
        if point.spent.cost is None:
            rows.append(ChargeBack(point.start, OTHERS, len(people), None))
            continue
        rows += (
            ChargeBack(point.start, one.name, one.people, one.cost)
            for one in folded(groups, least=least)
        )
    return tuple(rows)
