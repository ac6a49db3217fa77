"""A machine is enrolled: a person types a code at GitHub, the app hands out token and keys."""

import secrets
from collections.abc import Callable
from datetime import datetime

import msgspec

from ghapp.collector import account, state
from ghapp.collector.account import MachineAccount, NotEnrolled
from ghapp.collector.door import AppAway, UploadClient, UploadRejected
from ghapp.collector.places import CollectorFiles
from ghapp.collector.sent import AcknowledgedEdits
from ghapp.wire import EnrollmentStarted, MachineEnrolled, WireProblem


def enroll(
    places: CollectorFiles,
    door: UploadClient,
    show: Callable[[EnrollmentStarted], None],
    *,
    now: datetime,
    sleep: Callable[[float], None],
) -> MachineAccount:
    """Enroll this machine and keep what it was given. Blocks until the person has typed the code.

    A machine keeps its number at the same app; at another one it begins anew.
    Raises `AppAway`, `UploadRejected` and `Busy`.
    """
    started = door.start_enrollment()
    show(started)
    enrolled = _finished(door, started, sleep)
    with places.alone():
        known = _before(places)
        moves = known is None or known.url != door.url
        fresh = MachineAccount(
            url=door.url,
            token=enrolled.token,
            machine=secrets.token_hex(16) if known is None or moves else known.machine,
            enrollment=enrolled.enrollment,
            known_since=now,
        )
        if moves:
            AcknowledgedEdits(places.sent).forget()
            state.save(places, state.CollectorState())
        else:
            mended = msgspec.structs.replace(state.load(places), problem=None, not_before=None)
            state.save(places, mended)
        account.save(places, fresh)
    return fresh


def _before(places: CollectorFiles) -> MachineAccount | None:
    try:
        return account.load(places)
    except NotEnrolled:
        return None


def _finished(
    door: UploadClient, started: EnrollmentStarted, sleep: Callable[[float], None]
) -> MachineEnrolled:
    """Ask until the person has typed the code, as often as the app wants to be asked."""
    left = float(started.expires_in)
    wait = float(max(started.interval, 1))
    while left > 0:
        sleep(wait)
        left -= wait
        try:
            enrolled = door.finish_enrollment(started.handle)
        except AppAway as error:
            wait = max(wait, error.wait.total_seconds() if error.wait else 0.0)
        else:
            if enrolled is not None:
                return enrolled
    raise UploadRejected(
        410, WireProblem(error="nobody typed the code in time: start again", code="expired")
    )
