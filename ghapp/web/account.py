"""What a person sets for herself: her access tokens, and signing out everywhere. No audit."""

from collections.abc import Iterable
from datetime import timedelta

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ghapp.bootstrap import Services
from ghapp.store import NewToken, TokenKind, new_secret
from ghapp.web.access import PageViewer, cookie_name, installations, require_viewer

LONGEST_LABEL = 100
LIFETIMES = (7, 30, 90, 365)
"""Days that a new token may last."""


def account(services: Services) -> Blueprint:
    """Return the routes below ``/settings``."""
    blueprint = Blueprint("account", __name__, url_prefix="/settings")

    @blueprint.get("/tokens")
    def tokens() -> str:
        return _page(services, require_viewer())

    @blueprint.post("/tokens")
    def make() -> Response:
        viewer, secret = require_viewer(), new_secret(TokenKind.READ)
        new = _wanted(services, viewer)
        services.store.tokens.issue(new, secret, now=services.clock())
        # Shown once, in the answer itself: an address or a cookie would keep it.
        return make_response(_page(services, viewer, secret=secret), 201)

    @blueprint.post("/tokens/<int(max=9223372036854775807):token>/revoke")
    def revoke(token: int) -> Response:
        person = require_viewer().person
        if not services.store.tokens.revoke(token, now=services.clock(), user_id=person.id):
            abort(404, "you have no such token that is still valid")
        return redirect(url_for("account.tokens"), 303)

    @blueprint.post("/sign-out-everywhere")
    def sign_out_everywhere() -> Response:
        services.store.logins.end_all(require_viewer().person.id)
        answer = redirect("/", 303)
        answer.delete_cookie(cookie_name())
        return answer

    return blueprint


def _page(services: Services, viewer: PageViewer, secret: str | None = None) -> str:
    now = services.clock()
    found = services.store.tokens.of_user(viewer.person.id)
    return render_template(
        "tokens.html",
        tokens=[one for one in found if one.is_valid(now)],
        accounts={one.id: one.account for one in installations(services)},
        lifetimes=LIFETIMES,
        longest_label=LONGEST_LABEL,
        secret=secret,
    )


def _wanted(services: Services, viewer: PageViewer) -> NewToken:
    """Read the form; a token is made for what its person reaches, and never for longer asked."""
    label, days = request.form.get("label", "").strip(), request.form.get("days", "")
    if not label or len(label) > LONGEST_LABEL:
        abort(400, f"give the token a name of 1 to {LONGEST_LABEL} characters")
    if days not in map(str, LIFETIMES):
        abort(400, f"days is {days!r}; give one of {', '.join(map(str, LIFETIMES))}")
    return NewToken(
        kind=TokenKind.READ,
        login=viewer.login,
        user_id=viewer.person.id,
        label=label,
        installations=_installations(services, request.form.getlist("installation")),
        expires_at=services.clock() + timedelta(days=int(days)),
    )


def _installations(services: Services, wanted: Iterable[str]) -> tuple[int, ...] | None:
    given = set(wanted)
    known = {str(one.id) for one in installations(services)}
    if given - known:
        abort(400, f"installation is {min(given - known)!r}, which you do not reach")
    return tuple(sorted(map(int, given))) or None
