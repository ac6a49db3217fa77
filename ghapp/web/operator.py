"""The operator's page: what is stuck and why, what comes round, a button. It audits nothing.

It is there only where an operator's token is set, which is the password of whoever asks.
"""

import hmac
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from ghapp.bootstrap import Services
from ghapp.queue.enqueue import QueueAway
from ghapp.store import RecurringWork, WorkEnd, WorkItem, WorkKind, WorkRequest
from ghapp.web.errors import problem

TROUBLED = 3
"""Tries after which an item that will be tried again is shown all the same."""
SHOWN = 200
RECENTLY = timedelta(days=3)
ROUND = timedelta(days=8)
"""How long ago a recurring item may have ended to be told; the rarest comes once a week."""
RECURRING = {
    WorkKind.SWEEP: "Sweep of failed deliveries",
    WorkKind.ROLL_CALL: "Roll call of installations",
    WorkKind.COMPLIANCE: "Agent sessions of the Compliance API",
    WorkKind.TEAMS: "Teams",
    WorkKind.WEEKLY_SUMMARY: "Weekly summary",
}
"""What comes round for the app or for an installation, in the page's words."""
GOOD_ENDS = {WorkEnd.DONE, WorkEnd.NOTHING_TO_DO}


def operator(services: Services) -> Blueprint:
    """Return the page ``/operator`` and its two buttons."""
    blueprint = Blueprint("operator", __name__)
    for_operators(blueprint, services)

    @blueprint.get("/operator")
    def stuck() -> str:
        store, now = services.store, services.clock()
        open_items = store.work.open(limit=10_000)
        installations = store.installations.all()
        return render_template(
            "operator.html",
            now=now,
            set_aside=store.work.dead_letters(SHOWN),
            troubled=[one for one in open_items if one.attempts >= TROUBLED][:SHOWN],
            backlog=store.work.backlog(now),
            parked=[
                one
                for one in installations
                if one.suspended_at or (one.parked_until and one.parked_until > now)
            ],
            recurring=_recurring(services, now),
            recurring_words=RECURRING,
            accounts={one.id: one.account for one in installations},
            left=store.deliveries.unsettled(now - timedelta(minutes=1), SHOWN),
            not_confirmed=store.publications.not_confirmed(now - RECENTLY, SHOWN),
            redis_is_alive=services.queue.is_alive(),
        )

    @blueprint.post("/operator/retry/<int(max=9223372036854775807):item_id>")
    def retry(item_id: int) -> BaseResponse:
        if not _is_from_here():
            return problem(403, "this request comes from another site")
        if not services.store.work.retry(item_id, now=services.clock()):
            return problem(404, "no such item is set aside")
        return _soon()

    @blueprint.post(
        "/operator/again/<int(max=9223372036854775807):repository_id>/<int(max=2147483647):number>"
    )
    def again(repository_id: int, number: int) -> BaseResponse:
        if not _is_from_here():
            return problem(403, "this request comes from another site")
        if not _audit_again(services, repository_id, number):
            return problem(404, "no such pull request was audited")
        return _soon()

    def _soon() -> BaseResponse:
        # Where Redis is away, the scheduler looks by itself before long.
        with suppress(QueueAway):
            services.queue.wake()
        return redirect(url_for("operator.stuck"), 303)

    return blueprint


def _audit_again(services: Services, repository_id: int, number: int) -> bool:
    """Make an audit due that was made before; ``False``: none was."""
    if services.store.audits.latest(repository_id, number) is None:
        return False
    now = services.clock()
    pull = (None, repository_id, number)
    work = WorkRequest.for_pull(WorkKind.AUDIT, *pull, at=now, why="an operator asked")
    services.store.work.enqueue(work, now=now)
    return True


def _recurring(services: Services, now: datetime) -> Sequence[RecurringWork]:
    """Return what comes round, those first whose last end was not good."""
    found = services.store.work.recurring([*RECURRING], now - ROUND)
    return sorted(found, key=lambda one: _ended_well(one.ended))[:SHOWN]


def _ended_well(item: WorkItem | None) -> bool:
    return item is None or item.outcome in GOOD_ENDS


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
