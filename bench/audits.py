"""Requests for audits, and the parts of an audit document that the bench reads. No engine."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec

from bench.console import run

NOT_COUNTED = frozenset({"trivial_line", "long_line"})
"""Reasons that exclude a line of a counted file."""


class LineResult(msgspec.Struct, frozen=True):
    """One added line of an audit document."""

    line: int
    reason: str
    attributed: bool
    difference: float | None = None
    edit: str | None = None


class FileResult(msgspec.Struct, frozen=True):
    """One file of an audit document; ``excluded`` is a rule's id or ``None``."""

    path: str
    effective: int
    attributed: int
    excluded: str | None
    lines: tuple[LineResult, ...]

    def counted(self) -> list[LineResult]:
        """Return the effective lines."""
        if self.excluded:
            return []
        return [line for line in self.lines if line.reason not in NOT_COUNTED]


class TotalsResult(msgspec.Struct, frozen=True):
    """The sums of an audit document."""

    added: int
    effective: int
    attributed: int


class Document(msgspec.Struct, frozen=True):
    """The members of an audit document that the measurements read."""

    verdict: str
    totals: TotalsResult
    files: tuple[FileResult, ...]


@dataclass(frozen=True)
class Question:
    """The files on disk and the arguments of one audit, as the command line takes them."""

    diff: Path
    merged_at: datetime
    evidence: tuple[Path, ...]
    roots: tuple[str, ...] = ()


class Auditor(Protocol):
    """Anything that answers a request with an audit document."""

    def __call__(self, question: Question) -> Document:
        """Return the audit of one change."""


@dataclass(frozen=True)
class CommandAuditor:
    """Any program with the command line contract of ``ghapp audit``."""

    command: tuple[str, ...]

    def __call__(self, question: Question) -> Document:
        """Return the program's audit of one change."""
        return msgspec.json.decode(run(self.arguments(question), accept=(0, 1)), type=Document)

    def arguments(self, question: Question) -> list[str]:
        """Return the full command line of one audit."""
        evidence = [part for path in question.evidence for part in ("--evidence", str(path))]
        roots = [part for root in question.roots for part in ("--root", root)]
        fixed = ["--diff", str(question.diff), "--merged-at", iso(question.merged_at)]
        return [*self.command, *fixed, *evidence, *roots, "--format", "json"]


def iso(time: datetime) -> str:
    """Return a time as ISO 8601 in UTC."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
