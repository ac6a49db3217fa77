"""Events, faults and deaths in any order: in the end everything exists exactly once.

Hypothesis chooses the order; a place in one process plays it, so that a failure can be played
again. A worker's death is an error that no code of ours catches, at any request to GitHub.
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ghapp.demo.sandbox import Fault, FaultKind
from ghapp.github.transport import GitHubTransport
from ghapp.jobs.perform import LEASE, perform
from ghapp.store import Store, WorkEnd
from tests.databases import ReusedDatabase, make_sqlite
from tests.faults.place import LAG, Place, WorkerDied, running_place
from tests.searching import searched

Fresh = Callable[[], AbstractContextManager[Store]]

MOST_PULLS = 4
EXAMPLES = 5
"""Stories on each database in a plain run."""
ROUTES = (
    "/repos/{owner}/{repo}/pulls/{pull_number}",
    "/repos/{owner}/{repo}/pulls/{pull_number}/files",
    "/repos/{owner}/{repo}/issues/{issue_number}/comments",
    "/repos/{owner}/{repo}/issues/{issue_number}/labels",
    "/repos/{owner}/{repo}/check-runs",
    "/repos/{owner}/{repo}/commits/{ref}/check-runs",
    "/app/installations/{installation_id}/access_tokens",
)
REQUEST_FAULTS = (
    FaultKind.BAD_GATEWAY_BEFORE,
    FaultKind.BAD_GATEWAY_AFTER,
    FaultKind.CUT_OFF_AFTER,
    FaultKind.SECONDARY_LIMIT,
    FaultKind.PRIMARY_LIMIT,
    FaultKind.TOKEN_EXPIRED,
    FaultKind.STALE_READ,
)
DELIVERY_FAULTS = (
    FaultKind.DUPLICATE,
    FaultKind.HELD,
    FaultKind.FAILED,
    FaultKind.TIMED_OUT,
    FaultKind.LOST,
    FaultKind.CLOSED_SAYS_OPEN,
)


class Auditor(RuleBasedStateMachine):
    """One app, up to four pull requests, and all their possible events."""

    redis_url = ""
    fresh_store: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.stack = contextlib.ExitStack()
        with redis.Redis.from_url(self.redis_url) as client:
            client.flushdb()
        directory = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        store: Store = self.stack.enter_context(self.fresh_store())
        made = running_place(directory, store, self.redis_url)
        self.place: Place = self.stack.enter_context(made)
        self.place.agent_wrote()

    @precondition(lambda self: len(self.place.pulls) < MOST_PULLS)
    @rule(fault=st.none() | st.sampled_from(DELIVERY_FAULTS))
    def merge(self, fault: FaultKind | None) -> None:
        """Merge a pull request; its delivery may go wrong."""
        if fault is not None:
            self.place.sandbox.play(Fault(fault, event="pull_request.closed"))
        self.place.sandbox.deliver_closed(self.place.merged())

    @precondition(lambda self: self.place.pulls)
    @rule(which=st.integers(0, MOST_PULLS - 1))
    def press_the_button(self, which: int) -> None:
        """Request a check run again, if there is one."""
        pull = self.place.pulls[which % len(self.place.pulls)]
        for run in self.place.sandbox.visible(pull).check_runs:
            self.place.sandbox.deliver_requested_action(
                pull.repository, run, "audit_again", "maintainer"
            )

    @rule(hours=st.integers(2, 9))
    def evidence_comes_late(self, hours: int) -> None:
        """Store more evidence, which reaches every window and changes the audits."""
        self.place.agent_wrote(at=-timedelta(hours=hours))

    @rule(kind=st.sampled_from(REQUEST_FAULTS), route=st.sampled_from(ROUTES))
    def something_will_go_wrong(self, kind: FaultKind, route: str) -> None:
        """Make the next request of a kind fail."""
        reading = kind is FaultKind.STALE_READ
        method = "GET" if reading else "*"
        seconds = LAG if reading else 120
        self.place.sandbox.play(Fault(kind, method=method, route=route, seconds=seconds))

    @rule(dies_after=st.none() | st.integers(0, 25))
    def a_worker_works(self, dies_after: int | None) -> None:
        """Do what is due; the worker may die at any request to GitHub."""
        for item in self.place.store.work.overdue(self.place.clock()):
            with contextlib.suppress(WorkerDied), _dying(dies_after):
                perform(item.id, self.place.services, worker="mortal")

    @rule(minutes=st.sampled_from([0, 1, 5, 60]))
    def time_passes(self, minutes: int) -> None:
        """Let time pass, so that the leases of dead workers expire."""
        self.place.clock.now += timedelta(minutes=minutes) + LEASE

    @rule()
    def redis_loses_everything(self) -> None:
        """Empty Redis: queues, tokens, pace."""
        with redis.Redis.from_url(self.redis_url) as client:
            client.flushdb()

    @rule()
    def the_scheduler_goes_round(self) -> None:
        """Enqueue sweeps and rounds, and let them become due."""
        self.place.chores()

    @invariant()
    def nothing_is_there_twice(self) -> None:
        """Require that there are never two runs or comments, nor a write without a read."""
        for pull in self.place.pulls:
            seen = self.place.sandbox.visible(pull)
            assert len(seen.check_runs) <= 1
            assert len(seen.comments) <= 1
        self.place.expect_good_manners()

    def teardown(self) -> None:
        """End all faults and require the one right result."""
        try:
            self.place.sandbox.faults.clear()
            for _ in range(2):
                self.place.clock.now += LEASE
                self.place.work()
                self.place.chores()
                self.place.work()
            assert self.place.open_items() == []
            if self.place.pulls:
                self.place.expect_finished()
                self.place.expect_a_second_run_to_write_nothing()
                ends = {self.place.last(pull).outcome for pull in self.place.pulls}
                assert ends <= {WorkEnd.DONE}
        finally:
            self.stack.close()


@contextlib.contextmanager
def _dying(after: int | None) -> Any:
    """Kill the process at a request to GitHub, half of the times after it took effect."""
    if after is None:
        yield
        return
    send, left = GitHubTransport.send, [after]

    def mortal(self: GitHubTransport, *given: Any, **more: Any) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            return send(self, *given, **more)
        if after % 2:
            send(self, *given, **more)
        raise WorkerDied

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GitHubTransport, "send", mortal)
        yield


@contextlib.contextmanager
def fresh_on_sqlite() -> Iterator[Store]:
    """Yield an empty store on SQLite."""
    with tempfile.TemporaryDirectory() as directory:
        url = make_sqlite(f"sqlite:///{directory}/test.sqlite3")
        with Store.unmigrated(url) as opened:
            yield opened


@contextlib.contextmanager
def fresh_on_postgresql(database: ReusedDatabase) -> Iterator[Store]:
    """Yield an empty store on PostgreSQL."""
    with Store.unmigrated(database.emptied()) as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_store(request: pytest.FixtureRequest) -> Fresh:
    """Return a factory of empty stores, once for each database."""
    if request.param == "sqlite":
        return fresh_on_sqlite
    return partial(fresh_on_postgresql, request.getfixturevalue("reused_postgresql"))


def test_in_any_order_everything_ends_once(redis_url: str, fresh_store: Fresh) -> None:
    machine = type(
        "Machine", (Auditor,), {"redis_url": redis_url, "fresh_store": staticmethod(fresh_store)}
    )
    case = machine.TestCase  # type: ignore[attr-defined]
    case.settings = settings(searched(EXAMPLES), stateful_step_count=14)
    case("runTest").runTest()
