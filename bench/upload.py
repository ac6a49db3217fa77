"""How fast the real web process stores edit lines from `POST /api/evidence`, over HTTP."""

import gzip
import json
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import msgspec
import requests

from bench.console import say, table
from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.model import EditHunk, EditLines, EditResult
from ghapp.keys.evidence import EvidenceKeys
from ghapp.settings import Settings
from ghapp.store import Installation, NewToken, Repository, Store, TokenKind, new_secret
from ghapp.wire import SCHEMA, BatchReceipt, EditBatch, SentEdit
from tests.databases import postgresql_server
from tests.journeys.running import Place, running_place

LINES_OF_AN_EDIT = 50
EDITS_OF_A_BATCH = 1_000
LETTERS = "etaoinsrhldcu"
WORDS = 5_000
"""Number of distinct words in the lines."""


@dataclass(frozen=True)
class Result:
    """Cost of one upload."""

    database: str
    lines: int
    """Own lines of edits."""
    edits: int
    batches: int
    megabytes: float
    """Of JSON, before compression."""
    making: float
    """CPU seconds of the sender for fingerprints, JSON and gzip; not included elsewhere."""
    wall: float
    """Seconds from the first request to the last answer, with everything stored."""
    cpu: float
    """CPU seconds of web process, Valkey and database, including their start."""
    a_second: float
    """Own lines."""


def measure(lines: int, databases: tuple[str, ...], seed: int, *, as_json: bool) -> int:
    """Upload this many own lines to each database, and print the cost."""
    results = [_upload(name, lines, seed) for name in databases]
    if as_json:
        say(json.dumps([asdict(one) for one in results]))
        return 0
    head = ("database", "lines", "edits", "batches", "MB", "sender CPU s", "wall s", "CPU s", "/ s")
    rows = [
        (
            *(one.database, one.lines, one.edits, one.batches, f"{one.megabytes:.0f}"),
            *(f"{one.making:.1f}", f"{one.wall:.1f}", f"{one.cpu:.1f}", f"{one.a_second:,.0f}"),
        )
        for one in results
    ]
    say(table(rows, head))
    return 0


def _upload(database: str, lines: int, seed: int) -> Result:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with (
        tempfile.TemporaryDirectory() as folder,
        _running(Path(folder), database) as (place, url),
        Store.open(url) as store,
    ):
        token, target = _enroll(place, store)
        began = time.process_time()
        raw = list(_batches(target, lines, Random(seed)))  # noqa: S311 - made text
        making = time.process_time() - began
        began = time.perf_counter()
        stored = sum(_sent(place, token, one) for _, one in raw)
        wall = time.perf_counter() - began
        if stored != store.evidence.held(place.repository.id).edits:
            raise RuntimeError("the receipts and the store differ")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Result(
        database=database,
        lines=stored * LINES_OF_AN_EDIT,
        edits=stored,
        batches=len(raw),
        megabytes=sum(size for size, _ in raw) / 1e6,
        making=making,
        wall=wall,
        cpu=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        a_second=stored * LINES_OF_AN_EDIT / wall,
    )


@contextmanager
def _running(folder: Path, database: str) -> Iterator[tuple[Place, str]]:
    """Start Valkey and two web processes; yield them and the database's address."""
    with running_place(folder) as place:
        environment = place.app.environment
        environment["WEB_CONCURRENCY"] = "2"
        client = place.registered.app.client_id
        environment["GITHUB_CLIENT_ID"] = client
        environment["GHAPP_LOG_LEVEL"] = "WARNING"
        if database == "sqlite":
            place.app.start("valkey", "web")
            yield place, environment["DATABASE_URL"]
            return
        with postgresql_server() as url:
            environment["DATABASE_URL"] = url
            Store.open(url).close()
            place.app.start("valkey", "web")
            yield place, url


@dataclass(frozen=True)
class _Target:
    installation: int
    key_id: str
    key: bytes
    remote: str


def _enroll(place: Place, store: Store) -> tuple[str, _Target]:
    """Enroll a person's machine, and register its repository."""
    now, number = datetime.now(UTC), place.installation.id
    store.installations.seen(Installation(id=number, account="acme"), now=now)
    known = Repository(id=place.repository.id, owner="acme", name="app", installation_id=number)
    store.installations.repository_seen(known, now=now)
    person = place.sandbox.user("ann")
    place.sandbox.allow(place.repository, "ann", "write")
    secret = new_secret(TokenKind.UPLOAD)
    new = NewToken(kind=TokenKind.UPLOAD, login="ann", user_id=person.id, installations=(number,))
    store.tokens.issue(new, secret, now=now)
    settings = Settings.from_environment(place.app.environment)
    key = EvidenceKeys(store, settings.encryption_key).present(number, now=now)
    target = _Target(number, key.id, key.secret, "127.0.0.1/acme/app")
    return secret, target


def _batches(target: _Target, lines: int, random: Random) -> Iterator[tuple[int, bytes]]:
    """Yield batches, each with its size as JSON and its bytes on the wire."""
    fingerprinter = LineFingerprinter(target.key)
    words = ["".join(random.choices(LETTERS, k=random.randint(2, 12))) for _ in range(WORDS)]
    edits = lines // LINES_OF_AN_EDIT
    for first in range(0, edits, EDITS_OF_A_BATCH):
        numbers = range(first, min(first + EDITS_OF_A_BATCH, edits))
        batch = EditBatch(
            schema=SCHEMA,
            client="bench/1",
            machine="0" * 32,
            installation=target.installation,
            key_id=target.key_id,
            remotes=(target.remote,),
            edits=tuple(_edit(number, words, fingerprinter, random) for number in numbers),
        )
        raw = msgspec.json.encode(batch)
        yield len(raw), gzip.compress(raw, 1)


def _edit(
    number: int, words: list[str], fingerprinter: LineFingerprinter, random: Random
) -> SentEdit:
    def some(count: int) -> tuple[str, ...]:
        return tuple(f"    {' '.join(random.choices(words, k=6))}(x)," for _ in range(count))

    hunk = EditHunk(before=some(3), own=some(LINES_OF_AN_EDIT), after=some(3))
    return SentEdit(
        id=f"toolu_{number:012d}",
        agent="claude-code",
        agent_session=f"session-{number // 40}",
        at=datetime.now(UTC) - timedelta(minutes=number),
        path=f"src/module_{number % 500}.py",
        outcome=EditResult.APPLIED,
        tool="Edit",
        lines=fingerprinter.lines(EditLines(hunks=(hunk,))),
    )


def _sent(place: Place, token: str, raw: bytes) -> int:
    """Send a batch until the app accepts it; return how many edits it stored."""
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Encoding": "gzip",
        "Content-Type": "application/json",
    }
    address = f"{place.app.environment['GHAPP_PUBLIC_URL']}/api/evidence"
    while True:
        answer = requests.post(address, data=raw, headers=headers, timeout=60)
        if answer.status_code != 429:
            answer.raise_for_status()
            return msgspec.json.decode(answer.content, type=BatchReceipt).stored
        time.sleep(float(answer.headers["Retry-After"]))
