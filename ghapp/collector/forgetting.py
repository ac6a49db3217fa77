"""What was sent is removed from the app again, at the developer's wish.

This machine goes on remembering that it was sent, so no backfill sends it once more.
"""

from collections.abc import Iterable
from pathlib import Path

from ghapp.collector import account, queue
from ghapp.collector.clones import LocalClones
from ghapp.collector.door import UploadClient
from ghapp.collector.places import CollectorError, CollectorFiles
from ghapp.wire import ForgetRequest


class NothingMeant(CollectorError):  # noqa: N818 - what was asked, named as what it is
    """A file lies in no repository that evidence could have been sent of."""


def wishes(
    places: CollectorFiles, files: Iterable[str], repository: str | None
) -> tuple[ForgetRequest, ...]:
    """Return what to ask the app for: of files, of a repository, or all where neither is given.

    Raises `NothingMeant` and `NotEnrolled`.
    """
    if repository is not None:
        host = account.load(places).enrollment.host
        named = repository if repository.count("/") > 1 else f"{host}/{repository}"
        return (ForgetRequest(remotes=(named.lower(),)),)
    clones = LocalClones()
    return tuple(_of_file(file, clones) for file in files) or (ForgetRequest(),)


def _of_file(file: str, clones: LocalClones) -> ForgetRequest:
    place = clones.place(str(Path(file).absolute()))
    if place is None or not place.remotes:
        raise NothingMeant(f"{file} lies in no clone with a remote, so nothing was sent of it")
    return ForgetRequest(remotes=place.remotes, paths=(place.path,))


def forget(places: CollectorFiles, wanted: Iterable[ForgetRequest]) -> int:
    """Remove it and return how many edits the app removed; where all goes, the queue goes too.

    Raises `NotEnrolled`, `AppAway`, `Refused` and `Busy`.
    """
    with places.alone():
        known = account.load(places)
        door = UploadClient(known.url, known.token)
        count = 0
        for wish in wanted:
            count += door.forget(wish).edits
            if wish == ForgetRequest():
                queue.remove_all(places)
    return count
