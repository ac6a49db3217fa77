"""What came of pull requests, beside each other."""

import statistics
from datetime import timedelta
from typing import Any

import pytest

from ghapp.attribution.model import Verdict
from ghapp.store import Store
from ghapp.store.summaries.questions import SummaryQuestions
from ghapp.summaries.counts import OutcomeMeasure, PullOutcome
from ghapp.summaries.intervals import proportion
from ghapp.summaries.selection import NotShown, PullSelection
from tests.store.records import MINUTE, NOW, document
from tests.store.summaries.worlds import PEOPLE


def an_outcome(**changed: Any) -> PullOutcome:
    values = {
        "collected_at": NOW,
        "first_commit_at": NOW - timedelta(hours=10),
        "opened_at": NOW - timedelta(hours=6),
        "first_review_at": NOW - timedelta(hours=4),
        "review_rounds": 1,
        "review_comments": 2,
        "changed_lines": 30,
        "attributed_lines": 2,
        "other_lines": 1,
    } | changed
    return PullOutcome(**values)


def test_outcomes_stand_beside_each_other(store: Store) -> None:
    verdicts = [Verdict.ASSISTED] * 3 + [Verdict.NOT_ASSISTED] * 2 + [Verdict.NO_EVIDENCE]
    kept_outcomes: dict[int, PullOutcome] = {}
    for number, verdict in enumerate(verdicts, 1):
        store.audits.save(42, number, document(pull_request=number, verdict=verdict), now=NOW)
        kept_outcomes[number] = an_outcome(
            first_commit_at=NOW - timedelta(hours=number),
            first_review_at=None if number == 1 else NOW,
            review_comments=number,
            reverted=None if number == 3 else number == 2,
            attributed_after_30=None if number == 3 else 2 - number % 2,
            others_after_30=None if number == 3 else 1,
        )
        store.outcomes.keep(42, number, an_outcome())
        store.outcomes.keep(42, number, kept_outcomes[number])
        assert store.outcomes.of(42, number) == kept_outcomes[number]
    quick = SummaryQuestions(store.database, PEOPLE)
    found = quick.outcomes(PullSelection((42,)))
    assert (found.collected, found.pulls) == (5, 5)
    by_name = {one.measured: (one.assisted, one.others) for one in found.comparisons}
    assert set(by_name) == set(OutcomeMeasure)
    assisted, others = [kept_outcomes[n] for n in (1, 2, 3)], [kept_outcomes[n] for n in (4, 5)]
    hours = [(NOW - one.first_commit_at).total_seconds() / 3600 for one in assisted]  # type: ignore[operator]
    assert by_name[OutcomeMeasure.HOURS_TO_MERGE][0].value == statistics.median(hours)
    assert by_name[OutcomeMeasure.HOURS_TO_REVIEW][0].count == 2
    assert by_name[OutcomeMeasure.REVIEW_COMMENTS][1].value == statistics.median(
        one.review_comments for one in others
    )
    assert by_name[OutcomeMeasure.REVERTED][0] == proportion(1, 2)
    assert by_name[OutcomeMeasure.FIXED_UP][0].value is None
    known = [one for one in (*assisted, *others) if one.attributed_after_30 is not None]
    survived = by_name[OutcomeMeasure.SURVIVED_30]
    assert survived[0].count == sum(one.attributed_lines for one in known)
    assert survived[0].value == sum(one.attributed_after_30 or 0 for one in known) / 8
    assert survived[1].value == 1.0
    with pytest.raises(NotShown, match="one person"):
        quick.outcomes(PullSelection((42,), author="ann"))


def test_an_outcome_that_is_not_known_yet_is_none(store: Store) -> None:
    assert store.outcomes.of(42, 17) is None
    store.audits.save(42, 17, document(), now=NOW)
    found = SummaryQuestions(store.database, PEOPLE).outcomes(PullSelection((42,)))
    assert (found.collected, found.pulls) == (0, 1)
    assert {one.assisted.value for one in found.comparisons} == {None}


def test_a_merge_before_its_first_commit_took_no_time(sqlite_store: Store) -> None:
    sqlite_store.audits.save(42, 17, document(), now=NOW)
    late = an_outcome(first_commit_at=NOW + MINUTE, first_review_at=None)
    sqlite_store.outcomes.keep(42, 17, late)
    found = SummaryQuestions(sqlite_store.database, PEOPLE).outcomes(PullSelection((42,)))
    by_name = {one.measured: one.assisted for one in found.comparisons}
    assert (by_name[OutcomeMeasure.HOURS_TO_MERGE].value) == 0
    assert by_name[OutcomeMeasure.HOURS_TO_REVIEW].count == 0
