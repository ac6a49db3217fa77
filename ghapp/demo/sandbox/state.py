"""The nouns of the stand-in and the world that holds them, without HTTP and JSON shapes.

GitHub changes, so these records are mutable: they are the stand-in's database. All times are
timezone-aware UTC datetimes.
"""

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ghapp.demo.sandbox.git_backend import BareRepository, GitPerson
from ghapp.demo.sandbox.limits import HubLimits

Json = dict[str, Any]
Clock = Callable[[], datetime]


WEB_FLOW, WEB_FLOW_ID = "web-flow", 19864447
"""GitHub's own account: https://api.github.com/users/web-flow"""
BY_GITHUB = GitPerson("GitHub", "noreply@github.com")
"""Who commits what GitHub makes on its pages and over its API; it signs that."""


@dataclass
class HubAccount:
    """A person, an organization or an app's bot."""

    id: int
    login: str
    kind: str = "User"
    """``User``, ``Organization`` or ``Bot``."""
    emails: dict[str, bool] = field(default_factory=dict)
    """Address → whether it is verified."""

    @property
    def person(self) -> GitPerson:
        """Return the account as a git author."""
        if self.login == WEB_FLOW:
            return BY_GITHUB
        return GitPerson(self.login, f"{self.id}+{self.login}@users.noreply.example.test")


@dataclass
class HubTeam:
    """A team of an organization; only its members see a team with the privacy ``secret``."""

    id: int
    name: str
    slug: str
    privacy: str
    people: list[HubAccount] = field(default_factory=list)
    """Members of this team and of the teams below it, as GitHub lists them."""


@dataclass
class HubApp:
    """A registered GitHub App; without ``webhook_url`` it gets no deliveries."""

    id: int
    slug: str
    name: str
    owner: HubAccount
    bot: HubAccount
    client_id: str
    client_secret: str
    webhook_secret: str
    webhook_url: str | None
    hook_id: int
    permissions: dict[str, str]
    events: list[str]
    created_at: datetime
    public_keys: list[str] = field(default_factory=list)
    external_url: str = "https://example.test/"
    callback_urls: list[str] = field(default_factory=list)
    """Allowed targets of a sign-in's redirect; empty: nobody can sign in."""
    device_flow: bool = True
    """Whether the owner enabled the device flow."""


@dataclass
class HubInstallation:
    """An app on an account; ``repository_ids`` matters only for the selection ``selected``."""

    id: int
    app: HubApp
    account: HubAccount
    permissions: dict[str, str]
    events: list[str]
    created_at: datetime
    selection: str = "all"
    repository_ids: set[int] = field(default_factory=set)
    suspended_at: datetime | None = None
    deleted: bool = False


@dataclass
class HubLabel:
    """A label of a repository."""

    id: int
    name: str
    color: str = "ededed"
    description: str | None = None


@dataclass
class HubComment:
    """A comment on a pull request; without ``app`` a person wrote it."""

    id: int
    author: HubAccount
    body: str
    created_at: datetime
    updated_at: datetime
    app: HubApp | None = None


@dataclass
class HubReview:
    """A submitted review of a pull request; ``state`` is the API's word."""

    id: int
    author: HubAccount
    state: str
    body: str
    submitted_at: datetime
    commit_sha: str


@dataclass
class HubPull:
    """A pull request. ``head_repository`` ``None``: somebody deleted the fork.

    ``base_sha`` is the tip of the base branch at the opening; ``merge_commit_sha`` is the test
    merge before the merge and the new tip of the base branch after it.
    """

    id: int
    number: int
    repository: "HubRepository"
    title: str
    body: str | None
    author: HubAccount
    head_ref: str
    head_sha: str
    head_owner: HubAccount
    head_repository: "HubRepository | None"
    base_ref: str
    base_sha: str
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    merged_by: HubAccount | None = None
    merge_commit_sha: str | None = None
    labels: list[HubLabel] = field(default_factory=list)
    comments: list[HubComment] = field(default_factory=list)
    reviews: list[HubReview] = field(default_factory=list)
    locked: bool = False
    _merge_base: str | None = None

    @property
    def merge_base(self) -> str:
        """Return the commit where the branch starts: the old side of the diff."""
        if self._merge_base is None:
            git = self.repository.git
            self._merge_base = git.merge_base(self.base_sha, self.head_sha) or self.base_sha
        return self._merge_base

    def moved_to(self, head_sha: str, base_sha: str, at: datetime) -> None:
        """Record a push to the head branch."""
        self.head_sha, self.base_sha, self.updated_at = head_sha, base_sha, at
        self._merge_base = None
        self.merge_commit_sha = None


@dataclass
class CheckSuite:
    """All check runs of one app on one commit."""

    id: int
    app: HubApp
    head_sha: str
    created_at: datetime
    updated_at: datetime
    rerequested: bool = False


@dataclass
class HubCheckRun:
    """One check run."""

    id: int
    suite: CheckSuite
    name: str
    head_sha: str
    created_at: datetime
    started_at: datetime
    status: str = "queued"
    conclusion: str | None = None
    completed_at: datetime | None = None
    external_id: str = ""
    details_url: str | None = None
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: list[Json] = field(default_factory=list)
    """As the app sent them."""
    actions: list[Json] = field(default_factory=list)


@dataclass
class HubRepository:
    """A repository with real git behind it."""

    id: int
    owner: HubAccount
    name: str
    git: BareRepository
    default_branch: str
    created_at: datetime
    pushed_at: datetime
    private: bool = True
    archived: bool = False
    deleted: bool = False
    fork_of: "HubRepository | None" = None
    former_names: set[str] = field(default_factory=set)
    """Former full names, in lower case; GitHub redirects them."""
    labels: dict[str, HubLabel] = field(default_factory=dict)
    """By name in lower case, because label names ignore case."""
    pulls: dict[int, HubPull] = field(default_factory=dict)
    suites: dict[int, CheckSuite] = field(default_factory=dict)
    check_runs: dict[int, HubCheckRun] = field(default_factory=dict)
    collaborators: dict[str, str] = field(default_factory=dict)
    """Login in lower case → ``admin``, ``write`` or ``read``."""
    next_number: int = 1

    @property
    def full_name(self) -> str:
        """Return ``owner/name``."""
        return f"{self.owner.login}/{self.name}"

    def permission_of(self, login: str) -> str:
        """Return an account's permission: ``admin``, ``write``, ``read`` or ``none``."""
        if login.lower() == self.owner.login.lower():
            return "admin"
        return self.collaborators.get(login.lower(), "none" if self.private else "read")


@dataclass
class HubToken:
    """An installation token; ``repository_ids`` ``None``: all of the installation's."""

    value: str
    installation: HubInstallation
    permissions: dict[str, str]
    repository_ids: frozenset[int] | None
    expires_at: datetime
    revoked: bool = False


@dataclass
class UserToken:
    """A person's token; without ``app`` a test created it, for every app and without end."""

    value: str
    account: HubAccount
    app: HubApp | None = None
    refresh: str | None = None
    expires_at: datetime | None = None
    refresh_until: datetime | None = None
    revoked: bool = False

    def lives(self, world: "World") -> bool:
        """Return whether GitHub accepts the token now."""
        return not self.revoked and (self.expires_at is None or self.expires_at > world.now())

    def refreshes(self, world: "World") -> bool:
        """Return whether GitHub accepts its refresh token now."""
        until = self.refresh_until
        return not self.revoked and until is not None and until > world.now()


@dataclass(frozen=True)
class LoginCode:
    """A sign-in whose code is not redeemed yet; ``challenge`` ``None``: no PKCE."""

    app: HubApp
    account: HubAccount
    redirect_uri: str
    challenge: str | None
    made_at: datetime


@dataclass
class HubDelivery:
    """One attempt to send a webhook; ``status_code`` 0: no answer."""

    id: int
    guid: str
    app: HubApp
    event: str
    action: str | None
    installation_id: int | None
    repository_id: int | None
    request_headers: dict[str, str]
    body: bytes
    delivered_at: datetime
    redelivery: bool = False
    status_code: int = 0
    status: str = "pending"
    duration: float = 0.0
    response_headers: dict[str, str] = field(default_factory=dict)
    response_body: str = ""


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, as sent.

    ``template`` is the route as in GitHub's API description; ``None``: there is no such route.
    ``fault`` is the kind of the fault that struck.
    """

    number: int
    at: datetime
    method: str
    path: str
    query: str
    template: str | None
    params: dict[str, str]
    request_headers: dict[str, str]
    request_body: bytes
    status: int
    headers: dict[str, str]
    body: bytes
    identity: str
    wrote: bool
    """Whether the request created or changed content, whatever the answer."""
    fault: str | None = None


@dataclass(frozen=True)
class Violation:
    """Something that a client did wrong; tests expect none."""

    where: str
    problem: str


@dataclass(frozen=True)
class Announcement:
    """An event for apps; ``members`` hold nouns and plain values."""

    event: str
    members: dict[str, Any]
    repository: HubRepository
    sender: HubAccount


@dataclass
class PendingManifest:
    """A manifest whose code is not redeemed yet."""

    members: Json
    account: HubAccount
    created_at: datetime


class World:
    """All data of the stand-in. Hold ``lock`` while reading or changing it."""

    def __init__(self, root: Path, clock: Clock, limits: HubLimits, links: "HubLinks") -> None:
        self.root = root
        self.clock = clock
        self.limits = limits
        self.links = links
        self.requests = 0
        self.lock = threading.RLock()
        self.accounts: dict[str, HubAccount] = {}
        self.apps: dict[int, HubApp] = {}
        self.installations: dict[int, HubInstallation] = {}
        self.repositories: dict[int, HubRepository] = {}
        self.tokens: dict[str, HubToken] = {}
        self.user_tokens: dict[str, UserToken] = {}
        self.login_codes: dict[str, LoginCode] = {}
        self.browser_login = "maintainer"
        self.browser_denies = False
        self.memberships: dict[str, dict[str, str]] = {}
        self.teams: dict[str, dict[str, HubTeam]] = {}
        """Organization in lower case → slug → team."""
        self.manifests: dict[str, PendingManifest] = {}
        self.tunnels: dict[str, str] = {}
        """Public address of an app → where this machine answers it."""
        self.deliveries: dict[int, HubDelivery] = {}
        self.verified: set[str] = set()
        """Commits whose signature GitHub verified; the objects themselves have none."""
        self.exchanges: list[Exchange] = []
        self.violations: list[Violation] = []
        self.slim_record = False
        self._ids: dict[str, Iterator[int]] = {}

    def now(self) -> datetime:
        """Return the stand-in's time in whole seconds, like GitHub's times."""
        return self.clock().astimezone(UTC).replace(microsecond=0)

    def next_id(self, kind: str) -> int:
        """Return a new id; each kind has its own range, so a wrong id never fits by chance."""
        start = FIRST_IDS[kind]
        return next(self._ids.setdefault(kind, itertools.count(start)))

    def record(self, exchange: Exchange) -> None:
        """Keep an exchange; a slim record drops successful reads and the bodies of answers."""
        if self.slim_record:
            if exchange.method == "GET" and exchange.status < 400:
                return
            exchange = replace(exchange, body=b"")
        self.exchanges.append(exchange)

    def violate(self, where: str, problem: str) -> None:
        """Record that a client did something wrong."""
        self.violations.append(Violation(where, problem))

    def account(self, login: str, kind: str = "User") -> HubAccount:
        """Return the account with a login; create it if there is none."""
        key = login.lower()
        if key not in self.accounts:
            number = WEB_FLOW_ID if login == WEB_FLOW else self.next_id("account")
            self.accounts[key] = HubAccount(number, login, kind)
        return self.accounts[key]

    def account_of(self, person: GitPerson) -> HubAccount | None:
        """Return the account that the name in a commit leads to, whoever wrote it there."""
        return self.accounts.get(WEB_FLOW if person == BY_GITHUB else person.name.lower())

    def repository_named(self, full_name: str) -> HubRepository | None:
        """Return the repository with this name, unless deleted; ``None``: there is none."""
        wanted = full_name.lower()
        for repository in self.repositories.values():
            if repository.full_name.lower() == wanted and not repository.deleted:
                return repository
        return None

    def repository_formerly(self, full_name: str) -> HubRepository | None:
        """Return the repository that once had this name, unless deleted; ``None``: none had it."""
        wanted = full_name.lower()
        for repository in self.repositories.values():
            if wanted in repository.former_names and not repository.deleted:
                return repository
        return None

    def repositories_of(self, installation: HubInstallation) -> list[HubRepository]:
        """Return the repositories that an installation reaches, the oldest first."""
        return [
            repository
            for repository in self.repositories.values()
            if not repository.deleted
            and repository.owner is installation.account
            and (installation.selection == "all" or repository.id in installation.repository_ids)
        ]

    def installations_on(self, repository: HubRepository) -> list[HubInstallation]:
        """Return the installations that reach a repository."""
        return [
            installation
            for installation in self.installations.values()
            if not installation.deleted and repository in self.repositories_of(installation)
        ]


FIRST_IDS = {
    "account": 2_300_001_001,
    "app": 41_001,
    "hook": 51_001,
    "installation": 61_001,
    "repository": 700_001,
    "review": 3_900_000_001,
    "team": 3_001,
    "pull": 3_200_000_001,
    "label": 9_700_000_001,
    "comment": 3_600_000_001,
    "check_suite": 53_100_000_001,
    "check_run": 64_100_000_001,
    "delivery": 9_100_000_000_000_001,
    "request": 1,
}
"""What GitHub numbers most is above 2^31, as it is there, and deliveries are above 2^53:
https://github.com/github/rest-api-description/issues/4345"""


@dataclass
class HubLinks:
    """The stand-in's addresses, without a final slash; set once the port is known."""

    web: str = "http://127.0.0.1:0"
    api_prefix: str = ""

    @property
    def api(self) -> str:
        """Return the base address of the API."""
        return self.web + self.api_prefix
