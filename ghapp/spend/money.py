"""Money as whole micro-dollars: read exactly, divided, and written. It knows no price.

No amount is ever a float: a sum of floats depends on its order.
"""

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal

MICROS = 10**6
"""Micro-dollars in a dollar."""
MOST_MICROS = 10**15
"""A billion dollars. Nine thousand of them still fit a 64-bit sum."""

CURRENCY = "USD"

# 12, -0.5, 1234.56789; no exponent, no grouping
_PLAIN = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_EXACT = Context(prec=80, rounding=ROUND_HALF_EVEN)


class MoneyError(ValueError):
    """An amount that cannot be read; the message says what was found."""


def from_dollars(amount: str | int | Decimal, currency: str = CURRENCY) -> int:
    """Return dollars as micro-dollars, exactly; digits below a micro-dollar round half to even.

    >>> from_dollars("12.5"), from_dollars("0.000001"), from_dollars("-3")
    (12500000, 1, -3000000)

    Raises `MoneyError` for text that is no plain decimal number, and for other currencies: an
    amount in euros is no number of dollars, so it is never added to them.
    """
    return _micros(amount, currency, MICROS)


def from_cents(amount: str | int | Decimal, currency: str = CURRENCY) -> int:
    """Return cents as micro-dollars, as `from_dollars` does; vendors send fractions of them.

    >>> from_cents("123.4567"), from_cents(5)
    (1234567, 50000)
    """
    return _micros(amount, currency, MICROS // 100)


def _micros(amount: str | int | Decimal, currency: str, unit: int) -> int:
    if currency.upper() != CURRENCY:
        raise MoneyError(f"{currency[:20]!r} is a currency that is not read: only {CURRENCY} is")
    if isinstance(amount, str) and not _PLAIN.fullmatch(amount):
        raise MoneyError(f"{amount[:40]!r} is no plain decimal number such as 12.50")
    exact = Decimal(amount)
    if not exact.is_finite() or abs(exact) > MOST_MICROS // unit:
        raise MoneyError(f"{exact} is above a billion dollars, or no number")
    return int(_EXACT.multiply(exact, unit).to_integral_value(ROUND_HALF_EVEN))


def divided(amount: int, by: int) -> int:
    """Return ``amount / by``, rounded half to even; ``by`` is above 0.

    >>> divided(5, 2), divided(7, 2), divided(-5, 2)
    (2, 4, -2)
    """
    whole, rest = divmod(amount, by)
    if 2 * rest > by or (2 * rest == by and whole % 2):
        whole += 1
    return whole


def each(amount: int | None, count: int | None) -> int | None:
    """Return what one of ``count`` costs; ``None``: the amount or the count is unknown, or 0."""
    return divided(amount, count) if amount is not None and count else None


def for_people(amount: int) -> str:
    """Return an amount in dollars and cents; below a cent, in two digits that say something.

    >>> for_people(1_234_560_000), for_people(0), for_people(-995_000)
    ('$1,234.56', '$0.00', '-$1.00')
    >>> for_people(4_216), for_people(1), for_people(9_999)
    ('$0.0042', '$0.000001', '$0.01')
    """
    size = abs(amount)
    zeros = 6 - len(str(size)) if size else 0
    digits = min(zeros + 2, 6) if zeros >= 2 else 2
    whole, part = divmod(divided(size, 10 ** (6 - digits)), 10**digits)
    below = f"{part:0{digits}d}"
    below = below[:2] + below[2:].rstrip("0")
    return f"{'-' if amount < 0 else ''}${whole:,}.{below}"


def for_machines(amount: int) -> str:
    """Return an amount in dollars with all six digits, without a sign for the currency.

    >>> for_machines(1_234_560_000), for_machines(-1)
    ('1234.560000', '-0.000001')
    """
    whole, part = divmod(abs(amount), MICROS)
    return f"{'-' if amount < 0 else ''}{whole}.{part:06d}"
