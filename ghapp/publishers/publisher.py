"""The one shape of a publisher, what it is given and returns, and how it makes a thing once.

A publisher reads what is there, works out what should be there, writes only the difference,
and reads it back. Publishing twice therefore writes nothing the second time. The errors of
`ghapp.github.client` pass through it; `registry` says what follows from each.
"""

# ruff: noqa: N818 (an outcome is named by what it means: `NotSeenYet`, not `UnseenError`)

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar

from ghapp.attribution.model import Struct
from ghapp.github.answers import GitHubError, TemporaryFailure
from ghapp.github.client import GitHub
from ghapp.github.pull_requests import PullRequest
from ghapp.reports.annotations import LineAnnotation
from ghapp.reports.markdown import CheckOutput

MOST_TEXT_BYTES = 65_535
"""GitHub's limit for a check run's summary and for its text, read as the stricter of bytes and
characters; a comment may have one more."""

UNSEEN = timedelta(seconds=60)
"""How long something may be there that no read shows: a request may be carried out until its 15
seconds are over (`ghapp.github.transport`), and GitHub's reading side may lag behind by 45."""

MadeT = TypeVar("MadeT")


class NotSeenYet(GitHubError):
    """Something may be there that cannot be seen yet: it is looked for again, then."""

    def __init__(self, until: datetime, what: str) -> None:
        super().__init__(f"{what}; it is looked for again at {until.isoformat()}")
        self.until = until


class NotReadBack(TemporaryFailure):
    """What was written cannot be seen yet: it is looked at again."""

    def __init__(self, name: str, external_id: str) -> None:
        super().__init__(name, "written and not seen yet")
        self.external_id = external_id
        """What has to be remembered all the same."""


class Conclusion(StrEnum):
    """What a check run may conclude. An audit turns nothing red by itself."""

    FAILURE = "failure"
    """Only above a limit that the repository's own policy sets."""
    NEUTRAL = "neutral"
    SUCCESS = "success"


class DesiredState(Struct, frozen=True, kw_only=True):
    """What should stand at a pull request."""

    check: CheckOutput
    conclusion: Conclusion = Conclusion.NEUTRAL
    details_url: str | None = None
    """Page of the audit; ``None``: there is none, the run's own page serves."""
    annotations: tuple[LineAnnotation, ...] = ()
    comment: str | None = None
    """Markdown without marker; ``None``: whatever comment stands is left alone."""
    opens_comment: bool = True
    """Whether a comment is made where none stands. A standing one is kept up to date anyway."""
    labels: frozenset[str] = frozenset()
    asked_again: bool = False
    """A person asked for the check again, so that it is written even if nothing changed:
    GitHub shows it as waiting until then."""


class WriteResult(StrEnum):
    """What a publisher did."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    NOT_WRITTEN = "not_written"


class PublisherReport(Struct, frozen=True, kw_only=True):
    """What one publisher did, and where it can be seen."""

    name: str
    outcome: WriteResult
    detail: str | None = None
    """Why not, or what was mended; ``None``: there is nothing to say."""
    url: str | None = None
    external_id: str | None = None
    """What has to be remembered and given back the next time; ``None``: nothing."""
    confirmed: bool | None = None
    """Whether what was read back is what was asked for; ``None``: nothing was written."""
    by_choice: bool = False
    """Not written because a person wants it so: nothing has to be mended."""

    @property
    def problem(self) -> str | None:
        """Return what people should be told; ``None``: all is well."""
        if self.outcome is WriteResult.NOT_WRITTEN and not self.by_choice:
            return f"{self.name}: {self.detail}"
        if self.confirmed is False:
            return f"{self.name}: written, and read back differently"
        return None


class PublisherMemory(Struct, frozen=True, kw_only=True):
    """What is remembered of one publisher at one pull request."""

    note: Callable[[], None]
    """Writes down for good that something new is about to be made, before GitHub is asked."""
    external_id: str | None = None
    """As the last `PublisherReport` said; ``None``: nothing is known of one."""
    noted_at: datetime | None = None
    """When that was noted last; ``None``: never."""


Memories = Mapping[str, PublisherMemory]
"""Publisher's name to what is remembered of it for this pull request."""


class Publisher(Protocol):
    """A module that keeps one kind of thing up to date; siblings never import each other."""

    NAME: str

    def publish(
        self, desired: DesiredState, pull: PullRequest, github: GitHub, memory: PublisherMemory
    ) -> PublisherReport:
        """Bring one thing up to date."""


def expect_seen(github: GitHub, memory: PublisherMemory, name: str) -> None:
    """Raise `NotSeenYet` where an earlier try may have made what was not found."""
    if memory.noted_at is not None and github.now() < memory.noted_at + UNSEEN:
        raise NotSeenYet(memory.noted_at + UNSEEN, f"{name}: an earlier try may have made it")


def make_once(make: Callable[[], MadeT], find: Callable[[], list[MadeT]]) -> tuple[MadeT, bool]:
    """Make what must not stand twice; return it, and whether it is new and just as asked for.

    A process may die between GitHub's deed and our writing it down, and the next read may be
    older than the deed. So ``make`` has it noted right before the request leaves, and whoever
    finds nothing asks `expect_seen` before coming here.
    """
    try:
        return make(), True
    except TemporaryFailure:
        # It may have been made all the same: read, and never post blindly again.
        found = find()
        if not found:
            raise
        return found[0], False


def read_back(found: list[MadeT], name: str, external_id: str) -> MadeT:
    """Return what was read after a write; raises `NotReadBack` where nothing was."""
    if not found:
        raise NotReadBack(name, external_id)
    return found[0]


def same_text(one: str | None, other: str | None) -> bool:
    """Say whether two texts are the same to GitHub, which trims them and may change line ends."""
    return _canonical(one) == _canonical(other)


def _canonical(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n").strip()
