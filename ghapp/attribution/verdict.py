"""Turns credits and misses into reasons, counts and a verdict. It compares no lines."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from ghapp.attribution.matching import LineCredit
from ghapp.attribution.model import (
    AuditState,
    AuditTotals,
    Edit,
    EditResult,
    FileDiff,
    FileVerdict,
    LineVerdict,
    Verdict,
)
from ghapp.attribution.nearest import MissedLine
from ghapp.attribution.tiers import honest_range

DIGITS = 4
"""Decimal digits of a share and of a difference in the document."""


def attributed_line(number: int, credit: LineCredit) -> LineVerdict:
    """Return the verdict on a line that is credited to an edit."""
    edit, difference = credit.side.edit, credit.difference
    # By place, because nearly all lines of a large change pass here.
    return LineVerdict(
        number,
        credit.reason,
        True,  # noqa: FBT003 - see above
        round(difference, DIGITS) if difference else 0.0,
        edit.agent,
        edit.agent_session,
        edit.id,
        edit.at,
        _told(edit),
    )


def _told(edit: Edit) -> Literal["unrecorded"] | msgspec.UnsetType:
    return "unrecorded" if edit.outcome is EditResult.UNRECORDED else msgspec.UNSET


def missed_line(number: int, miss: MissedLine) -> LineVerdict:
    """Return the verdict on a line that counts but is not attributed."""
    edit = miss.edit
    if edit is None:
        return LineVerdict(number, miss.reason)
    return LineVerdict(
        line=number,
        reason=miss.reason,
        difference=None if miss.difference is None else round(miss.difference, DIGITS),
        agent=edit.agent,
        agent_session=edit.agent_session,
        edit=edit.id,
        edited_at=edit.at,
        outcome=_told(edit),
    )


def excluded_file(file: FileDiff, rule: str) -> FileVerdict:
    """Return the verdict on an excluded file: every line has the rule's id as its reason."""
    lines = tuple(LineVerdict(line=line.number, reason=rule) for line in file.added())
    return judged_file(file, lines, effective=0, excluded=rule)


def judged_file(
    file: FileDiff, lines: tuple[LineVerdict, ...], *, effective: int, excluded: str | None = None
) -> FileVerdict:
    """Return the verdict on a file from the verdicts on its lines."""
    return FileVerdict(
        path=file.path,
        previous_path=file.previous_path,
        added=len(lines),
        effective=effective,
        attributed=sum(line.attributed for line in lines),
        excluded=excluded,
        lines=lines,
    )


def totals(files: Iterable[FileVerdict]) -> AuditTotals:
    """Return the counts over all files; `settled` adds the share."""
    files = list(files)
    effective = sum(file.effective for file in files)
    attributed = sum(file.attributed for file in files)
    lines = [line for file in files for line in file.lines]
    reasons = Counter([line.reason for line in lines])
    agents = Counter([line.agent for line in lines if line.attributed and line.agent])
    return AuditTotals(
        added=len(lines),
        effective=effective,
        attributed=attributed,
        share=None,
        by_reason={str(reason): reasons[reason] for reason in sorted(reasons)},
        by_agent=dict(sorted(agents.items())),
    )


def settled(
    counted: AuditTotals, *, edits_considered: int, complete: bool
) -> tuple[AuditTotals, Verdict]:
    """Return the totals with share and range, and the verdict on the whole change.

    The share, and with it the range, is ``None``, which means unknown, if files are missing, no
    line counts, or there is no evidence: then nobody knows that it is zero.
    """
    found = _verdict(counted.attributed, edits_considered=edits_considered, complete=complete)
    is_known = complete and counted.effective > 0 and found is not Verdict.NO_EVIDENCE
    share = round(counted.attributed / counted.effective, DIGITS) if is_known else None
    span = honest_range(counted.by_reason) if is_known else None
    return msgspec.structs.replace(counted, share=share, range=span), found


def _verdict(attributed: int, *, edits_considered: int, complete: bool) -> Verdict:
    """Return the verdict.

    One attributed line proves that an agent took part, even if files are missing. To say that
    none did, we need the complete change and some evidence.
    """
    if attributed:
        return Verdict.ASSISTED
    if edits_considered and complete:
        return Verdict.NOT_ASSISTED
    return Verdict.NO_EVIDENCE


def state(at: datetime, last: datetime) -> AuditState:
    """Return ``FINAL`` if the window, whose last instant is ``last``, is over."""
    return AuditState.FINAL if at > last else AuditState.PROVISIONAL
