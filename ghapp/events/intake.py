"""A verified event becomes a kept delivery and what is due: the same for the door and the sweep.

Everything here can be done twice: what was kept is found again, what is known stays.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import structlog

from ghapp.events.dispatch import EventPlan, dispatch
from ghapp.events.reconcile import look_back, reconcile_request
from ghapp.github import webhooks
from ghapp.github.webhooks import WebhookEvent
from ghapp.queue.enqueue import QueueAway
from ghapp.store import (
    Delivery,
    DeliveryEnd,
    Installation,
    Repository,
    Store,
    WorkRequest,
)

log = structlog.get_logger()


class AcceptedDelivery(StrEnum):
    """What became of a delivery at the door."""

    SCHEDULED = "scheduled"
    IGNORED = "ignored"
    DONE = "done"
    REPEATED = "already accepted"


@dataclass(frozen=True)
class EventIntake:
    """How events come in: where they are kept, and who is told."""

    store: Store
    tell: Callable[[], None]
    """Wakes whoever fills the queues, such as `RedisQueue.wake`."""
    app_id: int | None
    """Tells our own check runs from other apps'; ``None``: not known, all are taken for ours."""

    def accept(self, event: WebhookEvent, body: bytes, now: datetime) -> AcceptedDelivery:
        """Keep a delivery and what it makes due in one transaction, then tell the queue.

        Raises `DatabaseUnavailable`: then nothing was kept, and GitHub has to be told so.
        """
        plan = dispatch(event, app_id=self.app_id, now=now)
        if not self.store.deliveries.accept(_delivery(event, body, plan, now), _first(plan)):
            return AcceptedDelivery.REPEATED
        if not _is_settled_at_once(plan):
            self._follow(event, plan, now)
        if plan.requests or plan.upkeep:
            self._tell()
        if plan.requests:
            return AcceptedDelivery.SCHEDULED
        return AcceptedDelivery.DONE if plan.upkeep else AcceptedDelivery.IGNORED

    def sweep(self, delivery: Delivery, now: datetime) -> None:
        """Follow a delivery that was kept and then left, because its process died.

        Its signature was checked before it was kept, so it is read with one of our own making.
        """
        if delivery.body is None:
            detail = "kept without its body and never followed"
            nothing = DeliveryEnd.NOTHING_TO_DO
            self.store.deliveries.settle(delivery.guid, nothing, detail, now=now)
            return
        event = _read_again(delivery.event, delivery.guid, delivery.body)
        self._follow(event, dispatch(event, app_id=self.app_id, now=now), now)

    def take(self, name: str, guid: str, body: bytes, now: datetime) -> AcceptedDelivery:
        """Accept a delivery that GitHub itself told when asked, so that no signature is needed.

        Raises `WebhookError` where it cannot be read, and `DatabaseUnavailable`.
        """
        return self.accept(_read_again(name, guid, body), body, now)

    def _follow(self, event: WebhookEvent, plan: EventPlan, now: datetime) -> None:
        """Do what one transaction at the door cannot: several wishes, and the upkeep."""
        rule = UPKEEP.get(type(event))
        found = rule(event, self.store, now) if plan.upkeep and rule is not None else ()
        for repository_id in found:
            look_back(repository_id, self.store, now)
        again = [
            reconcile_request(one, event.installation_id, now, f"{event.name}.{event.action}")
            for one in found
        ]
        self.store.work.enqueue_all((*plan.requests, *again), now=now)
        outcome = DeliveryEnd.SCHEDULED if plan.requests else DeliveryEnd.DONE
        self.store.deliveries.settle(event.delivery, outcome, now=now)

    def _tell(self) -> None:
        try:
            self.tell()
        except QueueAway as error:
            # The delivery is kept and due; the scheduler finds it once Redis is back.
            log.warning("queue_away", problem=str(error))


def _read_again(name: str, guid: str, body: bytes) -> WebhookEvent:
    """Read a delivery whose origin is certain, with a signature of our own making."""
    headers = {
        "X-GitHub-Event": name,
        "X-GitHub-Delivery": guid,
        "Content-Type": "application/json",
        "X-Hub-Signature-256": webhooks.sign(body, "kept"),
    }
    return WebhookEvent.from_http(headers, body, secrets=("kept",), app_id=None)


# --- what is kept ---------------------------------------------------------------------------------


def _delivery(event: WebhookEvent, body: bytes, plan: EventPlan, now: datetime) -> Delivery:
    """Return the row: the identifiers, and the body only where somebody still has to read it."""
    settled = _is_settled_at_once(plan)
    outcome = DeliveryEnd.SCHEDULED if plan.requests else DeliveryEnd.IGNORED
    return Delivery(
        guid=event.delivery,
        event=event.name,
        action=event.action,
        received_at=now,
        installation_id=event.installation_id,
        repository_id=event.repository.id if event.repository else None,
        pull_request=plan.requests[0].pull_request if plan.requests else None,
        body=None if settled else body,
        outcome=outcome if settled else None,
        detail=plan.why,
        settled_at=now if settled else None,
    )


def _is_settled_at_once(plan: EventPlan) -> bool:
    return not plan.upkeep and len(plan.requests) <= 1


def _first(plan: EventPlan) -> WorkRequest | None:
    return plan.requests[0] if plan.requests else None


# --- what is known of installations and repositories ------------------------------------------

BACK = frozenset({"created", "unsuspend", "new_permissions_accepted"})
"""Actions after which an installation's repositories are looked at for what was missed."""


def _installation(event: webhooks.InstallationEvent, store: Store, now: datetime) -> Iterable[int]:
    known, number = store.installations, event.installation_id
    if number is None:
        return ()
    if event.action == "deleted":
        known.removed(number, now=now)
        return ()
    heard = Installation(id=number, account=event.account or "", permissions=event.permissions)
    known.seen(heard, now=now)
    if event.action == "suspend":
        known.suspended(number, now=now)
    elif event.action == "unsuspend":
        known.unsuspended(number)
    _seen(event.repositories, number, store, now)
    return _ids(known.repositories(number)) if event.action in BACK else ()


def _repositories(
    event: webhooks.InstallationRepositories, store: Store, now: datetime
) -> Iterable[int]:
    store.installations.repositories_removed((one.id for one in event.removed), now=now)
    if event.installation_id is None:
        return ()
    _seen(event.added, event.installation_id, store, now)
    return _ids(event.added)


def _repository(event: webhooks.RepositoryEvent, store: Store, now: datetime) -> Iterable[int]:
    if event.repository is None:
        return ()
    if event.action == "deleted":
        store.installations.repositories_removed((event.repository.id,), now=now)
        return ()
    if event.installation_id is None:
        return ()
    _seen((event.repository,), event.installation_id, store, now)
    return _ids((event.repository,)) if event.action in {"transferred", "unarchived"} else ()


def _ids(repositories: Iterable[Repository | webhooks.EventRepository]) -> tuple[int, ...]:
    return tuple(one.id for one in repositories)


def _seen(
    repositories: tuple[webhooks.EventRepository, ...],
    installation_id: int,
    store: Store,
    now: datetime,
) -> None:
    store.installations.repositories_seen(
        (_known(one, installation_id) for one in repositories), now=now
    )


def _known(seen: webhooks.EventRepository, installation_id: int) -> Repository:
    owner, _, name = seen.full_name.partition("/")
    return Repository(
        id=seen.id,
        owner=owner,
        name=name,
        installation_id=installation_id,
        private=seen.private,
        archived=seen.archived,
    )


UPKEEP: dict[type[WebhookEvent], Callable[..., Iterable[int]]] = {
    webhooks.InstallationEvent: _installation,
    webhooks.InstallationRepositories: _repositories,
    webhooks.RepositoryEvent: _repository,
}
"""Kind of event → what it changes in what is known; the same events as in `dispatch.RULES`.

Each returns the repositories that have come back into reach and may have missed something.
"""
