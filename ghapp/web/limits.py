"""Rate limits, counted over all processes in the queue's Redis.

If Redis is away, every process counts for itself, so that an outage locks nobody out. Signed
deliveries from GitHub are never counted: a refused delivery may be a lost one.
"""

import hashlib
from collections.abc import Callable

from flask import Flask, Response, current_app, g, request
from flask_limiter import Limiter

from ghapp.attribution.model import Struct
from ghapp.bootstrap import Services, connect_queue

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
    """Return the digest of the request's token, or its address if it has no token."""
    shown = request.headers.get("Authorization")
    return address() if shown is None else hashlib.sha256(shown.encode()).hexdigest()


RATES: dict[str, RateLimit] = {
    "/login": RateLimit("30 per minute", address),
    "/api/enroll": RateLimit("30 per minute", address),
    "/api/evidence": RateLimit("240 per minute", bearer),
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
