"""Deliveries that never arrived, found in GitHub's own list of them and taken in.

GitHub repeats nothing by itself and keeps its list for three days. What was sent is read back
from there and goes through the same intake as at the door, so that it works while nobody
outside can reach the door; GitHub is not asked to send anything again.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
import structlog

from ghapp.attribution.model import Struct
from ghapp.events.dispatch import is_followed
from ghapp.events.intake import EventIntake
from ghapp.github.answers import NotFound
from ghapp.github.app_auth import AppAuth
from ghapp.github.webhooks import WebhookError
from ghapp.store import Delivery, DeliveryEnd, Store

CURSOR = "sweep"
KEPT = timedelta(days=3)
"""For so long github.com lists deliveries (an Enterprise Server: 7 days)."""
OVERLAP = timedelta(minutes=10)
"""A delivery may come into the list later than it was sent."""
ON_ITS_WAY = timedelta(seconds=30)
"""A delivery that young may still be at the door."""
MOST = 500
"""Deliveries that one sweep reads back; the next one goes on from there."""

log = structlog.get_logger()


class ListedDelivery(Struct, frozen=True, kw_only=True):
    """One attempt of GitHub's to deliver. A status that never came is 0 there, or nothing."""

    id: int
    guid: str
    delivered_at: datetime
    event: str
    action: str | None = None
    status_code: int | None = None


class _Request(Struct, frozen=True):
    payload: msgspec.Raw


class _Sent(Struct, frozen=True):
    request: _Request


class SweepResult(Struct, frozen=True):
    """What a sweep found."""

    looked_at: int
    taken: int
    is_whole: bool
    """Whether it came to the end; otherwise there is more to take in."""


def sweep(auth: AppAuth, intake: EventIntake, now: datetime) -> SweepResult:
    """Take in every delivery since the last sweep that was not accepted here.

    Whatever GitHub says became of it: one that was answered with success and is not known
    here was lost with a database. Raises the errors of `answers` and `DatabaseUnavailable`;
    what was taken in until then stays.
    """
    store = intake.store
    since = _since(store, now)
    found = [one for one in _listed(auth, since) if one.delivered_at <= now - ON_ITS_WAY]
    lost = _lost(found, store)
    for one in lost[:MOST]:
        _take(one, auth, intake, now)
    is_whole = len(lost) <= MOST
    if is_whole:
        store.cursors.move(CURSOR, (now - ON_ITS_WAY).isoformat(), now=now)
    if lost:
        log.warning("deliveries_swept", looked_at=len(found), lost=len(lost))
    return SweepResult(looked_at=len(found), taken=min(len(lost), MOST), is_whole=is_whole)


def _since(store: Store, now: datetime) -> datetime:
    last = store.cursors.read(CURSOR)
    oldest = now - KEPT
    return oldest if last is None else max(oldest, datetime.fromisoformat(last) - OVERLAP)


def _listed(auth: AppAuth, since: datetime) -> Iterator[ListedDelivery]:
    """Yield attempts since then, the latest first.

    Without GitHub's filter by status: an attempt that timed out is in neither half of it.
    """
    for page in auth.pages("/app/hook/deliveries", tuple[ListedDelivery, ...]):
        for one in page:
            if one.delivered_at < since:
                return
            yield one


def _lost(found: list[ListedDelivery], store: Store) -> list[ListedDelivery]:
    """Return one attempt of each delivery that something follows from and that is not known."""
    wanted = {one.guid: one for one in found if is_followed(one.event, one.action)}
    known = store.deliveries.known(wanted)
    # The oldest first, as they would have come.
    return sorted(
        (one for guid, one in wanted.items() if guid not in known), key=lambda one: one.id
    )


def _take(lost: ListedDelivery, auth: AppAuth, intake: EventIntake, now: datetime) -> None:
    try:
        sent = auth.request("GET", f"/app/hook/deliveries/{lost.id}", _Sent)
    except NotFound:
        return
    body = bytes(sent.request.payload)
    try:
        intake.take(lost.event, lost.guid, body, now)
    except WebhookError as error:
        # Noted, or every sweep of three days would read it again.
        log.warning("delivery_not_read", delivery=lost.guid, problem=str(error))
        intake.store.deliveries.accept(
            Delivery(
                guid=lost.guid,
                event=lost.event,
                action=lost.action,
                received_at=now,
                outcome=DeliveryEnd.NOTHING_TO_DO,
                detail=str(error),
                settled_at=now,
            )
        )
