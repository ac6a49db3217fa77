"""Gemini CLI's metrics and events, and those of its fork Qwen Code.

Names: https://github.com/google-gemini/gemini-cli 0.56 (5411f11), packages/core/src/telemetry, and
https://github.com/QwenLM/qwen-code (2b83e6a, 1089705), which has another prefix and fewer
attributes. Input includes what was cached. Thoughts stand beside output with Google's models and
inside it with OpenAI's interface, which Qwen Code uses; an event's total tells which.
"""

from ghapp.otlp.nouns import LogEvent, MetricKind, TelemetryFacts, to_datetime
from ghapp.otlp.refusals import RefusalReason
from ghapp.otlp.senders.event_keys import key_of
from ghapp.otlp.senders.teller import teller
from ghapp.otlp.told import (
    Counted,
    RowHead,
    SeriesMeasure,
    TelemetrySource,
    TelemetryTeller,
    ToldDecision,
    ToldTokens,
)
from ghapp.usage.answers import TokenCounts
from ghapp.usage.decisions import DecidedBy, EditDecision

AGENTS = {"gemini_cli": "gemini-cli", "qwen-code": "qwen-code"}
"""Prefix of the names → agent."""
PREFIXES = tuple(f"{prefix}." for prefix in AGENTS)
METRICS = {
    f"{prefix}.{name}": MetricKind.SUM
    for prefix in AGENTS
    for name in ("token.usage", "session.count", "lines.changed")
}
EVENTS = frozenset(
    f"{prefix}.{name}" for prefix in AGENTS for name in ("api_response", "tool_call")
)
EDITING = frozenset({"edit", "replace", "write_file"})

_TOKENS: dict[str, Counted] = {
    "input": "input_with_cache",
    "output": "output",
    "cache": "cache_read",
    "thought": "reasoning_beside_output",
    "tool": "input",
}
_DECISIONS = {
    "accept": (EditDecision.ACCEPTED, DecidedBy.PERSON),
    "modify": (EditDecision.ACCEPTED, DecidedBy.PERSON),
    "reject": (EditDecision.REFUSED, DecidedBy.PERSON),
    # Also what a person's "always" says, at the time and ever after.
    "auto_accept": (EditDecision.ACCEPTED, DecidedBy.AUTOMATIC),
}


def measure(facts: TelemetryFacts) -> SeriesMeasure | RefusalReason | None:
    """Return what a series counts; ``None``: nothing that is asked for."""
    told_by = _teller(facts, TelemetrySource.METRICS)
    what, kind = facts.name.partition(".")[2], facts.text("type")
    if what == "session.count":
        return SeriesMeasure(counted="agent_sessions", head=RowHead(teller=told_by))
    if what == "lines.changed":
        return (
            SeriesMeasure(counted="lines", head=RowHead(teller=told_by))
            if kind == "added"
            else None
        )
    counted = _TOKENS.get(kind or "")
    if counted is None:
        return RefusalReason.INCOMPLETE
    if counted == "reasoning_beside_output" and told_by.agent == "qwen-code":
        counted = "reasoning_in_output"
    return SeriesMeasure(counted=counted, head=RowHead(teller=told_by, model=facts.text("model")))


def told(event: LogEvent) -> ToldTokens | ToldDecision | RefusalReason | None:
    """Return what an event tells; ``None``: nothing that is asked for."""
    told_by = _teller(event, TelemetrySource.EVENTS)
    if event.name.endswith(".api_response"):
        return _answer(event, told_by)
    return _edit(event, told_by) if event.text("function_name") in EDITING else None


def _answer(event: LogEvent, told_by: TelemetryTeller) -> ToldTokens | RefusalReason:
    sent, written = event.count("input_token_count"), event.count("output_token_count")
    if sent is None or written is None:
        return RefusalReason.INCOMPLETE
    cached, thoughts = event.count("cached_content_token_count") or 0, _thoughts(event)
    is_inside = _are_inside(event, sent + written, thoughts)
    if cached > sent or (is_inside and thoughts > written):
        return RefusalReason.DOES_NOT_ADD_UP
    return ToldTokens(
        teller=told_by,
        at=to_datetime(event.at),
        model=event.text("model"),
        tokens=TokenCounts(
            input=sent - cached + (event.count("tool_token_count") or 0),
            output=written + (0 if is_inside else thoughts),
            cache_read=cached,
            reasoning=thoughts,
        ),
        answers=1,
        key=key_of(event, "response_id"),
    )


def _thoughts(event: LogEvent) -> int:
    return event.count("thoughts_token_count") or 0


def _are_inside(event: LogEvent, without: int, thoughts: int) -> bool:
    """Return whether output includes the thoughts: the total then has no room for them."""
    total = event.count("total_token_count")
    if not total:
        return event.name.startswith("qwen-code.")
    return thoughts > 0 and total < without + thoughts


def _edit(event: LogEvent, told_by: TelemetryTeller) -> ToldDecision | RefusalReason:
    """Return a decided edit. A call that nobody was asked about has no decision."""
    did, failed = event.get("success") is True, event.get("success") is False
    default = (EditDecision.ACCEPTED, None) if did else None
    known = _DECISIONS.get(event.text("decision") or "", default)
    if failed and (known is None or known[0] is EditDecision.ACCEPTED):
        known = (EditDecision.FAILED, None)
    if known is None:
        return RefusalReason.INCOMPLETE
    return ToldDecision(
        teller=told_by,
        at=to_datetime(event.at),
        tool=str(event.text("function_name")),
        language=None,
        decision=known[0],
        decided_by=known[1],
        edits=1,
        key=key_of(event),
    )


def _teller(facts: TelemetryFacts, source: TelemetrySource) -> TelemetryTeller:
    version = facts.text("service.version")
    # Gemini CLI sends the version of Node.js there: v22.19.0
    is_own = version is not None and not version.startswith("v")
    agent = AGENTS[facts.name.partition(".")[0]]
    return teller(
        facts,
        source,
        agent,
        version=version if is_own else None,
        agent_session=facts.text("session.id"),
    )
