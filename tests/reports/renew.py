"""Rewrites the expected files of fixtures/reports: ``python -m tests.reports.renew``.

Read the diff before you commit it: it is what people will see.
"""

import io
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Audit, Verdict
from ghapp.policy.file import RepositoryPolicy
from ghapp.policy.in_force import PolicyInForce
from ghapp.publishers.desired import desired_of
from ghapp.publishers.publisher import DesiredState
from ghapp.reports import terminal
from ghapp.reports.coverage import of_author
from ghapp.reports.markdown import CommentForm
from ghapp.reports.record_line import NamedRecord
from tests.cases import FIXTURES, cases

CASES = FIXTURES / "reports"
PUBLIC_URL = "https://auditor.example.com"
RECORD = NamedRecord(17, "sha256:" + "5b" * 32)


def published(audit: Audit, form: CommentForm = CommentForm.SHORT) -> DesiredState:
    """Return what the app itself would publish of a saved audit."""
    heard = "nothing" if audit.verdict is Verdict.NO_EVIDENCE else "evidence"
    return desired_of(
        audit,
        PolicyInForce(policy=RepositoryPolicy(comment=form)),
        coverage=None if audit.pull_request is None else of_author(heard),
        asked_again=False,
        record=RECORD,
        public_url=PUBLIC_URL,
    )


def comment(audit: Audit) -> str:
    return published(audit).comment or ""


def full_comment(audit: Audit) -> str:
    return published(audit, CommentForm.FULL).comment or ""


def check_run(audit: Audit) -> str:
    shown = published(audit)
    output = shown.check
    link = "" if shown.details_url is None else f"Details: {shown.details_url}\n\n"
    return f"# {output.title}\n\n{link}{output.summary}\n{output.text}"


def text(audit: Audit) -> str:
    page = io.StringIO()
    terminal.render(audit, Console(file=page, width=80, color_system=None), lines=True)
    return page.getvalue()


FACES: dict[str, Callable[[Audit], str]] = {
    "expected.md": comment,
    "expected.full.md": full_comment,
    "expected.check.md": check_run,
    "expected.txt": text,
}


def read(case: Path) -> Audit:
    return from_document((case / "audit.json").read_bytes())


if __name__ == "__main__":
    for folder in cases("reports"):
        for name, face in FACES.items():
            (folder / name).write_text(face(read(folder)), encoding="utf-8", newline="\n")
