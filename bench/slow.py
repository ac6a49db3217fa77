"""How long signed deliveries take while slow connections are open, and without them."""

import contextlib
import http.client
import json
import os
import secrets
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bench.console import say, table
from ghapp.github.webhooks import sign
from ghapp.serve.programs import child_environment, listen, valkey, valkey_url, web
from ghapp.store import Store

HEAD = b"POST /webhooks/github HTTP/1.1\r\nHost: a\r\nX-Slow: "
BODY = b"POST /webhooks/github HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
START_SECONDS = 30
PULL = {
    "action": "closed",
    "installation": {"id": 5},
    "repository": {"id": 42, "full_name": "acme/app"},
    "sender": {"login": "maria", "type": "User"},
    "pull_request": {
        "number": 17,
        "merged": True,
        "merged_at": "2026-05-20T15:29:58Z",
        "head": {"sha": "a" * 40, "ref": "topic"},
        "base": {"sha": "b" * 40, "ref": "main"},
    },
}


@dataclass(frozen=True)
class Options:
    """What is measured."""

    connections: int
    rate: int
    """Deliveries a second."""
    seconds: int
    as_json: bool


@dataclass(frozen=True)
class Result:
    """Milliseconds of signed deliveries, and of the slowest health check."""

    connections: int
    median: float
    p99: float
    slowest: float
    healthz: float


def measure(options: Options) -> int:
    """Send deliveries at a constant rate, first alone and then beside slow connections."""
    with _app() as (address, secret):
        _send(address, secret, options.rate, 2)
        results = []
        for count in (0, options.connections, 0, options.connections):
            with _slow(address, count):
                results.append(_one(address, secret, options, count))
    if options.as_json:
        say(json.dumps([vars(one) for one in results]))
        return 0
    head = ("slow connections", "median ms", "p99 ms", "slowest ms", "slowest /healthz ms")
    say(table([tuple(vars(one).values()) for one in results], head))
    return 0


def _one(address: tuple[str, int], secret: str, options: Options, count: int) -> Result:
    health: list[float] = []
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.2):
            health.append(_took(address, "GET", "/healthz", b"", {}))

    looking = threading.Thread(target=look)
    looking.start()
    took = _send(address, secret, options.rate, options.seconds)
    done.set()
    looking.join()
    return Result(
        count, statistics.median(took), took[int(len(took) * 0.99)], took[-1], max(health)
    )


def _send(address: tuple[str, int], secret: str, rate: int, seconds: int) -> list[float]:
    """Send blindly: each delivery at its own time, whatever the ones before do."""
    took: list[float] = []
    began = time.monotonic()
    threads = []
    for number in range(rate * seconds):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        threads.append(threading.Thread(target=lambda: took.append(_deliver(address, secret))))
        threads[-1].start()
    for thread in threads:
        thread.join()
    return sorted(took)


def _deliver(address: tuple[str, int], secret: str) -> float:
    body = json.dumps({**PULL, "padding": "x" * 20_000}).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "pull_request",
        "X-GitHub-Delivery": secrets.token_hex(16),
        "X-Hub-Signature-256": sign(body, secret),
    }
    return _took(address, "POST", "/webhooks/github", body, headers)


def _took(
    address: tuple[str, int], verb: str, path: str, body: bytes, headers: dict[str, str]
) -> float:
    began = time.monotonic()
    connection = http.client.HTTPConnection(*address, timeout=60)
    with contextlib.closing(connection):
        connection.request(verb, path, body, headers)
        answer = connection.getresponse()
        answer.read()
    if answer.status >= 300:
        message = f"{verb} {path}: {answer.status}"
        raise SystemExit(message)
    return 1000 * (time.monotonic() - began)


@contextlib.contextmanager
def _slow(address: tuple[str, int], count: int) -> Iterator[None]:
    """Keep that many connections open in a process of its own; each sends a byte a second."""
    code = "import sys; from bench.slow import trickle; trickle(*map(int, sys.argv[1:]))"
    command = [sys.executable, "-c", code, str(address[1]), str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603 - our own
        try:
            if process.stdout is not None:
                process.stdout.readline()
            yield
        finally:
            process.kill()


def trickle(port: int, count: int) -> None:
    """Keep connections open, half of them with slow heads; a dropped one is opened again."""
    selector = selectors.DefaultSelector()
    beginnings: Sequence[bytes] = (HEAD, BODY)
    opened: dict[socket.socket, bytes] = {}

    def connect(beginning: bytes) -> None:
        client = socket.create_connection(("127.0.0.1", port))
        client.sendall(beginning)
        client.settimeout(0)
        selector.register(client, selectors.EVENT_READ)
        opened[client] = beginning

    def again(client: socket.socket) -> None:
        selector.unregister(client)
        client.close()
        connect(opened.pop(client))

    for number in range(count):
        connect(beginnings[number % 2])
    say("open")
    while True:
        began = time.monotonic()
        for client in list(opened):
            try:
                client.send(b"x")
            except OSError:
                again(client)
        while (left := began + 1 - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                again(cast("socket.socket", key.fileobj))


@contextlib.contextmanager
def _app() -> Iterator[tuple[tuple[str, int], str]]:
    """Yield the address of a web process over SQLite and Valkey, and its webhook secret."""
    secret = secrets.token_hex(20)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    with tempfile.TemporaryDirectory(prefix="ghapp-") as name, listen("127.0.0.1", 0) as door:
        data = Path(name)
        environment = {
            **child_environment(os.environ),
            "GHAPP_DATA_DIR": name,
            "REDIS_URL": valkey_url(data),
            "GITHUB_APP_ID": "7",
            "GITHUB_PRIVATE_KEY": key.decode(),
            "GITHUB_WEBHOOK_SECRETS": secret,
            "GHAPP_LOG_LEVEL": "ERROR",
        }
        Store.open(f"sqlite:///{data / 'ghapp.sqlite3'}").close()
        programs = (valkey(data, data), web(door, "ghapp.web.app:create_app()"))
        running = [
            subprocess.Popen(one.command, env=environment, pass_fds=one.descriptors)  # noqa: S603 - our own
            for one in programs
        ]
        try:
            address = door.getsockname()
            until = time.monotonic() + START_SECONDS
            while _took(address, "GET", "/readyz", b"", {}) and time.monotonic() > until:
                time.sleep(0.1)
            yield address, secret
        finally:
            for process in reversed(running):
                process.terminate()
                process.wait()
