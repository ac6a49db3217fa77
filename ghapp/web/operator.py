"""The operator's page: stuck work with its reasons, recurring work, and two buttons.

Without an operator token the page says how to set one; a browser sends it as a password.
"""

import hmac
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from ghapp.queue.enqueue import QueueAway
from ghapp.store import LEFT_OUT_FOR, Installation, RecurringWork, WorkEnd, WorkKind, WorkRequest
from ghapp.web.access import authorization
from ghapp.web.current import services
from ghapp.web.errors import told

TRIES = 3
"""Tries after which the page shows a work item that is still retried."""
SHOWN = 200
"""Rows in one table."""
RECENTLY = timedelta(days=3)
"""How long the page shows a write to GitHub that failed."""
ROUND = timedelta(days=8)
"""How long the page shows the last run of recurring work; the rarest runs once a week."""
REPORTED = timedelta(days=30)
"""How long the page shows what a machine reported of an agent."""
RECURRING = {
    WorkKind.SWEEP: "Sweep of failed deliveries",
    WorkKind.ROLL_CALL: "Roll call of installations",
    WorkKind.COMPLIANCE: "Agent sessions of the Compliance API",
    WorkKind.TEAMS: "Teams",
    WorkKind.WEEKLY_SUMMARY: "Weekly summary",
    WorkKind.VENDOR_PULL: "Reports of a vendor",
}
"""Recurring work of the app or of an installation → its name on the page."""
NOT_SET = "no operator token is set: set GHAPP_OPERATOR_TOKEN and start the app again"
GOOD_ENDS = {WorkEnd.DONE, WorkEnd.NOTHING_TO_DO}


operator = Blueprint("operator", __name__)


def require_operator() -> Response | None:
    """Let in only a request with the operator's token; 404 says how to set one."""
    token = services.settings.operator_token
    if token is None:
        return told(404, NOT_SET, page="operator_off.html")
    given = authorization()
    secret = (given.token or given.password or "") if given else ""
    if hmac.compare_digest(secret.encode(), token.encode()):
        return None
    refused = told(401, "this needs the operator token")
    refused.headers["WWW-Authenticate"] = 'Basic realm="operator", charset="UTF-8"'
    return refused


operator.before_request(require_operator)


@operator.get("/operator")
def stuck() -> str:
    """Show what is stuck, and why."""
    store, now = services.store, services.clock()
    installations = store.installations.all()
    return render_template(
        "operator.html",
        now=now,
        dead_letters=store.work.dead_letters(SHOWN),
        retried=[one for one in store.work.open(limit=10_000) if one.attempts >= TRIES][:SHOWN],
        backlog=store.work.backlog(now),
        left_out=[
            (one, services.caught_up(one))
            for one in store.publications.left_out(now - LEFT_OUT_FOR)
        ],
        parked=[one for one in installations if _is_parked(one, now)],
        recurring=_recurring(now),
        recurring_words=RECURRING,
        accounts={one.id: one.account for one in installations},
        agents=store.agent_reports.seen(now - REPORTED),
        unsettled=store.deliveries.unsettled(now - timedelta(minutes=1), SHOWN),
        not_confirmed=store.publications.not_confirmed(now - RECENTLY, SHOWN),
        queue=services.queue.state().value,
    )


@operator.post("/operator/retry/<int(max=9223372036854775807):item_id>")
def retry(item_id: int) -> BaseResponse:
    """Make a dead letter due again."""
    if not _is_from_here():
        return told(403, "this request comes from another site")
    if not services.store.work.retry(item_id, now=services.clock()):
        return told(404, "there is no such dead letter")
    return _wake()


@operator.post(
    "/operator/again/<int(max=9223372036854775807):repository_id>/<int(max=2147483647):number>"
)
def again(repository_id: int, number: int) -> BaseResponse:
    """Audit a pull request again."""
    if not _is_from_here():
        return told(403, "this request comes from another site")
    if services.store.audits.latest(repository_id, number) is None:
        return told(404, "this pull request has no audit")
    _enqueue_audit(repository_id, number)
    return _wake()


def _wake() -> BaseResponse:
    # If Redis is away, the scheduler finds the work by itself before long.
    with suppress(QueueAway):
        services.queue.wake()
    return redirect(url_for("operator.stuck"), 303)


def _enqueue_audit(repository_id: int, number: int) -> None:
    now = services.clock()
    pull = (None, repository_id, number)
    work = WorkRequest.for_pull(WorkKind.AUDIT, *pull, at=now, why="an operator asked")
    services.store.work.enqueue(work, now=now)


def _is_parked(one: Installation, now: datetime) -> bool:
    return bool(one.suspended_at or (one.parked_until and one.parked_until > now))


def _recurring(now: datetime) -> Sequence[RecurringWork]:
    """Return recurring work; what ended badly the last time comes first."""
    found = services.store.work.recurring([*RECURRING], now - ROUND)
    return sorted(found, key=lambda one: one.ended is None or one.ended.outcome in GOOD_ENDS)[
        :SHOWN
    ]


def _is_from_here() -> bool:
    """Say whether our own page sends this: a browser adds the password to any site's request."""
    origin = request.headers.get("Origin")
    if origin is not None:
        with suppress(ValueError):
            return urlsplit(origin).netloc == request.host
        return False
    return request.headers.get("Sec-Fetch-Site", "none") in {"none", "same-origin"}
