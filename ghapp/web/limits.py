"""Rate limits, counted over all processes in the queue's Redis.

If Redis is away, every process counts for itself, so that an outage locks nobody out; telemetry is
always counted so, because Redis would cost more than reading it. Signed deliveries from GitHub are
never counted: a refused delivery may be a lost one.
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from threading import Lock

import msgspec
from flask import Flask, Response, abort, current_app, g, request
from flask_limiter import Limiter
from werkzeug.exceptions import HTTPException

from ghapp.attribution.model import Struct
from ghapp.bootstrap import Services, connect_queue
from ghapp.store import AccessToken, StoreError
from ghapp.web.access import authorization, cookie_name
from ghapp.web.current import services
from ghapp.wire import EnrollmentAsked

SMALL = 64 * 1024
"""Bytes of the largest request whose body tells who sends it."""
WRONG_SIGNATURES = "60 per minute"
"""For one address. The app still checks every delivery: the address may send valid ones too."""
WRONG = "ghapp.wrong_signature"
"""Key in the WSGI environment of a request that `count_wrong_signature` counts."""


class RateLimit(Struct, frozen=True):
    """How often one sender may request paths with a common prefix."""

    amount: str
    by: Callable[[], str]
    """Returns the sender of the current request."""


def address() -> str:
    """Return the address that the request comes from."""
    return request.remote_addr or "unknown"


def bearer() -> str:
    """Return whose valid token or sign-in the request shows, or its address if it shows none.

    A made-up token counts for its address: otherwise each would have a limit of its own.
    """
    if "limited_by" not in g:
        g.limited_by = _known_sender() or address()
    found: str = g.limited_by
    return found


def _known_sender() -> str | None:
    now = services.clock()
    try:
        token = shown_token()
        if token is not None and token.is_valid(now):
            return f"token:{token.id}"
        cookie = request.cookies.get(cookie_name(), "")
        person = services.store.logins.of_cookie(cookie, now=now) if cookie else None
    except StoreError:
        return None
    return None if person is None else f"login:{person.id}"


def shown_token() -> AccessToken | None:
    """Return the token that the request shows, of any kind, valid or not; ``None``: no known one.

    An ingest token may have been revoked a moment ago. Raises `StoreError`.
    """
    if "shown_token" not in g:
        shown = authorization()
        is_bearer = shown is not None and shown.type == "bearer" and shown.token
        secret = shown.token if shown is not None and is_bearer else None
        now = services.clock()
        g.shown_token = secret and services.store.tokens.remembered(secret, now=now)
    found: AccessToken | None = g.shown_token or None
    return found


def enrollment() -> str:
    """Return the digest of the handle that the request asks about, or its address.

    Many machines behind one address wait for their codes at the same time.
    """
    request.max_content_length = SMALL
    try:
        handle = msgspec.json.decode(request.get_data(), type=EnrollmentAsked).handle
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, HTTPException):
        return address()
    known = services.uploaders is not None and services.uploaders.began(handle)
    return hashlib.sha256(handle.encode()).hexdigest() if known else address()


def started_sign_in() -> str:
    """Return the digest of the sign-in that this browser carries, or its address."""
    carried = request.cookies.get("__Host-sign-in") or request.cookies.get("sign-in") or ""
    return hashlib.sha256(carried.encode()).hexdigest() if carried else address()


TELEMETRY = "/v1/"
MOST_TELEMETRY = 12_000
"""Requests of one sender to one process in a minute. One token may be on every laptop of a company,
and each sends some times a minute."""

RATES: dict[str, RateLimit] = {
    # A whole company may come from one address, and one person there must not shut the others out:
    # what is cheap has room for all, and what asks GitHub is counted by who asks.
    "/login": RateLimit("300 per minute", address),
    "/login/callback": RateLimit("5 per minute", started_sign_in),
    "/api/enroll": RateLimit("300 per minute", address),
    "/api/enroll/finish": RateLimit("60 per minute", enrollment),
    "/api/evidence": RateLimit("240 per minute", bearer),
    "/api/usage": RateLimit("240 per minute", bearer),
    "/api/deployments": RateLimit("240 per minute", bearer),
    "/api/incidents": RateLimit("240 per minute", bearer),
    "/api": RateLimit("600 per minute", bearer),
    # GitHub's image proxy fetches badges for everybody who reads a README.
    "/badge": RateLimit("600 per minute", address),
    "/operator": RateLimit("60 per minute", address),
    "/metrics": RateLimit("60 per minute", address),
}
"""Prefix of a path → its rate; the longest prefix applies, and other paths have no limit."""

FREE = RateLimit("1 per second", address)
"""Placeholder for paths without a limit: the limiter parses an amount in any case."""


def add_limits(app: Flask, services: Services) -> None:
    """Answer 429 with ``Retry-After`` to a sender who exceeds `RATES`."""
    app.after_request(_say_own_wait)
    connections = connect_queue(services.settings, quick=True).connection_pool
    limiter = Limiter(
        lambda: RATES.get(_prefix(), FREE).by(),
        app=app,
        default_limits=[lambda: RATES.get(_prefix(), FREE).amount],
        default_limits_exempt_when=lambda: not _prefix(),
        request_identifier=lambda: _prefix() or request.path,
        storage_uri="redis://",
        storage_options={"connection_pool": connections},  # type: ignore[dict-item]
        key_prefix="ghapp",
        in_memory_fallback_enabled=True,
        headers_enabled=True,
    )
    # Runs first and is cheap: webhooks come by the hundred per second.
    limiter.request_filter(lambda: not _prefix() and WRONG not in request.environ)
    counts = MinuteCounts()

    def count_telemetry() -> None:
        if request.path.startswith(TELEMETRY):
            now = services.clock()
            if counts.add(bearer(), int(now.timestamp()) // 60) > MOST_TELEMETRY:
                wait(60 - now.second)
                abort(429, f"more than {MOST_TELEMETRY:,} requests in this minute: send them later")

    app.before_request(count_telemetry)


class MinuteCounts:
    """How often each sender came in the latest minute, to this process."""

    def __init__(self) -> None:
        self._minute = 0
        self._counts: Counter[str] = Counter()
        self._lock = Lock()

    def add(self, sender: str, minute: int) -> int:
        """Count a request in a minute, by its number; return how many the sender has made."""
        with self._lock:
            if minute != self._minute:
                self._minute, self._counts = minute, Counter()
            self._counts[sender] += 1
            return self._counts[sender]


def wait(seconds: int) -> None:
    """Set ``Retry-After`` of this answer, in seconds, for a reason other than a rate."""
    g.retry_after = seconds


def _say_own_wait(response: Response) -> Response:
    # Flask runs these hooks in reverse order, so this one overwrites the header of the limiter.
    if "retry_after" in g:
        response.headers["Retry-After"] = str(g.retry_after)
    return response


def count_wrong_signature() -> None:
    """Count a delivery with a wrong signature; raises 429 if its address sends too many."""
    request.environ[WRONG] = True
    (limiter,) = current_app.extensions["limiter"]
    with limiter.limit(WRONG_SIGNATURES, key_func=address, scope=WRONG):
        pass


def _prefix() -> str:
    """Return the key in `RATES` for this request; empty: there is none."""
    path = request.path
    fitting = (one for one in RATES if path == one or path.startswith(f"{one}/"))
    return max(fitting, key=len, default="")
