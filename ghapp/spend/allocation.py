"""A pull request's cost: an allocation of agent sessions' costs by matched lines, not a fact.

The cost of an agent session goes to the pull requests in which it has matched lines, in proportion
to them. Without a matched line it is unallocated, and stays so in sight (decision 29).
"""

from collections.abc import Hashable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from ghapp.attribution.model import Struct
from ghapp.spend.cost import CostBasis, TokenCost

METHOD = "matched_lines"


class SortableKey(Hashable, Protocol):
    """What can be a key and be sorted."""

    def __lt__(self, other: Any, /) -> bool: ...


Key = TypeVar("Key", bound=SortableKey)
"""What names a pull request."""


class AllocationState(StrEnum):
    """Whether a pull request's cost may still change by itself."""

    OPEN = "open"
    FINAL = "final"


class CostGap(StrEnum):
    """Why nothing is known of what a pull request cost."""

    NO_LINES = "no_lines"
    """None of its lines is attributed."""
    NO_USAGE = "no_usage"
    """No usage of the agent sessions behind its attributed lines has arrived."""
    NO_PRICE = "no_price"
    """Their tokens are known, and none has a price on this basis."""


class PullCostPart(Struct, frozen=True):
    """What of an agent session's cost a pull request got, or of one model's in it."""

    agent_session: Hashable
    """What tells agent sessions apart: of two agents they may have one name."""
    attributed: int
    """Its attributed lines in the pull request."""
    cost: TokenCost
    last_day: date | None
    """Last day of its usage."""
    is_repriced: bool = False
    """Some of it is of a closed month that somebody asked to price again."""


class MergedLines(Struct, frozen=True):
    """What is known of a merged pull request without its cost."""

    merged_at: datetime
    attributed_lines: int
    before: timedelta
    """The window of its policy: how long before the merge an edit may be."""
    after: timedelta
    """And how long after the merge evidence is waited for."""


class PullRequestCost(Struct, frozen=True):
    """What a pull request cost, as far as usage, prices and matched lines are known."""

    cost: TokenCost
    basis: CostBasis
    state: AllocationState
    data_through: date | None
    """Last day whose usage is in it; ``None``: no day's is."""
    agent_sessions: int
    """With matched lines here, and usage."""
    attributed_lines: int
    covered_lines: int
    """Attributed lines whose agent session has usage."""
    method: str = METHOD
    is_repriced: bool = False
    """Some of it is of a closed month that somebody asked to price again."""

    @property
    def amount(self) -> int | None:
        """Micro-dollars; ``None``: unknown, since no agent session in it has priced usage."""
        return self.cost.amount if self.agent_sessions else None

    @property
    def gap(self) -> CostGap | None:
        """Why the amount is unknown; ``None``: it is known."""
        if self.amount is not None:
            return None
        if self.agent_sessions:
            return CostGap.NO_PRICE
        return CostGap.NO_USAGE if self.attributed_lines else CostGap.NO_LINES

    @property
    def coverage(self) -> float | None:
        """Share of attributed lines whose agent session has usage; ``None``: there are none."""
        return self.covered_lines / self.attributed_lines if self.attributed_lines else None


def split(amount: int, weights: Mapping[Key, int]) -> dict[Key, int]:
    """Return an amount's parts in proportion to weights; they sum to it exactly.

    Each part is rounded down; what is left goes one by one to the largest remainders, of equal
    ones to the first by key. Weights are 0 or above, one of them above; ``amount`` is 0 or above.

    >>> split(100, {"a": 1, "b": 1, "c": 1})
    {'a': 34, 'b': 33, 'c': 33}
    """
    whole = sum(weights.values())
    parts = {key: divmod(amount * weights[key], whole) for key in sorted(weights)}
    left = amount - sum(part for part, _ in parts.values())
    order = sorted(parts, key=lambda key: -parts[key][1])  # stable: equal ones stay by key
    more = set(order[:left])
    return {key: part + (key in more) for key, (part, _) in parts.items()}


def split_cost(cost: TokenCost, weights: Mapping[Key, int]) -> dict[Key, TokenCost]:
    """Return a cost's parts, amount and tokens alike."""
    priced = split(cost.priced_tokens, weights)
    unpriced = split(cost.unpriced_tokens, weights)
    amounts = None if cost.amount is None else split(cost.amount, weights)
    return {
        key: TokenCost(
            amount=None if amounts is None else amounts[key],
            priced_tokens=priced[key],
            unpriced_tokens=unpriced[key],
            is_floor=cost.is_floor,
        )
        for key in priced
    }


def final_at(
    merged_at: datetime, last_used_at: datetime | None, *, before: timedelta, after: timedelta
) -> datetime:
    """Return when a pull request's cost becomes final.

    Its window closes ``after`` the merge. An agent session in it may also have lines in a pull
    request that is merged up to ``before`` later than its last use, whose window then is open for
    ``after`` more: until then the split may change. ``last_used_at``: of all agent sessions in it.
    """
    own = merged_at + after
    return own if last_used_at is None else max(own, last_used_at + before + after)


def state_at(now: datetime, final: datetime) -> AllocationState:
    """Return the state of a cost that becomes final at a time."""
    return AllocationState.FINAL if now > final else AllocationState.OPEN


def pull_request_cost(
    one: MergedLines, parts: Iterable[PullCostPart], basis: CostBasis, now: datetime
) -> PullRequestCost:
    """Return what one pull request costs; ``parts`` are all that it got, on that basis."""
    own = list(parts)
    lines = {part.agent_session: part.attributed for part in own}
    last = max((part.last_day for part in own if part.last_day), default=None)
    used_until = None if last is None else _end_of(last)
    final = final_at(one.merged_at, used_until, before=one.before, after=one.after)
    return PullRequestCost(
        cost=sum((part.cost for part in own), TokenCost()),
        basis=basis,
        state=state_at(now, final),
        data_through=last,
        agent_sessions=len(lines),
        attributed_lines=one.attributed_lines,
        covered_lines=sum(lines.values()),
        is_repriced=any(part.is_repriced for part in own),
    )


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)
