"""The shape of a publisher, what it takes and returns, and how it makes a thing only once.

A publisher reads what is there, works out what should be there, writes the difference and reads
it back, so a second run writes nothing. It lets the errors of `ghapp.github.answers` pass;
`registry` says what follows from each.
"""

# ruff: noqa: N818 (an error is named after what it means: `NotSeenYet`, not `UnseenError`)

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar

import msgspec

from ghapp.attribution.model import Struct
from ghapp.github.answers import GitHubError, LimitKind, RateLimited, TemporaryFailure
from ghapp.github.client import GitHub
from ghapp.github.pull_requests import PullRequest
from ghapp.reports.annotations import LineAnnotation
from ghapp.reports.markdown import CheckOutput

MOST_TEXT_BYTES = 65_535
"""GitHub's limit for a check run's summary and for its text. GitHub counts characters; we count
bytes, which is stricter. A comment may have one more.
https://docs.github.com/en/rest/checks/runs#create-a-check-run"""

UNSEEN = timedelta(seconds=60)
"""How long something may exist that no read shows. GitHub may carry out a request until its 15
seconds are over (`ghapp.github.transport`), and we allow its replicas a lag of 45."""

MadeT = TypeVar("MadeT")


class NotSeenYet(GitHubError):
    """Something may exist that no read shows yet: look again at ``until``."""

    def __init__(self, until: datetime, what: str) -> None:
        super().__init__(f"{what}; look again at {until.isoformat()}")
        self.until = until


class NotReadBack(TemporaryFailure):
    """What was written cannot be read back yet: look again."""

    def __init__(self, name: str, external_id: str) -> None:
        super().__init__(name, "written and not seen yet")
        self.external_id = external_id
        """The id to remember all the same."""


class Conclusion(StrEnum):
    """The conclusions of our check run. An audit fails no check by itself."""

    FAILURE = "failure"
    """Only above a limit that the repository's policy sets."""
    NEUTRAL = "neutral"
    SUCCESS = "success"


class DesiredState(Struct, frozen=True, kw_only=True):
    """What a pull request should show."""

    check: CheckOutput
    conclusion: Conclusion = Conclusion.NEUTRAL
    details_url: str | None = None
    """The audit's page; ``None``: there is none, so GitHub links the run's own page."""
    annotations: tuple[LineAnnotation, ...] = ()
    comment: str | None = None
    """Markdown without the marker; ``None``: leave an existing comment alone."""
    opens_comment: bool = True
    """Whether to make a comment if there is none. An existing one is always kept up to date."""
    is_assisted: bool = False
    """Whether an agent had a part in the change."""
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Label → the agent that it names."""
    asked_again: bool = False
    """Whether a person asked for the check again. Then it is written even if nothing changed:
    GitHub shows it as queued until then."""


class WriteResult(StrEnum):
    """What a publisher did."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    NOT_WRITTEN = "not_written"
    LEFT_OUT = "left_out"
    """Not written because the hour has no room for it (see `ghapp.publishers.plan`)."""


class PublisherReport(Struct, frozen=True, kw_only=True):
    """What one publisher did, and where to see it."""

    name: str
    outcome: WriteResult
    detail: str | None = None
    """Why it was not written, or what was repaired; ``None``: nothing to say."""
    told: str | None = None
    """The detail for operators, with GitHub's request id; ``None``: there is no more to tell."""
    url: str | None = None
    external_id: str | None = None
    """What to remember until the next time; ``None``: nothing."""
    confirmed: bool | None = None
    """Whether GitHub shows what was written; ``None``: nothing was written."""
    by_choice: bool = False
    """Not written because a person wants it so: nothing to repair."""

    @property
    def problem(self) -> str | None:
        """Return what people should know; ``None``: all is well."""
        if self.outcome is WriteResult.NOT_WRITTEN and not self.by_choice:
            return f"{self.name}: {self.detail}"
        if self.confirmed is False:
            return f"{self.name}: written, and read back differently"
        return None


def _nothing() -> None:
    """Store nothing: for what is not remembered."""


def _unknown(name: str) -> str | None:
    """Remember nothing."""
    del name
    return None


def _not_kept(name: str, value: str) -> None:
    """Store nothing."""
    del name, value


class PublisherMemory(Struct, frozen=True, kw_only=True):
    """What is remembered of one publisher at one pull request."""

    note: Callable[[], None]
    """Stores that something new is about to be made; runs before the request leaves."""
    withdraw: Callable[[], None] = _nothing
    """Stores that it was certainly not made: GitHub refused it."""
    recall: Callable[[str], str | None] = _unknown
    """What `keep` stored by that name in this repository; ``None``: nothing."""
    keep: Callable[[str, str], None] = _not_kept
    """Stores something by name for all pull requests of this repository."""
    external_id: str | None = None
    """As in the last `PublisherReport`; ``None``: none is known."""
    noted_at: datetime | None = None
    """When ``note`` ran last; ``None``: never."""


Memories = Mapping[str, PublisherMemory]
"""A publisher's name → what is remembered of it for this pull request."""


class Publisher(Protocol):
    """A module that keeps one kind of thing up to date; siblings never import each other."""

    NAME: str

    def publish(
        self, desired: DesiredState, pull: PullRequest, github: GitHub, memory: PublisherMemory
    ) -> PublisherReport:
        """Bring one thing up to date."""


def expect_seen(github: GitHub, memory: PublisherMemory, name: str) -> None:
    """Raise `NotSeenYet` if an earlier try may have made what was not found."""
    if memory.noted_at is not None and github.now() < memory.noted_at + UNSEEN:
        raise NotSeenYet(memory.noted_at + UNSEEN, f"{name}: an earlier try may have made it")


def make_once(
    make: Callable[[], MadeT], find: Callable[[], list[MadeT]], memory: PublisherMemory
) -> tuple[MadeT, bool]:
    """Make what must not exist twice; return it, and whether this call made it.

    A process may die after GitHub made the thing and before we store its id, and the next read may
    be older. So ``make`` notes it right before the request leaves, and a caller that finds nothing
    calls `expect_seen` first. A refusal is certain, and takes the note back.
    """
    try:
        return make(), True
    except TemporaryFailure:
        # GitHub may have made it all the same: read, and never post again blindly.
        found = find()
        if not found:
            raise
        return found[0], False
    except GitHubError as refused:
        # Our own pace holds a request back before it is noted: an older note stays.
        if not isinstance(refused, RateLimited) or refused.kind is not LimitKind.OWN:
            memory.withdraw()
        raise


def read_back(found: list[MadeT], name: str, external_id: str) -> MadeT:
    """Return what was read after a write. Raises `NotReadBack` if nothing was."""
    if not found:
        raise NotReadBack(name, external_id)
    return found[0]


def same_text(one: str | None, other: str | None) -> bool:
    """Say whether two texts are equal to GitHub, which trims them and may change line ends."""
    return _canonical(one) == _canonical(other)


def _canonical(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n").strip()
