"""Journey 5 on one page: pull agent sessions from the Compliance API and store their edits.

It serves organizations with Claude Enterprise that install nothing on their developers' machines.
The API names no repository, so a folder of an edit's path must have the name of one of the
organization's repositories. Other edits are not stored.
https://platform.claude.com/docs/en/manage-claude/compliance-sessions
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Generic, TypeVar
from urllib.parse import urljoin

import msgspec
import requests
import structlog

from ghapp.attribution.model import Edit, Struct, UnreadEvidence
from ghapp.attribution.paths import tidy
from ghapp.evidence.compliance import SURFACE, LocalSession, SessionMessage, edits
from ghapp.evidence.json_records import to_time
from ghapp.evidence.source import Found
from ghapp.git.names import segment
from ghapp.ingest.keep import EncodeLines, keep_read
from ghapp.store import Repository, Store

CURSOR = "compliance"
FIRST_LOOK = timedelta(days=23)
"""How far back the first pull goes: the longest window of any policy."""
OVERLAP = timedelta(minutes=30)
"""The API lists an agent session some minutes after it happened."""
MOST = 200
"""Agent sessions that one pull reads; the next pull continues there."""
LISTED, TOLD = 500, 1000
"""Largest page sizes: agent sessions, and messages."""
SECONDS = 30
"""Timeout of one request."""
MOST_PAGES = 10_000

log = structlog.get_logger()

_ItemT = TypeVar("_ItemT")
Given = dict[str, str | int]
"""A request's parameters."""


class ComplianceError(Exception):
    """The Compliance API refused or did not answer; the message says what to do."""


class _Page(msgspec.Struct, Generic[_ItemT], frozen=True):
    data: tuple[_ItemT, ...]
    next_page: str | None = None


class ComplianceSource(Struct, frozen=True):
    """Whose agent sessions are pulled, and how their lines are stored."""

    url: str
    """Address of the API, without a trailing slash."""
    key: str
    """A Compliance Access Key with ``read:compliance_user_data``."""
    account: str
    """GitHub owner of the organization's repositories."""
    encode: Callable[[int], EncodeLines]
    """Installation id → how lines are stored."""


class PullResult(Struct, frozen=True):
    """The result of a pull."""

    agent_sessions: int
    edits: int
    """New edits."""
    elsewhere: int
    """Edits in no repository of the account. Nothing of them is stored."""
    unread: int
    is_whole: bool
    """Whether everything was pulled; otherwise there is more."""


def pull(source: ComplianceSource, store: Store, *, now: datetime) -> PullResult:
    """Store the edits of the agent sessions that changed since the last pull.

    The bookmark moves after each agent session, so the next pull continues where a stopped one
    ended. Raises `ComplianceError` and `StoreError`.
    """
    api, keeping = _Api(source), _Keeping(source, store, now)
    listed = sorted(api.agent_sessions(_since(store, now)), key=_changed_at)
    for one in listed[:MOST]:
        keeping.keep(edits(one, api.messages(one), keeping.homes.has))
        store.cursors.move(CURSOR, min(_changed_at(one), now).isoformat(), now=now)
    is_whole = len(listed) <= MOST
    if is_whole:
        store.cursors.move(CURSOR, (now - OVERLAP).isoformat(), now=now)
    pulled = PullResult(
        agent_sessions=min(len(listed), MOST),
        edits=keeping.added,
        elsewhere=keeping.elsewhere,
        unread=keeping.unread,
        is_whole=is_whole,
    )
    log.info("sessions_pulled", **msgspec.structs.asdict(pulled))
    return pulled


def check(source: ComplianceSource, *, now: datetime) -> None:
    """Check that the API accepts the key, with a request for almost nothing.

    Raises `ComplianceError`.
    """
    next(_Api(source).agent_sessions(now), None)


def _since(store: Store, now: datetime) -> datetime:
    last = store.cursors.read(CURSOR)
    return now - FIRST_LOOK if last is None else datetime.fromisoformat(last)


def _changed_at(one: LocalSession) -> datetime:
    at = to_time(one.updated_at) or to_time(one.created_at)
    if at is None:
        raise ComplianceError(f"agent session {one.id} has no readable time")
    return at


class _Keeping:
    """Stores the edits of one pull, and counts."""

    def __init__(self, source: ComplianceSource, store: Store, now: datetime) -> None:
        self.homes = _Homes(store, source.account)
        self.added = self.elsewhere = self.unread = 0
        self._source = source
        self._store = store
        self._now = now

    def keep(self, found: Iterable[Found]) -> None:
        """Store edits in the repositories that they belong to, and count the others."""
        by_repository: dict[int, list[Edit]] = {}
        for one in found:
            if isinstance(one, UnreadEvidence):
                self.unread += 1
            elif isinstance(one, Edit) and (home := self.homes.of(one.path)):
                repository, folder = home
                edit = msgspec.structs.replace(one, cwd=folder)
                by_repository.setdefault(repository.id, []).append(edit)
            elif isinstance(one, Edit):
                self.elsewhere += 1
        for repository_id, some in by_repository.items():
            encode = self._source.encode(self.homes.installation(repository_id))
            kept = keep_read(self._store, repository_id, some, encode, now=self._now)
            self.added += kept.added


class _Homes:
    """The repositories of an account, found by path."""

    def __init__(self, store: Store, account: str) -> None:
        known = store.installations.repositories()
        self._by_name = {
            one.name.lower(): one
            for one in known
            if one.owner.lower() == account.lower() and one.installation_id is not None
        }
        self._installations = {one.id: one.installation_id or 0 for one in known}

    def of(self, path: str) -> tuple[Repository, str] | None:
        """Return the repository whose name a folder of a path has, and that folder.

        The outermost such folder wins; ``None``: there is none.
        """
        names = tidy(path).split("/")
        for at, name in enumerate(names[:-1]):
            if repository := self._by_name.get(name.lower()):
                return repository, "/".join(names[: at + 1])
        return None

    def has(self, path: str) -> bool:
        """Return whether a path lies in one of the repositories."""
        return self.of(path) is not None

    def installation(self, repository_id: int) -> int:
        """Return the id of the installation that covers a repository."""
        return self._installations[repository_id]


class _Api:
    """The requests to the API."""

    def __init__(self, source: ComplianceSource) -> None:
        self._source = source
        self._connection = requests.Session()
        self._connection.headers.update(
            {"x-api-key": source.key, "anthropic-version": "2023-06-01"}
        )

    def agent_sessions(self, since: datetime) -> Iterator[LocalSession]:
        """Yield the agent sessions of Claude Code that changed since a time, in no order."""
        given: Given = {"updated_at.gte": since.isoformat(), "limit": LISTED}
        pages = self._pages("sessions/local", given, msgspec.json.Decoder(_Page[LocalSession]))
        for one in pages:
            # A server that ignores the parameter lists all agent sessions.
            if one.product_surface == SURFACE and _changed_at(one) >= since:
                yield one

    def messages(self, one: LocalSession) -> Iterator[SessionMessage]:
        """Yield the messages of an agent session, oldest first, with whole arguments of calls."""
        given: Given = {"order": "asc", "limit": TOLD, "tool_use_input_max_bytes": -1}
        path = f"sessions/local/{segment(one.id)}/messages"
        yield from self._pages(path, given, msgspec.json.Decoder(_Page[SessionMessage]))

    def _pages(
        self,
        path: str,
        given: Given,
        decoder: "msgspec.json.Decoder[_Page[_ItemT]]",
    ) -> Iterator[_ItemT]:
        ask = partial(self._ask, path, decoder=decoder)
        page = ask(given)
        for _ in range(MOST_PAGES):
            yield from page.data
            if not page.next_page:
                return
            page = ask({**given, "page": page.next_page})
        raise ComplianceError(f"GET {path}: its pages never end")

    def _ask(
        self,
        path: str,
        given: Given,
        *,
        decoder: "msgspec.json.Decoder[_Page[_ItemT]]",
    ) -> _Page[_ItemT]:
        address = urljoin(f"{self._source.url}/", f"v1/compliance/apps/{path}")
        try:
            answer = self._connection.get(
                address, params=given, timeout=SECONDS, allow_redirects=False
            )
        except requests.RequestException as problem:
            raise ComplianceError(f"GET {path}: no answer ({type(problem).__name__})") from None
        if answer.status_code != requests.codes.ok:
            raise ComplianceError(f"GET {path}: {_refusal(answer.status_code)}")
        try:
            return decoder.decode(answer.content)
        except msgspec.DecodeError as problem:
            raise ComplianceError(f"GET {path}: not the documented shape ({problem})") from None


def _refusal(status: int) -> str:
    """Return what a status means. The response body is not shown: it may hold people's words."""
    return {
        401: "the key is not accepted: create a Compliance Access Key",
        403: "the key may not read sessions: it needs the scope read:compliance_user_data "
        "(Admin API keys never have it)",
        404: "the session no longer exists",
        429: "too many requests",
    }.get(status, f"status {status}")
