"""What the pages of usage and spend cost beside the overview, for 1,000 developers and a year.

The sums that the pages read are generated: 250 working days, five agent sessions a day and agent,
two models each, so about three million agent sessions' days by model. The audits of the overview
come from `bench.pages`, and so do the person who asks and the way of timing.
"""

import json
import sqlite3
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from statistics import mean

from sqlalchemy import Table

from bench import pages
from bench.console import say, table
from bench.pages import DEVELOPERS, REPOSITORIES, TODAY, WHOLE
from ghapp.store import Store
from ghapp.store.schema import (
    agent_session_day,
    agent_session_sum,
    cost_sum,
    decision_sum,
    source_day,
    source_total,
    token_sum,
    usage_identity,
    usage_place,
)
from ghapp.store.summaries.tally import day_number
from ghapp.store.usage_sums import TOTALS
from ghapp.summaries.selection import TimeGrain
from ghapp.usage.sources import UsageSource
from tests.databases import new_database, postgresql_server
from tests.queues import valkey_server

DAYS = 365
AGENT_SESSIONS = 5
MODELS = {
    "claude-code": ("claude-opus-4-5-20251101", "claude-haiku-4-5-20251001"),
    "codex": ("gpt-5.2-codex", "gpt-5.2-mini"),
}
READ_AT = 1_793_000_000_000_000
YEAR = "since=2025-10-19&until=2026-10-18"
PAGES = {
    "overview": WHOLE,
    "usage, a year by month": f"{WHOLE}/usage?{YEAR}&grain=month",
    "usage, a year by week": f"{WHOLE}/usage?{YEAR}&grain=week",
    "usage, 90 days by day": f"{WHOLE}/usage?since=2026-07-21&until=2026-10-18&grain=day",
    "spend, a year by month": f"{WHOLE}/spend?{YEAR}&grain=month",
}
SUMS = (token_sum, decision_sum, agent_session_sum, cost_sum)
WHOLE_SUMS = (*SUMS, source_total, *(total for total, _ in TOTALS))
FILLED = (*WHOLE_SUMS, agent_session_day, source_day, usage_identity, usage_place)

Row = Sequence[object]


@dataclass(frozen=True)
class PageCost:
    """One page: CPU seconds of the web process and of PostgreSQL's, and both beside the overview's.

    The pages take turns, so that all of them meet the same other work on the machine.
    """

    database: str
    page: str
    web: float
    server: float
    of_overview: float


def measure(options: pages.Options, rounds: int) -> int:
    """Make a database of each kind, ask for the pages in turns, print; return the exit status."""
    found: list[PageCost] = []
    with ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        file = folder / "usage-pages.sqlite3"
        if not file.exists():
            pages.make(file, options)
            _fill(file, options.seed)
        valkey = stack.enter_context(valkey_server())
        if "sqlite" in options.databases:
            found += _asked("sqlite", f"sqlite:///{file}", valkey, rounds)
        if "postgresql" in options.databases:
            url = stack.enter_context(new_database(stack.enter_context(postgresql_server())))
            pages.copy(file, url, (*pages.COPIED, *FILLED))
            found += _asked("postgresql", url, valkey, rounds)
    if options.as_json:
        say(json.dumps([asdict(one) for one in found], indent=2))
    else:
        say(table((tuple(asdict(one).values()) for one in found), list(asdict(found[0]))))
    return 0


def _asked(kind: str, url: str, valkey: str, rounds: int) -> Iterator[PageCost]:
    store = Store.open(url)
    with tempfile.TemporaryDirectory() as folder:
        browser = pages.signed_in(store, valkey, folder)
        server = pages.Server.of(store.database)
        turns = [
            {
                page: pages.timed(kind, page, browser, path, server, 1)
                for page, path in PAGES.items()
            }
            for _ in range(rounds + 1)
        ][1:]
    store.close()
    costs = {
        page: (
            mean(turn[page].web for turn in turns),
            mean(turn[page].server or 0 for turn in turns),
        )
        for page in PAGES
    }
    whole = sum(costs["overview"])
    for page, (web, served) in costs.items():
        seconds = round(web / 1000, 3), round(served / 1000, 3)
        yield PageCost(kind, page, *seconds, round((web + served) / whole, 2))


# --- data -----------------------------------------------------------------------------------------


def _fill(file: Path, seed: int) -> None:
    begun, chance = time.perf_counter(), Random(seed)  # noqa: S311 - repeatable
    last = day_number(TODAY)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        people = [
            (one, 1, "account", str(one), one, one, f"dev-{one % DEVELOPERS}", READ_AT)
            for one in range(1, DEVELOPERS + 1)
        ]
        names = "id, installation_id, kind, value, person, account_id, login, seen_at"
        _insert(connection, f"usage_identity ({names})", people)
        for person in range(1, DEVELOPERS + 1):
            made = _Person(person, chance)
            for day in range(last - DAYS + 1, last + 1):
                made.work(day)
            for name, rows in made.rows.items():
                _insert(connection, name, rows)
        _sum_places(connection)
        for one in WHOLE_SUMS:
            for grain in (TimeGrain.WEEK, TimeGrain.MONTH):
                _sum(connection, one, grain)
        connection.execute("ANALYZE")
        connection.commit()
    say(f"usage of {DEVELOPERS} developers made in {time.perf_counter() - begun:.0f} s")


class _Person:
    """The rows of one person's year."""

    def __init__(self, person: int, chance: Random) -> None:
        self._person = person
        self._chance = chance
        self._home = person % REPOSITORIES
        self.rows: dict[str, list[Row]] = {one.name: [] for one in (*SUMS, agent_session_day)}
        self.rows[source_day.name] = []

    def work(self, day: int) -> None:
        """Work on a day, unless it is free."""
        is_weekend = (day + 3) % 7 >= 5  # day 0 is a Thursday
        if is_weekend or self._chance.random() < 0.05:
            return
        for agent in list(MODELS)[: 1 if self._chance.random() < 0.8 else 2]:
            self._use(day, agent)

    def _use(self, day: int, agent: str) -> None:
        chance = self._chance
        places = [
            1 + (self._home + (0 if chance.random() < 0.8 else 7)) % REPOSITORIES
            for _ in range(AGENT_SESSIONS)
        ]
        for number, place in enumerate(places):
            name = f"{chance.getrandbits(64):016x}-{number}"
            self._add(agent_session_day, (1, day, self._person, agent, place, name, 1))
        for place in set(places):
            self._add_place(day, agent, place, places.count(place))

    def _add_place(self, day: int, agent: str, place: int, count: int) -> None:
        key = (1, "day", day, self._person, agent, place)
        for model in MODELS[agent]:
            tokens = [amount * count for amount in (100, 5000, 100_000, 0, 9000, 0)]
            self._add(token_sum, (*key, model, 20 * count, *tokens, None))
            cost = (50_000 * count, 20 * count, 0, 0)
            self._add(cost_sum, (*key, model, self._chance.random() < 0.6, *cost, *cost))
        for language in self._chance.sample(("Python", "Go", "SQL"), 2)[: 1 + count // 3]:
            edits = (3 * count, count, 2 * count, 0, 0, 0, 1, 40 * count, 40 * count)
            self._add(decision_sum, (*key, language, *edits))
        self._add(agent_session_sum, (*key, count))
        about = (1, day, self._person, agent, place)
        source = UsageSource.TRANSCRIPTS.value
        self._add(source_day, (*about, source, 1, 114_100 * count, READ_AT))

    def _add(self, of: Table, row: Row) -> None:
        self.rows[of.name].append(row)


def _insert(connection: sqlite3.Connection, name: str, rows: list[Row]) -> None:
    marks = ", ".join("?" * len(rows[0]))
    connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)  # noqa: S608


def _sum_places(connection: sqlite3.Connection) -> None:
    """Sum days over all repositories."""
    for total, placed in TOTALS:
        key = ", ".join(one.name for one in total.primary_key)
        rest = [one.name for one in total.c if one.name not in total.primary_key]
        sums = ", ".join(f"sum({name})" for name in rest)
        connection.execute(
            f"INSERT INTO {total.name} ({key}, {', '.join(rest)}) "  # noqa: S608 - our own names
            f"SELECT {key}, {sums} FROM {placed.name} GROUP BY {key}"
        )
    connection.execute(
        "INSERT INTO source_total SELECT installation_id, 'day', day, person, agent, source, "
        "counts, 1, sum(tokens), max(read_at) FROM source_day GROUP BY 1, 3, 4, 5, 6, 7"
    )
    connection.execute(
        "INSERT INTO usage_place SELECT DISTINCT installation_id, repository_id FROM source_day"
    )


def _sum(connection: sqlite3.Connection, sums: Table, grain: TimeGrain) -> None:
    """Sum the days of weeks or months."""
    starts = {day: day_number(grain.start(TODAY - timedelta(days=back))) for back, day in _days()}
    connection.create_function("start_of", 1, starts.get, deterministic=True)
    key = [one.name for one in sums.primary_key if one.name not in {"grain", "start"}]
    whole = {
        one.name: f"{'max' if one.name == 'read_at' else 'sum'}({one.name})"
        for one in sums.c
        if one.name not in sums.primary_key
    }
    columns = {"grain": f"'{grain.value}'", "start": "start_of(start)"}
    columns |= {name: name for name in key} | whole
    connection.execute(
        f"INSERT INTO {sums.name} ({', '.join(columns)}) "  # noqa: S608 - our own names
        f"SELECT {', '.join(columns.values())} FROM {sums.name} WHERE grain = 'day' "
        f"GROUP BY start_of(start), {', '.join(key)}"
    )


def _days() -> Iterable[tuple[int, int]]:
    """Yield the days of the year, by how far back they are."""
    return ((back, day_number(TODAY) - back) for back in range(DAYS))
