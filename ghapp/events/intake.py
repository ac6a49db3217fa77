"""Store a verified event as a delivery and enqueue what follows: for the endpoint and the sweep.

Every step may run twice: a stored delivery is found again, and known things stay known.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import structlog

from ghapp.events.dispatch import EventPlan, dispatch
from ghapp.github import webhooks
from ghapp.github.webhooks import WebhookEvent
from ghapp.queue.enqueue import QueueAway
from ghapp.store import Delivery, DeliveryEnd, Store, WorkRequest

log = structlog.get_logger()


class AcceptedDelivery(StrEnum):
    """What became of a delivery at the endpoint."""

    SCHEDULED = "scheduled"
    IGNORED = "ignored"
    DONE = "done"
    REPEATED = "already accepted"


@dataclass(frozen=True)
class EventIntake:
    """Where events are stored, and how the scheduler is woken."""

    store: Store
    wake: Callable[[], None]
    """Wakes the scheduler, such as `RedisQueue.wake`."""
    app_id: int | None
    """Tells our check runs from other apps'; ``None``: unknown, so all count as ours."""

    def accept(self, event: WebhookEvent, body: bytes, now: datetime) -> AcceptedDelivery:
        """Store a delivery and its work in one transaction, then wake the scheduler.

        Raises `DatabaseUnavailable`: nothing was stored, and the answer to GitHub must say so.
        """
        plan = dispatch(event, app_id=self.app_id, now=now)
        if not self.store.deliveries.accept(_delivery(event, body, plan, now), _first(plan)):
            return AcceptedDelivery.REPEATED
        if not _is_settled_at_once(plan):
            self._follow(event, plan, now)
        if plan.requests or plan.upkeep:
            self._wake()
        if plan.requests:
            return AcceptedDelivery.SCHEDULED
        return AcceptedDelivery.DONE if plan.upkeep else AcceptedDelivery.IGNORED

    def sweep(self, delivery: Delivery, now: datetime) -> None:
        """Follow a stored delivery whose process died before it followed it.

        The signature was checked before the delivery was stored, so this one is signed anew.
        """
        if delivery.body is None:
            detail = "kept without its body and never followed"
            nothing = DeliveryEnd.NOTHING_TO_DO
            self.store.deliveries.settle(delivery.guid, nothing, detail, now=now)
            return
        event = _read_again(delivery.event, delivery.guid, delivery.body)
        self._follow(event, dispatch(event, app_id=self.app_id, now=now), now)

    def take(self, name: str, guid: str, body: bytes, now: datetime) -> AcceptedDelivery:
        """Accept a delivery that we read from GitHub's own list, so it needs no signature.

        Raises `WebhookError` if it cannot be read, and `DatabaseUnavailable`.
        """
        return self.accept(_read_again(name, guid, body), body, now)

    def _follow(self, event: WebhookEvent, plan: EventPlan, now: datetime) -> None:
        """Do what the first transaction cannot: several requests, and what the event closes."""
        if plan.upkeep:
            plan.upkeep(event, self.store, now)
        self.store.work.enqueue_all(plan.requests, now=now)
        end = DeliveryEnd.SCHEDULED if plan.requests else DeliveryEnd.DONE
        self.store.deliveries.settle(event.delivery, end, now=now)

    def _wake(self) -> None:
        try:
            self.wake()
        except QueueAway as error:
            # The work is in the database; the scheduler finds it once Redis is back.
            log.warning("queue_away", problem=str(error))


def _read_again(name: str, guid: str, body: bytes) -> WebhookEvent:
    """Read a delivery of certain origin, with a signature that we make ourselves."""
    headers = {
        "X-GitHub-Event": name,
        "X-GitHub-Delivery": guid,
        "Content-Type": "application/json",
        "X-Hub-Signature-256": webhooks.sign(body, "kept"),
    }
    return WebhookEvent.from_http(headers, body, secrets=("kept",), app_id=None)


def _delivery(event: WebhookEvent, body: bytes, plan: EventPlan, now: datetime) -> Delivery:
    """Return the row: the identifiers, and the body only if it must be read again."""
    settled = _is_settled_at_once(plan)
    end = DeliveryEnd.SCHEDULED if plan.requests else DeliveryEnd.IGNORED
    return Delivery(
        guid=event.delivery,
        event=event.name,
        action=event.action,
        received_at=now,
        installation_id=event.installation_id,
        repository_id=event.repository.id if event.repository else None,
        pull_request=plan.requests[0].pull_request if plan.requests else None,
        body=None if settled else body,
        outcome=end if settled else None,
        detail=plan.why,
        settled_at=now if settled else None,
    )


def _is_settled_at_once(plan: EventPlan) -> bool:
    return plan.upkeep is None and len(plan.requests) <= 1


def _first(plan: EventPlan) -> WorkRequest | None:
    return plan.requests[0] if plan.requests else None
