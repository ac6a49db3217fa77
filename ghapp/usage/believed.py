"""Token counts as records have them: believed, or left out with a word. It knows no agent."""

import msgspec

from ghapp.attribution.model import PassedOver
from ghapp.usage.answers import TokenCounts, UsageRecord

Told = UsageRecord | PassedOver
"""What a reader of tokens yields: a record of an answer, or one that it left out."""

MOST_OF_ONE = 10**9
"""Tokens of one kind in one record; no model reads or writes more for one answer."""

IMPOSSIBLE = "answers with impossible token counts"
UNTIMED = "answers without a time"


def left_out(agent: str, what: str) -> PassedOver:
    """Return the word about one record whose tokens are not counted."""
    return PassedOver(agent=agent, what=what, count=1)


def count(value: object) -> int | None:
    """Return a count, 0 where a record has none; ``None``: the value is no count.

    >>> count(None), count(7), count(7.0), count(-1), count("7"), count(2**63)
    (0, 7, 7, None, None, None)
    """
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 <= value <= MOST_OF_ONE or value != int(value):
        return None
    return int(value)


def counts(*values: object) -> tuple[int, ...] | None:
    """Return some counts; ``None``: one of them is none, so none can be believed."""
    found = [count(value) for value in values]
    known = tuple(one for one in found if one is not None)
    return known if len(known) == len(found) else None


def reasoning_of(value: object) -> int | None:
    """Return the count of reasoning tokens; ``None``: not recorded, or not to be believed."""
    return None if value is None else count(value)


def uncached(usage: msgspec.Struct | None) -> TokenCounts | None:
    """Return the counts of a record that tells four; ``None``: they cannot be believed.

    In this order: input without what was cached, output, read from a cache, written to it.
    """
    found = counts(*msgspec.structs.astuple(usage)) if usage else None
    if found is None:
        return None
    fresh, output, read_, written = found
    return TokenCounts(input=fresh, output=output, cache_read=read_, cache_write_5m=written)


def known_by(time: object, tokens: TokenCounts) -> str:
    """Return what an answer without an id is known by: its time as written, and its tokens."""
    numbers = (tokens.input, tokens.output, tokens.cache_read, tokens.cache_write_5m)
    return ":".join(map(str, (time, *numbers)))


def disbelieved(agent: str, tokens: object) -> PassedOver:
    """Return the word about a record without tokens or a time that can be believed."""
    return left_out(agent, IMPOSSIBLE if tokens is None else UNTIMED)
