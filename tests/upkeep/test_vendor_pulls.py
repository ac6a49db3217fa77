"""Each vendor is read over HTTP from its stand-in: every day once, and what went wrong said."""

import logging
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from ghapp.store import Installation, Store
from ghapp.store.usage_rows import StoredUsage
from ghapp.upkeep import vendor_pulls
from ghapp.upkeep.vendor_pulls import (
    AGAIN_DAYS,
    UNREADABLE,
    VendorPulled,
    VendorPulls,
    WrongKey,
)
from ghapp.usage.days import DecisionDay, TokenDay
from ghapp.usage.decisions import EditDecision
from ghapp.usage.sources import UsageSource
from ghapp.vendors.registry import VENDORS
from tests.vendors.stand_in import (
    KEY,
    NOW,
    SECRET,
    STAND_INS,
    TODAY,
    Anthropic,
    Expected,
    Reply,
    StandIn,
    served,
    vendor_of,
)

ORG = Installation(id=7, account="acme")
DAY = timedelta(days=1)
OLD, NEW = TODAY - 4 * DAY, TODAY - 3 * DAY
WEEK = 7
PEOPLE = {"ada": 5, "bob": 7, "cleo": 11}


class Reading:
    """An organization that has connected one vendor."""

    def __init__(self, told: StandIn, store: Store) -> None:
        self.told, self.store, self.now = told, store, NOW
        self.pulls = VendorPulls(
            store=store,
            encryption_key=b"k" * 32,
            github_api="http://127.0.0.1:9",
            clock=lambda: self.now,
            vendors={told.vendor: vendor_of(told)},
        )

    def connect(self, key: str = KEY) -> None:
        """Connect the vendor."""
        self.pulls.connect(ORG, self.pulls.vendors[self.told.vendor], key, by="owner")
        self.told.asked.clear()

    def pull(self) -> VendorPulled:
        """Read it."""
        pulled = self.pulls.pull(ORG.id, self.told.vendor)
        assert pulled is not None
        return pulled

    @property
    def problem(self) -> str | None:
        """What the settings page says."""
        found = self.store.vendors.of(ORG.id, self.told.vendor)
        assert found is not None
        return found.problem

    @property
    def through(self) -> date | None:
        """Until which day everything is read."""
        found = self.store.vendors.of(ORG.id, self.told.vendor)
        assert found is not None
        return found.through

    def stored(self, day: date) -> Expected:
        """Count what is stored of a day, row by row."""
        names = {one.person: one.value for one in self.store.usage.identities(ORG.id)}
        counts: dict[str, Counter[str]] = {
            name: Counter() for name in ("outputs", "accepted", "billed", "listed")
        }
        for one in self.store.usage.rows(ORG.id):
            if one.row.day == day:
                _count(counts, names[one.person], one)
        for amount in self.store.vendors.amounts(ORG.id, day, day):
            who = names.get(amount.person or 0, "")
            counts["billed"][who] += amount.billed or 0
            counts["listed"][who] += amount.list_price or 0
        return Expected(**{name: dict(+found) for name, found in counts.items()})


def _count(counts: dict[str, Counter[str]], who: str, one: StoredUsage) -> None:
    assert (one.source, one.repository_id) == (UsageSource.VENDOR, None)
    if isinstance(one.row, TokenDay):
        counts["outputs"][who] += one.row.tokens.output
    elif isinstance(one.row, DecisionDay) and one.row.decision is EditDecision.ACCEPTED:
        counts["accepted"][who] += one.row.edits


@pytest.fixture(params=STAND_INS, ids=lambda kind: kind.vendor)
def told(request: pytest.FixtureRequest) -> Iterator[StandIn]:
    with served(request.param()) as found:
        yield found


def reading_over(told: StandIn, store: Store) -> Reading:
    store.installations.seen(ORG, now=NOW)
    made = Reading(told, store)
    made.connect()
    return made


@pytest.fixture(autouse=True)
def _short_first_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a first reading go a week back: each day is a request or more."""
    assert vendor_pulls.FIRST_DAYS == 30
    monkeypatch.setattr(vendor_pulls, "FIRST_DAYS", WEEK)


@pytest.fixture
def reading(told: StandIn, sqlite_store: Store) -> Reading:
    return reading_over(told, sqlite_store)


# --- each day once --------------------------------------------------------------------------------


def test_every_day_is_stored_once_whatever_is_revised_or_told_twice(
    told: StandIn, night_store: Store
) -> None:
    reading, drawn = reading_over(told, night_store), random.Random(19)  # noqa: S311 - chance, no secret
    told.today = TODAY - 3 * DAY
    for _ in range(4):
        reading.now = datetime(told.today.year, told.today.month, told.today.day, 12, tzinfo=UTC)
        days = [told.today - back * DAY for back in range(told.lag, AGAIN_DAYS)]
        for day in days:
            some = drawn.sample(["ada", "bob", "cleo", "dora", "eve"], drawn.randint(0, 5))
            told.say(day, **{who: drawn.randint(1, 99) for who in some})
        told.repeats = drawn.random() < 0.5
        told.page_size = drawn.randint(1, 4)
        for _ in range(2):
            assert reading.pull().problem is None
        told.today += DAY
    for day in sorted(told.days):
        assert reading.stored(day) == told.expected(day), day
    assert len(told.days) >= AGAIN_DAYS
    assert reading.through == told.today - DAY - told.lag * DAY


def test_the_first_reading_goes_far_back_and_the_next_ones_some_days(reading: Reading) -> None:
    reports = len(VENDORS[reading.told.vendor].reports)
    assert reading.pull().days == WEEK * reports
    assert reading.pull().days == AGAIN_DAYS * reports
    # A month in which nothing was read is made up for.
    reading.now += 20 * DAY
    reading.told.today += 20 * DAY
    assert reading.pull().days == (20 + AGAIN_DAYS) * reports


def test_usage_that_a_machine_or_telemetry_sends_goes_before(reading: Reading) -> None:
    assert max(UsageSource) == UsageSource.VENDOR
    reading.told.say(OLD, **PEOPLE)
    reading.pull()
    assert {one.source for one in reading.store.usage.rows(ORG.id)} == {UsageSource.VENDOR}
    assert reading.store.usage.settle() == len(PEOPLE)


# --- faults ---------------------------------------------------------------------------------------


def test_half_an_answer_stores_nothing_of_its_day(reading: Reading) -> None:
    reading.told.say(OLD, **PEOPLE)
    reading.pull()
    reading.told.say(OLD, ada=1)
    reading.told.cut = {OLD}
    pulled = reading.pull()
    assert pulled.is_away
    assert "no whole answer" in str(reading.problem)
    reading.told.say(OLD, **PEOPLE)
    assert reading.stored(OLD) == reading.told.expected(OLD)


def test_a_second_page_that_fails_stores_nothing_of_its_day(reading: Reading) -> None:
    reading.told.say(OLD, **PEOPLE)
    reading.told.say(NEW, ada=1)
    reading.told.away_on_page_two = {OLD}
    assert reading.pull().is_away
    assert "status 503" in str(reading.problem)
    assert reading.stored(OLD) == Expected({}, {}, {}, {})
    reading.told.away_on_page_two = set()
    assert reading.pull().problem is None
    for day in (OLD, NEW):
        assert reading.stored(day) == reading.told.expected(day)
    assert reading.problem is None


def test_a_changed_type_is_named_and_stores_nothing_of_its_day_alone(reading: Reading) -> None:
    reading.told.say(OLD, **PEOPLE)
    reading.told.say(NEW, ada=1)
    reading.told.changed = {OLD}
    pulled = reading.pull()
    assert f"{OLD}: " in str(pulled.problem)
    assert "not as documented: " in str(reading.problem)
    assert "`$." in str(reading.problem)
    assert "nothing of the day is stored" in str(reading.problem)
    assert SECRET not in str(reading.problem)
    assert reading.stored(OLD) == Expected({}, {}, {}, {})
    assert reading.stored(NEW) == reading.told.expected(NEW)
    # It is read again until it is right, and only then counted as read.
    assert reading.through == OLD - DAY
    reading.told.changed = set()
    assert reading.pull().problem is None
    assert reading.stored(OLD) == reading.told.expected(OLD)


WAITS = {
    "30": 30,
    "Mon, 30 Nov 2026 12:02:00 GMT": 120,
    None: 60,
    "soon": 60,
    "9" * 30: 86_400,
    "-5": 60,
}
"""Retry-After → seconds."""


def test_a_limit_is_obeyed(reading: Reading) -> None:
    reading.told.say(OLD, **PEOPLE)
    for named, wait in WAITS.items():
        reading.told.asked.clear()
        reading.told.limited, reading.told.retry_after = 1, named
        assert reading.pull().until == NOW + timedelta(seconds=wait)
        assert len(reading.told.asked) == 1
        assert "asked too often; reading goes on after 2026-1" in str(reading.problem)
    assert reading.pull().problem is None
    assert reading.stored(OLD) == reading.told.expected(OLD)


def test_a_limit_in_the_middle_keeps_what_was_read(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vendor_pulls, "FIRST_DAYS", 2 * WEEK)
    reading.told.say(OLD, **PEOPLE)
    asked: list[int] = []
    whole = reading.told.route

    def limited(one: Any) -> Any:
        asked.append(1)
        if len(asked) % 9 == 0:
            reading.told.limited = 1
        return whole(one)

    reading.told.route = limited  # type: ignore[method-assign]
    tries = 1
    while reading.pull().until is not None:
        tries += 1
        assert tries < 20
    assert tries > 1
    assert reading.problem is None
    assert reading.through == TODAY - reading.told.lag * DAY
    assert reading.stored(OLD) == reading.told.expected(OLD)


def test_pages_that_never_end_end(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ghapp.vendors.asking.MOST_PAGES", "ghapp.vendors.cursor.MOST_PAGES"):
        monkeypatch.setattr(name, 5)
    monkeypatch.setattr(vendor_pulls, "FIRST_DAYS", 2)
    reading.told.circles = True
    assert reading.pull().days == 0
    assert "never end" in str(reading.problem) or "more than 100" in str(reading.problem)


def test_more_bytes_than_a_day_can_have_end(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ghapp.vendors.asking.MOST_BYTES", 100)
    reading.told.say(OLD, **PEOPLE)
    reading.pull()
    assert "longer than 100 bytes" in str(reading.problem)
    assert reading.stored(OLD) == Expected({}, {}, {}, {})


def test_other_statuses_are_said(reading: Reading) -> None:
    for status in (301, 302, 404, 418, 500, 503, 529):
        reading.told.status = status
        pulled = reading.pull()
        is_missing = status == 404 and reading.told.vendor == "github-copilot"
        assert ("there is no report" if is_missing else f"status {status}") in str(reading.problem)
        assert pulled.is_away == (status >= 500)
    assert not [one for one in reading.told.asked if one.path == "/elsewhere"]


def test_a_day_that_is_not_there_yet_is_no_problem(reading: Reading) -> None:
    last = TODAY - reading.told.lag * DAY
    reading.told.say(last, **PEOPLE)
    reading.told.late = {last}
    reading.told.say(OLD, ada=1)
    assert reading.pull().problem is None
    assert reading.stored(last) == Expected({}, {}, {}, {})
    reading.told.late = set()
    assert reading.pull().problem is None
    assert reading.stored(last) == reading.told.expected(last)


def test_a_request_that_is_refused_is_said(reading: Reading) -> None:
    reading.told.refusing = {OLD}
    reading.pull()
    asked = len(VENDORS[reading.told.vendor].reports)
    assert str(reading.problem).count("status 4") in {1, asked}


def test_a_report_that_is_refused_leaves_the_key_s_others(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As Usage & Cost is for organizations with HIPAA readiness.
    monkeypatch.setattr(Anthropic, "_cost", lambda *_: Reply({"error": SECRET}, 400))
    with served(Anthropic()) as told:
        reading = reading_over(told, sqlite_store)
        told.say(OLD, **PEOPLE)
        assert reading.pull().days == WEEK
        assert reading.problem == (
            "Usage & Cost Analytics API, costs: GET /v1/organizations/analytics/cost: status 400"
        )
        stored, wanted = reading.stored(OLD), told.expected(OLD)
        assert (stored.outputs, stored.billed) == (wanted.outputs, {})


def test_a_fault_of_ours_is_said_too(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError(SECRET)

    monkeypatch.setattr(reading.store.vendors, "replace_day", broken)
    with pytest.raises(ZeroDivisionError):
        reading.pull()
    assert vendor_pulls.OUR_FAULT in str(reading.problem)
    assert SECRET not in str(reading.problem)


# --- keys -----------------------------------------------------------------------------------------


def test_a_key_that_the_vendor_does_not_take_is_not_stored(
    told: StandIn, sqlite_store: Store
) -> None:
    sqlite_store.installations.seen(ORG, now=NOW)
    reading = Reading(told, sqlite_store)
    with pytest.raises(WrongKey, match="the key is not accepted") as refused:
        reading.connect("another-key")
    assert VENDORS[told.vendor].key_is in str(refused.value)
    assert "another-key" not in str(refused.value)
    told.forbids = True
    with pytest.raises(WrongKey, match="may not read this"):
        reading.connect()
    for key in (
        "",
        "short",
        "with a blank in it",
        "ключ-ключ-ключ",
        "line\nbreak-line",
        "k" * 1001,
    ):
        with pytest.raises(WrongKey, match="ASCII"):
            reading.connect(key)
    told.forbids, told.status = False, 500
    with pytest.raises(WrongKey, match="status 500"):
        reading.connect()
    assert sqlite_store.vendors.connections(ORG.id) == ()


def test_a_key_that_is_revoked_is_said_and_a_new_one_goes_on(reading: Reading) -> None:
    reading.told.say(OLD, **PEOPLE)
    reading.told.forbids = True
    assert reading.pull() == VendorPulled(0, reading.pull().problem)
    assert "the key may not read this" in str(reading.problem)
    reading.told.forbids = False
    reading.connect()
    assert reading.problem is None
    assert reading.pull().problem is None
    assert reading.stored(OLD) == reading.told.expected(OLD)


def test_a_key_is_nowhere_in_clear(
    reading: Reading, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[Any] = []
    monkeypatch.setattr(vendor_pulls.log, "info", lambda *args, **more: said.append((args, more)))
    reading.told.forbids = True
    with caplog.at_level(logging.DEBUG):
        reading.pull()
    (found,) = reading.store.vendors.connections()
    shown = [caplog.text, said, found, reading.problem, reading.store.work.open()]
    assert KEY not in repr(shown)
    assert repr(found.key) not in repr(found)
    assert reading.store.database.url.database is not None
    with open(reading.store.database.url.database, "rb") as file:  # noqa: PTH123
        assert KEY.encode() not in file.read()


def test_a_key_of_another_encryption_key_is_said(reading: Reading) -> None:
    other = VendorPulls(
        store=reading.store,
        encryption_key=b"o" * 32,
        github_api="",
        clock=lambda: NOW,
    )
    assert other.pull(ORG.id, reading.told.vendor) == VendorPulled(0, UNREADABLE)
    assert UNREADABLE in str(reading.problem)


def test_who_is_gone_is_not_read(reading: Reading) -> None:
    reading.store.installations.removed(ORG.id, now=NOW)
    assert reading.pulls.pull(ORG.id, reading.told.vendor) is None
    assert reading.pulls.pull(ORG.id, "another-vendor") is None
    assert reading.pulls.pull(8, reading.told.vendor) is None
    assert reading.told.asked == []


def test_removing_a_vendor_removes_what_it_told(reading: Reading) -> None:
    reading.told.say(OLD, **PEOPLE)
    reading.pull()
    assert reading.store.vendors.disconnect(ORG.id, reading.told.vendor)
    assert not reading.store.vendors.disconnect(ORG.id, reading.told.vendor)
    assert reading.store.usage.rows(ORG.id) == ()
    assert reading.store.vendors.amounts(ORG.id, date(2026, 1, 1), TODAY) == ()
    assert reading.pulls.pull(ORG.id, reading.told.vendor) is None
