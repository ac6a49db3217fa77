"""The table of events: each type of event, and the ones that nothing follows from."""

from datetime import timedelta

import pytest

from ghapp.events.dispatch import AUDIT_AGAIN, SECOND_LOOK, dispatch
from ghapp.github.webhooks import (
    CheckRunRequestedAction,
    CheckRunRerequested,
    IgnoredEvent,
    InstallationEvent,
    RepositoryEvent,
    WebhookEvent,
)
from ghapp.store import MERGED, Lane, WorkKind
from tests.events.heard import APP, COMMON, NOW, OURS, closed, run, suite


def test_a_merge_is_audited_at_once() -> None:
    (request,) = dispatch(closed(merged=True), app_id=APP, now=NOW).requests
    assert (request.name, request.lane, request.due_at) == ("audit:42:17", Lane.LIVE, NOW)
    assert (request.installation_id, request.about) == (5, MERGED)


def test_a_close_without_merge_is_looked_at_once_more() -> None:
    (request,) = dispatch(closed(merged=False), app_id=APP, now=NOW).requests
    assert (request.name, request.due_at) == ("audit:42:17", NOW + SECOND_LOOK)
    assert timedelta(0) < SECOND_LOOK <= timedelta(minutes=5)


@pytest.mark.parametrize(
    "event",
    [
        CheckRunRerequested(**run(APP, OURS)),
        CheckRunRequestedAction(**run(APP, OURS), identifier="audit_again"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_a_button_audits_again(event: WebhookEvent) -> None:
    (request,) = dispatch(event, app_id=APP, now=NOW).requests
    assert (request.name, request.lane) == (f"{AUDIT_AGAIN}:42:17", Lane.RERUN)


@pytest.mark.parametrize("numbers", [(), (17, 18)], ids=["none_is_open", "others_are_open"])
def test_whom_a_suite_is_about_is_asked_of_its_runs(numbers: tuple[int, ...]) -> None:
    (request,) = dispatch(suite(APP, *numbers), app_id=APP, now=NOW).requests
    assert (request.kind, request.pull_request, request.about) == (WorkKind.SUITE, None, "a" * 40)


@pytest.mark.parametrize(
    "event",
    [
        CheckRunRerequested(**run(APP + 1, OURS)),
        CheckRunRerequested(**run(APP, None)),
        suite(APP + 1, 17),
        *(IgnoredEvent(**{**COMMON, "name": name, "action": None}) for name in ("ping", "push")),
    ],
    ids=["other_app", "not_ours", "suite_of_other_app", "ping", "push"],
)
def test_the_rest_brings_nothing_and_says_why(event: WebhookEvent) -> None:
    plan = dispatch(event, app_id=APP, now=NOW)
    assert plan.requests == ()
    assert not plan.upkeep
    assert plan.why


def test_installations_and_repositories_are_kept_up() -> None:
    def installed(action: str) -> InstallationEvent:
        members = {**COMMON, "name": "installation", "action": action}
        return InstallationEvent(**members, account="acme", permissions={}, repositories=())

    for event, closes, name in (
        (installed("created"), False, "confirm:i5:returns"),
        (installed("unsuspend"), False, "confirm:i5:returns"),
        (installed("suspend"), True, "confirm:i5:-"),
        (installed("deleted"), True, "confirm:i5:-"),
        (RepositoryEvent(**COMMON), True, "confirm:42:-"),
    ):
        plan = dispatch(event, app_id=APP, now=NOW)
        assert (plan.upkeep is not None) is closes
        assert [request.name for request in plan.requests] == [name]
