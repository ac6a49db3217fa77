"""Deliveries that never arrived: found in GitHub's own list of deliveries and taken in.

GitHub redelivers nothing by itself and lists deliveries for three days. The sweep reads the
payload from that list and hands it to the same intake as the endpoint, so it works even while
GitHub cannot reach the endpoint. It asks GitHub to resend nothing.
https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries
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
"""How long github.com lists deliveries (an Enterprise Server: 7 days).
https://docs.github.com/en/webhooks/testing-and-troubleshooting-webhooks/viewing-webhook-deliveries"""
OVERLAP = timedelta(minutes=10)
"""A delivery may enter the list later than GitHub sent it."""
ON_ITS_WAY = timedelta(seconds=30)
"""A delivery this young may still be on its way to the endpoint."""
MOST = 500
"""Deliveries that one sweep takes in; the next sweep takes in the rest."""

log = structlog.get_logger()


class ListedDelivery(Struct, frozen=True, kw_only=True):
    """One attempt at a delivery. ``status_code`` is 0 or absent if no answer came."""

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
    """How many deliveries a sweep saw and took in."""

    looked_at: int
    taken: int
    is_whole: bool
    """Whether the sweep is complete; otherwise there are more deliveries to take in."""


def sweep(auth: AppAuth, intake: EventIntake, now: datetime) -> SweepResult:
    """Take in every delivery since the last sweep that is not stored here.

    The status that GitHub lists does not matter: a delivery that we answered with success and do
    not know was lost with a database. Raises the errors of `answers` and `DatabaseUnavailable`;
    deliveries that were taken in until then stay.
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
    """Yield the attempts since a time, newest first.

    It does not use GitHub's filter by status: an attempt that timed out is in neither half.
    https://docs.github.com/en/rest/apps/webhooks#list-deliveries-for-an-app-webhook
    """
    for page in auth.pages("/app/hook/deliveries", tuple[ListedDelivery, ...]):
        for one in page:
            if one.delivered_at < since:
                return
            yield one


def _lost(found: list[ListedDelivery], store: Store) -> list[ListedDelivery]:
    """Return one attempt of each delivery that is not stored and that something follows from."""
    wanted = {one.guid: one for one in found if is_followed(one.event, one.action)}
    known = store.deliveries.known(wanted)
    # Oldest first, as they would have arrived.
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
        # Store it, or every sweep of the next three days reads it again.
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
