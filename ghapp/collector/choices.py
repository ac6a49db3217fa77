"""What the developer keeps back: pauses of everything, of a repository, of paths. It sends nothing.

A pause that runs keeps back whatever it speaks of. One that is over still keeps back what was
edited while it ran, also from a later backfill.
"""

from datetime import datetime
from functools import lru_cache

import msgspec

from ghapp.attribution.exclusions.path_pattern import PathPattern, from_text
from ghapp.attribution.model import Struct
from ghapp.collector.places import CollectorError, CollectorFiles, read_if_there, write_whole


class ChoicesUnread(CollectorError):  # noqa: N818 - a state, named as what it is
    """What was paused cannot be read: nothing is sent until it can."""


class CollectorPause(Struct, frozen=True):
    """One thing that is kept back for some time."""

    since: datetime
    until: datetime | None = None
    """``None``: it still runs."""
    repository: str | None = None
    """``owner/name`` or ``host/owner/name``, lower case; ``None``: all of them."""
    path: str | None = None
    """A pattern as in a ``.gitignore``; ``None``: all paths."""

    @property
    def is_of_everything(self) -> bool:
        """Whether it keeps back every edit."""
        return self.repository is None and self.path is None

    def covers(self, remotes: tuple[str, ...], path: str, at: datetime) -> bool:
        """Say whether an edit is kept back; the path is relative to the repository."""
        if self.until is not None and not self.since <= at < self.until:
            return False
        if self.repository is not None and not _names(self.repository, remotes):
            return False
        return self.path is None or _matches(self.path, path)


class KeptBack(Struct, frozen=True):
    """All pauses, running and over."""

    pauses: tuple[CollectorPause, ...] = ()

    @property
    def is_paused(self) -> bool:
        """Whether everything is paused just now."""
        return any(one.until is None and one.is_of_everything for one in self.pauses)

    def running(self) -> tuple[CollectorPause, ...]:
        """Return the pauses that still run."""
        return tuple(one for one in self.pauses if one.until is None)

    def keep_back(self, remotes: tuple[str, ...], path: str, at: datetime) -> bool:
        """Say whether an edit of a clone stays on this machine."""
        return any(one.covers(remotes, path, at) for one in self.pauses)

    def with_pause(self, repository: str | None, path: str | None, now: datetime) -> "KeptBack":
        """Return the choices with one more pause; one that runs already stays as it is."""
        repository = repository.lower() if repository else None
        if any((one.repository, one.path) == (repository, path) for one in self.running()):
            return self
        return KeptBack(
            pauses=(*self.pauses, CollectorPause(since=now, repository=repository, path=path))
        )

    def without_pause(self, repository: str | None, path: str | None, now: datetime) -> "KeptBack":
        """Return the choices with a pause ended; unchanged where none such runs."""
        repository = repository.lower() if repository else None

        def ended(one: CollectorPause) -> CollectorPause:
            meant = one.until is None and (one.repository, one.path) == (repository, path)
            return msgspec.structs.replace(one, until=now) if meant else one

        return KeptBack(pauses=tuple(map(ended, self.pauses)))


def load(places: CollectorFiles) -> KeptBack:
    """Return what the developer chose; nothing is kept back where there is no file.

    Raises `ChoicesUnread`.
    """
    found = read_if_there(places.choices)
    if found is None:
        return KeptBack()
    try:
        return msgspec.json.decode(found, type=KeptBack)
    except msgspec.DecodeError as error:
        raise ChoicesUnread(
            f"{places.choices} cannot be read ({error}), so nothing is sent: mend it, or remove "
            "it and pause again"
        ) from error


def save(places: CollectorFiles, choices: KeptBack) -> None:
    """Keep the choices, and tell the hook whether everything is paused."""
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
    """Say whether a pattern means a path, or a folder that the path lies in."""
    pattern = _pattern(text)
    names = path.split("/")
    whole = [] if pattern.directories_only else [len(names)]
    return any(pattern.matches(names[:end]) for end in (*range(1, len(names)), *whole))
