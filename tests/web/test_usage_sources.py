"""The sources of usage: the page and the API say what the store knows, in words, to owners."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest

from ghapp.otlp.refusals import RefusalReason
from ghapp.store import UsageOrigin
from ghapp.store.vendors import ReportKey
from ghapp.usage.answers import TokenCounts
from ghapp.usage.days import TokenDay
from ghapp.usage.sources import IdentityKind, UsageIdentity, UsageSource
from ghapp.web.usage_sources import KINDS, WHOLE, words_of
from tests.store.plain_usage import add
from tests.store.records import edit
from tests.web.conftest import NOW
from tests.web.pages.reading import Read
from tests.web.place import Place

PAGE = "/organizations/acme/usage/sources"


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("sources"))
    yield made
    made.close()


def row(name: str, version: str | None = None) -> TokenDay:
    return TokenDay(
        agent="claude-code",
        agent_session=name,
        day=NOW.date(),
        tokens=TokenCounts(output=5),
        answers=1,
        agent_version=version,
    )


def fill(place: Place) -> None:
    """Let two agent sessions edit: a machine tells of one, telemetry of the other, too."""
    number, app = place.installed.id, place.repositories["app"].id
    for name in ("s1", "s2", "s3"):
        place.store.evidence.add(app, [edit(name, agent_session=name, at=NOW)], now=NOW)
    who = UsageIdentity(IdentityKind.ACCOUNT, "7")
    machine = UsageOrigin(number, UsageSource.TRANSCRIPTS, who, login="ann", repository_id=app)
    place.store.usage.replace(machine, [row("s1"), row("s9")], [], now=NOW)
    for source, name, version in (
        (UsageSource.METRICS, "s1", "2.1.213"),
        (UsageSource.METRICS, "s2", "2.1.214"),
    ):
        add(place.store, UsageOrigin(number, source, who, login="ann"), [row(name, version)])
    with place.store.telemetry.taking(number, b"a", now=NOW) as taken:
        assert taken is not None
        taken.note(UsageSource.METRICS, {"claude-code": 2}, {"negative": 3})
    earlier = NOW - timedelta(days=40)
    place.store.arrivals.note_refused(number, UsageSource.EVENTS, "request_413", now=earlier)
    place.store.usage.settle()


def test_the_api_tells_when_how_much_why_not_and_how_complete(place: Place) -> None:
    fill(place)
    answer = place.signed_in("admin").get(f"/api{PAGE}")
    assert answer.status_code == 200, answer.text
    found = answer.json
    assert (found["since"], found["until"]) == ("2026-04-23", "2026-05-20")
    assert (found["agent_sessions"], found["agent_sessions_covered"]) == (3, 2)
    assert found["coverage"] == 0.6667
    transcripts, events, metrics = found["sources"]
    assert [one["name"] for one in found["sources"]] == ["transcripts", "events", "metrics"]
    assert (transcripts["requests"], transcripts["kept"]) == (1, 2)
    assert (transcripts["agent_sessions_covered"], transcripts["coverage"]) == (1, 0.3333)
    assert transcripts["arrivals"] == [
        {"day": "2026-05-20", "agent": "claude-code", "requests": 1, "kept": 2}
    ]
    assert metrics["versions_counting_twice"] == ["2.1.213"]
    assert (metrics["agent_sessions_covered"], metrics["coverage"]) == (2, 0.6667)
    assert [(one["reason"], one["words"], one["count"]) for one in metrics["refusals"]] == [
        ("negative", "data points negative", 3)
    ]
    # What came before the selected days is not counted, but it is known when it was.
    assert (events["last_success_at"], events["requests"], events["refusals"]) == (None, 0, [])
    assert events["last_problem"] == WHOLE["request_413"]
    earlier = place.signed_in("admin").get(f"/api{PAGE}?since=2026-04-01&until=2026-04-30").json
    assert earlier["agent_sessions"] == 0
    assert earlier["coverage"] is None
    assert earlier["sources"][1]["refusals"][0]["count"] == 1


def test_the_page_shows_the_same(place: Place) -> None:
    fill(place)
    text = place.signed_in("admin").get(PAGE).text
    page = Read(text)
    rows = page.table("Source", "Last came")
    assert [row[2:6] for row in rows] == [
        ["1", "2", "1", "33%"],
        ["0", "0", "0", "0%"],
        ["1", "2", "2", "66%"],
        ["", "", "2 of 3", "66%"],
    ]
    (refused,) = page.table("Refused", "How many")
    assert refused[:2] == ["data points negative", "3"]
    assert "2.1.213" in text


def test_without_evidence_nobody_can_say_how_complete_a_source_is(place: Place) -> None:
    browser = place.signed_in("admin")
    assert browser.get(f"/api{PAGE}").json["coverage"] is None
    rows = Read(browser.get(PAGE).text).table("Source", "Last came")
    assert {row[5] for row in rows} == {"-"}


def test_every_reason_has_words() -> None:
    for source in KINDS:
        words = Counter(words_of(source, one.value) for one in RefusalReason)
        assert max(words.values()) == 1
        assert not {one.value for one in RefusalReason} & words.keys()


def test_the_usage_page_leads_owners_there(place: Place) -> None:
    fill(place)
    assert PAGE in place.signed_in("admin").get("/organizations/acme/usage").text
    assert PAGE not in place.signed_in("member").get("/organizations/acme/usage").text


def test_a_connected_vendor_stands_with_its_last_problem(place: Place) -> None:
    store, number = place.store, place.installed.id
    store.vendors.connect(number, "cursor", b"sealed", ["spend"], by="admin", now=NOW)
    key = ReportKey(number, "cursor", "spend")
    store.vendors.asked(key, "the key is no longer valid", resume=None, now=NOW)
    told = place.signed_in("admin").get("/api/organizations/acme/usage/sources").json["sources"]
    (vendor,) = [one for one in told if one["requests"] is None]
    assert vendor["last_problem"] == "the key is no longer valid"
    assert vendor["last_success_at"] is None
    page = place.signed_in("admin").get("/organizations/acme/usage/sources").text
    assert "the key is no longer valid" in page
