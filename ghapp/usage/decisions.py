"""What became of the edits that agents proposed: accepted, refused, failed. It reads no format.

An edit is what `ghapp.evidence` reads as one: one call of an editing tool and one path. What a
shell command wrote was never proposed as an edit, so nobody decided on it.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from ghapp.attribution.identity import is_drawn
from ghapp.attribution.model import DecidedBy, Edit, EditResult, Struct

__all__ = [
    "AcceptRate",
    "DecidedBy",
    "DecidedEdit",
    "EditDecision",
    "accept_rate",
    "decided",
    "decided_once",
]

# Bash, mcp__claude__bash
_SHELL = re.compile(r"(?:.*__)?(?:bash|powershell)", re.IGNORECASE)


class EditDecision(StrEnum):
    """What became of a proposed edit."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """By a person or by a rule; the file stayed as it was."""
    FAILED = "failed"
    """Nobody refused it, but the tool could not do it. It is no decision."""


_DECISIONS = {
    EditResult.APPLIED: EditDecision.ACCEPTED,
    EditResult.REFUSED: EditDecision.REFUSED,
    EditResult.FAILED: EditDecision.FAILED,
}
"""Interrupted and unanswered edits are none of the three, and no record tells of the rest."""


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
    """Lines that the edit added, or would have, had it not been refused; ``None``: unknown, or the
    edit failed."""
    model: str | None = None
    version: str | None = None
    project: str | None = None
    """The working directory."""


def decided(edit: Edit, by: DecidedBy | None) -> DecidedEdit | None:
    """Return what became of an edit; ``None``: nothing was decided, or nobody was to decide.

    ``by`` is who decided, as the edit's record says it.
    """
    decision = _DECISIONS.get(edit.outcome)
    if decision is None or _SHELL.fullmatch(edit.tool):
        return None
    has_failed = decision is EditDecision.FAILED
    return DecidedEdit(
        agent=edit.agent,
        agent_session=edit.agent_session,
        at=edit.at,
        call=edit.id,
        tool=edit.tool,
        path=edit.path,
        decision=decision,
        decided_by=None if has_failed else by,
        lines=None if has_failed else sum(len(hunk.own) for hunk in edit.lines.hunks),
        model=edit.model,
        version=edit.agent_version,
        project=edit.cwd,
    )


def decided_once(decisions: Iterable[DecidedEdit]) -> list[DecidedEdit]:
    """Return one record for each call and path, in the order of their times.

    A call is written again when an agent session is resumed or forked; the first agent session,
    by time and then by name, keeps it, in any order of the records. As in rules.md 2.8, only an
    id that was drawn by chance names a call at any time. A call without an id is a call of its
    own.
    """
    found: dict[object, DecidedEdit] = {}
    for number, one in enumerate(sorted(decisions, key=_order)):
        found.setdefault(_key(one) or number, one)
    return list(found.values())


def _key(one: DecidedEdit) -> tuple[object, ...] | None:
    if not one.call:
        return None
    at = None if is_drawn(one.call) else one.at
    return one.agent, one.call, one.path, at


def _order(one: DecidedEdit) -> tuple[object, ...]:
    """Return what decides between copies. One that says who decided goes before one that does not.

    The rest only makes the order whole.
    """
    first = (one.at, one.agent_session, one.path or "", one.decided_by is None)
    rest = (one.call, one.path, one.decided_by, one.lines, one.model, one.version, one.project)
    known = ((value is None, "" if value is None else str(value)) for value in rest)
    return *first, one.tool, one.decision, *known


class AcceptRate(Struct, frozen=True):
    """The share of accepted edits among those that people decided, from 0 to 1.

    Agents write down who refused an edit more often than who accepted one. So the share is known
    as a range: at least as if people had refused all refused edits whose decider no record names,
    at most as if they had accepted all accepted ones.
    """

    at_least: float
    at_most: float


def accept_rate(
    accepted: int, refused: int, unknown_accepted: int = 0, unknown_refused: int = 0
) -> AcceptRate | None:
    """Return people's accept rate; ``None``: no record names a decision of a person.

    The unknown ones are edits whose decider no record names.

    >>> accept_rate(3, 1), accept_rate(0, 1, 99)
    (AcceptRate(at_least=0.75, at_most=0.75), AcceptRate(at_least=0.0, at_most=0.99))
    """
    if not accepted + refused:
        return None
    most = accepted + unknown_accepted
    return AcceptRate(
        at_least=accepted / (accepted + refused + unknown_refused),
        at_most=most / (most + refused),
    )
