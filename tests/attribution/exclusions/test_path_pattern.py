"""Git's patterns, one folder at a time; `test_excluded_path` compares them with git."""

import pytest

from ghapp.attribution.exclusions.path_pattern import from_text


def test_no_pattern_takes_long() -> None:
    assert not from_text("*a" * 60 + "b").matches(["a" * 255])
    assert not from_text("**/a/" * 60 + "b").matches(["a"] * 2000)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.js", "a.js"),
        ("*.js", "deep/er/a.js"),
        ("/a.js", "a.js"),
        ("src/*.js", "src/a.js"),
        ("src/**", "src/a/b"),
        ("src/**/a.js", "src/a.js"),
        ("**/gen/**", "x/gen/y"),
        ("[ab].py", "b.py"),
        ("[!ab].py", "c.py"),
        ("[^ab].py", "c.py"),
        (r"\*.py", "*.py"),
        (r"\!a", "!a"),
        ("a?c", "abc"),
    ],
)
def test_a_pattern_matches_a_whole_path(pattern: str, path: str) -> None:
    assert from_text(pattern).matches(path.split("/"))


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.js", "a.jsx"),
        ("/a.js", "src/a.js"),
        ("src/*.js", "src/deep/a.js"),
        ("src/*.js", "lib/src/a.js"),
        ("src/**", "src"),
        ("a?c", "a/c"),
        ("[ab].py", "A.py"),
        (r"\*.py", "a.py"),
        ("[a", "a"),
        ("", "a"),
    ],
)
def test_a_pattern_leaves_other_paths_alone(pattern: str, path: str) -> None:
    assert not from_text(pattern).matches(path.split("/"))


def test_a_slash_at_the_end_asks_for_a_folder() -> None:
    assert from_text("docs/").directories_only
    assert not from_text("docs").directories_only
