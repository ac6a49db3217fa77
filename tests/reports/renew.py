"""Rewrites the expected files of fixtures/reports: ``python -m tests.reports.renew``.

Read the diff before you commit it: it is what people will see.
"""

import io
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Audit
from ghapp.reports import markdown, terminal
from ghapp.reports.summary import summarize
from tests.cases import FIXTURES, cases

CASES = FIXTURES / "reports"
DOCS_URL = "https://example.org/docs/reasons.md"


def comment(audit: Audit) -> str:
    return markdown.comment(summarize(audit), docs_url=DOCS_URL)


def check_run(audit: Audit) -> str:
    output = markdown.check_run(summarize(audit), docs_url=DOCS_URL)
    return f"# {output.title}\n\n{output.summary}\n{output.text}"


def text(audit: Audit) -> str:
    page = io.StringIO()
    terminal.render(audit, Console(file=page, width=80, color_system=None), lines=True)
    return page.getvalue()


FACES: dict[str, Callable[[Audit], str]] = {
    "expected.md": comment,
    "expected.check.md": check_run,
    "expected.txt": text,
}


def read(case: Path) -> Audit:
    return from_document((case / "audit.json").read_bytes())


if __name__ == "__main__":
    for folder in cases("reports"):
        for name, face in FACES.items():
            (folder / name).write_text(face(read(folder)), encoding="utf-8", newline="\n")
