"""A machine is enrolled, and enrolled again."""

import pytest

from ghapp.collector import account, state
from ghapp.collector.client import UploadClient, UploadRejected
from ghapp.collector.enroll import enroll
from ghapp.collector.sent import AcknowledgedEdits
from ghapp.wire import EnrollmentStarted, WireProblem
from tests.collector.machine import NOW, Machine
from tests.collector.stand_in import TOKEN, App, Fault, running_app
from tests.store.records import edit


def enrolled(machine: Machine, app: App) -> list[float]:
    """Enroll; return the pauses between the questions."""
    shown: list[EnrollmentStarted] = []
    pauses: list[float] = []
    enroll(machine.places, UploadClient(app.url), shown.append, now=NOW, sleep=pauses.append)
    assert [one.user_code for one in shown] == ["WDJB-MJHT"]
    return pauses


def test_token_and_keys_are_kept_for_the_user_alone(machine: Machine, app: App) -> None:
    app.asked_before_code = 2
    assert enrolled(machine, app) == [1.0, 1.0, 1.0]
    known = account.load(machine.places)
    assert (known.url, known.token, known.enrollment) == (app.url, TOKEN, app.enrollment)
    assert machine.places.account.stat().st_mode & 0o777 == 0o600
    assert machine.places.directory.stat().st_mode & 0o777 == 0o700


def test_a_busy_app_is_asked_less_often(machine: Machine, app: App) -> None:
    app.asked_before_code = 0
    pauses: list[float] = []

    def show(_: EnrollmentStarted) -> None:
        app.faults = [Fault(429, WireProblem(error="slow down"), {"Retry-After": "9"})]

    enroll(machine.places, UploadClient(app.url), show, now=NOW, sleep=pauses.append)
    assert pauses == [1.0, 9.0]


def test_a_code_that_nobody_types_ends_it(machine: Machine, app: App) -> None:
    app.asked_before_code, app.expires_in = 10_000, 30
    with pytest.raises(UploadRejected, match="nobody typed the code in time"):
        enrolled(machine, app)
    assert 10_000 - app.asked_before_code == 30
    assert not machine.places.account.exists()


def test_a_machine_keeps_its_number_at_the_same_app_alone(machine: Machine, app: App) -> None:
    enrolled(machine, app)
    first = account.load(machine.places).machine
    AcknowledgedEdits(machine.places.sent).add([edit("a")], NOW)
    state.save(machine.places, state.CollectorState(sent=1, problem="the token was revoked"))
    enrolled(machine, app)
    assert account.load(machine.places).machine == first
    assert edit("a") in AcknowledgedEdits(machine.places.sent)
    assert state.load(machine.places) == state.CollectorState(sent=1)
    with running_app() as other:
        enrolled(machine, other)
    assert account.load(machine.places).machine != first
    assert len(AcknowledgedEdits(machine.places.sent)) == 0
