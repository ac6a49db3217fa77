"""The table of events: each type of event, and the ones that nothing follows from."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ghapp.events.dispatch import AUDIT_AGAIN, SECOND_LOOK, dispatch
from ghapp.github.external_id import ExternalId
from ghapp.github.webhooks import (
    CheckRunRequestedAction,
    CheckRunRerequested,
    CheckSuiteRerequested,
    EventRepository,
    IgnoredEvent,
    InstallationEvent,
    PullRequestClosed,
    RepositoryEvent,
    WebhookEvent,
)
from ghapp.store import Lane

NOW = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)
APP = 7
COMMON: dict[str, Any] = {
    "delivery": "d-1",
    "name": "pull_request",
    "action": "closed",
    "installation_id": 5,
    "repository": EventRepository(id=42, full_name="acme/app"),
    "sender": "maria",
}
OURS = ExternalId(42, 17, "a" * 40)


def closed(*, merged: bool) -> PullRequestClosed:
    return PullRequestClosed(
        **COMMON,
        number=17,
        merged=merged,
        head_sha="a" * 40,
        base_sha="b" * 40,
        base_ref="main",
        merge_commit_sha=None,
        merged_at=None,
    )


def run(app_id: int | None, pull: ExternalId | None) -> dict[str, Any]:
    return {**COMMON, "check_run_id": 3, "app_id": app_id, "head_sha": "a" * 40, "pull": pull}


def suite(app_id: int, *numbers: int) -> CheckSuiteRerequested:
    return CheckSuiteRerequested(
        **COMMON, check_suite_id=9, app_id=app_id, head_sha="a" * 40, numbers=numbers
    )


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
