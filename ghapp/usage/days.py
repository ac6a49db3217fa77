"""Usage by agent session and day: the rows that machines send and the app keeps. Numbers only.

Days are UTC days. A row names no path, no prompt and no text of any kind.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date
from typing import Annotated

from msgspec import Meta

from ghapp.attribution.model import Struct
from ghapp.summaries.languages import language_of
from ghapp.usage.answers import Count, TokenCounts, UsageRecord
from ghapp.usage.decisions import DecidedBy, DecidedEdit, EditDecision

AgentName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,38}$")]
SessionName = Annotated[str, Meta(min_length=1, max_length=255)]
Version = Annotated[str, Meta(pattern=r"^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}$")]
Model = Annotated[str, Meta(pattern=r"^[0-9A-Za-z][0-9A-Za-z.:@/+_\[\]-]{0,99}$")]
ToolName = Annotated[str, Meta(pattern=r"^[0-9A-Za-z][0-9A-Za-z._:-]{0,63}$")]
Language = Annotated[str, Meta(min_length=1, max_length=40)]


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
    """Lines added by the accepted edits whose lines are known; ``None``: of none they are."""
    agent_version: Version | None = None


def token_days(answers: Iterable[UsageRecord]) -> list[TokenDay]:
    """Return the rows of answers that count, each answer in one row."""
    parts: defaultdict[tuple[object, ...], list[UsageRecord]] = defaultdict(list)
    for one in answers:
        key = (one.agent, one.agent_session, _day(one), one.model, one.version, one.is_aside)
        parts[key].append(one)
    return [
        TokenDay(
            agent=own[0].agent,
            agent_session=own[0].agent_session,
            day=_day(own[0]),
            tokens=sum((one.tokens for one in own), TokenCounts()),
            answers=len(own),
            model=own[0].model,
            agent_version=own[0].version,
            is_aside=own[0].is_aside,
        )
        for own in parts.values()
    ]


def decision_days(decisions: Iterable[DecidedEdit]) -> list[DecisionDay]:
    """Return the rows of decided edits, each edit in one row."""
    parts: defaultdict[tuple[object, ...], list[DecidedEdit]] = defaultdict(list)
    for one in decisions:
        head = (one.agent, one.agent_session, _day(one), one.tool, _language(one))
        parts[(*head, one.decision, one.decided_by, one.version)].append(one)
    return [
        DecisionDay(
            agent=own[0].agent,
            agent_session=own[0].agent_session,
            day=_day(own[0]),
            tool=own[0].tool,
            language=_language(own[0]),
            decision=own[0].decision,
            decided_by=own[0].decided_by,
            edits=len(own),
            lines=_added(own),
            agent_version=own[0].version,
        )
        for own in parts.values()
    ]


def _day(one: UsageRecord | DecidedEdit) -> date:
    return one.at.astimezone(UTC).date()


def _language(one: DecidedEdit) -> str | None:
    return None if one.path is None else language_of(one.path)


def _added(decisions: Iterable[DecidedEdit]) -> int | None:
    known = [one.lines for one in decisions if one.lines is not None]
    return sum(known) if known else None
