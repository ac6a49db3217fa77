"""A pull request's cost is a share of agent sessions' costs, and nothing is lost on the way."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from ghapp.spend.allocation import (
    AllocationState,
    PullRequestCost,
    final_at,
    split,
    state_at,
)
from ghapp.spend.cost import CostBasis, TokenCost
from tests.spend.plain_allocation import CostRow, allocated

AT = datetime(2026, 5, 20, 12, tzinfo=UTC)
BEFORE, AFTER = timedelta(days=21), timedelta(days=2)

keys = st.integers(1, 6)
weights = st.dictionaries(keys, st.integers(0, 1000), min_size=1).filter(
    lambda found: sum(found.values()) > 0
)
amounts = st.integers(0, 10**12)
costs = st.one_of(
    st.builds(
        TokenCost,
        amount=amounts,
        priced_tokens=st.integers(1, 10**9),
        unpriced_tokens=st.integers(0, 10**9),
        is_floor=st.booleans(),
    ),
    st.builds(TokenCost, amount=st.none(), unpriced_tokens=st.integers(1, 10**9)),
    st.just(TokenCost()),
)
sessions = st.sampled_from(["s", "t", "u", "v"])
rows = st.lists(st.builds(CostRow, agent_session=sessions, cost=costs), max_size=12)
matched = st.dictionaries(sessions, st.dictionaries(keys, st.integers(0, 50), max_size=4))


def slowly(amount: int, told: dict[int, int]) -> dict[int, int]:
    """Return the parts by the largest remainder, one micro-dollar after the other."""
    whole = sum(told.values())
    exact = {key: Fraction(amount * n, whole) for key, n in told.items()}
    parts = {key: part.numerator // part.denominator for key, part in exact.items()}
    given_more: set[int] = set()
    while sum(parts.values()) < amount:
        waiting = [key for key in exact if key not in given_more]
        most = max(exact[key] - parts[key] for key in waiting)
        key = min(one for one in waiting if exact[one] - parts[one] == most)
        parts[key] += 1
        given_more.add(key)
    return parts


@given(amounts, weights)
def test_parts_are_those_of_the_largest_remainder(amount: int, told: dict[int, int]) -> None:
    assert split(amount, told) == slowly(amount, told)


@given(amounts, weights, st.randoms())
def test_parts_sum_to_the_whole_in_any_order(amount: int, told: dict[int, int], order) -> None:  # type: ignore[no-untyped-def]
    parts = split(amount, told)
    assert sum(parts.values()) == amount
    shuffled = list(told.items())
    order.shuffle(shuffled)
    assert split(amount, dict(shuffled)) == parts
    for key, n in told.items():
        assert abs(parts[key] - Fraction(amount * n, sum(told.values()))) < 1


@given(rows, matched)
def test_pull_requests_and_unallocated_sum_to_agent_sessions(
    told: list[CostRow], lines: dict[str, dict[int, int]]
) -> None:
    found = allocated(told, lines)
    parts = [*found.by_pull_request.values(), found.unallocated]
    whole = sum((row.cost for row in told), TokenCost())
    for name in ("amount", "priced_tokens", "unpriced_tokens"):
        assert sum(getattr(one, name) or 0 for one in parts) == (getattr(whole, name) or 0)
    matched_sessions = {one for one, own in lines.items() if any(own.values())}
    apart = [row.cost for row in told if row.agent_session not in matched_sessions]
    assert found.unallocated == sum(apart, TokenCost())


@given(rows, matched)
def test_no_pull_request_without_a_matched_line_costs(
    told: list[CostRow], lines: dict[str, dict[int, int]]
) -> None:
    named = {key for own in lines.values() for key, n in own.items() if n}
    assert set(allocated(told, lines).by_pull_request) <= named


def test_an_unknown_model_s_tokens_are_split_too() -> None:
    row = CostRow(agent_session="s", cost=TokenCost(amount=None, unpriced_tokens=10))
    found = allocated([row], {"s": {1: 1, 2: 1}})
    assert found.by_pull_request[1] == TokenCost(amount=None, unpriced_tokens=5)
    assert found.unallocated == TokenCost()


def told(cost: TokenCost = TokenCost(), **changed: int) -> PullRequestCost:  # noqa: B008 - it is frozen
    values = {"agent_sessions": 1, "attributed_lines": 10, "covered_lines": 4} | changed
    return PullRequestCost(
        cost=cost,
        basis=CostBasis.LIST,
        state=AllocationState.OPEN,
        data_through=date(2026, 5, 20),
        **values,
    )


def test_a_pull_request_without_known_usage_has_no_amount() -> None:
    assert told(TokenCost(), agent_sessions=0).amount is None
    assert told(TokenCost(amount=None, unpriced_tokens=3)).amount is None
    assert told(TokenCost(amount=5, priced_tokens=3)).amount == 5
    assert told().coverage == 0.4
    assert told(attributed_lines=0).coverage is None


def test_a_cost_is_final_when_no_later_merge_can_share_its_agent_sessions() -> None:
    assert final_at(AT, None, before=BEFORE, after=AFTER) == AT + AFTER
    old, late = AT - timedelta(days=25), AT - timedelta(days=1)
    assert final_at(AT, old, before=BEFORE, after=AFTER) == AT + AFTER
    assert final_at(AT, late, before=BEFORE, after=AFTER) == AT + timedelta(days=22)
    assert state_at(AT, AT) is AllocationState.OPEN
    assert state_at(AT + timedelta(seconds=1), AT) is AllocationState.FINAL
