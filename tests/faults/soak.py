"""The soak test, a command: real processes, thousands of deliveries, faults, and kill -9.

    python -m tests.faults.soak --deliveries 10000 --database postgresql

It ends by itself, prints its figures as JSON, and its status says whether nothing was lost and
nothing was done twice. Everything is on loopback and in a temporary folder.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ghapp.attribution.model import Edit, EditHunk, TextLines
from ghapp.demo.sandbox import (
    Fault,
    FaultKind,
    HubInstallation,
    HubLimits,
    HubPull,
    HubRepository,
    Sandbox,
)
from ghapp.serve.programs import (
    ChildProgram,
    address_of,
    child_environment,
    listen,
    valkey,
    valkey_url,
    web,
    workers,
)
from ghapp.store import Installation as KnownInstallation
from ghapp.store import Repository as KnownRepository
from ghapp.store import Store, StoreError, WorkKind
from tests.databases import postgresql_server
from tests.faults.place import LAG
from tests.journeys.running import Running

REPOSITORIES = 6
BACKLOG = 12
"""Most open items while more pull requests are merged."""
WRITTEN = (
    "def total_by_customer(lines):",
    "    totals = defaultdict(Decimal)",
    "    for line in lines:",
    "        totals[line.customer_number] += line.amount",
    "    return dict(totals)",
)
REQUEST_KINDS: tuple[dict[str, Any], ...] = (
    {"kind": FaultKind.BAD_GATEWAY_BEFORE},
    {"kind": FaultKind.BAD_GATEWAY_AFTER},
    {"kind": FaultKind.CUT_OFF_BEFORE},
    {"kind": FaultKind.CUT_OFF_AFTER},
    {"kind": FaultKind.SERVER_ERROR, "status": 500},
    {"kind": FaultKind.SECONDARY_LIMIT, "status": 403, "retry_after": 1},
    {"kind": FaultKind.SECONDARY_LIMIT, "status": 429, "retry_after": 1},
    {"kind": FaultKind.PRIMARY_LIMIT, "status": 403, "seconds": 1},
    {"kind": FaultKind.PRIMARY_LIMIT, "status": 429, "seconds": 1},
    {"kind": FaultKind.TOKEN_EXPIRED},
    {"kind": FaultKind.STALE_READ, "method": "GET", "seconds": LAG},
    {
        "kind": FaultKind.NOT_FOUND,
        "method": "GET",
        "route": "/repos/{owner}/{repo}/pulls/{pull_number}",
    },
    {"kind": FaultKind.SLOW, "seconds": 1.0},
)


@dataclass
class Soak:
    """One run: its options and its counts."""

    deliveries: int
    database: str
    kill_every: float
    request_faults: float
    delivery_faults: float
    minutes: float
    live_workers: int
    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    pulls: list[HubPull] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def run(self) -> int:
        """Run; return 0 if every merged pull request has everything exactly once."""
        with self._set_up():
            self._merge_and_deliver()
            merged_in = time.monotonic() - self.began
            self.chaos_over.set()
            self.sandbox.faults.clear()
            settled = self._settle(300)
            figures = self._figures(merged_in, settled=settled)
        print(json.dumps(figures, indent=2))  # noqa: T201 - the command's result
        return 0 if figures["sound"] else 1

    # --- setting up ---------------------------------------------------------------------------

    @contextlib.contextmanager
    def _set_up(self) -> Iterator[None]:
        directory = Path(tempfile.mkdtemp(prefix="ghapp-soak-", dir="/tmp"))
        with contextlib.ExitStack() as stack:
            stack.callback(shutil.rmtree, directory, ignore_errors=True)
            url = f"sqlite:///{directory / 'soak.sqlite3'}"
            if self.database == "postgresql":
                url = stack.enter_context(postgresql_server())
            limits = HubLimits(requests_an_hour=10**9)
            self.sandbox = stack.enter_context(
                Sandbox(directory / "hub", limits=limits, seed=self.seed, slim_record=True)
            )
            door = stack.enter_context(listen("127.0.0.1", 0))
            registered = self.sandbox.register_app(
                webhook_url=f"{address_of(door)}/webhooks/github",
                events=("pull_request", "check_run", "check_suite", "repository", "issue_comment"),
            )
            self.repositories = [
                self.sandbox.add_repository("acme", f"app{number}")
                for number in range(REPOSITORIES)
            ]
            self.installation = self.sandbox.install(registered.app, "acme")
            self.store = stack.enter_context(Store.open(url))
            self._know(self.installation)
            environment = {
                **child_environment({"PATH": os.environ["PATH"], "HOME": str(directory)}),
                "GHAPP_DATA_DIR": str(directory / "data"),
                "GHAPP_PUBLIC_URL": address_of(door),
                "DATABASE_URL": url,
                "REDIS_URL": valkey_url(directory),
                "GITHUB_API_URL": self.sandbox.api_url,
                "GITHUB_WEB_URL": self.sandbox.web_url,
                "GITHUB_APP_ID": str(registered.app.id),
                "GITHUB_PRIVATE_KEY": registered.private_key,
                "GITHUB_WEBHOOK_SECRETS": registered.app.webhook_secret,
                "GHAPP_SWEEP_SECONDS": "10",
                "GHAPP_RECONCILE_SECONDS": "20",
                "GHAPP_WRITE_PAUSE": "0",
                "GHAPP_WRITES_PER_HOUR": "100000000",
                "GHAPP_LOG_LEVEL": "ERROR",
                "WEB_CONCURRENCY": "1",
            }
            (directory / "data").mkdir(mode=0o700)
            self.app = Running(self._programs(directory, door), environment)
            stack.callback(self.app.stop)
            stack.callback(self.sandbox.faults.close)
            self.app.start("valkey", "web", *(n for n in self.app.children if n not in FIRST))
            self._play_faults()
            self.chaos_over, self.all_over = threading.Event(), threading.Event()
            watch = threading.Thread(target=self._watch, daemon=True)
            watch.start()
            stack.callback(watch.join)
            stack.callback(self.all_over.set)
            chaos = threading.Thread(target=self._chaos, daemon=True)
            chaos.start()
            stack.callback(self.chaos_over.set)
            yield

    def _programs(self, directory: Path, door: Any) -> dict[str, ChildProgram]:
        made = {one.name: one for one in (valkey(directory / "data", directory), *workers())}
        del made["worker-replay"]
        live = made.pop("worker-live")
        for number in range(self.live_workers):
            made[f"worker-live-{number}"] = ChildProgram(f"worker-live-{number}", live.command)
        return {**made, "web": web(door, "ghapp.web.app:create_app()")}

    def _know(self, installation: HubInstallation) -> None:
        now = datetime.now(UTC)
        known = self.store.installations
        known.seen(KnownInstallation(id=installation.id, account="acme"), now=now)
        known.repositories_seen(
            (
                KnownRepository(
                    id=one.id, owner="acme", name=one.name, installation_id=installation.id
                )
                for one in self.repositories
            ),
            now=now,
        )

    def _play_faults(self) -> None:
        chance = self.request_faults
        for members in REQUEST_KINDS:
            self.sandbox.play(Fault(**{"times": None, "chance": chance, **members}))
        for kind, share in (
            (FaultKind.DUPLICATE, 0.2),
            (FaultKind.LOST, 0.05),
            (FaultKind.FAILED, 0.03),
            (FaultKind.TIMED_OUT, 0.02),
            (FaultKind.HELD, self.delivery_faults),
            (FaultKind.CLOSED_SAYS_OPEN, self.delivery_faults),
        ):
            event = "pull_request.closed" if kind is FaultKind.CLOSED_SAYS_OPEN else "*"
            self.sandbox.play(Fault(kind, event=event, times=None, chance=share))

    # --- running ------------------------------------------------------------------------------

    def _merge_and_deliver(self) -> None:
        deadline = self.began + self.minutes * 60
        while self._sent() < self.deliveries and time.monotonic() < deadline:
            if self._open() >= BACKLOG:
                time.sleep(0.2)
                continue
            repository = self.repositories[len(self.pulls) % REPOSITORIES]
            pull = self._merged(repository)
            self.pulls.append(pull)
            self.sandbox.deliver_closed(pull)

    def _merged(self, repository: HubRepository) -> HubPull:
        number, now = len(self.pulls), datetime.now(UTC)
        path = f"src/m{number}.py"
        edit = Edit(
            id=f"toolu_{number}",
            agent="claude-code",
            agent_session="soak",
            at=now - timedelta(hours=1),
            path=path,
            lines=TextLines(hunks=(EditHunk(before=(), own=WRITTEN, after=()),)),
        )
        self._patiently(lambda: self.store.evidence.add(repository.id, [edit], now=now))
        pull = self.sandbox.open_pull(repository, files={path: "\n".join(WRITTEN) + "\n"})
        self.sandbox.merge(pull, method="squash")
        return pull

    def _patiently(self, ask: Any) -> Any:
        """Query the database again while it recovers from a kill."""
        for _ in range(600):
            try:
                return ask()
            except StoreError:
                time.sleep(0.2)
        return ask()

    def _sent(self) -> int:
        # The stand-in does not list lost deliveries, as GitHub would not.
        return len(self.sandbox.world.deliveries) + self.sandbox.faults.played[FaultKind.LOST]

    def _open(self) -> int:
        items = self._patiently(self.store.work.open)
        return sum(one.kind not in QUIET for one in items)

    def _chaos(self) -> None:
        chance = random.Random(self.seed)  # noqa: S311 - repeatable, not secret
        names = [*self.app.children, *(["postgresql"] if self.database == "postgresql" else [])]
        while not self.chaos_over.wait(self.kill_every * (0.5 + chance.random())):
            name = chance.choice(names)
            self.kills[name] += 1
            if name == "postgresql":
                self._crash_postgresql()
                continue
            process = self.app.children[name].process
            if process is not None:
                process.kill()

    def _watch(self) -> None:
        """Restart what died, as `ghapp serve` does, but without backoff."""
        while not self.all_over.wait(0.1):
            for child in self.app.children.values():
                child.watch(time.monotonic())
                child.pause = 0.5

    def _crash_postgresql(self) -> None:
        """Kill one process of the server: all of them end, and it recovers from its log."""
        with contextlib.suppress(StoreError, ProcessLookupError):
            with self.store.database.read() as connection:
                pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            os.kill(int(pid), signal.SIGKILL)

    def _settle(self, seconds: float) -> bool:
        """Wait until no item is open, or time is up."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._open() == 0 and not self._unfinished():
                return True
            time.sleep(1)
        return False

    # --- judging ------------------------------------------------------------------------------

    def _unfinished(self) -> list[str]:
        """Return everything that is wrong, in words."""
        wrong = []
        for pull in self.pulls:
            seen = self.sandbox.visible(pull)
            runs = [run.name for run in seen.check_runs]
            if (runs, len(seen.comments), seen.label_names) != (
                ["attribution"],
                1,
                ("claude-code-assisted",),
            ):
                wrong.append(
                    f"{pull.repository.full_name}#{pull.number}: {len(runs)} check runs, "
                    f"{len(seen.comments)} comments, labels {seen.label_names}"
                )
        return wrong

    def _second_writes(self) -> int:
        """Count requests that created a second comment or check run, even if removed later."""
        made: Counter[str] = Counter()
        for one in self.sandbox.writes():
            template = one.template or ""
            if one.method == "POST" and template.endswith(("/comments", "/check-runs")):
                head = one.request_body.partition(b'"head_sha":')[2][:50]
                made[f"{one.path} {head!r}"] += 1
        return sum(count - 1 for count in made.values())

    def _figures(self, merged_in: float, *, settled: bool) -> dict[str, Any]:
        records = list(self.sandbox.world.deliveries.values())
        accepted = {one.guid for one in records if 200 <= one.status_code < 300}
        known = self._patiently(lambda: self.store.deliveries.known(accepted))
        unfinished = self._unfinished()
        before = len(self.sandbox.writes())
        figures = {
            "deliveries": self._sent(),
            "merged": len(self.pulls),
            "accepted": len(accepted),
            "accepted_and_lost": len(accepted - known),
            "unfinished": unfinished[:10],
            "second_writes": self._second_writes(),
            "violations": len(self.sandbox.violations),
            "dead_letters": len(self._patiently(self.store.work.dead_letters)),
            "kills": dict(self.kills),
            "faults": {kind.value: count for kind, count in self.sandbox.faults.played.items()},
            "database": self.database,
            "seconds_of_faults": round(merged_in, 1),
            "seconds_until_settled": round(time.monotonic() - self.began, 1),
            "writes_to_github": before,
        }
        figures["sound"] = (
            settled
            and not unfinished
            and figures["accepted_and_lost"] == 0
            and figures["second_writes"] == 0
            and figures["violations"] == 0
            and figures["dead_letters"] == 0
        )
        return figures


FIRST = ("valkey", "web")
QUIET = frozenset(
    {WorkKind.FINALIZE, WorkKind.SWEEP, WorkKind.ROLL_CALL, WorkKind.RECONCILE, WorkKind.TEAMS}
)
"""Kinds that are always open: ends of windows, and recurring work."""


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--deliveries", type=int, default=1000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--kill-every", type=float, default=4.0, help="seconds, on average")
    parser.add_argument("--request-faults", type=float, default=0.004, help="of each kind")
    parser.add_argument("--delivery-faults", type=float, default=0.05, help="of each kind")
    parser.add_argument("--minutes", type=float, default=60.0, help="the longest it may merge")
    parser.add_argument("--live-workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    return Soak(**vars(parser.parse_args())).run()


if __name__ == "__main__":
    sys.exit(main())
