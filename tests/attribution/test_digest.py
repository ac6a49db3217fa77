"""What a digest depends on, and what it leaves out."""

import pytest
from msgspec.structs import replace

from ghapp.attribution.digest import of_change, of_edits
from ghapp.attribution.model import Change, Edit, EditHunk, EditLines, FileDiff
from tests.attribution.strategies import MERGED, diff_of

A, B = diff_of("a.py", [], ["one"]), diff_of("b.py", [], ["two"])
EDIT = Edit(
    id="toolu_1",
    agent="claude-code",
    agent_session="one",
    at=MERGED,
    path="a.py",
    lines=EditLines((EditHunk((), ("one",), ()),)),
)
OTHER = replace(EDIT, id="toolu_2")


def test_the_order_of_files_and_edits_does_not_matter() -> None:
    assert of_change(Change(files=(A, B))) == of_change(Change(files=(B, A)))
    assert of_edits([EDIT, OTHER]) == of_edits([OTHER, EDIT])


def test_what_only_one_source_of_a_diff_tells_is_left_out() -> None:
    with_blobs = replace(A, blobs=("0000000", "4f9c6b0"))
    assert of_change(Change(files=(with_blobs,))) == of_change(Change(files=(A,)))


def test_who_made_an_edit_is_left_out() -> None:
    assert of_edits([replace(EDIT, actor="ann")]) == of_edits([EDIT])


@pytest.mark.parametrize(
    "change",
    [
        Change(files=(A, B)),
        Change(files=(replace(A, path="c.py"),)),
        Change(files=(diff_of("a.py", [], ["one "]),)),
        Change(files=(A,), missing=("b.py",)),
        Change(files=(A,), gitattributes={".gitattributes": ""}),
        Change(files=(FileDiff(path="a.py"),)),
    ],
)
def test_another_change_has_another_digest(change: Change) -> None:
    assert of_change(change) != of_change(Change(files=(A,)))


@pytest.mark.parametrize("changed", [{"path": "b.py"}, {"tool": "Write"}, {"lines": EditLines(())}])
def test_another_edit_has_another_digest(changed: dict[str, object]) -> None:
    assert of_edits([replace(EDIT, **changed)]) != of_edits([EDIT])


def test_a_digest_names_its_algorithm() -> None:
    assert of_edits([]).startswith("sha256:")
    assert len(of_change(Change())) == len("sha256:") + 64
