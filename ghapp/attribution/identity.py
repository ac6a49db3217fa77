"""When two records tell of the same edit, and which of them is kept (rules.md 2.8).

It compares edits of one sender; who sent an edit is the business of whoever receives it.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from hashlib import blake2b
from itertools import chain

from ghapp.attribution.model import Edit, EditLines, EditResult, LineFingerprint

EditName = tuple[str, datetime, str]
"""An edit's id, time and path: what stored edits are told apart by."""

EditIdentity = tuple[str, str, str, datetime | None, str, tuple[str | LineFingerprint, ...]]

# toolu_01A09q90qw90lq917835lq9, toolu_bdrk_01...; of a shell command's second file: ...#2
_DRAWN = re.compile(r"toolu_\w{20,}(?:#\d+)?")


def is_drawn(id_: str) -> bool:
    """Return whether a call's id was drawn by chance, so that no other call has it.

    Such a call is the same one at any time: a hook, a transcript and the Compliance API each have
    a clock of their own.
    """
    return _DRAWN.fullmatch(id_) is not None


def identity(edit: Edit) -> EditIdentity:
    """Return what copies of an edit have in common, and no two edits of one person do.

    A call's id alone does not do: behind some gateways it counts from 0 in each turn
    (https://github.com/vllm-project/vllm/issues/50295).
    """
    actor = (edit.actor or "").lower()
    at = None if is_drawn(edit.id) else edit.at
    return actor, edit.agent, edit.id, at, edit.path, own_lines(edit.lines)


def name_of(edit: Edit) -> EditName:
    """Return an edit's id, time and path."""
    return edit.id, edit.at, edit.path


def own_lines(
    lines: EditLines[str] | EditLines[LineFingerprint],
) -> tuple[str | LineFingerprint, ...]:
    """Return an edit's own lines, in their order."""
    return tuple(chain.from_iterable(hunk.own for hunk in lines.hunks))


def own_digest(lines: EditLines[str] | EditLines[LineFingerprint]) -> bytes:
    """Return 16 bytes that are equal for equal own lines, and never for text and fingerprints."""
    digest = blake2b(digest_size=16)
    for line in own_lines(lines):
        part = line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line.tokens
        sign = b"" if isinstance(line, str) else line.line
        digest.update(b"%d,%d:" % (len(sign), len(part)) + sign + part)
    return digest.digest()


def preference(edit: Edit) -> tuple[bool, bool, datetime, str, bool, bool, str, str]:
    """Return the sort key of an edit's copies; the least is kept.

    Applied comes before not applied, answered before unanswered, then the earlier one, then the
    first agent session.
    """
    return (
        edit.outcome is not EditResult.APPLIED,
        edit.outcome is EditResult.UNANSWERED,
        edit.at,
        edit.agent_session,
        edit.model is None,
        edit.agent_version is None,
        edit.outcome,
        edit.tool,
    )


def once(edits: Iterable[Edit]) -> list[Edit]:
    """Return each edit once, however many copies of its record were read, in any order."""
    by_id: dict[str, list[Edit]] = {}
    for edit in edits:
        by_id.setdefault(edit.id, []).append(edit)
    return [
        one for copies in by_id.values() for one in (_kept(copies) if len(copies) > 1 else copies)
    ]


def _kept(copies: Iterable[Edit]) -> list[Edit]:
    """Return the edits among some with one id; their order does not depend on the copies'."""
    best: dict[EditIdentity, Edit] = {}
    for edit in copies:
        same = identity(edit)
        known = best.get(same)
        if known is None or _order(edit) < _order(known):
            best[same] = edit
    return sorted(best.values(), key=_order)


def _order(edit: Edit) -> tuple[object, ...]:
    unchanged = sum(len(hunk.before) + len(hunk.after) for hunk in edit.lines.hunks)
    context = -unchanged, -len(edit.lines.removed)
    return *preference(edit), edit.path, edit.agent, context, own_digest(edit.lines)
