"""What became of the edits that agents proposed: accepted, refused, failed. It reads no format."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from ghapp.attribution.model import Struct


class EditDecision(StrEnum):
    """What became of a proposed edit."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """By a person or by a rule; the file stayed as it was."""
    FAILED = "failed"
    """Nobody refused it, but the tool could not do it. It is no decision."""


class DecidedBy(StrEnum):
    """Who decided. A rate over all decisions measures permission settings, not people."""

    PERSON = "person"
    AUTOMATIC = "automatic"
    """A setting, a hook or a mode that asks nobody."""


class DecidedEdit(Struct, frozen=True):
    """What a record says became of one call of an editing tool."""

    agent: str
    agent_session: str
    at: datetime
    call: str | None
    """The call's id; copies of the call in resumed and forked agent sessions have the same.
    ``None``: the record names none."""
    tool: str
    path: str | None
    decision: EditDecision
    decided_by: DecidedBy | None = None
    """``None``: the record does not say."""
    lines: int | None = None
    """Lines that an accepted edit added; ``None``: unknown, or the edit was not accepted."""
    model: str | None = None
    version: str | None = None
    project: str | None = None
    """The working directory."""


def decided_once(decisions: Iterable[DecidedEdit]) -> list[DecidedEdit]:
    """Return one record for each call and path, in the order of their times.

    A call is written again when an agent session is resumed or forked; the first agent session,
    by time and then by name, keeps it. A call without an id is a call of its own.
    """
    found: dict[object, DecidedEdit] = {}
    ordered = sorted(decisions, key=lambda one: (one.at, one.agent_session, one.path or ""))
    for number, one in enumerate(ordered):
        key = (one.agent, one.call, one.path) if one.call else number
        found.setdefault(key, one)
    return list(found.values())
