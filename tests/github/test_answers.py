"""Answers of GitHub: which error each one is, and what it says."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from ghapp.github.answers import (
    BadCredentials,
    GitHubError,
    GoneForGood,
    GoneReason,
    HttpAnswer,
    LimitKind,
    NotFound,
    PermissionRefused,
    RateLimited,
    RequestRejected,
    TemporaryFailure,
    error_of,
    headroom,
    text_of,
)

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
IN_TEN_MINUTES = int((NOW + timedelta(minutes=10)).timestamp())


def answer(status: int, message: str | None = None, **headers: object) -> HttpAnswer:
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return HttpAnswer(status=status, headers=named, text=json.dumps({"message": message}))


def left(remaining: int) -> dict[str, object]:
    return {
        "x_ratelimit_limit": 5000,
        "x_ratelimit_remaining": remaining,
        "x_ratelimit_reset": IN_TEN_MINUTES,
    }


def error(found: HttpAnswer) -> GitHubError | None:
    return error_of(found, what="GET pulls/17", at=NOW)


def test_success_is_no_error() -> None:
    assert error(answer(200)) is None
    assert error(answer(204)) is None


@pytest.mark.parametrize(
    ("found", "seconds", "kind"),
    [
        (answer(403, "API rate limit exceeded", **left(0)), 600, LimitKind.PRIMARY),
        (answer(429, None, **left(0)), 600, LimitKind.PRIMARY),
        (answer(403, "Resource not accessible", **left(0)), 600, LimitKind.PRIMARY),
        (answer(403, None, retry_after=7, **left(4000)), 7, LimitKind.SECONDARY),
        (answer(429, None, retry_after=7, **left(0)), 7, LimitKind.PRIMARY),
        (
            answer(403, "You have exceeded a secondary rate limit", **left(9)),
            60,
            LimitKind.SECONDARY,
        ),
        (answer(403, "You have triggered an abuse detection mechanism"), 60, LimitKind.SECONDARY),
        (answer(429, "whatever"), 60, LimitKind.SECONDARY),
        (answer(422, "Validation Failed: was submitted too quickly"), 60, LimitKind.SECONDARY),
        (
            answer(403, None, retry_after="Wed, 20 May 2026 12:02:00 GMT"),
            120,
            LimitKind.SECONDARY,
        ),
        (answer(403, None, retry_after="Wed, 20 May 2026 11:00:00 GMT"), 0, LimitKind.SECONDARY),
        (answer(403, None, retry_after="soon"), 60, LimitKind.SECONDARY),
        (answer(403, "rate limit", x_ratelimit_remaining="x"), 60, LimitKind.SECONDARY),
    ],
)
def test_limits_are_read_by_headers_first(found: HttpAnswer, seconds: int, kind: LimitKind) -> None:
    limited = error(found)
    assert isinstance(limited, RateLimited)
    assert (limited.until - NOW, limited.kind) == (timedelta(seconds=seconds), kind)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (answer(403, "This installation has been suspended"), GoneReason.SUSPENDED),
        (answer(403, "Repository was archived so is read-only."), GoneReason.ARCHIVED),
        (answer(403, "Unable to create comment because issue is locked."), GoneReason.LOCKED),
        (
            answer(403, "Commenting is disabled on issues with more than 2500 comments"),
            GoneReason.FULL,
        ),
        (answer(422, "Issues cannot have more than 100 labels"), GoneReason.FULL),
        (answer(403, "Repository access blocked"), GoneReason.BLOCKED),
        (answer(451, "Repository access blocked"), GoneReason.BLOCKED),
        (answer(410, "This issue was deleted"), GoneReason.DELETED),
    ],
)
def test_what_is_gone_for_good_says_why(found: HttpAnswer, why: GoneReason) -> None:
    gone = error(found)
    assert isinstance(gone, GoneForGood)
    assert gone.why is why


def test_refusal_names_the_permission() -> None:
    headers = {"x_accepted_github_permissions": "pull_requests=write; issues=write"}
    refused = error(answer(403, "Resource not accessible by integration", **headers, **left(9)))
    assert isinstance(refused, PermissionRefused)
    assert refused.permission == "pull_requests=write; issues=write"
    assert str(refused) == ("GET pulls/17: permission pull_requests=write; issues=write is missing")


def test_refusal_without_the_header_keeps_githubs_words() -> None:
    refused = error(answer(403, "Resource not accessible by integration"))
    assert isinstance(refused, PermissionRefused)
    assert refused.permission is None
    assert "Resource not accessible" in str(refused)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, BadCredentials),
        (404, NotFound),
        (408, TemporaryFailure),
        (500, TemporaryFailure),
        (502, TemporaryFailure),
        (503, TemporaryFailure),
        (504, TemporaryFailure),
        (400, RequestRejected),
        (406, RequestRejected),
        (409, RequestRejected),
        (422, RequestRejected),
    ],
)
def test_other_statuses(status: int, kind: type[GitHubError]) -> None:
    assert type(error(answer(status, "why"))) is kind


def test_text_holds_the_details_in_short() -> None:
    body = {"message": "Validation Failed", "errors": [{"field": "body", "code": "too_long"}]}
    found = HttpAnswer(status=422, headers={}, text=json.dumps(body))
    assert text_of(found) == 'Validation Failed [{"field":"body","code":"too_long"}]'


@pytest.mark.parametrize("text", ["<html>\n <h1>Bad gateway</h1>", "", "[1]", '{"message": null}'])
def test_text_of_anything_is_one_line(text: str) -> None:
    said = text_of(HttpAnswer(status=502, headers={}, text=text))
    assert said
    assert "\n" not in said


def test_headroom() -> None:
    found = headroom(answer(200, None, **left(4321)))
    assert found is not None
    assert (found.limit, found.remaining) == (5000, 4321)
    assert found.resets_at == NOW + timedelta(minutes=10)
    assert headroom(answer(200)) is None
