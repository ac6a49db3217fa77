"""The forms of a time that people and git write."""

import pytest

from ghapp.cli.times import parse_time


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-05-20T15:30:00Z", "2026-05-20T15:30:00+00:00"),
        ("2026-05-20T15:30:00.250Z", "2026-05-20T15:30:00.250000+00:00"),
        ("2026-05-20T15:30:00+02:00", "2026-05-20T13:30:00+00:00"),
        ("2026-05-20 15:30:00 +0200", "2026-05-20T13:30:00+00:00"),
        ("2026-05-20 15:30:00 -0330", "2026-05-20T19:00:00+00:00"),
        ("2026-05-20 15:30:00", "2026-05-20T15:30:00+00:00"),
        ("2026-05-20 15:30", "2026-05-20T15:30:00+00:00"),
        ("2026-05-20", "2026-05-20T00:00:00+00:00"),
        (" 2026-05-20 15:30 Z ", "2026-05-20T15:30:00+00:00"),
    ],
)
def test_a_time_becomes_utc(text: str, utc: str) -> None:
    assert parse_time(text).isoformat() == utc


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01", "20.5.2026", "0001-01-01T00:00+14:00"]
)
def test_no_time_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(ValueError, match="write it as 2026-05-20T15:30:00Z"):
        parse_time(text)
