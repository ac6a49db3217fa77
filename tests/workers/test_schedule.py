"""The scheduler: what is overdue is queued, what was left behind is followed, old things go."""

import json
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import structlog
from sqlalchemy import event, select

from ghapp.bootstrap import Services, build
from ghapp.demo.sandbox import Sandbox
from ghapp.jobs.perform import perform
from ghapp.log import LoggedOutage
from ghapp.queue.enqueue import QueueAway, QueueState, RedisQueue, connect
from ghapp.settings import ComplianceKey, Settings
from ghapp.store import (
    DatabaseUnavailable,
    Delivery,
    DeliveryEnd,
    Installation,
    Repository,
    Store,
    WorkEnd,
    WorkItem,
    WorkKind,
    WorkRequest,
)
from ghapp.store.schema import token_sum
from tests.app_key import PRIVATE_KEY
from tests.databases import make_sqlite
from tests.store import test_usage as usage
from tests.store.records import deliveries, document
from tests.web.conftest import NOW
from workers.schedule import (
    AT_LEAST,
    EVERY,
    LEFT_BEHIND,
    PORTION,
    SUMMED_AT_ONCE,
    RecentlyQueued,
    ScheduledChore,
    _wait,
    do_chores,
    enqueue_rounds,
    enqueue_session_pull,
    enqueue_sweeps,
    enqueue_teams,
    enqueue_unfinished,
    look,
    next_slot,
    sum_usage,
    tidy,
)

INSTALLED = {"action": "created", "installation": {"id": 5, "account": {"login": "acme"}}}


@pytest.fixture
def ready(tmp_path: Path, redis_url: str) -> Iterator[Services]:
    settings = Settings.from_environment(
        {
            "GHAPP_DATA_DIR": str(tmp_path),
            "GITHUB_APP_ID": "7",
            "GITHUB_PRIVATE_KEY": PRIVATE_KEY,
            "GITHUB_WEBHOOK_SECRETS": "0f3b2a9c55d14e7788aa",
            "REDIS_URL": redis_url,
        }
    )
    make_sqlite(settings.database_url)
    made = replace(build(settings), clock=lambda: NOW)
    yield made
    made.store.close()


def request(ready: Services, at: datetime = NOW, number: int = 17) -> None:
    due = WorkRequest(
        kind="audit", due_at=at, repository_id=42, pull_request=number, installation_id=5
    )
    ready.store.work.enqueue(due, now=NOW)


def test_what_is_overdue_is_queued_once(ready: Services) -> None:
    request(ready)
    request(ready, NOW + timedelta(hours=1), number=18)
    assert look(ready) == 1
    assert look(ready) == 0


def test_a_backlog_is_queued_in_portions(ready: Services) -> None:
    for number in range(PORTION * 2 + 5):
        request(ready, number=number + 1)
    recent = RecentlyQueued()
    queued = [(look(ready, recent), recent.has_more) for _ in range(4)]
    assert queued == [(PORTION, True), (PORTION, True), (5, False), (0, False)]


def test_two_schedulers_queue_nothing_twice(ready: Services) -> None:
    request(ready)
    other = replace(ready, queue=RedisQueue(connect(str(ready.settings.redis_url))))
    assert look(ready) + look(other) == 1


def test_an_expired_lease_brings_its_item_back(ready: Services) -> None:
    request(ready)
    assert look(ready) == 1
    (item,) = ready.store.work.overdue(NOW)
    ready.store.work.lease(item.id, NOW, "dead", timedelta(seconds=30))
    assert look(ready) == 0
    later = replace(ready, clock=lambda: NOW + timedelta(seconds=30))
    assert look(later) == 1


def test_a_delivery_that_was_left_is_followed(ready: Services) -> None:
    delivery = Delivery(
        guid="d-1",
        event="installation",
        action="created",
        received_at=NOW - LEFT_BEHIND - timedelta(seconds=1),
        body=json.dumps(INSTALLED).encode(),
    )
    assert ready.store.deliveries.accept(delivery)
    look(ready)
    assert [one.name for one in ready.store.work.open()] == ["confirm:i5:returns"]
    kept = ready.store.deliveries.one("d-1")
    assert kept is not None
    assert kept.outcome is DeliveryEnd.SCHEDULED


def test_audits_that_should_be_final_are_enqueued_once_a_day(ready: Services) -> None:
    known = ready.store.installations
    known.seen(Installation(id=5, account="acme"), now=NOW)
    there = Repository(id=42, owner="acme", name="shop", installation_id=5)
    known.repository_seen(there, now=NOW)
    ready.store.audits.save(42, 17, document(NOW - timedelta(days=3)), now=NOW)
    for _ in range(2):
        enqueue_unfinished(ready)
    (item,) = ready.store.work.open()
    assert (item.name, item.due_at) == ("finalize:42:17", NOW)
    leased = ready.store.work.lease(item.id, NOW, "worker", timedelta(seconds=30))
    assert leased is not None
    ready.store.work.finish(leased, WorkEnd.REFUSED, "no", now=NOW)
    enqueue_unfinished(ready)
    assert ready.store.work.open() == ()
    enqueue_unfinished(replace(ready, clock=lambda: NOW + timedelta(days=1, seconds=1)))
    assert len(ready.store.work.open()) == 1


@pytest.mark.parametrize("body", [None, b"{"], ids=["without_body", "unreadable"])
def test_a_delivery_that_cannot_be_followed_ends_nothing(
    ready: Services, body: bytes | None
) -> None:
    old = NOW - LEFT_BEHIND - timedelta(seconds=1)
    ready.store.deliveries.accept(
        Delivery(guid="d-1", event="installation", received_at=old, body=body)
    )
    request(ready)
    assert look(ready) == 1
    kept = ready.store.deliveries.one("d-1")
    assert kept is not None
    assert kept.outcome is DeliveryEnd.NOTHING_TO_DO
    assert kept.detail


def usage_came(ready: Services, days: int) -> None:
    rows = [usage.tokens(day=usage.DAY + timedelta(days=number)) for number in range(days)]
    ready.store.usage.replace(usage.SENT, rows, [], now=NOW)


def test_usage_that_came_is_summed_in_portions(
    ready: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.schedule.SUMMED_AT_ONCE", 2)
    usage_came(ready, 5)
    left = []
    for _ in range(4):
        has_more = sum_usage(ready)
        left.append((ready.store.usage.stale(usage.ORG), has_more))
    assert left == [(3, True), (1, True), (0, False), (0, False)]
    assert len(ready.store.database.rows(select(token_sum).where(token_sum.c.grain == "day"))) == 5


def test_two_schedulers_sum_nothing_twice(ready: Services) -> None:
    assert SUMMED_AT_ONCE >= 40
    other = replace(ready, store=Store.open(ready.settings.database_url))
    usage_came(ready, 40)
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(sum_usage, (ready, other))) == [False, False]
    other.store.close()
    assert ready.store.usage.stale(usage.ORG) == 0
    days = ready.store.database.rows(select(token_sum.c.output).where(token_sum.c.grain == "day"))
    assert [row.output for row in days] == [10] * 40


def test_where_nothing_is_stale_it_is_one_question(ready: Services) -> None:
    asked: list[str] = []
    event.listen(
        ready.store.database.engine,
        "before_cursor_execute",
        lambda _, __, statement, *___: asked.append(statement),
    )
    assert not sum_usage(ready)
    assert [one.partition(" ")[0] for one in asked if "usage_stale" in one] == ["SELECT"]


def test_usage_that_cannot_be_summed_now_is_summed_later(ready: Services) -> None:
    usage_came(ready, 1)
    away = replace(ready, store=Store.unmigrated("postgresql://nobody@127.0.0.1:1/none"))
    structlog.reset_defaults()  # so that there is a log
    outage = LoggedOutage("usage_not_summed")
    with structlog.testing.capture_logs() as lines:
        for services in (away, away, ready):
            assert not sum_usage(services, outage)
    away.store.close()
    assert [one["event"] for one in lines] == ["usage_not_summed", "usage_not_summed_over"]
    assert ready.store.usage.stale(usage.ORG) == 0


def test_without_redis_it_looks_again_later(ready: Services) -> None:
    class Away(RedisQueue):
        def push(self, items: Iterable[WorkItem], *, now: datetime) -> int:
            del items, now
            raise QueueAway("Redis cannot be reached")

    request(ready)
    away = replace(ready, queue=Away(connect("unix:///nowhere/valkey.sock")))
    assert look(away) == 0
    assert look(ready) == 1


def test_what_is_old_and_settled_goes(ready: Services) -> None:
    old = NOW - ready.settings.deliveries_kept - timedelta(days=1)
    for guid, outcome in (("settled", DeliveryEnd.IGNORED), ("open", None)):
        ready.store.deliveries.accept(
            Delivery(guid=guid, event="star", received_at=old, outcome=outcome)
        )
    tidy(ready)
    assert [one.guid for one in deliveries(ready.store)] == ["open"]


def test_the_next_time_does_not_depend_on_when_one_asks() -> None:
    period = timedelta(minutes=5)
    slots = {next_slot(NOW + timedelta(seconds=second), period, 42) for second in range(0, 300, 7)}
    assert len(slots) == 2
    assert all(slot > NOW for slot in slots)
    others = {next_slot(NOW, period, number) for number in range(100)}
    assert len(others) > 50


def test_sweeps_and_rounds_are_enqueued_once_however_often(ready: Services) -> None:
    known = ready.store.installations
    known.seen(Installation(id=5, account="acme"), now=NOW)
    known.seen(Installation(id=6, account="gone"), now=NOW)
    known.repositories_seen(
        (
            Repository(id=42, owner="acme", name="app", installation_id=5),
            Repository(id=43, owner="gone", name="app", installation_id=6),
        ),
        now=NOW,
    )
    known.suspended(6, now=NOW)
    for _ in range(3):
        enqueue_sweeps(ready)
        enqueue_rounds(ready)
    names = {item.name for item in ready.store.work.open()}
    assert names == {"sweep:i-:-", "roll_call:i-:-", "reconcile:42:-"}


def test_sessions_are_pulled_only_where_a_key_is_set(ready: Services) -> None:
    enqueue_session_pull(ready)
    assert ready.store.work.open() == ()
    opened = ComplianceKey(url="http://127.0.0.1:1", key="sk-ant-compliance-1", account="acme")
    with_key = replace(ready, settings=replace(ready.settings, compliance=opened))
    enqueue_session_pull(with_key)
    (item,) = ready.store.work.open()
    assert item.kind == WorkKind.COMPLIANCE
    later = replace(with_key, clock=lambda: item.due_at)
    assert perform(item.id, later, worker="test")
    (item,) = ready.store.work.open()
    assert "no answer" in str(item.why)


def test_teams_are_asked_for_once_a_day_where_the_app_is(ready: Services) -> None:
    known = ready.store.installations
    known.seen(Installation(id=5, account="acme"), now=NOW)
    known.seen(Installation(id=6, account="gone"), now=NOW)
    known.suspended(6, now=NOW)
    for _ in range(3):
        enqueue_teams(ready)
    (item,) = ready.store.work.open()
    assert (item.name, item.due_at - NOW <= timedelta(days=1)) == ("teams:i5:-", True)


@pytest.mark.parametrize(
    ("permissions", "outcome", "why"),
    [
        ({"members": "read"}, WorkEnd.DONE, "2 people in 1 teams, from github"),
        ({}, WorkEnd.NOTHING_TO_DO, "permission members=read is missing"),
    ],
)
def test_teams_are_read_by_a_worker(
    ready: Services, tmp_path: Path, permissions: dict[str, str], outcome: WorkEnd, why: str
) -> None:
    with Sandbox(tmp_path / "hub", clock=ready.clock) as sandbox:
        registered = sandbox.register_app(permissions=permissions)
        sandbox.organization("acme")
        installed = sandbox.install(registered.app, "acme")
        sandbox.set_team("acme", "Web", "ann", "bob")
        app = replace(ready.app, app_id=registered.app.id, private_key=registered.private_key)
        settings = replace(ready.settings, api_url=sandbox.api_url, app=app)
        ready.store.installations.seen(Installation(id=installed.id, account="acme"), now=NOW)
        request = WorkRequest(kind=WorkKind.TEAMS, due_at=NOW, installation_id=installed.id)
        ready.store.work.enqueue(request, now=NOW)
        (item,) = ready.store.work.open()
        assert perform(item.id, replace(ready, settings=settings), worker="test")
    done = ready.store.work.one(item.id)
    assert done is not None
    assert (done.outcome, why in str(done.why)) == (outcome, True), done.why


def test_what_was_told_is_not_told_again_for_a_moment(ready: Services) -> None:
    request(ready)
    told = RecentlyQueued()
    assert look(ready, told) == 1
    connection = connect(str(ready.settings.redis_url))
    connection.flushdb()
    assert look(ready, told) == 0
    later = replace(ready, clock=lambda: NOW + timedelta(seconds=11))
    assert look(later, told) == 1


class Waits(threading.Event):
    """Remembers how long somebody waited for it."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        """Do not wait."""
        self.waits.append(timeout)
        return self.is_set()


@pytest.mark.parametrize("state", list(QueueState))
def test_where_redis_lets_nobody_wait_the_scheduler_waits_itself(
    ready: Services, state: QueueState
) -> None:
    class Refusing(RedisQueue):
        def wait(self, seconds: float) -> bool:
            del seconds
            return False

        def state(self) -> QueueState:
            return state

    stop = Waits()
    queue = Refusing(connect("unix:///nowhere/valkey.sock"))
    _wait(replace(ready, queue=queue), stop, looked=0.001)
    assert stop.waits == [AT_LEAST if state is QueueState.OK else EVERY]


def test_chores_that_the_database_does_not_let_be_done_are_said_once_and_stay_to_be_done(
    ready: Services,
) -> None:
    done, is_away = [], [True]

    def chore(services: Services) -> None:
        del services
        if is_away[0]:
            raise DatabaseUnavailable("the server is away; try again")
        done.append("chore")

    chores = [ScheduledChore(chore, timedelta(hours=1)) for _ in range(3)]
    structlog.reset_defaults()  # so that there is a log
    late, stop = LoggedOutage("chore_failed"), threading.Event()
    with structlog.testing.capture_logs() as lines:
        for _ in range(5):
            do_chores(ready, chores, late, stop)
        assert done == []
        is_away[0] = False
        do_chores(ready, chores, late, stop)
        do_chores(ready, chores, late, stop)
    assert len(done) == len(chores)
    assert [one["event"] for one in lines] == ["chore_failed", "chore_failed_over"]
    stop.set()
    do_chores(ready, [ScheduledChore(chore, timedelta(hours=1))], late, stop)
    assert len(done) == len(chores)
