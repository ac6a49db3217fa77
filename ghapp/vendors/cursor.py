"""Cursor's Admin API: tokens, money and decided edits by person and UTC day.

Usage events carry tokens and cents; daily usage carries what people accepted and rejected. Cursor
aggregates by the hour, and takes 20 requests a minute. ``chargedCents`` is the model's price and
Cursor's fee; an event that is not chargeable is part of the subscription and bills nothing.
Completions (tabs) are no edits of an agent, and are not read.
https://cursor.com/docs/account/teams/admin-api
"""

import base64
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TypeVar

import msgspec

from ghapp.attribution.model import Struct
from ghapp.usage.amounts import VendorAmount
from ghapp.usage.answers import Count, TokenCounts
from ghapp.usage.days import OTHER_TOOL, UsageRow
from ghapp.usage.decisions import EditDecision
from ghapp.usage.sources import of_email
from ghapp.vendors.asking import MOST_PAGES, VendorRequests, check_rows
from ghapp.vendors.nouns import (
    Money,
    PersonDay,
    ReportedDay,
    ShortText,
    decisions_of,
    micros,
    tokens_of,
)
from ghapp.vendors.refusals import WrongAnswer
from ghapp.vendors.vendor import AgentVendor, VendorReport

EVENTS, DAILY = "/teams/filtered-usage-events", "/teams/daily-usage-data"
AGENT = "cursor"
MOST = 1000
"""Rows of a page."""
DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class _Tokens(Struct, frozen=True, rename="camel"):
    input_tokens: Count = 0
    output_tokens: Count = 0
    cache_write_tokens: Count = 0
    cache_read_tokens: Count = 0
    total_cents: Money | None = None


class _Event(Struct, frozen=True, rename="camel"):
    timestamp: ShortText | int
    user_email: ShortText | None = None
    """``None``: of the team, not of a person."""
    model: ShortText | None = None
    kind: ShortText | None = None
    is_chargeable: bool = True
    token_usage: _Tokens | None = None
    charged_cents: Money | None = None

    @property
    def billed(self) -> Decimal | None:
        return self.charged_cents if self.is_chargeable else Decimal(0)

    @property
    def list_price(self) -> Decimal | None:
        return self.token_usage.total_cents if self.token_usage else None


class _Person(Struct, frozen=True, rename="camel"):
    date: int
    email: ShortText | None = None
    total_accepts: Count = 0
    total_rejects: Count = 0
    agent_requests: Count = 0
    composer_requests: Count = 0


class _Pagination(Struct, frozen=True, rename="camel"):
    has_next_page: bool = False


class _Events(Struct, frozen=True, rename="camel"):
    usage_events: tuple[_Event, ...]
    pagination: _Pagination
    total_usage_events_count: Count


class _Daily(Struct, frozen=True, rename="camel"):
    data: tuple[_Person, ...]
    pagination: _Pagination = _Pagination()
    """Older forms of the answer are one page without it."""


PageT = TypeVar("PageT", _Events, _Daily)
_PATHS: Mapping[type[Struct], str] = {_Events: EVENTS, _Daily: DAILY}


def _page(asking: VendorRequests, kind: type[PageT], day: date, number: int) -> PageT:
    begin = _milliseconds(day)
    body = {
        "startDate": begin,
        "endDate": begin + DAY // MILLISECOND - 1,
        "page": number,
        "pageSize": MOST,
    }
    return asking.json("POST", _PATHS[kind], kind, body=body)


def _milliseconds(day: date) -> int:
    return (datetime.combine(day, time(), UTC) - EPOCH) // MILLISECOND


def _pages(ask: Callable[[int], PageT], what: str) -> Iterator[PageT]:
    for number in range(1, MOST_PAGES + 1):
        page = ask(number)
        yield page
        if not page.pagination.has_next_page:
            return
    raise WrongAnswer(f"{what}: its pages never end")


def read(asking: VendorRequests, day: date) -> ReportedDay:
    """Return the day's people and what they cost; what is told twice counts once."""
    events, active = _events(asking, day), _people(asking, day)
    people = tuple(
        PersonDay(identity=of_email(email), agent=AGENT, rows=rows)
        for email, rows in _by_person(events, active, day)
    )
    return ReportedDay(people=people, amounts=tuple(_amounts(events)))


def _events(asking: VendorRequests, day: date) -> tuple[_Event, ...]:
    what, told = f"POST {EVENTS}", 0
    # Events have no id; two equal ones in one millisecond are one that two pages tell.
    found: dict[bytes, _Event] = {}
    for page in _pages(lambda number: _page(asking, _Events, day, number), what):
        told += len(page.usage_events)
        check_rows(told, what)
        found.update(
            (msgspec.json.encode(one), one)
            for one in page.usage_events
            if _is_of(day, _at(one, what), what)
        )
        announced = page.total_usage_events_count
    if told < announced:
        raise WrongAnswer(f"{what}: {announced} events were announced and {told} came")
    return tuple(found.values())


def _at(one: _Event, what: str) -> int:
    try:
        return int(one.timestamp)
    except ValueError:
        raise WrongAnswer(f"{what}: usageEvents[].timestamp is no number") from None


def _is_of(day: date, at: int, what: str) -> bool:
    """Return whether milliseconds are of the day; the days beside it may be told, too."""
    days = (at - _milliseconds(day)) // (DAY // MILLISECOND)
    if abs(days) > 1:
        raise WrongAnswer(f"{what}: it was asked for {day} and tells of another day")
    return days == 0


def _people(asking: VendorRequests, day: date) -> Mapping[str, _Person]:
    what, told = f"POST {DAILY}", 0
    found: dict[str, _Person] = {}
    for page in _pages(lambda number: _page(asking, _Daily, day, number), what):
        told += len(page.data)
        check_rows(told, what)
        found.update(
            (one.email.lower(), one)
            for one in page.data
            if one.email and _is_of(day, one.date, what)
        )
    return found


def _by_person(
    events: Iterable[_Event], people: Mapping[str, _Person], day: date
) -> Iterator[tuple[str, tuple[UsageRow, ...]]]:
    rows: defaultdict[str, list[UsageRow]] = defaultdict(list)
    for one in events:
        if one.token_usage and one.user_email:
            rows[one.user_email.lower()].append(_tokens(one, one.token_usage, day))
    for email, person in people.items():
        decided = {
            (OTHER_TOOL, EditDecision.ACCEPTED): person.total_accepts,
            (OTHER_TOOL, EditDecision.REFUSED): person.total_rejects,
        }
        asked = person.agent_requests + person.composer_requests
        if asked and not rows[email]:
            # Whoever asked an agent was active, even where the events tell no tokens.
            rows[email].append(tokens_of(AGENT, day, TokenCounts(), model=None))
        rows[email] += decisions_of(AGENT, day, decided)
    yield from ((email, tuple(own)) for email, own in rows.items() if own)


def _tokens(event: _Event, told: _Tokens, day: date) -> UsageRow:
    counts = TokenCounts(
        input=told.input_tokens,
        output=told.output_tokens,
        cache_read=told.cache_read_tokens,
        cache_write_unsplit=told.cache_write_tokens,
    )
    return tokens_of(AGENT, day, counts, model=event.model, answers=1)


def _amounts(events: Iterable[_Event]) -> Iterator[VendorAmount]:
    """Yield the sums of people, models and kinds; cents are added before they are rounded."""
    parts: defaultdict[tuple[str, str | None, str], list[_Event]] = defaultdict(list)
    for one in events:
        parts[(one.user_email or "").lower(), one.model, one.kind or ""].append(one)
    for (email, model, kind), own in parts.items():
        yield VendorAmount(
            product=kind,
            billed=_sum(one.billed for one in own),
            list_price=_sum(one.list_price for one in own),
            identity=of_email(email) if email else None,
            agent=AGENT,
            model=model,
        )


def _sum(cents: Iterable[Decimal | None]) -> int | None:
    """Return known cents as micro-dollars; ``None``: none of them is known."""
    known = [one for one in cents if one is not None]
    for one in known:
        micros(one, "usageEvents[] in cents")
    return micros(sum(known, Decimal(0)), "usageEvents[] in cents") if known else None


def _headers(key: str) -> Mapping[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


VENDOR = AgentVendor(
    name="cursor",
    title="Cursor",
    key_is="an Admin API key, which a team administrator makes in Cursor's dashboard under "
    "Settings",
    address="https://api.cursor.com",
    headers=_headers,
    reports=(
        VendorReport(
            name="admin",
            title="Cursor Admin API",
            read=read,
            try_key=lambda asking, day: _page(asking, _Daily, day, 1),
        ),
    ),
)
