"""Rows on their way: in chunks, as text that both databases take, as structs."""

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import literal, select

from ghapp.attribution.model import Struct
from ghapp.store import Store
from ghapp.store.rows import CHUNK, chunks, clean, struct_of
from tests.store.records import NOW


class Pair(Struct, frozen=True):
    """What is made of a row."""

    one: int
    two: str | None = None


def test_chunks_hold_every_value_once() -> None:
    values = [*range(CHUNK + 1)]
    assert [*chunks(iter(values))] == [values[:-1], values[-1:]]
    assert [*chunks("abcd", 2)] == [["a", "b"], ["c", "d"]]
    assert [*chunks([])] == []


@given(st.text(st.characters(exclude_categories=())))
def test_clean_text_can_be_kept_and_stays_as_it_is(text: str) -> None:
    found = clean(text)
    assert "\0" not in found
    assert found.encode().decode() == found == clean(found)
    assert len(found) == len(text)
    if "\0" not in text and not any("\ud800" <= one <= "\udfff" for one in text):
        assert found == text


def test_no_text_stays_none() -> None:
    assert clean(None) is None


def test_clean_text_comes_back(store: Store) -> None:
    store.cursors.move("a", "nul \0, half \ud83d, whole \U0001f600, é", now=NOW)
    assert store.cursors.read("a") == "nul \ufffd, half ?, whole \U0001f600, é"


def test_a_struct_takes_the_columns_that_it_knows(store: Store) -> None:
    query = select(literal(1).label("one"), literal("b").label("two"), literal(3).label("more"))
    row = store.database.first(query)
    assert row is not None
    assert struct_of(Pair, row) == Pair(1, "b")
    assert struct_of(Pair, row, two=None) == Pair(1)
