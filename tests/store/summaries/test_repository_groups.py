"""Which repositories are read by group and which one by one: each counts exactly once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.store import Store
from ghapp.store.schema import tally_member
from ghapp.store.summaries.repository_groups import GroupCover, cover
from tests.searching import searched

GROUPS = {100: range(1, 7), 200: range(11, 14), 300: range(21, 22)}


def _groups(store: Store) -> None:
    rows = [
        {"repository_id": one, "group_id": group} for group, ids in GROUPS.items() for one in ids
    ]
    with store.database.write() as connection:
        connection.execute(store.database.insert(tally_member).on_conflict_do_nothing(), rows)


def _cover(store: Store, *ids: int) -> GroupCover:
    with store.database.read() as connection:
        return cover(connection, ids)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ((), GroupCover((), (), ())),
        ((1,), GroupCover((), (1,), ())),
        ((11, 12, 13), GroupCover((200,), (), ())),
        ((11, 12, 99), GroupCover((200,), (99,), (13,))),
        ((11,), GroupCover((), (11,), ())),
        ((1, 2, 3, 4), GroupCover((100,), (), (5, 6))),
        ((1, 2, 3), GroupCover((), (1, 2, 3), ())),
        ((21, 99), GroupCover((), (21, 99), ())),
    ],
)
def test_a_group_is_used_where_it_saves_half_of_the_rows(
    store: Store, asked: tuple[int, ...], found: GroupCover
) -> None:
    _groups(store)
    assert _cover(store, *asked) == found


@searched(20)
@given(st.sets(st.sampled_from([*range(1, 7), *range(11, 14), 21, 99])))
def test_every_repository_counts_once(sqlite_store: Store, asked: set[int]) -> None:
    _groups(sqlite_store)
    found = _cover(sqlite_store, *asked)
    grouped = {one for group in found.groups for one in GROUPS[group]}
    assert set(found.taken) <= grouped
    assert not grouped & set(found.added)
    assert (grouped - set(found.taken)) | set(found.added) == asked
