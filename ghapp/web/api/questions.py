"""The query parameters of the API: parsed once, and refused with 400 where they are invalid."""

from datetime import date
from typing import Annotated, TypeVar

import msgspec
from flask import abort, request

from ghapp.attribution.model import AuditState, Struct, Verdict
from ghapp.summaries.periods import DayPeriod
from ghapp.summaries.selection import (
    ListSlice,
    PullOrder,
    PullSelection,
    TimeGrain,
    check_days,
    check_shares,
    year_before,
)

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=200)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]

QuestionT = TypeVar("QuestionT", bound=Struct)


class NoParameters(Struct, frozen=True, forbid_unknown_fields=True):
    """No query parameters."""


class PageParameters(Struct, frozen=True, forbid_unknown_fields=True):
    """How much of a list."""

    after: Text | None = None
    """From the ``Link`` header of the previous page; ``None``: from the beginning."""
    limit: Limit = 50


class FilterParameters(Struct, frozen=True, forbid_unknown_fields=True):
    """Which merged pull requests; see `ghapp.summaries.selection.PullSelection`."""

    since: date | None = None
    until: date | None = None
    author: Text | None = None
    team: Text | None = None
    agent: Text | None = None
    verdict: Verdict | None = None
    state: AuditState | None = None
    share_from: Share | None = None
    share_to: Share | None = None
    path: Text | None = None
    base: Text | None = None

    def __post_init__(self) -> None:
        check_days(self.since, self.until)
        check_shares(self.share_from, self.share_to)

    def of(self, repository_ids: tuple[int, ...]) -> PullSelection:
        """Return the selection within these repositories."""
        given = {name: getattr(self, name) for name in FilterParameters.__struct_fields__}
        return PullSelection(repository_ids=repository_ids, **given)


class SpanParameters(Struct, frozen=True, forbid_unknown_fields=True):
    """Which days; by default the last ones up to today."""

    since: date | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        check_days(self.since, self.until)


def period_of(since: date | None, until: date | None, today: date) -> DayPeriod:
    """Return the days asked for, by default twelve months up to today; 400 if they begin later."""
    last = until or today
    first = since or year_before(last)
    if first > last:
        abort(400, f"since is {first}, after today; give until, too")
    return DayPeriod(first, last)


EVERY_AGENT = "any"


class UserParameters(FilterParameters, frozen=True, forbid_unknown_fields=True):
    """Whose numbers, and what counts as "with": by default Claude Code, as in the native table."""

    counting: Text = "claude-code"
    """An agent, or `EVERY_AGENT`."""

    def of(self, repository_ids: tuple[int, ...]) -> PullSelection:
        """Return the selection within these repositories."""
        counting = None if self.counting == EVERY_AGENT else self.counting
        return msgspec.structs.replace(super().of(repository_ids), counting=counting)


class SummaryParameters(FilterParameters, frozen=True, forbid_unknown_fields=True):
    """Which pull requests are counted, and what one point of a series covers."""

    grain: TimeGrain = TimeGrain.WEEK


class ListParameters(FilterParameters, frozen=True, forbid_unknown_fields=True):
    """Which pull requests are listed, in which order."""

    sort: PullOrder = PullOrder.MERGED
    ascending: bool = False
    after: Text | None = None
    limit: Limit = 50

    @property
    def listing(self) -> ListSlice:
        """The rows to list."""
        return ListSlice(
            order=self.sort, ascending=self.ascending, after=self.after, limit=self.limit
        )


class LineParameters(Struct, frozen=True, forbid_unknown_fields=True):
    """Which added lines of a pull request."""

    audit: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)] | None = None
    """Number of the audit; by default the one in force."""
    path: Annotated[str, msgspec.Meta(min_length=1, max_length=4_096)] | None = None
    reason: Text | None = None
    attributed: bool | None = None
    after: Text | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=2_000)] = 500


def read(kind: type[QuestionT]) -> QuestionT:
    """Return this request's query parameters; 400 names the invalid one."""
    given = request.args.to_dict(flat=False)
    repeated = sorted(name for name, values in given.items() if len(values) > 1)
    if repeated:
        abort(400, f"{repeated[0]} is in the address {len(given[repeated[0]])} times; give it once")
    try:
        return msgspec.convert(
            {name: value for name, (value,) in given.items()}, kind, strict=False
        )
    except msgspec.ValidationError as error:
        abort(400, f"invalid query: {error}")
