"""The sentences beside a share."""

from ghapp.reports.coverage import OF_AUTHOR, erased, of_author, of_authors
from ghapp.store import AuthorCoverage, AuthorsHeard


def test_there_is_a_sentence_for_all_that_can_be_known() -> None:
    assert set(OF_AUTHOR) == {known.value for known in AuthorCoverage}
    assert "unknown, not zero" in of_author("nothing")


def heard(pulls: int, without: int, *, no_evidence: int = 0, neither: int = 0) -> str:
    counts = AuthorsHeard(pulls=pulls, without=without, no_evidence=no_evidence, neither=neither)
    return of_authors(counts)


def test_silence_of_some_authors_is_counted() -> None:
    assert heard(3, 0) == "The author's machine reported for all 3 pull requests."
    assert heard(500, 0) == "The author's machine reported for the last 500 pull requests."
    assert heard(3, 1, neither=1).startswith(
        "For 1 of 3 pull requests the author's machine did not"
    )


def test_no_evidence_and_a_silent_author_are_reconciled() -> None:
    said = heard(100, 30, no_evidence=12, neither=10)
    assert "20 of these have evidence of other people" in said
    assert said.endswith(
        "2 pull requests without evidence have an author whose machine did report: "
        "it had nothing to send."
    )
    assert heard(100, 10, no_evidence=10, neither=10).endswith("agent use is unknown there.")


def test_an_erasure_is_told_with_its_day() -> None:
    assert "(1 edit, last on 2026-05-20)" in erased(1, "2026-05-20")
    assert "(2 edits," in erased(2, "2026-05-20")
