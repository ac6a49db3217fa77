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
from ghapp.store import Lane
from tests.events.heard import APP, COMMON, NOW, OURS, closed, run, suite


def test_a_merge_is_audited_at_once() -> None:
    (request,) = dispatch(closed(merged=True), app_id=APP, now=NOW).requests
    assert (request.name, request.lane, request.due_at) == ("audit:42:17", Lane.LIVE, NOW)
    assert request.installation_id == 5


def test_a_close_without_merge_is_looked_at_once_more() -> None:
    (request,) = dispatch(closed(merged=False), app_id=APP, now=NOW).requests
    assert (request.name, request.due_at) == ("audit:42:17", NOW + SECOND_LOOK)
    assert timedelta(0) < SECOND_LOOK <= timedelta(minutes=5)


@pytest.mark.parametrize(
    "event",
    [
        CheckRunRerequested(**run(APP, OURS)),
        CheckRunRequestedAction(**run(APP, OURS), identifier="audit_again"),
        suite(APP, 17),
    ],
    ids=lambda event: type(event).__name__,
)
def test_a_button_audits_again(event: WebhookEvent) -> None:
    (request,) = dispatch(event, app_id=APP, now=NOW).requests
    assert (request.name, request.lane) == (f"{AUDIT_AGAIN}:42:17", Lane.RERUN)


def test_all_pull_requests_of_a_suite_are_audited_again() -> None:
    requests = dispatch(suite(APP, 17, 18), app_id=APP, now=NOW).requests
    assert [request.pull_request for request in requests] == [17, 18]


@pytest.mark.parametrize(
    "event",
    [
        CheckRunRerequested(**run(APP + 1, OURS)),
        CheckRunRerequested(**run(APP, None)),
        suite(APP + 1, 17),
        suite(APP),
        *(IgnoredEvent(**{**COMMON, "name": name, "action": None}) for name in ("ping", "push")),
    ],
    ids=["other_app", "not_ours", "suite_of_other_app", "fork", "ping", "push"],
)
def test_the_rest_brings_nothing_and_says_why(event: WebhookEvent) -> None:
    plan = dispatch(event, app_id=APP, now=NOW)
    assert plan.requests == ()
    assert not plan.upkeep
    assert plan.why


def test_installations_and_repositories_are_kept_up() -> None:
    installed = InstallationEvent(**COMMON, account="acme", permissions={}, repositories=())
    for event in (installed, RepositoryEvent(**COMMON)):
        plan = dispatch(event, app_id=APP, now=NOW)
        assert plan.upkeep
        assert plan.requests == ()
