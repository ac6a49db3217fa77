"""What is remembered of files, and when it is forgotten."""

from datetime import UTC, datetime, timedelta

import pytest

from ghapp.evidence.known_files import KnownFiles, SharedFiles
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


# --- what the transcripts of one session share ----------------------------------------------------

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_what_was_shown_before_is_known_and_what_came_later_is_not() -> None:
    shared = SharedFiles()
    shared.wrote("a", NOON + 5 * SECOND, "five")
    shared.wrote("a", NOON, "zero")
    shared.replaced("a", NOON + 2 * SECOND, [TextReplacement("zero", "two")])
    asked = [shared.text("a", NOON + n * SECOND) for n in (-1, 0, 1, 2, 4, 5, 9)]
    assert asked == [None, "zero", "zero", "two", "two", "five", "five"]
    assert shared.text("b", NOON) is None


def test_a_change_that_tells_no_text_makes_it_unknown_until_it_is_shown_again() -> None:
    shared = SharedFiles()
    shared.wrote("a", NOON, "zero")
    shared.changed("a", NOON + SECOND)
    shared.replaced("a", NOON + 2 * SECOND, [TextReplacement("x", "y")])
    assert [shared.text("a", NOON + n * SECOND) for n in (0, 1, 2)] == ["zero", None, None]
    shared.wrote("a", NOON + 3 * SECOND, "three")
    assert shared.text("a", NOON + 3 * SECOND) == "three"


def test_without_a_time_nothing_is_known_any_more() -> None:
    shared = SharedFiles()
    shared.wrote("a", NOON, "zero")
    shared.wrote("a", None, "when")
    assert shared.text("a", NOON) is None


def test_the_budget_drops_the_oldest_files() -> None:
    shared = SharedFiles(budget=10)
    shared.wrote("a", NOON, "12345")
    shared.wrote("b", NOON, "12345")
    shared.wrote("c", NOON, "1")
    assert [shared.text(name, NOON) for name in "abc"] == [None, "12345", "1"]
