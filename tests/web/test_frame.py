"""How templates write numbers, times and words; and that what a user wrote is no markup."""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from flask import Flask, render_template_string

from ghapp.web.frame import add_frame, day, iso, line_meter


@pytest.fixture(scope="module")
def app() -> Flask:
    made = Flask("frame")
    add_frame(made)
    return made


def written(app: Flask, template: str, value: object) -> str:
    with app.app_context():
        return render_template_string(template, value=value)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("words", "not_assisted", "not assisted"),
        ("words", "check_run", "Check run"),
        ("words", "some_new_word", "some new word"),
        ("number", 1234567, "1,234,567"),
        ("agent", "claude-code", "Claude Code"),
        ("agent", "an agent\u202e", "an agent\\u202e"),
        ("reason_group", "no_match", "not_attributed"),
        ("day", date(2025, 11, 3), "3 Nov 2025"),
        ("moment", datetime(2026, 5, 20, 15, 30, tzinfo=UTC), "2026-05-20 15:30 UTC"),
    ],
)
def test_a_filter_writes(app: Flask, name: str, value: object, expected: str) -> None:
    assert written(app, f"{{{{ value | {name} }}}}", value) == expected


@pytest.mark.parametrize("name", ["agent", "visible", "words", "reason_sentence"])
def test_what_a_user_wrote_is_no_markup(app: Flask, name: str) -> None:
    assert "<b>" not in written(app, f"{{{{ value | {name} }}}}", "<b>bold</b>")


def test_a_chart_is_markup(app: Flask) -> None:
    assert written(app, "{{ value | drawn }}", "<svg></svg>") == "<svg></svg>"


def test_a_time_is_utc_to_the_second() -> None:
    east = timezone(timedelta(hours=2))
    assert iso(datetime(2025, 11, 3, 14, 0, 0, 999_999, tzinfo=east)) == "2025-11-03T12:00:00Z"
    assert day(date(2025, 1, 31)) == "31 Jan 2025"


@pytest.mark.parametrize(
    ("part", "whole", "said"), [(0, 0, "-"), (1, 500, "&lt;1%"), (61, 90, "67%")]
)
def test_a_bar_says_its_share_as_a_floor(part: int, whole: int, said: str) -> None:
    assert f"src &amp; more: {said}" in line_meter("src & more", part, whole)


def test_a_page_shows_what_the_operator_says_now(tmp_path: Path) -> None:
    made, file = Flask("notice"), tmp_path / "notice.txt"
    add_frame(made, file)
    assert written(made, "[{{ notice() }}]", None) == "[]"
    file.write_text("Down on <Sunday>,\n8 to 9 UTC\u202e" + "x" * 10_000, "utf-8")
    shown = written(made, "[{{ notice() }}]", None)
    assert shown.startswith("[Down on &lt;Sunday&gt;, 8 to 9 UTC\\u202ex")
    assert len(shown) < 600
    file.unlink()
    assert written(made, "[{{ notice() }}]", None) == "[]"
