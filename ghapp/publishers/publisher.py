"""The one shape of a publisher, what it is given and what it returns. It writes nothing.

A publisher reads what is there, works out what should be there, writes only the difference,
and reads it back. Publishing twice therefore writes nothing the second time. The errors of
`ghapp.github.client` pass through it; `registry` says what follows from each.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from ghapp.attribution.model import Struct
from ghapp.github.client import GitHub
from ghapp.github.pull_requests import PullRequest
from ghapp.reports.annotations import Annotation
from ghapp.reports.markdown import CheckOutput

MOST_TEXT_BYTES = 65_535
"""GitHub's limit for a check run's summary and for its text, read as the stricter of bytes and
characters; a comment may have one more."""


class Conclusion(StrEnum):
    """What a check run may conclude. An audit turns nothing red by itself."""

    FAILURE = "failure"
    """Only above a limit that the repository's own policy sets."""
    NEUTRAL = "neutral"
    SUCCESS = "success"


class Desired(Struct, frozen=True, kw_only=True):
    """What should stand at a pull request."""

    check: CheckOutput
    conclusion: Conclusion = Conclusion.NEUTRAL
    details_url: str | None = None
    """Page of the audit; ``None``: there is none, the run's own page serves."""
    annotations: tuple[Annotation, ...] = ()
    comment: str | None = None
    """Markdown without marker; ``None``: whatever comment stands is left alone."""
    opens_comment: bool = True
    """Whether a comment is made where none stands. A standing one is kept up to date anyway."""
    labels: frozenset[str] = frozenset()
    asked_again: bool = False
    """A person asked for the check again, so that it is written even if nothing changed:
    GitHub shows it as waiting until then."""


class Outcome(StrEnum):
    """What a publisher did."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    NOT_WRITTEN = "not_written"


class Published(Struct, frozen=True, kw_only=True):
    """What one publisher did, and where it can be seen."""

    name: str
    outcome: Outcome
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
        if self.outcome is Outcome.NOT_WRITTEN and not self.by_choice:
            return f"{self.name}: {self.detail}"
        if self.confirmed is False:
            return f"{self.name}: written, and read back differently"
        return None


Known = Mapping[str, str]
"""Publisher's name to the ``external_id`` of its last `Published` for this pull request."""


class Publisher(Protocol):
    """A module that keeps one kind of thing up to date; siblings never import each other."""

    NAME: str

    def publish(
        self, desired: Desired, pull: PullRequest, github: GitHub, known: str | None
    ) -> Published:
        """Bring one thing up to date. ``known`` is its last ``external_id``, ``None``: none."""


def same_text(one: str | None, other: str | None) -> bool:
    """Say whether two texts are the same to GitHub, which trims them and may change line ends."""
    return _canonical(one) == _canonical(other)


def _canonical(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n").strip()
