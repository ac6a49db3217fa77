"""Anthropic's Usage & Cost Analytics API: money, and tokens, by actor, product, model and UTC day.

Amounts are decimal strings in fractional cents, after discounts and before credits, beside the
list price. They say nothing of repositories or of Claude Code's sessions. An organization with
HIPAA readiness is refused. Read in the types of the package ``anthropic`` 2.14.0; beta.
https://platform.claude.com/docs/en/manage-claude/usage-cost-api
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta

from ghapp.attribution.model import Struct
from ghapp.usage.amounts import VendorAmount
from ghapp.usage.answers import Count, TokenCounts
from ghapp.usage.days import TokenDay
from ghapp.usage.sources import IdentityKind, UsageIdentity, of_email
from ghapp.vendors.asking import VendorRequests, pages
from ghapp.vendors.claude_code_analytics import AGENT
from ghapp.vendors.nouns import (
    Money,
    PersonDay,
    ReportedDay,
    ShortText,
    WhoseName,
    micros,
    tokens_of,
)
from ghapp.vendors.refusals import NotThereYet, WrongAnswer
from ghapp.vendors.vendor import VendorReport

BETA = {"anthropic-beta": "analytics-usage-cost-2026-08-24"}
COST, USAGE = "/v1/organizations/analytics/cost", "/v1/organizations/analytics/usage"
CLAUDE_CODE = "claude_code"
"""The product whose tokens are those of a coding agent."""
MOST = 1000
"""Rows of a page."""
GROUPS = ("actor", "model", "product")

ItemT = TypeVar("ItemT", bound="_Item")
Instant = Annotated[datetime, Meta(tz=True)]


class _User(Struct, frozen=True, tag="user_actor", tag_field="type"):
    user_id: WhoseName
    email_address: ShortText | None = None


class _Key(Struct, frozen=True, tag="api_actor", tag_field="type"):
    api_key_id: WhoseName


class _ServiceAccount(Struct, frozen=True, tag="service_account_actor", tag_field="type"):
    service_account_id: WhoseName


class _Federated(Struct, frozen=True, tag="federated_actor", tag_field="type"):
    subject: ShortText | None = None


class _Group(Struct, frozen=True):
    actor: _User | _Key | _ServiceAccount | _Federated | None
    model: ShortText | None
    product: ShortText | None


class _Item(Struct, frozen=True):
    starting_at: Instant
    group: _Group


class _Cost(Struct, frozen=True):
    amount: Money
    list_amount: Money
    currency: ShortText


class _CostItem(_Item, frozen=True):
    cost: _Cost


class _CacheWrite(Struct, frozen=True):
    ephemeral_5m_input_tokens: Count
    ephemeral_1h_input_tokens: Count


class _Usage(Struct, frozen=True):
    uncached_input_tokens: Count
    output_tokens: Count
    cache_read_input_tokens: Count
    cache_creation: _CacheWrite
    requests: Count | None = None


class _UsageItem(_Item, frozen=True):
    usage: _Usage


class _Page(Struct, Generic[ItemT], frozen=True):
    data: tuple[ItemT, ...]
    has_more: bool | None = None
    next_page: str | None = None
    data_refreshed_at: Instant | None = None


def _page(
    asking: VendorRequests, path: str, kind: type[_Page[ItemT]], day: date, **given: object
) -> _Page[ItemT]:
    begin = _midnight(day)
    query = {
        "starting_at": _written(begin),
        "ending_at": _written(begin + timedelta(days=1)),
        "time_bucket_width": "1d",
        "group_by[]": GROUPS,
        "limit": MOST,
        **given,
    }
    return asking.json("GET", path, kind, query=query, headers=BETA)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _written(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def read_costs(asking: VendorRequests, day: date) -> ReportedDay:
    """Return the day's amounts of all products."""
    items = _items(lambda **given: _page(asking, COST, _Page[_CostItem], day, **given), COST, day)
    return ReportedDay(amounts=tuple(map(_amount, items)))


def read_costs_and_tokens(asking: VendorRequests, day: date) -> ReportedDay:
    """Return the day's amounts of all products, and the tokens of Claude Code."""

    def page(**given: object) -> _Page[_UsageItem]:
        only = {"products[]": CLAUDE_CODE}
        return _page(asking, USAGE, _Page[_UsageItem], day, **only, **given)

    people = tuple(
        PersonDay(identity=who, agent=AGENT, rows=(_tokens(one, day),))
        for one in _items(page, USAGE, day)
        if one.group.product == CLAUDE_CODE and (who := _identity(one.group))
    )
    return ReportedDay(people=people, amounts=read_costs(asking, day).amounts)


def _items(page: Callable[..., _Page[ItemT]], path: str, day: date) -> Iterator[ItemT]:
    """Yield the rows of all pages, one for each combination of a group's values.

    Several identities that the vendor cannot show read null, each in a row of its own.
    """
    what = f"GET {path}"
    found: dict[object, ItemT] = {}
    for one in pages(lambda cursor: page(page=cursor), what):
        if one.data_refreshed_at and one.data_refreshed_at < _midnight(day) + timedelta(days=1):
            raise NotThereYet(f"{what}: the day is not whole yet")
        for item in one.data:
            if item.starting_at != _midnight(day):
                raise WrongAnswer(f"{what}: it was asked for {day} and tells of another day")
            found[item.group if item.group.actor else msgspec.json.encode(item)] = item
    yield from found.values()


def _amount(item: _CostItem) -> VendorAmount:
    product, cost = item.group.product or "", item.cost
    return VendorAmount(
        product=product,
        billed=micros(cost.amount, "data[].cost.amount"),
        list_price=micros(cost.list_amount, "data[].cost.list_amount"),
        currency=cost.currency,
        identity=_identity(item.group),
        agent=AGENT if product == CLAUDE_CODE else None,
        model=item.group.model,
    )


def _identity(group: _Group) -> UsageIdentity | None:
    match group.actor:
        case _User(email_address=str(address)) if address:
            return of_email(address)
        case _User(user_id=number):
            return UsageIdentity(IdentityKind.ACCOUNT_UUID, number)
        case _Key(api_key_id=name) | _ServiceAccount(service_account_id=name):
            return UsageIdentity(IdentityKind.API_KEY, name)
        case _Federated(subject=str(name)) if name:
            return UsageIdentity(IdentityKind.API_KEY, name)
        case _:
            return None


def _tokens(item: _UsageItem, day: date) -> TokenDay:
    told = item.usage
    counts = TokenCounts(
        input=told.uncached_input_tokens,
        output=told.output_tokens,
        cache_read=told.cache_read_input_tokens,
        cache_write_5m=told.cache_creation.ephemeral_5m_input_tokens,
        cache_write_1h=told.cache_creation.ephemeral_1h_input_tokens,
    )
    return tokens_of(AGENT, day, counts, model=item.group.model, answers=told.requests)


def _try_key(asking: VendorRequests, day: date) -> object:
    return _page(asking, COST, _Page[_CostItem], day, limit=1)


COSTS = VendorReport(
    name="cost",
    title="Usage & Cost Analytics API, costs",
    read=read_costs,
    try_key=_try_key,
)
COSTS_AND_TOKENS = VendorReport(
    name="usage_and_cost",
    title="Usage & Cost Analytics API",
    read=read_costs_and_tokens,
    try_key=_try_key,
)
