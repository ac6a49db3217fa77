"""Signed deliveries as fast as the web door takes them: how many a second, and how slowly at worst.

    python -m tests.faults.load --seconds 10 --connections 8

It starts a web door with its own database and Valkey on loopback, sends for a time that is
bounded, and prints figures as JSON. Every answer of 202 is looked up in the database afterwards.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import shutil
import socket
import statistics
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import Any

from redis import Redis
from rq import Queue

from ghapp.github.webhooks import sign
from ghapp.serve import address_of, importing_us, listen, valkey, valkey_url, web
from ghapp.store import Store
from tests.databases import postgresql_server
from tests.journeys.running import Running
from tests.keys import PRIVATE_KEY

SECRET = "0f3b2a9c55d14e7788aa"
PAYLOAD_BYTES = 20_000
"""About the size of GitHub's own event of a closed pull request."""


def request(number: int, guid: str) -> bytes:
    """Return a whole HTTP request: the event of one merged pull request, signed."""
    side = {"sha": "a" * 40, "ref": "topic"}
    body: dict[str, Any] = {
        "action": "closed",
        "installation": {"id": 5},
        "repository": {"id": 42, "full_name": "acme/app"},
        "sender": {"login": "maria", "type": "User"},
        "pull_request": {"number": number, "merged": True, "head": side, "base": side},
    }
    body["more"] = "x" * (PAYLOAD_BYTES - len(json.dumps(body)))
    raw = json.dumps(body).encode()
    head = (
        "POST /webhooks/github HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"X-GitHub-Event: pull_request\r\nX-GitHub-Delivery: {guid}\r\n"
        "X-GitHub-Hook-Installation-Target-ID: 7\r\n"
        f"X-Hub-Signature-256: {sign(raw, SECRET)}\r\n"
        f"Content-Length: {len(raw)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + raw


def one(port: int, raw: bytes) -> int:
    """Send one request on a connection of its own, as GitHub does; return the status."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(raw)
        answer = connection.recv(4096)
        while connection.recv(4096):
            pass
    return int(answer.split(b" ", 2)[1]) if answer else 0


def send(port: int, seconds: float, connections: int, first: int, results: Any) -> None:
    """Send from several threads for a time, with requests that were signed beforehand."""
    count = int(seconds * 1200 / connections) + 1
    lanes = [
        [
            (guid := str(uuid.uuid4()), request(first + lane * count + number, guid))
            for number in range(count)
        ]
        for lane in range(connections)
    ]
    results.put("ready")
    times: list[tuple[str, int, float]] = []
    end = time.perf_counter() + seconds

    def run(lane: list[tuple[str, bytes]]) -> None:
        for guid, raw in lane:
            began = time.perf_counter()
            if began > end:
                return
            try:
                status = one(port, raw)
            except OSError:
                status = 0
            times.append((guid, status, time.perf_counter() - began))

    threads = [threading.Thread(target=run, args=(lane,)) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(times)


def measure(seconds: float, connections: int, database: str, processes: int) -> dict[str, Any]:
    """Start a web door, send to it, and return the figures."""
    directory = Path(tempfile.mkdtemp(prefix="ghapp-load-", dir="/tmp"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        url = f"sqlite:///{directory / 'load.sqlite3'}"
        if database == "postgresql":
            url = stack.enter_context(postgresql_server())
        door = stack.enter_context(listen("127.0.0.1", 0))
        (directory / "data").mkdir(mode=0o700)
        environment = {
            **importing_us({"PATH": os.environ["PATH"], "HOME": str(directory)}),
            "GHAPP_DATA_DIR": str(directory / "data"),
            "GHAPP_PUBLIC_URL": address_of(door),
            "DATABASE_URL": url,
            "REDIS_URL": valkey_url(directory),
            "GITHUB_APP_ID": "7",
            "GITHUB_PRIVATE_KEY": PRIVATE_KEY,
            "GITHUB_WEBHOOK_SECRETS": SECRET,
            "GHAPP_LOG_LEVEL": "WARNING",
            "WEB_CONCURRENCY": str(processes),
        }
        store = stack.enter_context(Store.open(url))
        programs = (valkey(directory / "data", directory), web(door, "ghapp.web.app:create_app()"))
        app = Running({one.name: one for one in programs}, environment)
        stack.callback(app.stop)
        app.start("valkey", "web")
        for number in range(20):
            one(door.getsockname()[1], request(number + 1, str(uuid.uuid4())))
        results: Any = multiprocessing.Queue()
        sender = multiprocessing.Process(
            target=send, args=(door.getsockname()[1], seconds, connections, 1000, results)
        )
        sender.start()
        assert results.get(timeout=60) == "ready"
        began = time.perf_counter()
        times = results.get(timeout=seconds + 60)
        took = time.perf_counter() - began
        sender.join()
        return figures(times, took, store, environment["REDIS_URL"])


def figures(
    times: list[tuple[str, int, float]], took: float, store: Store, redis_url: str
) -> dict[str, Any]:
    """Return what was measured, and whether all that was acknowledged is really there."""
    accepted = {guid for guid, status, _ in times if status == 202}
    waits = sorted(wait * 1000 for _, _, wait in times)
    time.sleep(2)
    with Redis.from_url(redis_url) as client:
        queued = Queue("live", connection=client, serializer="json").count
    return {
        "sent": len(times),
        "accepted": len(accepted),
        "accepted_and_lost": len(accepted - store.deliveries.known(accepted)),
        "queued": queued,
        "a_second": round(len(accepted) / took),
        "p50_ms": round(statistics.median(waits), 1),
        "p99_ms": round(waits[int(len(waits) * 0.99) - 1], 1),
        "slowest_ms": round(waits[-1], 1),
    }


def main() -> int:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    found = measure(given.seconds, given.connections, given.database, given.processes)
    print(json.dumps(found, indent=2))  # noqa: T201 - the command's result
    return 0 if found["accepted_and_lost"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
