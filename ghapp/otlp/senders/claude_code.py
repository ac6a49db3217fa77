"""Claude Code's metrics and events, and those of plugins that pose as Claude Code.

Scopes: ``com.anthropic.claude_code`` and ``com.anthropic.claude_code.events``, seen up to 2.1.283.
"""

import re

from ghapp.otlp.nouns import LogEvent, TelemetryFacts
from ghapp.otlp.refusals import RefusalReason
from ghapp.otlp.senders import claude_names, opencode
from ghapp.otlp.senders.teller import teller
from ghapp.otlp.told import (
    SeriesMeasure,
    TelemetrySource,
    TelemetryTeller,
    ToldDecision,
    ToldTokens,
)

AGENT = "claude-code"
PREFIX = "claude_code."
SCOPE = "com.anthropic.claude_code"
SERVICE = "claude-code"
METRICS = {PREFIX + name: kind for name, kind in claude_names.METRICS.items()}
EVENTS = frozenset(PREFIX + name for name in claude_names.EVENTS)
COUNTS_ONCE_FROM = (2, 1, 214)
"""Earlier versions counted cost and tokens double (its changelog)."""

_NUMBERS = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})")


def measure(facts: TelemetryFacts) -> SeriesMeasure | RefusalReason | None:
    """Return what a series counts; ``None``: nothing that is asked for."""
    if opencode.sends(facts):
        return opencode.measure(facts)
    told_by = _teller(facts, TelemetrySource.METRICS)
    return claude_names.measure(facts, told_by) if told_by else RefusalReason.UNKNOWN_SENDER


def told(event: LogEvent) -> ToldTokens | ToldDecision | RefusalReason | None:
    """Return what an event tells; ``None``: nothing that is asked for."""
    if opencode.sends(event):
        return opencode.told(event)
    told_by = _teller(event, TelemetrySource.EVENTS)
    return claude_names.told(event, told_by) if told_by else RefusalReason.UNKNOWN_SENDER


def _teller(facts: TelemetryFacts, source: TelemetrySource) -> TelemetryTeller | None:
    """Return who told it; ``None``: its names are Claude Code's, but it is not."""
    version = facts.text("service.version", "app.version")
    service = facts.text("service.name") or SERVICE
    if not (facts.scope or SCOPE).startswith(SCOPE) or not service.startswith(SERVICE):
        return None
    return teller(
        facts,
        source,
        AGENT,
        version=version,
        agent_session=facts.text("session.id"),
    )


def counts_once(version: str | None) -> bool:
    """Return whether a version of Claude Code counts each token once; so do unknown ones.

    >>> counts_once("2.1.213"), counts_once("2.1.214"), counts_once(None)
    (False, True, True)
    """
    found = _NUMBERS.match(version or "")
    return found is None or tuple(map(int, found.groups())) >= COUNTS_ONCE_FROM
