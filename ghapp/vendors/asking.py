"""Requests to a vendor, and what their answers mean. It knows no vendor and stores nothing.

Whatever a vendor answers is bounded: its size, its time, its pages. It follows no redirect, since
that would carry the key elsewhere.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import msgspec
import requests
from requests.auth import AuthBase

from ghapp import __version__
from ghapp.attribution.model import Struct
from ghapp.vendors.refusals import (
    KeyRefused,
    NotThereYet,
    RequestRefused,
    VendorAway,
    VendorLimited,
    WrongAnswer,
)

CONNECT_SECONDS = 10
READ_SECONDS = 30
"""Seconds without a single byte."""
WHOLE_TIMES = 4
"""How much longer than without a byte a whole answer may take, however steadily it drips."""
MOST_BYTES = 32 * 1024 * 1024
"""Of one answer, unpacked."""
MOST_PAGES = 1_000
MOST_ROWS = 500_000
"""Rows of one day, over all pages."""
CHUNK_BYTES = 64 * 1024
MOST_TEXT = 300
"""Characters of what is said of a wrong answer."""
WITHOUT_A_WORD = timedelta(minutes=1)
"""How long to wait after a 429 that names no time."""
LONGEST_WAIT = timedelta(days=1)
MOST_DIGITS = 9
"""Of ``Retry-After``: as many seconds are longer than any wait."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

AnswerT = TypeVar("AnswerT")


class VendorAccess(Struct, frozen=True):
    """Where a vendor is, and with which key and for whom it is asked."""

    address: str
    """Without a trailing slash."""
    key: str
    account: str
    """GitHub's name of the organization."""

    def __repr__(self) -> str:
        """Hide the key, because a repr ends up in logs."""
        return f"VendorAccess(address={self.address!r}, account={self.account!r})"


class VendorRequests:
    """A connection to one vendor."""

    def __init__(
        self,
        access: VendorAccess,
        headers: Mapping[str, str],
        *,
        clock: Callable[[], datetime],
        seconds: float = READ_SECONDS,
    ) -> None:
        _check_address(access.address)
        self.access = access
        self._headers = headers
        self._clock = clock
        self._seconds = seconds
        self._connection = requests.Session()
        self._connection.headers["User-Agent"] = f"ghapp/{__version__}"

    def json(  # noqa: PLR0913 - a request and what its answer should be
        self,
        verb: str,
        path: str,
        kind: type[AnswerT],
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AnswerT:
        """Return an answer as ``kind``. Raises the errors of `refusals`."""
        what = f"{verb} {path}"
        found = self._answer(
            what,
            self._connection.request,
            verb,
            f"{self.access.address}{path}",
            params=query,
            json=body,
            auth=_Signed({**self._headers, **(headers or {})}),
        )
        return decoded(found, kind, what)

    def unsigned(self, address: str, what: str) -> bytes:
        """Return what lies at an address that a vendor named; the key is not sent there."""
        # Without `auth`, a machine's own .netrc could sign the request.
        return self._answer(what, self._connection.request, "GET", address, auth=_Signed({}))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _answer(
        self, what: str, send: Callable[..., requests.Response], *place: str, **given: Any
    ) -> bytes:
        limits = {"timeout": (CONNECT_SECONDS, self._seconds), "allow_redirects": False}
        try:
            with send(*place, **given, **limits, stream=True) as answer:
                self._check(what, answer)
                return _whole(what, answer, WHOLE_TIMES * self._seconds)
        except requests.RequestException as problem:
            # Name only the type: the message may hold an address with a signature.
            raise VendorAway(f"{what}: no whole answer ({type(problem).__name__})") from None

    def _check(self, what: str, answer: requests.Response) -> None:
        """Raise the error that a status means."""
        match answer.status_code:
            case 200:
                return
            case 204:
                raise NotThereYet(f"{what}: there is no report yet")
            case 401:
                raise KeyRefused(f"{what}: the key is not accepted")
            case 403:
                raise KeyRefused(f"{what}: the key may not read this")
            case 429:
                wait = _wait(answer.headers.get("retry-after"), self._clock())
                raise VendorLimited(what, self._clock() + wait)
            case status if status >= 500 or status == 408:
                raise VendorAway(f"{what}: status {status}")
            case status:
                raise RequestRefused(f"{what}: status {status}")


class _Signed(AuthBase):
    """The headers of a request that carry the key."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request


def _check_address(address: str) -> None:
    parts = urlsplit(address)
    is_here = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or is_here):
        raise ValueError(f"{parts.hostname} is no https address")


def _whole(what: str, answer: requests.Response, seconds: float) -> bytes:
    """Return a body that is not too large and does not take too long."""
    found, until = bytearray(), time.monotonic() + seconds
    for chunk in answer.iter_content(CHUNK_BYTES):
        found += chunk
        if len(found) > MOST_BYTES:
            raise WrongAnswer(f"{what}: the answer is longer than {MOST_BYTES} bytes")
        if time.monotonic() > until:
            raise VendorAway(f"{what}: the answer took longer than {seconds:.0f} seconds")
    return bytes(found)


def _wait(named: str | None, now: datetime) -> timedelta:
    """Read ``Retry-After``, in seconds or as an HTTP date."""
    try:
        if named is None:
            return WITHOUT_A_WORD
        if named.isascii() and named.isdigit():
            wait = timedelta(seconds=int(named[:MOST_DIGITS]))
        else:
            at = parsedate_to_datetime(named)
            wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    except (ValueError, OverflowError):
        return WITHOUT_A_WORD
    return min(max(wait, timedelta(0)), LONGEST_WAIT)


def decoded(body: bytes, kind: type[AnswerT], what: str) -> AnswerT:
    """Decode JSON as ``kind``. Raises `WrongAnswer`, which names the field."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as problem:
        raise WrongAnswer(f"{what}: not as documented: {_without_values(problem)}") from None


def _without_values(problem: Exception) -> str:
    """Return what msgspec says of a field, without the field's value.

    >>> _without_values(ValueError("Invalid value 'Ann' - at `$.data[0].actor.type`"))
    'Invalid value - at `$.data[0].actor.type`'
    """
    head, _, rest = str(problem).partition(" '")
    return (head + rest.rpartition("'")[2])[:MOST_TEXT]


class VendorPage(Protocol):
    """A page of a list that a cursor continues."""

    @property
    def next_page(self) -> str | None:
        """Return the cursor of the next page; ``None``: this is the last one."""

    @property
    def has_more(self) -> bool | None:
        """Return whether there are more pages; ``None``: only the cursor says it."""

    @property
    def data(self) -> tuple[Any, ...]:
        """Return the page's rows."""


PageT = TypeVar("PageT", bound=VendorPage)


def pages(ask: Callable[[str | None], PageT], what: str) -> Iterator[PageT]:
    """Yield all pages; ``ask`` sends the request for a cursor.

    Raises `WrongAnswer` where pages go in a circle, never end, or end before the last one.
    """
    cursor: str | None = None
    seen, rows = set[str](), 0
    while True:
        page = ask(cursor)
        rows += len(page.data)
        check_rows(rows, what)
        yield page
        if not page.next_page or page.has_more is False:
            if page.has_more:
                raise WrongAnswer(f"{what}: there is more, but the answer names no next page")
            return
        cursor = page.next_page
        if cursor in seen or len(seen) >= MOST_PAGES:
            raise WrongAnswer(f"{what}: its pages never end")
        seen.add(cursor)


def check_rows(count: int, what: str) -> None:
    """Raise `WrongAnswer` for more rows than a day can have."""
    if count > MOST_ROWS:
        raise WrongAnswer(f"{what}: more than {MOST_ROWS} rows of one day")
