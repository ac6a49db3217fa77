"""What telemetry tells of usage: who told it, tokens, decided edits, lines and agent sessions.

Numbers of events and of metrics are different sources of the same work: they are never added
(docs/decisions/0027-one-source-counts.md).
"""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from ghapp.attribution.model import Struct
from ghapp.usage.answers import TokenCounts
from ghapp.usage.decisions import DecidedBy, EditDecision
from ghapp.usage.price_class import PLAIN


class TelemetrySource(StrEnum):
    """Which signal told it."""

    EVENTS = "events"
    METRICS = "metrics"


class IdentityClaims(Struct, frozen=True):
    """Whom a sender says it works for. Anybody can claim anything; ``None``: not claimed."""

    email: str | None = None
    """In lower case."""
    account: str | None = None
    """The vendor's name of the account."""
    installation: str | None = None
    """The tool's own number of the machine's user; it is not a person."""
    person: str | None = None
    """``enduser.id``, which device management sets."""
    login: str | None = None
    """``github.login``, which device management sets."""


class TelemetryTeller(Struct, frozen=True):
    """Who told something: an agent on somebody's machine."""

    source: TelemetrySource
    agent: str
    agent_version: str | None
    agent_session: str | None
    """``None``: the sender names none (Codex's and Qwen Code's metrics)."""
    claims: IdentityClaims
    repository: str | None = None
    """``host/owner/name`` in lower case; ``None``: not sent."""


Counted = Literal[
    "input",
    "input_with_cache",
    "output",
    "reasoning_in_output",
    "reasoning_beside_output",
    "cache_read",
    "cache_write",
    "edits",
    "lines",
    "agent_sessions",
]
"""What the points of a series count. Plain texts, because every point is added by one."""


class RowHead(Struct, frozen=True):
    """What the points of one row have in common."""

    teller: TelemetryTeller
    model: str | None = None
    is_aside: bool = False
    variant: str = PLAIN
    """Of another price than the ordinary one; see `ghapp.usage.price_class`."""
    tool: str | None = None
    language: str | None = None
    decision: EditDecision | None = None
    decided_by: DecidedBy | None = None


class SeriesMeasure(Struct, frozen=True):
    """What a point of a series means."""

    head: RowHead
    counted: Counted


class ToldTokens(Struct, frozen=True):
    """Tokens of one answer (events), or of a request's answers on one day (metrics)."""

    teller: TelemetryTeller
    at: datetime
    model: str | None
    tokens: TokenCounts
    answers: int | None
    """``None``: metrics count tokens only."""
    is_aside: bool = False
    variant: str = PLAIN
    key: str | None = None
    """Equal keys of one agent are the same answer. ``None``: nothing tells it from others, so that
    only an identical request is known to be a repetition; so it is with metrics."""


class ToldDecision(Struct, frozen=True):
    """What became of edits."""

    teller: TelemetryTeller
    at: datetime
    tool: str
    language: str | None
    decision: EditDecision
    decided_by: DecidedBy | None
    edits: int
    lines: int | None = None
    """Lines that these edits added; ``None``: not told here."""
    key: str | None = None
    """As of `ToldTokens`."""


class ToldLines(Struct, frozen=True):
    """Lines that tools added; they belong to no single edit."""

    teller: TelemetryTeller
    at: datetime
    model: str | None
    language: str | None
    added: int


class ToldAgentSessions(Struct, frozen=True):
    """Agent sessions that began."""

    teller: TelemetryTeller
    at: datetime
    started: int


class ToldUsage(Struct, frozen=True):
    """All that one request tells."""

    tokens: list[ToldTokens]
    decisions: list[ToldDecision]
    lines: list[ToldLines]
    agent_sessions: list[ToldAgentSessions]
