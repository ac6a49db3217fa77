"""The senders by their names: who reads a metric or an event. It decodes nothing."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ghapp.otlp.nouns import LogEvent, MetricKind, TelemetryFacts
from ghapp.otlp.refusals import RefusalReason
from ghapp.otlp.senders import claude_code, codex, copilot, gemini_cli, opencode
from ghapp.otlp.told import SeriesMeasure, ToldDecision, ToldTokens

ReadMetric = Callable[[TelemetryFacts], SeriesMeasure | RefusalReason | None]
"""Says what a series counts; ``None``: nothing that is asked for."""
ReadEvent = Callable[[LogEvent], ToldTokens | ToldDecision | RefusalReason | None]
"""Says what an event tells; ``None``: nothing that is asked for."""

_SENDERS = (claude_code, opencode, codex, gemini_cli, copilot)

METRICS: Mapping[str, tuple[MetricKind, ReadMetric]] = MappingProxyType(
    {name: (kind, one.measure) for one in _SENDERS for name, kind in one.METRICS.items()}
)
"""Metric → the kind it must have, and who reads it."""
EVENTS: Mapping[str, ReadEvent] = MappingProxyType(
    {name: one.told for one in _SENDERS for name in one.EVENTS}
)
"""Event → who reads it."""

_OWN = (
    claude_code.PREFIX,
    opencode.PREFIX,
    codex.PREFIX,
    *gemini_cli.PREFIXES,
    copilot.PREFIX,
    "gen_ai.",
)
_PREFIXES = {claude_code.SCOPE: claude_code.PREFIX, opencode.SCOPE: opencode.PREFIX}


def is_known(name: str) -> bool:
    """Return whether a metric or event is some sender's own, read or not."""
    return name.startswith(_OWN)


def full_name(scope: str, name: str) -> str:
    """Return an event's name with its sender's prefix, which Claude Code and OpenCode leave out.

    >>> full_name("com.anthropic.claude_code.events", "api_request")
    'claude_code.api_request'
    """
    for start, prefix in _PREFIXES.items():
        if scope.startswith(start) and not name.startswith(_OWN):
            return prefix + name
    return name
