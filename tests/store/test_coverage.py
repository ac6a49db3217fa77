"""Which machines report: summed by week, told apart from evidence, forgotten with their person."""

from datetime import UTC, datetime, timedelta, timezone

from ghapp.store import AuthorCoverage, MachineReport, Sender, Store, WeekCoverage
from ghapp.store.coverage import monday
from tests.store.records import DAY, NOW, edit

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
    assert store.coverage.repositories_of(11, 7, 5) == (42,)


def test_an_author_with_nothing_is_told_from_one_who_only_reports(store: Store) -> None:
    store.coverage.note([ANN], now=NOW)
    store.evidence.add(42, [edit("a", actor="bob")], now=NOW, sender=Sender(actor_id=12))
    store.evidence.add(42, [edit("b", actor="Cy")], now=NOW)
    authors = [(11, "ann"), (12, "bob-renamed"), (13, "cy"), (14, "dan")]
    assert store.coverage.authors(42, authors, NOW - DAY, NOW + DAY) == {
        11: AuthorCoverage.REPORTING,
        12: AuthorCoverage.EVIDENCE,
        13: AuthorCoverage.EVIDENCE,
        14: AuthorCoverage.NOTHING,
    }
    later = store.coverage.authors(42, authors, NOW + 14 * DAY, NOW + 15 * DAY)
    assert set(later.values()) == {AuthorCoverage.NOTHING}
    assert store.coverage.authors(42, [], NOW, NOW) == {}


def test_reports_are_forgotten_with_their_person_and_with_time(store: Store) -> None:
    store.coverage.note([ANN, _report(login="ann-renamed", machine="c" * 32)], now=NOW)
    store.coverage.note([_report(user_id=12, login="bob")], now=NOW)
    assert store.coverage.forget("ANN", 11) == 2
    assert store.coverage.expire(NOW) == 0
    assert store.coverage.expire(NOW + 14 * DAY) == 1
