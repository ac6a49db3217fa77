"""Replays over GitHub: what was asked, how far it is, and the documents. It audits nothing.

A repository has one replay at a time that is not over; its pull requests are due items of their
own, so that as many workers take part as there are.
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
from ghapp.store.rows import clean
from ghapp.store.schema import replay, replayed, work_item
from ghapp.store.work_items import WorkRequest, WorkTable

AT_ONCE = 200
"""Documents that are read together."""


class ReplayUnderWay(Exception):  # noqa: N818 - a state of the repository, named as what it is
    """The repository has another replay that is not over; ``replay`` is its number."""

    def __init__(self, number: int) -> None:
        super().__init__(f"replay {number} of this repository is not over: wait, or cancel it")
        self.replay = number


class ReplayState(StrEnum):
    """Where a replay is."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


class PullState(StrEnum):
    """Where a pull request of a replay is."""

    WAITING = "waiting"
    DONE = "done"
    INCOMPLETE = "incomplete"
    """Its change could not be read whole; there is a document, without a share."""
    FAILED = "failed"
    """There is no document; ``why`` says why."""


class ReplayRequest(Struct, frozen=True):
    """What somebody wants replayed."""

    repository_id: int
    as_of: datetime
    """The time that decides which audits are final."""
    asked_by: str
    """As the access log names people: ``login:ann``, ``system:ann``."""
    policy: Policy | None = None
    """``None``: the policy that was in force for each pull request."""
    since: datetime | None = None
    until: datetime | None = None
    """Merged from then to then, both included; ``None``: from the first, to the last."""
    record: bool = False
    """Whether results become recorded audits."""
    publish: tuple[str, ...] = ()
    """Publishers that show the results on GitHub; what is shown is recorded, too."""


class Replay(ReplayRequest, frozen=True, kw_only=True):
    """A replay as it stands in the table."""

    id: int
    state: ReplayState
    pages: int
    """Pages of GitHub's list that were read."""
    listed: bool
    """Whether the list was read to its end, so that its pull requests are known."""
    created_at: datetime
    finished_at: datetime | None = None

    def spans(self, at: datetime) -> bool:
        """Say whether what was merged then belongs to it."""
        return (self.since is None or self.since <= at) and (self.until is None or at <= self.until)


class ReplayCounts(Struct, frozen=True):
    """How many pull requests of a replay are where; their sum grows until all are listed."""

    waiting: int = 0
    done: int = 0
    incomplete: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """All that are known."""
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

    def __init__(self, database: Database, due_table: WorkTable) -> None:
        self._database = database
        self._work = due_table

    def start(self, asked: ReplayRequest, request: WorkRequest, *, now: datetime) -> Replay:
        """Begin a replay; ``wish`` has its pull requests listed. Raises `ReplayUnderWay`."""
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
                self._work.enqueue_within(connection, request, now)
        except IntegrityError as error:
            other = self.running(asked.repository_id)
            raise ReplayUnderWay(0 if other is None else other.id) from error
        return _replay(made)

    def one(self, number: int) -> Replay | None:
        """Return a replay; ``None``: there is none of this number."""
        with self._database.read() as connection:
            row = connection.execute(select(replay).where(replay.c.id == number)).first()
        return None if row is None else _replay(row)

    def running(self, repository_id: int) -> Replay | None:
        """Return the replay of a repository that is not over; ``None``: none is."""
        query = select(replay).where(
            replay.c.repository_id == repository_id, replay.c.state == ReplayState.RUNNING.value
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _replay(row)

    def of(self, repository_id: int, limit: int = 50) -> tuple[Replay, ...]:
        """Return the replays of a repository, the latest first."""
        query = select(replay).where(replay.c.repository_id == repository_id)
        query = query.order_by(replay.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return tuple(_replay(row) for row in connection.execute(query))

    def progress(self, number: int) -> ReplayCounts:
        """Return how far a replay is."""
        return self.progress_of([number])[number]

    def progress_of(self, numbers: Collection[int]) -> dict[int, ReplayCounts]:
        """Return how far some replays are, by the replay's number."""
        query = (
            select(replayed.c.replay_id, replayed.c.state, func.count())
            .where(replayed.c.replay_id.in_(numbers))
            .group_by(replayed.c.replay_id, replayed.c.state)
        )
        counts: dict[int, dict[str, int]] = {number: {} for number in numbers}
        with self._database.read() as connection:
            for number, state, count in connection.execute(query):
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
        """Take a page of GitHub's list in, and make its pull requests due, in one transaction.

        ``False``: somebody else read that page, or the replay is over.
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
        """Return a pull request of a replay that waits; ``None``: it does not, or is none of it."""
        query = select(replayed).where(
            replayed.c.replay_id == number,
            replayed.c.pull_request == pull_request,
            replayed.c.state == PullState.WAITING.value,
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return ListedPull(
            number=row.pull_request,
            merged_at=row.merged_at,
            base_sha=row.base_sha,
            head_sha=row.head_sha,
            merge_commit=row.merge_commit,
        )

    def settle(  # noqa: PLR0913 - what became of one pull request
        self,
        number: int,
        pull_request: int,
        state: PullState,
        *,
        document: bytes | None = None,
        why: str | None = None,
        now: datetime,
    ) -> None:
        """Keep what became of a pull request; the last one ends the replay."""
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
        """End a replay before its time; what is done stays. ``False``: it was over."""
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
                .where(work_item.c.state.in_(("waiting", "parked")))
                .values(state="done", outcome="nothing_to_do", why="cancelled", finished_at=now)
            )
        return True

    def documents(self, number: int) -> Iterator[bytes]:
        """Yield a replay's documents by the time of the merge, then by number."""
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
            with self._database.read() as connection:
                rows = connection.execute(page).all()
            if not rows:
                return
            yield from (zlib.decompress(row.document) for row in rows)
            after = rows[-1]

    def problems(self, number: int, limit: int = 20) -> tuple[tuple[int, str], ...]:
        """Return pull requests that could not be audited whole, each with the reason."""
        query = (
            select(replayed.c.pull_request, replayed.c.why)
            .where(replayed.c.replay_id == number, replayed.c.why.is_not(None))
            .order_by(replayed.c.pull_request)
            .limit(limit)
        )
        with self._database.read() as connection:
            return tuple((row.pull_request, row.why) for row in connection.execute(query))

    def _end(self, connection: Connection, number: int, now: datetime) -> None:
        """End a replay that is listed and of which nothing waits."""
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
"""Kind of the due items of replays: one that lists, and one for each pull request."""


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
    return Replay(
        id=row.id,
        repository_id=row.repository_id,
        asked_by=row.asked_by,
        policy=None if row.policy is None else msgspec.json.decode(row.policy, type=Policy),
        since=row.since,
        until=row.until,
        record=row.record,
        publish=tuple(row.publish.split(",")) if row.publish else (),
        as_of=row.as_of,
        state=ReplayState(row.state),
        pages=row.pages,
        listed=row.listed,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
