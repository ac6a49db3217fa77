"""The app's upload routes, asked over HTTP. It knows the wire, and neither queue nor transcript.

Only https, or http to this machine itself; a redirect is an answer that is refused, so that a
token never follows one to another host.
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
    WireProblem,
)

CLIENT = f"ghapp/{__version__}"
SECONDS = 30.0
"""For one answer."""
LARGEST_ANSWER = 4 * 1024 * 1024
WAIT = timedelta(minutes=5)
"""Where the app says that it is busy and not for how long."""
LONGEST_WAIT = timedelta(hours=12)

STALE_KEY = "stale_key"
RENEWABLE = frozenset({STALE_KEY, "other_installation"})
"""Codes of refusals that a look at `UploadClient.enrollment` may mend."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_Answer = TypeVar("_Answer")


class AddressError(CollectorError):
    """An address that no token may be sent to; the message says which are good."""


class AppAway(CollectorError):  # noqa: N818 - a state of the world, named as what it is
    """The app was not reached, or is busy: the same again later. Nothing is lost meanwhile."""

    def __init__(self, problem: str, wait: timedelta | None = None) -> None:
        super().__init__(problem)
        self.wait = wait
        """How long the app asks to be left alone; ``None``: it did not say."""


class UploadRejected(CollectorError):  # noqa: N818 - what the app did, named as what it is
    """The app refused: the same again would be refused again."""

    def __init__(self, status: int, problem: WireProblem) -> None:
        super().__init__(f"the app refused (status {status}): {problem.error}")
        self.status = status
        self.code = problem.code
        self.field = problem.field

    @property
    def is_of_this_machine(self) -> bool:
        """Whether token or key are refused, so that nothing else would be taken either."""
        return self.status == HTTPStatus.UNAUTHORIZED or self.code == STALE_KEY


class _Reply(NamedTuple):
    status: int
    body: bytes
    retry_after: str | None


class UploadClient:
    """One app's routes, with or without a token."""

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
        return self._asked("POST", "/api/enroll", EnrollmentStarted, b"{}")

    def finish_enrollment(self, handle: str) -> MachineEnrolled | None:
        """Return token and keys once the person has typed the code; ``None``: not yet."""
        asked = msgspec.json.encode(EnrollmentAsked(handle=handle))
        reply = self._ask("POST", "/api/enroll/finish", asked)
        return None if reply.status == 202 else _decoded(reply.body, MachineEnrolled)

    def enrollment(self) -> MachineEnrollment:
        """Return the installations as they are now, with their keys."""
        return self._asked("GET", "/api/enrollment", MachineEnrollment)

    def send(self, batch: bytes) -> BatchReceipt:
        """Send one batch, JSON as `ghapp.wire.EditBatch` describes it."""
        return self._asked("POST", "/api/evidence", BatchReceipt, batch)

    def forget(self, wish: ForgetRequest) -> ForgetReceipt:
        """Remove what this developer has sent."""
        return self._asked("DELETE", "/api/evidence", ForgetReceipt, msgspec.json.encode(wish))

    def _asked(
        self, method: str, path: str, answer: type[_Answer], body: bytes | None = None
    ) -> _Answer:
        return _decoded(self._ask(method, path, body).body, answer)

    def _ask(self, method: str, path: str, body: bytes | None) -> _Reply:
        """Return a good answer. Raises `AppAway` and `UploadRejected`."""
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
            # URLError and time-outs among them.
            reason = getattr(error, "reason", error)
            raise AppAway(f"{self.url} cannot be reached: {reason}") from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Takes a redirect as the answer it is."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow nothing."""


def checked(url: str) -> str:
    """Return an address that a token may be sent to, without a slash at its end.

    Raises `AddressError`.
    """
    parts = urlsplit(url.strip())
    is_loopback = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not (parts.scheme == "https" or is_loopback) or not parts.hostname or "@" in parts.netloc:
        raise AddressError(
            f"{url!r} is no address to send to: give the app's own, such as "
            "https://audits.example.com (http only to this machine itself)"
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _read(status: int, answer: IO[bytes], headers: Any) -> _Reply:
    return _Reply(status, answer.read(LARGEST_ANSWER), headers.get("Retry-After"))


def _raise_for(reply: _Reply) -> None:
    """Turn an answer that is not a good one into what it means for the sender."""
    if 200 <= reply.status < 300:
        return
    try:
        problem = msgspec.json.decode(reply.body, type=WireProblem)
    except msgspec.DecodeError:
        problem = WireProblem(error="it gave no reason that can be read")
    if reply.status == 429 or reply.status >= 500:
        wait = waiting(reply.retry_after, datetime.now(UTC))
        raise AppAway(f"the app is busy (status {reply.status}): {problem.error}", wait)
    raise UploadRejected(reply.status, problem)


def waiting(retry_after: str | None, now: datetime) -> timedelta:
    """Return how long to wait: seconds or a date as HTTP has them, within bounds."""
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
