"""Deliveries taken in: stored with their work at once, followed, and found again."""

from datetime import timedelta

import pytest

from ghapp.events.intake import AcceptedDelivery, EventIntake
from ghapp.github.webhooks import (
    EventRepository,
    IgnoredEvent,
    InstallationEvent,
    MalformedEvent,
)
from ghapp.queue.enqueue import QueueAway
from ghapp.store import Delivery, DeliveryEnd, Installation, Store
from tests.cases import FIXTURES
from tests.events.heard import APP, COMMON, NOW, closed, suite

BODY = b'{"zen": "Design for failure."}'
MERGED = (FIXTURES / "webhooks" / "pull_request_closed_merged" / "body.json").read_bytes()
LATER = NOW + timedelta(minutes=3)


class Woken:
    """Counts how often the scheduler is woken; ``away``: Redis does not answer."""

    def __init__(self) -> None:
        self.times, self.away = 0, False

    def __call__(self) -> None:
        """Wake."""
        self.times += 1
        if self.away:
            raise QueueAway("Redis cannot be reached")


@pytest.fixture
def woken() -> Woken:
    return Woken()


@pytest.fixture
def intake(sqlite_store: Store, woken: Woken) -> EventIntake:
    return EventIntake(sqlite_store, woken, APP)


def names(intake: EventIntake) -> list[str]:
    return sorted(item.name for item in intake.store.work.open())


def kept(intake: EventIntake, guid: str = "d-1") -> Delivery:
    found = intake.store.deliveries.one(guid)
    assert found is not None
    return found


# --- at the endpoint ------------------------------------------------------------------------------


def test_a_merge_is_stored_with_its_audit_and_without_its_body(
    intake: EventIntake, woken: Woken
) -> None:
    assert intake.accept(closed(), BODY, NOW) is AcceptedDelivery.SCHEDULED
    assert (names(intake), woken.times) == (["audit:42:17"], 1)
    found = kept(intake)
    assert (found.event, found.action) == ("pull_request", "closed")
    assert (found.installation_id, found.repository_id, found.pull_request) == (5, 42, 17)
    assert (found.body, found.outcome, found.settled_at) == (None, DeliveryEnd.SCHEDULED, NOW)


def test_the_same_delivery_again_enqueues_nothing(intake: EventIntake, woken: Woken) -> None:
    intake.accept(closed(), BODY, NOW)
    assert intake.accept(closed(), BODY, LATER) is AcceptedDelivery.REPEATED
    (item,) = intake.store.work.open()
    assert (item.times_asked, woken.times, kept(intake).attempts) == (1, 1, 2)


def test_what_nothing_follows_from_is_stored_with_the_reason(
    intake: EventIntake, woken: Woken
) -> None:
    ping = IgnoredEvent(**{**COMMON, "name": "ping", "action": None})
    assert intake.accept(ping, BODY, NOW) is AcceptedDelivery.IGNORED
    found = kept(intake)
    assert (found.outcome, found.body, woken.times) == (DeliveryEnd.IGNORED, None, 0)
    assert "nothing follows" in str(found.detail)


def test_a_suite_is_looked_into_by_its_head(intake: EventIntake) -> None:
    assert intake.accept(suite(APP, 17, 18), BODY, NOW) is AcceptedDelivery.SCHEDULED
    assert names(intake) == [f"suite:42:{'a' * 40}"]
    assert kept(intake).outcome is DeliveryEnd.SCHEDULED


def test_an_installation_is_asked_about_and_not_believed(intake: EventIntake, woken: Woken) -> None:
    event = InstallationEvent(
        **{**COMMON, "name": "installation", "action": "created", "repository": None},
        account="acme",
        permissions={"checks": "write"},
        repositories=(EventRepository(id=42, full_name="acme/app"),),
    )
    assert intake.accept(event, BODY, NOW) is AcceptedDelivery.SCHEDULED
    assert intake.store.installations.installation(5) is None
    assert (names(intake), woken.times) == (["confirm:i5:returns"], 1)
    assert kept(intake).outcome is DeliveryEnd.SCHEDULED


def test_what_an_event_closes_is_closed_at_once_and_asked_about(intake: EventIntake) -> None:
    known = intake.store.installations
    known.seen(Installation(id=5, account="acme"), now=NOW)
    event = InstallationEvent(
        **{**COMMON, "name": "installation", "action": "deleted", "repository": None},
        account="acme",
        permissions={},
        repositories=(),
    )
    assert intake.accept(event, BODY, LATER) is AcceptedDelivery.SCHEDULED
    assert known.all() == ()
    assert (names(intake), kept(intake).outcome) == (["confirm:i5:-"], DeliveryEnd.SCHEDULED)


def test_while_redis_is_away_the_work_waits_in_the_database(
    intake: EventIntake, woken: Woken
) -> None:
    woken.away = True
    assert intake.accept(closed(), BODY, NOW) is AcceptedDelivery.SCHEDULED
    assert names(intake) == ["audit:42:17"]


# --- the sweep ------------------------------------------------------------------------------------


def test_what_a_process_stored_and_did_not_follow_is_followed(intake: EventIntake) -> None:
    body = (FIXTURES / "webhooks" / "installation_repositories_added" / "body.json").read_bytes()
    left = Delivery(
        guid="d-9", event="installation_repositories", action="added", received_at=NOW, body=body
    )
    intake.store.deliveries.accept(left)
    for _ in range(2):
        intake.sweep(kept(intake, "d-9"), LATER)
        assert kept(intake, "d-9").outcome is DeliveryEnd.SCHEDULED
        assert [name.partition(":")[0] for name in names(intake)] == ["confirm"]


def test_without_its_body_a_delivery_cannot_be_followed(intake: EventIntake) -> None:
    intake.store.deliveries.accept(Delivery(guid="d-9", event="installation", received_at=NOW))
    intake.sweep(kept(intake, "d-9"), LATER)
    found = kept(intake, "d-9")
    assert (found.outcome, found.settled_at) == (DeliveryEnd.NOTHING_TO_DO, LATER)
    assert "without its body" in str(found.detail)


def test_what_github_lists_is_taken_in_without_a_signature(intake: EventIntake) -> None:
    assert intake.take("pull_request", "d-7", MERGED, NOW) is AcceptedDelivery.SCHEDULED
    assert intake.take("pull_request", "d-7", MERGED, NOW) is AcceptedDelivery.REPEATED
    assert kept(intake, "d-7").outcome is DeliveryEnd.SCHEDULED


def test_what_cannot_be_read_is_refused_and_not_stored(intake: EventIntake) -> None:
    with pytest.raises(MalformedEvent):
        intake.take("pull_request", "d-7", b"[]", NOW)
    assert intake.store.deliveries.one("d-7") is None
