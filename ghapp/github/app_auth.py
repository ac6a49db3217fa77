"""Who the app is to GitHub: its JWT, and installation tokens that reach one repository each.

It also reads what only the app may read, such as the list of its installations.
"""

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from github import Auth

from ghapp.attribution.model import Struct
from ghapp.git.names import in_path, segment
from ghapp.github.answers import (
    AccessRefused,
    AnswerT,
    BadCredentials,
    GoneForGood,
    GoneReason,
    HttpAnswer,
    NotFound,
    PermissionRefused,
    RequestRejected,
    TemporaryFailure,
    decoded,
    error_of,
)
from ghapp.github.token_cache import MemoryTokens, TokenCache, derive_key
from ghapp.github.transport import PER_PAGE, GitHubTransport, MovedError, check_base_url

PERMISSIONS: Mapping[str, str] = {
    "checks": "write",
    "contents": "read",
    "metadata": "read",
    "pull_requests": "write",
}
"""The least that an audit needs: read the code, write a check run, a comment and a label."""

# https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
JWT_BACK = timedelta(seconds=60)
"""How far back a JWT is dated, as GitHub advises: our clock may be ahead of GitHub's."""
JWT_AHEAD = timedelta(minutes=9)
"""How long a JWT holds. GitHub accepts ten minutes at most, by its own clock."""
REFRESH_BEFORE = timedelta(minutes=5)
"""A token this close to its end is replaced, so that the new one lasts for the whole job."""

NAMES_TOKEN_KEPT = timedelta(minutes=50)
"""An installation's token lasts an hour."""
WAIT_SECONDS = 0.2
"""Seconds between two looks for the token that another process renews."""
WAIT_TIMES = 25
"""How often a process looks: 5 seconds in all."""

NO_KEY = (
    "the app's private key cannot be read: give the PEM text that GitHub made, "
    "with its BEGIN and END lines"
)

# https://api.github.com/repositories/1296269
_MOVED_TO = re.compile(r"/repositories/([0-9]+)$")


def utc_now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


class AccountId(Struct, frozen=True):
    """An account, as an answer about something else names it."""

    id: int


class PermissionOf(Struct, frozen=True):
    """What GitHub says a login may do in a repository."""

    permission: Literal["admin", "write", "read", "none"]
    user: AccountId | None = None
    """Who has the login now."""


class InstallationToken(Struct, frozen=True, kw_only=True):
    """A token for one repository of one installation."""

    token: str
    """Opaque: about 40 or 520 characters today, but GitHub promises no length."""
    expires_at: datetime
    permissions: dict[str, str]
    """What it permits: less than we asked for if the installation granted less."""
    full_name: str | None
    """The repository's name when the token was made; ``None``: GitHub did not say."""

    def __repr__(self) -> str:
        """Leave the token out: a repr ends up in logs."""
        return f"InstallationToken(full_name={self.full_name!r}, expires_at={self.expires_at!r})"


class AppInfo(Struct, frozen=True, kw_only=True):
    """The app as GitHub knows it."""

    id: int
    slug: str
    permissions: dict[str, str]
    events: tuple[str, ...]


class _Login(Struct, frozen=True):
    login: str


class ListedInstallation(Struct, frozen=True, kw_only=True):
    """One installation as GitHub knows it."""

    id: int
    owner: _Login | None = msgspec.field(name="account", default=None)
    permissions: dict[str, str] = msgspec.field(default_factory=dict)
    suspended_at: datetime | None = None
    """``None``: it is active."""

    @property
    def account(self) -> str:
        """Return the login of the account; empty: GitHub did not say."""
        return self.owner.login if self.owner else ""


class ListedRepository(Struct, frozen=True, kw_only=True):
    """A repository that an installation reaches."""

    id: int
    full_name: str
    archived: bool = False
    private: bool = True


class _RepositoryRef(Struct, frozen=True):
    id: int


class NamedRepository(Struct, frozen=True):
    """The repository that has or had a name, and what it is a fork of."""

    id: int
    parent: _RepositoryRef | None = None
    source: _RepositoryRef | None = None
    """Where a chain of forks begins."""

    @property
    def ids(self) -> tuple[int, ...]:
        """Return its id, and those of its parent and source if it is a fork."""
        return (self.id, *(one.id for one in (self.parent, self.source) if one is not None))


class _RepositoryPage(Struct, frozen=True):
    repositories: tuple[ListedRepository, ...]


class _TokenAnswer(Struct, frozen=True, kw_only=True):
    token: str
    expires_at: datetime
    permissions: dict[str, str] = msgspec.field(default_factory=dict)
    repositories: tuple[ListedRepository, ...] = ()


class AppIdentity(Struct, frozen=True, kw_only=True):
    """What makes this app this app: its id, its key, and the GitHub it is registered at."""

    app_id: int
    private_key: str
    """PEM text, as GitHub made it."""
    issuer: str | None = None
    """The client id, which GitHub prefers in a JWT; ``None``: the app id serves."""
    base_url: str = "https://api.github.com"
    """Or an Enterprise Server's ``https://HOST/api/v3``."""

    def __repr__(self) -> str:
        """Leave the key out: a repr ends up in logs."""
        return f"AppIdentity(app_id={self.app_id}, base_url={self.base_url!r})"


# Reading and checking a key takes fifty times as long as signing with it. A process has one key,
# and two while it is rotated.
@lru_cache(maxsize=2)
def _read_key(pem: str) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as problem:
        raise ValueError(NO_KEY) from problem
    if not isinstance(key, RSAPrivateKey):
        raise ValueError(NO_KEY)  # noqa: TRY004 - the text is wrong, not its type
    return key


class AppAuth:
    """The app's own requests, and its installations' tokens.

    Raises `ValueError` at once if the key cannot be read or the address is not safe.
    """

    def __init__(
        self,
        identity: AppIdentity,
        *,
        tokens: TokenCache | None = None,
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.app_id = identity.app_id
        self.base_url = identity.base_url
        self.clock = clock
        self._key = _read_key(identity.private_key)
        self.app_auth = Auth.AppAuth(identity.issuer or identity.app_id, sign_func=self._sign)
        self._tokens = tokens or MemoryTokens(clock)
        self._sleep = sleep
        self._marker_key = derive_key(identity.private_key.encode(), "comment markers")
        check_base_url(self.base_url)

    def _sign(self, claims: dict[str, Any]) -> str:
        """Sign a JWT for PyGithub, dated by our clock: PyGithub takes the process's."""
        now = self.clock()
        times = {
            "iat": int((now - JWT_BACK).timestamp()),
            "exp": int((now + JWT_AHEAD).timestamp()),
        }
        return jwt.encode({**claims, **times}, self._key, algorithm="RS256")

    def signature(self, text: str) -> str:
        """Return 16 hex digits that only this app can make of a text: for comment markers."""
        return hmac.new(self._marker_key, text.encode(), hashlib.sha256).hexdigest()[:16]

    # --- requests as the app itself -------------------------------------------------------------

    def request(
        self,
        verb: str,
        path: str,
        kind: type[AnswerT],
        *,
        body: Mapping[str, Any] | None = None,
        parameters: Mapping[str, str | int] | None = None,
    ) -> AnswerT:
        """Send one request as the app itself, such as ``GET /app``, and decode its answer.

        Raises the errors of `answers`; `BadCredentials` if GitHub rejects the app's key.
        """
        # A new connection: workers fork and web threads share this object.
        with closing(GitHubTransport(self.base_url)) as transport:
            answer = self._checked(transport, verb, path, parameters=parameters, body=body)
        return decoded(answer.text or "null", kind, f"{verb} {path}")

    def pages(
        self,
        path: str,
        kind: type[AnswerT],
        *,
        token: str | None = None,
        parameters: Mapping[str, str | int] | None = None,
    ) -> Iterator[AnswerT]:
        """Yield the pages of a list, as the app itself or with an installation's token."""
        given = {"per_page": PER_PAGE, **(parameters or {})}
        with closing(GitHubTransport(self.base_url)) as transport:
            first = self._checked(transport, "GET", path, token, parameters=given)
            for answer in transport.pages(
                first, lambda address: self._checked(transport, "GET", address, token)
            ):
                yield decoded(answer.text, kind, f"GET {path}")

    def _checked(
        self,
        transport: GitHubTransport,
        verb: str,
        path: str,
        token: str | None = None,
        **parts: Mapping[str, Any] | None,
    ) -> HttpAnswer:
        """Send one request; a redirect and a refused key are errors of `answers` too."""
        try:
            return self._sent(transport, verb, path, token, **parts)
        except MovedError as moved:
            raise TemporaryFailure(f"{verb} {path}", str(moved)) from moved
        except BadCredentials as refused:
            refused.advise("GitHub does not accept the app's key: check app id, private key, clock")
            raise

    def _sent(
        self,
        transport: GitHubTransport,
        verb: str,
        path: str,
        token: str | None,
        **parts: Mapping[str, Any] | None,
    ) -> HttpAnswer:
        auth = self.app_auth if token is None else Auth.Token(token)
        answer = transport.send(verb, path, auth, **parts)
        error = error_of(answer, what=f"{verb} {path}", at=self.clock())
        if error is not None:
            raise error
        return answer

    def app(self) -> AppInfo:
        """Return the app as GitHub knows it."""
        return self.request("GET", "/app", AppInfo)

    def installations(self) -> Iterator[ListedInstallation]:
        """Yield all installations of the app, suspended ones included."""
        for page in self.pages("/app/installations", tuple[ListedInstallation, ...]):
            yield from page

    def installation(self, installation_id: int) -> ListedInstallation | None:
        """Return one installation of the app; ``None``: there is no such installation."""
        try:
            return self.request("GET", f"/app/installations/{installation_id}", ListedInstallation)
        except NotFound:
            return None

    def repository(self, installation_id: int, repository_id: int) -> ListedRepository | None:
        """Return a repository as it is now; ``None``: the installation does not reach it.

        Raises `GoneForGood` if the app was uninstalled or suspended.
        """
        body = {"repository_ids": [repository_id], "permissions": {"metadata": "read"}}
        try:
            listed = self._post(installation_id, body).repositories
        except RequestRejected:
            return None
        return next((one for one in listed if one.id == repository_id), None)

    def repositories(self, installation_id: int) -> Iterator[ListedRepository]:
        """Yield all repositories that an installation reaches.

        Its token can read names and nothing else, and is not stored.
        """
        token = self._narrow_token(installation_id, "metadata")
        for page in self.pages("/installation/repositories", _RepositoryPage, token=token):
            yield from page.repositories

    def named(
        self, installation_id: int, full_name: str, known: int | None = None
    ) -> NamedRepository | None:
        """Return the repository that GitHub finds by a name, which may be a former one.

        ``None``: GitHub shows the installation no such repository, or it is the ``known`` one,
        about which nothing more is read: that takes one request, as an unknown name does.
        """
        path = f"/repos/{in_path(full_name)}"
        try:
            found = self._with_metadata(installation_id, path, NamedRepository, known)
        except (NotFound, GoneForGood, AccessRefused):
            return None
        return None if found is None or found.id == known else found

    def permission(self, installation_id: int, repository_id: int, login: str) -> PermissionOf:
        """Return what a person may do in a repository, as GitHub tells the app: one request.

        Raises the errors of `answers`; `NotFound` also where the installation has no such
        repository.
        https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
        """
        path = f"/repositories/{repository_id}/collaborators/{segment(login)}/permission"
        found = self._with_metadata(installation_id, path, PermissionOf)
        assert found is not None  # noqa: S101 - it says so only where it leads to what is known
        return found

    def _with_metadata(
        self, installation_id: int, path: str, kind: type[AnswerT], known: int | None = None
    ) -> AnswerT | None:
        """Read something; ``None``: GitHub says that the ``known`` repository is meant."""
        try:
            with closing(GitHubTransport(self.base_url)) as transport:
                token = self._token_for_names(installation_id)
                answer = self._followed(transport, path, token, known)
        except BadCredentials:
            self._tokens.remove(self._names_key(installation_id))
            raise TemporaryFailure(f"GET {path}", "GitHub does not accept the token") from None
        return None if answer is None else decoded(answer.text, kind, f"GET {path}")

    def _token_for_names(self, installation_id: int) -> str:
        """Return a token that reads metadata only, and is kept: one name costs one request.

        It reaches all repositories, so that a hidden one costs no token of its own.
        """
        key = self._names_key(installation_id)
        kept = self._tokens.read(key)
        if kept is None:
            kept = self._narrow_token(installation_id, "metadata").encode()
            self._tokens.write(key, kept, NAMES_TOKEN_KEPT)
        return kept.decode()

    def _names_key(self, installation_id: int) -> str:
        return f"{self.app_id}:{installation_id}:names"

    def _followed(
        self, transport: GitHubTransport, path: str, token: str, known: int | None
    ) -> HttpAnswer | None:
        """Read, and follow one redirect to a repository's id on the same GitHub.

        ``None``: it leads to the ``known`` repository.
        """
        try:
            return self._sent(transport, "GET", path, token)
        except MovedError as moved:
            found = _MOVED_TO.search(moved.location or "")
            if found is None:
                raise TemporaryFailure(f"GET {path}", str(moved)) from moved
        if int(found[1]) == known:
            return None
        try:
            return self._sent(transport, "GET", f"/repositories/{segment(found[1])}", token)
        except MovedError as again:
            raise TemporaryFailure(f"GET {path}", str(again)) from again

    # --- installation tokens --------------------------------------------------------------------
    # https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-an-installation-access-token-for-a-github-app

    def token_for_members(self, installation_id: int) -> str:
        """Return a new token that reads an organization's teams and members and nothing else.

        Raises `PermissionRefused`, which names the permission, if it is not granted.
        """
        try:
            return self._narrow_token(installation_id, "members")
        except RequestRejected as rejected:
            what = f"teams of installation {installation_id}"
            raise PermissionRefused(what, "members=read", rejected.text) from rejected

    def _narrow_token(self, installation_id: int, permission: str) -> str:
        return self._post(installation_id, {"permissions": {permission: "read"}}).token

    def installation_token(self, installation_id: int, repository_id: int) -> InstallationToken:
        """Return a token that lasts five minutes or more, from the cache or new.

        Raises `GoneForGood` if the app was uninstalled or suspended or the installation no longer
        reaches the repository, and the other errors of `answers`.
        """
        key = f"{self.app_id}:{installation_id}:{repository_id}"
        for _ in range(WAIT_TIMES):
            token = self._cached(key)
            if token is not None:
                return token
            with self._tokens.alone(key) as alone:
                if alone:
                    return self._cached(key) or self._renew(key, installation_id, repository_id)
            self._sleep(WAIT_SECONDS)
        # The process that holds the lock is stuck: one request too many is better than no audit.
        return self._renew(key, installation_id, repository_id)

    def forget(
        self, installation_id: int, repository_id: int, token: InstallationToken | None = None
    ) -> None:
        """Remove a token that GitHub refused from the cache, unless a newer one replaced it.

        Without ``token``, whatever it is: a token keeps the permissions of the time it was made.
        """
        key = f"{self.app_id}:{installation_id}:{repository_id}"
        cached = self._cached(key)
        if token is None or cached is None or cached.token == token.token:
            self._tokens.remove(key)

    def _cached(self, key: str) -> InstallationToken | None:
        kept = self._tokens.read(key)
        if kept is None:
            return None
        try:
            token = msgspec.json.decode(kept, type=InstallationToken)
        except msgspec.DecodeError:
            return None
        return token if token.expires_at - REFRESH_BEFORE > self.clock() else None

    def _renew(self, key: str, installation_id: int, repository_id: int) -> InstallationToken:
        token = self._create(installation_id, repository_id)
        keep = token.expires_at - REFRESH_BEFORE - self.clock()
        self._tokens.write(key, msgspec.json.encode(token), keep)
        return token

    def _create(self, installation_id: int, repository_id: int) -> InstallationToken:
        """Create a token with all permissions that an audit needs, or with those that it can get.

        A check run without a comment is better than nothing.
        """
        gone = f"repository {repository_id}"
        try:
            return self._create_with(installation_id, repository_id, PERMISSIONS)
        except RequestRejected as rejected:
            granted = self._granted(installation_id)
            if granted == PERMISSIONS:
                # Every permission is granted, so GitHub refuses the repository.
                raise GoneForGood(GoneReason.REMOVED, gone, rejected.text) from rejected
            if not granted:
                what = f"installation {installation_id}"
                raise PermissionRefused(what, "contents=read", rejected.text) from rejected
        try:
            return self._create_with(installation_id, repository_id, granted)
        except RequestRejected as again:
            raise GoneForGood(GoneReason.REMOVED, gone, again.text) from again

    def _granted(self, installation_id: int) -> dict[str, str]:
        """Ask GitHub how much of `PERMISSIONS` an installation granted."""
        path = f"/app/installations/{installation_id}"
        try:
            granted = self.request("GET", path, ListedInstallation).permissions
        except NotFound as missing:
            raise _uninstalled(installation_id) from missing
        return {
            name: level if granted[name] in {level, "write", "admin"} else granted[name]
            for name, level in PERMISSIONS.items()
            if name in granted
        }

    def _create_with(
        self, installation_id: int, repository_id: int, permissions: Mapping[str, str]
    ) -> InstallationToken:
        body = {"repository_ids": [repository_id], "permissions": dict(permissions)}
        answer = self._post(installation_id, body)
        names = {item.id: item.full_name for item in answer.repositories}
        return InstallationToken(
            token=answer.token,
            expires_at=answer.expires_at,
            permissions=answer.permissions,
            full_name=names.get(repository_id),
        )

    def _post(self, installation_id: int, body: Mapping[str, Any]) -> _TokenAnswer:
        path = f"/app/installations/{installation_id}/access_tokens"
        try:
            return self.request("POST", path, _TokenAnswer, body=body)
        except NotFound as missing:
            raise _uninstalled(installation_id) from missing


def _uninstalled(installation_id: int) -> GoneForGood:
    return GoneForGood(GoneReason.UNINSTALLED, f"installation {installation_id}")
