"""An operator's own rate card, read from TOML: what a contract says that tokens cost.

It prices what it names and nothing else: own prices by model, or a discount on the list by maker.
docs/spend.md describes the file.
"""

import hashlib
import re
import tomllib
from collections import defaultdict
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

import msgspec

from ghapp.attribution.model import Struct
from ghapp.spend.model_names import listed, named
from ghapp.spend.money import CURRENCY, MoneyError, from_dollars
from ghapp.spend.prices import VARIANTS, PriceList, PriceRow, TokenRates, by_context, joined
from ghapp.usage.price_class import tiers_of

LARGEST = 256 * 1024
"""Bytes of a file."""
EVERY_MAKER = "*"
_NUMBER = re.compile(r"\[(\d{1,9})\]")
"""price[0]"""


class RateCardError(ValueError):
    """A rate card that cannot be read; the message says where and why."""


class _Price(Struct, frozen=True, forbid_unknown_fields=True):
    """Dollars for a million tokens."""

    model: str
    input: Decimal
    output: Decimal
    cache_read: Decimal | None = None
    cache_write_5m: Decimal | None = None
    cache_write_1h: Decimal | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    variant: str = ""
    context: int = 0


class _Discount(Struct, frozen=True, forbid_unknown_fields=True):
    provider: str
    percent_off: Decimal
    valid_from: date | None = None
    valid_to: date | None = None


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    currency: str = CURRENCY
    price: tuple[_Price, ...] = ()
    discount: tuple[_Discount, ...] = ()


class ContractPrice(Struct, frozen=True):
    """What a contract says of a row of usage."""

    rates: TokenRates
    is_on_list: bool
    """A discount on the list, so the list's version matters too."""
    is_floor: bool = False


class RateCard:
    """A card that can be asked."""

    def __init__(self, file: _File, prices: tuple[PriceRow, ...], text: str) -> None:
        self.name = file.name
        self.text = text
        """The file, so that it can be read again when another one is in use."""
        digest = hashlib.sha256(msgspec.json.encode(file, order="deterministic")).hexdigest()
        self.version = f"{file.name}-{digest[:12]}"
        """The card's name and a digest: other prices under the same name are another version."""
        self._discounts = file.discount
        self._prices: defaultdict[tuple[str, str], list[PriceRow]] = defaultdict(list)
        for row in sorted(prices, key=lambda row: (row.context, row.valid_from or date.min)):
            self._prices[row.model, row.variant].append(row)
        self._patterns = sorted({name for name, _ in self._prices}, key=_exactness)

    def find(
        self,
        model: str | None,
        day: date,
        variant: str = "",
        context: int | None = 0,
        *,
        prices: PriceList,
    ) -> ContractPrice | None:
        """Return the price of answers of a model on a day; ``None``: the card names none.

        Own prices go before discounts; of several patterns the longest, of several days the latest
        counts.
        """
        if model is None:
            return None
        own = self._own(model, day, variant, context)
        if own is not None:
            return ContractPrice(rates=own.rates, is_on_list=False, is_floor=own.is_floor)
        row = prices.find(model, day, variant, context)
        percent = self._percent_off(row.provider, day) if row else None
        if row is None or percent is None:
            return None
        return ContractPrice(
            rates=_discounted(row.rates, percent), is_on_list=True, is_floor=row.is_floor
        )

    def _own(self, model: str, day: date, variant: str, context: int | None) -> PriceRow | None:
        name = named(model)
        names = (listed(model), *(name.names if name else ()))
        told = filter(None, variant.split(","))
        words = joined((name.variant if name else frozenset()).union(told))
        for pattern in self._patterns:
            if any(_matches(pattern, one) for one in names):
                row = by_context(self._prices.get((pattern, words), ()), day, context)
                if row:
                    return row
        return None

    def _percent_off(self, provider: str, day: date) -> Decimal | None:
        fitting = [
            (one.provider != EVERY_MAKER, one.valid_from or date.min, one.percent_off)
            for one in self._discounts
            if one.provider in (provider, EVERY_MAKER)
            and (one.valid_from or date.min) <= day <= (one.valid_to or date.max)
        ]
        return max(fitting)[-1] if fitting else None


def _exactness(pattern: str) -> tuple[bool, int, str]:
    return pattern.endswith("*"), -len(pattern), pattern


def _matches(pattern: str, name: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def _discounted(rates: TokenRates, percent: Decimal) -> TokenRates:
    """Return rates with a discount, each rounded to a whole micro-dollar for a million tokens."""
    left = (100 - percent) / 100
    return TokenRates(
        **{
            kind: None if rate is None else int((rate * left).to_integral_value(ROUND_HALF_EVEN))
            for kind in TokenRates.__struct_fields__
            for rate in [getattr(rates, kind)]
        }
    )


# --- the file -----------------------------------------------------------------------------------


def read_rate_card(text: str) -> RateCard:
    """Return a card from TOML.

    Raises `RateCardError`, which names the line of what is no TOML, else the key: ``price[2]`` is
    the second price of the file.
    """
    if len(text.encode()) > LARGEST:
        raise RateCardError(f"the rate card is above {LARGEST // 1024} KiB")
    try:
        told = tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise RateCardError(f"the rate card is no TOML: {error}") from None
    try:
        file = msgspec.convert(told, _File)
    except msgspec.ValidationError as error:
        raise RateCardError(f"the rate card: {_counted(str(error))}") from None
    if file.currency.upper() != CURRENCY:
        raise RateCardError(f"currency: {file.currency[:20]!r} is not read, only {CURRENCY} is")
    if not file.name.strip() or len(file.name) > 80 or not file.name.isprintable():
        raise RateCardError("name: it needs one to 80 printable characters")
    if not file.price and not file.discount:
        raise RateCardError("the rate card names no price or discount")
    for number, discount in enumerate(file.discount, 1):
        _check_discount(f"discount[{number}]", discount)
    rows = tuple(_row(f"price[{number}]", one) for number, one in enumerate(file.price, 1))
    _check_apart(rows)
    return RateCard(file, rows, text)


def _counted(problem: str) -> str:
    """Return msgspec's words with the key as we write it: it counts from 0, people from 1."""
    from_one = _NUMBER.sub(lambda found: f"[{int(found[1]) + 1}]", problem)
    return from_one.replace("`$.", "`")


def _check_discount(key: str, one: _Discount) -> None:
    percent = one.percent_off
    is_near = percent.is_finite() and 0 <= percent <= 100
    if not is_near or percent != round(percent, 4):
        raise RateCardError(
            f"{key}.percent_off: {percent} is no percentage from 0 to 100"
            " with four digits after the point at most"
        )
    _check_days(key, one.valid_from, one.valid_to)


def _check_days(key: str, first: date | None, last: date | None) -> None:
    if first and last and first > last:
        raise RateCardError(f"{key}.valid_to: {last} is before valid_from, {first}")


def _row(key: str, one: _Price) -> PriceRow:
    """Return a price as a row, its model's name as names are compared."""
    pattern, star = one.model.removesuffix("*"), one.model.endswith("*")
    if "*" in pattern or not one.model.strip():
        raise RateCardError(f"{key}.model: {one.model[:80]!r} is no name, nor its beginning and *")
    words = [word for word in one.variant.split(",") if word]
    if set(words) - set(VARIANTS):
        raise RateCardError(f"{key}.variant: {one.variant[:80]!r} names none of {VARIANTS}")
    if one.context not in (lengths := (0, *tiers_of(one.model))):
        raise RateCardError(f"{key}.context: {one.context} is none of {lengths}")
    _check_days(key, one.valid_from, one.valid_to)
    return PriceRow(
        provider="",
        model=listed(pattern) + "*" * star,
        rates=TokenRates(**{kind: _rate(key, kind, one) for kind in TokenRates.__struct_fields__}),
        valid_from=one.valid_from,
        valid_to=one.valid_to,
        variant=joined(words),
        context=one.context,
    )


def _rate(key: str, kind: str, one: _Price) -> int | None:
    amount: Decimal | None = getattr(one, kind)
    if amount is None:
        return None
    try:
        rate = from_dollars(amount)
    except MoneyError as error:
        raise RateCardError(f"{key}.{kind}: {error}") from None
    if not 0 <= rate <= 10**12 or rate != amount * 10**6:
        raise RateCardError(
            f"{key}.{kind}: {amount} is no amount of dollars for a million tokens,"
            " 0 to a million with six digits after the point at most"
        )
    return rate


def _check_apart(rows: tuple[PriceRow, ...]) -> None:
    """Refuse two prices of the same model, variant and length from the same day on."""
    seen: dict[tuple[object, ...], int] = {}
    for number, row in enumerate(rows, 1):
        key = row.model, row.variant, row.context, row.valid_from
        if key in seen:
            raise RateCardError(f"price[{number}]: price[{seen[key]}] is for the same, same day on")
        seen[key] = number
