"""Removes evidence and usage from the app when its developer asks for that.

This machine still remembers what it sent, so no backfill sends it again.
"""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from ghapp.collector import account, choices, queue, state
from ghapp.collector.client import UploadClient
from ghapp.collector.clones import LocalClones
from ghapp.collector.places import CollectorError, CollectorFiles
from ghapp.wire import ForgetRequest


class NothingMeant(CollectorError):  # noqa: N818 - what was asked, named as what it is
    """No evidence can have been sent for this file."""


def forget_requests(
    places: CollectorFiles, files: Iterable[str], repository: str | None
) -> tuple[ForgetRequest, ...]:
    """Return the requests for files or for a repository; without either, for everything.

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
        raise NothingMeant(f"{file} lies in no clone with a remote, so nothing was sent for it")
    return ForgetRequest(remotes=place.remotes, paths=(place.path,))


def forget(places: CollectorFiles, requests: Iterable[ForgetRequest], *, now: datetime) -> int:
    """Send the requests and return how many edits the app removed.

    A request for everything also empties the queue and removes usage, one for a repository the
    usage there; usage from before ``now`` is not sent again.
    Raises `NotEnrolled`, `AppAway`, `UploadRejected`, `CollectorBusy` and `ChoicesUnread`.
    """
    with places.alone():
        known, chosen = account.load(places), choices.load(places)
        client = UploadClient(known.url, known.token)
        count = 0
        for request in requests:
            count += client.forget(request).edits
            if request == ForgetRequest():
                queue.remove_all(places)
                chosen = msgspec.structs.replace(chosen, usage_before=now, usage_removed=())
                choices.save(places, chosen)
                before = state.load(places)
                state.save(places, msgspec.structs.replace(before, usage=None))
            elif request == ForgetRequest(remotes=request.remotes):
                chosen = chosen.with_removed(request.remotes, now)
                choices.save(places, chosen)
    return count
