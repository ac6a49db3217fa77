"""Laws of own lines: they are added lines, and never more than that."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.model import TextLines
from ghapp.evidence import own_lines
from ghapp.evidence.own_lines import (
    TextReplacement,
    all_own,
    from_patch,
    from_pieces,
    from_texts,
    replace,
    split_lines,
)
from tests.searching import searched

LINE = st.sampled_from(["alpha = 1", "beta = 2", "gamma(3)", "", "}", "\tdelta", "    delta"])
TEXT = st.lists(LINE, max_size=12).map("\n".join)


def own(lines: TextLines) -> list[str]:
    return [text for hunk in lines.hunks for text in hunk.own]


@searched(60)
@given(TEXT, TEXT)
def test_own_lines_did_not_stand_in_the_old_text_as_often(old: str, new: str) -> None:
    found = from_texts(old, new)
    before, after = Counter(split_lines(old)), Counter(split_lines(new))
    for text, count in Counter(own(found)).items():
        assert count <= after[text]
        if text.strip(" \t}"):
            assert count <= after[text] - min(before[text], after[text])


@searched(60)
@given(TEXT, TEXT)
def test_new_lines_are_all_own(old: str, new: str) -> None:
    before = set(split_lines(old))
    missing = Counter(line for line in split_lines(new) if line not in before)
    missing.subtract(own(from_texts(old, new)))
    assert all(count <= 0 for text, count in missing.items() if text.strip() != "delta")


@searched(60)
@given(TEXT, TEXT)
def test_hunks_stand_in_the_new_text_in_order(old: str, new: str) -> None:
    lines = split_lines(new)
    at = 0
    for before, added, after in map(tuple_of, from_texts(old, new).hunks):
        stretch = [*before, *added, *after]
        start = next(n for n in range(at, len(lines)) if lines[n : n + len(stretch)] == stretch)
        at = start + len(before) + len(added)
        assert added
        assert len(before) <= own_lines.CONTEXT >= len(after)


def tuple_of(hunk: object) -> tuple[tuple[str, ...], ...]:
    return (hunk.before, hunk.own, hunk.after)  # type: ignore[attr-defined]


@searched(60)
@given(TEXT)
def test_a_text_put_in_its_own_place_adds_nothing(text: str) -> None:
    assert from_texts(text, text) == own_lines.NO_LINES


@searched(60)
@given(TEXT)
def test_a_text_that_replaced_nothing_is_own(text: str) -> None:
    assert own(from_texts("", text)) == own(all_own(text)) == split_lines(text)


def test_huge_texts_are_compared_without_order() -> None:
    old = "\n".join(f"line_{n % 7000}" for n in range(15_000))
    new = "first\n" + "\n".join(f"line_{n % 6999}" for n in range(15_000)) + "\nlast"
    found = own(from_texts(old, new))
    assert found[0] == "first"
    assert found[-1] == "last"
    assert len(found) < 20


def test_a_moved_line_is_context_and_not_removed() -> None:
    found = from_texts("one()\ntwo()\nthree()", "three()\none()\ntwo()\nfour()")
    assert own(found) == ["four()"]
    assert found.removed == ()
    assert found.hunks[0].before == ("three()", "one()", "two()")


def test_an_added_line_counts_once_more_than_it_stood() -> None:
    found = from_texts("call()\nend()", "call()\ncall()\nend()\ncall()")
    assert own(found) == ["call()", "call()"]


def test_pieces_keep_apart() -> None:
    found = from_pieces([TextReplacement("a()", "b()"), TextReplacement("", "c()\nd()")])
    assert [hunk.own for hunk in found.hunks] == [("b()",), ("c()", "d()")]


def test_a_patch_gets_its_tabs_back() -> None:
    found = from_patch([[" x", "+    y()", "+  z  w"]], "\t\ty()\nno tab")
    assert own(found) == ["\t\ty()", "  z  w"]


def test_context_between_two_stretches_serves_both() -> None:
    found = from_texts("a()\nb()\nc()", "a()\nx1()\nb()\nx2()\nc()")
    assert [(h.before, h.own, h.after) for h in found.hunks] == [
        (("a()",), ("x1()",), ("b()",)),
        (("b()",), ("x2()",), ("c()",)),
    ]


def test_replacements_must_fit() -> None:
    assert replace("a b a", [TextReplacement("a", "c")]) == "c b a"
    assert replace("a b a", [TextReplacement("a", "c", everywhere=True)]) == "c b c"
    assert replace("", [TextReplacement("", "new")]) == "new"
    assert replace("a", [TextReplacement("b", "c")]) is None
    assert replace("a", [TextReplacement("", "c")]) is None


@searched(200)
@given(st.lists(st.sampled_from(["+a()", "+", " b()", " ", "+c()\r", "+\td()"]), max_size=9))
def test_a_hunk_that_removes_nothing_is_read_as_any_other(hunk: list[str]) -> None:
    # The mark of a missing line end is no line; with it, the lines are read one by one.
    marked = [*hunk, "\\ No newline at end of file"]
    assert from_patch([hunk], "\td()") == from_patch([marked], "\td()")
