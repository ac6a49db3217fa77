"""The sentences beside a share."""

from ghapp.reports.coverage import OF_AUTHOR, erased, of_author, of_authors
from ghapp.store import AuthorCoverage


def test_there_is_a_sentence_for_all_that_can_be_known() -> None:
    assert set(OF_AUTHOR) == {known.value for known in AuthorCoverage}
    assert "unknown, not zero" in of_author("nothing")


def test_silence_of_some_authors_is_counted() -> None:
    assert of_authors(3, 0) == "The author's machine reported for all 3 pull requests."
    last = of_authors(500, 0, is_all=False)
    assert last == "The author's machine reported for the last 500 pull requests."
    assert of_authors(3, 1).startswith("For 1 of 3 pull requests the author's machine did not")


def test_an_erasure_is_told_with_its_day() -> None:
    assert "(1 edit, last on 2026-05-20)" in erased(1, "2026-05-20")
    assert "(2 edits," in erased(2, "2026-05-20")
