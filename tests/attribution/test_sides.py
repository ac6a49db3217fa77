"""What takes part in a match: counted lines in their place, and what stands around them."""

from ghapp.attribution.codebook import Codebook
from ghapp.attribution.model import Edit, EditHunk, EditLines, TextLines
from ghapp.attribution.runs import GAP
from ghapp.attribution.sides import EditSides, FileSide, file_side, fresh, reader
from tests.attribution.strategies import MERGED, diff_of

BOOK = Codebook()


def edit(lines: TextLines) -> Edit:
    return Edit(
        id="toolu_1",
        agent="claude-code",
        agent_session="one",
        at=MERGED,
        path="a.py",
        lines=lines,
    )


def code(text: str) -> int:
    return BOOK.number(text)


def file_of(old: list[str], new: list[str]) -> FileSide:
    diff = diff_of("a.py", old, new)
    numbered = {line.number: code(line.text) for line in diff.added()}
    counted = {number: one for number, one in numbered.items() if BOOK.effective[one]}
    return file_side(diff, counted, BOOK)


def test_a_file_has_its_counted_lines_between_what_is_unchanged() -> None:
    side = file_of(["kept line"], ["kept line", "new line", "}", "last line"])
    assert list(zip(side.numbers, side.added, strict=True)) == [
        (2, code("new line")),
        (4, code("last line")),
    ]
    assert side.sequence.codes == [*map(code, ("kept line", "new line", "last line")), GAP]
    assert side.sequence.credits == [-1, 0, 1, -1]
    assert side.place == [1, 2]
    assert side.tails == {0: [code("}")]}


def test_a_files_removed_lines_are_known_by_their_codes() -> None:
    assert file_of(["old line"], ["new line"]).removed == {code("old line")}


def test_an_edits_stretches_are_apart_and_its_context_is_not_its_own() -> None:
    hunks = (
        EditHunk(("before it",), ("own one", ");", "own two"), ("after it",)),
        EditHunk((), ("own three",), ()),
    )
    side = EditSides(BOOK).of(edit(EditLines(hunks, ("gone line",))), "a.py")
    assert side.own == [*map(code, ("own one", "own two", "own three"))]
    assert side.sequence.credits == [-1, 0, 1, -1, -1, 2, -1]
    assert side.sequence.codes[4] == side.sequence.codes[6] == GAP
    assert [side.sequence.codes[at] for at in side.place] == side.own
    assert side.tails == {0: [code(");")]}
    assert side.removed == {code("gone line")}


def test_a_restyled_line_is_credited_only_where_the_change_removes_it_too() -> None:
    lines = EditLines((EditHunk((), ("  same line", "new line"), ()),), ("same line",))
    side = EditSides(BOOK).of(edit(lines), "a.py")
    added, replaced = file_of([], ["same line"]), file_of(["same line"], ["    same line"])
    assert [side.may_credit(own, added) for own in (0, 1)] == [False, True]
    assert side.may_credit(0, replaced)
    assert not side.may_have_become(code("same line"))
    assert side.may_have_become(code("another line"))
    assert fresh(side) == [code("new line")]


def test_a_notebooks_lines_are_read_as_their_source() -> None:
    assert reader("a.ipynb", BOOK)(['    "total = 1\\n",']) == [code("total = 1")]
    assert reader("a.py", BOOK)(['    "total = 1\\n",']) != [code("total = 1")]


def test_an_edit_has_one_side_for_all_files() -> None:
    sides = EditSides(BOOK)
    one = edit(EditLines((EditHunk((), ("own one",), ()),)))
    first = sides.of(one, "a.py")
    first.credited.add(0)
    assert sides.of(one, "b.py").credited == {0}
