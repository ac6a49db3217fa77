"""Who the app is to GitHub: its JWT, and installation tokens for one repository each.

It gets and keeps tokens; it does not use them.
"""

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ghapp.attribution.model import Struct
from ghapp.github.answers import (
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
"""The least an audit needs: read the code, write a check run, a comment and a label."""

JWT_BACK = timedelta(seconds=60)
"""Issued that long ago, so that a clock a little ahead of GitHub's does no harm."""
JWT_AHEAD = timedelta(minutes=9)
"""GitHub takes ten minutes at most, counted on its own clock."""
REFRESH_BEFORE = timedelta(minutes=5)
"""A token this close to its end is not handed out, so that it lasts for the job."""

WAIT_SECONDS = 0.2
WAIT_TIMES = 25
"""How often a process looks whether another one's new token has come: 5 s in all."""

MOST_PAGES = 1_000
"""A list that goes on after so many pages goes in a circle."""

NO_KEY = (
    "the app's private key cannot be read: give the PEM text that GitHub made, "
    "with its BEGIN and END lines"
)


def utc_now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


class InstallationToken(Struct, frozen=True, kw_only=True):
    """A token for one repository of one installation."""

    token: str
    """Opaque: about 40 or about 520 characters, and no length is promised."""
    expires_at: datetime
    permissions: dict[str, str]
    """What it may do; less than was asked where the installation did not grant it."""
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


class InstallationInfo(Struct, frozen=True, kw_only=True):
    """One installation as GitHub knows it."""

    id: int
    permissions: dict[str, str]
    suspended_at: datetime | None = None
    """``None``: it is active."""


class ListedInstallation(Struct, frozen=True, kw_only=True):
    """One installation as GitHub's list of all of them shows it."""

    id: int
    account: str
    permissions: dict[str, str]
    suspended_at: datetime | None = None


class ListedRepository(Struct, frozen=True, kw_only=True):
    """A repository that an installation reaches."""

    id: int
    full_name: str
    archived: bool = False
    private: bool = True


class NamedRepository(Struct, frozen=True):
    """What GitHub says of a name: the repository that has it or had it, and what it forks."""

    id: int
    full_name: str
    parent_id: int | None = None
    """``None``: it is no fork."""
    source_id: int | None = None
    """Where a fork of a fork begins."""


class _Login(Struct, frozen=True):
    login: str


class _InstallationItem(Struct, frozen=True, kw_only=True):
    id: int
    account: _Login | None = None
    permissions: dict[str, str] = msgspec.field(default_factory=dict)
    suspended_at: datetime | None = None


class _Origin(Struct, frozen=True):
    id: int


class _Fork(Struct, frozen=True, kw_only=True):
    id: int
    full_name: str
    parent: _Origin | None = None
    source: _Origin | None = None


class _RepositoryPage(Struct, frozen=True):
    repositories: tuple[ListedRepository, ...]


class _NamedRepository(Struct, frozen=True):
    id: int
    full_name: str


class _TokenAnswer(Struct, frozen=True, kw_only=True):
    token: str
    expires_at: datetime
    permissions: dict[str, str] = msgspec.field(default_factory=dict)
    repositories: tuple[_NamedRepository, ...] = ()


class AppIdentity(Struct, frozen=True, kw_only=True):
    """What makes this app this app: its number, its key, and which GitHub it is registered at."""

    app_id: int
    private_key: str
    """PEM text, as GitHub made it."""
    issuer: str | None = None
    """The client id, which GitHub prefers; ``None``: the number serves."""
    base_url: str = "https://api.github.com"
    """Or an Enterprise Server's ``https://HOST/api/v3``."""

    def __repr__(self) -> str:
        """Leave the key out: a repr ends up in logs."""
        return f"AppIdentity(app_id={self.app_id}, base_url={self.base_url!r})"


def _read_key(pem: str) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as problem:
        raise ValueError(NO_KEY) from problem
    if not isinstance(key, RSAPrivateKey):
        raise ValueError(NO_KEY)  # noqa: TRY004 - the text is wrong, not its type
    return key


class AppAuth:
    """The app's identity at work, and its installations' tokens.

    Raises `ValueError` at once where the key cannot be read or the address is not safe.
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
        self._issuer = identity.issuer or str(identity.app_id)
        # Read once: reading and checking a key takes fifty times as long as signing with it.
        self._key = _read_key(identity.private_key)
        self._tokens = tokens or MemoryTokens(clock)
        self._sleep = sleep
        self._marker_key = derive_key(identity.private_key.encode(), "comment markers")
        check_base_url(self.base_url)

    def jwt(self) -> str:
        """Return the app's own token: good for the app's requests, for nine minutes."""
        now = self.clock()
        claims = {
            "iat": int((now - JWT_BACK).timestamp()),
            "exp": int((now + JWT_AHEAD).timestamp()),
            "iss": self._issuer,
        }
        return jwt.encode(claims, self._key, algorithm="RS256")

    def signature(self, text: str) -> str:
        """Return 16 hex digits that only this app can make of a text: for comment markers."""
        return hmac.new(self._marker_key, text.encode(), hashlib.sha256).hexdigest()[:16]

    def request(
        self,
        verb: str,
        path: str,
        kind: type[AnswerT],
        *,
        body: Mapping[str, Any] | None = None,
        parameters: Mapping[str, str | int] | None = None,
    ) -> AnswerT:
        """Send one request as the app itself, such as ``GET /app``, and read its answer.

        Raises the errors of `answers`; `PermissionRefused` where GitHub rejects the app's key.
        """
        # A connection of its own: workers fork and web threads share this object.
        transport = GitHubTransport(self.base_url)
        try:
            answer = self._checked(transport, verb, path, None, body, parameters)
        finally:
            transport.close()
        return decoded(answer.text or "null", kind, f"{verb} {path}")

    def pages(
        self,
        path: str,
        kind: type[AnswerT],
        *,
        token: str | None = None,
        parameters: Mapping[str, str | int] | None = None,
    ) -> Iterator[AnswerT]:
        """Yield the pages of a list, as the app itself or by an installation's token."""
        transport = GitHubTransport(self.base_url)
        given: Mapping[str, str | int] = {"per_page": PER_PAGE, **(parameters or {})}
        try:
            address: str | None = path
            for _ in range(MOST_PAGES):
                answer = self._checked(transport, "GET", str(address), token, None, given)
                yield decoded(answer.text, kind, f"GET {path}")
                address, given = transport.next_page(answer), {}
                if address is None:
                    return
        finally:
            transport.close()
        raise TemporaryFailure(f"GET {path}", "its pages have no end")

    def _checked(  # noqa: PLR0913, PLR0917 - a request has these parts
        self,
        transport: GitHubTransport,
        verb: str,
        path: str,
        token: str | None,
        body: Mapping[str, Any] | None,
        parameters: Mapping[str, str | int] | None,
    ) -> HttpAnswer:
        what = f"{verb} {path}"
        authorization = f"Bearer {self.jwt()}" if token is None else f"token {token}"
        try:
            answer = transport.send(
                verb, path, authorization=authorization, body=body, parameters=parameters
            )
        except MovedError as moved:
            raise TemporaryFailure(what, str(moved)) from moved
        error = error_of(answer, what=what, at=self.clock())
        if isinstance(error, BadCredentials):
            hint = "GitHub does not accept the app's key: check app id, private key and clock"
            raise PermissionRefused(what, None, f"{hint} ({error})")
        if error is not None:
            raise error
        return answer

    def app(self) -> AppInfo:
        """Return the app as GitHub knows it."""
        return self.request("GET", "/app", AppInfo)

    def installation(self, installation_id: int) -> InstallationInfo:
        """Return one installation; `GoneForGood` where the app was uninstalled."""
        try:
            return self.request("GET", f"/app/installations/{installation_id}", InstallationInfo)
        except NotFound as missing:
            raise GoneForGood(
                GoneReason.UNINSTALLED, f"installation {installation_id}"
            ) from missing

    def installations(self) -> Iterator[ListedInstallation]:
        """Yield all installations of the app, the suspended ones too."""
        for page in self.pages("/app/installations", tuple[_InstallationItem, ...]):
            for item in page:
                yield ListedInstallation(
                    id=item.id,
                    account=item.account.login if item.account else "",
                    permissions=item.permissions,
                    suspended_at=item.suspended_at,
                )

    def repositories(self, installation_id: int) -> Iterator[ListedRepository]:
        """Yield all repositories that an installation reaches.

        The token for it can read names and nothing else, and is not kept.
        """
        token = self._token_for_names(installation_id)
        for page in self.pages("/installation/repositories", _RepositoryPage, token=token):
            yield from page.repositories

    def named(self, installation_id: int, full_name: str) -> NamedRepository | None:
        """Return the repository that a name means to GitHub, also a former name or a fork's.

        ``None``: GitHub shows the installation no such repository.
        """
        token = self._token_for_names(installation_id)
        transport = GitHubTransport(self.base_url)
        try:
            answer = self._followed(transport, f"/repos/{full_name}", token)
        except (NotFound, GoneForGood, PermissionRefused):
            return None
        finally:
            transport.close()
        found = decoded(answer.text, _Fork, f"GET /repos/{full_name}")
        return NamedRepository(
            id=found.id,
            full_name=found.full_name,
            parent_id=found.parent.id if found.parent else None,
            source_id=found.source.id if found.source else None,
        )

    def token_for_members(self, installation_id: int) -> str:
        """Return a new token that reads an organization's teams and members and nothing else.

        Raises `PermissionRefused`, which names the permission, where it is not granted.
        """
        try:
            return self._narrow_token(installation_id, "members")
        except RequestRejected as rejected:
            what = f"teams of installation {installation_id}"
            raise PermissionRefused(what, "members=read", rejected.text) from rejected

    def _token_for_names(self, installation_id: int) -> str:
        return self._narrow_token(installation_id, "metadata")

    def _narrow_token(self, installation_id: int, permission: str) -> str:
        path = f"/app/installations/{installation_id}/access_tokens"
        body = {"permissions": {permission: "read"}}
        try:
            return self.request("POST", path, _TokenAnswer, body=body).token
        except NotFound as missing:
            raise GoneForGood(
                GoneReason.UNINSTALLED, f"installation {installation_id}"
            ) from missing

    def _followed(self, transport: GitHubTransport, path: str, token: str) -> HttpAnswer:
        """Read, and go after one redirect to a repository's number on the same GitHub."""
        authorization = f"token {token}"
        try:
            answer = transport.send("GET", path, authorization=authorization)
        except MovedError as moved:
            number = re.search(r"/repositories/([0-9]+)$", moved.location or "")
            if number is None:
                raise TemporaryFailure(f"GET {path}", str(moved)) from moved
            path = f"/repositories/{number[1]}"
            try:
                answer = transport.send("GET", path, authorization=authorization)
            except MovedError as again:
                raise TemporaryFailure(f"GET {path}", str(again)) from again
        error = error_of(answer, what=f"GET {path}", at=self.clock())
        if error is not None:
            raise error
        return answer

    # --- installation tokens --------------------------------------------------------------------

    def installation_token(self, installation_id: int, repository_id: int) -> InstallationToken:
        """Return a token that lasts five minutes or more, from the cache or new.

        Raises `GoneForGood` where the app was uninstalled or suspended or the repository is not
        the installation's any more, and the other errors of `answers`.
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
        # Whoever holds the lock is stuck: one request too many is better than no audit.
        return self._renew(key, installation_id, repository_id)

    def forget(self, installation_id: int, repository_id: int, token: InstallationToken) -> None:
        """Forget a token that GitHub did not accept; a newer one in its place stays."""
        key = f"{self.app_id}:{installation_id}:{repository_id}"
        cached = self._cached(key)
        if cached is None or cached.token == token.token:
            self._tokens.remove(key)

    def _cached(self, key: str) -> InstallationToken | None:
        kept = self._tokens.read(key)
        if kept is None:
            return None
        try:
            token = msgspec.json.decode(kept, type=InstallationToken)
        except msgspec.DecodeError:
            return None
        return token if self._lasts(token) else None

    def _lasts(self, token: InstallationToken) -> bool:
        return token.expires_at - REFRESH_BEFORE > self.clock()

    def _renew(self, key: str, installation_id: int, repository_id: int) -> InstallationToken:
        token = self._create(installation_id, repository_id)
        keep = token.expires_at - REFRESH_BEFORE - self.clock()
        self._tokens.write(key, msgspec.json.encode(token), keep)
        return token

    def _create(self, installation_id: int, repository_id: int) -> InstallationToken:
        try:
            return self._post(installation_id, repository_id, PERMISSIONS)
        except NotFound as missing:
            raise GoneForGood(
                GoneReason.UNINSTALLED, f"installation {installation_id}"
            ) from missing
        except RequestRejected as rejected:
            return self._create_with_less(installation_id, repository_id, rejected)

    def _create_with_less(
        self, installation_id: int, repository_id: int, rejected: RequestRejected
    ) -> InstallationToken:
        """Ask again for what the installation did grant: a check run without comment is better."""
        granted = self.installation(installation_id).permissions
        less = {
            name: level if granted[name] in {level, "write", "admin"} else granted[name]
            for name, level in PERMISSIONS.items()
            if name in granted
        }
        if less == PERMISSIONS:
            # All is granted, so the repository is what GitHub refuses.
            raise GoneForGood(
                GoneReason.REMOVED, f"repository {repository_id}", rejected.text
            ) from rejected
        if not less:
            raise PermissionRefused(
                f"installation {installation_id}", "contents=read", rejected.text
            )
        try:
            return self._post(installation_id, repository_id, less)
        except RequestRejected as again:
            raise GoneForGood(
                GoneReason.REMOVED, f"repository {repository_id}", again.text
            ) from again

    def _post(
        self, installation_id: int, repository_id: int, permissions: Mapping[str, str]
    ) -> InstallationToken:
        answer = self.request(
            "POST",
            f"/app/installations/{installation_id}/access_tokens",
            _TokenAnswer,
            body={"repository_ids": [repository_id], "permissions": dict(permissions)},
        )
        names = {item.id: item.full_name for item in answer.repositories}
        return InstallationToken(
            token=answer.token,
            expires_at=answer.expires_at,
            permissions=answer.permissions,
            full_name=names.get(repository_id),
        )
