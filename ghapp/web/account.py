"""The settings of a signed-in person: access tokens, and signing out everywhere."""

from collections.abc import Iterable
from datetime import timedelta

from flask import Blueprint, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ghapp.store import NewToken, TokenKind, new_secret
from ghapp.web.access import PageViewer, cookie_name, delete_cookie, installations, require_viewer
from ghapp.web.collector import install_from_here
from ghapp.web.current import services

LONGEST_LABEL = 100
"""Characters of a token's name."""
LIFETIMES = (7, 30, 90, 365)
"""Days after which a new token may expire."""


account = Blueprint("account", __name__, url_prefix="/settings")


@account.get("/tokens")
def tokens() -> str:
    """Show the person's valid tokens."""
    return _page()


@account.post("/tokens")
def make() -> Response:
    """Make a read token and show its secret."""
    viewer, secret = require_viewer(), new_secret(TokenKind.READ)
    services.store.tokens.issue(_new_token(viewer), secret, now=services.clock())
    # Shown only in this answer: an address or a cookie would keep the secret.
    return make_response(_page(secret), 201)


@account.post("/tokens/<int(max=9223372036854775807):token>/revoke")
def revoke(token: int) -> Response:
    """Revoke one of the person's tokens."""
    person = require_viewer().person
    if not services.store.tokens.revoke(token, now=services.clock(), user_id=person.id):
        abort(404, "you have no such valid token")
    return redirect(url_for("account.tokens"), 303)


@account.post("/sign-out-everywhere")
def sign_out_everywhere() -> Response:
    """End every sign-in of the person."""
    services.store.logins.end_all(require_viewer().person.id)
    answer = redirect("/", 303)
    delete_cookie(answer, cookie_name())
    return answer


def _page(secret: str | None = None) -> str:
    now = services.clock()
    found = services.store.tokens.of_user(require_viewer().person.id)
    return render_template(
        "tokens.html",
        tokens=[one for one in found if one.is_valid(now)],
        accounts={one.id: one.account for one in installations()},
        lifetimes=LIFETIMES,
        longest_label=LONGEST_LABEL,
        secret=secret,
        install=install_from_here(),
    )


def _new_token(viewer: PageViewer) -> NewToken:
    """Read the form; 400 names the invalid field."""
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
        installations=_installations(request.form.getlist("installation")),
        expires_at=services.clock() + timedelta(days=int(days)),
    )


def _installations(wanted: Iterable[str]) -> tuple[int, ...] | None:
    given = set(wanted)
    known = {str(one.id) for one in installations()}
    if given - known:
        abort(400, f"installation is {min(given - known)!r}, which you cannot read")
    return tuple(sorted(map(int, given))) or None
