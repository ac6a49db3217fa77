"""How work on an item can end: a closed list, and what an error of GitHub's means for it.

It does no work and knows no queue; `ghapp.jobs.perform` writes an ending down.
"""

from datetime import datetime, timedelta

from ghapp.attribution.model import Struct
from ghapp.github import answers
from ghapp.publishers.publisher import NotSeenYet, PublisherReport
from ghapp.store import SavedAudit

STALE = timedelta(seconds=30)
"""How long GitHub's reading side may lag behind the event that told of a merge."""


class AuditDone(Struct, frozen=True):
    """The audit is kept, and everything that GitHub should show was read back."""

    audit: SavedAudit
    published: tuple[PublisherReport, ...]


class AuditPartial(Struct, frozen=True):
    """The audit is kept, but part of the change or of the publishing is missing, and said so."""

    audit: SavedAudit
    published: tuple[PublisherReport, ...]
    missing: tuple[str, ...]
    """Files whose lines could not be read, and what could not be written, with the reason."""


class ChoreDone(Struct, frozen=True):
    """A chore is over; what it found has become work of its own."""

    found: int
    """How many things it found or did; 0: there was nothing to do."""
    why: str


class NothingToDo(Struct, frozen=True):
    """There is nothing to do, and there never will be."""

    why: str


class TryLater(Struct, frozen=True):
    """It cannot be done now."""

    at: datetime
    why: str
    counts: bool
    """Whether this was a failed try. A rate limit is not the item's fault."""
    whole_installation: bool = False
    """Whether nothing else of the installation may be done before that time either."""


class NotPermitted(Struct, frozen=True):
    """GitHub forbids it until a person grants a permission."""

    permission: str | None
    """As GitHub names it; ``None``: GitHub did not say."""
    why: str


class OutOfReach(Struct, frozen=True):
    """The repository or installation is out of reach until somebody outside brings it back."""

    why: str
    reason: answers.GoneReason | None = None
    """In one word; ``None``: known without asking GitHub."""


Ending = AuditDone | AuditPartial | ChoreDone | NothingToDo | TryLater | NotPermitted | OutOfReach


def unreached(error: answers.GitHubError, now: datetime) -> TryLater | NotPermitted | OutOfReach:
    """Return what an error of GitHub's means for the item; raise it again if the fault is ours."""
    match error:
        case answers.RateLimited():
            whole = error.kind is not answers.LimitKind.OWN
            return TryLater(at=error.until, why=str(error), counts=False, whole_installation=whole)
        case NotSeenYet():
            return TryLater(at=error.until, why=str(error), counts=False)
        case answers.TemporaryFailure() | answers.NotFound() | answers.BadCredentials():
            return TryLater(at=now + STALE, why=str(error), counts=True)
        case answers.PermissionRefused():
            return NotPermitted(permission=error.permission, why=str(error))
        case answers.GoneForGood():
            return OutOfReach(why=str(error), reason=error.why)
        case _:
            raise error
