"""Signing in and out: to GitHub and back, a cookie set, a cookie taken. It permits nothing."""

import base64
from datetime import timedelta
from typing import NoReturn
from urllib.parse import urlsplit

import msgspec
import structlog
from cryptography.fernet import Fernet, InvalidToken
from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from ghapp.attribution.model import Struct
from ghapp.bootstrap import Services
from ghapp.github.answers import TemporaryFailure
from ghapp.github.token_cache import derive_key
from ghapp.github.user_access import GitHubAway
from ghapp.github.user_auth import SignInRefused, StartedSignIn
from ghapp.people.readers import SIGNED_IN_FOR, PageReaders
from ghapp.web.access import cookie_name, is_encrypted, require_viewer

log = structlog.get_logger()

ON_ITS_WAY = timedelta(minutes=10)
"""How long a person may take at GitHub: its code lives as long."""
NOT_SET_UP = (
    "nobody can sign in here: set GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET from the app's page"
)


class _OnItsWay(Struct, frozen=True, kw_only=True):
    """What the browser carries, sealed, while it is at GitHub."""

    started: StartedSignIn
    next: str
    """A path of this app."""


def login(services: Services) -> Blueprint:
    """Return the routes ``/login``, ``/login/callback`` and ``/logout``."""
    blueprint = Blueprint("login", __name__)

    @blueprint.get("/login")
    def sign_in() -> Response:
        started = _readers(services).sign_in.start(_callback(services))
        carried = _OnItsWay(started=started, next=local_path(request.args.get("next")))
        answer = redirect(started.address, 302)
        _set(answer, _carrier(), _sealed(carried, services), ON_ITS_WAY)
        return answer

    @blueprint.get("/login/callback")
    def callback() -> Response:
        carried = _carried(services)
        cookie = _begin(carried.started, services)
        answer = redirect(carried.next, 303)
        _set(answer, cookie_name(), cookie, SIGNED_IN_FOR)
        _take(answer, _carrier())
        return answer

    @blueprint.post("/logout")
    def sign_out() -> Response:
        require_viewer()
        services.store.logins.end(request.cookies[cookie_name()])
        answer = redirect("/", 303)
        _take(answer, cookie_name())
        answer.headers["Clear-Site-Data"] = '"cache"'
        return answer

    return blueprint


def local_path(wanted: str | None) -> str:
    """Return where to go after the sign-in: a path of this app and nothing else, or ``/``.

    >>> local_path("/repositories/acme/app?by=week"), local_path("//evil.example/")
    ('/repositories/acme/app?by=week', '/')
    """
    text = wanted or "/"
    # A browser reads a back slash as a slash, and drops tabs and line ends.
    is_plain = text.isprintable() and "\\" not in text
    parts = urlsplit(text) if is_plain and text.startswith("/") else None
    is_ours = parts is not None and not parts.netloc and not text.startswith("//")
    return text if is_ours else "/"


def _begin(started: StartedSignIn, services: Services) -> str:
    """Exchange GitHub's code and return the browser's cookie."""
    if "error" in request.args:
        abort(403, f"GitHub did not let you in: {request.args['error'][:100]}")
    readers, code = _readers(services), request.args.get("code", "")
    try:
        person, cookie = readers.begin(code, started.verifier, _callback(services))
    except SignInRefused as error:
        log.warning("sign_in_refused", problem=str(error))
        abort(403, f"{error}: start again at {url_for('login.sign_in')}")
    except (TemporaryFailure, GitHubAway) as error:
        log.warning("sign_in_failed", problem=str(error))
        abort(503, "GitHub does not answer now: try again in a minute")
    log.info("signed_in", person=person.id)
    return cookie


def _carried(services: Services) -> _OnItsWay:
    """Return the sign-in that this browser started; anything else is refused."""
    sealed = request.cookies.get(_carrier(), "")
    now = int(services.clock().timestamp())
    try:
        text = _box(services).decrypt_at_time(sealed.encode(), int(ON_ITS_WAY.total_seconds()), now)
        carried = msgspec.json.decode(text, type=_OnItsWay)
    except (InvalidToken, msgspec.DecodeError):
        _not_started_here()
    if not carried.started.is_answered_by(request.args.get("state", "")):
        _not_started_here()
    return carried


def _not_started_here() -> NoReturn:
    abort(
        400,
        "this sign-in was not started in this browser, or too long ago: start again at /login, "
        "under the address that GHAPP_PUBLIC_URL names",
    )


def _sealed(carried: _OnItsWay, services: Services) -> str:
    at = int(services.clock().timestamp())
    return _box(services).encrypt_at_time(msgspec.json.encode(carried), at).decode()


def _box(services: Services) -> Fernet:
    key = derive_key(services.settings.encryption_key, "sign-in")
    return Fernet(base64.urlsafe_b64encode(key))


def _readers(services: Services) -> PageReaders:
    return services.readers or abort(404, NOT_SET_UP)


def _callback(services: Services) -> str:
    """Return the app's registered callback address; GitHub refuses any other."""
    base = services.settings.public_url or request.host_url.rstrip("/")
    return f"{base}{url_for('login.callback')}"


def _carrier() -> str:
    return "__Host-sign-in" if is_encrypted() else "sign-in"


def _set(answer: Response, name: str, value: str, lasts: timedelta) -> None:
    # Lax, because the way back from GitHub begins at another site.
    answer.set_cookie(
        name,
        value,
        max_age=lasts,
        httponly=True,
        secure=is_encrypted(),
        samesite="Lax",
    )


def _take(answer: Response, name: str) -> None:
    answer.delete_cookie(name, httponly=True, secure=is_encrypted(), samesite="Lax")
