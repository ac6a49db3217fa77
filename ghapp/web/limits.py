"""How often something may be tried, counted over all processes in the queue's Redis.

Where Redis is away every process counts for itself, so that an outage locks nobody out. What
GitHub signed is never counted: a delivery that is refused is a delivery that may be lost.
"""

import hashlib
from collections.abc import Callable

from flask import Flask, Response, current_app, g, request
from flask_limiter import Limiter

from ghapp.attribution.model import Struct
from ghapp.bootstrap import Services, connect_queue

WRONG_SIGNATURES = "60 per minute"
"""From one address. Each is looked at all the same: a right one may come from there as well."""


WRONG = "ghapp.wrong_signature"
"""Marks a request that `count_wrong_signature` counts."""


class RateLimit(Struct, frozen=True):
    """How often paths with one beginning may be asked for, by one and the same."""

    amount: str
    by: Callable[[], str]
    """Tells from the request who asks."""


def address() -> str:
    """Return where the request comes from."""
    return request.remote_addr or "unknown"


def bearer() -> str:
    """Return who asks by the token that is shown, as a digest; by address where there is none."""
    shown = request.headers.get("Authorization")
    return address() if shown is None else hashlib.sha256(shown.encode()).hexdigest()


RATES: dict[str, RateLimit] = {
    "/login": RateLimit("30 per minute", address),
    "/api/enroll": RateLimit("30 per minute", address),
    "/api/evidence": RateLimit("240 per minute", bearer),
    "/api": RateLimit("600 per minute", bearer),
    # GitHub's proxy of pictures asks for everybody who reads a README.
    "/badge": RateLimit("600 per minute", address),
    "/operator": RateLimit("60 per minute", address),
    "/metrics": RateLimit("60 per minute", address),
}
"""Beginning of a path → its rate; the longest one holds, and paths below none are free."""

FREE = RateLimit("1 per second", address)
"""Stands in where nothing is counted: the limiter wants to read an amount all the same."""


def add_limits(app: Flask, services: Services) -> None:
    """Answer 429 with ``Retry-After`` to whoever asks more often than `RATES` allows."""
    app.after_request(_say_own_wait)
    connections = connect_queue(services.settings, quick=True).connection_pool
    limiter = Limiter(
        lambda: RATES.get(_beginning(), FREE).by(),
        app=app,
        default_limits=[lambda: RATES.get(_beginning(), FREE).amount],
        default_limits_exempt_when=lambda: not _beginning(),
        request_identifier=lambda: _beginning() or request.path,
        storage_uri="redis://",
        storage_options={"connection_pool": connections},  # type: ignore[dict-item]
        key_prefix="ghapp",
        in_memory_fallback_enabled=True,
        headers_enabled=True,
    )
    # Asked first and cheaply: webhooks come by the hundred a second.
    limiter.request_filter(lambda: not _beginning() and WRONG not in request.environ)


def wait(seconds: int) -> None:
    """Let this answer tell when to come again, where another reason than a rate says so."""
    g.retry_after = seconds


def _say_own_wait(response: Response) -> Response:
    # Asked for before the limiter is there, so it comes after it, which writes the rate's own.
    if "retry_after" in g:
        response.headers["Retry-After"] = str(g.retry_after)
    return response


def count_wrong_signature() -> None:
    """Note a delivery that nobody of ours signed; raises 429 where its address sends too many."""
    request.environ[WRONG] = True
    (limiter,) = current_app.extensions["limiter"]
    with limiter.limit(WRONG_SIGNATURES, key_func=address, scope=WRONG):
        pass


def _beginning() -> str:
    """Return which entry of `RATES` a request falls under; empty: none."""
    path = request.path
    fitting = (one for one in RATES if path == one or path.startswith(f"{one}/"))
    return max(fitting, key=len, default="")
