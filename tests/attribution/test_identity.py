"""Copies of an edit are one edit, and everything else is two."""

from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ghapp.attribution.identity import identity, once, own_digest
from ghapp.attribution.model import Edit, EditHunk, EditLines, EditResult, LineFingerprint
from tests.attribution.strategies import MERGED
from tests.searching import searched


def lines(*own: str, before: tuple[str, ...] = ()) -> EditLines[str]:
    return EditLines((EditHunk(before, own, ()),))


EDIT = Edit(
    id="Write:0",
    agent="claude-code",
    agent_session="one",
    at=MERGED - timedelta(hours=5),
    path="src/a.py",
    lines=lines("total = 0"),
)


@pytest.mark.parametrize(
    "copy",
    [
        replace(EDIT, agent_session="two"),
        replace(EDIT, outcome=EditResult.UNANSWERED),
        replace(EDIT, tool="Write"),
        replace(EDIT, lines=lines("total = 0", before=("def f():",))),
        replace(EDIT, model="m-1", agent_session="zzz"),
    ],
)
def test_a_copy_is_one_edit_in_any_order(copy: Edit) -> None:
    assert once([EDIT, copy]) == once([copy, EDIT])
    assert len(once([EDIT, copy])) == 1


@pytest.mark.parametrize(
    "other",
    [
        replace(EDIT, id="Write:1"),
        replace(EDIT, agent="codex"),
        replace(EDIT, path="src/b.py"),
        replace(EDIT, at=EDIT.at + timedelta(milliseconds=1)),
        replace(EDIT, lines=lines("total = 1")),
        replace(EDIT, lines=lines("total = 0", "total = 0")),
        replace(EDIT, actor="bob"),
    ],
)
def test_anything_else_is_two(other: Edit) -> None:
    assert once([EDIT, other]) == once([EDIT, other, EDIT])
    assert {identity(one) for one in once([other, EDIT])} == {identity(EDIT), identity(other)}


def test_an_id_drawn_by_chance_names_one_call_at_any_time() -> None:
    hook = replace(EDIT, id="toolu_01A09q90qw90lq917835lq9")
    told_later = replace(hook, at=hook.at + timedelta(seconds=2))
    assert once([hook, told_later]) == once([told_later, hook]) == [hook]
    assert len(once([hook, replace(told_later, lines=lines("total = 1"))])) == 2
    assert len(once([hook, replace(told_later, path="src/b.py")])) == 2


def test_applied_is_kept_before_answered_and_answered_before_unanswered() -> None:
    copies = [replace(EDIT, outcome=one) for one in ("applied", "refused", "unanswered")]
    assert all(once(order) == [copies[0]] for order in permutations(copies))
    assert once(copies[1:]) == [copies[1]]


FEW = st.builds(
    lambda **given: replace(EDIT, **given),
    id=st.sampled_from(["a", "b"]),
    agent_session=st.sampled_from(["one", "two"]),
    path=st.sampled_from(["src/a.py", "src/b.py"]),
    outcome=st.sampled_from(EditResult),
    lines=st.sampled_from([lines("x = 1"), lines("x = 2"), lines("x = 1", before=("y",))]),
)


@searched(60)
@given(st.lists(FEW, max_size=12), st.randoms())
def test_the_order_of_reading_changes_nothing(edits: list[Edit], random: object) -> None:
    mixed = list(edits)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    kept = once(edits)
    assert sorted(map(repr, once(mixed))) == sorted(map(repr, kept))
    assert len(kept) == len({identity(one) for one in edits})


def test_a_digest_tells_lines_apart_and_text_from_fingerprints() -> None:
    apart = [lines("ab", "c"), lines("a", "bc"), lines("abc"), lines("ab\0c"), lines("\ud800")]
    hashed = EditLines((EditHunk((), (LineFingerprint(line=b"ab", tokens=b"c"),), ()),))
    assert len({own_digest(one) for one in apart} | {own_digest(hashed)}) == 6
    assert own_digest(lines("a", before=("x",))) == own_digest(lines("a"))
