"""What many edits of one file cost in the core alone: it must not grow faster than their number."""

import gc
import time
from datetime import timedelta
from typing import NamedTuple

from bench.load import MERGED_AT, ROOT, Source
from ghapp.attribution.attribute import attribute
from ghapp.attribution.document import to_document
from ghapp.attribution.model import (
    AuditSubject,
    Change,
    Edit,
    EditHunk,
    EditLines,
    Evidence,
    FileDiff,
    FileStatus,
    Hunk,
    HunkLine,
)
from ghapp.attribution.policy import CLAUDE_CODE_V1

EDITS = (10, 100, 1_000, 10_000)

LINES = 2_000
"""Added lines of the file."""

LONGEST, SHORTEST = 200, 3
"""Lines of an edit; from a few hundred edits on, each line is in several of them."""

TIMES = 3
"""The least of so many runs counts."""


class OneFileCost(NamedTuple):
    """CPU seconds of one audit."""

    edits: int
    cpu: float


def measure(source: Source) -> list[OneFileCost]:
    """Return what audits of one file cost with 10 to 10,000 edits of it."""
    lines: list[str] = []
    while len(lines) < LINES:
        lines += source.block()
    change = Change(files=(_added(lines[:LINES]),))
    return [OneFileCost(count, _cpu(change, _edits(lines, count))) for count in EDITS]


def _added(lines: list[str]) -> FileDiff:
    hunk = Hunk(
        old_start=0,
        old_lines=0,
        new_start=1,
        new_lines=len(lines),
        lines=tuple(HunkLine("+", line) for line in lines),
    )
    return FileDiff(path="src/a.py", status=FileStatus.ADDED, hunks=(hunk,))


def _edits(lines: list[str], count: int) -> Evidence:
    size = max(SHORTEST, min(LONGEST, LINES // count))
    edits = (
        Edit(
            id=f"toolu_{number:06d}",
            agent="claude-code",
            agent_session=f"s{number % 7}",
            at=MERGED_AT - timedelta(minutes=number + 1),
            path=f"{ROOT}/src/a.py",
            lines=EditLines((EditHunk((), tuple(lines[at : at + size]), ()),)),
        )
        for number in range(count)
        for at in (number * size % (LINES - size),)
    )
    return Evidence(edits=tuple(edits), roots=(ROOT,))


def _cpu(change: Change, evidence: Evidence) -> float:
    taken: list[float] = []
    gc.disable()  # as `ghapp audit` does
    for _ in range(TIMES):
        before = time.process_time()
        subject = AuditSubject(merged_at=MERGED_AT)
        to_document(attribute(subject, change, evidence, CLAUDE_CODE_V1, at=MERGED_AT))
        taken.append(time.process_time() - before)
    gc.enable()
    return min(taken)
