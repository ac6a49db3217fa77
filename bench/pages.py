"""How long the questions behind the pages take in a database of a million audits.

The database is made, not lived: an organization of 500 repositories, the largest with a
thirtieth of all pull requests, 1,000 developers in 60 teams, three years, three agents. Each
pull request has its audit's row and a small document, and is counted by the product's own code.
"""

import json
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

from sqlalchemy import Connection, text

from bench.console import say, table
from ghapp.attribution.model import State, Verdict
from ghapp.store import Repository, Store
from ghapp.store.database import Database
from ghapp.store.schema import agent_day, audit, team_member
from ghapp.store.summaries import Summaries
from ghapp.store.tally import day_number, insert_all
from ghapp.summaries import (
    About,
    Grain,
    Listing,
    Naming,
    Order,
    PullSummary,
    Selection,
)
from tests.databases import new_database, postgresql_server

REPOSITORIES = 500
DEVELOPERS = 1_000
TEAMS = 60
YEARS = 3
TODAY = date(2026, 10, 31)
AGENTS = ("claude-code", "codex", "cursor")
LANGUAGES = ("Python", "TypeScript", "Go", "SQL", "Markdown", "YAML")
TIMES = 5
CHUNK = 20_000


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
    """One question's milliseconds."""

    database: str
    question: str
    median: float
    best: float
    cpu: float
    """Of this process: on SQLite it is all of the work."""


def measure(options: Options) -> int:
    """Make a database of each kind, ask, print; return the exit status."""
    found: list[Took] = []
    for kind in options.databases:
        with ExitStack() as stack:
            store = Store.open(_url(kind, options, stack))
            stack.callback(store.close)
            begun = time.perf_counter()
            if _is_empty(store.database):
                Made(store, options).make()
                say(f"{kind}: {options.audits} audits made in {time.perf_counter() - begun:.0f} s")
            found += [Took(kind, *took) for took in _ask_all(store)]
    if options.as_json:
        say(json.dumps([asdict(one) for one in found], indent=2))
    else:
        say(table((tuple(asdict(one).values()) for one in found), list(asdict(found[0]))))
    return 0


def _url(kind: str, options: Options, stack: ExitStack) -> str:
    if kind == "postgresql":
        return stack.enter_context(new_database(stack.enter_context(postgresql_server())))
    folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
    return f"sqlite:///{folder / 'pages.sqlite3'}"


def _is_empty(database: Database) -> bool:
    with database.read() as connection:
        return connection.execute(text("SELECT 1 FROM audit LIMIT 1")).first() is None


# --- asking ---------------------------------------------------------------------------------------


def _ask_all(store: Store) -> Iterator[tuple[str, float, float, float]]:
    quick = Summaries(store.database, Naming())
    everything = tuple(range(1, REPOSITORIES + 1))
    year = TODAY - timedelta(days=364)
    for name, ids in (("repository, the largest", (1,)), ("repository, a middling one", (250,))):
        asked = Selection(ids, since=year, until=TODAY)
        yield _timed(f"{name}: its page", lambda one=asked: quick.repository(one, Grain.WEEK))
        yield _timed(f"{name}: first 50 of its list", lambda one=asked: _list(quick, one))
    whole = Selection(everything, since=year, until=TODAY)
    yield _timed(
        "organization: its page, twelve months by week",
        lambda: quick.organization(whole, Grain.WEEK, today=TODAY),
    )
    quarter = Selection(everything, since=TODAY - timedelta(days=89), until=TODAY)
    yield _timed(
        "organization: its page, 90 days by day",
        lambda: quick.organization(quarter, Grain.DAY, today=TODAY),
    )
    yield _timed(
        "organization: its page, three years by month",
        lambda: quick.organization(Selection(everything), Grain.MONTH, today=TODAY),
    )
    yield _timed(
        "organization: trends of its repositories", lambda: quick.trends(whole, everything[:50])
    )
    yield _timed("organization: first 50 of its list", lambda: _list(quick, whole))
    for part in ("series", "agents", "languages", "repositories", "teams", "people", "adoption"):
        ask = getattr(quick, part)
        arguments = (whole, Grain.WEEK) if part == "series" else (whole,)
        yield _timed(f"  of it: {part}", lambda one=ask, given=arguments: one(*given))
    yield _timed("  of it: quiet spots", lambda: quick.quiet(whole, today=TODAY))


def _list(quick: Summaries, asked: Selection) -> None:
    quick.pulls(asked, Listing(order=Order.MERGED))


def _timed(name: str, ask: Callable[[], object]) -> tuple[str, float, float, float]:
    ask()
    took, cpu = [], time.process_time()
    for _ in range(TIMES):
        begun = time.perf_counter()
        ask()
        took.append((time.perf_counter() - begun) * 1000)
    spent = (time.process_time() - cpu) * 1000 / TIMES
    return name, round(statistics.median(took), 1), round(min(took), 1), round(spent, 1)


# --- making ---------------------------------------------------------------------------------------


class Made:
    """A database that is filled repository by repository."""

    def __init__(self, store: Store, options: Options) -> None:
        self._store = store
        self._options = options
        self._random = Random(options.seed)  # noqa: S311 - repeatable
        self._sizes: list[int] = []
        self._document = zlib.compress(b'{"schema":"ghapp/audit/1","files":[]}' + b" " * 200)

    def make(self) -> None:
        """Fill all tables that the pages ask."""
        database = self._store.database
        seen = [
            Repository(id=one, owner="acme", name=f"service-{one}", installation_id=1)
            for one in range(1, REPOSITORIES + 1)
        ]
        self._store.installations.repositories_seen(seen, now=datetime.now(UTC))
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
        return PullSummary(
            repository_id=repository_id,
            pull_request=number,
            audit_number=1,
            merged_at=datetime(day.year, day.month, day.day, chance.randrange(24), tzinfo=UTC),
            verdict=Verdict.ASSISTED if attributed else verdict,
            state=State.PROVISIONAL if TODAY - day < timedelta(days=2) else State.FINAL,
            complete=chance.random() < 0.99,
            added=added,
            effective=effective,
            attributed=attributed,
            share=round(attributed / effective, 4) if effective else None,
            about=About(f"Change {number}", f"dev-{developer}", developer, "main"),
            agents={chance.choices(AGENTS, (8, 2, 1))[0]: attributed} if attributed else {},
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
                "complete": pull.complete,
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
        """Let six developers of ten be active on each working day, with one or two sessions."""
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
