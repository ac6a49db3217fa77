"""What a question about many audits selects, how it is ordered, and who is named in its answer.

It asks no database and counts nothing. Days are UTC days; weeks begin on Monday.
"""

import hashlib
from datetime import date, timedelta
from enum import StrEnum

from ghapp.attribution.model import AuditState, Struct, Verdict

SMALLEST_GROUP = 5
"""Numbers of fewer people are not broken out: they would be numbers about persons."""


LEADERBOARD = 10
"""Rows of a leaderboard, as in the native dashboard."""


class TimeGrain(StrEnum):
    """What one point of a series covers."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def start(self, day: date) -> date:
        """Return the first day of the day's point."""
        if self is TimeGrain.WEEK:
            return day - timedelta(days=day.weekday())
        return day.replace(day=1) if self is TimeGrain.MONTH else day

    def next(self, start: date) -> date:
        """Return the first day of the point after the one that begins at ``start``."""
        if self is TimeGrain.MONTH:
            return (start + timedelta(days=31)).replace(day=1)
        return start + timedelta(days=7 if self is TimeGrain.WEEK else 1)


class NamesShown(StrEnum):
    """How people stand in summaries (setting ``GHAPP_NAMES``)."""

    TEAMS = "teams"
    """Only teams are named; nothing is said of a single person."""
    PSEUDONYMS = "pseudonyms"
    PEOPLE = "people"


class PersonNaming(Struct, frozen=True):
    """How people are named here."""

    names: NamesShown = NamesShown.TEAMS
    key: bytes = b""
    """Makes pseudonyms that nobody can guess without it; not empty where there are any."""

    def of(self, login: str) -> str:
        """Return a person's name as it may be shown: the login, or a pseudonym."""
        if self.names is NamesShown.PEOPLE:
            return login
        digest = hashlib.blake2b(login.lower().encode(), key=self.key[:64], digest_size=4)
        return f"person-{digest.hexdigest()}"


class NotShown(ValueError):  # noqa: N818 - it is a decision of the organization's, no fault
    """A question about one person, or about a group that is too small to be told from one."""


class PullSelection(Struct, frozen=True):
    """Which merged pull requests are meant. What is ``None`` or empty selects nothing away."""

    repository_ids: tuple[int, ...]
    """Only these, which the reader may read; empty: no pull request at all."""
    since: date | None = None
    """First day of merging (UTC)."""
    until: date | None = None
    """Last day of merging, included."""
    author: str | None = None
    """Login in any case of letters; refused unless people are named here."""
    team: str | None = None
    agent: str | None = None
    """In counts "with" means with this agent, and the other pull requests stay in the
    denominator. In lists, and for directories and languages: pull requests with this agent."""
    verdict: Verdict | None = None
    state: AuditState | None = None
    share_from: float | None = None
    """Smallest share, 0 to 1; pull requests without a share are selected away."""
    share_to: float | None = None
    path: str | None = None
    """A directory: pull requests that add lines below it, or in files right in it."""

    @property
    def is_plain(self) -> bool:
        """Say whether only repositories and days are asked for."""
        return self == PullSelection(self.repository_ids, since=self.since, until=self.until)


class PullOrder(StrEnum):
    """What a list of pull requests is sorted by, greatest first."""

    MERGED = "merged"
    EFFECTIVE = "effective"
    ATTRIBUTED = "attributed"
    SHARE = "share"


class ListSlice(Struct, frozen=True):
    """Which rows of a list, in which order."""

    order: PullOrder = PullOrder.MERGED
    ascending: bool = False
    after: str | None = None
    """`PullPage.after` of the rows before; ``None``: from the first."""
    limit: int = 50


class RankBy(StrEnum):
    """What a leaderboard counts."""

    PULLS = "pulls"
    LINES = "lines"
