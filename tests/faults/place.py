"""The app in one process over a real store and a real Valkey, against the sandbox over HTTP.

The test controls the time: waiting advances the clock. The web app listens on loopback, so
deliveries arrive as from GitHub. A worker is a call of `perform`, and the scheduler one of its
rounds.
"""

import contextlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ghapp.attribution.model import Edit, EditHunk, TextLines
from ghapp.bootstrap import Services
from ghapp.demo.sandbox import Exchange, HubPull, RegisteredApp, Sandbox
from ghapp.demo.sandbox.server import HubServer
from ghapp.ingest.keep import keep_edits
from ghapp.jobs.perform import NOTHING_WRITTEN, perform
from ghapp.queue.enqueue import RedisQueue, connect
from ghapp.settings import Settings
from ghapp.store import Installation, Repository, Store, WorkItem, WorkKind, WorkRequest, WorkState
from ghapp.web.app import create_app
from tests.openapi.validate import exchange_problems
from workers.schedule import enqueue_rounds, enqueue_sweeps, enqueue_unfinished, look

START = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
SOON = timedelta(hours=6)
"""Everything except the end of a window must be over within this time."""
MOST_ROUNDS = 400
LAG = 45.0
"""Largest delay of GitHub's reads, in seconds, like the publishers' `UNSEEN`."""
BASE = "def total(lines):\n    return sum(line.amount for line in lines)\n"
WRITTEN = (
    "",
    "def total_by_customer(lines):",
    "    totals = defaultdict(Decimal)",
    "    for line in lines:",
    "        totals[line.customer_number] += line.amount",
    "    return dict(totals)",
)


class WorkerDied(BaseException):
    """The worker's process was killed; nothing of it runs any more."""


class Clock:
    """The time of the app and of the sandbox; sleeping advances it."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass without waiting."""
        self.now += timedelta(seconds=seconds)


class Place:
    """One app, installed on ``acme``, with one repository and its merged pull requests."""

    def __init__(self, sandbox: Sandbox, services: Services, clock: Clock, door: HubServer) -> None:
        self.sandbox = sandbox
        self.services = services
        self.store = services.store
        self.clock = clock
        self.door = door
        self.pulls: list[HubPull] = []
        self.judged = 0

    # --- the world outside --------------------------------------------------------------------

    def found(self, registered: RegisteredApp) -> None:
        """Create the repository, install the app, and notify it."""
        self.registered = registered
        self.repository = self.sandbox.add_repository("acme", "app", files={"src/a.py": BASE})
        self.installation = self.sandbox.install(registered.app, "acme")
        # Like the event would; other tests cover events of installations.
        now = self.clock()
        heard = Installation(id=self.installation.id, account="acme")
        self.store.installations.seen(heard, now=now)
        self.store.installations.repository_seen(
            Repository(id=self.repository.id, owner="acme", name="app", installation_id=heard.id),
            now=now,
        )

    def merged(self, *, from_fork: bool = False) -> HubPull:
        """Merge a pull request that adds the agent's lines, each piece in its own file."""
        number = len(self.pulls)
        fork = self.sandbox.fork(self.repository, "contributor") if from_fork else None
        pull = self.sandbox.open_pull(
            self.repository,
            files={f"src/m{number}.py": "\n".join(WRITTEN) + "\n"},
            title=f"Totals {number}",
            fork=fork,
        )
        self.clock.sleep(1)
        self.sandbox.merge(pull, method="squash")
        self.pulls.append(pull)
        return pull

    def agent_wrote(
        self, numbers: Iterable[int] = range(6), at: timedelta = timedelta(hours=-1)
    ) -> None:
        """Store the evidence for files that are or will be merged."""
        edits = [
            Edit(
                id=f"toolu_{number}_{at.total_seconds():.0f}",
                agent="claude-code",
                agent_session="writing",
                at=START + at,
                path=f"src/m{number}.py",
                lines=TextLines(hunks=(EditHunk(before=(), own=WRITTEN, after=()),)),
            )
            for number in numbers
        ]
        keep_edits(self.store, self.repository.id, edits, now=self.clock())

    # --- the app at work ------------------------------------------------------------------------

    def chores(self, *, passing: timedelta = timedelta(hours=2)) -> None:
        """Let the scheduler enqueue its chores, and advance the clock until they are due."""
        enqueue_sweeps(self.services)
        enqueue_rounds(self.services)
        enqueue_unfinished(self.services)
        self.clock.now += passing

    def work(self, horizon: timedelta = SOON) -> None:
        """Do all work that is due now or within the horizon."""
        end = self.clock() + horizon
        for _ in range(MOST_ROUNDS):
            look(self.services)
            items = self.store.work.overdue(self.clock())
            for item in items:
                perform(item.id, self.services, worker="test")
            if not items and not self._wait(end):
                return
        raise AssertionError(f"it does not come to an end: {self.open_items()}")

    def _wait(self, end: datetime) -> bool:
        """Advance the clock to the next due item; ``False``: there is none."""
        parked = {
            one.id: one.parked_until for one in self.store.installations.all() if one.parked_until
        }
        times = [
            max(item.due_at, parked.get(item.installation_id or 0) or item.due_at)
            for item in self.store.work.open()
            if item.state is WorkState.WAITING
        ]
        coming = [time for time in times if self.clock() < time <= end]
        if not coming:
            return False
        self.clock.now = min(coming)
        return True

    def open_items(self) -> list[WorkItem]:
        """Return the open items, without the ends of windows."""
        return [item for item in self.store.work.open() if item.kind != WorkKind.FINALIZE]

    def last(self, pull: HubPull) -> WorkItem:
        """Return the latest finished item of a pull request."""
        items = self.store.work.of(self.repository.id, pull.number)
        return [item for item in items if item.outcome is not None][-1]

    def again(self, pull: HubPull) -> None:
        """Audit a pull request again."""
        request = WorkRequest(
            kind=WorkKind.AUDIT,
            due_at=self.clock(),
            installation_id=self.installation.id,
            repository_id=self.repository.id,
            pull_request=pull.number,
        )
        self.store.work.enqueue(request, now=self.clock())
        self.work()

    # --- final checks -------------------------------------------------------------------------

    def expect_finished(self, *pulls: HubPull) -> None:
        """Require one check run, one comment and the label on each, as in our ledger."""
        for pull in pulls or tuple(self.pulls):
            seen = self.sandbox.visible(pull)
            runs = [(run.name, run.status) for run in seen.check_runs]
            assert runs == [("attribution", "completed")], (pull.number, runs)
            assert len(seen.comments) == 1, (pull.number, seen.comments)
            assert seen.label_names == ("claude-code-assisted",), (pull.number, seen.label_names)
            ledger = {
                name: self.store.publications.last(self.repository.id, pull.number, name)
                for name in ("check_run", "comment", "label")
            }
            assert all(ledger.values()), ledger
            ids = {name: one.external_id for name, one in ledger.items() if one}
            assert ids["check_run"] == str(seen.check_runs[0].id)
            assert ids["comment"] == str(seen.comments[0].id)
        self.expect_good_manners()

    def expect_good_manners(self) -> None:
        """Require that GitHub knows every request, and that no write was blind."""
        assert self.sandbox.violations == []
        # GitHub's description does not hold for what a proxy answers in its place.
        new = [one for one in self.sandbox.exchanges[self.judged :] if one.fault != "answer"]
        self.judged = len(self.sandbox.exchanges)
        problems = [found for one in new for found in exchange_problems(one)]
        assert not problems, problems
        assert blind_writes(self.sandbox.exchanges) == []

    def expect_a_second_run_to_write_nothing(self) -> None:
        """Audit everything again and require that the app writes nothing on GitHub."""
        before = len(self.sandbox.writes())
        for pull in self.pulls:
            self.again(pull)
            assert self.last(pull).why == NOTHING_WRITTEN
        assert len(self.sandbox.writes()) == before


MAKES = {
    "/repos/{owner}/{repo}/issues/{issue_number}/comments": (
        "/repos/{owner}/{repo}/issues/{issue_number}/comments"
    ),
    "/repos/{owner}/{repo}/check-runs": "/repos/{owner}/{repo}/commits/{ref}/check-runs",
}
"""Route that creates something → route that lists what exists."""


def blind_writes(exchanges: list[Exchange]) -> list[str]:
    """Return requests that create something without a read since the attempt before."""
    tried: set[str] = set()
    blind: list[str] = []
    for one in exchanges:
        template = one.template or ""
        if one.method == "POST" and template in MAKES:
            about = f"{MAKES[template]} {_about(one)}"
            if about in tried:
                blind.append(f"{one.number}: POST {one.path}")
            # A refused request had no effect, and GitHub says so.
            if not 400 <= one.status < 500:
                tried.add(about)
        elif one.method == "GET" and one.status == 200:
            tried.discard(f"{template} {_about(one)}")
    return blind


def _about(one: Exchange) -> str:
    known = one.params.get("issue_number") or one.params.get("ref")
    if known:
        return known
    text = one.request_body.decode(errors="replace")
    return text.partition('"head_sha":')[2].strip(' "')[:40]


@contextlib.contextmanager
def running_place(
    directory: Path, store: Store, redis_url: str, *, app_settings: dict[str, str] | None = None
) -> Iterator[Place]:
    """Yield a place on a store and a Valkey; stop everything on leaving."""
    clock = Clock()
    directory.mkdir(parents=True, exist_ok=True)
    with Sandbox(directory / "github", clock=clock, prefix="/api/v3", echo=False) as sandbox:
        registered = sandbox.register_app(
            events=("pull_request", "check_run", "check_suite", "issue_comment", "repository"),
            callback_urls=["http://localhost/login/callback"],
        )
        environment = {
            "GHAPP_DATA_DIR": str(directory / "data"),
            "REDIS_URL": redis_url,
            "GITHUB_API_URL": sandbox.api_url,
            "GITHUB_WEB_URL": sandbox.web_url,
            "GITHUB_APP_ID": str(registered.app.id),
            "GITHUB_PRIVATE_KEY": registered.private_key,
            "GITHUB_CLIENT_ID": registered.app.client_id,
            "GITHUB_CLIENT_SECRET": registered.app.client_secret,
            "GITHUB_WEBHOOK_SECRETS": registered.app.webhook_secret,
            "GHAPP_WRITE_PAUSE": "0",
            "GHAPP_WRITES_PER_HOUR": "100000",
            **(app_settings or {}),
        }
        settings = Settings.from_environment(environment)
        services = Services(
            settings=settings,
            store=store,
            queue=RedisQueue(connect(redis_url, quick=True)),
            clock=clock,
            sleep=clock.sleep,
        )
        door = HubServer(create_app(services))
        registered.app.webhook_url = f"{door.url}/webhooks/github"
        place = Place(sandbox, services, clock, door)
        place.found(registered)
        try:
            yield place
        finally:
            sandbox.faults.close()
            door.close()
