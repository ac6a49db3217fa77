"""One line that says what of the evidence was read, and what was passed over. It reads nothing."""

from collections.abc import Sequence
from datetime import date

from ghapp.attribution.model import AuditInputs, PassedOver
from ghapp.reports import words

SHOWN = 6
"""Kinds that one line names; the others are counted."""


def read_line(inputs: AuditInputs) -> str | None:
    """Return what an audit read and passed over; ``None``: its engine does not say."""
    left = inputs.edits_left_out
    if left is None:
        return None
    parts = [
        f"{words.counted(inputs.edits_considered, 'edit')} considered",
        f"{left.outside_window:,} outside the window",
        f"{left.not_applied:,} not applied",
        f"{left.elsewhere:,} elsewhere",
    ]
    shown = [parts[0], *(part for part in parts[1:] if not part.startswith("0 "))]
    said = f"Evidence read: {words.listed(shown)}."
    return " ".join(filter(None, [said, passed_over_line(inputs.passed_over)]))


def passed_over_line(passed: Sequence[PassedOver] | None) -> str | None:
    """Return what was given and not read as an edit, most first; ``None``: nothing.

    >>> passed_over_line([PassedOver(agent="codex", what="exec", count=14)])
    'Passed over, not read as edits: Codex exec (14).'
    """
    return f"Passed over, not read as edits: {_named(passed)}." if passed else None


def not_counted_line(passed: Sequence[PassedOver]) -> str | None:
    """Return what was seen and not counted as usage, most first; ``None``: nothing.

    >>> not_counted_line([PassedOver(agent="amp", what="files that no reader recognizes", count=2)])
    'Seen and not counted: amp files that no reader recognizes (2).'
    """
    return f"Seen and not counted: {_named(passed)}." if passed else None


def silent_agent(agent: str, version: str | None, machines: int, last: date | None) -> str:
    """Return a sentence about agent sessions without edits; ``last``: the day of the last edit.

    >>> silent_agent("codex", "0.151.0", 12, date(2026, 9, 3))
    'Codex 0.151.0: 12 machines sent agent sessions, no edit since 3 September 2026'
    """
    name = f"{words.agent_name(agent)} {version or f'(version {words.NOT_NAMED})'}"
    since = "no edit ever" if last is None else f"no edit since {last.day} {last:%B %Y}"
    return f"{name}: {words.counted(machines, 'machine')} sent agent sessions, {since}"


def _named(passed: Sequence[PassedOver]) -> str:
    ordered = sorted(passed, key=lambda one: (-one.count, one.agent or "", one.what))
    named = [f"{_kind(one)} ({one.count:,})" for one in ordered[:SHOWN]]
    if len(ordered) > SHOWN:
        named.append(words.counted(len(ordered) - SHOWN, "more kind"))
    return words.listed(named)


def _kind(one: PassedOver) -> str:
    return " ".join(filter(None, [one.agent and words.agent_name(one.agent), one.what]))
