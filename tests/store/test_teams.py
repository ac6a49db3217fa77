"""Who is in which team: each source replaced as a whole; and who wrote where."""

from datetime import date

from ghapp.attribution.model import FileVerdict
from ghapp.store import Store
from ghapp.store.teams import LinesWritten
from ghapp.summaries.counts import PullFacts
from ghapp.summaries.teams import TeamMember, TeamSource
from tests.store.records import MINUTE, NOW, document

ANN = TeamMember("Ann", "core", "lead", date(2026, 1, 31))


def test_a_source_is_replaced_as_a_whole_and_no_other(store: Store) -> None:
    store.teams.replace("Acme", TeamSource.CSV, [TeamMember("zoe", "web"), ANN])
    store.teams.replace("acme", TeamSource.GITHUB, [TeamMember("bob", "ops")])
    store.teams.replace("other", TeamSource.CSV, [TeamMember("cid", "ops")])
    assert store.teams.of("ACME") == {
        TeamSource.CSV: (ANN, TeamMember("zoe", "web")),
        TeamSource.GITHUB: (TeamMember("bob", "ops"),),
    }
    assert store.teams.replace("acme", TeamSource.CSV, ()) == 0
    assert [*store.teams.of("acme")] == [TeamSource.GITHUB]
    assert [*store.teams.of("other")] == [TeamSource.CSV]


def test_a_person_who_is_listed_twice_is_in_the_last_team(store: Store) -> None:
    assert store.teams.replace("acme", TeamSource.CSV, [TeamMember("ANN", "web"), ANN]) == 1
    assert store.teams.of("acme") == {TeamSource.CSV: (ANN,)}


def test_who_wrote_where_is_counted_in_effective_lines(store: Store) -> None:
    files = (
        FileVerdict("src/a.py", None, 9, 5, 3, None, ()),
        FileVerdict("src/b.py", None, 2, 2, 0, None, ()),
        FileVerdict("lock/yarn.lock", None, 9, 0, 0, "lock-file", ()),
    )
    for number, author, at in (
        (1, "Ann", NOW),
        (2, "Ann", NOW + MINUTE),
        (3, None, NOW),
        (4, "Ann", NOW - MINUTE),
    ):
        made = document(pull_request=number, merged_at=at, files=files)
        store.audits.save(42, number, made, now=NOW, about=PullFacts(author=author))
    assert store.teams.written(42, NOW) == (LinesWritten("Ann", "src", 14),)
    assert store.teams.written(43, NOW) == ()


def test_a_table_is_taken_over_with_its_history_or_only_looked_at(store: Store) -> None:
    day = date(2026, 5, 20)
    rows = [ANN, TeamMember("bob", "core", location="Lisbon", until=date(2026, 6, 1))]
    assert len(store.teams.import_table("Acme", rows, day, dry=True)) == 2
    assert store.teams.of("acme") == {}
    store.teams.import_table("Acme", rows, day)
    assert store.teams.of("acme")[TeamSource.CSV] == tuple(rows)
    later = date(2026, 5, 25)
    moved = [TeamMember("Ann", "web")]
    for _ in range(2):
        store.teams.import_table("acme", moved, later)
        found = store.teams.of("acme")[TeamSource.CSV]
        assert [(one.login, one.team, one.since, one.until) for one in found] == [
            ("Ann", "core", date(2026, 1, 31), date(2026, 5, 24)),
            ("Ann", "web", later, None),
            ("bob", "core", None, date(2026, 5, 24)),
        ]
    assert not store.teams.counts_then("acme")
    store.teams.count_then("ACME", of_then=True)
    store.teams.count_then("acme", of_then=True)
    assert store.teams.counts_then("Acme")
    store.teams.import_table("acme", [], later)
    assert store.teams.of("acme") == {}
