"""Which rows of usage count, in the plainest way."""

from collections.abc import Iterable

from ghapp.store import StoredUsage
from ghapp.usage.sources import UsageSource


def counting(rows: Iterable[StoredUsage]) -> list[StoredUsage]:
    """Return the rows of the first source of each person's day with an agent."""
    found = list(rows)
    first: dict[object, UsageSource] = {}
    for one in found:
        first[key(one)] = min(first.get(key(one), one.source), one.source)
    return [one for one in found if one.source == first[key(one)]]


def key(one: StoredUsage) -> object:
    return one.person, one.row.day, one.row.agent
