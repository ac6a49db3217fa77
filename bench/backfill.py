"""How long `ghapp collect backfill` takes for one large transcript, and how much memory."""

import argparse
import gzip
import inspect
import json
import os
import resource
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import msgspec

from bench.console import say, table
from ghapp.collector import account
from ghapp.collector.account import MachineAccount
from ghapp.collector.places import CollectorFiles
from ghapp.wire import BatchReceipt, EditBatch, EnrolledInstallation, MachineEnrollment

LINES_OF_AN_EDIT = 40
LINES_OF_A_READ = 1_500
READS = 4
"""Files that the agent reads for each edited file: most of a transcript is reading."""


@dataclass(frozen=True)
class Result:
    """Cost of one backfill."""

    megabytes: float
    largest_record: int
    """Bytes."""
    edits: int
    lines: int
    cpu: float
    wall: float
    memory: int
    """Peak memory of the process, in bytes."""


def measure(sizes: tuple[int, ...], seed: int, *, as_json: bool) -> int:
    """Backfill a generated transcript of each size (megabytes); the app accepts everything."""
    results = [_backfill(size, seed) for size in sizes]
    if as_json:
        say(json.dumps([asdict(one) for one in results]))
        return 0
    head = ("MB", "largest record", "edits", "edit lines", "CPU s", "wall s", "memory MB")
    rows = [
        (
            *(f"{one.megabytes:.0f}", one.largest_record, one.edits, one.lines),
            *(f"{one.cpu:.1f}", f"{one.wall:.1f}", f"{one.memory / 1e6:.0f}"),
        )
        for one in results
    ]
    say(table(rows, head))
    return 0


def _backfill(megabytes: int, seed: int) -> Result:
    """Run one in a process of its own."""
    with tempfile.TemporaryDirectory() as folder, _app() as app:
        home = Path(folder)
        clone = home / "shop"
        _clone(clone)
        _enroll(home, app.url)
        transcript = home / ".claude" / "projects" / "-shop" / "one.jsonl"
        largest = _write(transcript, clone, megabytes * 1_000_000, Random(seed))  # noqa: S311 - made text
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "ghapp", "collect", "backfill"],
            env={"PATH": os.environ["PATH"], "HOME": folder},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        wall = time.perf_counter() - started
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        size = transcript.stat().st_size / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    # The largest child so far: the sizes come in ascending order.
    return Result(size, largest, app.edits, app.lines, cpu, wall, after.ru_maxrss * unit)


# --- a machine ----------------------------------------------------------------------------------


def _clone(path: Path) -> None:
    for arguments in (
        ("init", "-q", str(path)),
        ("-C", str(path), "remote", "add", "origin", "git@github.com:acme/shop.git"),
    ):
        subprocess.run(["git", *arguments], check=True)  # noqa: S603, S607 - ours, no shell


def _enroll(home: Path, url: str) -> None:
    installation = EnrolledInstallation(id=7, account="acme", key_id="1", key=b"k" * 32)
    enrollment = MachineEnrollment(login="ann", host="github.com", installations=(installation,))
    now = datetime.now(UTC)
    known = MachineAccount(
        url=url,
        token="t",  # noqa: S106 - of no app
        machine="0" * 32,
        enrollment=enrollment,
        known_since=now,
    )
    account.save(CollectorFiles(directory=home / ".local" / "state" / "ghapp" / "collector"), known)


def _write(path: Path, clone: Path, size: int, random: Random) -> int:
    """Write a transcript of that size; return the bytes of its largest record."""
    path.parent.mkdir(parents=True)
    pool = [line for module in (argparse, textwrap, subprocess) for line in _source(module)]
    at = datetime.now(UTC) - timedelta(days=2)
    written = largest = number = 0
    with path.open("wb") as file:
        while written < size:
            number += 1
            for record in _turn(number, clone, pool, random, at + timedelta(milliseconds=number)):
                line = msgspec.json.encode(record) + b"\n"
                written += file.write(line)
                largest = max(largest, len(line))
    return largest


def _source(module: object) -> list[str]:
    return inspect.getsource(module).splitlines()  # type: ignore[arg-type]


def _turn(
    number: int, clone: Path, pool: list[str], random: Random, at: datetime
) -> Iterator[dict[str, object]]:
    """Yield an agent's calls for one edit: some reads, then a new file."""
    common = {"sessionId": "s1", "cwd": str(clone), "timestamp": at.isoformat()}
    for read in range(READS):
        yield from _call(
            common, f"toolu_{number}_{read}", "Read", _lines(pool, random, LINES_OF_A_READ)
        )
    yield from _call(common, f"toolu_{number}", "Write", _lines(pool, random, LINES_OF_AN_EDIT))


def _lines(pool: list[str], random: Random, count: int) -> str:
    return "\n".join(
        f"{line}  # {random.randrange(10**6)}" for line in random.choices(pool, k=count)
    )


def _call(common: dict[str, str], id_: str, tool: str, text: str) -> Iterator[dict[str, object]]:
    path = f"{common['cwd']}/src/{id_}.py"
    asked = {"file_path": path} | ({"content": text} if tool == "Write" else {})
    use = {"type": "tool_use", "id": id_, "name": tool, "input": asked}
    yield {**common, "type": "assistant", "message": {"role": "assistant", "content": [use]}}
    shown = text if tool == "Read" else "done"
    answer = {"type": "tool_result", "tool_use_id": id_, "content": shown}
    yield {**common, "type": "user", "message": {"role": "user", "content": [answer]}}


# --- an app -------------------------------------------------------------------------------------


class _App(ThreadingHTTPServer):
    """Accepts every batch and counts."""

    edits = 0
    lines = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: _App

    def do_POST(self) -> None:
        """Accept a batch."""
        body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
        batch = msgspec.json.decode(body, type=EditBatch)
        self.server.edits += len(batch.edits)
        hunks = (hunk for edit in batch.edits for hunk in edit.lines.hunks)
        self.server.lines += sum(len(hunk.own) for hunk in hunks)
        receipt = BatchReceipt(stored=len(batch.edits), already_known=0, audits_due=0)
        answer = msgspec.json.encode(receipt)
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def _app() -> Iterator[_App]:
    with _App(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
