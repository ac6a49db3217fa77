"""How work can end: a closed list, and the ending that each error of GitHub's means.

It does no work and knows no queue; `ghapp.jobs.perform` stores the ending.
"""

from datetime import datetime, timedelta

from ghapp.attribution.model import Struct
from ghapp.github import answers
from ghapp.publishers.publisher import NotSeenYet, PublisherReport
from ghapp.store import SavedAudit

STALE = timedelta(seconds=30)
"""How long GitHub's answers may lag behind the event of a merge."""


class AuditDone(Struct, frozen=True):
    """The audit is saved, and GitHub shows everything it should."""

    audit: SavedAudit
    published: tuple[PublisherReport, ...]


class AuditPartial(Struct, frozen=True):
    """The audit is saved, but part of the change or of what GitHub should show is missing."""

    audit: SavedAudit
    published: tuple[PublisherReport, ...]
    missing: tuple[str, ...]
    """Files whose lines could not be read, and what could not be written and why."""


class ChoreDone(Struct, frozen=True):
    """A chore is over; what it found is enqueued as work of its own."""

    found: int
    """The number of things that it found or did; 0: there was nothing to do."""
    why: str


class NothingToDo(Struct, frozen=True):
    """There is nothing to do, now or later."""

    why: str


class TryLater(Struct, frozen=True):
    """It cannot be done now."""

    at: datetime
    why: str
    counts: bool
    """Whether this counts as a failed try. A rate limit does not."""
    whole_installation: bool = False
    """Whether all work on the installation must wait until then."""
    installation_id: int | None = None
    """The installation that GitHub was asked for; ``None``: none was."""


class NotPermitted(Struct, frozen=True):
    """GitHub refuses until a person grants a permission."""

    permission: str | None
    """As GitHub names it; ``None``: GitHub named none."""
    why: str
    installation_id: int | None = None
    """The installation that GitHub was asked for; ``None``: none was."""


class OutOfReach(Struct, frozen=True):
    """The app has no access to the repository until somebody restores it."""

    why: str
    reason: answers.GoneReason | None = None
    """In one word; ``None``: GitHub gave none."""
    installation_id: int | None = None
    """The installation that GitHub was asked for; ``None``: none was."""


Ending = AuditDone | AuditPartial | ChoreDone | NothingToDo | TryLater | NotPermitted | OutOfReach


WITHOUT_ACCESS = frozenset(
    {answers.GoneReason.UNINSTALLED, answers.GoneReason.SUSPENDED, answers.GoneReason.REMOVED}
)
"""What ends an item until an event or the roll call tells that the app is back."""


def unreached(error: answers.GitHubError, now: datetime) -> TryLater | NotPermitted | OutOfReach:
    """Return the ending that an error of GitHub's means (docs/state-machine.md, "Causes").

    Only what GitHub tells us the end of is final; everything else is worth another try.
    """
    match error:
        case answers.RateLimited():
            whole = error.kind is not answers.LimitKind.OWN
            return TryLater(at=error.until, why=error.told, counts=False, whole_installation=whole)
        case NotSeenYet():
            return TryLater(at=error.until, why=error.told, counts=False)
        case answers.PermissionRefused():
            return NotPermitted(permission=error.permission, why=error.told)
        case answers.GoneForGood(why=why) if why in WITHOUT_ACCESS:
            return OutOfReach(why=error.told, reason=why)
        case _:
            return TryLater(at=now + STALE, why=error.told, counts=True)
