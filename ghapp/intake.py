"""A verified event becomes a kept delivery and what is due: the same for the door and the sweep.

Everything here can be done twice: what was kept is found again, what is known stays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import structlog

from ghapp.github import webhooks
from ghapp.github.webhooks import Event
from ghapp.queue.dispatch import Plan, dispatch
from ghapp.queue.enqueue import Enqueue, QueueAway
from ghapp.store import (
    Delivery,
    DeliveryOutcome,
    Due,
    DueItem,
    DueState,
    Installation,
    Repository,
    Store,
)

log = structlog.get_logger()


class Accepted(StrEnum):
    """What became of a delivery at the door."""

    SCHEDULED = "scheduled"
    IGNORED = "ignored"
    DONE = "done"
    REPEATED = "already accepted"


@dataclass(frozen=True)
class Intake:
    """How events come in: where they are kept, and who is told."""

    store: Store
    enqueue: Enqueue
    app_id: int | None
    """Tells our own check runs from other apps'; ``None``: not known, all are taken for ours."""

    def accept(self, event: Event, body: bytes, now: datetime) -> Accepted:
        """Keep a delivery and what it makes due in one transaction, then tell the queue.

        Raises `DatabaseUnavailable`: then nothing was kept, and GitHub has to be told so.
        """
        plan = dispatch(event, app_id=self.app_id, now=now)
        if not self.store.deliveries.accept(_delivery(event, body, plan, now), _first(plan)):
            return Accepted.REPEATED
        if not _is_settled_at_once(plan):
            self._follow(event, plan, now)
        self._tell(plan, now)
        if plan.wishes:
            return Accepted.SCHEDULED
        return Accepted.DONE if plan.upkeep else Accepted.IGNORED

    def sweep(self, delivery: Delivery, now: datetime) -> None:
        """Follow a delivery that was kept and then left, because its process died.

        Its signature was checked before it was kept, so it is read with one of our own making.
        """
        if delivery.body is None:
            detail = "kept without its body and never followed"
            nothing = DeliveryOutcome.NOTHING_TO_DO
            self.store.deliveries.settle(delivery.guid, nothing, detail, now=now)
            return
        headers = {
            "X-GitHub-Event": delivery.event,
            "X-GitHub-Delivery": delivery.guid,
            "Content-Type": "application/json",
            "X-Hub-Signature-256": webhooks.sign(delivery.body, "kept"),
        }
        event = Event.from_http(headers, delivery.body, secrets=("kept",), app_id=None)
        self._follow(event, dispatch(event, app_id=self.app_id, now=now), now)

    def _follow(self, event: Event, plan: Plan, now: datetime) -> None:
        """Do what one transaction at the door cannot: several wishes, and the upkeep."""
        rule = UPKEEP.get(type(event))
        if plan.upkeep and rule is not None:
            rule(event, self.store, now)
        self.store.due.schedule_all(plan.wishes, now=now)
        outcome = DeliveryOutcome.SCHEDULED if plan.wishes else DeliveryOutcome.DONE
        self.store.deliveries.settle(event.delivery, outcome, now=now)

    def _tell(self, plan: Plan, now: datetime) -> None:
        items = _waiting(plan, self.store, now)
        try:
            self.enqueue(items, now=now)
        except QueueAway as error:
            # The delivery is kept and due; the sweep brings it once Redis is back.
            log.warning("queue_away", problem=str(error))


# --- what is kept ---------------------------------------------------------------------------------


def _delivery(event: Event, body: bytes, plan: Plan, now: datetime) -> Delivery:
    """Return the row: the identifiers, and the body only where somebody still has to read it."""
    settled = _is_settled_at_once(plan)
    outcome = DeliveryOutcome.SCHEDULED if plan.wishes else DeliveryOutcome.IGNORED
    return Delivery(
        guid=event.delivery,
        event=event.name,
        action=event.action,
        received_at=now,
        installation_id=event.installation_id,
        repository_id=event.repository.id if event.repository else None,
        pull_request=plan.wishes[0].pull_request if plan.wishes else None,
        body=None if settled else body,
        outcome=outcome if settled else None,
        detail=plan.why,
        settled_at=now if settled else None,
    )


def _is_settled_at_once(plan: Plan) -> bool:
    return not plan.upkeep and len(plan.wishes) <= 1


def _first(plan: Plan) -> Due | None:
    return plan.wishes[0] if plan.wishes else None


def _waiting(plan: Plan, store: Store, now: datetime) -> list[DueItem]:
    """Return the items that the wishes became and that can be taken now."""
    return [
        item
        for wish in plan.wishes
        if wish.repository_id is not None and wish.pull_request is not None
        for item in store.due.of(wish.repository_id, wish.pull_request)
        if item.name == wish.name and item.state is DueState.WAITING and item.due_at <= now
    ]


# --- what is known of installations and repositories ------------------------------------------


def _installation(event: webhooks.Installation, store: Store, now: datetime) -> None:
    known, number = store.installations, event.installation_id
    if number is None:
        return
    if event.action == "deleted":
        known.removed(number, now=now)
        return
    heard = Installation(id=number, account=event.account or "", permissions=event.permissions)
    known.seen(heard, now=now)
    if event.action == "suspend":
        known.suspended(number, now=now)
    elif event.action == "unsuspend":
        known.unsuspended(number)
    _seen(event.repositories, number, store, now)


def _repositories(event: webhooks.InstallationRepositories, store: Store, now: datetime) -> None:
    if event.installation_id is not None:
        _seen(event.added, event.installation_id, store, now)
    store.installations.repositories_removed((one.id for one in event.removed), now=now)


def _repository(event: webhooks.RepositoryEvent, store: Store, now: datetime) -> None:
    if event.repository is None:
        return
    if event.action == "deleted":
        store.installations.repositories_removed((event.repository.id,), now=now)
    elif event.installation_id is not None:
        _seen((event.repository,), event.installation_id, store, now)


def _seen(
    repositories: tuple[webhooks.Repository, ...], installation_id: int, store: Store, now: datetime
) -> None:
    store.installations.repositories_seen(
        (_known(one, installation_id) for one in repositories), now=now
    )


def _known(seen: webhooks.Repository, installation_id: int) -> Repository:
    owner, _, name = seen.full_name.partition("/")
    return Repository(
        id=seen.id,
        owner=owner,
        name=name,
        installation_id=installation_id,
        archived=seen.archived,
    )


UPKEEP: dict[type[Event], Callable[..., None]] = {
    webhooks.Installation: _installation,
    webhooks.InstallationRepositories: _repositories,
    webhooks.RepositoryEvent: _repository,
}
"""Kind of event → what it changes in what is known; the same events as in `dispatch.RULES`."""
