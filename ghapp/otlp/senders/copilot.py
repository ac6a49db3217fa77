"""Copilot's metrics and events, from VS Code (``copilot-chat``) and its CLI (``github-copilot``).

Names: https://github.com/microsoft/vscode-copilot-chat 0.42 (31acd00), src/platform/otel. Tokens
are a histogram by kind; input includes what was cached, and how much that was is told in traces
alone. ``session.id`` is a window's. A Claude session in VS Code sends as Claude Code.
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
from ghapp.usage.decisions import EditDecision

AGENT = "copilot"
SERVICES = frozenset({"copilot-chat", "github-copilot"})
OTHERS = frozenset({"gemini-cli", "qwen-code"})
"""They send the same tokens under their own names, and are read there."""
PREFIX = "copilot_chat."
TOKENS = "gen_ai.client.token.usage"
ANSWER = "gen_ai.client.inference.operation.details"
METRICS = {
    TOKENS: MetricKind.HISTOGRAM,
    "copilot_chat.session.count": MetricKind.SUM,
    "copilot_chat.lines_of_code.count": MetricKind.SUM,
    "copilot_chat.edit.acceptance.count": MetricKind.SUM,
}
EVENTS = frozenset(
    {
        ANSWER,
        "copilot_chat.edit.feedback",
        "copilot_chat.edit.hunk.action",
        "copilot_chat.inline.done",
    }
)

_LANGUAGE = "copilot_chat.language_id"
_TOKENS: dict[str, Counted] = {"input": "input", "output": "output"}
_OUTCOMES = {"accepted": EditDecision.ACCEPTED, "rejected": EditDecision.REFUSED}
# The metric's names for the same.
_TOOLS = {
    "copilot_chat.edit.feedback": "chat_editing",
    "copilot_chat.edit.hunk.action": "chat_editing_hunk",
    "copilot_chat.inline.done": "inline_chat",
}


def measure(facts: TelemetryFacts) -> SeriesMeasure | RefusalReason | None:
    """Return what a series counts; ``None``: nothing that is asked for."""
    if facts.name == TOKENS:
        return _tokens(facts)
    told_by = _teller(facts, TelemetrySource.METRICS)
    match facts.name.removeprefix(PREFIX):
        case "session.count":
            return SeriesMeasure(counted="agent_sessions", head=RowHead(teller=told_by))
        case "lines_of_code.count":
            head = RowHead(teller=told_by, language=language_of(facts.text(_LANGUAGE)))
            is_added = facts.text("type") == "added"
            return SeriesMeasure(counted="lines", head=head) if is_added else None
        case _:
            return _decisions(facts, told_by)


def _decisions(
    facts: TelemetryFacts, told_by: TelemetryTeller
) -> SeriesMeasure | RefusalReason | None:
    tool = facts.text("copilot_chat.edit.source")
    if tool is None:
        return RefusalReason.INCOMPLETE
    decision = _OUTCOMES.get(facts.text("copilot_chat.edit.outcome") or "")
    if decision is None:
        # "saved" and "unknown" decide nothing.
        return None
    language = language_of(facts.text(_LANGUAGE))
    head = RowHead(teller=told_by, tool=tool, language=language, decision=decision)
    return SeriesMeasure(counted="edits", head=head)


def _tokens(facts: TelemetryFacts) -> SeriesMeasure | RefusalReason | None:
    if not _is_ours(facts):
        return _elsewhere(facts)
    counted = _TOKENS.get(facts.text("gen_ai.token.type") or "")
    if counted is None:
        return RefusalReason.INCOMPLETE
    told_by = _teller(facts, TelemetrySource.METRICS)
    return SeriesMeasure(counted=counted, head=RowHead(teller=told_by, model=_model(facts)))


def _is_ours(facts: TelemetryFacts) -> bool:
    """Return whether Copilot sends a name that is no program's own."""
    return bool(SERVICES & {facts.text("service.name"), facts.scope})


def _elsewhere(facts: TelemetryFacts) -> RefusalReason | None:
    """Return why the same name of another sender is not read; ``None``: it has better ones."""
    is_other = OTHERS & {facts.text("service.name"), facts.scope}
    return None if is_other else RefusalReason.UNKNOWN_SENDER


def told(event: LogEvent) -> ToldTokens | ToldDecision | RefusalReason | None:
    """Return what an event tells; ``None``: nothing that is asked for."""
    if event.name == ANSWER:
        return _answer(event) if _is_ours(event) else _elsewhere(event)
    decision = _OUTCOMES.get(event.text("outcome") or "")
    accepted = event.get("accepted")
    if isinstance(accepted, bool):
        decision = EditDecision.ACCEPTED if accepted else EditDecision.REFUSED
    if decision is None:
        return None
    return ToldDecision(
        teller=_teller(event, TelemetrySource.EVENTS),
        at=to_datetime(event.at),
        tool=_TOOLS[event.name],
        language=language_of(event.text("language_id")),
        decision=decision,
        decided_by=None,
        edits=1,
        lines=event.count("lines_added") if decision is EditDecision.ACCEPTED else None,
        key=key_of(event),
    )


def _answer(event: LogEvent) -> ToldTokens | None:
    """Return an answer's tokens; ``None``: the request failed."""
    sent = event.count("gen_ai.usage.input_tokens")
    written = event.count("gen_ai.usage.output_tokens")
    if sent is None and written is None:
        return None
    return ToldTokens(
        teller=_teller(event, TelemetrySource.EVENTS),
        at=to_datetime(event.at),
        model=_model(event),
        tokens=TokenCounts(input=sent or 0, output=written or 0),
        answers=1,
        key=key_of(event, "gen_ai.response.id"),
    )


def _model(facts: TelemetryFacts) -> str | None:
    return facts.text("gen_ai.response.model", "gen_ai.request.model")


def _teller(facts: TelemetryFacts, source: TelemetrySource) -> TelemetryTeller:
    return teller(
        facts,
        source,
        AGENT,
        version=facts.text("service.version"),
        agent_session=facts.text("gen_ai.conversation.id", "session.id"),
    )


_LANGUAGES = {
    "bat": "Batch",
    "c": "C",
    "cpp": "C++",
    "csharp": "C#",
    "css": "CSS",
    "dart": "Dart",
    "dockerfile": "Dockerfile",
    "elixir": "Elixir",
    "fsharp": "F#",
    "go": "Go",
    "groovy": "Groovy",
    "haskell": "Haskell",
    "html": "HTML",
    "java": "Java",
    "javascript": "JavaScript",
    "javascriptreact": "JavaScript",
    "json": "JSON",
    "jsonc": "JSON",
    "julia": "Julia",
    "kotlin": "Kotlin",
    "less": "CSS",
    "lua": "Lua",
    "makefile": "Makefile",
    "markdown": "Markdown",
    "objective-c": "Objective-C",
    "perl": "Perl",
    "php": "PHP",
    "plaintext": "Text",
    "powershell": "PowerShell",
    "python": "Python",
    "r": "R",
    "ruby": "Ruby",
    "rust": "Rust",
    "scala": "Scala",
    "scss": "CSS",
    "shellscript": "Shell",
    "sql": "SQL",
    "svelte": "Svelte",
    "swift": "Swift",
    "terraform": "Terraform",
    "typescript": "TypeScript",
    "typescriptreact": "TypeScript",
    "vue": "Vue",
    "xml": "XML",
    "yaml": "YAML",
}


def language_of(identifier: str | None) -> str | None:
    """Return the language of VS Code's identifier; ``None``: we have no name for it.

    >>> language_of("typescriptreact"), language_of("brainfuck")
    ('TypeScript', None)

    https://code.visualstudio.com/docs/languages/identifiers
    """
    return _LANGUAGES.get(identifier or "")
