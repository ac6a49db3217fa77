"""The query parameters of a page: parses them, and makes links that change some of them.

The address alone decides what a page shows, so a link shows the same again.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, NoReturn, TypeVar

import msgspec
from flask import Flask, abort, current_app, request, url_for

from ghapp.attribution.model import AuditState, Struct, Verdict
from ghapp.reports.words import agent_name
from ghapp.summaries.periods import (
    ONE_DAY,
    DayPeriod,
    presets,
    quarter_before,
    quarter_name,
    quarter_of,
)
from ghapp.summaries.segments import SegmentKind
from ghapp.summaries.selection import (
    ListSlice,
    PullOrder,
    PullSelection,
    RankBy,
    TimeGrain,
    check_days,
    check_shares,
    drawn_grain,
    year_before,
)
from ghapp.web.api.operation import operation_of

WORDS = {
    "author": "by {}",
    "team": "team {}",
    "agent": "with {}",
    "verdict": "{}",
    "state": "{}",
    "share_from": "share from {}%",
    "share_to": "share up to {}%",
    "path": "in {}",
    "base": "merged into {}",
}
"""Query parameter → words for its filter."""

SEGMENTS = frozenset({"by", *SegmentKind})
"""Query parameters of the page of adoption: which groups it shows, and whose."""

FILTERS = frozenset({*WORDS, "since", "until", "basis"})
VIEW = frozenset(
    {"since", "until", "basis", "grain", "sort", "ascending", "after", "board", "repositories"}
)
"""Query parameters that are no filters: days, and how a page shows what it found."""


BY_ONE = {"day": "day by day", "week": "week by week"}


OF_THE_CHART = dict.fromkeys(("grain", "board", "repositories", "after"))
"""Parameters that mean nothing where a step of a chart leads."""


class _Switch(Enum):
    ON = "1"
    OFF = "0"


class _Repositories(Enum):
    ALL = "all"


EnumT = TypeVar("EnumT", bound=Enum)
ViewT = TypeVar("ViewT", bound=Callable[..., Any])

_TAKEN: dict[Callable[..., Any], frozenset[str]] = {}


def takes(names: Collection[str]) -> Callable[[ViewT], ViewT]:
    """Note which of `FILTERS` a page takes; stands directly below the route's decorator."""

    def note(view: ViewT) -> ViewT:
        _TAKEN[view] = frozenset(names)
        return view

    return note


def add_refusals(app: Flask) -> None:
    """Answer 400 where the address of a page has a filter that the page would ignore."""
    app.before_request(_refuse_ignored)


def _refuse_ignored() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or not request.view_args or operation_of(view) is not None:
        return
    ignored = sorted(FILTERS & request.args.keys() - _TAKEN.get(view, frozenset()))
    if ignored:
        abort(400, f"{ignored[0]} is no filter of this page; leave it out of the address")


class PageQuery(Struct, frozen=True):
    """The parsed query of one page."""

    selection: PullSelection
    grain: TimeGrain
    listing: ListSlice
    by: RankBy
    today: date
    whole: bool
    """Whether to list every repository, however many there are."""

    @property
    def filters(self) -> list[tuple[str, str, str]]:
        """Active filters except the days: name, words, and the address without the filter."""
        return active()

    def exported(self, endpoint: str, **more: str) -> str:
        """Return the address of the API that exports what this page selects."""
        selection = msgspec.structs.asdict(self.selection)
        del selection["repository_ids"]
        asked = {name: value for name, value in selection.items() if value is not None}
        return url_for(endpoint, **{**more, **asked, **(request.view_args or {})})

    @property
    def period(self) -> DayPeriod:
        """The selected days; `asked_for` has given both ends."""
        since, until = self.selection.since, self.selection.until
        return DayPeriod(since or self.today, until or self.today)

    def behind(
        self, endpoint: str, step: TimeGrain, **changes: str | None
    ) -> Callable[[date], str]:
        """Return for the first day of a step of a chart the address of what it counts.

        Days outside the selection are not counted.
        """

        def address(start: date) -> str:
            since = max(start, self.period.since)
            until = min(step.next(start) - ONE_DAY, self.period.until)
            days = {"since": str(since), "until": str(until)}
            return elsewhere(endpoint, **{**OF_THE_CHART, **days, **changes})

        return address

    @property
    def quarter(self) -> str:
        """The quarter that the selected days belong to; of any others, the last one."""
        name = quarter_name(self.period.since)
        is_one = self.period.since == quarter_of(name).since and name == quarter_name(
            self.period.until
        )
        return name if is_one else quarter_name(quarter_before(self.today).since)

    @property
    def spans(self) -> list[tuple[str, str, bool]]:
        """Words and address of each period, and whether it is the current one."""
        return [
            (words, here(since=str(one.since), until=str(one.until)), one == self.period)
            for words, one in presets(self.today)
        ]

    @property
    def grains(self) -> list[tuple[str, str, bool]]:
        """Words and address of each grain, and whether it is the current one."""
        return [
            (grain.value.title(), here(grain=grain.value), grain is self.grain)
            for grain in TimeGrain
        ]

    @property
    def coarser(self) -> str | None:
        """Say why charts do not have the grain that is asked for; ``None``: they have it."""
        asked = request.args.get("grain")
        if not asked or asked == self.grain:
            return None
        return f"By {self.grain}: so many days cannot be read {BY_ONE[asked]}."


def asked_for(
    repository_ids: tuple[int, ...], today: date, more: Collection[str] = ()
) -> PageQuery:
    """Parse the address of this request; 400 names the invalid parameter.

    Without days, the selection covers the twelve months up to ``today``. ``more``: parameters that
    the page parses by itself.
    """
    _check_names(more)
    since, until = _day("since"), _day("until")
    first, last = _percent("share_from"), _percent("share_to")
    try:
        check_days(since, until)
        check_shares(first, last)
        since = since or year_before(until or today)
        check_days(since, until or today)
    except ValueError as error:
        abort(400, str(error))
    selection = PullSelection(
        repository_ids=repository_ids,
        since=since,
        until=until or today,
        author=_text("author"),
        team=_text("team"),
        agent=_text("agent"),
        verdict=_one_of("verdict", Verdict),
        state=_one_of("state", AuditState),
        share_from=first,
        share_to=last,
        path=(_text("path") or "").strip("/") or None,
        base=_text("base"),
    )
    listing = ListSlice(
        order=_one_of("sort", PullOrder) or PullOrder.MERGED,
        ascending=_one_of("ascending", _Switch) is _Switch.ON,
        after=_text("after"),
    )
    return PageQuery(
        selection=selection,
        grain=drawn_grain(_one_of("grain", TimeGrain) or TimeGrain.WEEK, since, until or today),
        listing=listing,
        by=_one_of("board", RankBy) or RankBy.PULLS,
        today=today,
        whole=_one_of("repositories", _Repositories) is not None,
    )


def here(**changes: str | None) -> str:
    """Return this page's address with some parameters changed; ``None`` removes one.

    It drops ``after``: a place in one list means nothing in another.
    """
    return elsewhere(str(request.endpoint), **{"after": None, **changes})


def elsewhere(endpoint: str, **changes: str | int | None) -> str:
    """Return another page's address with the same parameters, some of them changed."""
    kept = {name: value for name, value in request.args.items() if value}
    merged = {**kept, **(request.view_args or {}), **changes}
    return url_for(endpoint, **{name: value for name, value in merged.items() if value is not None})


def active() -> list[tuple[str, str, str]]:
    """Return this request's filters except the days, as `PageQuery.filters` does."""
    return [
        (name, words.format(_said(name, value)), here(**{name: None}))
        for name, words in WORDS.items()
        if (value := request.args.get(name))
    ]


def wider() -> list[tuple[str, str]]:
    """Return words and address of each page that selects less narrowly than this one."""
    days = {"since", "until"} & request.args.keys()
    whole = [("12 months", here(since=None, until=None))] if days else []
    return whole + [(f"without “{words}”", address) for _, words, address in active()]


def carried(*shown: str) -> Iterator[tuple[str, str]]:
    """Yield the parameters that a form with these fields has to keep as hidden fields."""
    for name, value in request.args.items():
        if value and name not in {*shown, "after"}:
            yield name, value


def _said(name: str, value: str) -> str:
    """Write the value of a filter: ids in words, anything else as it is."""
    if name == "agent":
        return agent_name(value)
    return value.replace("_", " ") if name in {"verdict", "state"} else value


def _check_names(more: Collection[str]) -> None:
    """Answer 400 if the address has a parameter that these pages do not know, or one twice."""
    for name, values in request.args.lists():
        if name not in WORDS and name not in VIEW and name not in more:
            abort(400, f"{name} in the address means nothing here; leave it out")
        if len(values) > 1:
            abort(400, f"{name} is in the address {len(values)} times; give it once")


def _text(name: str) -> str | None:
    return request.args.get(name, "").strip() or None


def _day(name: str) -> date | None:
    text = _text(name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        _wrong(name, "a day such as 2026-05-20")


def _percent(name: str) -> float | None:
    text = _text(name)
    try:
        number = Decimal(text) if text else None
        is_right = number is None or 0 <= number <= 100
    except InvalidOperation:  # no number, or NaN, which cannot be compared
        is_right = False
    if not is_right:
        _wrong(name, "a percentage from 0 to 100")
    # Exactly: 35.71 / 100 as floats is a little more than the share 0.3571 of a document.
    return None if number is None else float(number / 100)


def _one_of(name: str, kind: type[EnumT]) -> EnumT | None:
    text = _text(name)
    try:
        return kind(text) if text else None
    except ValueError:
        _wrong(name, "one of " + ", ".join(str(one.value) for one in kind))


def _wrong(name: str, expected: str) -> NoReturn:
    abort(400, f"{name} in the address is {request.args[name]!r}; give {expected}")
