"""Where an edit goes, or why it stays on this machine. It sends nothing."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

import msgspec

from ghapp.attribution.model import Edit
from ghapp.collector.account import MachineAccount
from ghapp.collector.choices import KeptBack
from ghapp.collector.clones import LocalClones

WINDOW = timedelta(days=23)
"""An edit can count for a merge up to 21 days later, and that audit is final 2 days after."""
MOST_REMOTES = 20
"""Most remotes of one clone that the wire allows."""


class StayReason(StrEnum):
    """Why an edit does not leave this machine."""

    OUTSIDE = "outside any clone"
    NO_REMOTE = "in a clone without a remote"
    NOT_ENROLLED = "in a repository whose owner is not enrolled"
    IGNORED = "in a file that git ignores"
    KEPT_BACK = "kept back by your choice"
    TOO_OLD = "too old to count for any merge"
    TOO_LARGE = "too large for one batch"
    REFUSED = "refused by the app"


class EvidenceDestination(NamedTuple):
    """Where evidence of one clone goes."""

    installation: int
    """The installation's id."""
    remotes: tuple[str, ...]
    """Only those of the installation's own account; the others are private."""


class AddressedEdit(NamedTuple):
    """An edit that may leave, with its path relative to the repository and its lines as text."""

    destination: EvidenceDestination
    edit: Edit
    file: str
    """The file's absolute path on this machine."""


class EditAddresser:
    """Decides where each edit goes, or why it stays."""

    def __init__(self, account: MachineAccount, choices: KeptBack, clones: LocalClones) -> None:
        self._account = account
        self._choices = choices
        self._clones = clones

    def wants(self, path: str) -> bool:
        """Say whether an edit of that path could leave; a cheap test before lines are computed."""
        return not isinstance(self._destination(path), StayReason)

    def sort(self, edit: Edit, *, oldest: datetime | None) -> AddressedEdit | StayReason:
        """Return an edit with its destination, or why it stays.

        An edit made before ``oldest`` stays; ``None``: age does not matter.
        """
        found = self._destination(edit.path)
        if isinstance(found, StayReason):
            return found
        destination, path = found
        if oldest is not None and edit.at < oldest:
            return StayReason.TOO_OLD
        if self._choices.keep_back(destination.remotes, path, edit.at):
            return StayReason.KEPT_BACK
        relative = msgspec.structs.replace(edit, path=path, cwd=None)
        return AddressedEdit(destination, relative, edit.path)

    def destination(self, path: str, at: datetime) -> EvidenceDestination | StayReason:
        """Return where something of a file goes, or why it stays, whatever its age.

        The path of a folder ends in ``/.``.
        """
        found = self._destination(path)
        if isinstance(found, StayReason):
            return found
        destination, inside = found
        kept_back = self._choices.keep_back(destination.remotes, inside, at)
        return StayReason.KEPT_BACK if kept_back else destination

    def ignored(self, addressed: Iterable[AddressedEdit]) -> frozenset[str]:
        """Return the files of some edits that git ignores; those edits stay. Asks git once."""
        return self._clones.ignored({one.file for one in addressed})

    def _destination(self, path: str) -> tuple[EvidenceDestination, str] | StayReason:
        place = self._clones.place(path)
        if place is None:
            return StayReason.OUTSIDE
        if not place.remotes:
            return StayReason.NO_REMOTE
        found = self._account.installation(place.remotes)
        if found is None:
            return StayReason.NOT_ENROLLED
        installation, remotes = found
        return EvidenceDestination(installation.id, remotes[:MOST_REMOTES]), place.path
