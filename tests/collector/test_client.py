"""The HTTP client of the upload routes: where a token may go, and what answers mean."""

from datetime import UTC, datetime, timedelta

import pytest

from ghapp.collector.client import (
    LONGEST_WAIT,
    WAIT,
    AddressError,
    AppAway,
    UploadClient,
    checked,
    waiting,
)
from tests.collector.stand_in import TOKEN, App, Fault

NOW = datetime(2026, 5, 18, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://audits.example.com/", "https://audits.example.com"),
        ("https://example.com/audits/", "https://example.com/audits"),
        (" http://127.0.0.1:8000 ", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://localhost", "http://localhost"),
    ],
)
def test_good_addresses(given: str, used: str) -> None:
    assert checked(given) == used


@pytest.mark.parametrize(
    "given",
    [
        "http://audits.example.com",
        "audits.example.com",
        "ftp://audits.example.com",
        "https://[",
        "https://ann:secret@audits.example.com",
        "http://localhost.example.com",
        "https://",
        "file:///etc/passwd",
    ],
)
def test_addresses_that_no_token_may_go_to(given: str) -> None:
    with pytest.raises(AddressError, match="give the app's own"):
        checked(given)


@pytest.mark.parametrize(
    ("told", "wait"),
    [
        (None, WAIT),
        ("30", timedelta(seconds=30)),
        ("0", timedelta(seconds=1)),
        ("-5", timedelta(seconds=1)),
        ("99999999999999999999", WAIT),
        ("999999", LONGEST_WAIT),
        ("Mon, 18 May 2026 09:10:00 GMT", timedelta(minutes=10)),
        ("soon", WAIT),
    ],
)
def test_how_long_to_wait(told: str | None, wait: timedelta) -> None:
    assert waiting(told, NOW) == wait


def test_an_answer_that_is_no_answer_is_an_app_away(app: App) -> None:
    app.faults = [Fault(200)]
    with pytest.raises(AppAway, match="is the address right"):
        UploadClient(app.url, TOKEN).enrollment()


def test_nobody_there_is_an_app_away() -> None:
    with pytest.raises(AppAway, match="cannot be reached"):
        UploadClient("http://127.0.0.1:9", TOKEN).enrollment()


def test_a_token_goes_in_its_header_alone(app: App) -> None:
    UploadClient(app.url, TOKEN).enrollment()
    line, headers, packed, _ = app.received
    assert f"Authorization: Bearer {TOKEN}".encode() in headers
    assert TOKEN.encode() not in line + packed
