"""One line that says what of the evidence was read, and what was passed over. It reads nothing."""

from collections.abc import Sequence

from ghapp.attribution.model import PassedOver
from ghapp.reports import words

SHOWN = 6
"""Kinds that one line names; the others are counted."""


def passed_over_line(passed: Sequence[PassedOver] | None) -> str | None:
    """Return what was given and not read as an edit, most first; ``None``: nothing.

    >>> passed_over_line([PassedOver(agent="codex", what="exec", count=14)])
    'Passed over, not read as edits: Codex exec (14).'
    """
    if not passed:
        return None
    ordered = sorted(passed, key=lambda one: (-one.count, one.agent or "", one.what))
    named = [f"{_kind(one)} ({one.count:,})" for one in ordered[:SHOWN]]
    if len(ordered) > SHOWN:
        named.append(words.counted(len(ordered) - SHOWN, "more kind"))
    return f"Passed over, not read as edits: {words.listed(named)}."


def _kind(one: PassedOver) -> str:
    return " ".join(filter(None, [one.agent and words.agent_name(one.agent), one.what]))
