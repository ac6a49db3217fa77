"""The operator's page: what is stuck and why, and a button to try it again. It audits nothing.

It is there only where an operator's token is set, which is the password of whoever asks.
"""

import hmac
from contextlib import suppress
from datetime import timedelta
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from ghapp.bootstrap import Services
from ghapp.queue.enqueue import QueueAway
from ghapp.web.errors import problem

TROUBLED = 3
"""Tries after which an item that will be tried again is shown all the same."""
SHOWN = 200
RECENTLY = timedelta(days=3)


def operator(services: Services) -> Blueprint:
    """Return the routes ``/operator`` and ``/operator/retry/<id>``."""
    blueprint = Blueprint("operator", __name__)
    for_operators(blueprint, services)

    @blueprint.get("/operator")
    def stuck() -> str:
        store, now = services.store, services.clock()
        open_items = store.due.open(limit=10_000)
        return render_template(
            "operator.html",
            now=now,
            set_aside=store.due.parked(SHOWN),
            troubled=[one for one in open_items if one.attempts >= TROUBLED][:SHOWN],
            backlog=store.due.backlog(now),
            parked=[
                one
                for one in store.installations.all()
                if one.suspended_at or (one.parked_until and one.parked_until > now)
            ],
            left=store.deliveries.unsettled(now - timedelta(minutes=1), SHOWN),
            not_confirmed=store.publications.not_confirmed(now - RECENTLY, SHOWN),
            redis_is_alive=services.queue.is_alive(),
        )

    @blueprint.post("/operator/retry/<int:item_id>")
    def retry(item_id: int) -> BaseResponse:
        if not _is_from_here():
            return problem(403, "this request comes from another site")
        now = services.clock()
        if not services.store.due.retry(item_id, now=now):
            return problem(404, "no such item is set aside")
        item = services.store.due.one(item_id)
        # Where Redis is away, the scheduler brings it later.
        with suppress(QueueAway):
            services.queue([item] if item else [], now=now)
        return redirect(url_for("operator.stuck"), 303)

    return blueprint


def for_operators(blueprint: Blueprint, services: Services) -> None:
    """Let only those in who have the operator's token; without one nothing is there."""

    @blueprint.before_request
    def check() -> Response | None:
        token = services.settings.operator_token
        if token is None:
            return problem(404, "no operator's token is set, so there is no such page")
        given = request.authorization
        secret = (given.token or given.password or "") if given else ""
        if hmac.compare_digest(secret.encode(), token.encode()):
            return None
        refused = problem(401, "the operator's token is needed")
        refused.headers["WWW-Authenticate"] = 'Basic realm="operator", charset="UTF-8"'
        return refused


def _is_from_here() -> bool:
    """Say whether a browser sends this from our own page: it adds the password by itself."""
    origin = request.headers.get("Origin")
    if origin is not None:
        return urlsplit(origin).netloc == request.host
    return request.headers.get("Sec-Fetch-Site", "none") in {"none", "same-origin"}
