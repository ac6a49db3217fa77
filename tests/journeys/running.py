"""The real app for journeys: gunicorn, workers, scheduler and Valkey in their own processes.

The sandbox stands in GitHub's place. Any of the processes can be killed and started again.
"""

import contextlib
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests
from sqlalchemy import update

from ghapp.attribution.model import Edit, EditHunk, TextLines
from ghapp.demo.sandbox import (
    Fault,
    FaultKind,
    HubInstallation,
    HubPull,
    HubRepository,
    RegisteredApp,
    Sandbox,
)
from ghapp.serve.programs import (
    ChildProgram,
    WatchedChild,
    address_of,
    child_environment,
    listen,
    valkey,
    valkey_url,
    web,
    workers,
)
from ghapp.store import Store, WorkItem
from ghapp.store.schema import work_item
from tests.waiting import START_SECONDS, wait_until

BASE = "def total(lines):\n    return sum(line.amount for line in lines)\n"
WRITTEN = (
    "",
    "def total_by_customer(lines):",
    "    totals = defaultdict(Decimal)",
    "    for line in lines:",
    "        totals[line.customer_number] += line.amount",
    "    return dict(totals)",
)
"""The agent's lines in every journey, which nobody types by chance."""


class Running:
    """The app's processes by name, such as ``valkey``, ``web``, ``worker-live``, ``scheduler``."""

    def __init__(self, programs: dict[str, ChildProgram], environment: dict[str, str]) -> None:
        self.environment = environment
        self.children = {
            name: WatchedChild(program, environment) for name, program in programs.items()
        }

    def start(self, *names: str) -> None:
        """Start processes that do not run, and wait until Valkey and web answer."""
        for name in names:
            child = self.children[name]
            if child.process is None or child.process.poll() is not None:
                child.start(time.monotonic())
        if "valkey" in names:
            path = Path(self.environment["REDIS_URL"].removeprefix("unix://"))
            wait_until(lambda: _connects(path), "Valkey")
        if "web" in names:
            url = f"{self.environment['GHAPP_PUBLIC_URL']}/readyz"
            wait_until(lambda: _answers(url), "the web door")

    def kill(self, name: str) -> None:
        """Kill one process with `kill -9`."""
        process = self.children[name].process
        assert process is not None
        process.kill()
        process.wait()

    def stop(self) -> None:
        """Stop everything."""
        for child in self.children.values():
            child.ask_to_stop()
        for child in self.children.values():
            child.stop(time.monotonic() + START_SECONDS)


def _connects(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=60).ok
    except requests.RequestException:
        return False


class Place:
    """One app, one installed repository, and the queries of a journey."""

    def __init__(self, sandbox: Sandbox, registered: RegisteredApp, app: Running) -> None:
        self.sandbox = sandbox
        self.registered = registered
        self.app = app
        self.store = Store.open(app.environment["DATABASE_URL"])
        self._settle_in("acme")

    def move_on(self) -> None:
        """Go on with a new organization and repository, without faults."""
        self.sandbox.faults.clear()
        self._settle_in(f"acme-{len(self.sandbox.world.installations)}")

    def _settle_in(self, owner: str) -> None:
        self.repository: HubRepository = self.sandbox.add_repository(
            owner, "app", files={"src/totals.py": BASE}
        )
        self.installation: HubInstallation = self.sandbox.install(self.registered.app, owner)

    def merged(self, *, title: str = "Totals by customer") -> HubPull:
        """Open and merge a pull request that adds the agent's lines."""
        text = BASE + "\n".join(WRITTEN) + "\n"
        pull = self.sandbox.open_pull(self.repository, files={"src/totals.py": text}, title=title)
        self.sandbox.merge(pull, method="squash")
        return pull

    def agent_wrote(self) -> None:
        """Store the evidence: one applied edit of an hour ago."""
        now = datetime.now(UTC)
        edit = Edit(
            id="toolu_journey",
            agent="claude-code",
            agent_session="journey",
            at=now - timedelta(hours=1),
            path="src/totals.py",
            lines=TextLines(hunks=(EditHunk(before=(), own=WRITTEN, after=()),)),
        )
        self.store.evidence.add(self.repository.id, [edit], now=now)

    def items(self, pull: HubPull) -> tuple[WorkItem, ...]:
        """Return the work items of a pull request."""
        return self.store.work.of(self.repository.id, pull.number)

    def wait_until_settled(
        self, pull: HubPull, *, kind: str = "audit", seconds: float = 2 * START_SECONDS
    ) -> WorkItem:
        """Wait until the latest item of a kind is over, and return it."""

        def settled() -> WorkItem | None:
            items = [item for item in self.items(pull) if item.kind == kind]
            return items[-1] if items and items[-1].outcome is not None else None

        found = wait_until(settled, f"{kind} of pull request {pull.number}", seconds)
        assert found is not None
        return found

    def write_count(self) -> int:
        """Count the requests that changed what people see in this repository."""
        name = f"/{self.repository.full_name}/"
        return sum(name in one.path for one in self.sandbox.writes())

    def hold(self, method: str, route: str) -> None:
        """Let GitHub hold the next request to a route until `let_go`."""
        self._held = self.sandbox.faults.played[FaultKind.SLOW]
        self.sandbox.play(Fault(FaultKind.SLOW, method=method, route=route, seconds=600))

    def wait_until_held(self) -> None:
        """Wait until GitHub holds the request, so that a worker waits for its answer."""
        wait_until(lambda: self.sandbox.faults.played[FaultKind.SLOW] > self._held, "the request")

    def let_go(self) -> None:
        """Let GitHub do what it holds; return when that is done."""

        def is_done() -> bool:
            self.sandbox.faults.release()
            return sum(one.fault == FaultKind.SLOW for one in self.sandbox.exchanges) > self._held

        wait_until(is_done, "the end of what GitHub holds")

    def lose_leases(self) -> None:
        """Pass the time until the leases of dead workers run out, without waiting for it."""
        lease = work_item.c
        is_held = (lease.repository_id == self.repository.id) & (lease.lease_until.is_not(None))
        over = datetime.now(UTC) - timedelta(seconds=1)
        changed = update(work_item).where(is_held).values(lease_until=over)
        assert self.store.database.execute(changed) == 1


@contextlib.contextmanager
def running_place(
    directory: Path, *, database_url: str | None = None, app_settings: dict[str, str] | None = None
) -> Iterator[Place]:
    """Yield a place whose app is not started yet; stop everything on leaving."""
    # A unix socket's path must be short, and pytest's own folders are not.
    sockets = Path(tempfile.mkdtemp(prefix="ghapp-journey-"))
    data = directory / "data"
    data.mkdir(mode=0o700)
    try:
        with Sandbox(directory / "github") as sandbox, listen("127.0.0.1", 0) as door:
            address = address_of(door)
            registered = sandbox.register_app(
                webhook_url=f"{address}/webhooks/github",
                events=("pull_request", "check_run", "check_suite", "repository"),
            )
            programs = [valkey(data, sockets), web(door, "ghapp.web.app:create_app()"), *workers()]
            environment = {
                **child_environment(_without_ours(os.environ)),
                "GHAPP_DATA_DIR": str(data),
                "GHAPP_PUBLIC_URL": address,
                "DATABASE_URL": database_url or f"sqlite:///{data / 'ghapp.sqlite3'}",
                "REDIS_URL": valkey_url(sockets),
                "GITHUB_API_URL": sandbox.api_url,
                "GITHUB_WEB_URL": sandbox.web_url,
                "GITHUB_APP_ID": str(registered.app.id),
                "GITHUB_PRIVATE_KEY": registered.private_key,
                "GITHUB_WEBHOOK_SECRETS": registered.app.webhook_secret,
                "WEB_CONCURRENCY": "1",
                **(app_settings or {}),
            }
            app = Running({program.name: program for program in programs}, environment)
            place = Place(sandbox, registered, app)
            try:
                yield place
            finally:
                sandbox.faults.close()
                app.stop()
                place.store.close()
    finally:
        shutil.rmtree(sockets, ignore_errors=True)


def _without_ours(environment: "os._Environ[str]") -> dict[str, str]:
    ours = ("GHAPP_", "GITHUB_", "DATABASE_URL", "REDIS_URL")
    return {name: value for name, value in environment.items() if not name.startswith(ours)}
