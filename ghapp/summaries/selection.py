"""What a query over many audits selects, how it sorts, and who its answer names.

It queries no database and counts nothing. Days are UTC days; weeks begin on Monday.
"""

import hashlib
from datetime import date, timedelta
from enum import StrEnum

from ghapp.attribution.model import AuditState, Struct, Verdict

SMALLEST_GROUP = 5
"""Fewer people than this are not shown by themselves: the numbers would be about persons."""

LEADERBOARD = 10
"""Rows of a leaderboard, as in Anthropic's own dashboard."""


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
    """In counts, "with" means with this agent, and the other pull requests stay in the
    denominator. Lists, directories and languages include only pull requests with this agent."""
    verdict: Verdict | None = None
    state: AuditState | None = None
    share_from: float | None = None
    """Smallest share, 0 to 1; excludes pull requests without a share."""
    share_to: float | None = None
    path: str | None = None
    """A directory: pull requests that add lines in it or below it."""

    @property
    def is_plain(self) -> bool:
        """Return whether only repositories and days are selected."""
        return self == PullSelection(self.repository_ids, since=self.since, until=self.until)


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
