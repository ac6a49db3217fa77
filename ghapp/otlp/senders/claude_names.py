"""What Claude Code's names mean, whoever sends them. OpenCode's plugins copy them.

Names: https://code.claude.com/docs/en/monitoring-usage, read for 2.1.240 and 2.1.274.
"""

from ghapp.otlp.nouns import LogEvent, MetricKind, TelemetryFacts, to_datetime
from ghapp.otlp.refusals import RefusalReason
from ghapp.otlp.senders.event_keys import failed, key_of
from ghapp.otlp.senders.one_edit import one_edit
from ghapp.otlp.told import (
    Counted,
    RowHead,
    SeriesMeasure,
    TelemetryTeller,
    ToldDecision,
    ToldTokens,
)
from ghapp.usage.answers import TokenCounts
from ghapp.usage.decisions import DecidedBy, EditDecision
from ghapp.usage.price_class import variant_of

METRICS = {
    "token.usage": MetricKind.SUM,
    "session.count": MetricKind.SUM,
    "lines_of_code.count": MetricKind.SUM,
    "code_edit_tool.decision": MetricKind.SUM,
}
EVENTS = ("api_request", "tool_decision", "tool_result")
EDITING = frozenset({"Edit", "MultiEdit", "NotebookEdit", "Write", "edit", "write"})
"""The editing tools of Claude Code, and OpenCode's."""

_TOKENS: dict[str, Counted] = {
    "input": "input",
    "output": "output",
    "cacheRead": "cache_read",
    "cacheCreation": "cache_write",
    # OpenCode's plugin alone counts these, beside output.
    "reasoning": "reasoning_beside_output",
}
_DECISIONS = {"accept": EditDecision.ACCEPTED, "reject": EditDecision.REFUSED}
_AUTOMATIC = frozenset({"config", "hook"})


def measure(
    facts: TelemetryFacts, told_by: TelemetryTeller
) -> SeriesMeasure | RefusalReason | None:
    """Return what a series counts; ``None``: nothing that is asked for."""
    match facts.name.partition(".")[2]:
        case "token.usage":
            return _tokens(facts, told_by)
        case "session.count":
            # Looking at the list of agents starts none.
            looked = facts.text("start_type") == "agents_view"
            return (
                None
                if looked
                else SeriesMeasure(counted="agent_sessions", head=RowHead(teller=told_by))
            )
        case "lines_of_code.count":
            return _lines(facts, told_by)
        case _:
            return _decisions(facts, told_by)


def _tokens(facts: TelemetryFacts, told_by: TelemetryTeller) -> SeriesMeasure | RefusalReason:
    counted = _TOKENS.get(facts.text("type") or "")
    if counted is None:
        return RefusalReason.INCOMPLETE
    head = RowHead(
        teller=told_by,
        model=facts.text("model"),
        is_aside=_is_aside(facts),
        variant=variant_of(speed=facts.text("speed")),
    )
    return SeriesMeasure(counted=counted, head=head)


def _lines(facts: TelemetryFacts, told_by: TelemetryTeller) -> SeriesMeasure | None:
    if facts.text("type") != "added":
        return None
    return SeriesMeasure(counted="lines", head=RowHead(teller=told_by, model=facts.text("model")))


def _decisions(facts: TelemetryFacts, told_by: TelemetryTeller) -> SeriesMeasure | RefusalReason:
    tool, decision = facts.text("tool_name"), _DECISIONS.get(facts.text("decision") or "")
    if tool is None or decision is None:
        return RefusalReason.INCOMPLETE
    head = RowHead(
        teller=told_by,
        tool=tool,
        language=_language(facts),
        decision=decision,
        decided_by=_decided_by(facts),
    )
    return SeriesMeasure(counted="edits", head=head)


def told(
    event: LogEvent, told_by: TelemetryTeller
) -> ToldTokens | ToldDecision | RefusalReason | None:
    """Return what an event tells; ``None``: nothing that is asked for."""
    what = event.name.partition(".")[2]
    if what == "api_request":
        return _answer(event, told_by)
    if event.text("tool_name") not in EDITING:
        return None
    if what == "tool_decision":
        return _decided(event, told_by)
    return _failed(event, told_by)


def _answer(event: LogEvent, told_by: TelemetryTeller) -> ToldTokens | RefusalReason:
    sent, written = event.count("input_tokens"), event.count("output_tokens")
    if sent is None or written is None:
        return RefusalReason.INCOMPLETE
    reasoning = event.count("reasoning_tokens")
    return ToldTokens(
        teller=told_by,
        at=to_datetime(event.at),
        model=event.text("model"),
        tokens=TokenCounts(
            input=sent,
            output=written + (reasoning or 0),
            cache_read=event.count("cache_read_tokens") or 0,
            cache_write_unsplit=event.count("cache_creation_tokens") or 0,
            reasoning=reasoning,
        ),
        answers=1,
        is_aside=_is_aside(event),
        variant=variant_of(speed=event.text("speed")),
        key=key_of(event, "request_id"),
    )


def _decided(event: LogEvent, told_by: TelemetryTeller) -> ToldDecision | RefusalReason:
    decision = _DECISIONS.get(event.text("decision") or "")
    if decision is None:
        return RefusalReason.INCOMPLETE
    return one_edit(
        event, told_by, decision, _decided_by(event), key_of(event, "tool_use_id"), _language(event)
    )


def _failed(event: LogEvent, told_by: TelemetryTeller) -> ToldDecision | None:
    """Return an edit that was accepted and then failed; its decision is an event of its own."""
    if event.get("success") is not False:
        return None
    key = failed(key_of(event, "tool_use_id"))
    return one_edit(event, told_by, EditDecision.FAILED, None, key, _language(event))


def _is_aside(facts: TelemetryFacts) -> bool:
    # "main", "subagent", "auxiliary"; in events "repl_main_thread", "agent:builtin:Explore"
    return (facts.text("query_source") or "").startswith(("agent", "subagent"))


def _decided_by(facts: TelemetryFacts) -> DecidedBy | None:
    source = facts.text("source") or ""
    if source in _AUTOMATIC:
        return DecidedBy.AUTOMATIC
    return DecidedBy.PERSON if source.startswith("user_") else None


def _language(facts: TelemetryFacts) -> str | None:
    found = facts.text("language")
    return None if found == "unknown" else found
