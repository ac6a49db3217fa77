"""On which days agents edited: known when the edits are gone, and forgotten with a person."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from ghapp.store import Store
from ghapp.store.erasures import ErasedBy
from ghapp.store.evidence import ErasureScope
from ghapp.store.schema import agent_day
from ghapp.store.summaries import activity
from ghapp.store.summaries.questions import SummaryQuestions
from ghapp.store.summaries.tally import day_number
from ghapp.summaries.counts import AdoptionDay
from ghapp.summaries.selection import PullSelection, TimeGrain
from tests.searching import searched
from tests.store.records import DAY, MINUTE, NOW, edit
from tests.store.summaries.slow_summaries import at_noon
from tests.store.summaries.worlds import (
    AGENTS,
    FIRST,
    LAST,
    TEAMS,
    World,
    days,
    edits_of,
    organizations,
)


def adoption(store: Store, selection: PullSelection) -> tuple[AdoptionDay, ...]:
    """Return the adoption that an organization's page shows: 13 weeks, longer than any example."""
    quick = SummaryQuestions(store.database, TEAMS)
    return quick.organization(selection, TimeGrain.DAY, today=LAST).adoption


@searched(6)
@given(st.data())
def test_adoption_is_equal_to_a_slow_count_over_the_edits(
    store: Store, data: st.DataObject
) -> None:
    world = World(store, data.draw(organizations(6)))
    for repository_id in world.ids[:2]:
        for _ in range(2):
            # The second time some edits come again as better copies, on other days.
            edits = data.draw(edits_of(repository_id))
            store.evidence.add(repository_id, edits, now=NOW)
        start, end = at_noon(FIRST) - timedelta(1), at_noon(LAST) + timedelta(1)
        world.edits[repository_id] = list(store.evidence.of(repository_id, start, end))
    asked = PullSelection(
        tuple(world.ids),
        since=data.draw(st.none() | days),
        until=data.draw(st.none() | days),
        agent=data.draw(st.none() | st.sampled_from(AGENTS)),
    )
    before = adoption(store, asked)
    assert before == world.slow().adoption(asked)
    for repository_id in world.ids:
        activity.rebuild(store.database, repository_id)
    assert adoption(store, asked) == before


def test_evidence_that_is_too_old_leaves_the_adoption_as_it_was(store: Store) -> None:
    store.evidence.add(42, [edit("e1", actor="Ann")], now=NOW)
    quick = SummaryQuestions(store.database, TEAMS)
    today = NOW.date()
    before = quick.organization(PullSelection((42,)), TimeGrain.DAY, today=today).adoption
    assert before
    assert store.evidence.expire(NOW + timedelta(1)) == 1
    after = quick.organization(PullSelection((42,)), TimeGrain.DAY, today=today).adoption
    assert after == before


def noted(store: Store) -> set[tuple[int, int, str, str]]:
    """Return repository, day counted from that of `NOW`, agent session and person."""
    first, columns = day_number(NOW.date()), agent_day.c
    query = select(columns.repository_id, columns.day, columns.agent_session, columns.actor)
    with store.database.read() as connection:
        found = connection.execute(query)
        return {(one, day - first, session, actor) for one, day, session, actor in found}


def test_a_day_is_noted_once_for_each_session_and_person(store: Store) -> None:
    same = [edit("a", actor="Ann"), edit("b", actor="ann", at=NOW + MINUTE), edit("c")]
    store.evidence.add(42, [*same, edit("d", at=NOW + DAY, agent_session="s2")], now=NOW)
    assert noted(store) == {(42, 0, "s1", "ann"), (42, 0, "s1", ""), (42, 1, "s2", "")}


def test_a_better_copy_moves_the_session_and_names_the_person(store: Store) -> None:
    store.evidence.add(42, [edit("a", agent_session="s2")], now=NOW)
    store.evidence.add(42, [edit("a", actor="ann")], now=NOW)
    assert noted(store) == {(42, 0, "s1", "ann")}


def test_with_a_person_go_the_days_of_expired_edits(store: Store) -> None:
    edits = [edit("a", actor="Ann", at=NOW - 9 * DAY), edit("b", actor="bob"), edit("c")]
    store.evidence.add(42, edits, now=NOW)
    store.evidence.expire(NOW - DAY)
    assert (42, -9, "s1", "ann") in noted(store)
    store.evidence.erase(ErasureScope(login="ANN"), ErasedBy.ADMINISTRATOR, now=NOW)
    assert noted(store) == {(42, 0, "s1", "bob"), (42, 0, "s1", "")}


def test_days_without_edits_stay_when_the_others_are_made_again(store: Store) -> None:
    store.evidence.add(42, [edit("a", at=NOW - 9 * DAY), edit("b")], now=NOW)
    store.evidence.expire(NOW - DAY)
    before = noted(store)
    with store.database.write() as connection:
        connection.execute(agent_day.delete().where(agent_day.c.day == day_number(NOW.date())))
    activity.rebuild(store.database, 42)
    assert noted(store) == before == {(42, -9, "s1", ""), (42, 0, "s1", "")}
