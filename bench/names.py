"""Whether the time of an answer tells a hidden name from an unknown one: the medians of both."""

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import requests
from msgspec.structs import replace

from bench.console import say, table
from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.model import EditResult
from ghapp.github.user_access import QUIET
from ghapp.ingest.upload import ASKED_BY_PERSON
from ghapp.keys.evidence import EvidenceKeys
from ghapp.settings import Settings
from ghapp.store import Installation, NewToken, Repository, TokenKind, new_secret
from ghapp.wire import SCHEMA, EditBatch, SentEdit
from tests.databases import postgresql_server
from tests.journeys.running import Place, running_place
from tests.store.records import edit

PAUSE = 0.02
"""Seconds between two requests, so that one does not wait for what the one before left behind."""
AWAY_STATE = "GitHub away"
STATES = {
    "first time": ("hidden", "absent"),
    "again": ("hidden", "absent"),
    AWAY_STATE: ("hidden-too", "absent-too"),
}
"""What is asked, and of which names: those that exist and are hidden, and those that do not."""
AWAY = {"kind": "server_error", "status": 503, "times": None}
QUIETLY = {"GHAPP_LOG_LEVEL": "ERROR"}
MOST_OF_ONE = ASKED_BY_PERSON // 4
"""Pairs that one machine names, within the budget of its person."""

Ask = Callable[[str], float]
"""Asks about a name, and returns the milliseconds until the whole answer was there."""


@dataclass(frozen=True)
class Result:
    """Medians of one door in one state, in milliseconds."""

    database: str
    door: str
    state: str
    hidden: float
    unknown: float
    apart: float


def measure(pairs: int, databases: tuple[str, ...], *, as_json: bool) -> int:
    """Ask about this many hidden names and as many unknown ones, by turns, and print medians."""
    results = [one for name in databases for one in _measured(name, pairs)]
    if as_json:
        say(json.dumps([asdict(one) for one in results]))
        return 0
    rows = [
        (f"{one.database}: {one.door}", one.state, *_rounded(one.hidden, one.unknown, one.apart))
        for one in results
    ]
    say(table(rows, ("door", "state", "hidden ms", "unknown ms", "apart ms")))
    return 0


def _rounded(*values: float) -> tuple[str, ...]:
    return tuple(f"{value:.1f}" for value in values)


def _measured(database: str, pairs: int) -> Iterator[Result]:
    with tempfile.TemporaryDirectory() as folder, _running(Path(folder), database) as place:
        _hide(place, pairs)
        browser, address = _signed_in(place), place.app.environment["GHAPP_PUBLIC_URL"]

        def get(path: str) -> float:
            return _took(lambda: browser.get(address + path, timeout=60, allow_redirects=False))

        some, others = range(pairs), range(pairs, 2 * pairs)
        doors: dict[str, tuple[str, range, Ask]] = {
            "repository page": ("acme/{}", some, lambda name: get(f"/repositories/{name}")),
            "repository API": (
                "acme/{}",
                others,
                lambda name: get(f"/api/repositories/{name}/summary"),
            ),
            "organization page": ("{}", some, lambda name: get(f"/organizations/{name}")),
            "a machine's batch": ("acme/{}", some, _Machines(place).send),
        }
        for door, (form, numbers, ask) in doors.items():
            for state, kinds in STATES.items():
                if state == AWAY_STATE:
                    place.sandbox.play(AWAY)
                hidden, unknown = (
                    [form.format(f"{kind}-{number}") for number in numbers] for kind in kinds
                )
                yield _one(database, door, state, _by_turns(ask, hidden, unknown))
            place.sandbox.faults.clear()
            time.sleep(QUIET.total_seconds() + 1)


def _one(database: str, door: str, state: str, took: tuple[list[float], list[float]]) -> Result:
    hidden, unknown = map(statistics.median, took)
    return Result(database, door, state, hidden, unknown, abs(hidden - unknown))


def _by_turns(
    ask: Ask, hidden: Sequence[str], unknown: Sequence[str]
) -> tuple[list[float], list[float]]:
    """Ask about one of each after the other, the hidden one first in every second pair."""
    took: tuple[list[float], list[float]] = ([], [])
    for number, pair in enumerate(zip(hidden, unknown, strict=True)):
        for kind in (0, 1) if number % 2 else (1, 0):
            time.sleep(PAUSE)
            took[kind].append(ask(pair[kind]))
    return took


def _took(send: Callable[[], requests.Response]) -> float:
    began = time.perf_counter()
    answer = send()
    took = 1000 * (time.perf_counter() - began)
    if answer.status_code not in {404, 503}:
        message = f"{answer.url}: {answer.status_code}, but nobody may read it"
        raise SystemExit(message)
    return took


# --- the app, and what it knows -------------------------------------------------------------------


@contextmanager
def _running(folder: Path, database: str) -> Iterator[Place]:
    """Start Valkey and the web process over a database."""
    if database == "sqlite":
        with running_place(folder, app_settings=QUIETLY) as place:
            yield _started(place)
        return
    with (
        postgresql_server() as url,
        running_place(folder, database_url=url, app_settings=QUIETLY) as place,
    ):
        yield _started(place)


def _started(place: Place) -> Place:
    app, environment = place.registered.app, place.app.environment
    app.callback_urls = [f"{environment['GHAPP_PUBLIC_URL']}/login/callback"]
    app.permissions["members"] = place.installation.permissions["members"] = "read"
    environment |= {
        "GITHUB_CLIENT_ID": app.client_id,
        "GITHUB_CLIENT_SECRET": app.client_secret,
    }
    place.app.start("valkey", "web")
    return place


def _hide(place: Place, pairs: int) -> None:
    """Let GitHub and the app have repositories and organizations that nobody else may see."""
    now, table, number = datetime.now(UTC), place.store.installations, place.installation.id
    account = place.installation.account
    table.seen(Installation(id=number, account="acme", account_id=account.id), now=now)
    own = Repository(id=place.repository.id, owner="acme", name="app", installation_id=number)
    seen = [own]
    kinds = ("hidden", "hidden-too")
    for one in (f"{kind}-{serial}" for kind in kinds for serial in range(2 * pairs)):
        hub = place.sandbox.add_repository("acme", one, private=True)
        seen.append(Repository(id=hub.id, owner="acme", name=one, installation_id=number))
        organization = place.sandbox.organization(one)
        installed = Installation(
            id=hub.id, account=one, account_id=organization.id, account_type="Organization"
        )
        table.seen(installed, now=now)
    table.repositories_seen(seen, now=now)


def _signed_in(place: Place) -> requests.Session:
    """Return a browser in which somebody is signed in who may read nothing."""
    browser = requests.Session()
    place.sandbox.sit_down("stranger")
    browser.get(f"{place.app.environment['GHAPP_PUBLIC_URL']}/login", timeout=60)
    return browser


class _Machines:
    """Machines of people who write to acme/app; each names few others, as the budget wants."""

    def __init__(self, place: Place) -> None:
        self._place = place
        settings = Settings.from_environment(place.app.environment)
        keys = EvidenceKeys(place.store, settings.encryption_key)
        key = keys.present(place.installation.id, now=datetime.now(UTC))
        lines = LineFingerprinter(key.secret).lines(edit("toolu_1").lines)
        self._batch = EditBatch(
            schema=SCHEMA,
            client="bench/1",
            machine="0" * 32,
            installation=place.installation.id,
            key_id=key.id,
            edits=(
                SentEdit(
                    id="toolu_1",
                    agent="claude-code",
                    agent_session="s1",
                    at=datetime.now(UTC),
                    path="src/a.py",
                    outcome=EditResult.APPLIED,
                    tool="Edit",
                    lines=lines,
                ),
            ),
        )
        self._tokens: dict[int, str] = {}

    def send(self, name: str) -> float:
        """Send a batch of a repository; the same names go from the same machine."""
        number = int(name.rpartition("-")[2]) // MOST_OF_ONE
        secret = self._tokens.get(number) or self._enroll(number)
        body = msgspec.json.encode(replace(self._batch, remotes=(f"127.0.0.1/{name}",)))
        address = f"{self._place.app.environment['GHAPP_PUBLIC_URL']}/api/evidence"
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        return _took(lambda: requests.post(address, data=body, headers=headers, timeout=60))

    def _enroll(self, number: int) -> str:
        place, login, secret = self._place, f"writer-{number}", new_secret(TokenKind.UPLOAD)
        place.sandbox.allow(place.repository, login, "write")
        new = NewToken(
            kind=TokenKind.UPLOAD,
            login=login,
            user_id=place.sandbox.user(login).id,
            installations=(place.installation.id,),
            repositories=(place.repository.id,),
        )
        place.store.tokens.issue(new, secret, now=datetime.now(UTC))
        self._tokens[number] = secret
        return secret
