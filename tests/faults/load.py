"""Sends signed deliveries as fast as the web process accepts them; measures rate and latency.

    python -m tests.faults.load --seconds 10 --connections 16
    python -m tests.faults.load --seconds 10 --rate 750

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
import subprocess
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
from ghapp.serve import address_of, child_environment, listen, valkey, valkey_url, web, workers
from ghapp.store import Store
from tests.app_key import PRIVATE_KEY
from tests.databases import postgresql_server
from tests.journeys.running import Running, wait_for

SECRET = "0f3b2a9c55d14e7788aa"
PAYLOAD_BYTES = 20_000
"""Bytes; about the size of GitHub's own event of a closed pull request."""
ANSWER_SECONDS = 10.0
"""Seconds; without an answer by then, GitHub counts a delivery as failed."""
MOST_QUEUED = 1_000
"""Most items in a queue; the others wait in the table of work items."""


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
        programs = (valkey(data, sockets), web(door, "ghapp.web.app:create_app()"), *workers())
        app = Running({one.name: one for one in programs}, environment)
        stack.callback(app.stop)
        app.start("valkey", "web", "scheduler")
        port = door.getsockname()[1]
        Sender(port, given.connections, rate=50).run(1.0, 1)
        sender = Sender(port, given.connections, given.rate)
        before = _cpu_seconds(app), _own_cpu_seconds()
        sender.run(given.seconds, 1_000_000)
        spent = _cpu_seconds(app) - before[0], _own_cpu_seconds() - before[1]
        return figures(sender.sent, spent, store, environment["REDIS_URL"])


def _cpu_seconds(app: Running) -> float:
    """Return the CPU seconds of the web processes so far."""
    process = app.children["web"].process
    assert process is not None
    # The processes below the first one are the ones that serve.
    listed = subprocess.run(
        ("ps", "--no-headers", "-o", "cputimes=", "--ppid", str(process.pid)),
        capture_output=True,
        text=True,
        check=True,
    )
    return sum(map(float, listed.stdout.split()))


def _own_cpu_seconds() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime


def figures(
    sent: list[Sent], spent: tuple[float, float], store: Store, redis_url: str
) -> dict[str, Any]:
    """Return the figures, and whether the database has every accepted delivery."""
    accepted = {one.guid for one in sent if one.status == 202}
    waits = sorted(one.took * 1000 for one in sent)
    took = max(one.began + one.took for one in sent) - sent[0].began
    with Redis.from_url(redis_url) as client:
        live = Queue("live", connection=client, serializer="json")
        wait_for(lambda: live.count >= min(len(accepted), MOST_QUEUED), "the queue")
        queued = live.count
    web, sender = (round(seconds * 1000 / len(sent), 2) for seconds in spent)
    return {
        "sent": len(sent),
        "accepted": len(accepted),
        "accepted_and_lost": len(accepted - store.deliveries.known(accepted)),
        "queued": queued,
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
    found = measure(parser.parse_args())
    print(json.dumps(found, indent=2))  # noqa: T201 - the command's result
    return 0 if found["accepted_and_lost"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
