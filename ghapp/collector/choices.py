"""What the developer keeps back: everything, a repository, or paths. It sends nothing.

A running pause keeps back everything that it covers. A pause that has ended still keeps back
what was edited while it ran, also from a later backfill.
"""

from datetime import datetime
from functools import lru_cache

import msgspec

from ghapp.attribution.exclusions.path_pattern import PathPattern, from_text
from ghapp.attribution.model import Struct
from ghapp.collector.places import CollectorError, CollectorFiles, read_if_there, write_whole


class ChoicesUnread(CollectorError):  # noqa: N818 - a state, named as what it is
    """The file of pauses cannot be read: the collector sends nothing until it can."""


class CollectorPause(Struct, frozen=True):
    """What to keep back, and for how long."""

    since: datetime
    until: datetime | None = None
    """``None``: it still runs."""
    repository: str | None = None
    """``owner/name`` or ``host/owner/name``, lower case; ``None``: all of them."""
    path: str | None = None
    """A pattern as in a ``.gitignore``; ``None``: all paths."""

    def covers(self, remotes: tuple[str, ...], path: str, at: datetime) -> bool:
        """Say whether an edit is kept back; the path is relative to the repository."""
        if self.until is not None and not self.since <= at < self.until:
            return False
        if self.repository is not None and not _names(self.repository, remotes):
            return False
        return self.path is None or _matches(self.path, path)


class RemovedUsage(Struct, frozen=True):
    """Usage of one repository that its developer removed."""

    repository: str
    """``host/owner/name``, lower case."""
    before: datetime
    """Usage from before then is not sent again."""


class KeptBack(Struct, frozen=True):
    """All pauses, running and ended, and since when usage may be sent."""

    pauses: tuple[CollectorPause, ...] = ()
    usage_before: datetime | None = None
    """Usage from before then is not sent: its developer removed it. ``None``: nobody did."""
    usage_removed: tuple[RemovedUsage, ...] = ()
    """The same for single repositories."""

    @property
    def is_paused(self) -> bool:
        """Whether everything is paused now."""
        return any(one.repository is None and one.path is None for one in self.running())

    def running(self) -> tuple[CollectorPause, ...]:
        """Return the pauses that still run."""
        return tuple(one for one in self.pauses if one.until is None)

    def keep_back(self, remotes: tuple[str, ...], path: str, at: datetime) -> bool:
        """Say whether an edit of a clone stays on this machine."""
        return any(one.covers(remotes, path, at) for one in self.pauses)

    def has_removed(self, remotes: tuple[str, ...], at: datetime) -> bool:
        """Say whether usage of a clone was removed, and so is not sent again."""
        return any(
            at < one.before and _names(one.repository, remotes) for one in self.usage_removed
        )

    def with_removed(self, remotes: tuple[str, ...], now: datetime) -> "KeptBack":
        """Return the choices with the usage of a repository removed."""
        others = tuple(one for one in self.usage_removed if one.repository not in remotes)
        removed = tuple(RemovedUsage(one, now) for one in remotes)
        return msgspec.structs.replace(self, usage_removed=(*others, *removed))

    def with_pause(self, repository: str | None, path: str | None, now: datetime) -> "KeptBack":
        """Return the choices with one more pause; unchanged if the same one runs already."""
        repository = repository.lower() if repository else None
        if any((one.repository, one.path) == (repository, path) for one in self.running()):
            return self
        pause = CollectorPause(since=now, repository=repository, path=path)
        return msgspec.structs.replace(self, pauses=(*self.pauses, pause))

    def without_pause(self, repository: str | None, path: str | None, now: datetime) -> "KeptBack":
        """Return the choices with a pause ended; unchanged if no such pause runs."""
        repository = repository.lower() if repository else None

        def ended(one: CollectorPause) -> CollectorPause:
            matches = one.until is None and (one.repository, one.path) == (repository, path)
            return msgspec.structs.replace(one, until=now) if matches else one

        return msgspec.structs.replace(self, pauses=tuple(map(ended, self.pauses)))


def load(places: CollectorFiles) -> KeptBack:
    """Return the developer's choices; without a file, nothing is kept back.

    Raises `ChoicesUnread`.
    """
    found = read_if_there(places.choices)
    if found is None:
        return KeptBack()
    try:
        return msgspec.json.decode(found, type=KeptBack)
    except msgspec.DecodeError as error:
        raise ChoicesUnread(
            f"{places.choices} cannot be read ({error}), so nothing is sent: fix it, or remove "
            "it and pause again"
        ) from error


def save(places: CollectorFiles, choices: KeptBack) -> None:
    """Store the choices, and tell the hook whether everything is paused."""
    places.prepare()
    write_whole(places.choices, msgspec.json.encode(choices))
    if choices.is_paused:
        places.paused.touch(mode=0o600)
    else:
        places.paused.unlink(missing_ok=True)


def _names(repository: str, remotes: tuple[str, ...]) -> bool:
    return any(one == repository or one.partition("/")[2] == repository for one in remotes)


@lru_cache(maxsize=256)
def _pattern(text: str) -> PathPattern:
    return from_text(text)


def _matches(text: str, path: str) -> bool:
    """Say whether a pattern matches a path, or a folder that contains it."""
    pattern = _pattern(text)
    names = path.split("/")
    found = pattern.depths(names)
    return bool(found - {len(names)} if pattern.directories_only else found)
