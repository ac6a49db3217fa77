"""Who asks, and whether that person may read this: the one door that pages and API go through.

A person comes with the cookie of a sign-in, or at the API with a read token; either way GitHub
is asked what that person may see. Where GitHub cannot be asked nobody is let in.
"""

import hmac
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NoReturn, TypeVar

from flask import Flask, abort, current_app, g, redirect, request, url_for
from werkzeug.exceptions import HTTPException

from ghapp.attribution.model import Struct
from ghapp.bootstrap import Services
from ghapp.github.token_cache import derive_key
from ghapp.github.user_access import AccessLevel, GitHubAway, MembersHidden
from ghapp.people.readers import NotSignedIn, PageReaders
from ghapp.store import AccessToken, Installation, Repository, StoreError, TokenKind
from ghapp.store.access_log import AccessDoor, AccessEntry
from ghapp.store.logins import SignedIn
from ghapp.web.errors import problem, told

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_FIELD = "form_token"
"""Name of the hidden field that every form of a signed-in person carries."""

Found = TypeVar("Found")


class PageViewer(Struct, frozen=True, kw_only=True):
    """Who asks."""

    person: SignedIn
    token: AccessToken | None = None
    """The read token that was shown; ``None``: the person sits at a browser."""

    @property
    def login(self) -> str:
        """Login on GitHub."""
        return self.person.login

    @property
    def who(self) -> str:
        """The viewer as the access log names it."""
        return f"login:{self.login}" if self.token is None else f"token:{self.token.id}"

    def comes_for(self, installation_id: int | None) -> bool:
        """Say whether a token was made for that installation; a browser is for all."""
        if self.token is None or self.token.installations is None:
            return True
        return installation_id is not None and self.token.reaches(installation_id)


def add_access(app: Flask, services: Services) -> None:
    """Let `viewer` know the services, and every template who is signed in."""
    app.extensions["ghapp.services"] = services
    app.context_processor(lambda: {"viewer": _shown(), "form_token": form_token()})
    app.jinja_env.globals["is_owner"] = partial(_holds, require_admin, services)
    app.jinja_env.globals["administers"] = partial(_holds, require_repository_admin, services)


# --- who asks -------------------------------------------------------------------------------------


def viewer() -> PageViewer | None:
    """Return who asks; ``None``: anonymous, or a form that does not come from our own page.

    An invalid read token is refused with 401.
    """
    if "viewer" not in g:
        g.viewer = _by_token() if request.path.startswith("/api/") else None
        g.viewer = g.viewer or _by_cookie()
    found: PageViewer | None = g.viewer
    return found


def require_viewer() -> PageViewer:
    """Return who asks; an anonymous browser is led to the sign-in, a program gets 401."""
    return viewer() or _sign_in_first()


def cookie_name() -> str:
    """Return the name of the sign-in's cookie; with ``__Host-`` no other site can set it."""
    return "__Host-login" if is_encrypted() else "login"


def is_encrypted() -> bool:
    """Say whether people reach this app over https."""
    public = _services().settings.public_url or ""
    return request.is_secure or public.startswith("https://")


def form_token() -> str:
    """Return what the forms of this browser carry; empty: nobody is signed in here."""
    cookie = request.cookies.get(cookie_name(), "")
    key = derive_key(_services().settings.encryption_key, "forms")
    return hmac.new(key, cookie.encode(), "sha256").hexdigest() if cookie else ""


def _by_cookie() -> PageViewer | None:
    cookie, readers = request.cookies.get(cookie_name(), ""), _services().readers
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
    shown = request.authorization
    if shown is None or shown.type != "bearer" or not shown.token:
        return None
    services = _services()
    now = services.clock()
    token = services.store.tokens.check(shown.token, TokenKind.READ, now=now)
    if token is None or not token.is_valid(now):
        _refuse_token("this token is not known, was revoked or has expired")
    person = services.store.logins.person(token.user_id)
    if person is None or person.sealed is None:
        _refuse_token(f"{token.login} has to sign in again before this token reads anything")
    return PageViewer(person=person, token=token)


def _shown() -> PageViewer | None:
    """Return who is signed in, for a page's head; a page of errors shows nobody."""
    with suppress(StoreError, HTTPException):
        return viewer()
    return None


# --- may they -------------------------------------------------------------------------------------


def require_reader(
    services: Services, owner: str, name: str, level: AccessLevel = AccessLevel.READ
) -> Repository:
    """Return a repository that the viewer may read on GitHub, or do more with if ``level`` says.

    Otherwise 404, as on GitHub: what somebody may not read is not there. 403: readable, but
    the level is not reached. Anonymous: the sign-in, or 401 at the API; where the settings
    say so, public repositories are readable by anyone.
    """
    asking = viewer()
    repository = services.store.installations.find(f"{owner}/{name}")
    if asking is None:
        is_open = services.settings.public_pages and repository and not repository.private
        if repository is None or not is_open or level is not AccessLevel.READ:
            _sign_in_first()
        return repository
    if repository is None or not asking.comes_for(repository.installation_id):
        abort(404, "there is no such repository, or you may not read it")
    held = asked(services, lambda readers: readers.repository(asking.person, repository.id))
    _check(held, level, "repository")
    return repository


def require_repository_admin(services: Services, owner: str, name: str) -> Repository:
    """Return a repository that the viewer administers on GitHub."""
    return require_reader(services, owner, name, AccessLevel.ADMIN)


def require_member(
    services: Services, organization: str, level: AccessLevel = AccessLevel.READ
) -> Installation:
    """Return the installation on an organization of which the viewer is an active member.

    An account of a person has one member, that person. Otherwise 404.
    """
    asking = require_viewer()
    found = services.store.installations.of_account(organization)
    if found is None or not asking.comes_for(found.id):
        abort(404, "the app is not installed there, or you are no member")
    if found.account_type == "User":
        held = AccessLevel.ADMIN if found.account_id == asking.person.id else AccessLevel.NONE
    else:
        held = asked(services, lambda readers: readers.organization(asking.person, found.account))
    _check(held, level, "organization")
    return found


def _holds(require: Callable[..., object], services: Services, *where: str) -> bool:
    """Say whether the viewer has what is required, for a link that others need not see."""
    try:
        require(services, *where)
    except HTTPException:
        return False
    return True


def require_admin(services: Services, organization: str) -> Installation:
    """Return the installation on an organization of which the viewer is an owner."""
    return require_member(services, organization, AccessLevel.ADMIN)


def readable(services: Services, installation_id: int) -> frozenset[int]:
    """Return the numbers of an installation's repositories that the viewer may read.

    Whatever is shown of several repositories is shown of these only.
    """
    asking = require_viewer()
    if not asking.comes_for(installation_id):
        return frozenset()
    return asked(services, lambda readers: readers.readable(asking.person, installation_id))


def installations(services: Services) -> tuple[Installation, ...]:
    """Return the installations that hold anything that the viewer may read, by account."""
    asking = require_viewer()
    seen = asked(services, lambda readers: readers.installations(asking.person))
    known = services.store.installations.all()
    found = (one for one in known if one.id in seen and asking.comes_for(one.id))
    return tuple(sorted(found, key=lambda one: one.account.lower()))


def note_access(
    services: Services,
    what: str,
    *,
    repository: Repository | None = None,
    pull_request: int | None = None,
    detail: str | None = None,
) -> None:
    """Log that the viewer looks at audits or exports them; to be called before it is shown."""
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


def asked(services: Services, ask: Callable[[PageReaders], Found]) -> Found:
    """Return what GitHub says of the viewer; 503 where it cannot be asked now."""
    if services.readers is None:
        _sign_in_first()
    try:
        return ask(services.readers)
    except GitHubAway as away:
        wait = max(1, int((away.until - services.clock()).total_seconds()))
        response = told(503, str(away))
        response.headers["Retry-After"] = str(wait)
        abort(response)
    except NotSignedIn:
        _sign_in_first()
    except MembersHidden:
        abort(
            403,
            "GitHub does not tell this app whether you are a member: an owner of the organization "
            "has to accept its permission 'Members: read', or you have to pass its single sign-on",
        )


def _check(held: AccessLevel, level: AccessLevel, what: str) -> None:
    if not held.reaches(AccessLevel.READ):
        abort(404, f"there is no such {what}, or you may not read it")
    if not held.reaches(level):
        abort(403, f"this needs {level} on the {what}")


def _sign_in_first() -> NoReturn:
    if request.path.startswith("/api/"):
        _refuse_token("sign in, or send a read token: Authorization: Bearer TOKEN")
    if request.method not in SAFE:
        abort(403, "this form is too old or comes from another site: load the page again")
    here = request.full_path.removesuffix("?")
    abort(redirect(url_for("login.sign_in", next=here), 302))


def _refuse_token(why: str) -> NoReturn:
    response = problem(401, why)
    response.headers["WWW-Authenticate"] = 'Bearer realm="ghapp"'
    abort(response)


def _services() -> Services:
    services: Services = current_app.extensions["ghapp.services"]
    return services
