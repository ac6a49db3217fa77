"""Who sends a request, and what that person may read: every page and API route checks here.

A cookie identifies a signed-in person, and a read token does so at the API. Either way the app
asks GitHub what that person may see. If GitHub does not answer, nobody gets in.
"""

import hmac
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from typing import NoReturn, TypeVar, cast

import structlog
from flask import Flask, abort, g, redirect, request, url_for
from werkzeug.datastructures import Authorization
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from ghapp.attribution.model import Struct
from ghapp.git.names import is_owner
from ghapp.github.token_cache import derive_key
from ghapp.github.user_access import AccessLevel, GitHubAway, MembersHidden
from ghapp.people.readers import NotSignedIn, PageReaders
from ghapp.store import AccessToken, Installation, Repository, StoreError, TokenKind
from ghapp.store.access_log import AccessDoor, AccessEntry
from ghapp.store.logins import SignedIn
from ghapp.web.current import services
from ghapp.web.errors import problem, told

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_FIELD = "form_token"
"""Name of the hidden field in every form of a signed-in person."""

AWAY = "GitHub cannot be asked who may read this; try again in a minute"
MEMBERS_HIDDEN = (
    "GitHub does not tell this app whether you are a member: an owner of the organization must "
    "accept the permission 'Members: read', or you must pass its single sign-on"
)
"""Told only to who may read a private repository there: others get the 404 of an unknown name."""

Found = TypeVar("Found")

log = structlog.get_logger()


class PageViewer(Struct, frozen=True, kw_only=True):
    """The person who sends a request."""

    person: SignedIn
    token: AccessToken | None = None
    """The read token of the request; ``None``: the person uses a browser."""

    @property
    def login(self) -> str:
        """Login on GitHub."""
        return self.person.login

    @property
    def who(self) -> str:
        """The viewer's name in the access log."""
        return f"login:{self.login}" if self.token is None else f"token:{self.token.id}"

    def may_ask_about(self, installation_id: int | None) -> bool:
        """Say whether the token covers that installation; a browser covers every one."""
        if self.token is None or self.token.installations is None:
            return True
        return installation_id is not None and self.token.reaches(installation_id)


def add_access(app: Flask) -> None:
    """Tell every template who is signed in and what that person may change."""
    app.context_processor(lambda: {"viewer": _shown(), "form_token": form_token()})
    app.jinja_env.globals["is_owner"] = owns
    app.jinja_env.globals["administers"] = partial(_holds, require_repository_admin)


# --- the viewer -----------------------------------------------------------------------------------


def viewer() -> PageViewer | None:
    """Return the viewer; ``None``: anonymous, or a form that another site made.

    Answers 401 to an invalid read token.
    """
    if "viewer" not in g:
        g.viewer = _by_token() if request.path.startswith("/api/") else None
        g.viewer = g.viewer or _by_cookie()
    found: PageViewer | None = g.viewer
    return found


def require_viewer() -> PageViewer:
    """Return the viewer; redirect an anonymous browser to the sign-in, answer 401 to a program."""
    return viewer() or _sign_in_first()


def authorization() -> Authorization | None:
    """Return what the request's ``Authorization`` says; ``None``: nothing, or nothing readable.

    Werkzeug fails at a password of other letters than ASCII's, which anybody can send.
    """
    try:
        return request.authorization
    except ValueError:
        return None


def cookie_name() -> str:
    """Return the name of the sign-in's cookie; ``__Host-`` stops other sites from setting it.

    https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes
    """
    return "__Host-login" if is_encrypted() else "login"


def is_encrypted() -> bool:
    """Say whether browsers reach this app over HTTPS."""
    public = services.settings.public_url or ""
    return request.is_secure or public.startswith("https://")


def delete_cookie(answer: Response, name: str) -> None:
    """Delete a cookie as it was set: browsers ignore any other deletion of a ``__Host-`` one."""
    answer.delete_cookie(name, httponly=True, secure=is_encrypted(), samesite="Lax")


def form_token() -> str:
    """Return the secret field of this browser's forms; empty: nobody is signed in."""
    cookie = request.cookies.get(cookie_name(), "")
    key = derive_key(services.settings.encryption_key, "forms")
    return hmac.new(key, cookie.encode(), "sha256").hexdigest() if cookie else ""


def _by_cookie() -> PageViewer | None:
    cookie, readers = request.cookies.get(cookie_name(), ""), services.readers
    if not cookie or readers is None:
        return None
    if request.method not in SAFE and not _is_own_form():
        return None
    person = readers.of_cookie(cookie)
    return None if person is None else PageViewer(person=person)


def _is_own_form() -> bool:
    given = request.form.get(FORM_FIELD, "")
    return hmac.compare_digest(given.encode(), form_token().encode())


def _by_token() -> PageViewer | None:
    shown = authorization()
    if shown is None or shown.type != "bearer" or not shown.token:
        return None
    now = services.clock()
    token = services.store.tokens.check(shown.token, TokenKind.READ, now=now)
    if token is None or not token.is_valid(now):
        _refuse_token("this token is unknown, revoked or expired")
    person = services.store.logins.person(token.user_id)
    if person is None or person.sealed is None:
        _refuse_token(f"{token.login} has to sign in again before this token works")
    return PageViewer(person=person, token=token)


def _shown() -> PageViewer | None:
    """Return the viewer for a page's header; an error page may show nobody."""
    with suppress(StoreError, HTTPException):
        return viewer()
    return None


# --- what the viewer may read ---------------------------------------------------------------------


def require_reader(owner: str, name: str, level: AccessLevel = AccessLevel.READ) -> Repository:
    """Return a repository on which the viewer has at least ``level`` on GitHub.

    Answers 404 if the viewer may not read it, as GitHub does, and 403 if the viewer may read it
    but lacks ``level``. An anonymous viewer gets the sign-in, or 401 at the API, unless the
    settings open public repositories to anyone. GitHub is asked about an unknown name too, so that
    neither status nor time tells which private names exist.
    """
    asking = viewer()
    repository = services.store.installations.find(f"{owner}/{name}")
    if asking is None:
        is_open = services.settings.public_pages and repository and not repository.private
        if repository is None or not is_open or level is not AccessLevel.READ:
            _sign_in_first()
        return repository
    if repository is not None and not asking.may_ask_about(repository.installation_id):
        repository = None
    held = asked(
        lambda readers: readers.repository(
            asking.person, repository.id if repository else readers.nowhere(f"{owner}/{name}")
        )
    )
    _check(AccessLevel.NONE if repository is None else held, level, "repository")
    return cast("Repository", repository)


def require_repository_admin(owner: str, name: str) -> Repository:
    """Return a repository that the viewer administers on GitHub."""
    return require_reader(owner, name, AccessLevel.ADMIN)


def require_member(organization: str, level: AccessLevel = AccessLevel.READ) -> Installation:
    """Return the installation on an organization in which the viewer is an active member.

    The only member of a personal account is that person. Answers 404 to anybody else, and 403
    to a member who lacks ``level``.
    """
    asking = require_viewer()
    found = services.store.installations.of_account(organization)
    if found is not None and not asking.may_ask_about(found.id):
        found = None
    held = _level_in(asking, organization, found)
    _check(AccessLevel.NONE if found is None else held, level, "organization")
    return cast("Installation", found)


def _level_in(asking: PageViewer, organization: str, found: Installation | None) -> AccessLevel:
    """Return the viewer's level in an account; ask GitHub whether or not the app is there."""
    if not is_owner(organization):
        return AccessLevel.NONE
    if found is not None and found.account_type == "User" and found.account_id == asking.person.id:
        return AccessLevel.ADMIN
    try:
        held, is_hidden = (
            asked(lambda readers: readers.organization(asking.person, organization)),
            False,
        )
    except MembersHidden:
        held, is_hidden = AccessLevel.NONE, True
    if held.reaches(AccessLevel.READ):
        return held
    # GitHub refuses otherwise where the app is than where it is not: ask what both cases need.
    may_read = asked(
        lambda readers: readers.readable(
            asking.person, found.id if found else readers.nowhere(organization)
        )
    )
    # Who may read nothing costs no query either, so that the time does not tell a known account.
    if is_hidden and found is not None and may_read and _any_private(found.id, may_read):
        abort(403, MEMBERS_HIDDEN)
    return AccessLevel.NONE


def _any_private(installation_id: int, numbers: Collection[int]) -> bool:
    known = services.store.installations.repositories(installation_id)
    return any(one.private and one.id in numbers for one in known)


def _holds(require: Callable[..., object], *where: str) -> bool:
    """Say whether the viewer passes a check, so that a page can hide a link from others."""
    try:
        require(*where)
    except HTTPException:
        return False
    return True


def require_admin(organization: str) -> Installation:
    """Return the installation on an organization that the viewer owns."""
    return require_member(organization, AccessLevel.ADMIN)


def owns(organization: str) -> bool:
    """Say whether the viewer owns an organization."""
    return _holds(require_admin, organization)


def readable(installation_id: int) -> frozenset[int]:
    """Return the ids of an installation's repositories that the viewer may read.

    Every view of several repositories covers these only.
    """
    asking = require_viewer()
    if not asking.may_ask_about(installation_id):
        return frozenset()
    return asked(lambda readers: readers.readable(asking.person, installation_id))


def readable_ids(installation_id: int) -> tuple[int, ...]:
    """Return the ids of the repositories that `readable` returns, sorted."""
    return tuple(sorted(readable(installation_id)))


def installations() -> tuple[Installation, ...]:
    """Return the installations with anything that the viewer may read, sorted by account."""
    asking = require_viewer()
    seen = asked(lambda readers: readers.installations(asking.person))
    known = services.store.installations.all()
    found = (one for one in known if one.id in seen and asking.may_ask_about(one.id))
    return tuple(sorted(found, key=lambda one: one.account.lower()))


def note_access(
    what: str,
    *,
    repository: Repository | None = None,
    pull_request: int | None = None,
    detail: str | None = None,
) -> None:
    """Log that the viewer reads or exports audits; call it before anything is shown."""
    asking = viewer()
    access = AccessEntry(
        who="anonymous" if asking is None else asking.who,
        door=AccessDoor.API if request.path.startswith("/api/") else AccessDoor.PAGE,
        what=what,
        repository_id=None if repository is None else repository.id,
        pull_request=pull_request,
        detail=detail,
    )
    services.store.access_log.note(access, now=services.clock())


def asked(ask: Callable[[PageReaders], Found]) -> Found:
    """Return GitHub's answer about the viewer; 503 if GitHub does not answer now.

    Raises `MembersHidden` as the question does.
    """
    if services.readers is None:
        _sign_in_first()
    try:
        return ask(services.readers)
    except GitHubAway as away:
        wait = max(1, int((away.until - services.clock()).total_seconds()))
        # What was asked is in the log only: a repository's id would tell that it is known here.
        log.warning("access_not_asked", problem=str(away))
        response = told(503, AWAY)
        response.headers["Retry-After"] = str(wait)
        abort(response)
    except NotSignedIn:
        _sign_in_first()


def _check(held: AccessLevel, level: AccessLevel, what: str) -> None:
    if not held.reaches(AccessLevel.READ):
        abort(404, f"there is no such {what}, or you may not read it")
    if not held.reaches(level):
        abort(403, f"this needs {level} access to the {what}")


def _sign_in_first() -> NoReturn:
    if request.path.startswith("/api/"):
        _refuse_token("sign in, or send a read token: Authorization: Bearer TOKEN")
    if request.method not in SAFE:
        abort(403, "this form is too old or came from another site: load the page again")
    here = request.full_path.removesuffix("?")
    abort(redirect(url_for("login.sign_in", next=here), 302))


def _refuse_token(why: str) -> NoReturn:
    response = problem(401, why)
    response.headers["WWW-Authenticate"] = 'Bearer realm="ghapp"'
    abort(response)
