"""Which machines report: summed by week, told apart from evidence, forgotten with their person."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from ghapp.attribution.model import Verdict
from ghapp.store import AuthorCoverage, AuthorsHeard, EditSender, MachineReport, Store, WeekCoverage
from ghapp.store.coverage import monday
from ghapp.store.summaries.questions import SummaryQuestions
from ghapp.summaries.counts import PullFacts
from ghapp.summaries.selection import PersonNaming, PullSelection
from tests.store.records import DAY, NOW, document, edit

ANN = MachineReport(
    installation_id=7, user_id=11, login="ann", machine="a" * 32, client="ghapp/1.0.0"
)
WEEK = datetime(2026, 5, 18, tzinfo=UTC)


def _report(**changed: object) -> MachineReport:
    values = {name: getattr(ANN, name) for name in ANN.__struct_fields__} | changed
    return MachineReport(**values)  # type: ignore[arg-type]


def test_a_week_begins_on_monday_in_utc() -> None:
    assert monday(NOW) == WEEK
    assert monday(WEEK) == WEEK
    assert monday(WEEK - timedelta(microseconds=1)) == WEEK - 7 * DAY
    late = datetime(2026, 5, 18, 1, tzinfo=timezone(timedelta(hours=2)))
    assert monday(late) == WEEK - 7 * DAY


def test_reports_of_a_week_are_one(store: Store) -> None:
    store.coverage.note([_report(repository_id=42, edits=2)], now=NOW)
    store.coverage.note([_report(repository_id=42, edits=3), ANN], now=NOW + DAY)
    store.coverage.note(
        [_report(repository_id=42, user_id=12, login="bob", machine="b" * 32)], now=NOW
    )
    store.coverage.note([_report(repository_id=42)], now=NOW + 7 * DAY)
    assert store.coverage.weeks(42, NOW, NOW + 7 * DAY) == (
        WeekCoverage(week=WEEK, developers=("ann", "bob"), machines=2, edits=5),
        WeekCoverage(week=WEEK + 7 * DAY, developers=("ann",), machines=1, edits=0),
    )
    assert store.coverage.weeks(43, NOW, NOW) == ()


def test_who_reported_for_a_repository_before_is_known(store: Store) -> None:
    store.coverage.note([_report(repository_id=42, edits=2), ANN], now=NOW)
    asked = [(11, 42), (11, 43), (12, 42)]
    assert [store.coverage.has_reported(*one) for one in asked] == [True, False, False]


PEOPLE = {11: "ann", 12: "bob-renamed", 13: "cy", 14: "dan"}


def _told(store: Store, since: datetime = NOW - DAY, until: datetime = NOW + DAY) -> list[str]:
    ask = store.coverage.author
    return [ask(42, person, since, until).value for person in PEOPLE.items()]


def test_an_author_with_nothing_is_told_from_one_who_only_reports(store: Store) -> None:
    store.coverage.note([ANN], now=NOW)
    store.evidence.add(42, [edit("a", actor="bob")], now=NOW, sender=EditSender(actor_id=12))
    store.evidence.add(42, [edit("b", actor="Cy")], now=NOW)
    assert _told(store) == ["reporting", "evidence", "evidence", "nothing"]
    store.evidence.add(42, [edit("c")], now=NOW)
    assert _told(store) == ["reporting", "evidence", "evidence", "unnamed"]
    assert _told(store, NOW + 14 * DAY, NOW + 15 * DAY) == ["nothing"] * 4


def test_pull_requests_of_silent_authors_are_named_and_counted(store: Store) -> None:
    store.coverage.note([ANN], now=NOW)
    store.evidence.add(42, [edit("a", actor="bob")], now=NOW, sender=EditSender(actor_id=12))
    for number, (author_id, author) in enumerate(PEOPLE.items(), start=1):
        about = PullFacts(author=author, author_id=author_id)
        store.audits.save(42, number, document(), now=NOW, about=about)
    store.audits.save(42, 9, document(), now=NOW, about=PullFacts())
    later = NOW + 60 * DAY
    store.audits.save(43, 1, document(later), now=NOW, about=PullFacts(author="ann", author_id=11))
    summaries, today = SummaryQuestions(store.database, PersonNaming()), NOW.date()
    near = PullSelection((42, 43), since=today - DAY, until=today + DAY)
    found = summaries.silent(near, 100)
    assert [(one.pull_request, one.author, one.known) for one in found] == [
        (3, "cy", AuthorCoverage.NOTHING),
        (4, "dan", AuthorCoverage.NOTHING),
    ]
    assert summaries.silent(near, 1) == found[:1]
    assert summaries.heard(near) == AuthorsHeard(pulls=4, without=2, no_evidence=0, neither=0)
    assert store.coverage.of_pull(42, 2) is AuthorCoverage.EVIDENCE
    assert store.coverage.of_pull(42, 9) is None
    assert store.coverage.of_pull(42, 99) is None
    assert summaries.heard(PullSelection((43,))).without == 1
    assert summaries.heard(PullSelection(())).pulls == 0


def test_two_unknowns_are_told_apart(store: Store) -> None:
    store.coverage.note([ANN], now=NOW)
    unknown = document(verdict=Verdict.NO_EVIDENCE)
    for number, (author_id, text) in enumerate(
        [(11, unknown), (11, document()), (14, unknown), (14, document()), (14, document())]
    ):
        about = PullFacts(author=f"person-{author_id}", author_id=author_id)
        store.audits.save(42, number, text, now=NOW, about=about)
    heard = SummaryQuestions(store.database, PersonNaming()).heard(PullSelection((42,)))
    assert heard == AuthorsHeard(pulls=5, without=3, no_evidence=2, neither=1)


@pytest.mark.parametrize(
    ("days", "known"), [(-22, "nothing"), (-21, "evidence"), (2, "evidence"), (3, "nothing")]
)
def test_evidence_counts_in_the_window_only(store: Store, days: int, known: str) -> None:
    sent = edit("a", at=NOW + days * DAY)
    store.evidence.add(42, [sent], now=NOW, sender=EditSender(actor_id=11))
    store.audits.save(42, 1, document(), now=NOW, about=PullFacts(author="ann", author_id=11))
    summaries = SummaryQuestions(store.database, PersonNaming())
    found = summaries.silent(PullSelection((42,)), 100)
    assert (["nothing"] if known == "nothing" else []) == [one.known.value for one in found]


def test_reports_are_forgotten_with_their_person_and_with_time(store: Store) -> None:
    store.coverage.note([ANN, _report(login="ann-renamed", machine="c" * 32)], now=NOW)
    store.coverage.note([_report(user_id=12, login="bob")], now=NOW)
    assert store.coverage.forget("ANN", 11) == 2
    assert store.coverage.expire(NOW) == 0
    assert store.coverage.expire(NOW + 14 * DAY) == 1
