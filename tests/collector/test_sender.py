"""The sender waits, repairs and retries, and remembers what the app acknowledged."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from ghapp.collector import account
from ghapp.collector.addressing import EvidenceDestination, StayReason
from ghapp.collector.client import AppAway, UploadRejected
from ghapp.collector.sender import MOST_PAUSES, RENEW, EvidenceSender
from ghapp.wire import EnrolledInstallation, WireProblem
from tests.collector.machine import NOW, Machine
from tests.collector.stand_in import App, Fault
from tests.store.records import edit

SHOP = EvidenceDestination(7, ("github.com/acme/shop",))
NEXT = EnrolledInstallation(id=7, account="acme", key_id="key-2", key=b"n" * 32)
STALE = Fault(409, WireProblem(error="stale", code="stale_key"))


Made = Callable[..., EvidenceSender]


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def sender(machine: Machine, app: App, pauses: list[float]) -> Made:
    """Return a maker of senders of an enrolled machine, which pause on paper."""
    machine.enroll(app)

    def made(patience: timedelta = timedelta(0)) -> EvidenceSender:
        return EvidenceSender(
            machine.places,
            account.load(machine.places),
            now=NOW,
            patience=patience,
            sleep=pauses.append,
        )

    return made


def test_what_was_acknowledged_is_remembered_by_the_next_one(sender: Made, app: App) -> None:
    first = sender().deliver(SHOP, [edit("a"), edit("b")], NOW)
    second = sender().deliver(SHOP, [edit("a"), edit("c")], NOW)
    assert (first.sent, second.sent) == (2, 1)
    assert app.times_sent == {"a": 1, "b": 1, "c": 1}


def test_two_copies_of_an_edit_are_one(sender: Made, app: App) -> None:
    assert sender().deliver(SHOP, [edit("a"), edit("a")], NOW).sent == 1
    assert app.times_sent == {"a": 1}


def test_an_edit_beyond_the_wires_limits_holds_up_no_other(sender: Made, app: App) -> None:
    done = sender().deliver(SHOP, [edit("x" * 256), edit("a")], NOW)
    assert (done.sent, done.stays[StayReason.TOO_LARGE]) == (1, 1)
    assert set(app.edits) == {"a"}


def test_a_pause_is_waited_for_within_patience_and_no_longer(
    sender: Made, app: App, pauses: list[float]
) -> None:
    busy = Fault(429, WireProblem(error="slow down"), {"Retry-After": "20"})
    app.faults = [busy]
    with pytest.raises(AppAway):
        sender(timedelta(seconds=19)).deliver(SHOP, [edit("a")], NOW)
    assert pauses == []
    app.faults = [busy] * MOST_PAUSES
    assert sender(timedelta(seconds=20)).deliver(SHOP, [edit("a")], NOW).sent == 1
    assert pauses == [20.0] * MOST_PAUSES
    app.faults = [busy] * (MOST_PAUSES + 1)
    with pytest.raises(AppAway):
        sender(timedelta(seconds=20)).deliver(SHOP, [edit("b")], NOW)


def test_a_key_that_changed_is_fetched_once(sender: Made, machine: Machine, app: App) -> None:
    app.installations = [NEXT]
    assert sender().deliver(SHOP, [edit("a")], NOW).sent == 1
    assert account.load(machine.places).enrollment.installations == (NEXT,)
    # An app that is not content with that one either refuses this machine as a whole.
    app.faults = [STALE, Fault(200, app.enrollment), STALE]  # type: ignore[arg-type]
    with pytest.raises(UploadRejected, match="stale"):
        sender().deliver(SHOP, [edit("b")], NOW)


def test_a_refused_machine_is_an_error_and_a_refused_repository_is_not(
    sender: Made, app: App
) -> None:
    app.faults = [Fault(401, WireProblem(error="revoked", code="revoked"))]
    with pytest.raises(UploadRejected, match="revoked"):
        sender().deliver(SHOP, [edit("a")], NOW)
    app.faults = [Fault(403, WireProblem(error="only reads", code="may_not_write"))]
    done = sender().deliver(SHOP, [edit("a")], NOW)
    assert (done.sent, done.refused) == (0, "the app refused (status 403): only reads")
    assert sender().deliver(SHOP, [edit("a")], NOW).sent == 1, "nothing was taken for sent"


@pytest.mark.parametrize("field", ["edits[7].at", "edits", "remotes", None])
def test_a_problem_that_names_no_edit_of_ours_refuses_the_batch(
    sender: Made, app: App, field: str | None
) -> None:
    app.faults = [Fault(422, WireProblem(error="no", field=field))]
    done = sender().deliver(SHOP, [edit("a"), edit("b")], NOW)
    assert (done.sent, done.refused is not None, app.edits) == (0, True, {})


def test_an_installation_that_is_gone_gets_nothing(sender: Made, app: App) -> None:
    elsewhere = EvidenceDestination(99, ("github.com/acme/shop",))
    done = sender().deliver(elsewhere, [edit("a")], NOW)
    assert done.stays[StayReason.NOT_ENROLLED] == 1
    assert app.received == []


def test_installations_are_asked_for_once_a_day(sender: Made, machine: Machine, app: App) -> None:
    one = sender()
    one.refresh(NOW + RENEW - timedelta(seconds=1))
    assert app.received == []
    one.refresh(NOW + RENEW)
    assert account.load(machine.places).known_since == NOW + RENEW
    one.refresh(NOW + RENEW)
    asked = len(app.received)
    one.refresh(NOW)
    assert len(app.received) > asked, "a clock that was set back asks again"


def test_a_heartbeat_goes_with_the_key_of_the_day(sender: Made, app: App) -> None:
    sender().heartbeat(7, NOW)
    app.installations = [NEXT]
    sender().heartbeat(7, NOW)
    assert [(batch.key_id, batch.edits) for batch in app.batches] == [
        ("key-1", ()),
        ("key-1", ()),
        ("key-2", ()),
    ]
    app.installations = []
    sender().heartbeat(7, NOW)
    assert len(app.batches) == 4, "after the key was refused, nobody is there to hear of it"
