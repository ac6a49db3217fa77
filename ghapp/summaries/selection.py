"""What a query over many audits selects, how it sorts, and who its answer names.

It queries no database and counts nothing. Days are UTC days; weeks begin on Monday.
"""

import hashlib
from datetime import date, timedelta
from enum import StrEnum

import msgspec

from ghapp.attribution.model import AuditState, Struct, Verdict

SMALLEST_GROUP = 5
"""Fewer people than this are not shown by themselves: the numbers would be about persons."""

EVERY_BASE = "any"
"""Selects merges into every branch. A branch of that name cannot be selected."""

LEADERBOARD = 10
"""Rows of a leaderboard, as in Anthropic's own dashboard."""


EARLIEST, LATEST = date(2000, 1, 1), date(2099, 12, 31)
"""Days that can be selected. A chart of days over all of them is still one that can be sent."""


A_YEAR = timedelta(days=364)
"""Days before the last one that summaries cover by default."""


def year_before(until: date) -> date:
    """Return the first of the twelve months up to a day, as far as days can be selected."""
    return max(until - A_YEAR, EARLIEST)


def check_days(since: date | None, until: date | None) -> None:
    """Raise `ValueError`, with a sentence for a person, if these days select nothing at all."""
    for name, day in (("since", since), ("until", until)):
        if day is not None and not EARLIEST <= day <= LATEST:
            raise ValueError(f"{name} is {day}; give a day from {EARLIEST} to {LATEST}")
    if since is not None and until is not None and since > until:
        raise ValueError(f"since is {since}, after until, {until}; give the earlier day first")


def check_shares(least: float | None, most: float | None) -> None:
    """Raise `ValueError`, with a sentence for a person, if no share lies between these two."""
    if least is not None and most is not None and least > most:
        raise ValueError("share_from is greater than share_to; give the smaller one first")


class TimeGrain(StrEnum):
    """The period of one point of a series."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def start(self, day: date) -> date:
        """Return the first day of the period that contains a day."""
        if self is TimeGrain.WEEK:
            return day - timedelta(days=day.weekday())
        return day.replace(day=1) if self is TimeGrain.MONTH else day

    def next(self, start: date) -> date:
        """Return the first day of the period after the one that begins at ``start``."""
        if self is TimeGrain.MONTH:
            return (start + timedelta(days=31)).replace(day=1)
        return start + timedelta(days=7 if self is TimeGrain.WEEK else 1)


MOST_DAYS = 92
"""Days of a quarter: more are not drawn day by day, but by week."""
MOST_WEEKS = timedelta(weeks=106)
"""Two years and a bit: longer spans are drawn by month."""


def drawn_grain(asked: TimeGrain, since: date, until: date) -> TimeGrain:
    """Return the grain in which a chart of these days can be read: the one asked for or longer.

    >>> drawn_grain(TimeGrain.DAY, date(2026, 1, 1), date(2026, 12, 31)).value
    'week'
    """
    span = until - since + timedelta(days=1)
    if span > MOST_WEEKS:
        return TimeGrain.MONTH
    return TimeGrain.WEEK if asked is TimeGrain.DAY and span.days > MOST_DAYS else asked


class NamesShown(StrEnum):
    """How summaries name people (setting ``GHAPP_NAMES``)."""

    TEAMS = "teams"
    """Only teams are named; no number is about one person."""
    PSEUDONYMS = "pseudonyms"
    PEOPLE = "people"


class PersonNaming(Struct, frozen=True):
    """How this app names people."""

    names: NamesShown = NamesShown.TEAMS
    key: bytes = b""
    """Key of the pseudonyms, which nobody can guess without it; required for pseudonyms."""

    def of(self, login: str) -> str:
        """Return a person's login or pseudonym, whichever may be shown."""
        if self.names is NamesShown.PEOPLE:
            return login
        digest = hashlib.blake2b(login.lower().encode(), key=self.key[:64], digest_size=4)
        return f"person-{digest.hexdigest()}"


class NotShown(ValueError):  # noqa: N818 - a decision of the organization, not a fault
    """The selection is about one person, or about a group that is too small."""


class WrongPlace(ValueError):  # noqa: N818 - the address is wrong, nothing failed
    """`ListSlice.after` is not a place in the list that is asked for."""


class PullSelection(Struct, frozen=True):
    """Which merged pull requests to select. A member that is ``None`` excludes nothing."""

    repository_ids: tuple[int, ...]
    """Only these, which the reader may read; empty: no pull requests."""
    since: date | None = None
    """First day of the merge (UTC)."""
    until: date | None = None
    """Last day of the merge, inclusive."""
    author: str | None = None
    """Login in any case of letters; allowed only if this app names people."""
    team: str | None = None
    agent: str | None = None
    """Pull requests with at least one line attributed to this agent."""
    verdict: Verdict | None = None
    state: AuditState | None = None
    share_from: float | None = None
    """Smallest share, 0 to 1; excludes pull requests without a share."""
    share_to: float | None = None
    path: str | None = None
    """A directory: pull requests that add lines in it or below it. Directories and languages
    count only the lines there."""
    base: str | None = None
    """Branch that they were merged into; `EVERY_BASE`: any branch. ``None``: the repository's
    default branch, and branches of which that is not known. What is merged into another branch
    reaches the default branch by a later merge, and would count twice."""
    counting: str | None = None
    """Counts "with" this agent only; it excludes no pull request. ``None``: every agent."""

    @property
    def is_plain(self) -> bool:
        """Return whether only repositories and days are selected."""
        return self == PullSelection(self.repository_ids, since=self.since, until=self.until)

    @property
    def is_of_edits(self) -> bool:
        """Return whether edits have everything that is selected: days, a team, an agent."""
        return msgspec.structs.replace(self, team=None, agent=None).is_plain


class PullOrder(StrEnum):
    """What sorts a list of pull requests, greatest first."""

    MERGED = "merged"
    EFFECTIVE = "effective"
    ATTRIBUTED = "attributed"
    SHARE = "share"


class ListSlice(Struct, frozen=True):
    """Which rows of a list, in which order."""

    order: PullOrder = PullOrder.MERGED
    ascending: bool = False
    after: str | None = None
    """`PullPage.after` of the page before; ``None``: the first page."""
    limit: int = 50


class RankBy(StrEnum):
    """What a leaderboard counts."""

    PULLS = "pulls"
    LINES = "lines"
