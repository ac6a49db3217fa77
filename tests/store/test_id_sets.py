"""One of some numbers as one parameter: the rows that Python would choose, on both databases."""

import pytest
from sqlalchemy import select

from ghapp.store import Repository, Store
from ghapp.store.id_sets import among
from ghapp.store.schema import repository
from tests.store.records import NOW

KEPT = (1, 2, 2**31, 2**63 - 1)
MANY = tuple(range(40_000))
"""More than SQLite takes parameters."""


@pytest.mark.parametrize("asked", [(), (2,), (7,), KEPT, (-1, 2, 2), MANY])
def test_the_rows_are_those_of_the_numbers(store: Store, asked: tuple[int, ...]) -> None:
    seen = [Repository(id=one, owner="acme", name=f"r{one}") for one in KEPT]
    store.installations.repositories_seen(seen, now=NOW)
    query = select(repository.c.id).where(among(repository.c.id, asked), repository.c.id > 0)
    without = select(repository.c.id).where(~among(repository.c.id, asked))
    with store.database.read() as connection:
        found = set(connection.execute(query).scalars())
        others = set(connection.execute(without).scalars())
    assert found == set(KEPT) & set(asked)
    assert others == set(KEPT) - set(asked)
