"""The nouns: how added lines are numbered, and that nobody changes a record."""

import pytest

from ghapp.attribution.model import ATTRIBUTED, AddedLine, Change, FileDiff, Hunk, HunkLine, Reason


def hunk(start: int, *lines: str) -> Hunk:
    """Return a hunk of lines such as ``+text``; its counts are not looked at here."""
    told = tuple(HunkLine(line[0], line[1:]) for line in lines)
    return Hunk(old_start=1, old_lines=0, new_start=start, new_lines=0, lines=told)


def test_removed_lines_do_not_count_in_the_numbers_of_added_ones() -> None:
    file = FileDiff(path="a.py", hunks=(hunk(3, " x", "-y", "+one", "-z", " x", "+two"),))
    assert file.added() == [AddedLine(4, "one"), AddedLine(6, "two")]


def test_each_hunk_counts_from_its_own_start() -> None:
    file = FileDiff(path="a.py", hunks=(hunk(1, "+one"), hunk(90, " x", "+two")))
    assert [line.number for line in file.added()] == [1, 91]


def test_a_file_without_text_adds_no_line() -> None:
    assert FileDiff(path="a.png", binary=True).added() == []


def test_a_change_is_complete_until_a_file_is_missing() -> None:
    assert Change().complete
    assert not Change(missing=("a.py",)).complete


def test_a_record_never_changes() -> None:
    file = FileDiff(path="a.py")
    with pytest.raises(AttributeError):
        file.path = "b.py"  # type: ignore[misc]


def test_eight_reasons_attribute_a_line() -> None:
    named = {"run", "line", "rewrapped", "edited", "substituted", "shell_text", "agent_commit"}
    named |= {"command_changed"}
    assert named == ATTRIBUTED
    assert set(Reason) > ATTRIBUTED
