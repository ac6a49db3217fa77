"""What is asked for: periods, names, and whether tallies can answer it."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.model import AuditState, Verdict
from ghapp.summaries.selection import NamesShown, PersonNaming, PullSelection, TimeGrain
from tests.searching import searched


@searched(50)
@given(st.dates(date(1999, 1, 1), date(2101, 1, 1)), st.sampled_from(TimeGrain))
def test_each_day_is_in_one_period(day: date, grain: TimeGrain) -> None:
    start = grain.start(day)
    after = grain.next(start)
    assert start <= day < after
    assert grain.start(start) == start
    assert grain.start(after) == after
    assert grain.start(after - timedelta(days=1)) == start


def test_weeks_begin_on_monday_and_months_end_with_the_year() -> None:
    assert TimeGrain.WEEK.start(date(2026, 5, 24)) == date(2026, 5, 18)
    assert TimeGrain.MONTH.next(date(2026, 12, 1)) == date(2027, 1, 1)
    assert TimeGrain.MONTH.next(date(2028, 2, 1)) == date(2028, 3, 1)
    assert TimeGrain.DAY.next(date(2026, 12, 31)) == date(2027, 1, 1)


@pytest.mark.parametrize(
    "more",
    [
        {"author": "ann"},
        {"team": "core"},
        {"agent": "codex"},
        {"verdict": Verdict.ASSISTED},
        {"state": AuditState.FINAL},
        {"share_from": 0.0},
        {"share_to": 1.0},
        {"path": "."},
        {"base": "next"},
        {"counting": "codex"},
    ],
)
def test_anything_but_repositories_and_days_is_not_plain(more: dict[str, Any]) -> None:
    plain = PullSelection((1, 2), since=date(2026, 1, 1), until=date(2026, 1, 2))
    assert plain.is_plain
    assert PullSelection(()).is_plain
    assert not msgspec.structs.replace(plain, **more).is_plain


def test_every_member_of_a_selection_is_asked_about_above() -> None:
    (mark,) = test_anything_but_repositories_and_days_is_not_plain.pytestmark  # type: ignore[attr-defined]
    asked = {name for more in mark.args[1] for name in more}
    assert asked | {"repository_ids", "since", "until"} == {*PullSelection.__struct_fields__}


def test_people_are_named_only_where_they_may_be() -> None:
    assert PersonNaming(names=NamesShown.PEOPLE).of("Ann") == "Ann"
    for names in (NamesShown.PSEUDONYMS, NamesShown.TEAMS):
        naming = PersonNaming(names=names, key=b"k" * 32)
        assert naming.of("Ann") == naming.of("ANN") != naming.of("bob")
        assert "ann" not in naming.of("Ann").lower()
    assert PersonNaming().names is NamesShown.TEAMS


def test_a_pseudonym_needs_the_whole_of_its_key() -> None:
    names = {
        PersonNaming(names=NamesShown.PSEUDONYMS, key=key).of("ann")
        for key in (b"a" * 32, b"a" * 31 + b"b", b"a" * 64, b"")
    }
    assert len(names) == 4
