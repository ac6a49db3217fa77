"""What is kept of each pull request and added up, step by step, is what the documents say."""

import itertools

from hypothesis import example, given

from ghapp.attribution.model import AuditState, AuditTotals, FileVerdict, Verdict
from ghapp.store import Store
from ghapp.store.schema import group_tally, tally
from ghapp.store.summaries.questions import SummaryQuestions
from ghapp.store.summaries.tally import (
    audited,
    dissolve,
    forget_author,
    group_of,
    load,
    note_about,
    rebuild,
)
from ghapp.summaries.counts import PullFacts
from ghapp.summaries.selection import PullSelection, TimeGrain
from tests.searching import searched
from tests.store.records import document
from tests.store.summaries.worlds import (
    PEOPLE,
    Audited,
    World,
    every_kind,
    group_rows,
    kept,
    organizations,
)


@searched(4)
@given(organizations())
@example(every_kind())
def test_what_is_kept_step_by_step_is_what_the_documents_say(
    store: Store, saved: list[Audited]
) -> None:
    world = World(store, saved)
    of_group, ours = group_rows(store, world.ids[1]), PullSelection(tuple(world.ids[:3]))
    quick = SummaryQuestions(store.database, PEOPLE)
    totals, names = quick.totals(ours), quick.people(ours)
    for repository_id in world.ids:
        step_by_step = kept(store, repository_id)
        count = rebuild(store.database, repository_id)
        assert kept(store, repository_id) == step_by_step
        assert group_rows(store, world.ids[1]) == of_group
        assert count == len(step_by_step[0])
    # Groups that were dissolved come again as they were, and nothing depends on them.
    dissolve(store.database)
    assert not group_rows(store, world.ids[1])
    assert (quick.totals(ours), quick.people(ours)) == (totals, names)
    for repository_id in world.ids:
        rebuild(store.database, repository_id)
    assert group_rows(store, world.ids[1]) == of_group
    assert (quick.totals(ours), quick.people(ours)) == (totals, names)


def test_a_group_counts_every_day_week_and_month_of_its_members(store: Store) -> None:
    world = World(store, [])
    for number, place in enumerate((1, 2, 2, 3), 1):
        made = document(
            pull_request=number,
            files=(FileVerdict("src/a.py", None, 9, 5, 3, None, ()),),
            totals=AuditTotals(9, 5, 3, 0.6, {}, {"claude-code": 3}),
        )
        world.save(Audited(place, number, PullFacts(author="Ann"), made))
    rows = {row[1:5]: row[5] for row in group_rows(store, world.ids[1])}
    grains = {(dimension, grain) for dimension, grain, _, _ in rows}
    assert grains == set(
        itertools.product(("all", "agent", "model", "author", "language"), TimeGrain)
    )
    assert set(rows.values()) == {4}


def test_a_repository_joins_the_group_of_its_installation_once_it_is_audited(
    store: Store,
) -> None:
    world = World(store, [])
    alone, *members = world.ids
    for place in (0, 1, 2):
        world.save(Audited(place, 1, PullFacts(), document(pull_request=1)))
    with store.database.read() as connection:
        assert [group_of(connection, one) for one in world.ids] == [
            None,
            members[0],
            members[0],
            None,
        ]
    assert audited(store.database) == [alone, *members[:2]]


def test_a_tally_that_becomes_empty_is_gone(store: Store) -> None:
    world = World(store, [])
    for verdict, agents in ((Verdict.ASSISTED, {"codex": 3}), (Verdict.NO_EVIDENCE, {})):
        made = document(
            pull_request=1, verdict=verdict, totals=AuditTotals(9, 5, 3, 0.6, {}, agents)
        )
        world.save(Audited(1, 1, PullFacts(author="Ann"), made))
    for table, of in ((tally, world.ids[1]), (group_tally, world.ids[1])):
        with store.database.read() as connection:
            rows = connection.execute(table.select().where(table.c[0] == of)).all()
        assert {row.dimension for row in rows} == {"all", "author"}
        assert {(row.pulls, row.assisted, row.no_evidence) for row in rows} == {(1, 0, 1)}


def test_what_github_says_is_noted_of_audited_pull_requests_only(store: Store) -> None:
    world, about = World(store, []), PullFacts(title="One", author="Ann", author_id=7)
    world.save(Audited(1, 1, PullFacts(), document(pull_request=1)))
    with store.database.write() as connection:
        assert note_about(connection, store.database, world.ids[1], 1, about)
        assert not note_about(connection, store.database, world.ids[1], 2, about)
        found = load(connection, world.ids[1], 1)
        assert load(connection, world.ids[1], 2) is None
    assert found is not None
    assert found.about == about
    names = {row[4] for row in group_rows(store, world.ids[1]) if row[1] == "author"}
    assert names == {"Ann"}


def test_an_author_who_was_forgotten_does_not_come_back(store: Store) -> None:
    world, about = World(store, []), PullFacts(title="One", author="Ann", author_id=7)
    for place in (0, 1):
        world.save(Audited(place, 1, about, document(pull_request=1)))
    world.save(Audited(1, 2, PullFacts(author="bob"), document(pull_request=2)))
    with store.database.write() as connection:
        forget_author(connection, store.database, "ANN")
    for place in (0, 1):
        world.save(Audited(place, 1, about, document(pull_request=1, state=AuditState.FINAL)))
    for repository_id in (*world.ids, *world.ids):
        with store.database.read() as connection:
            found = load(connection, repository_id, 1)
        assert found is None or found.about == PullFacts(title="One")
        rebuild(store.database, repository_id)
    names = {row[4] for row in group_rows(store, world.ids[1]) if row[1] == "author"}
    assert names == {"", "bob"}


def test_a_path_counts_for_its_folder_and_its_language(sqlite_store: Store) -> None:
    world = World(sqlite_store, [])
    files = (
        FileVerdict("src/a.py", None, 4, 3, 2, None, ()),
        FileVerdict("src/b.py", None, 1, 1, 0, None, ()),
        FileVerdict("src/gone.py", None, 0, 0, 0, None, ()),
        FileVerdict("Makefile", None, 2, 2, 0, None, ()),
        FileVerdict("nul \0/c.go", None, 1, 1, 1, None, ()),
        FileVerdict("docs/removed.md", None, 0, 0, 0, None, ()),
    )
    world.save(Audited(0, 1, PullFacts(), document(pull_request=1, files=files)))
    with sqlite_store.database.read() as connection:
        found = load(connection, world.ids[0], 1)
    assert found is not None
    assert found.lines == {
        ("src", "Python"): (5, 4, 2),
        (".", "Makefile"): (2, 2, 0),
        ("nul \ufffd", "Go"): (1, 1, 1),
    }
