"""What is remembered of files, and when it is forgotten."""

import pytest

from ghapp.evidence.known_files import KnownFiles
from ghapp.evidence.own_lines import TextReplacement


def test_replacements_are_made_when_the_text_is_asked_for() -> None:
    known = KnownFiles()
    known.wrote("a", "one two")
    known.replaced("a", [TextReplacement("two", "three")])
    known.replaced("b", [TextReplacement("x", "y")])
    assert known.text("a") == "one three"
    assert known.text("b") is None


def test_a_replacement_that_does_not_fit_makes_the_text_forgotten() -> None:
    known = KnownFiles()
    known.wrote("a", "one")
    known.replaced("a", [TextReplacement("two", "three")])
    assert known.text("a") is None
    assert "a" not in known


def test_a_record_is_decoded_only_when_needed() -> None:
    def load() -> str:
        pytest.fail("nobody asked for the text")

    KnownFiles().shown("a", 3, load)


def test_the_budget_holds() -> None:
    known = KnownFiles(budget=10)
    known.wrote("a", "12345")
    known.wrote("b", "12345")
    known.wrote("c", "1")
    assert [known.text(path) for path in "abc"] == [None, "12345", "1"]
    known.replaced("b", [TextReplacement("12345", "1234567")])
    assert known.text("b") is None
    assert known.text("c") == "1"


def test_a_very_large_file_is_not_kept() -> None:
    known = KnownFiles(budget=10)
    known.wrote("a", "x" * 11)
    assert "a" not in known
