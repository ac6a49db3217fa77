"""Paths as agents write them, in one form."""

import pytest

from ghapp.evidence.paths import stem, to_path


@pytest.mark.parametrize(
    ("path", "cwd", "found"),
    [
        ("a.py", None, "a.py"),
        ("./a.py", "/w", "/w/a.py"),
        ("/other/a.py", "/w", "/other/a.py"),
        ("../a.py", "/w/src", "/w/a.py"),
        ("~/a.py", "/w", "~/a.py"),
        ("C:\\w\\a.py", None, "C:/w/a.py"),
        ("d:/w/a.py", "C:\\x", "d:/w/a.py"),
        ("\\\\host\\share\\a.py", None, "//host/share/a.py"),
        ("a\\b.py", "/w", "/w/a\\b.py"),
    ],
)
def test_a_path_is_absolute_where_the_directory_is_known(
    path: str, cwd: str | None, found: str
) -> None:
    assert to_path(path, cwd) == found


def test_a_stem_can_be_written_in_every_format() -> None:
    assert stem("logs/one.two.jsonl") == "one.two"
    assert stem("logs/one\udcff.jsonl") == "one?"
