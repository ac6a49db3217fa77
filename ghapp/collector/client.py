"""The HTTP client for the app's upload routes. It knows neither queue nor transcripts.

It uses https, or http to this machine only. It follows no redirect, so that the token never
goes to another host.
"""

import gzip
import http.client
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import IO, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import msgspec

from ghapp import __version__
from ghapp.collector.places import CollectorError
from ghapp.wire import (
    BatchReceipt,
    EnrollmentAsked,
    EnrollmentStarted,
    ForgetReceipt,
    ForgetRequest,
    MachineEnrolled,
    MachineEnrollment,
    OwnRecord,
    UsageReceipt,
    WireProblem,
)

CLIENT = f"ghapp/{__version__}"
SECONDS = 30.0
"""Time-out of a request."""
LARGEST_ANSWER = 4 * 1024 * 1024
"""Bytes read of an answer."""
WAIT = timedelta(minutes=5)
"""Pause if the app is busy and does not say for how long."""
LONGEST_WAIT = timedelta(hours=12)
"""Longest pause, whatever the app asks for."""

STALE_KEY = "stale_key"
RENEWABLE = frozenset({STALE_KEY, "other_installation"})
"""Error codes that a fresh `UploadClient.enrollment` may resolve."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_Answer = TypeVar("_Answer")


class AddressError(CollectorError):
    """The address is not safe for a token; the message says which are."""


class AppAway(CollectorError):  # noqa: N818 - a state of the world, named as what it is
    """The app could not be reached, or is busy: retry the same later. Nothing is lost."""

    def __init__(self, problem: str, wait: timedelta | None = None) -> None:
        super().__init__(problem)
        self.wait = wait
        """How long to wait before the next try; ``None``: the app did not say."""


class UploadRejected(CollectorError):  # noqa: N818 - what the app did, named as what it is
    """The app refused the request and would refuse it again."""

    def __init__(self, status: int, problem: WireProblem) -> None:
        super().__init__(f"the app refused (status {status}): {problem.error}")
        self.status = status
        self.code = problem.code
        self.field = problem.field

    @property
    def is_of_this_machine(self) -> bool:
        """Whether the app refused the token or the key, so that it would refuse all else too."""
        return self.status == HTTPStatus.UNAUTHORIZED or self.code == STALE_KEY


class _Reply(NamedTuple):
    status: int
    body: bytes
    retry_after: str | None


class UploadClient:
    """Client of one app, with or without a token."""

    def __init__(self, url: str, token: str | None = None, *, seconds: float = SECONDS) -> None:
        self.url = checked(url)
        self._token = token
        self._seconds = seconds
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if urlsplit(self.url).scheme == "http":
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    def start_enrollment(self) -> EnrollmentStarted:
        """Ask for a code that a person types at GitHub."""
        return self._ask("POST", "/api/enroll", EnrollmentStarted, b"{}")

    def finish_enrollment(self, handle: str) -> MachineEnrolled | None:
        """Return token and keys once the person has typed the code; ``None``: not yet."""
        body = msgspec.json.encode(EnrollmentAsked(handle=handle))
        reply = self._request("POST", "/api/enroll/finish", body)
        return None if reply.status == 202 else _decoded(reply.body, MachineEnrolled)

    def enrollment(self) -> MachineEnrollment:
        """Return the current installations with their keys."""
        return self._ask("GET", "/api/enrollment", MachineEnrollment)

    def send(self, batch: bytes) -> BatchReceipt:
        """Send one batch, a `ghapp.wire.EditBatch` as JSON."""
        return self._ask("POST", "/api/evidence", BatchReceipt, batch)

    def send_usage(self, report: bytes) -> UsageReceipt:
        """Send one report, a `ghapp.wire.UsageReport` as JSON."""
        return self._ask("PUT", "/api/usage", UsageReceipt, report)

    def forget(self, request: ForgetRequest) -> ForgetReceipt:
        """Remove what this developer has sent."""
        return self._ask("DELETE", "/api/evidence", ForgetReceipt, msgspec.json.encode(request))

    def own_record(self) -> OwnRecord:
        """Return how the app sees the person of a read token. It needs that kind of token."""
        return self._ask("GET", "/api/viewer/record", OwnRecord)

    def _ask(
        self, method: str, path: str, answer: type[_Answer], body: bytes | None = None
    ) -> _Answer:
        return _decoded(self._request(method, path, body).body, answer)

    def _request(self, method: str, path: str, body: bytes | None) -> _Reply:
        """Return a successful answer. Raises `AppAway` and `UploadRejected`."""
        request = urllib.request.Request(self.url + path, method=method)  # noqa: S310 - checked
        request.add_header("User-Agent", CLIENT)
        request.add_header("Accept", "application/json")
        if self._token is not None:
            request.add_header("Authorization", f"Bearer {self._token}")
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.add_header("Content-Encoding", "gzip")
            request.data = gzip.compress(body, 3, mtime=0)
        reply = self._reply(request)
        _raise_for(reply)
        return reply

    def _reply(self, request: urllib.request.Request) -> _Reply:
        try:
            with self._opener.open(request, timeout=self._seconds) as answer:
                return _read(answer.status, answer, answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return _read(error.code, error, error.headers)
        except (OSError, http.client.HTTPException) as error:
            # This covers URLError and time-outs, too.
            reason = getattr(error, "reason", error)
            raise AppAway(f"{self.url} cannot be reached: {reason}") from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Treats a redirect as an error."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow no redirect; `urllib` then raises its `HTTPError`."""


def checked(url: str) -> str:
    """Return an address that is safe for a token, without a trailing slash.

    Raises `AddressError`.
    """
    wrong = AddressError(
        f"{url!r} is not an address to send to: give the app's own, such as "
        "https://audits.example.com (http only to this machine itself)"
    )
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        raise wrong from None
    is_loopback = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not (parts.scheme == "https" or is_loopback) or not parts.hostname or "@" in parts.netloc:
        raise wrong
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _read(status: int, answer: IO[bytes], headers: Any) -> _Reply:
    return _Reply(status, answer.read(LARGEST_ANSWER), headers.get("Retry-After"))


def _raise_for(reply: _Reply) -> None:
    """Raise `AppAway` or `UploadRejected` for an answer that is not a success."""
    if 200 <= reply.status < 300:
        return
    try:
        problem = msgspec.json.decode(reply.body, type=WireProblem)
    except msgspec.DecodeError:
        problem = WireProblem(error="it gave no readable reason")
    if reply.status == 429 or reply.status >= 500:
        wait = waiting(reply.retry_after, datetime.now(UTC))
        raise AppAway(f"the app is busy (status {reply.status}): {problem.error}", wait)
    raise UploadRejected(reply.status, problem)


def waiting(retry_after: str | None, now: datetime) -> timedelta:
    """Return how long to wait, within bounds, by a ``Retry-After`` of seconds or a date.

    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    found = WAIT
    if retry_after is not None:
        try:
            found = timedelta(seconds=int(retry_after))
        except (ValueError, OverflowError):
            found = _until(retry_after, now)
    return min(max(found, timedelta(seconds=1)), LONGEST_WAIT)


def _until(date: str, now: datetime) -> timedelta:
    try:
        then = parsedate_to_datetime(date)
    except ValueError:
        return WAIT
    return (then if then.tzinfo else then.replace(tzinfo=UTC)) - now


def _decoded(body: bytes, type_: type[_Answer]) -> _Answer:
    try:
        return msgspec.json.decode(body, type=type_)
    except msgspec.DecodeError as error:
        raise AppAway(
            f"the app's answer cannot be read ({error}): is the address right?"
        ) from error
