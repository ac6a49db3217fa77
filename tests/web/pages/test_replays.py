"""Replays on a repository's pages: begun by who administers it, watched, cancelled, downloaded."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ghapp.store import ListedPull, PullState, ReplayState
from tests.store.records import document
from tests.web.conftest import NOW
from tests.web.place import Place

PAGE = "/repositories/acme/app/replays"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.close()


def begin(place: Place, **fields: str) -> str:
    browser = place.signed_in("admin")
    answer = browser.post(PAGE, data={**place.form_of(browser), **fields})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def test_a_replay_is_begun_and_watched(place: Place) -> None:
    address = begin(place, policy="claude-code-v1+moved", since="2026-05-01", until="2026-05-31")
    found = place.store.replays.running(place.repositories["app"].id)
    assert found is not None
    assert (found.asked_by, found.policy and found.policy.id) == (
        *("login:admin", "claude-code-v1+moved"),
    )
    assert str(found.until) == "2026-05-31 23:59:59.999999+00:00"
    page = place.signed_in("reader").get(address).text
    assert "0 of 0 or more merged pull requests audited" in page
    assert 'data-look-again="5"' in page
    assert place.store.access_log.of(found.repository_id)[0].what == "replay"
    assert begin(place) == address
    assert "Replay 1" in place.signed_in("reader").get(PAGE).text


def test_only_who_may_begin_and_cancel_is_offered_it(place: Place) -> None:
    address = begin(place)
    for login, offered in (("admin", True), ("reader", False)):
        browser = place.signed_in(login)
        assert ("Start</button>" in browser.get(PAGE).text) is offered
        assert ("Cancel</button>" in browser.get(address).text) is offered


def test_it_is_cancelled_and_what_is_done_stays(place: Place) -> None:
    address = begin(place)
    found = place.store.replays.running(place.repositories["app"].id)
    assert found is not None
    pull = ListedPull(number=17, merged_at=NOW, base_sha="b", head_sha="h", merge_commit="m")
    other = ListedPull(number=18, merged_at=NOW, base_sha="b", head_sha="h", merge_commit="m")
    place.store.replays.page(found, [pull, other], [], is_last=True, now=NOW)
    made = document(NOW, repository="acme/app")
    place.store.replays.settle(found.id, 17, PullState.DONE, document=made, now=NOW)
    browser = place.signed_in("admin")
    assert browser.post(f"{address}/cancel", data=place.form_of(browser)).status_code == 303
    over = place.store.replays.one(found.id)
    assert over is not None
    assert over.state is ReplayState.CANCELLED
    reader = place.signed_in("reader")
    page = reader.get(address).text
    assert "1 of 2 merged pull requests audited" in page
    assert "data-look-again" not in page
    assert reader.get(f"{address}/documents.jsonl").data == made + b"\n"
    differences = reader.get(f"{address}/differences.html")
    assert differences.headers["Content-Disposition"].startswith("attachment")
    assert "1 pull request: 1 the same" in differences.text
    assert [one.what for one in place.store.access_log.of(found.repository_id, limit=2)] == [
        *("comparison", "export"),
    ]


@pytest.mark.parametrize("fields", [{"policy": "no-such"}, {"since": "soon"}])
def test_what_cannot_be_read_is_refused(place: Place, fields: dict[str, str]) -> None:
    browser = place.signed_in("admin")
    answer = browser.post(PAGE, data={**place.form_of(browser), **fields})
    assert answer.status_code == 400


def test_a_replay_of_another_repository_is_not_there(place: Place) -> None:
    address = begin(place)
    other = address.replace("/app/", "/open/")
    assert place.signed_in("admin").get(other).status_code == 404
