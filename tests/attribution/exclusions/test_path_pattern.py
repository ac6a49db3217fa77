"""Git's patterns, one folder at a time; `test_excluded_path` compares them with git."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.exclusions.path_pattern import from_text
from tests.searching import searched


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


def one_by_one(parts: Sequence[str], names: Sequence[str]) -> bool:
    """Match as the format says it, trying every number of folders for each ``**``."""
    if not parts:
        return not names
    if parts[0] == "**":
        least = 1 if len(parts) == 1 else 0
        return any(one_by_one(parts[1:], names[at:]) for at in range(least, len(names) + 1))
    return bool(names) and parts[0] in ("*", names[0]) and one_by_one(parts[1:], names[1:])


@searched(300)
@given(
    st.lists(st.sampled_from(["**", "*", "a", "b"]), min_size=2, max_size=6),
    st.lists(st.sampled_from("ab"), min_size=1, max_size=6),
)
def test_each_depth_matches_as_if_it_were_tried_alone(parts: list[str], names: list[str]) -> None:
    ends = range(1, len(names) + 1)
    expected = {end for end in ends if one_by_one(parts, names[:end])}
    assert from_text("/".join(parts)).depths(names) == expected


@pytest.mark.parametrize("after", ["", "[", "[[", "[^"])
@pytest.mark.parametrize("before", ["", "[b]", "\\["])
def test_a_bracket_without_its_end_is_a_plain_sign(before: str, after: str) -> None:
    name = before.replace("[b]", "b").replace("\\", "") + "a" + after.replace("^", "!")
    assert from_text(f"{before}a{after}").matches([name])
