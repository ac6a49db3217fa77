"""What an answer of GitHub means: a closed set of errors, told from status, headers and text.

It sends nothing. The errors stand here, below all that talks to GitHub, so that the app's
own requests and an installation's are told apart by the same rules.
"""

# ruff: noqa: N818 (an outcome is named by what it means: `RateLimited`, not `LimitedError`)

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TypeVar

import msgspec

from ghapp.attribution.model import Struct

SECONDARY_WAIT = timedelta(seconds=60)
"""How long to be quiet where GitHub limits without a time: "at least one minute"."""

MAX_TEXT = 300
"""Characters of GitHub's own words that are kept in an error."""


AnswerT = TypeVar("AnswerT")


class HttpAnswer(Struct, frozen=True, kw_only=True):
    """One HTTP answer. Header names are in lower case; ``text`` is the body as text."""

    status: int
    headers: Mapping[str, str]
    text: str


class Headroom(Struct, frozen=True, kw_only=True):
    """What is left of the primary rate limit, as the last answer said."""

    limit: int
    remaining: int
    resets_at: datetime


# --- errors -----------------------------------------------------------------------------------


class GitHubError(Exception):
    """GitHub did not do what was asked. Every subclass is a different thing to do next."""


class LimitKind(StrEnum):
    """Which of GitHub's limits was reached."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    OWN = "own"
    """Not GitHub's: what we allow ourselves so that GitHub's are never reached."""


class RateLimited(GitHubError):
    """A rate limit: the whole installation has to be quiet until then."""

    def __init__(self, until: datetime, kind: LimitKind, what: str) -> None:
        super().__init__(f"{what}: {kind} rate limit, quiet until {until.isoformat()}")
        self.until = until
        self.kind = kind


class PermissionRefused(GitHubError):
    """The app may not do this; a person has to grant a permission or mend the settings."""

    def __init__(self, what: str, permission: str | None, text: str) -> None:
        needed = f"permission {permission} is missing" if permission else text
        super().__init__(f"{what}: {needed}")
        self.permission = permission
        """As GitHub names it, such as ``checks=write``; ``None``: GitHub did not say."""
        self.what = what
        self.text = text


class GoneReason(StrEnum):
    """Why something is gone for good, in one word."""

    UNINSTALLED = "uninstalled"
    SUSPENDED = "suspended"
    REMOVED = "removed"
    """The repository was deleted, transferred, or taken from the installation."""
    DELETED = "deleted"
    ARCHIVED = "archived"
    LOCKED = "locked"
    """The conversation is locked."""
    BLOCKED = "blocked"
    """GitHub disabled access to the repository, or the account blocked the app."""


class GoneForGood(GitHubError):
    """It will not work again by itself; trying again is of no use."""

    def __init__(self, why: GoneReason, what: str, text: str = "") -> None:
        super().__init__(f"{what}: {why}" + (f" ({text})" if text else ""))
        self.why = why


class NotFound(GitHubError):
    """404: not there, not there yet, or not for us. GitHub does not say which."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}: not found")


class TemporaryFailure(GitHubError):
    """GitHub could not answer. A read may be repeated; after a write, read first."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what}: {why}")
        self.why = why


class RequestRejected(GitHubError):
    """GitHub understood and will not: the request itself is at fault."""

    def __init__(self, what: str, status: int, text: str) -> None:
        super().__init__(f"{what}: status {status}, {text}")
        self.status = status
        self.text = text


class BadCredentials(GitHubError):
    """401: the token or the app's JWT is not accepted."""

    def __init__(self, what: str, text: str) -> None:
        super().__init__(f"{what}: status 401, {text}")


# --- telling them apart -------------------------------------------------------------------------


class _ErrorBody(Struct, frozen=True, kw_only=True):
    message: str | None = None
    errors: list[object] | None = None


def text_of(answer: HttpAnswer) -> str:
    """Return what GitHub says about an error, in one short line; the body where it is no JSON."""
    try:
        body = msgspec.json.decode(answer.text, type=_ErrorBody)
    except msgspec.DecodeError:
        return " ".join(answer.text.split())[:MAX_TEXT] or "no explanation"
    details = f" {msgspec.json.encode(body.errors).decode()}" if body.errors else ""
    return ((body.message or "no explanation") + details)[:MAX_TEXT]


def headroom(answer: HttpAnswer) -> Headroom | None:
    """Return the rate limit's state; ``None``: the answer does not carry it."""
    names = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")
    try:
        limit, remaining, reset = (int(float(answer.headers[name])) for name in names)
        return Headroom(
            limit=limit, remaining=remaining, resets_at=datetime.fromtimestamp(reset, UTC)
        )
    except (KeyError, ValueError, OverflowError, OSError):
        return None


def error_of(answer: HttpAnswer, *, what: str, at: datetime) -> GitHubError | None:
    """Say which error an answer is; ``None``: it is none.

    ``what`` names the request in messages; ``at`` is the time the answer came in.
    """
    if answer.status < 400:
        return None
    text = text_of(answer)
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
    """Read a limit: headers first, then the words, because the words change."""
    left = headroom(answer)
    exhausted = left is not None and left.remaining == 0
    wait = _retry_after(answer.headers.get("retry-after"), at)
    if wait is not None:
        kind = LimitKind.PRIMARY if exhausted else LimitKind.SECONDARY
        return RateLimited(at + wait, kind, what)
    if exhausted and left is not None:
        return RateLimited(max(left.resets_at, at), LimitKind.PRIMARY, what)
    words = re.search(r"rate limit|abuse detection|submitted too quickly", text, re.IGNORECASE)
    if words or answer.status == 429:
        return RateLimited(at + SECONDARY_WAIT, LimitKind.SECONDARY, what)
    return None


def _retry_after(value: str | None, at: datetime) -> timedelta | None:
    """Read a ``Retry-After``: seconds or an HTTP date; ``None``: absent or not readable."""
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


_GONE_WORDS = (
    (re.compile(r"\bsuspended\b", re.IGNORECASE), GoneReason.SUSPENDED),
    (re.compile(r"\barchived\b", re.IGNORECASE), GoneReason.ARCHIVED),
    (re.compile(r"\block(ed)?\b", re.IGNORECASE), GoneReason.LOCKED),
    (re.compile(r"\b(access )?blocked\b|\bdisabled\b", re.IGNORECASE), GoneReason.BLOCKED),
)
"""Words of a 403 that no permission would mend."""


def _refusal(answer: HttpAnswer, text: str, what: str) -> PermissionRefused | GoneForGood:
    for words, why in _GONE_WORDS:
        if words.search(text):
            return GoneForGood(why, what, text)
    return PermissionRefused(what, answer.headers.get("x-accepted-github-permissions"), text)


def decoded(text: str, kind: type[AnswerT], what: str) -> AnswerT:
    """Read an answer's JSON; `TemporaryFailure` where it has not the form that GitHub documents."""
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, RecursionError) as problem:
        raise TemporaryFailure(what, f"the answer is not as documented: {problem}") from problem
