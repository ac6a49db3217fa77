"""What an answer of GitHub's means: a closed set of errors, by status, headers and text.

It sends nothing. Every request to GitHub is classified here, by whomever it is sent.
https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
"""

# ruff: noqa: N818 (an error is named after what it means: `RateLimited`, not `LimitedError`)

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TypeVar

import msgspec

from ghapp.attribution.model import Struct

SECONDARY_WAIT = timedelta(seconds=60)
"""How long to wait if GitHub names no time for a limit: "at least one minute".
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit"""

MAX_TEXT = 300
"""Characters of GitHub's text that an error holds."""

AnswerT = TypeVar("AnswerT")


class HttpAnswer(Struct, frozen=True, kw_only=True):
    """One HTTP answer. Header names are in lower case; ``text`` is the body as text."""

    status: int
    headers: Mapping[str, str]
    text: str


class Headroom(Struct, frozen=True, kw_only=True):
    """What is left of the primary rate limit, by the ``x-ratelimit`` headers of an answer."""

    limit: int
    remaining: int
    resets_at: datetime


# --- errors -----------------------------------------------------------------------------------


class GitHubError(Exception):
    """GitHub did not do what we asked. Each subclass calls for a different next step."""

    request_id: str | None = None
    """GitHub's id of the request, which its support asks for; ``None``: there was no answer.
    https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api"""
    sign_on_url: str | None = None
    """Where a person passes the organization's single sign-on; ``None``: it is not about that."""

    @property
    def told(self) -> str:
        """Return the message for operators: with the address to open and GitHub's request id.

        The message alone is the same for each try, so that what people see stays the same.
        """
        sign_on = f"; single sign-on: {self.sign_on_url}" if self.sign_on_url else ""
        request = f" (GitHub's request {self.request_id})" if self.request_id else ""
        return f"{self}{sign_on}{request}"


class LimitKind(StrEnum):
    """Which of GitHub's limits was reached."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    OWN = "own"
    """Not GitHub's limit but ours, which keeps us below GitHub's."""


class RateLimited(GitHubError):
    """A rate limit: the installation must send nothing until ``until``."""

    def __init__(self, until: datetime, kind: LimitKind, what: str) -> None:
        super().__init__(f"{what}: {kind} rate limit, quiet until {until.isoformat()}")
        self.until = until
        self.kind = kind


class AccessRefused(GitHubError):
    """403 for another reason than a permission: an IP allow list, single sign-on, a proxy.

    Nobody tells us when it ends, so it is worth another try. GitHub did not do what we asked.
    """

    def __init__(self, what: str, text: str) -> None:
        super().__init__(f"{what}: {text}")
        self.what = what
        self.text = text


class PermissionRefused(AccessRefused):
    """The app may not do this until a person grants a permission; GitHub sends an event then."""

    def __init__(self, what: str, permission: str | None, text: str) -> None:
        super().__init__(what, f"permission {permission} is missing" if permission else text)
        self.permission = permission
        """As GitHub names it, such as ``checks=write``; ``None``: GitHub named none."""
        self.text = text


class GoneReason(StrEnum):
    """Why something is gone for good."""

    UNINSTALLED = "uninstalled"
    SUSPENDED = "suspended"
    REMOVED = "removed"
    """The repository was deleted, transferred, or removed from the installation."""
    DELETED = "deleted"
    ARCHIVED = "archived"
    LOCKED = "locked"
    """The conversation is locked."""
    FULL = "full"
    """The pull request has as many comments, or labels, as GitHub allows."""
    BLOCKED = "blocked"
    """GitHub disabled access to the repository, or the account blocked the app."""


class GoneForGood(GitHubError):
    """It will not work again by itself: do not retry."""

    def __init__(self, why: GoneReason, what: str, text: str = "") -> None:
        super().__init__(f"{what}: {why}" + (f" ({text})" if text else ""))
        self.why = why


class NotFound(GitHubError):
    """404: missing, not visible yet, or not for us. GitHub does not say which."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: not found")


class TemporaryFailure(GitHubError):
    """GitHub could not answer. Retry a read; after a write, read first."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what}: {why}")
        self.why = why


class RequestRejected(GitHubError):
    """GitHub rejects the request itself, such as 422."""

    def __init__(self, what: str, status: int, text: str) -> None:
        super().__init__(f"{what}: status {status}, {text}")
        self.status = status
        self.text = text


class BadCredentials(GitHubError):
    """401: GitHub does not accept the token or the app's JWT."""

    def __init__(self, what: str, text: str) -> None:
        super().__init__(f"{what}: status 401, {text}")

    def advise(self, advice: str) -> None:
        """Say in the message what to look at."""
        self.args = (f"{self}; {advice}",)


# --- classifying answers ------------------------------------------------------------------------


class _ErrorBody(Struct, frozen=True, kw_only=True):
    message: str | None = None
    errors: list[object] | None = None


def text_of(answer: HttpAnswer) -> str:
    """Return what GitHub says about an error in one short line; the body if it is not JSON."""
    try:
        body = msgspec.json.decode(answer.text, type=_ErrorBody)
    except msgspec.DecodeError:
        return " ".join(answer.text.split())[:MAX_TEXT] or "no explanation"
    details = f" {msgspec.json.encode(body.errors).decode()}" if body.errors else ""
    return ((body.message or "no explanation") + details)[:MAX_TEXT]


def headroom(answer: HttpAnswer) -> Headroom | None:
    """Return the state of the primary limit; ``None``: the answer does not say."""
    names = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
    try:
        limit, remaining, reset = (int(float(answer.headers[name])) for name in names)
        return Headroom(
            limit=limit, remaining=remaining, resets_at=datetime.fromtimestamp(reset, UTC)
        )
    except (KeyError, ValueError, OverflowError, OSError):
        return None


def error_of(answer: HttpAnswer, *, what: str, at: datetime) -> GitHubError | None:
    """Return the error that an answer means; ``None``: it is a success.

    ``what`` names the request in messages; ``at`` is when the answer arrived.
    """
    error = _error_of(answer, what, at)
    if error is not None:
        error.request_id = answer.headers.get("x-github-request-id")
        found = _SIGN_ON.search(answer.headers.get("x-github-sso", ""))
        error.sign_on_url = found[1] if found else None
    return error


def _error_of(answer: HttpAnswer, what: str, at: datetime) -> GitHubError | None:
    if answer.status < 400:
        return None
    text = text_of(answer)
    if answer.status in {403, 422} and _FULL_WORDS.search(text):
        return GoneForGood(GoneReason.FULL, what, text)
    if answer.status in {403, 429} or "submitted too quickly" in text:
        return _limit(answer, text, what=what, at=at) or _refusal(answer, text, what)
    if answer.status >= 500:
        return TemporaryFailure(what, f"status {answer.status}, {text}")
    return _lasting(answer, text, what)


def _lasting(answer: HttpAnswer, text: str, what: str) -> GitHubError:
    match answer.status:
        case 401:
            return BadCredentials(what, text)
        case 404:
            return NotFound(what)
        case 408:
            return TemporaryFailure(what, f"status 408, {text}")
        case 410:
            return GoneForGood(GoneReason.DELETED, what, text)
        case 451:
            return GoneForGood(GoneReason.BLOCKED, what, text)
        case status:
            return RequestRejected(what, status, text)


def _limit(answer: HttpAnswer, text: str, *, what: str, at: datetime) -> RateLimited | None:
    """Recognize a rate limit: by headers first, then by words, because the words change."""
    left = headroom(answer)
    exhausted = left is not None and left.remaining == 0
    wait = _retry_after(answer.headers.get("retry-after"), at)
    if wait is not None:
        kind = LimitKind.PRIMARY if exhausted else LimitKind.SECONDARY
        return RateLimited(at + wait, kind, what)
    if exhausted and left is not None:
        return RateLimited(max(left.resets_at, at), LimitKind.PRIMARY, what)
    if _LIMIT_WORDS.search(text) or answer.status == 429:
        return RateLimited(at + SECONDARY_WAIT, LimitKind.SECONDARY, what)
    return None


def _retry_after(value: str | None, at: datetime) -> timedelta | None:
    """Read ``Retry-After``, in seconds or as an HTTP date; ``None``: it is absent."""
    if value is None:
        return None
    try:
        seconds = int(value) if value.isdigit() else (_http_date(value) - at).total_seconds()
        return timedelta(seconds=max(0, seconds))
    except (ValueError, TypeError, OverflowError):
        return SECONDARY_WAIT


def _http_date(value: str) -> datetime:
    read = parsedate_to_datetime(value)
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read


# You have exceeded a secondary rate limit.
_LIMIT_WORDS = re.compile(r"rate limit|abuse detection|submitted too quickly", re.IGNORECASE)

# required; url=https://github.com/orgs/acme/sso?authorization_request=AAAA
# https://docs.github.com/en/rest/authentication/authenticating-to-the-rest-api
_SIGN_ON = re.compile(r"\burl=(https://[^\s;,]+)")

# Resource not accessible by integration
_PERMISSION_WORDS = re.compile(r"\bnot accessible by (integration|personal access)", re.IGNORECASE)
"""GitHub's words for a missing permission. It names the permissions that a route accepts in other
refusals too: an IP allow list "enabled, and your IP address is not permitted", or "SAML
enforcement". https://github.com/aquasecurity/trivy/issues/10567"""

# Commenting is disabled on issues with more than 2500 comments
# Issues cannot have more than 100 labels
# https://github.com/digitaldrywood/detent/issues/1540
# https://github.com/actions/labeler/issues/115
_FULL_WORDS = re.compile(r"\bmore than \d+ (comments|labels)\b", re.IGNORECASE)

# This installation has been suspended
# Repository was archived so is read-only.
# Unable to create comment because issue is locked.
# Repository access blocked
_GONE_WORDS = (
    (re.compile(r"\bsuspended\b", re.IGNORECASE), GoneReason.SUSPENDED),
    (re.compile(r"\barchived\b", re.IGNORECASE), GoneReason.ARCHIVED),
    (re.compile(r"\block(ed)?\b", re.IGNORECASE), GoneReason.LOCKED),
    (re.compile(r"\b(access )?blocked\b|\bdisabled\b", re.IGNORECASE), GoneReason.BLOCKED),
)
"""Words of a 403 that no permission would fix, and what they mean."""


def _refusal(answer: HttpAnswer, text: str, what: str) -> AccessRefused | GoneForGood:
    if _PERMISSION_WORDS.search(text):
        return PermissionRefused(what, answer.headers.get("x-accepted-github-permissions"), text)
    # A proxy's page may hold any word.
    for words, why in _GONE_WORDS if _is_github_s(answer) else ():
        if words.search(text):
            return GoneForGood(why, what, text)
    return AccessRefused(what, text)


def _is_github_s(answer: HttpAnswer) -> bool:
    """Say whether an error has the form of GitHub's errors."""
    try:
        return msgspec.json.decode(answer.text, type=_ErrorBody).message is not None
    except msgspec.DecodeError:
        return False


def decoded(text: str | bytes, kind: type[AnswerT], what: str) -> AnswerT:
    """Decode an answer's JSON as ``kind``. Raises `TemporaryFailure` if it does not fit."""
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, RecursionError) as problem:
        raise TemporaryFailure(what, f"the answer is not as documented: {problem}") from problem
