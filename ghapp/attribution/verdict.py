"""Credits and misses as reasons, counts and a verdict. It compares no lines."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from ghapp.attribution.matching import LineCredit
from ghapp.attribution.model import (
    AuditState,
    AuditTotals,
    Change,
    FileDiff,
    FileVerdict,
    LineVerdict,
    Verdict,
)
from ghapp.attribution.nearest import MissedLine

DIGITS = 4
"""Digits of a share and of a difference in the document."""


def attributed_line(number: int, credit: LineCredit) -> LineVerdict:
    """Return the verdict of a line that is credited to an edit."""
    edit = credit.side.edit
    return LineVerdict(
        line=number,
        reason=credit.reason,
        attributed=True,
        difference=round(credit.difference, DIGITS),
        agent=edit.agent,
        agent_session=edit.agent_session,
        edit=edit.id,
        edited_at=edit.at,
    )


def missed_line(number: int, miss: MissedLine) -> LineVerdict:
    """Return the verdict of a line that counts and is not attributed."""
    edit = miss.edit
    if edit is None:
        return LineVerdict(line=number, reason=miss.reason)
    return LineVerdict(
        line=number,
        reason=miss.reason,
        difference=None if miss.difference is None else round(miss.difference, DIGITS),
        agent=edit.agent,
        agent_session=edit.agent_session,
        edit=edit.id,
        edited_at=edit.at,
    )


def excluded_file(file: FileDiff, rule: str) -> FileVerdict:
    """Return the verdict of a file that is not counted: each of its lines has the rule's id."""
    lines = tuple(LineVerdict(line=line.number, reason=rule) for line in file.added())
    return FileVerdict(
        path=file.path,
        previous_path=file.previous_path,
        added=len(lines),
        effective=0,
        attributed=0,
        excluded=rule,
        lines=lines,
    )


def counted_file(file: FileDiff, lines: tuple[LineVerdict, ...], effective: int) -> FileVerdict:
    """Return the verdict of a file whose lines were judged one by one."""
    return FileVerdict(
        path=file.path,
        previous_path=file.previous_path,
        added=len(lines),
        effective=effective,
        attributed=sum(line.attributed for line in lines),
        excluded=None,
        lines=lines,
    )


def totals(files: Iterable[FileVerdict], change: Change) -> AuditTotals:
    """Add up; no share is given of a change that was not read whole, or of nothing."""
    files = list(files)
    effective = sum(file.effective for file in files)
    attributed = sum(file.attributed for file in files)
    lines = [line for file in files for line in file.lines]
    reasons = Counter(str(line.reason) for line in lines)
    agents = Counter(line.agent for line in lines if line.attributed and line.agent)
    is_known = change.complete and effective > 0
    return AuditTotals(
        added=len(lines),
        effective=effective,
        attributed=attributed,
        share=round(attributed / effective, DIGITS) if is_known else None,
        by_reason=dict(sorted(reasons.items())),
        by_agent=dict(sorted(agents.items())),
    )


def verdict(counted: AuditTotals, *, edits_considered: int, complete: bool) -> Verdict:
    """Return what may be said of the whole change.

    One attributed line is enough to say that an agent took part, even where files are
    missing. That none did can be said only of a whole change with evidence beside it.
    """
    if counted.attributed:
        return Verdict.ASSISTED
    if edits_considered and complete:
        return Verdict.NOT_ASSISTED
    return Verdict.NO_EVIDENCE


def state(at: datetime, last: datetime) -> AuditState:
    """Return whether the window, up to and with its last instant, is over."""
    return AuditState.FINAL if at > last else AuditState.PROVISIONAL
