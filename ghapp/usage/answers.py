"""Tokens of answers: the nouns, and which records of one answer count. It reads no format.

An agent writes an answer's tokens more than once: once for each block, again when a session is
resumed or forked. `settled` counts each answer once, over all files.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from msgspec import Meta

from ghapp.attribution.model import Struct

MOST = 10**12
"""The largest count of a row. Nine million of them still fit a 64-bit sum."""

Count = Annotated[int, Meta(ge=0, le=MOST)]


class TokenCounts(Struct, frozen=True):
    """Tokens by kind. ``input`` excludes what was read from or written to a cache."""

    input: Count = 0
    output: Count = 0
    """Includes ``reasoning``."""
    cache_read: Count = 0
    cache_write_5m: Count = 0
    """Written for 5 minutes; in transcripts also for a time that the record does not say."""
    cache_write_1h: Count = 0
    cache_write_unsplit: Count = 0
    """Written for 5 minutes or for an hour: telemetry does not tell them apart."""
    reasoning: Count | None = None
    """``None``: not recorded."""

    @property
    def cache_write(self) -> int:
        """Everything that was written to a cache."""
        return self.cache_write_5m + self.cache_write_1h + self.cache_write_unsplit

    @property
    def total(self) -> int:
        """All tokens; reasoning is in the output already."""
        return self.input + self.output + self.cache_read + self.cache_write

    def __add__(self, other: "TokenCounts") -> "TokenCounts":
        known = [one for one in (self.reasoning, other.reasoning) if one is not None]
        reasoning = sum(known) if known else None
        return TokenCounts(
            input=self.input + other.input,
            output=self.output + other.output,
            cache_read=self.cache_read + other.cache_read,
            cache_write_5m=self.cache_write_5m + other.cache_write_5m,
            cache_write_1h=self.cache_write_1h + other.cache_write_1h,
            cache_write_unsplit=self.cache_write_unsplit + other.cache_write_unsplit,
            reasoning=reasoning,
        )


class UsageRecord(Struct, frozen=True):
    """What one record says of one answer of a model."""

    agent: str
    agent_session: str
    at: datetime
    model: str | None
    tokens: TokenCounts
    message: str | None = None
    """The answer's id; ``None``: the record names none."""
    request: str | None = None
    """The request's id; with ``message`` it identifies the answer."""
    is_aside: bool = False
    """Of a subagent or another side conversation."""
    version: str | None = None
    project: str | None = None
    """The working directory."""


def settled(records: Iterable[UsageRecord]) -> list[UsageRecord]:
    """Return one record for each answer, in the order of their times.

    Records of one answer have the same message and request; the one with the largest output
    counts, since earlier ones are written while the answer grows. A side conversation may repeat
    answers of its parent under another request: the parent's count. A record without a message
    id is an answer of its own.
    https://github.com/ccusage/ccusage/issues/913
    """
    answers: dict[object, UsageRecord] = {}
    for number, one in enumerate(records):
        key = (one.agent, one.message, one.request) if one.message else number
        known = answers.get(key)
        if known is None or _rank(one) >= _rank(known):
            answers[key] = one
    parents = {(one.agent, one.message) for one in answers.values() if not one.is_aside}
    kept = (
        one
        for one in answers.values()
        if not (one.is_aside and one.message and (one.agent, one.message) in parents)
    )
    return sorted(kept, key=lambda one: (one.at, one.agent_session, one.message or ""))


def _rank(one: UsageRecord) -> tuple[bool, int]:
    """Return what decides between two records of one answer: the parent's, then the longer."""
    return not one.is_aside, one.tokens.output


def total(answers: Iterable[UsageRecord]) -> TokenCounts:
    """Return the sum of all tokens."""
    return sum((one.tokens for one in answers), TokenCounts())


def by_part(answers: Iterable[UsageRecord], names: Iterable[str]) -> dict[str, list[UsageRecord]]:
    """Return the answers by name, given one name for each of them."""
    found: defaultdict[str, list[UsageRecord]] = defaultdict(list)
    for one, name in zip(answers, names, strict=True):
        found[name].append(one)
    return dict(found)
