"""What a person may see on GitHub, asked with the person's own token; it keeps no token.

Answers are kept for minutes. Where GitHub cannot be asked nobody is let in on a guess: `GitHubAway`
is raised, and for some seconds nobody waits for GitHub again.
"""

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from urllib.parse import quote

import msgspec

from ghapp.attribution.model import Struct
from ghapp.github.answers import (
    GoneForGood,
    NotFound,
    PermissionRefused,
    RateLimited,
    RequestRejected,
    TemporaryFailure,
    decoded,
    error_of,
)
from ghapp.github.token_cache import TokenCache
from ghapp.github.transport import PER_PAGE, GitHubTransport, MovedError

KEPT = timedelta(minutes=5)
"""How long a yes holds after it was taken back on GitHub."""
NO_KEPT = timedelta(minutes=1)
"""How long a no holds: whoever was just let in on GitHub should not wait."""
QUIET = timedelta(seconds=10)
"""How long GitHub is not asked again after it did not answer."""
PATIENCE_SECONDS = 5
MOST_PAGES = 100

AnswerT = TypeVar("AnswerT")


class GitHubAway(Exception):  # noqa: N818 - a state that callers wait out
    """GitHub cannot be asked now what this person may see; ``until`` is when to try again."""

    def __init__(self, until: datetime, why: str) -> None:
        super().__init__(f"GitHub cannot be asked who may read this ({why}); try again in a minute")
        self.until = until


class AccessLevel(StrEnum):
    """What a person may do in a repository or an organization, as far as it matters here."""

    NONE = "none"
    READ = "read"
    """Of an organization: an active member."""
    WRITE = "write"
    ADMIN = "admin"
    """Of an organization: an owner."""

    def reaches(self, wanted: "AccessLevel") -> bool:
        """Say whether this is as much as is wanted, or more."""
        order = list(AccessLevel)
        return order.index(self) >= order.index(wanted)


class GitHubUser(Struct, frozen=True, kw_only=True):
    """Who a token stands for; the number never changes, the login can."""

    id: int
    login: str


class MembersHidden(Exception):  # noqa: N818 - a state of the installation
    """The organization has not granted the app to see members, so nobody is known as one."""


class _Permissions(Struct, frozen=True, kw_only=True):
    admin: bool = False
    push: bool = False
    pull: bool = False


class _Repository(Struct, frozen=True, kw_only=True):
    id: int
    permissions: _Permissions = _Permissions()


class _Repositories(Struct, frozen=True, kw_only=True):
    repositories: tuple[_Repository, ...]


class _Installation(Struct, frozen=True, kw_only=True):
    id: int


class _Installations(Struct, frozen=True, kw_only=True):
    installations: tuple[_Installation, ...]


class _Membership(Struct, frozen=True, kw_only=True):
    state: str
    role: str


class _Content(Struct, frozen=True, kw_only=True):
    encoding: str = "none"
    content: str = ""


def _level(repository: _Repository) -> AccessLevel:
    held = repository.permissions
    if held.admin:
        return AccessLevel.ADMIN
    if held.push:
        return AccessLevel.WRITE
    return AccessLevel.READ if held.pull else AccessLevel.NONE


class UserAccess:
    """Asks GitHub as a person, and remembers the answers in a cache that processes share.

    ``token`` is each time the person's own access token. All methods raise `GitHubAway`, and
    `BadCredentials` where GitHub no longer accepts the token.
    """

    def __init__(self, base_url: str, cache: TokenCache, clock: Callable[[], datetime]) -> None:
        self._base_url = base_url
        self._cache = cache
        self._clock = clock
        self._quiet_until: datetime | None = None

    def person(self, token: str) -> GitHubUser:
        """Return whom a token stands for; never from the cache."""
        return self._ask("/user", token, GitHubUser)

    def repository(self, person_id: int, token: str, repository_id: int) -> AccessLevel:
        """Return what the person may do in a repository, by its number: names can be given anew."""

        def ask() -> AccessLevel:
            return _level(self._ask(f"/repositories/{repository_id}", token, _Repository))

        return self._level(f"may:{person_id}:{repository_id}", ask)

    def organization(self, person_id: int, token: str, login: str) -> AccessLevel:
        """Return whether the person is an active member or an owner of an organization.

        Raises `MembersHidden`.
        """

        def ask() -> AccessLevel:
            path = f"/user/memberships/orgs/{quote(login, safe='')}"
            try:
                found = self._ask(path, token, _Membership)
            except PermissionRefused as error:
                raise MembersHidden(login) from error
            if found.state != "active":
                return AccessLevel.NONE
            return AccessLevel.ADMIN if found.role == "admin" else AccessLevel.READ

        return self._level(f"member:{person_id}:{login.lower()}", ask)

    def installations(self, person_id: int, token: str) -> frozenset[int]:
        """Return the app's installations that hold anything that the person may read."""

        def ask() -> set[int]:
            pages = self._pages("/user/installations", token, _Installations)
            return {one.id for page in pages for one in page.installations}

        return self._numbers(f"installations:{person_id}", ask)

    def readable(self, person_id: int, token: str, installation_id: int) -> frozenset[int]:
        """Return the numbers of an installation's repositories that the person may read."""

        def ask() -> set[int]:
            found = self._repositories(token, installation_id)
            return {one.id for one in found if _level(one) is not AccessLevel.NONE}

        return self._numbers(f"readable:{person_id}:{installation_id}", ask)

    def writable(self, token: str, installation_id: int) -> tuple[int, ...]:
        """Return the numbers of those that the person may write to; never from the cache."""
        found = self._repositories(token, installation_id)
        return tuple(one.id for one in found if _level(one).reaches(AccessLevel.WRITE))

    def _repositories(self, token: str, installation_id: int) -> list[_Repository]:
        path = f"/user/installations/{installation_id}/repositories"
        try:
            pages = self._pages(path, token, _Repositories)
        except (NotFound, PermissionRefused, GoneForGood):
            return []
        return [one for page in pages for one in page.repositories]

    def text(self, token: str, full_name: str, path: str, commit: str) -> str | None:
        """Return a file's text at a commit, kept nowhere.

        ``None``: the person may not read it, it is not there, is no text, or is over 1 MB,
        where GitHub's answer holds no content.
        """
        address = f"/repos/{full_name}/contents/{quote(path)}?ref={quote(commit, safe='')}"
        try:
            found = self._ask(address, token, _Content)
        except (NotFound, PermissionRefused, GoneForGood, RequestRejected):
            return None
        if found.encoding != "base64":
            return None
        try:
            return base64.b64decode(found.content).decode("utf-8")
        except ValueError:
            return None

    # --- remembering ----------------------------------------------------------------------------

    def _level(self, key: str, ask: Callable[[], AccessLevel]) -> AccessLevel:
        kept = self._cache.read(key)
        if kept is not None:
            return AccessLevel(kept.decode())
        try:
            level = ask()
        except (NotFound, PermissionRefused, GoneForGood, RequestRejected):
            # An organization's single sign-on that was not passed is a refusal, so it is a no.
            level = AccessLevel.NONE
        self._cache.write(key, level.encode(), NO_KEPT if level is AccessLevel.NONE else KEPT)
        return level

    def _numbers(self, key: str, ask: Callable[[], set[int]]) -> frozenset[int]:
        kept = self._cache.read(key)
        if kept is None:
            kept = msgspec.json.encode(sorted(ask()))
            self._cache.write(key, kept, NO_KEPT)
        return frozenset(msgspec.json.decode(kept, type=list[int]))

    # --- asking ---------------------------------------------------------------------------------

    def _ask(self, path: str, token: str, kind: type[AnswerT]) -> AnswerT:
        (page,) = self._pages(path, token, kind, most=1)
        return page

    def _pages(
        self, path: str, token: str, kind: type[AnswerT], most: int = MOST_PAGES
    ) -> list[AnswerT]:
        if self._quiet_until is not None and self._clock() < self._quiet_until:
            raise GitHubAway(self._quiet_until, "it did not answer a moment ago")
        transport = GitHubTransport(self._base_url, timeout=PATIENCE_SECONDS)
        try:
            return self._all(transport, path, token, kind, most)
        except RateLimited as error:
            raise GitHubAway(error.until, str(error)) from error
        except (TemporaryFailure, MovedError) as error:
            self._quiet_until = self._clock() + QUIET
            raise GitHubAway(self._quiet_until, str(error)) from error
        finally:
            transport.close()

    def _all(
        self, transport: GitHubTransport, path: str, token: str, kind: type[AnswerT], most: int
    ) -> list[AnswerT]:
        found: list[AnswerT] = []
        address: str | None = path
        given: dict[str, str | int] = {} if most == 1 else {"per_page": PER_PAGE}
        while address is not None and len(found) < most:
            answer = transport.send(
                "GET", address, authorization=f"Bearer {token}", parameters=given
            )
            error = error_of(answer, what=f"GET {path}", at=self._clock())
            if error is not None:
                raise error
            found.append(decoded(answer.text, kind, f"GET {path}"))
            address, given = transport.next_page(answer), {}
        return found
