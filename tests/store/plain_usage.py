"""Rows of usage as sources send them, and which of them count, in the plainest way."""

from collections.abc import Iterable, Sequence

from ghapp.store import AddedUsage, Store, StoredUsage, UsageOrigin
from ghapp.usage.days import UsageRow
from ghapp.usage.sources import UsageSource
from tests.store.records import NOW


def add(store: Store, origin: UsageOrigin, rows: Sequence[UsageRow]) -> None:
    """Add rows in a transaction of their own."""
    with store.database.write() as connection:
        store.usage.lock(connection, origin.installation_id)
        store.usage.add(connection, [AddedUsage(origin, rows)], now=NOW)


def counting(rows: Iterable[StoredUsage]) -> list[StoredUsage]:
    """Return the rows of the first source of each person's day with an agent."""
    found = list(rows)
    first: dict[object, UsageSource] = {}
    for one in found:
        first[key(one)] = min(first.get(key(one), one.source), one.source)
    return [one for one in found if one.source == first[key(one)]]


def key(one: StoredUsage) -> object:
    return one.person, one.row.day, one.row.agent
