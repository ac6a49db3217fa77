"""Periods by name, and the one before each."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.summaries.periods import (
    DayPeriod,
    period_before,
    presets,
    quarter_before,
    quarter_name,
    quarter_of,
)
from ghapp.summaries.selection import EARLIEST, LATEST

days = st.dates(EARLIEST + timedelta(days=800), LATEST)


@pytest.mark.parametrize(
    ("since", "until", "before"),
    [
        ("2026-04-01", "2026-06-30", ("2026-01-01", "2026-03-31")),
        ("2026-04-01", "2026-05-20", ("2026-01-01", "2026-03-31")),
        ("2026-04-01", "2026-05-31", ("2026-01-01", "2026-03-31")),
        ("2026-04-01", "2026-04-30", ("2026-03-01", "2026-03-31")),
        ("2026-03-01", "2026-03-31", ("2026-02-01", "2026-02-28")),
        ("2026-01-01", "2026-01-31", ("2025-12-01", "2025-12-31")),
        ("2025-01-01", "2025-12-31", ("2024-01-01", "2024-12-31")),
        ("2026-05-18", "2026-05-24", ("2026-05-11", "2026-05-17")),
        ("2026-05-18", "2026-05-20", ("2026-05-11", "2026-05-17")),
        ("2026-05-20", "2026-05-20", ("2026-05-19", "2026-05-19")),
        ("2026-03-01", "2026-05-20", ("2025-12-10", "2026-02-28")),
        ("2000-01-01", "2000-01-31", None),
    ],
)
def test_the_period_before(since: str, until: str, before: tuple[str, str] | None) -> None:
    found = period_before(DayPeriod(date.fromisoformat(since), date.fromisoformat(until)))
    assert (found and (str(found.since), str(found.until))) == before


@given(days, st.integers(0, 700))
def test_it_ends_right_before_and_has_days(until: date, length: int) -> None:
    period = DayPeriod(until - timedelta(days=length), until)
    found = period_before(period)
    assert found is not None
    assert found.since <= found.until == period.since - timedelta(days=1)


@given(days)
def test_what_pages_offer_is_over_or_goes_on(today: date) -> None:
    offered = dict(presets(today))
    assert all(one.since <= one.until <= today for one in offered.values())
    assert offered["Last quarter"].until + timedelta(days=1) == offered["This quarter"].since
    quarter = offered["This quarter"]
    is_a_month = quarter.since.month == quarter.until.month != (today + timedelta(days=1)).month
    assert is_a_month or period_before(quarter) == offered["Last quarter"]
    assert quarter_of(quarter_name(offered["Last quarter"].since)) == quarter_before(today)
    assert (offered["Last 30 days"].until - offered["Last 30 days"].since).days == 29


@pytest.mark.parametrize(
    "name", ["", "2026", "2026-Q5", "2026-q1", "1999-Q4", "2026-Q1 ", "٢٠٢٦-Q1"]
)
def test_what_is_no_quarter_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="give one from"):
        quarter_of(name)
