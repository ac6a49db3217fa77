"""Money is read exactly, and never becomes nothing when it is written."""

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.spend import money
from ghapp.spend.money import (
    MoneyError,
    divided,
    each,
    for_machines,
    for_people,
    from_cents,
    from_dollars,
)

micros = st.integers(-money.MOST_MICROS, money.MOST_MICROS)


@given(micros)
def test_what_is_written_for_machines_is_read_back(amount: int) -> None:
    assert from_dollars(for_machines(amount)) == amount
    assert from_dollars(Decimal(for_machines(amount))) == amount


@given(st.decimals(-(10**9), 10**9, allow_nan=False, places=9))
def test_digits_below_a_micro_dollar_round_half_to_even(amount: Decimal) -> None:
    right = (amount * 10**6).to_integral_value(ROUND_HALF_EVEN)
    assert from_dollars(f"{amount:f}") == right
    assert from_cents(f"{amount * 100:f}") == right


def test_fractions_of_cents_are_exact() -> None:
    assert from_cents("0.0001") == 1
    assert from_cents("12345.678900000") == 123_456_789
    assert from_cents("0.00005") == 0
    assert from_cents("0.00015") == 2


@pytest.mark.parametrize(
    "text", ["", "1e3", "1,000", "NaN", "Infinity", "-", ".5", "5.", " 1", "٣", "1" * 31, "0x1"]
)
def test_text_that_is_no_plain_number_is_named(text: str) -> None:
    with pytest.raises(MoneyError, match="no plain decimal number"):
        from_dollars(text)


@pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal("Infinity"), 10**10, "9" * 30])
def test_an_impossible_amount_is_refused(amount: Decimal | int | str) -> None:
    with pytest.raises(MoneyError):
        from_dollars(amount)


def test_another_currency_is_named_and_not_read() -> None:
    assert from_dollars("1", "usd") == 1_000_000
    with pytest.raises(MoneyError, match="'EUR' is a currency that is not read"):
        from_dollars("1", "EUR")


@given(st.integers(), st.integers(1, 10**9))
def test_a_quotient_rounds_half_to_even(amount: int, by: int) -> None:
    assert divided(amount, by) == round(Fraction(amount, by))


@given(micros)
def test_an_amount_for_people_is_near_and_only_zero_looks_like_it(amount: int) -> None:
    text = for_people(amount)
    assert text.startswith("-$" if amount < 0 else "$")
    shown = from_dollars(text.replace("$", "").replace(",", ""))
    if abs(amount) >= 10_000:
        assert abs(shown - amount) <= 5_000
        assert len(text.rpartition(".")[2]) == 2
    else:
        assert abs(shown - amount) * 20 <= abs(amount)
    assert (shown == 0) == (amount == 0)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (82_101_234, "$82.10"),
        (1_000_000_000_000, "$1,000,000.00"),
        (5_000, "$0.005"),
        (10_000, "$0.01"),
        (42_160, "$0.04"),
        (120, "$0.00012"),
    ],
)
def test_amounts_for_people(amount: int, text: str) -> None:
    assert for_people(amount) == text


def test_what_each_costs_is_unknown_without_a_count() -> None:
    assert each(10, 4) == 2
    assert each(10, 0) is each(10, None) is each(None, 4) is None
