"""What a file of documents says in all: verdicts, and lines only where something is known."""

from pathlib import Path

from ghapp.attribution.document import to_document
from ghapp.attribution.model import Verdict
from ghapp.documents.totals import totals
from tests.cases import FIXTURES
from tests.reports.renew import read


def test_verdicts_and_lines_are_added_up(tmp_path: Path) -> None:
    names = ("provisional", "no_evidence", "files_could_not_be_read", "not_assisted")
    file = tmp_path / "all.jsonl"
    file.write_bytes(
        b"".join(to_document(read(FIXTURES / "reports" / name)) + b"\n" for name in names)
    )
    found = totals(file)
    assert sum(found.by_verdict.values()) == len(names)
    assert found.by_verdict[Verdict.NO_EVIDENCE] == 1
    # 40 of 70, and 0 of 12: neither unknown lines nor those of half a change count.
    assert (found.attributed, found.effective) == (40, 82)


def test_an_empty_file_has_no_share(tmp_path: Path) -> None:
    file = tmp_path / "none.jsonl"
    file.write_bytes(b"")
    assert (totals(file).by_verdict, totals(file).effective) == ({}, 0)
