"""Small audits for tests of reports: lines with reasons, and nothing else."""

from collections.abc import Sequence

from ghapp.attribution.document import from_document
from ghapp.attribution.model import ATTRIBUTED, Audit, AuditTotals, FileVerdict, LineVerdict
from tests.store.records import document as _document


def lines(*reasons: str, first: int = 1) -> tuple[LineVerdict, ...]:
    """Return one line of each reason, numbered in order."""
    return tuple(
        LineVerdict(line=at, reason=reason, attributed=reason in ATTRIBUTED)
        for at, reason in enumerate(reasons, first)
    )


def document(pull_request: int | None, *reasons: str, path: str = "a.py") -> bytes:
    """Return the document of an audit of one file, with one line of each reason."""
    return _document(
        pull_request=pull_request,
        files=(file(lines(*reasons), path),),
        totals=totals(reasons),
    )


def file(verdicts: tuple[LineVerdict, ...], path: str = "a.py") -> FileVerdict:
    """Return a file with these lines, all of which count."""
    return FileVerdict(
        path=path,
        previous_path=None,
        added=len(verdicts),
        effective=len(verdicts),
        attributed=sum(line.attributed for line in verdicts),
        excluded=None,
        lines=verdicts,
    )


def totals(reasons: Sequence[str]) -> AuditTotals:
    """Return the totals of lines with these reasons."""
    attributed = sum(reason in ATTRIBUTED for reason in reasons)
    return AuditTotals(
        added=len(reasons),
        effective=len(reasons),
        attributed=attributed,
        share=attributed / len(reasons) if reasons else None,
        by_reason={},
        by_agent={},
    )


def audit(pull_request: int | None, *reasons: str, path: str = "a.py") -> Audit:
    """Return an audit of one file, with one line of each reason."""
    return from_document(document(pull_request, *reasons, path=path))
