"""Replays over GitHub: what was requested, how far it is, and its documents. It audits nothing.

A repository has at most one running replay. Each pull request is a work item of its own, so all
workers take part.
"""

import zlib
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, select, update
from sqlalchemy.exc import IntegrityError

from ghapp.attribution.model import Struct
from ghapp.attribution.policy import Policy
from ghapp.store.database import Database
from ghapp.store.rows import clean, struct_of
from ghapp.store.schema import replay, replayed, work_item
from ghapp.store.work_items import WorkRequest, WorkState, WorkTable

AT_ONCE = 200
"""Documents read at once."""


class ReplayUnderWay(Exception):  # noqa: N818 - a state of the repository, not a fault
    """The repository has another running replay; ``replay`` is its number."""

    def __init__(self, number: int) -> None:
        super().__init__(f"replay {number} of this repository is running: wait, or cancel it")
        self.replay = number


class ReplayState(StrEnum):
    """State of a replay."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


class PullState(StrEnum):
    """State of a pull request in a replay."""

    WAITING = "waiting"
    DONE = "done"
    INCOMPLETE = "incomplete"
    """Its change could not be read completely; there is a document, without a share."""
    FAILED = "failed"
    """There is no document; ``why`` gives the reason."""


class ReplayRequest(Struct, frozen=True):
    """What to replay."""

    repository_id: int
    as_of: datetime
    """Time that decides which audits are final."""
    asked_by: str
    """Who requested it, as in the access log: ``login:ann``, ``system:ann``."""
    policy: Policy | None = None
    """``None``: for each pull request the policy that was in force."""
    since: datetime | None = None
    until: datetime | None = None
    """Pull requests merged from ``since`` to ``until``, inclusive; ``None``: no limit."""
    record: bool = False
    """Whether the results become recorded audits."""
    publish: tuple[str, ...] = ()
    """Publishers that show the results on GitHub; what they show is recorded, too."""


class Replay(ReplayRequest, frozen=True, kw_only=True):
    """A replay as it is in the table."""

    id: int
    state: ReplayState
    pages: int
    """Pages of GitHub's list read so far."""
    listed: bool
    """Whether the list was read to its end, so that all pull requests are known."""
    created_at: datetime
    finished_at: datetime | None = None

    def spans(self, at: datetime) -> bool:
        """Return whether a pull request merged then belongs to it."""
        return (self.since is None or self.since <= at) and (self.until is None or at <= self.until)


class ReplayCounts(Struct, frozen=True):
    """Pull requests of a replay by state; their sum grows until all are listed."""

    waiting: int = 0
    done: int = 0
    incomplete: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """All pull requests that are known."""
        return self.waiting + self.done + self.incomplete + self.failed


class ListedPull(Struct, frozen=True):
    """A merged pull request that belongs to a replay."""

    number: int
    merged_at: datetime
    base_sha: str
    head_sha: str
    merge_commit: str | None


class ReplayTable:
    """The replays of all repositories."""

    def __init__(self, database: Database, work: WorkTable) -> None:
        self._database = database
        self._work = work

    def start(self, asked: ReplayRequest, listing: WorkRequest, *, now: datetime) -> Replay:
        """Begin a replay; ``listing`` is the work that lists its pull requests.

        Raises `ReplayUnderWay`.
        """
        row = {
            "repository_id": asked.repository_id,
            "asked_by": clean(asked.asked_by),
            "policy": None if asked.policy is None else msgspec.json.encode(asked.policy),
            "since": asked.since,
            "until": asked.until,
            "record": asked.record or bool(asked.publish),
            "publish": ",".join(asked.publish),
            "as_of": asked.as_of,
            "state": ReplayState.RUNNING.value,
            "pages": 0,
            "listed": False,
            "created_at": now,
        }
        try:
            with self._database.write() as connection:
                made = connection.execute(
                    self._database.insert(replay).values(row).returning(replay)
                ).one()
                self._work.enqueue_within(connection, listing, now)
        except IntegrityError as error:
            other = self.running(asked.repository_id)
            raise ReplayUnderWay(0 if other is None else other.id) from error
        return _replay(made)

    def one(self, number: int) -> Replay | None:
        """Return a replay; ``None``: there is none of this number."""
        row = self._database.first(select(replay).where(replay.c.id == number))
        return None if row is None else _replay(row)

    def running(self, repository_id: int) -> Replay | None:
        """Return the running replay of a repository; ``None``: none."""
        query = select(replay).where(
            replay.c.repository_id == repository_id, replay.c.state == ReplayState.RUNNING.value
        )
        row = self._database.first(query)
        return None if row is None else _replay(row)

    def of(self, repository_id: int, limit: int = 50) -> tuple[Replay, ...]:
        """Return the replays of a repository, latest first."""
        query = select(replay).where(replay.c.repository_id == repository_id)
        query = query.order_by(replay.c.id.desc()).limit(limit)
        return tuple(_replay(row) for row in self._database.rows(query))

    def progress(self, number: int) -> ReplayCounts:
        """Return how far a replay is."""
        return self.progress_of([number])[number]

    def progress_of(self, numbers: Collection[int]) -> dict[int, ReplayCounts]:
        """Return how far these replays are, by number."""
        query = (
            select(replayed.c.replay_id, replayed.c.state, func.count())
            .where(replayed.c.replay_id.in_(numbers))
            .group_by(replayed.c.replay_id, replayed.c.state)
        )
        counts: dict[int, dict[str, int]] = {number: {} for number in numbers}
        for number, state, count in self._database.rows(query):
            counts[number][state] = count
        return {number: ReplayCounts(**of_replay) for number, of_replay in counts.items()}

    def page(
        self,
        one: Replay,
        pulls: Sequence[ListedPull],
        requests: Sequence[WorkRequest],
        *,
        is_last: bool,
        now: datetime,
    ) -> bool:
        """Store a page of GitHub's list and enqueue its pull requests, in one transaction.

        ``False``: another worker stored that page, or the replay is over.
        """
        with self._database.write() as connection:
            moved = connection.execute(
                update(replay)
                .where(replay.c.id == one.id, replay.c.pages == one.pages)
                .where(replay.c.state == ReplayState.RUNNING.value)
                .values(pages=one.pages + 1, listed=is_last)
            )
            if moved.rowcount != 1:
                return False
            rows = [_row(one.id, pull) for pull in pulls]
            if rows:
                insert = self._database.insert(replayed)
                connection.execute(insert.on_conflict_do_nothing(), rows)
            self._work.enqueue_all_within(connection, requests, now)
            self._end(connection, one.id, now)
        return True

    def pull(self, number: int, pull_request: int) -> ListedPull | None:
        """Return a waiting pull request of a replay; ``None``: not waiting, or not in it."""
        query = select(replayed).where(
            replayed.c.replay_id == number,
            replayed.c.pull_request == pull_request,
            replayed.c.state == PullState.WAITING.value,
        )
        row = self._database.first(query)
        return None if row is None else struct_of(ListedPull, row, number=pull_request)

    def settle(  # noqa: PLR0913 - the result of one pull request
        self,
        number: int,
        pull_request: int,
        state: PullState,
        *,
        document: bytes | None = None,
        why: str | None = None,
        now: datetime,
    ) -> None:
        """Store the result of a pull request; the last one ends the replay."""
        packed = None if document is None else zlib.compress(document)
        change = (
            update(replayed)
            .where(replayed.c.replay_id == number, replayed.c.pull_request == pull_request)
            .values(state=state.value, document=packed, why=clean(why))
        )
        with self._database.write() as connection:
            connection.execute(change)
            self._end(connection, number, now)

    def cancel(self, number: int, *, now: datetime) -> bool:
        """Cancel a replay and keep what is done; ``False``: it was over."""
        with self._database.write() as connection:
            row = connection.execute(
                update(replay)
                .where(replay.c.id == number, replay.c.state == ReplayState.RUNNING.value)
                .values(state=ReplayState.CANCELLED.value, finished_at=now)
                .returning(replay.c.repository_id)
            ).first()
            if row is None:
                return False
            connection.execute(
                update(work_item)
                .where(work_item.c.kind == KIND, work_item.c.repository_id == row.repository_id)
                .where(work_item.c.state.in_(_NOT_STARTED))
                .values(state="done", outcome="nothing_to_do", why="cancelled", finished_at=now)
            )
        return True

    def documents(self, number: int) -> Iterator[bytes]:
        """Yield a replay's documents by time of the merge, then by number."""
        order = (replayed.c.merged_at, replayed.c.pull_request)
        query = (
            select(*order, replayed.c.document)
            .where(replayed.c.replay_id == number, replayed.c.document.is_not(None))
            .order_by(*order)
            .limit(AT_ONCE)
        )
        after: Any = None
        while True:
            page = query if after is None else query.where(_later(after))
            rows = self._database.rows(page)
            if not rows:
                return
            yield from (zlib.decompress(row.document) for row in rows)
            after = rows[-1]

    def problems(self, number: int, limit: int = 20) -> tuple[tuple[int, str], ...]:
        """Return pull requests that could not be audited completely, each with the reason."""
        query = (
            select(replayed.c.pull_request, replayed.c.why)
            .where(replayed.c.replay_id == number, replayed.c.why.is_not(None))
            .order_by(replayed.c.pull_request)
            .limit(limit)
        )
        return tuple((row.pull_request, row.why) for row in self._database.rows(query))

    def _end(self, connection: Connection, number: int, now: datetime) -> None:
        """End a replay whose pull requests are all listed and none is waiting."""
        waiting = (
            select(replayed.c.pull_request)
            .where(replayed.c.replay_id == number, replayed.c.state == PullState.WAITING.value)
            .exists()
        )
        connection.execute(
            update(replay)
            .where(replay.c.id == number, replay.c.state == ReplayState.RUNNING.value)
            .where(replay.c.listed.is_(True), ~waiting)
            .values(state=ReplayState.DONE.value, finished_at=now)
        )


KIND = "replay"
"""Kind of a replay's work items: one lists, and there is one for each pull request."""


_NOT_STARTED = (WorkState.WAITING.value, WorkState.DEAD_LETTER.value)


def _later(row: Row[Any]) -> Any:
    at, number = replayed.c.merged_at, replayed.c.pull_request
    return (at > row.merged_at) | ((at == row.merged_at) & (number > row.pull_request))


def _row(number: int, pull: ListedPull) -> dict[str, Any]:
    return {
        "replay_id": number,
        "pull_request": pull.number,
        "merged_at": pull.merged_at,
        "base_sha": pull.base_sha,
        "head_sha": pull.head_sha,
        "merge_commit": pull.merge_commit,
        "state": PullState.WAITING.value,
    }


def _replay(row: Row[Any]) -> Replay:
    return struct_of(
        Replay,
        row,
        policy=None if row.policy is None else msgspec.json.decode(row.policy, type=Policy),
        publish=tuple(row.publish.split(",")) if row.publish else (),
    )
