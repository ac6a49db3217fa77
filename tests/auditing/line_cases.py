"""Line cases for tests: of case folders, of stories, and of one file that an agent wrote."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
from msgspec.structs import replace

from ghapp.attribution.attribute import attribute
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
    LineVerdict,
)
from ghapp.attribution.policy import CLAUDE_CODE_V1, POLICIES
from ghapp.attribution.unified_diff import parse_diff
from ghapp.auditing.line_case import LineCase
from ghapp.auditing.report_line import report_line
from ghapp.documents.line_report import LineReport
from ghapp.offline import read_evidence
from tests.attribution.strategies import MERGED, ROOT, SUBJECT, Case
from tests.attribution.test_audits import Case as FolderCase


def of_folder(folder: Path) -> LineCase:
    """Return a folder's case, of no line yet."""
    case = msgspec.json.decode((folder / "case.json").read_bytes(), type=FolderCase)
    read = read_evidence([folder / "evidence"], roots=case.roots)
    edits = (*read.edits, *case.observed)
    return LineCase(
        subject=AuditSubject(
            merged_at=case.merged_at, repository=case.repository, pull_request=case.pull_request
        ),
        change=Change(files=parse_diff((folder / "change.diff").read_bytes())),
        evidence=replace(read, edits=edits, agent_commits=case.agent_commits),
        policy=POLICIES[case.policy],
        path="",
        line=0,
    )


def of_story(story: Case) -> LineCase:
    """Return a story's case, of no line yet."""
    return LineCase(
        subject=SUBJECT,
        change=story.change,
        evidence=story.evidence,
        policy=CLAUDE_CODE_V1,
        path="",
        line=0,
    )


def each_line(case: LineCase) -> Iterator[tuple[LineCase, LineVerdict]]:
    """Yield the case of each added line, with the verdict on it."""
    audit = attribute(
        case.subject, case.change, case.evidence, case.policy, at=case.subject.merged_at
    )
    for file in audit.files:
        for verdict in file.lines:
            yield replace(case, path=file.path, line=verdict.line), verdict


def each_reason(case: LineCase) -> list[tuple[LineCase, LineVerdict]]:
    """Return the first line of each reason, with the verdict on it."""
    found: dict[str, tuple[LineCase, LineVerdict]] = {}
    for line, verdict in each_line(case):
        found.setdefault(verdict.reason, (line, verdict))
    return list(found.values())


def report_of(case: LineCase, reason: str) -> LineReport:
    """Return the report of the first line with a reason."""
    (found,) = [one for one in each_reason(case) if one[1].reason == reason]
    return report_line(*found)


def new_file(path: str, lines: list[str]) -> FileDiff:
    """Return the diff of a new file."""
    added = tuple(HunkLine("+", text) for text in lines)
    hunk = Hunk(old_start=0, old_lines=0, new_start=1, new_lines=len(lines), lines=added)
    return FileDiff(path=path, status=FileStatus.ADDED, hunks=(hunk,))


def written(path: str, lines: list[str], number: int = 1) -> Edit:
    """Return an agent's edit that wrote a whole file."""
    return Edit(
        id=f"toolu_{number}",
        agent="claude-code",
        agent_session="one",
        at=MERGED - timedelta(hours=number),
        path=f"{ROOT}/{path}",
        tool="Write",
        cwd=ROOT,
        lines=EditLines(hunks=(EditHunk((), tuple(lines), ()),)),
    )


def case_of(line: int, files: list[FileDiff], edits: list[Edit]) -> LineCase:
    """Return the case of a line of the first file."""
    return LineCase(
        subject=SUBJECT,
        change=Change(files=tuple(files)),
        evidence=Evidence(edits=tuple(edits), roots=(ROOT,)),
        policy=CLAUDE_CODE_V1,
        path=files[0].path,
        line=line,
    )


def some_code(name: str, lines: int) -> list[str]:
    """Return lines of code, all different and all distinctive."""
    return [f"    {name}_{n}_total = price_of({name}, customer={n})" for n in range(lines)]
