"""What an edit added, given what the session has shown of the file before."""

from ghapp.attribution.model import TextLines
from ghapp.evidence.file_edits import FileEdits
from ghapp.evidence.own_lines import TextReplacement


def own(lines: TextLines) -> list[str]:
    return [text for hunk in lines.hunks for text in hunk.own]


def test_a_file_that_nobody_has_seen_is_own_as_a_whole() -> None:
    assert own(FileEdits().written("a", "one\ntwo\n")) == ["one", "two"]


def test_a_file_written_again_has_only_its_new_lines() -> None:
    files = FileEdits()
    files.written("a", "one\ntwo\n")
    assert own(files.written("a", "one\ntwo\nthree\n")) == ["three"]
    assert own(files.written("a", "one\ntwo\nthree\n", before="one\n")) == ["two", "three"]
    assert own(files.written("a", "one\n", before="")) == ["one"]


def test_a_write_that_was_not_applied_is_not_remembered() -> None:
    files = FileEdits()
    files.written("a", "one\n", applied=False)
    assert own(files.written("a", "one\n")) == ["one"]


def test_a_replacement_in_a_known_file_has_whole_lines() -> None:
    files = FileEdits()
    files.written("a", "total = price\nend()\n")
    found = files.replaced("a", [TextReplacement("price", "price * amount")])
    assert own(found) == ["total = price * amount"]
    assert own(files.written("a", "total = price * amount\nend()\n")) == []


def test_a_replacement_in_an_unknown_file_has_its_own_text() -> None:
    assert own(FileEdits().replaced("a", [TextReplacement("x()", "y()")])) == ["y()"]


def test_what_does_not_fit_or_was_changed_otherwise_is_forgotten() -> None:
    for harm in (
        lambda files: files.replaced("a", [TextReplacement("not there", "x")]),
        lambda files: files.changed("a"),
    ):
        files = FileEdits()
        files.written("a", "one\n")
        harm(files)
        assert own(files.written("a", "one\n")) == ["one"]


def test_a_replacement_that_was_not_applied_leaves_the_text_as_known() -> None:
    files = FileEdits()
    files.written("a", "one\n")
    files.replaced("a", [TextReplacement("one", "two")], applied=False)
    assert own(files.written("a", "one\ntwo\n")) == ["two"]
