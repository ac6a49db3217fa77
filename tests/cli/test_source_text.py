"""The text of audited lines, from a clone."""

from pathlib import Path

import pytest

from ghapp.cli.source_text import SourceText
from ghapp.git.process import GitError
from tests.clones import Clone


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "shop")


def test_a_line_is_that_of_the_merged_version(clone: Clone) -> None:
    first = clone.commit({"a.py": "one\ntwo\n"})
    second = clone.commit({"a.py": "three"})
    text = SourceText(clone.path)
    assert [text.line(first, "a.py", number) for number in (1, 2)] == ["one", "two"]
    assert text.line(second, "a.py", 1) == "three"


def test_what_is_not_there_has_no_text(clone: Clone) -> None:
    sha = clone.commit({"a.py": "one\n"})
    text = SourceText(clone.path)
    assert text.line(sha, "a.py", 9) is None
    assert not text.line(sha, "none.py", 1)
    assert text.line(None, "a.py", 1) is None
    assert SourceText(None).line(sha, "a.py", 1) is None


def test_bytes_that_are_no_text_are_shown_as_such(clone: Clone) -> None:
    (clone.path / "a.py").write_bytes(b"caf\xe9\n")
    sha = clone.commit({})
    assert SourceText(clone.path).line(sha, "a.py", 1) == "caf\ufffd"


def test_a_commit_that_the_clone_lacks_is_an_error(clone: Clone) -> None:
    clone.commit({"a.py": "one\n"})
    with pytest.raises(GitError):
        SourceText(clone.path).line("1" * 40, "a.py", 1)
