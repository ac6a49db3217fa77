"""A list of pull requests: whole, sorted, page by page."""

from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ghapp.attribution.model import AuditState, Verdict
from ghapp.store import Store
from ghapp.store.schema import pull_agent, pull_summary
from ghapp.store.summaries.pull_list import MOST_ROWS
from ghapp.store.summaries.questions import SummaryQuestions
from ghapp.summaries.counts import PullFacts
from ghapp.summaries.selection import ListSlice, PullOrder, PullSelection
from tests.searching import searched
from tests.store.records import NOW, document
from tests.store.summaries.worlds import (
    MEMBERS,
    PEOPLE,
    TEAMS,
    Audited,
    World,
    be_teams,
    every_kind,
    new_id,
    organizations,
    selections,
)


@searched(5)
@given(
    organizations(),
    selections(),
    st.builds(ListSlice, st.sampled_from(PullOrder), st.booleans(), limit=st.just(3)),
)
@example([], {}, ListSlice())
@example(every_kind(), {}, ListSlice(PullOrder.SHARE, limit=3))
@example(every_kind(), {"agent": "codex"}, ListSlice(ascending=True, limit=3))
def test_a_list_is_whole_and_sorted_page_by_page(
    store: Store, saved: list[Audited], asked: dict[str, Any], listing: ListSlice
) -> None:
    be_teams(store)
    world = World(store, saved)
    selection = PullSelection(tuple(world.ids), **asked)
    quick = SummaryQuestions(store.database, PEOPLE)
    found, after = [], None
    while True:
        page = quick.pulls(selection, msgspec.structs.replace(listing, after=after))
        found += page.rows
        after = page.after
        if after is None:
            break
    slow = world.slow()
    expected = slow.listed(selection, listing.order, ascending=listing.ascending)
    assert [(row.repository_id, row.pull_request) for row in found] == expected
    pulls = {(pull.repository_id, pull.number): pull for pull in slow.pulls}
    for row in found:
        pull = pulls[row.repository_id, row.pull_request]
        audit, totals = pull.audit, pull.audit.totals
        assert (row.title, row.author) == (pull.about.title, pull.about.author)
        assert (row.merged_at, row.verdict, row.state) == (
            audit.merged_at,
            audit.verdict,
            audit.state,
        )
        assert (row.added, row.effective, row.attributed, row.share, row.change_complete) == (
            totals.added,
            totals.effective,
            None if audit.verdict is Verdict.NO_EVIDENCE else totals.attributed,
            totals.share,
            audit.inputs.change_complete,
        )
        assert row.agents == {agent: lines for agent, lines in totals.by_agent.items() if lines}
        assert row.team == ("core" if MEMBERS.get((row.author or "").lower()) == "core" else None)


def _many_rows(store: Store, count: int) -> PullSelection:
    """Keep one pull request in each of many repositories."""
    ids = [new_id() for _ in range(count)]
    found = [{"repository_id": one, "pull_request": 7, "merged_at": NOW} for one in ids]
    said = {"audit_number": 1, "verdict": "assisted", "state": "final"}
    said |= {"change_complete": True, "evidence_complete": True}
    lines = {"added": 5, "effective": 4, "attributed": 3}
    agents = [{**one, "agent": "codex", "attributed": 3} for one in found]
    with store.database.write() as connection:
        connection.execute(store.database.insert(pull_agent), agents)
        connection.execute(
            store.database.insert(pull_summary), [{**one, **said, **lines} for one in found]
        )
    return PullSelection(tuple(ids))


def test_a_long_list_over_many_repositories_tells_every_agent(store: Store) -> None:
    ours = _many_rows(store, 600)
    page = SummaryQuestions(store.database, TEAMS).pulls(ours, ListSlice(limit=600))
    assert [row.agents for row in page.rows] == [{"codex": 3}] * 600


def test_a_page_has_a_limit_of_its_own(sqlite_store: Store) -> None:
    ours = _many_rows(sqlite_store, MOST_ROWS + 1)
    quick = SummaryQuestions(sqlite_store.database, TEAMS)
    for asked, given_ in ((MOST_ROWS + 1, MOST_ROWS), (0, 1)):
        page = quick.pulls(ours, ListSlice(limit=asked))
        assert len(page.rows) == given_
        assert page.after is not None


def test_a_list_may_grow_while_somebody_reads_it(sqlite_store: Store) -> None:
    for number in (1, 3):
        sqlite_store.audits.save(42, number, document(pull_request=number), now=NOW)
    quick, ours = SummaryQuestions(sqlite_store.database, PEOPLE), PullSelection((42,))
    first = quick.pulls(ours, ListSlice(limit=1))
    for number in (2, 4):
        sqlite_store.audits.save(42, number, document(pull_request=number), now=NOW)
    rest = quick.pulls(ours, ListSlice(after=first.after))
    assert [row.pull_request for row in (*first.rows, *rest.rows)] == [3, 2, 1]


def test_a_repository_without_a_name_is_called_by_its_number(sqlite_store: Store) -> None:
    sqlite_store.audits.save(42, 17, document(), now=NOW)
    row = SummaryQuestions(sqlite_store.database, PEOPLE).pull(42, 17)
    assert row is not None
    assert (row.repository, row.title, row.author, row.team) == ("repository 42", None, None, None)
    assert SummaryQuestions(sqlite_store.database, PEOPLE).pull(42, 18) is None


def test_what_github_says_is_noted_without_a_new_audit(store: Store) -> None:
    store.audits.save(42, 17, document(), now=NOW)
    store.audits.save(42, 17, document(), now=NOW, about=PullFacts(title="Two", author="Ann"))
    store.audits.save(42, 17, document(state=AuditState.FINAL), now=NOW)
    (row,) = SummaryQuestions(store.database, PEOPLE).pulls(PullSelection((42,)), ListSlice()).rows
    assert (row.title, row.author, row.audit_number, row.state) == (
        "Two",
        "Ann",
        2,
        AuditState.FINAL,
    )


def test_a_place_of_another_list_is_refused(sqlite_store: Store) -> None:
    for number in (1, 2):
        sqlite_store.audits.save(42, number, document(pull_request=number), now=NOW)
    quick, ours = SummaryQuestions(sqlite_store.database, PEOPLE), PullSelection((42,))
    after = quick.pulls(ours, ListSlice(limit=1)).after
    assert after is not None
    for wrong in (
        ListSlice(PullOrder.SHARE, after=after),
        ListSlice(after="no place"),
        ListSlice(after=""),
    ):
        with pytest.raises(ValueError, match="begin again"):
            quick.pulls(ours, wrong)
