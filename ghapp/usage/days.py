"""Usage by agent session and day: the rows that machines send and the app keeps. Numbers only.

Days are UTC days. A row names no path, no prompt and no text of any kind. A version or model whose
name does not look like one is unknown in a row, a tool is `OTHER_TOOL`, and the name of an agent
session is replaced by one made of it: `misfits` counts them, since nothing is left out silently.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, date
from typing import Annotated

from msgspec import Meta

from ghapp.attribution.model import PassedOver, Struct
from ghapp.summaries.languages import language_of
from ghapp.usage.answers import Count, TokenCounts, UsageRecord, known_sum
from ghapp.usage.decisions import DecidedBy, DecidedEdit, EditDecision
from ghapp.usage.price_class import PLAIN, context_of

# 2.1.240, claude-opus-4-5[1m], mcp__acp__Edit
_VERSION = re.compile(r"^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}$")
_MODEL = re.compile(r"^[0-9A-Za-z][0-9A-Za-z.:@/+_\[\]-]{0,99}$")
_TOOL = re.compile(r"^[0-9A-Za-z][0-9A-Za-z._:-]{0,63}$")

AgentName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,38}$")]
SessionName = Annotated[str, Meta(min_length=1, max_length=255)]
Version = Annotated[str, Meta(pattern=_VERSION.pattern)]
Model = Annotated[str, Meta(pattern=_MODEL.pattern)]
ToolName = Annotated[str, Meta(pattern=_TOOL.pattern)]
Variant = Annotated[str, Meta(pattern=r"^(?:[a-z]{1,9}(?:,[a-z]{1,9}){0,4})?$")]
ContextTier = Annotated[int, Meta(ge=0, le=1_000_000)]
Language = Annotated[str, Meta(min_length=1, max_length=40)]


OTHER_TOOL = "other"
"""Stands for a tool whose name does not look like one."""

NO_TOOL = ""
"""Stands for the tool of lines that belong to no single edit: a source counts them by themselves,
as accepted ones of no edit. What was suggested it does not say."""

UNNAMED_SESSION = ""
"""Stands for the agent session of a source that names none; it is never counted as one."""


class TokenDay(Struct, frozen=True):
    """The tokens of one agent session on one day by one model."""

    agent: AgentName
    agent_session: SessionName
    day: date
    tokens: TokenCounts
    answers: Count | None
    """Answers of the model; ``None``: the source counts tokens only."""
    model: Model | None = None
    """``None``: not recorded, as for the version."""
    agent_version: Version | None = None
    is_aside: bool = False
    """Of subagents and other side conversations."""
    variant: Variant = PLAIN
    context: ContextTier | None = None
    """All answers' prompts exceed so many thousand tokens, and none the next threshold of the
    model (see `ghapp.usage.price_class`); ``None``: the source tells sums, not answers."""


class DecisionDay(Struct, frozen=True):
    """What became of one agent session's edits on one day, by tool and language."""

    agent: AgentName
    agent_session: SessionName
    day: date
    tool: ToolName
    language: Language | None
    """``None``: the source names no file."""
    decision: EditDecision
    decided_by: DecidedBy | None
    """``None``: the source does not say."""
    edits: Count
    lines: Count | None
    """Lines that these edits added, or would have, had they not been refused; ``None``: of none of
    them they are known."""
    agent_version: Version | None = None


UsageRow = TokenDay | DecisionDay


def token_days(answers: Iterable[UsageRecord]) -> list[TokenDay]:
    """Return the rows of answers that count, each answer in one row."""
    parts: defaultdict[tuple[object, ...], list[UsageRecord]] = defaultdict(list)
    for one in answers:
        head = one.agent, _session(one), _day(one), _fitting(_MODEL, one.model)
        price_class = one.variant, _context(one)
        parts[(*head, _fitting(_VERSION, one.version), one.is_aside, *price_class)].append(one)
    return [
        TokenDay(
            agent=own[0].agent,
            agent_session=_session(own[0]),
            day=_day(own[0]),
            tokens=sum((one.tokens for one in own), TokenCounts()),
            answers=_answers(own),
            model=_fitting(_MODEL, own[0].model),
            agent_version=_fitting(_VERSION, own[0].version),
            is_aside=own[0].is_aside,
            variant=own[0].variant,
            context=_context(own[0]),
        )
        for own in parts.values()
    ]


def decision_days(decisions: Iterable[DecidedEdit]) -> list[DecisionDay]:
    """Return the rows of decided edits, each edit in one row."""
    parts: defaultdict[tuple[object, ...], list[DecidedEdit]] = defaultdict(list)
    for one in decisions:
        head = one.agent, _session(one), _day(one), _tool(one), _language(one)
        version = _fitting(_VERSION, one.version)
        parts[(*head, one.decision, one.decided_by, version)].append(one)
    return [
        DecisionDay(
            agent=own[0].agent,
            agent_session=_session(own[0]),
            day=_day(own[0]),
            tool=_tool(own[0]),
            language=_language(own[0]),
            decision=own[0].decision,
            decided_by=own[0].decided_by,
            edits=len(own),
            lines=known_sum(one.lines for one in own),
            agent_version=_fitting(_VERSION, own[0].version),
        )
        for own in parts.values()
    ]


def misfits(records: Iterable[UsageRecord | DecidedEdit]) -> tuple[PassedOver, ...]:
    """Return how many records name what does not fit into a row, by agent and kind."""
    found: Counter[tuple[str, str]] = Counter()
    for one in records:
        named = {
            "names of models that cannot be": one.model is not None
            and _fitting(_MODEL, one.model) is None,
            "versions that cannot be": one.version is not None
            and _fitting(_VERSION, one.version) is None,
            "names of tools that cannot be": isinstance(one, DecidedEdit)
            and _tool(one) != one.tool,
            "names of agent sessions that cannot be": _session(one) != one.agent_session,
        }
        found.update((one.agent, what) for what, is_misfit in named.items() if is_misfit)
    return tuple(
        PassedOver(agent=agent, what=what, count=count)
        for (agent, what), count in sorted(found.items())
    )


def fitting_model(name: str | None) -> str | None:
    """Return a model's name; ``None``: unknown, or it does not look like one."""
    return _fitting(_MODEL, name)


def _fitting(pattern: re.Pattern[str], name: str | None) -> str | None:
    """Return a name; ``None``: unknown, or it does not look like one."""
    return name if name is not None and pattern.fullmatch(name) else None


def _tool(one: DecidedEdit) -> str:
    return _fitting(_TOOL, one.tool) or OTHER_TOOL


def _session(one: UsageRecord | DecidedEdit) -> str:
    name = one.agent_session
    return name if 0 < len(name) <= 255 and name.isprintable() else _made(name)


def _made(name: str) -> str:
    """Return a name that stands for one that cannot be: equal names get equal ones."""
    return hashlib.sha256(name.encode(errors="replace")).hexdigest()[:32]


def _answers(own: Iterable[UsageRecord]) -> int | None:
    known = [one.answers for one in own]
    return None if None in known else sum(one for one in known if one is not None)


def _context(one: UsageRecord) -> int | None:
    return context_of(one.model, one.tokens) if one.answers == 1 else None


def _day(one: UsageRecord | DecidedEdit) -> date:
    return one.at.astimezone(UTC).date()


def _language(one: DecidedEdit) -> str | None:
    return None if one.path is None else language_of(one.path)
