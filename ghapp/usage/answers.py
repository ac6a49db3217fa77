"""Tokens of answers: the nouns, and which records of one answer count. It reads no format.

An agent writes an answer's tokens more than once: once for each block, again when a session is
resumed or forked. `settled` counts each answer once, over all files and in any order of them.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from ghapp.attribution.model import Struct

# msg_01A09q90qw90lq917835lq9q, msg_bdrk_01…
_DRAWN = re.compile(r"msg_\w{20,}")
"""An id that its maker drew by chance: no other answer has it, whatever its request is."""

MOST = 10**12
"""The largest count of a row. Nine million of them still fit a 64-bit sum."""

Count = Annotated[int, Meta(ge=0, le=MOST)]


def less(now: int | None, before: int | None) -> int | None:
    """Return a difference; ``None``: one of both is unknown."""
    return None if now is None or before is None else now - before


def known_sum(amounts: Iterable[int | None]) -> int | None:
    """Return the sum of the known amounts; ``None``: none of them is known."""
    known = [one for one in amounts if one is not None]
    return sum(known) if known else None


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
        return TokenCounts(
            input=self.input + other.input,
            output=self.output + other.output,
            cache_read=self.cache_read + other.cache_read,
            cache_write_5m=self.cache_write_5m + other.cache_write_5m,
            cache_write_1h=self.cache_write_1h + other.cache_write_1h,
            cache_write_unsplit=self.cache_write_unsplit + other.cache_write_unsplit,
            reasoning=known_sum((self.reasoning, other.reasoning)),
        )


def total_tokens(counts: Iterable[TokenCounts]) -> TokenCounts:
    """Return the sum of many, quicker than one by one."""
    rows = [msgspec.structs.astuple(one) for one in counts]
    if not rows:
        return TokenCounts()
    found = dict(zip(TOKEN_KINDS, zip(*rows, strict=True), strict=True))
    reasoning = known_sum(found.pop("reasoning"))
    counts_by_kind = {kind: sum(of_kind) for kind, of_kind in found.items()}
    return TokenCounts(**counts_by_kind, reasoning=reasoning)


TOKEN_KINDS = TokenCounts.__struct_fields__


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
    variant: str = ""
    """Of another price than the ordinary one; see `ghapp.usage.price_class`."""
    answers: Count | None = 1
    """How many answers it adds up; ``None``: a sum that does not say of how many."""


def settled(records: Iterable[UsageRecord]) -> list[UsageRecord]:
    """Return one record for each answer, in the order of their times (see `AnswerSettling`)."""
    settling = AnswerSettling()
    for one in records:
        settling.add(one)
    return settling.answers()


class AnswerSettling:
    """Which records count, one after the other: it keeps one for each answer.

    Records of one answer have the same message and request; the one with the largest output
    counts, since earlier ones are written while the answer grows. Of equal ones the first counts,
    by time and then by the agent session's name. A side conversation may repeat answers of its
    parent under another request: the parent's count. A record without a message id is an answer of
    its own. https://github.com/ccusage/ccusage/issues/913
    """

    def __init__(self) -> None:
        self._answers: dict[object, UsageRecord] = {}
        self._parents: set[int] = set()
        """A hash of agent and message of each answer outside of side conversations."""
        self._texts: dict[str, str] = {}

    def add(self, one: UsageRecord) -> None:
        """Take a record."""
        self.note(one)
        key = _key(one)
        if key is None:
            key = len(self._answers)
        known = self._answers.get(key)
        if known is None or _order(one) < _order(known):
            self._answers[key] = self._compact(one)

    def note(self, one: UsageRecord) -> None:
        """Take notice of a record that is not asked for: side conversations may repeat it."""
        if one.message and not one.is_aside:
            self._parents.add(hash((one.agent, one.message)))

    def answers(self) -> list[UsageRecord]:
        """Return the answers so far, in the order of their times."""
        kept = (
            one
            for one in self._answers.values()
            if not (
                one.is_aside and one.message and hash((one.agent, one.message)) in self._parents
            )
        )
        return sorted(kept, key=lambda one: (one.at, one.agent_session, one.message or ""))

    def _compact(self, one: UsageRecord) -> UsageRecord:
        """Return a record whose names are shared with those of others: there are few of them."""
        names = {"agent": one.agent, "agent_session": one.agent_session}
        names |= {
            name: value
            for name in ("model", "version", "project", "variant")
            if (value := getattr(one, name)) is not None
        }
        shared = {name: self._texts.setdefault(value, value) for name, value in names.items()}
        return msgspec.structs.replace(one, **shared)


def _key(one: UsageRecord) -> object:
    """Return what the records of one answer have in common; ``None``: nothing is known of others.

    Without a request, only an id that was drawn by chance names an answer; behind some gateways
    ids repeat. There the agent session and what went into the request belong to the key.
    """
    if not one.message:
        return None
    if one.request or _DRAWN.fullmatch(one.message):
        return one.agent, one.message, one.request
    told = one.tokens
    asked = told.input, told.cache_read, told.cache_write_5m, told.cache_write_1h
    return one.agent, one.message, one.agent_session, *asked


def _order(one: UsageRecord) -> tuple[Any, ...]:
    """Return what decides between two records of one answer; the smaller counts."""
    rest = (
        *msgspec.structs.astuple(one.tokens),
        one.model,
        one.version,
        one.project,
        one.variant,
        one.answers,
    )
    known = ((value is None, "" if value is None else str(value)) for value in rest)
    return one.is_aside, -one.tokens.output, one.at, one.agent_session, *known


def total(answers: Iterable[UsageRecord]) -> TokenCounts:
    """Return the sum of all tokens."""
    return total_tokens(one.tokens for one in answers)
