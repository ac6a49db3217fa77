"""Sends signed deliveries as fast as the web process accepts them; measures rate and latency.

    python -m tests.faults.load --seconds 10 --connections 16
    python -m tests.faults.load --seconds 10 --rate 750
    python -m tests.faults.load --seconds 6 --beside-bare

The last one compares with a route that only reads, checks and parses (`tests.faults.bare`), under
the same gunicorn in the same run, so that machines can be compared.

It starts web, scheduler, Valkey and a database on loopback, sends for a time that is bounded,
each delivery signed, about another pull request and on a connection of its own, and prints
figures as JSON. Every answer of 202 is looked up in the database afterwards.
"""

import argparse
import contextlib
import json
import os
import resource
import selectors
import shutil
import socket
import statistics
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis import Redis
from rq import Queue

from ghapp.github.webhooks import sign
from ghapp.serve.programs import (
    address_of,
    child_environment,
    listen,
    valkey,
    valkey_url,
    web,
    workers,
)
from ghapp.store import Store
from tests.app_key import PRIVATE_KEY
from tests.databases import postgresql_server
from tests.journeys.running import Running
from tests.waiting import wait_until

SECRET = "0f3b2a9c55d14e7788aa"
PAYLOAD_BYTES = 20_000
"""Bytes; about the size of GitHub's own event of a closed pull request."""
ANSWER_SECONDS = 10.0
"""Seconds; without an answer by then, GitHub counts a delivery as failed."""
MOST_QUEUED = 50
"""Items in the queue that are waited for: the scheduler fills it in portions, and the others wait
in the table of work items."""


# --- requests -----------------------------------------------------------------------------------


def _body() -> tuple[bytes, bytes]:
    """Return the event of a merged pull request, split before and after its number."""
    side = {"sha": "a" * 40, "ref": "topic"}
    body: dict[str, Any] = {
        "action": "closed",
        "installation": {"id": 5},
        "repository": {"id": 42, "full_name": "acme/app"},
        "sender": {"login": "maria", "type": "User"},
        "pull_request": {"number": "NUMBER", "merged": True, "head": side, "base": side},
    }
    body["more"] = "x" * (PAYLOAD_BYTES - len(json.dumps(body)))
    before, _, behind = json.dumps(body).partition('"NUMBER"')
    return before.encode(), behind.encode()


BEFORE, BEHIND = _body()


def request(number: int, guid: str) -> bytes:
    """Return a whole HTTP request: the event of one merged pull request, signed."""
    raw = b"%b%d%b" % (BEFORE, number, BEHIND)
    head = (
        "POST /webhooks/github HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"X-GitHub-Event: pull_request\r\nX-GitHub-Delivery: {guid}\r\n"
        "X-GitHub-Hook-Installation-Target-ID: 7\r\n"
        f"X-Hub-Signature-256: {sign(raw, SECRET)}\r\n"
        f"Content-Length: {len(raw)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + raw


@dataclass
class Sent:
    """One request, with its answer if there is one."""

    guid: str
    began: float
    """When it was due: a wait for its turn counts as response time."""
    answer: bytes = b""
    took: float = ANSWER_SECONDS

    @property
    def status(self) -> int:
        """Return the answer's status; 0: no answer in time."""
        return int(self.answer.split(b" ", 2)[1]) if self.answer else 0


@dataclass
class Sender:
    """Sends from one thread over many connections."""

    port: int
    connections: int
    """Most open connections."""
    rate: float
    """Deliveries per second, without waiting for answers; 0: wait for answers."""
    sent: list[Sent] = field(default_factory=list)
    open: selectors.DefaultSelector = field(default_factory=selectors.DefaultSelector)

    def run(self, seconds: float, first: int) -> None:
        """Send for a time, then wait for the open requests."""
        start, end = time.perf_counter(), time.perf_counter() + seconds
        while (now := time.perf_counter()) < end:
            due = start + len(self.sent) / self.rate if self.rate else now
            is_full = len(self.open.get_map()) >= self.connections
            if due <= now and not is_full:
                self._send(first + len(self.sent), due)
                self._read(0)
            else:
                self._read(0.05 if is_full or not self.rate else max(0.0, due - now))
        while self.open.get_map() and time.perf_counter() < end + ANSWER_SECONDS:
            self._read(0.05)

    def _send(self, number: int, due: float) -> None:
        one = Sent(str(uuid.uuid4()), due)
        self.sent.append(one)
        connection = socket.socket()
        try:
            connection.connect(("127.0.0.1", self.port))
            connection.sendall(request(number, one.guid))
        except OSError:
            connection.close()
            return
        self.open.register(connection, selectors.EVENT_READ, one)

    def _read(self, seconds: float) -> None:
        for key, _ in self.open.select(seconds):
            one, connection = key.data, key.fileobj
            try:
                some = connection.recv(4096)  # type: ignore[union-attr]
            except OSError:
                some = b""
            if some and not one.answer:
                one.took = time.perf_counter() - one.began
            one.answer += some
            if not some:
                self.open.unregister(connection)
                connection.close()  # type: ignore[union-attr]


# --- measuring ------------------------------------------------------------------------------------


SHARES = (0.29, 0.45)
"""Of the bare route's rate: how fast the app is sent to without waiting for answers."""


def beside_bare(given: argparse.Namespace) -> dict[str, Any]:
    """Return the app's figures as ratios to those of the bare route."""
    bare = measure(replaced(given, rate=0.0, bare=True, warm=True))
    app = measure(replaced(given, rate=0.0, bare=False, warm=True))
    blind = {
        f"p99_ms_at_{share}": measure(
            # From its first second: the scheduler fills its queue then.
            replaced(given, rate=share * bare["a_second"], bare=False, warm=False)
        )["p99_ms"]
        for share in SHARES
    }
    return {
        "bare": bare,
        "app": app,
        "cpu_ratio": round(app["web_cpu_ms_each"] / bare["web_cpu_ms_each"], 2),
        "rate_ratio": round(app["a_second"] / bare["a_second"], 2),
        **blind,
        "accepted_and_lost": app["accepted_and_lost"],
    }


def replaced(given: argparse.Namespace, **members: Any) -> argparse.Namespace:
    """Return the options with some of them replaced."""
    return argparse.Namespace(**{**vars(given), **members})


def measure(given: argparse.Namespace) -> dict[str, Any]:
    """Start the app, send to it, and return the figures."""
    directory = Path(tempfile.mkdtemp(prefix="ghapp-load-", dir="/tmp"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        url = f"sqlite:///{directory / 'load.sqlite3'}"
        if given.database == "postgresql":
            url = stack.enter_context(postgresql_server())
        door = stack.enter_context(listen("127.0.0.1", 0))
        (directory / "data").mkdir(mode=0o700)
        environment = {
            **child_environment({"PATH": os.environ["PATH"], "HOME": str(directory)}),
            "GHAPP_DATA_DIR": str(directory / "data"),
            "GHAPP_PUBLIC_URL": address_of(door),
            "DATABASE_URL": url,
            "REDIS_URL": valkey_url(directory),
            "GITHUB_APP_ID": "7",
            "GITHUB_PRIVATE_KEY": PRIVATE_KEY,
            "GITHUB_WEBHOOK_SECRETS": SECRET,
            "GHAPP_LOG_LEVEL": given.log_level,
            **({"WEB_CONCURRENCY": str(given.processes)} if given.processes else {}),
        }
        store = stack.enter_context(Store.open(url))
        data, sockets = directory / "data", directory
        served = "tests.faults.bare:create_app()" if given.bare else "ghapp.web.app:create_app()"
        programs = (valkey(data, sockets), web(door, served), *workers())
        app = Running({one.name: one for one in programs}, environment)
        stack.callback(app.stop)
        app.start("valkey", "web", "scheduler")
        port = door.getsockname()[1]
        # One request at least: the processes import the application before they answer it.
        Sender(port, given.connections, rate=50).run(1.0 if given.warm else 0.04, 1)
        sender = Sender(port, given.connections, given.rate)
        before = _cpu_seconds(app), _own_cpu_seconds()
        sender.run(given.seconds, 1_000_000)
        spent = _cpu_seconds(app) - before[0], _own_cpu_seconds() - before[1]
        if given.bare:
            return speeds(sender.sent, spent)
        return {
            **speeds(sender.sent, spent),
            **kept(sender.sent, store, environment["REDIS_URL"]),
        }


def _cpu_seconds(app: Running) -> float:
    """Return the CPU seconds of the web processes so far."""
    process = app.children["web"].process
    assert process is not None
    # The processes below the first one are the ones that serve.
    below = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return sum(map(_spent_by, below))


def _spent_by(process: str) -> float:
    """Return a process's CPU seconds so far: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _own_cpu_seconds() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime


def kept(sent: list[Sent], store: Store, redis_url: str) -> dict[str, Any]:
    """Return whether the database has every accepted delivery, and what the queue holds."""
    accepted = {one.guid for one in sent if one.status == 202}
    with Redis.from_url(redis_url) as client:
        live = Queue("live", connection=client, serializer="json")
        wait_until(lambda: live.count >= min(len(accepted), MOST_QUEUED), "the queue")
        queued = live.count
    return {"accepted_and_lost": len(accepted - store.deliveries.known(accepted)), "queued": queued}


def speeds(sent: list[Sent], spent: tuple[float, float]) -> dict[str, Any]:
    """Return how fast deliveries were accepted, and what that cost."""
    accepted = {one.guid for one in sent if one.status == 202}
    waits = sorted(one.took * 1000 for one in sent)
    took = max(one.began + one.took for one in sent) - sent[0].began
    web, sender = (round(seconds * 1000 / len(sent), 2) for seconds in spent)
    return {
        "sent": len(sent),
        "accepted": len(accepted),
        "a_second": round(len(accepted) / took),
        "p50_ms": round(statistics.median(waits), 1),
        "p99_ms": round(waits[int(len(waits) * 0.99) - 1], 1),
        "slowest_ms": round(waits[-1], 1),
        "web_cpu_ms_each": web,
        "sender_cpu_ms_each": sender,
        "machine_load": os.getloadavg()[0],
    }


def main() -> int:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--connections", type=int, default=16, help="most that are open at a time")
    parser.add_argument("--rate", type=float, default=0, help="a second; 0: as fast as it goes")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--log-level", default="INFO")
    parser.add_argument("--processes", type=int, help="of the web door; without: as it is set up")
    parser.add_argument("--beside-bare", action="store_true", help="as ratios to a bare route")
    parser.set_defaults(bare=False, warm=True)
    given = parser.parse_args()
    found = beside_bare(given) if given.beside_bare else measure(given)
    print(json.dumps(found, indent=2))  # noqa: T201 - the command's result
    return 0 if found["accepted_and_lost"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
