"""Signing in through GitHub, and signing out. What a person may read is decided elsewhere."""

import base64
from datetime import timedelta
from typing import NoReturn

import msgspec
import structlog
from cryptography.fernet import Fernet, InvalidToken
from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from ghapp.attribution.model import Struct
from ghapp.github.answers import TemporaryFailure
from ghapp.github.token_cache import derive_key
from ghapp.github.user_access import GitHubAway
from ghapp.github.user_auth import SignInRefused, StartedSignIn
from ghapp.people.readers import SIGNED_IN_FOR, PageReaders
from ghapp.web.access import cookie_name, delete_cookie, is_encrypted, require_viewer
from ghapp.web.current import own_address, services

log = structlog.get_logger()

AT_GITHUB = timedelta(minutes=10)
"""How long a person may take at GitHub: its code expires after 10 minutes.

https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
"""
NOT_SET_UP = (
    "nobody can sign in here: set GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET from the app's page "
    "on GitHub"
)


class _SignInState(Struct, frozen=True, kw_only=True):
    """What the browser keeps in an encrypted cookie while its person is at GitHub."""

    started: StartedSignIn
    next: str
    """A path of this app."""


login = Blueprint("login", __name__)


@login.get("/login")
def sign_in() -> Response:
    """Send the browser to GitHub."""
    started = _readers().sign_in.start(_callback())
    carried = _SignInState(started=started, next=local_path(request.args.get("next")))
    answer = redirect(started.address, 302)
    _set_cookie(answer, _state_cookie(), _sealed(carried), AT_GITHUB)
    return answer


@login.get("/login/callback")
def callback() -> Response:
    """Sign in the person whom GitHub sent back."""
    carried = _carried()
    cookie = _begin(carried.started)
    answer = redirect(carried.next, 303)
    _set_cookie(answer, cookie_name(), cookie, SIGNED_IN_FOR)
    delete_cookie(answer, _state_cookie())
    return answer


@login.post("/logout")
def sign_out() -> Response:
    """End this browser's sign-in."""
    require_viewer()
    services.store.logins.end(request.cookies[cookie_name()])
    answer = redirect("/", 303)
    delete_cookie(answer, cookie_name())
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


def local_path(wanted: str | None) -> str:
    """Return where to go after the sign-in: ``wanted`` if it is a path of this app, else ``/``.

    >>> local_path("/repositories/acme/app?by=week"), local_path("//evil.example/")
    ('/repositories/acme/app?by=week', '/')
    """
    text = wanted or "/"
    # Browsers read a backslash as a slash, and drop tabs and newlines.
    # https://url.spec.whatwg.org/#concept-basic-url-parser
    is_plain = text.isprintable() and "\\" not in text
    # Two slashes begin the name of a host.
    is_ours = is_plain and text.startswith("/") and not text.startswith("//")
    return text if is_ours else "/"


def _begin(started: StartedSignIn) -> str:
    """Exchange GitHub's code and return the value of the browser's cookie."""
    if "error" in request.args:
        abort(403, f"GitHub did not let you in: {request.args['error'][:100]}")
    readers, code = _readers(), request.args.get("code", "")
    try:
        person, cookie = readers.begin(code, started.verifier, _callback())
    except SignInRefused as error:
        log.warning("sign_in_refused", problem=str(error))
        abort(403, f"{error}: start again at {url_for('login.sign_in')}")
    except (TemporaryFailure, GitHubAway) as error:
        log.warning("sign_in_failed", problem=str(error))
        abort(503, "GitHub does not answer: try again in a minute")
    log.info("signed_in", person=person.id)
    return cookie


def _carried() -> _SignInState:
    """Return the sign-in that this browser started; 400 if it started none."""
    sealed = request.cookies.get(_state_cookie(), "")
    now = int(services.clock().timestamp())
    try:
        text = _box().decrypt_at_time(sealed.encode(), int(AT_GITHUB.total_seconds()), now)
        carried = msgspec.json.decode(text, type=_SignInState)
    except (InvalidToken, msgspec.DecodeError):
        _not_started_here()
    if not carried.started.is_answered_by(request.args.get("state", "")):
        _not_started_here()
    return carried


def _not_started_here() -> NoReturn:
    abort(
        400,
        "this sign-in was started in another browser or too long ago: start again at /login, "
        "at the address that GHAPP_PUBLIC_URL names",
    )


def _sealed(carried: _SignInState) -> str:
    at = int(services.clock().timestamp())
    return _box().encrypt_at_time(msgspec.json.encode(carried), at).decode()


def _box() -> Fernet:
    key = derive_key(services.settings.encryption_key, "sign-in")
    return Fernet(base64.urlsafe_b64encode(key))


def _readers() -> PageReaders:
    return services.readers or abort(404, NOT_SET_UP)


def _callback() -> str:
    """Return the app's registered callback address; GitHub refuses any other."""
    base = own_address()
    return f"{base}{url_for('login.callback')}"


def _state_cookie() -> str:
    return "__Host-sign-in" if is_encrypted() else "sign-in"


def _set_cookie(answer: Response, name: str, value: str, lasts: timedelta) -> None:
    # Lax, because the redirect back from GitHub comes from another site.
    answer.set_cookie(
        name,
        value,
        max_age=lasts,
        httponly=True,
        secure=is_encrypted(),
        samesite="Lax",
    )
