"""OpenCode's telemetry, which only plugins send.

Names: https://github.com/DEVtheOPS/opencode-plugin-otel 0.8.0 (f79aa8e), which has Claude Code's
names behind ``opencode.`` or, if asked, ``claude_code.``; and @gcornut/opencode-otel, whose profile
``claude-code`` copies service name, scopes, names and the installation's id. In both an agent
session is OpenCode's own: ``ses_…``.
"""

from ghapp.otlp.nouns import Facts, LogEvent
from ghapp.otlp.refusals import Refusal
from ghapp.otlp.senders import claude_names
from ghapp.otlp.senders.teller import teller
from ghapp.otlp.told import Measure, TelemetrySource, Teller, ToldDecision, ToldTokens

AGENT = "opencode"
PREFIX = "opencode."
SCOPE = "com.opencode"
METRICS = {PREFIX + name: kind for name, kind in claude_names.METRICS.items()}
EVENTS = frozenset(PREFIX + name for name in claude_names.EVENTS)
_AGENT_SESSION = "ses_"


def sends(facts: Facts) -> bool:
    """Return whether OpenCode sends this, whatever name it goes by."""
    return (
        facts.scope.startswith(SCOPE)
        or facts.text("service.name") == AGENT
        or (facts.text("session.id") or "").startswith(_AGENT_SESSION)
    )


def measure(facts: Facts) -> Measure | Refusal | None:
    """Return what a series counts; ``None``: nothing that is asked for."""
    return claude_names.measure(facts, _teller(facts, TelemetrySource.METRICS))


def told(event: LogEvent) -> ToldTokens | ToldDecision | Refusal | None:
    """Return what an event tells; ``None``: nothing that is asked for."""
    return claude_names.told(event, _teller(event, TelemetrySource.EVENTS))


def _teller(facts: Facts, source: TelemetrySource) -> Teller:
    """Return who told it. Its version is the plugin's, so the agent's is not known."""
    agent_session = facts.text("session.id")
    return teller(facts, source, AGENT, version=None, agent_session=agent_session)
