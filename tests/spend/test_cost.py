"""A row's cost: exact, rounded once, and with nothing missing in silence."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from ghapp.spend.cost import TokenCost, cost
from ghapp.spend.prices import TokenRates
from ghapp.usage.answers import TokenCounts

OPUS = TokenRates(
    input=5_000_000,
    output=25_000_000,
    cache_read=500_000,
    cache_write_5m=6_250_000,
    cache_write_1h=10_000_000,
)
count = st.integers(0, 10**9)
rate = st.none() | st.integers(0, 10**9)
tokens = st.builds(
    TokenCounts,
    input=count,
    output=count,
    cache_read=count,
    cache_write_5m=count,
    cache_write_1h=count,
    cache_write_unsplit=count,
)
rates = st.builds(
    TokenRates, input=rate, output=rate, cache_read=rate, cache_write_5m=rate, cache_write_1h=rate
)
costs = st.builds(cost, tokens | st.just(TokenCounts()), st.none() | rates)
PRICED_AS = {"cache_write_unsplit": "cache_write_5m"}
KINDS = (*TokenRates.__struct_fields__, *PRICED_AS)


def slowly(told: TokenCounts, at: TokenRates) -> tuple[int, int]:
    """Return amount and priced tokens by fractions, kind by kind."""
    exact, priced = Fraction(0), 0
    for kind in KINDS:
        one = getattr(at, PRICED_AS.get(kind, kind))
        if one is not None:
            exact += Fraction(getattr(told, kind) * one, 10**6)
            priced += getattr(told, kind)
    return round(exact), priced


@given(tokens, rates)
def test_a_cost_is_the_exact_sum_rounded_once(told: TokenCounts, at: TokenRates) -> None:
    amount, priced = slowly(told, at)
    found = cost(told, at)
    assert found.priced_tokens == priced
    assert found.priced_tokens + found.unpriced_tokens == told.total
    assert found.amount == (amount if priced or not told.total else None)


@given(tokens, tokens, rates)
def test_more_tokens_never_cost_less(told: TokenCounts, more: TokenCounts, at: TokenRates) -> None:
    assert (cost(told + more, at).amount or 0) >= (cost(told, at).amount or 0)


@given(tokens, rates, st.sampled_from(TokenRates.__struct_fields__))
def test_a_higher_rate_never_costs_less(told: TokenCounts, at: TokenRates, kind: str) -> None:
    known = {name: getattr(at, name) for name in TokenRates.__struct_fields__}
    higher = TokenRates(**known | {kind: (known[kind] or 0) + 1})
    assert (cost(told, higher).amount or 0) >= (cost(told, at).amount or 0)


def test_an_unknown_model_is_not_priced_and_never_free() -> None:
    found = cost(TokenCounts(input=7, output=2), None)
    assert found == TokenCost(amount=None, unpriced_tokens=9)
    assert found.priced_share == 0
    assert cost(TokenCounts(), None) == TokenCost()
    assert TokenCost().priced_share is None


def test_tokens_of_a_kind_without_a_rate_stay_in_sight() -> None:
    found = cost(TokenCounts(input=1000, cache_write_1h=10), TokenRates(input=2_000_000))
    assert found == TokenCost(amount=2000, priced_tokens=1000, unpriced_tokens=10)
    assert cost(TokenCounts(cache_read=5), TokenRates(input=1)).amount is None


def test_writes_for_an_unknown_time_are_a_floor() -> None:
    written = TokenCounts(cache_write_unsplit=1000)
    assert cost(written, OPUS) == TokenCost(amount=6250, priced_tokens=1000, is_floor=True)
    assert not cost(TokenCounts(cache_write_5m=1000), OPUS).is_floor
    assert not cost(written, TokenRates(cache_write_5m=5, cache_write_1h=5)).is_floor
    assert cost(TokenCounts(input=1000), OPUS, is_floor=True).is_floor


def test_half_a_micro_dollar_rounds_to_even() -> None:
    at = TokenRates(input=500_000)
    assert [cost(TokenCounts(input=n), at).amount for n in (1, 3, 5)] == [0, 2, 2]


@given(costs, costs, costs)
def test_costs_add_in_any_order(one: TokenCost, two: TokenCost, three: TokenCost) -> None:
    assert one + two == two + one
    assert (one + two) + three == one + (two + three)
    assert one + TokenCost() == one


@given(costs, costs)
def test_a_sum_is_unknown_only_where_nothing_is_priced(one: TokenCost, two: TokenCost) -> None:
    both = one + two
    assert (both.amount or 0) == (one.amount or 0) + (two.amount or 0)
    assert (both.amount is None) == (both.priced_tokens == 0 and both.unpriced_tokens > 0)
