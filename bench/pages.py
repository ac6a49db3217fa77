"""How long the pages take with a million audits, from the request to the last byte.

The database is generated: an organization of 500 repositories, the largest with a
thirtieth of all pull requests, 1,000 developers in 60 teams, three years, three agents. Each
pull request has its audit's row and a small document, and the product's own code counts it.
PostgreSQL gets the rows of the SQLite file. A person is signed in and may read everything; the
permissions are already cached, as they are for some minutes after the first page.
"""

import base64
import json
import sqlite3
import statistics
import tempfile
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import msgspec
import psutil
import psycopg
import redis
from cryptography.fernet import Fernet
from flask.testing import FlaskClient
from sqlalchemy import Connection, Table, text

from bench.console import say, table
from ghapp.attribution.model import AuditState, Verdict
from ghapp.bootstrap import Services
from ghapp.github.token_cache import RedisTokens, derive_key
from ghapp.github.user_auth import UserTokens
from ghapp.queue.enqueue import RedisQueue
from ghapp.settings import Settings
from ghapp.store import Installation, Repository, Store
from ghapp.store.database import Database
from ghapp.store.logins import SignedIn, new_cookie
from ghapp.store.schema import (
    agent_day,
    audit,
    group_tally,
    installation,
    pull_agent,
    pull_agent_session,
    pull_lines,
    pull_summary,
    repository,
    tally,
    tally_member,
    team_member,
)
from ghapp.store.summaries.tally import day_number, insert_all
from ghapp.summaries.counts import PullFacts, PullSummary
from ghapp.web.app import create_app
from tests.app_key import PRIVATE_KEY
from tests.databases import new_database, postgresql_server
from tests.queues import valkey_server

REPOSITORIES = 500
DEVELOPERS = 1_000
TEAMS = 60
YEARS = 3
TODAY = date(2026, 10, 31)
AGENTS = ("claude-code", "codex", "cursor")
FAMILIES = ("claude-opus", "claude-sonnet", "gpt-codex", "")
LANGUAGES = ("Python", "TypeScript", "Go", "SQL", "Markdown", "YAML")
NOW = datetime(2026, 10, 18, 12, tzinfo=UTC)
"""The time of the requests: in the middle of a month, so no month matches the period."""
TIMES = 10
CHUNK = 20_000
LARGEST = "/repositories/acme/service-1"
WHOLE = "/organizations/acme"
PAGES = {
    "repository, the largest": LARGEST,
    "list of the largest": f"{LARGEST}/pulls",
    "repository, a medium one": "/repositories/acme/service-250",
    "organization, twelve months": WHOLE,
    "organization, 90 days by day": f"{WHOLE}?since=2026-07-21&until=2026-10-18&grain=day",
    "organization, three years by month": f"{WHOLE}?since=2023-10-19&grain=month",
    "organization, all 500 repositories": f"{WHOLE}?repositories=all",
    "list of the organization": f"{WHOLE}/pulls",
}


@dataclass(frozen=True)
class Options:
    """What to measure."""

    audits: int
    seed: int
    databases: tuple[str, ...]
    keep: Path | None
    as_json: bool


@dataclass(frozen=True)
class Took:
    """One page's cost, in milliseconds."""

    database: str
    page: str
    kilobytes: int
    wall: float
    """The best."""
    median: float
    web: float
    """Mean CPU of this process; on SQLite it is all of the work."""
    server: float | None
    """Mean CPU of PostgreSQL's processes; ``None``: there are none."""


def measure(options: Options) -> int:
    """Make a database of each kind, time the pages, print; return the exit status."""
    found: list[Took] = []
    with ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = folder / "pages.sqlite3"
        if not file.exists():
            make(file, options)
        valkey = stack.enter_context(valkey_server())
        if "sqlite" in options.databases:
            found += _asked("sqlite", f"sqlite:///{file}", valkey)
        if "postgresql" in options.databases:
            url = stack.enter_context(new_database(stack.enter_context(postgresql_server())))
            copy(file, url, COPIED)
            found += _asked("postgresql", url, valkey)
    if options.as_json:
        say(json.dumps([asdict(one) for one in found], indent=2))
    else:
        say(table((tuple(asdict(one).values()) for one in found), list(asdict(found[0]))))
    return 0


# --- timing ---------------------------------------------------------------------------------------


def _asked(kind: str, url: str, valkey: str) -> Iterator[Took]:
    store = Store.open(url)
    with tempfile.TemporaryDirectory() as folder:
        browser = signed_in(store, valkey, folder)
        for page, path in PAGES.items():
            yield timed(kind, page, browser, path, Server.of(store.database))
    store.close()


def signed_in(store: Store, valkey: str, folder: str) -> FlaskClient:
    """Return a browser with a signed-in person who may read everything."""
    settings = Settings.from_environment(
        {
            "GHAPP_DATA_DIR": folder,
            "GITHUB_APP_ID": "7",
            "GITHUB_PRIVATE_KEY": PRIVATE_KEY,
            "GITHUB_WEBHOOK_SECRETS": "no-webhook-but-long-enough",
            "GITHUB_CLIENT_ID": "Iv1.made",
            "GITHUB_CLIENT_SECRET": "made",
            "REDIS_URL": valkey,
        }
    )
    services = Services(
        settings=settings,
        store=store,
        queue=RedisQueue(redis.Redis.from_url(valkey)),
        clock=lambda: NOW,
    )
    readers, day = services.readers, timedelta(days=1)
    if readers is None:
        raise SystemExit("nobody can sign in: the settings of the bench are incomplete")
    tokens = UserTokens(access_token="made", access_until=None, refresh_token=None)  # noqa: S106
    box = Fernet(base64.urlsafe_b64encode(derive_key(settings.encryption_key, "people's tokens")))
    person = SignedIn(id=1, login="lead", sealed=box.encrypt(msgspec.json.encode(tokens)))
    cookie = new_cookie()
    store.logins.begin(person, cookie, NOW + day, now=NOW)
    cache = RedisTokens(redis.Redis.from_url(valkey), settings.encryption_key, lambda: NOW)
    everything = list(range(1, REPOSITORIES + 1))
    known = {"member:1:acme": b"read", "readable:1:1": msgspec.json.encode(everything)}
    for key, value in {**known, **{f"may:1:{one}": b"read" for one in everything}}.items():
        cache.write(key, value, day)
    browser = create_app(services).test_client()
    browser.set_cookie("login", cookie)
    return browser


def timed(  # noqa: PLR0913, PLR0917 - what to ask whom, and how often
    kind: str,
    page: str,
    browser: FlaskClient,
    path: str,
    server: "Server | None",
    times: int = TIMES,
) -> Took:
    """Return what a page costs."""
    answer = browser.get(path)
    if answer.status_code != 200:
        raise SystemExit(f"{path}: {answer.status}")
    took, cpu = [], time.process_time()
    before = server.spent() if server else 0.0
    for _ in range(times):
        begun = time.perf_counter()
        browser.get(path).get_data()
        took.append((time.perf_counter() - begun) * 1000)
    spent = (time.process_time() - cpu) * 1000 / times
    return Took(
        database=kind,
        page=page,
        kilobytes=len(answer.data) // 1000,
        wall=round(min(took), 1),
        median=round(statistics.median(took), 1),
        web=round(spent, 1),
        server=round((server.spent() - before) * 1000 / times, 1) if server else None,
    )


@dataclass(frozen=True)
class Server:
    """The processes of a PostgreSQL on this machine."""

    postmaster: int

    @classmethod
    def of(cls, database: Database) -> "Server | None":
        """Return the server of a database; ``None``: SQLite has none."""
        if database.is_sqlite:
            return None
        with database.read() as connection:
            backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        return cls(postmaster=psutil.Process(backend).ppid())

    def spent(self) -> float:
        """Return the CPU seconds of the backends, and of all workers that have ended."""
        postmaster = psutil.Process(self.postmaster)
        ended = postmaster.cpu_times()
        total = ended.children_user + ended.children_system
        for one in postmaster.children():
            if "ghapp" in " ".join(one.cmdline()):
                total += one.cpu_times().user + one.cpu_times().system
        return total


# --- data -----------------------------------------------------------------------------------------


def make(file: Path, options: Options) -> None:
    """Make a database of SQLite with audits."""
    begun = time.perf_counter()
    store = Store.open(f"sqlite:///{file}")
    Made(store, options).make()
    store.close()
    say(f"{options.audits} audits made in {time.perf_counter() - begun:.0f} s")


def copy(file: Path, url: str, tables: Iterable[Table]) -> None:
    """Copy all rows of some tables of the SQLite file to an empty PostgreSQL, and analyze them."""
    begun = time.perf_counter()
    Store.open(url).close()
    with (
        closing(sqlite3.connect(file)) as source,
        psycopg.connect(url, autocommit=True) as target,
        target.cursor() as cursor,
    ):
        for one in tables:
            names = ", ".join(column.name for column in one.columns)
            with cursor.copy(f"COPY {one.name} ({names}) FROM STDIN") as write:
                for row in source.execute(f"SELECT {names} FROM {one.name}"):  # noqa: S608
                    write.write_row(row)
        cursor.execute("VACUUM ANALYZE")
    say(f"copied to PostgreSQL in {time.perf_counter() - begun:.0f} s")


COPIED = (
    *(installation, repository, audit, pull_summary, pull_agent, pull_lines),
    *(pull_agent_session, tally, tally_member, group_tally, agent_day, team_member),
)


class Made:
    """A database that is filled repository by repository."""

    def __init__(self, store: Store, options: Options) -> None:
        self._store = store
        self._options = options
        self._random = Random(options.seed)  # noqa: S311 - repeatable
        self._sizes: list[int] = []
        self._document = zlib.compress(b'{"schema":"ghapp/audit/2","files":[]}' + b" " * 200)

    def make(self) -> None:
        """Fill all tables that the pages read."""
        database = self._store.database
        home = Installation(id=1, account="acme", account_id=1, account_type="Organization")
        self._store.installations.seen(home, now=NOW)
        seen = [
            Repository(id=one, owner="acme", name=f"service-{one}", installation_id=1)
            for one in range(1, REPOSITORIES + 1)
        ]
        self._store.installations.repositories_seen(seen, now=NOW)
        with database.write() as connection:
            connection.execute(database.insert(team_member), list(_members()))
        weights = [1 / (rank + 5) for rank in range(REPOSITORIES)]
        scale = self._options.audits / sum(weights)
        self._sizes = [round(weight * scale) for weight in weights]
        for repository_id, size in enumerate(self._sizes, 1):
            pulls = [self._pull(repository_id, number) for number in range(1, size + 1)]
            with database.write() as connection:
                self._insert_audits(connection, pulls)
                insert_all(connection, database, repository_id, pulls)
        self._insert_days()
        with database.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql("ANALYZE")

    def _pull(self, repository_id: int, number: int) -> PullSummary:
        chance = self._random
        day = TODAY - timedelta(days=int(chance.triangular(0, 365 * YEARS, 0)))
        developer = (
            repository_id * 37 + chance.randrange(self._developers(repository_id))
        ) % DEVELOPERS
        lines = {}
        for _ in range(chance.choice((1, 1, 2, 3, 5))):
            effective = int(chance.expovariate(1 / 40))
            directory = f"src/part{chance.randrange(12)}/inner{chance.randrange(4)}"
            place = (directory, chance.choice(LANGUAGES))
            lines[place] = (effective + chance.randrange(20), effective, 0)
        assisted = chance.random() < 0.6
        if assisted:
            lines = {place: (a, e, int(e * chance.random())) for place, (a, e, _) in lines.items()}
        added, effective, attributed = map(sum, zip(*lines.values(), strict=True))
        known = assisted or chance.random() < 0.7
        verdict = Verdict.NOT_ASSISTED if known else Verdict.NO_EVIDENCE
        agents = {chance.choices(AGENTS, (8, 2, 1))[0]: attributed} if attributed else {}
        return PullSummary(
            repository_id=repository_id,
            pull_request=number,
            audit_number=1,
            merged_at=datetime(day.year, day.month, day.day, chance.randrange(24), tzinfo=UTC),
            verdict=Verdict.ASSISTED if attributed else verdict,
            state=AuditState.PROVISIONAL if TODAY - day < timedelta(days=2) else AuditState.FINAL,
            change_complete=chance.random() < 0.99,
            evidence_complete=True,
            added=added,
            effective=effective,
            attributed=attributed,
            share=round(attributed / effective, 4) if known and effective else None,
            about=PullFacts(
                title=f"Change {number}",
                author=f"dev-{developer}",
                author_id=developer,
                author_type="User",
                base_ref="main",
                default_branch="main",
            ),
            agents=agents,
            models={(agent, chance.choice(FAMILIES)): lines for agent, lines in agents.items()},
            agent_sessions={
                (agent, f"{repository_id}-{number}"): lines for agent, lines in agents.items()
            },
            lines=lines,
        )

    def _developers(self, repository_id: int) -> int:
        """Return how many people work in a repository: one for 200 pull requests, at least five."""
        return max(5, self._sizes[repository_id - 1] // 200)

    def _insert_audits(self, connection: Connection, pulls: list[PullSummary]) -> None:
        rows = [
            {
                "repository_id": pull.repository_id,
                "position": place,
                "pull_request": pull.pull_request,
                "number": 1,
                "state": pull.state.value,
                "verdict": pull.verdict.value,
                "merged_at": pull.merged_at,
                "merge_commit": "0" * 40,
                "window_from": pull.merged_at - timedelta(days=21),
                "window_to": pull.merged_at + timedelta(days=2),
                "added": pull.added,
                "effective": pull.effective,
                "attributed": pull.attributed,
                "share": pull.share,
                "change_complete": pull.change_complete,
                "evidence_complete": pull.evidence_complete,
                "policy_id": "claude-code-v1",
                "policy_digest": "sha256:made",
                "engine": "made",
                "measure": "tokens",
                "diff_digest": "sha256:made",
                "evidence_digest": "sha256:made",
                "edits_considered": 1,
                "document": self._document,
                "digest": "sha256:made",
                "chain": f"sha256:{place}",
                "previous": None,
                "created_at": pull.merged_at,
            }
            for place, pull in enumerate(pulls, 1)
        ]
        if rows:
            connection.execute(self._store.database.insert(audit), rows)

    def _insert_days(self) -> None:
        """Make six of ten developers active on each working day, with one or two sessions."""
        database, rows = self._store.database, []
        for back in range(365 * YEARS):
            day = TODAY - timedelta(days=back)
            if day.weekday() < 5:
                rows += list(self._day(day))
            if len(rows) > CHUNK or back == 365 * YEARS - 1:
                with database.write() as connection:
                    connection.execute(database.insert(agent_day).on_conflict_do_nothing(), rows)
                rows = []

    def _day(self, day: date) -> Iterator[dict[str, object]]:
        chance = self._random
        for developer in range(DEVELOPERS):
            if chance.random() > 0.6:
                continue
            for run in range(chance.choice((1, 1, 2, 3))):
                yield {
                    "repository_id": 1 + int(chance.random() ** 3 * REPOSITORIES),
                    "day": day_number(day),
                    "agent": chance.choice(AGENTS),
                    "agent_session": f"{day.isoformat()}-{developer}-{run}",
                    "actor": f"dev-{developer}",
                }


def _members() -> Iterator[dict[str, object]]:
    for developer in range(DEVELOPERS):
        yield {
            "account_lower": "acme",
            "source": "csv",
            "login_lower": f"dev-{developer}",
            "login": f"dev-{developer}",
            "team": f"team-{developer % TEAMS}",
        }
