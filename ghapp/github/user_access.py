"""What a person may see on GitHub, asked with that person's own token. It stores no token.

It caches answers for minutes. While GitHub does not answer it lets nobody in on a guess: it raises
`GitHubAway`, and for some seconds it does not ask again.
"""

import base64
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice

import msgspec
from github import Auth

from ghapp.attribution.model import Struct
from ghapp.git.names import in_path, quoted, segment
from ghapp.github.answers import (
    AccessRefused,
    AnswerT,
    GoneForGood,
    HttpAnswer,
    NotFound,
    RateLimited,
    RequestRejected,
    TemporaryFailure,
    decoded,
    error_of,
)
from ghapp.github.token_cache import TokenCache
from ghapp.github.transport import PER_PAGE, GitHubTransport, MovedError

KEPT = timedelta(minutes=5)
"""How long a yes is cached, even if GitHub takes it back."""
NO_KEPT = timedelta(minutes=1)
"""How long a no is cached: a person who was just let in on GitHub should not wait."""
QUIET = timedelta(seconds=10)
"""How long we do not ask GitHub again after it did not answer."""
PATIENCE_SECONDS = 5
MOST_PAGES = 100
"""Pages of a list that are read: 10,000 entries."""


class GitHubAway(Exception):  # noqa: N818 - a state that callers wait out
    """GitHub does not say now what this person may see; ``until`` is when to try again."""

    def __init__(self, until: datetime, why: str) -> None:
        super().__init__(f"GitHub cannot be asked who may read this ({why}); try again in a minute")
        self.until = until


class AccessLevel(StrEnum):
    """What a person may do in a repository or an organization."""

    NONE = "none"
    READ = "read"
    """Of an organization: an active member."""
    WRITE = "write"
    ADMIN = "admin"
    """Of an organization: an owner."""

    def reaches(self, wanted: "AccessLevel") -> bool:
        """Say whether this level is the wanted one or above."""
        order = list(AccessLevel)
        return order.index(self) >= order.index(wanted)


class GitHubUser(Struct, frozen=True, kw_only=True):
    """The person whom a token stands for. The id never changes, the login may."""

    id: int
    login: str


class _Email(Struct, frozen=True, kw_only=True):
    email: str
    verified: bool = False


class MembersHidden(Exception):  # noqa: N818 - a state of the installation
    """The organization does not let the app see members, so nobody counts as one."""


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
    """Asks GitHub as a person, and caches the answers for all processes.

    ``token`` is the person's own access token. All methods raise `GitHubAway`, and
    `BadCredentials` if GitHub no longer accepts the token.
    """

    def __init__(self, base_url: str, cache: TokenCache, clock: Callable[[], datetime]) -> None:
        self._base_url = base_url
        self._cache = cache
        self._clock = clock
        self._quiet_until: datetime | None = None

    def person(self, token: str) -> GitHubUser:
        """Return the person whom a token stands for; never from the cache."""
        return self._ask("/user", token, GitHubUser)

    def verified_emails(self, token: str) -> tuple[str, ...] | None:
        """Return the person's verified e-mail addresses in lower case; never from the cache.

        ``None``: the app does not ask for them (account permission "Email addresses: read"), or the
        person has not granted it since.
        https://docs.github.com/en/rest/users/emails#list-email-addresses-for-the-authenticated-user
        """
        try:
            pages = self._pages("/user/emails", token, tuple[_Email, ...])
        except (NotFound, AccessRefused, RequestRejected):
            return None
        return tuple(one.email.lower() for page in pages for one in page if one.verified)

    def repository(self, person_id: int, token: str, repository_id: int) -> AccessLevel:
        """Return what the person may do in a repository. It takes the id: names can be reused."""

        def ask() -> AccessLevel:
            return _level(self._ask(f"/repositories/{repository_id}", token, _Repository))

        return self._level(f"may:{person_id}:{repository_id}", ask)

    def organization(self, person_id: int, token: str, login: str) -> AccessLevel:
        """Return the person's level in an organization: ``READ`` for members, ``ADMIN`` for owners.

        Raises `MembersHidden`.
        """
        key = f"member:{person_id}:{login.lower()}"
        hidden = f"{key}:hidden"

        def ask() -> AccessLevel:
            path = f"/user/memberships/orgs/{segment(login)}"
            try:
                found = self._ask(path, token, _Membership)
            except AccessRefused as error:
                self._cache.write(hidden, b"1", NO_KEPT)
                raise MembersHidden(login) from error
            if found.state != "active":
                return AccessLevel.NONE
            return AccessLevel.ADMIN if found.role == "admin" else AccessLevel.READ

        if self._cache.read(hidden):
            raise MembersHidden(login)
        return self._level(key, ask)

    def installations(self, person_id: int, token: str) -> frozenset[int]:
        """Return the app's installations in which the person may read anything."""

        def ask() -> set[int]:
            pages = self._pages("/user/installations", token, _Installations)
            return {one.id for page in pages for one in page.installations}

        return self._numbers(f"installations:{person_id}", ask)

    def readable(self, person_id: int, token: str, installation_id: int) -> frozenset[int]:
        """Return the ids of an installation's repositories that the person may read."""

        def ask() -> set[int]:
            found = self._repositories(token, installation_id)
            return {one.id for one in found if _level(one) is not AccessLevel.NONE}

        return self._numbers(f"readable:{person_id}:{installation_id}", ask)

    def writable(self, token: str, installation_id: int) -> tuple[int, ...]:
        """Return the ids of those that the person may write to; never from the cache."""
        found = self._repositories(token, installation_id)
        return tuple(one.id for one in found if _level(one).reaches(AccessLevel.WRITE))

    def _repositories(self, token: str, installation_id: int) -> list[_Repository]:
        path = f"/user/installations/{installation_id}/repositories"
        try:
            pages = self._pages(path, token, _Repositories)
        except (NotFound, AccessRefused, GoneForGood):
            return []
        return [one for page in pages for one in page.repositories]

    def text(self, token: str, full_name: str, path: str, commit: str) -> str | None:
        """Return a file's text at a commit; nothing caches it.

        ``None``: the person may not read the file, or it is missing, not text, or over 1 MB:
        then GitHub's answer holds no content.
        https://docs.github.com/en/rest/repos/contents#get-repository-content
        """
        address = f"/repos/{in_path(full_name)}/contents/{quoted(path)}?ref={segment(commit)}"
        try:
            found = self._ask(address, token, _Content)
        except (NotFound, AccessRefused, GoneForGood, RequestRejected):
            return None
        if found.encoding != "base64":
            return None
        try:
            return base64.b64decode(found.content).decode("utf-8")
        except ValueError:
            return None

    # --- the cache ------------------------------------------------------------------------------

    def _level(self, key: str, ask: Callable[[], AccessLevel]) -> AccessLevel:
        kept = self._cache.read(key)
        if kept is not None:
            return AccessLevel(kept.decode())
        try:
            level = ask()
        except (NotFound, AccessRefused, GoneForGood, RequestRejected):
            # GitHub also refuses a person who has not passed the organization's single sign-on.
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
        try:
            with closing(GitHubTransport(self._base_url, timeout=PATIENCE_SECONDS)) as transport:
                return self._all(transport, path, token, kind, most)
        except RateLimited as error:
            raise GitHubAway(error.until, str(error)) from error
        except MovedError as moved:
            # An account or a repository has another name now; nobody may make us quiet with that.
            raise NotFound(f"GET {path}") from moved
        except TemporaryFailure as error:
            self._quiet_until = self._clock() + QUIET
            raise GitHubAway(self._quiet_until, str(error)) from error

    def _all(
        self, transport: GitHubTransport, path: str, token: str, kind: type[AnswerT], most: int
    ) -> list[AnswerT]:
        def read(address: str, **given: int) -> HttpAnswer:
            answer = transport.send("GET", address, Auth.Token(token), parameters=given)
            error = error_of(answer, what=f"GET {path}", at=self._clock())
            if error is not None:
                raise error
            return answer

        first = read(path) if most == 1 else read(path, per_page=PER_PAGE)
        answers = islice(transport.pages(first, read), most)
        return [decoded(answer.text, kind, f"GET {path}") for answer in answers]
