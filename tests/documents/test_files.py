"""Files of documents: each in its place, the last of a pull request counts, errors say where."""

from pathlib import Path

import pytest

from ghapp.documents.files import DocumentError, DocumentFile, documents
from tests.reports.audits import document

ONE, TWO, ONE_AGAIN = document(1, "run"), document(2, "run"), document(1, "no_match")
BUNDLE = b'{"schema":"ghapp/bundle/1"}'
RECORD = b'{"schema":"ghapp/record/1","number":1}'


def written(path: Path, *lines: bytes) -> Path:
    file = path / "audits.jsonl"
    file.write_bytes(b"".join(line + b"\n" for line in lines))
    return file


def test_each_document_is_found_again_by_its_place(tmp_path: Path) -> None:
    path = written(tmp_path, ONE, TWO)
    found = list(documents(path))
    assert [one.audit.pull_request for one in found] == [1, 2]
    assert [one.start for one in found] == [0, len(ONE) + 1]


def test_the_last_document_of_a_pull_request_counts(tmp_path: Path) -> None:
    file = DocumentFile(written(tmp_path, ONE, TWO, ONE_AGAIN))
    assert [one.pull_request for one in file] == [2, 1]
    keys = {key[1]: key for key in file.keys()}  # noqa: SIM118 (it is no dict)
    assert keys.keys() == {1, 2}
    assert file.of(keys[1]).files[0].lines[0].reason == "no_match"


def test_the_other_lines_of_a_bundle_are_skipped(tmp_path: Path) -> None:
    path = written(tmp_path, BUNDLE, RECORD, ONE, b"not json")
    assert [one.audit.pull_request for one in documents(path)] == [1]


@pytest.mark.parametrize("line", [RECORD, b"not json", b"", b"[]", BUNDLE, ONE[:-9]])
def test_any_other_line_is_named_by_file_and_number(tmp_path: Path, line: bytes) -> None:
    path = written(tmp_path, ONE, line)
    with pytest.raises(DocumentError, match=rf"^{path}:2: "):
        list(documents(path))


def test_a_document_without_its_line_end_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "audits.jsonl"
    path.write_bytes(ONE)
    assert len(list(documents(path))) == 1
    path.write_bytes(b"")
    assert not DocumentFile(path).keys()


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        DocumentFile(tmp_path / "gone.jsonl")
