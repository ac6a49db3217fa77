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
