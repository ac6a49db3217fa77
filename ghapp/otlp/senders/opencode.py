"""OpenCode's telemetry, which only plugins send.

Names: https://github.com/DEVtheOPS/opencode-plugin-otel 0.8.0 (f79aa8e), which has Claude Code's
names behind ``opencode.`` or, if asked, ``claude_code.``; and @gcornut/opencode-otel, whose profile
``claude-code`` copies service name, scopes, names and the installation's id. In both an agent
session is OpenCode's own: ``ses_…``.
"""

from ghapp.otlp.nouns import LogEvent, TelemetryFacts
from ghapp.otlp.refusals import RefusalReason
from ghapp.otlp.senders import claude_names
from ghapp.otlp.senders.teller import teller
from ghapp.otlp.told import (
    SeriesMeasure,
    TelemetrySource,
    TelemetryTeller,
    ToldDecision,
    ToldTokens,
)

AGENT = "opencode"
PREFIX = "opencode."
SCOPE = "com.opencode"
METRICS = {PREFIX + name: kind for name, kind in claude_names.METRICS.items()}
EVENTS = frozenset(PREFIX + name for name in claude_names.EVENTS)
_AGENT_SESSION = "ses_"


def sends(facts: TelemetryFacts) -> bool:
    """Return whether OpenCode sends this, whatever name it goes by."""
    return (
        facts.scope.startswith(SCOPE)
        or facts.text("service.name") == AGENT
        or (facts.text("session.id") or "").startswith(_AGENT_SESSION)
    )


def measure(facts: TelemetryFacts) -> SeriesMeasure | RefusalReason | None:
    """Return what a series counts; ``None``: nothing that is asked for."""
    return claude_names.measure(facts, _teller(facts, TelemetrySource.METRICS))


def told(event: LogEvent) -> ToldTokens | ToldDecision | RefusalReason | None:
    """Return what an event tells; ``None``: nothing that is asked for."""
    return claude_names.told(event, _teller(event, TelemetrySource.EVENTS))


def _teller(facts: TelemetryFacts, source: TelemetrySource) -> TelemetryTeller:
    """Return who told it. Its version is the plugin's, so the agent's is not known."""
    agent_session = facts.text("session.id")
    return teller(facts, source, AGENT, version=None, agent_session=agent_session)
