"""The weekly summary by an owner's hand: on, shown, off, and sent when it is due."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from ghapp.jobs.perform import perform
from ghapp.store import WorkKind
from tests.receivers import Receiver, serving
from tests.web.place import Place
from workers.schedule import enqueue_weekly_summaries

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
