"""Codex's events and its metric of a turn's tokens.

Names: https://github.com/openai/codex, codex-rs/otel (0136a73, 5d8041e) and the turn's end in
codex-rs/core. Counts are texts or numbers. Input includes what was cached, output includes
reasoning. Metrics are deltas and name no thread.
"""

from ghapp.otlp.nouns import LogEvent, MetricKind, TelemetryFacts, to_datetime
from ghapp.otlp.refusals import RefusalReason
from ghapp.otlp.senders.event_keys import failed, key_of
from ghapp.otlp.senders.one_edit import one_edit
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

AGENT = "codex"
PREFIX = "codex."
METRICS = {"codex.turn.token_usage": MetricKind.HISTOGRAM, "codex.thread.started": MetricKind.SUM}
EVENTS = frozenset({"codex.sse_event", "codex.tool_decision", "codex.tool_result"})
EDITING = frozenset({"apply_patch"})
"""Edits by a shell command cannot be told from other commands."""

_TOKENS: dict[str, Counted] = {
    "input": "input_with_cache",
    "cached_input": "cache_read",
    "output": "output",
    "reasoning_output": "reasoning_in_output",
}
_DECIDED_BY = {
    "config": DecidedBy.AUTOMATIC,
    "automatedreviewer": DecidedBy.AUTOMATIC,
    "user": DecidedBy.PERSON,
}


def measure(facts: TelemetryFacts) -> SeriesMeasure | RefusalReason | None:
    """Return what a series counts; ``None``: nothing that is asked for."""
    told_by = _teller(facts, TelemetrySource.METRICS)
    if facts.name == "codex.thread.started":
        return SeriesMeasure(counted="agent_sessions", head=RowHead(teller=told_by))
    kind = facts.text("token_type")
    if kind == "total":
        return None
    counted = _TOKENS.get(kind or "")
    if counted is None:
        return RefusalReason.INCOMPLETE
    return SeriesMeasure(counted=counted, head=RowHead(teller=told_by, model=facts.text("model")))


def told(event: LogEvent) -> ToldTokens | ToldDecision | RefusalReason | None:
    """Return what an event tells; ``None``: nothing that is asked for."""
    told_by = _teller(event, TelemetrySource.EVENTS)
    if event.name == "codex.sse_event":
        return _answer(event, told_by)
    if event.text("tool_name") not in EDITING:
        return None
    if event.name == "codex.tool_decision":
        return _decided(event, told_by)
    if event.get("success") is not False:
        return None
    return one_edit(event, told_by, EditDecision.FAILED, None, failed(key_of(event, "call_id")))


def _answer(event: LogEvent, told_by: TelemetryTeller) -> ToldTokens | RefusalReason | None:
    """Return an answer's tokens. The event of the same kind without counts is of its stream."""
    sent, written = event.count("input_token_count"), event.count("output_token_count")
    if event.text("event.kind") != "response.completed" or sent is None or written is None:
        return None
    cached, reasoning = event.count("cached_token_count"), event.count("reasoning_token_count")
    if (cached or 0) > sent or (reasoning or 0) > written:
        return RefusalReason.DOES_NOT_ADD_UP
    return ToldTokens(
        teller=told_by,
        at=to_datetime(event.at),
        model=event.text("model"),
        tokens=TokenCounts(
            input=sent - (cached or 0),
            output=written,
            cache_read=cached or 0,
            reasoning=reasoning,
        ),
        answers=1,
        # It has no id; a thread's answers come one after another.
        key=f"{told_by.agent_session}/{event.at}" if told_by.agent_session else None,
    )


def _decided(event: LogEvent, told_by: TelemetryTeller) -> ToldDecision | RefusalReason | None:
    # "approved_for_session", "approvedforsession", "denied", "abort", "timed_out"
    word = (event.text("decision") or "").replace("_", "")
    if word.startswith("approved"):
        decision = EditDecision.ACCEPTED
    elif word.startswith(("denied", "abort")):
        decision = EditDecision.REFUSED
    elif word.startswith("timedout"):
        return None
    else:
        return RefusalReason.INCOMPLETE
    by = _DECIDED_BY.get((event.text("source") or "").replace("_", "").lower())
    return one_edit(event, told_by, decision, by, key_of(event, "call_id"))


def _teller(facts: TelemetryFacts, source: TelemetrySource) -> TelemetryTeller:
    return teller(
        facts,
        source,
        AGENT,
        version=facts.text("app.version", "service.version"),
        agent_session=facts.text("conversation.id"),
    )
