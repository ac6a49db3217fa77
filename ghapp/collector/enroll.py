"""Enrollment of a machine: a person types a code at GitHub, the app returns token and keys."""

import secrets
from collections.abc import Callable
from datetime import datetime

import msgspec

from ghapp.collector import account, state
from ghapp.collector.account import MachineAccount, NotEnrolled
from ghapp.collector.client import AppAway, UploadClient, UploadRejected
from ghapp.collector.places import CollectorFiles
from ghapp.collector.sent import AcknowledgedEdits
from ghapp.wire import EnrollmentStarted, MachineEnrolled, WireProblem


def enroll(
    places: CollectorFiles,
    client: UploadClient,
    show: Callable[[EnrollmentStarted], None],
    *,
    now: datetime,
    sleep: Callable[[float], None],
) -> MachineAccount:
    """Enroll this machine and store the account. Blocks until the person has typed the code.

    At the same app a machine keeps its number; at another app it gets a new one.
    Raises `AppAway`, `UploadRejected` and `CollectorBusy`.
    """
    started = client.start_enrollment()
    show(started)
    enrolled = _finished(client, started, sleep)
    with places.alone():
        known = _before(places)
        moves = known is None or known.url != client.url
        fresh = MachineAccount(
            url=client.url,
            token=enrolled.token,
            machine=secrets.token_hex(16) if known is None or moves else known.machine,
            enrollment=enrolled.enrollment,
            known_since=now,
        )
        if moves:
            AcknowledgedEdits(places.sent).forget()
            state.save(places, state.CollectorState())
        else:
            cleared = msgspec.structs.replace(state.load(places), problem=None, not_before=None)
            state.save(places, cleared)
        account.save(places, fresh)
    return fresh


def _before(places: CollectorFiles) -> MachineAccount | None:
    try:
        return account.load(places)
    except NotEnrolled:
        return None


def _finished(
    client: UploadClient, started: EnrollmentStarted, sleep: Callable[[float], None]
) -> MachineEnrolled:
    """Poll at the app's interval until the person has typed the code."""
    left = float(started.expires_in)
    wait = float(max(started.interval, 1))
    while left > 0:
        sleep(wait)
        left -= wait
        try:
            enrolled = client.finish_enrollment(started.handle)
        except AppAway as error:
            wait = max(wait, error.wait.total_seconds() if error.wait else 0.0)
        else:
            if enrolled is not None:
                return enrolled
    raise UploadRejected(
        410, WireProblem(error="nobody typed the code in time: start again", code="expired")
    )
