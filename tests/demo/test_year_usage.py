"""The usage of the demo: the same each time, each edit decided once, tokens where they are told."""

from datetime import UTC, datetime
from pathlib import Path
from random import Random

from ghapp.attribution.model import Edit
from ghapp.demo.cast import PLACES
from ghapp.demo.year import merged
from ghapp.demo.year_usage import TELLING, use
from ghapp.store import Installation, Repository, Store, StoredUsage
from ghapp.usage.days import DecisionDay, TokenDay
from ghapp.usage.sources import UsageSource
from tests.databases import make_sqlite

UNTIL = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)
INSTALLATION, REPOSITORY = 1, 42


def edits() -> list[Edit]:
    pulls = merged(PLACES[0], UNTIL, Random(3), 30)  # noqa: S311 - a demo's
    return [edit for pull in pulls for edit in pull.edits]


def used(store: Store) -> list[StoredUsage]:
    store.installations.seen(Installation(id=INSTALLATION, account="acme"), now=UNTIL)
    there = Repository(id=REPOSITORY, owner="acme", name="app", installation_id=INSTALLATION)
    store.installations.repository_seen(there, now=UNTIL)
    use(store, INSTALLATION, REPOSITORY, edits(), Random(4))  # noqa: S311 - a demo's
    return list(store.usage.rows(INSTALLATION))


def test_the_same_edits_have_the_same_usage(sqlite_store: Store, tmp_path: Path) -> None:
    with Store.unmigrated(make_sqlite(f"sqlite:///{tmp_path / 'other.sqlite3'}")) as other:
        assert [one.row for one in used(sqlite_store)] == [one.row for one in used(other)]


def test_each_edit_is_decided_once_and_its_lines_are_counted(sqlite_store: Store) -> None:
    rows = [one.row for one in used(sqlite_store) if isinstance(one.row, DecisionDay)]
    assert sum(row.edits for row in rows) == len(edits()) > 0
    own = sum(len(hunk.own) for one in edits() for hunk in one.lines.hunks)
    assert sum(row.lines or 0 for row in rows) == own


def test_only_agents_whose_records_name_tokens_have_some(sqlite_store: Store) -> None:
    found = [one for one in used(sqlite_store) if isinstance(one.row, TokenDay)]
    assert {one.row.agent for one in found} <= TELLING
    assert {one.source for one in found} == set(UsageSource) - {UsageSource.VENDOR}
    assert all(
        row.answers and row.tokens.total for one in found if isinstance(row := one.row, TokenDay)
    )
