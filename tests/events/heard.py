"""Events as the app hears them, with what is usual in them."""

from datetime import UTC, datetime
from typing import Any

from ghapp.github.external_id import ExternalId
from ghapp.github.webhooks import CheckSuiteRerequested, EventRepository, PullRequestClosed

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


def closed(*, merged: bool = True, **changed: Any) -> PullRequestClosed:
    """Return that pull request 17 was closed."""
    return PullRequestClosed(
        **{**COMMON, **changed},
        number=17,
        merged=merged,
        head_sha="a" * 40,
        base_sha="b" * 40,
        base_ref="main",
        merge_commit_sha=None,
        merged_at=None,
    )


def run(app_id: int | None, pull: ExternalId | None) -> dict[str, Any]:
    """Return the members of an event of a check run."""
    return {**COMMON, "check_run_id": 3, "app_id": app_id, "head_sha": "a" * 40, "pull": pull}


def suite(app_id: int, *numbers: int) -> CheckSuiteRerequested:
    """Return that all checks of these pull requests are to run again."""
    return CheckSuiteRerequested(
        **COMMON, check_suite_id=9, app_id=app_id, head_sha="a" * 40, numbers=numbers
    )
