"""One edit as an event tells it, with the tool under the name that most senders use."""

from ghapp.otlp.nouns import LogEvent, to_datetime
from ghapp.otlp.told import TelemetryTeller, ToldDecision
from ghapp.usage.decisions import DecidedBy, EditDecision


def one_edit(  # noqa: PLR0913, PLR0917 - as many parts as a decision has
    event: LogEvent,
    told_by: TelemetryTeller,
    decision: EditDecision,
    decided_by: DecidedBy | None,
    key: str | None,
    language: str | None = None,
) -> ToldDecision:
    """Return what became of the edit that an event is about."""
    return ToldDecision(
        teller=told_by,
        at=to_datetime(event.at),
        tool=str(event.text("tool_name")),
        language=language,
        decision=decision,
        decided_by=decided_by,
        edits=1,
        key=key,
    )
