"""The weekly summary and vendors by an owner's hand: on, shown, off, and done when it is due."""

import html
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from ghapp.jobs.perform import perform
from ghapp.store import WorkEnd, WorkKind
from ghapp.summaries.teams import TeamMember, TeamSource
from tests.receivers import Receiver, serving
from tests.vendors.stand_in import KEY, Cursor, served, vendor_of
from tests.web.place import Place
from workers.schedule import enqueue_vendor_pulls, enqueue_weekly_summaries

PAGE = "/organizations/acme/settings"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path, GHAPP_PRIVATE_WEBHOOKS="on")
    yield made
    made.close()


def request(place: Place, browser: FlaskClient, **fields: str) -> int:
    return browser.post(f"{PAGE}/weekly", data=place.form_of(browser, **fields)).status_code


def test_it_is_off_until_an_owner_switches_it_on(place: Place) -> None:
    admin = place.sign_in("admin")
    page = admin.get(PAGE).text
    assert "Nothing is sent" in page
    assert "## `acme`: 2026-W20" in page
    assert request(place, admin, webhook="http://127.0.0.1:9/hook/secret-part") == 303
    page = admin.get(PAGE).text
    assert "127.0.0.1" in page
    assert "secret-part" not in page
    raw = Path(str(place.store.database.url.database)).read_bytes()
    assert b"secret-part" not in raw
    # An empty field keeps what is set; switching off forgets it.
    assert request(place, admin, webhook="") == 303
    kept = place.store.weeklies.of(place.installed.id)
    assert kept is not None
    assert place.services.weekly_summaries.webhook(kept) == "http://127.0.0.1:9/hook/secret-part"
    assert admin.post(f"{PAGE}/weekly/stop", data=place.form_of(admin)).status_code == 303
    assert place.store.weeklies.all() == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"webhook": "ftp://hooks.example.com"},
        {"webhook": "http://hooks.example.com"},
        {"mail": "not an address"},
        {"mail": "leads@example.com"},  # no mail server is set
        {},
    ],
)
def test_what_cannot_be_is_refused(place: Place, fields: dict[str, str]) -> None:
    assert request(place, place.sign_in("admin"), **fields) == 400
    assert place.store.weeklies.all() == ()


def test_the_scheduler_wishes_and_a_worker_sends_it_once(place: Place) -> None:
    with serving(receiver := Receiver()):
        admin = place.sign_in("admin")
        request(place, admin, webhook=f"http://127.0.0.1:{receiver.server_port}/")
        for _ in range(2):
            enqueue_weekly_summaries(place.services)
        (item,) = place.store.work.open()
        assert item.kind == WorkKind.WEEKLY_SUMMARY
        assert item.due_at - place.clock() <= timedelta(days=7)
        place.clock.now = item.due_at
        assert perform(item.id, place.services, worker="test")
        enqueue_weekly_summaries(place.services)
        (again,) = place.store.work.open()
        assert again.due_at == item.due_at + timedelta(days=7)
        assert not perform(item.id, place.services, worker="test")
    assert len(receiver.received) == 1


def test_a_dead_webhook_is_given_up_before_the_next_week(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Thirty tries are most of a day; what follows the last one is what this is about.
    monkeypatch.setattr("ghapp.jobs.kinds.MOST_WEEKLY_TRIES", 3)
    with serving(receiver := Receiver(500)):
        request(place, place.sign_in("admin"), webhook=f"http://127.0.0.1:{receiver.server_port}/")
        enqueue_weekly_summaries(place.services)
        tries = 0
        while items := place.store.work.open():
            place.clock.now = items[0].due_at
            tries += perform(items[0].id, place.services, worker="test")
    assert tries == len(receiver.received) == 3
    kept = place.store.weeklies.of(place.installed.id)
    assert kept is not None
    assert (kept.claimed_week, kept.problem) == (None, "127.0.0.1 answered with status 500")
    assert place.store.work.dead_letters() == ()


# --- budgets --------------------------------------------------------------------------------------


def agree(place: Place, browser: FlaskClient, **fields: str) -> tuple[int, str]:
    given = {"of": "organization", "name": "", "dollars": "1200.50", "basis": "list", **fields}
    answer = browser.post(f"{PAGE}/budgets", data=place.form_of(browser, **given))
    return answer.status_code, answer.text


def test_an_owner_says_whether_the_past_counts_people_where_they_were(place: Place) -> None:
    admin = place.sign_in("admin")
    assert "were then" in admin.get(PAGE).text
    for when, status, is_then in (("then", 303, True), ("later", 400, True), ("now", 303, False)):
        form = place.form_of(admin, when=when)
        assert admin.post(f"{PAGE}/teams", data=form).status_code == status
        assert place.store.teams.counts_then("acme") is is_then
        assert ("are now</button>" in admin.get(PAGE).text) is is_then


def test_an_owner_agrees_on_budgets_changes_and_removes_them(place: Place) -> None:
    admin = place.sign_in("admin")
    members = [TeamMember(login="ann", team="Core")]
    place.store.teams.replace("acme", TeamSource.CSV, members)
    assert agree(place, admin)[0] == 303
    assert agree(place, admin, dollars="2000")[0] == 303
    assert agree(place, admin, of="team", name="core")[0] == 303
    assert agree(place, admin, of="repository", name="app")[0] == 303
    known = place.store.budgets.of(place.installed.id)
    assert [(one.of, one.name, one.monthly) for one in known] == [
        ("organization", None, 2_000_000_000),
        ("repository", "acme/app", 1_200_500_000),
        ("team", "Core", 1_200_500_000),
    ]
    page = admin.get(PAGE).text
    for words in ("$2,000.00", "Core", "acme/app", "at list prices"):
        assert words in page
    gone = {"of": "repository", "name": "acme/app", "basis": "list"}
    path = f"{PAGE}/budgets/remove"
    assert admin.post(path, data=place.form_of(admin, **gone)).status_code == 303
    assert admin.post(path, data=place.form_of(admin, **gone)).status_code == 404
    assert len(place.store.budgets.of(place.installed.id)) == 2


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"dollars": "a lot"}, "no plain decimal number"),
        ({"dollars": "0"}, "more than 0"),
        ({"dollars": "-5"}, "more than 0"),
        ({"dollars": "9" * 12}, "billion"),
        ({"of": "person"}, "give one of organization, team, repository"),
        ({"basis": "billed"}, "give one of list"),
        ({"basis": "contract"}, "give one of list"),  # there is no rate card
        ({"name": "core"}, "takes no name"),
        ({"of": "team", "name": "nobody"}, "no team"),
        ({"of": "repository", "name": "acme/nothing"}, "no repository"),
        ({"of": "repository"}, "no repository"),
    ],
)
def test_a_budget_of_nothing_or_of_no_amount_is_refused(
    place: Place, fields: dict[str, str], said: str
) -> None:
    status, text = agree(place, place.sign_in("admin"), **fields)
    assert status == 400
    assert said in text
    assert place.store.budgets.of(place.installed.id) == ()


# --- vendors --------------------------------------------------------------------------------------


@pytest.fixture
def cursor(place: Place) -> Iterator[Cursor]:
    with served(Cursor()) as told:
        told.today = place.clock().date()
        pulls = replace(place.services.vendor_pulls, vendors={"cursor": vendor_of(told)})
        place.services.__dict__["vendor_pulls"] = pulls
        yield told


def connect(place: Place, browser: FlaskClient, **fields: str) -> tuple[int, str]:
    answer = browser.post(f"{PAGE}/vendors", data=place.form_of(browser, **fields))
    return answer.status_code, answer.text


def test_an_owner_connects_and_removes_a_vendor(
    place: Place, cursor: Cursor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ghapp.upkeep.vendor_pulls.FIRST_DAYS", 3)
    admin, day = place.sign_in("admin"), place.clock().date() - timedelta(days=1)
    cursor.say(day, ada=5)
    assert connect(place, admin, vendor="cursor", key=KEY)[0] == 303
    page = admin.get(PAGE).text
    assert "not read yet" in page
    assert KEY not in page
    (item,) = place.store.work.open()
    assert (item.kind, item.about) == (WorkKind.VENDOR_PULL, "cursor")
    assert perform(item.id, place.services, worker="test")
    done = place.store.work.one(item.id)
    assert done is not None
    assert (done.outcome, done.why) == (WorkEnd.DONE, "3 days were read")
    page = admin.get(PAGE).text
    assert str(day) in page
    assert "fine" in page
    assert len(place.store.vendors.amounts(place.installed.id, day, day)) == 2
    gone = admin.post(f"{PAGE}/vendors/cursor/remove", data=place.form_of(admin))
    assert gone.status_code == 303
    assert place.store.vendors.connections() == ()
    raw = Path(str(place.store.database.url.database)).read_bytes()
    assert KEY.encode() not in raw


def test_a_wrong_key_is_said_at_once_and_not_stored(place: Place, cursor: Cursor) -> None:
    admin = place.sign_in("admin")
    for fields, said in (
        ({"vendor": "cursor", "key": "another-key"}, "the key is not accepted"),
        ({"vendor": "cursor", "key": ""}, "ASCII"),
        ({"vendor": "nobody", "key": KEY}, "Vendor is none of cursor"),
    ):
        status, page = connect(place, admin, **fields)
        assert status == 400
        assert said in page
        assert "another-key" not in page
    cursor.limited = 1
    assert "asked too often" in connect(place, admin, vendor="cursor", key=KEY)[1]
    assert place.store.vendors.connections() == ()


def test_what_goes_wrong_stands_beside_the_vendor(place: Place, cursor: Cursor) -> None:
    admin = place.sign_in("admin")
    assert connect(place, admin, vendor="cursor", key=KEY)[0] == 303
    (item,) = place.store.work.open()
    cursor.forbids = True
    assert perform(item.id, place.services, worker="test")
    told = place.store.vendors.connections()[0].problem
    assert told is not None
    assert told in html.unescape(admin.get(PAGE).text)
    assert "the key may not read this" in told
    # Only a person can mend it: it waits for the next day.
    assert place.store.work.open() == ()
    for _ in range(2):
        enqueue_vendor_pulls(place.services)
    (again,) = place.store.work.open()
    assert again.name == f"vendor_pull:i{place.installed.id}:cursor"
    assert place.clock() < again.due_at <= place.clock() + timedelta(days=1)


def test_a_limit_and_a_vendor_that_is_away_are_tried_again(place: Place, cursor: Cursor) -> None:
    admin = place.sign_in("admin")
    connect(place, admin, vendor="cursor", key=KEY)
    (item,) = place.store.work.open()
    cursor.limited = 1
    assert perform(item.id, place.services, worker="test")
    (waiting,) = place.store.work.open()
    assert waiting.due_at == place.clock() + timedelta(seconds=30)
    assert waiting.attempts == 0
    cursor.status, tries = 503, 0
    while items := place.store.work.open():
        place.clock.now = items[0].due_at
        tries += perform(items[0].id, place.services, worker="test")
    assert tries == 8
    assert "status 503" in admin.get(PAGE).text
    assert place.store.work.dead_letters() == ()
