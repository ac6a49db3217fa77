"""Deliveries that never arrived: found in GitHub's own list, and taken in once."""

from datetime import datetime, timedelta

import pytest

import ghapp.events.sweep
from ghapp.demo.sandbox import HubDelivery, HubPull
from ghapp.events.intake import EventIntake
from ghapp.events.sweep import KEPT, ON_ITS_WAY, OVERLAP, SweepResult, sweep
from ghapp.github.answers import TemporaryFailure
from ghapp.store import DeliveryEnd, Store
from tests.github.place import Place

NOBODY = "http://127.0.0.1:1/webhooks/github"
"""An address at which no endpoint answers."""


class Swept:
    """A place whose deliveries get lost, and the app that looks for them."""

    def __init__(self, place: Place, store: Store) -> None:
        self.place, self.store = place, store
        place.app.app.webhook_url = NOBODY
        place.app.app.events = [*place.app.app.events, "pull_request_review"]
        self.wakes = 0
        self.intake = EventIntake(store, self._wake, place.app.app.id)

    def _wake(self) -> None:
        self.wakes += 1

    def merge(self) -> HubDelivery:
        """Merge a pull request, and lose the delivery."""
        self.pull: HubPull = self.place.merged({f"{self.place.clock.now:%d%H%M}.py": "x\n"})
        (sent,) = self.place.sandbox.deliver_closed(self.pull)
        assert sent.status_code == 502
        return sent

    def sweep(self, now: datetime | None = None) -> SweepResult:
        """Sweep, by default when nothing can be on its way any more."""
        self.place.clock.now = now or self.place.clock.now + ON_ITS_WAY
        return sweep(self.place.auth, self.intake, self.place.clock.now)


@pytest.fixture
def swept(place: Place, known: Store) -> Swept:
    return Swept(place, known)


def test_what_was_lost_is_taken_in_oldest_first(swept: Swept) -> None:
    lost = [swept.merge() for _ in range(3)]
    assert swept.sweep() == SweepResult(looked_at=3, taken=3, is_whole=True)
    items = [item.pull_request for item in swept.store.work.open()]
    assert sorted(one or 0 for one in items) == [1, 2, 3]
    assert swept.store.deliveries.known(one.guid for one in lost) == {one.guid for one in lost}
    details = swept.place.sent("GET", "/{delivery_id}")
    asked = [int(one.params["delivery_id"]) for one in details]
    assert asked == sorted(one.id for one in lost)


def test_a_second_sweep_reads_no_delivery_again(swept: Swept) -> None:
    swept.merge()
    swept.sweep()
    assert swept.sweep().taken == 0
    assert len(swept.place.sent("GET", "/{delivery_id}")) == 1
    assert swept.wakes == 1


def test_what_arrived_is_not_read(swept: Swept) -> None:
    sent = swept.merge()
    swept.intake.take("pull_request", sent.guid, sent.body, swept.place.clock.now)
    assert swept.sweep() == SweepResult(looked_at=1, taken=0, is_whole=True)


def test_what_nothing_follows_from_is_not_read(swept: Swept) -> None:
    pull = swept.place.sandbox.open_pull(swept.place.repository, files={"a.py": "x\n"})
    swept.place.sandbox.deliver_opened(pull)
    assert swept.sweep() == SweepResult(looked_at=1, taken=0, is_whole=True)
    assert swept.place.sent("GET", "/{delivery_id}") == []


def test_what_may_be_on_its_way_waits_for_the_next_sweep(swept: Swept) -> None:
    swept.merge()
    now = swept.place.clock.now
    assert swept.sweep(now + ON_ITS_WAY - timedelta(seconds=1)).taken == 0
    assert swept.sweep(now + ON_ITS_WAY).taken == 1


def test_the_list_is_read_from_a_little_before_the_last_sweep(swept: Swept) -> None:
    swept.sweep()
    begin = swept.place.clock.now - ON_ITS_WAY - OVERLAP
    for at in (begin - timedelta(minutes=2), begin + timedelta(minutes=1)):
        swept.place.clock.now = at - timedelta(minutes=1)
        swept.merge()
    assert swept.sweep(begin + timedelta(hours=1)).looked_at == 1


def test_the_first_sweep_reads_as_far_back_as_github_lists(swept: Swept) -> None:
    swept.merge()
    now = swept.place.clock.now
    assert swept.sweep(now + KEPT).looked_at == 1


def test_more_than_one_sweep_takes_in_is_left_for_the_next(
    swept: Swept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ghapp.events.sweep, "MOST", 2)
    for _ in range(3):
        swept.merge()
    assert swept.sweep() == SweepResult(looked_at=3, taken=2, is_whole=False)
    assert swept.store.cursors.read(ghapp.events.sweep.CURSOR) is None
    assert swept.sweep() == SweepResult(looked_at=3, taken=1, is_whole=True)


def test_what_cannot_be_read_is_stored_and_not_read_again(swept: Swept) -> None:
    sent = swept.merge()
    sent.body = b'{"action": "closed"}'
    assert swept.sweep().taken == 1
    kept = swept.store.deliveries.one(sent.guid)
    assert kept is not None
    assert (kept.outcome, kept.detail is None) == (DeliveryEnd.NOTHING_TO_DO, False)
    assert swept.sweep().taken == 0
    swept.place.sandbox.world.exchanges.clear()


def test_what_the_list_no_longer_has_is_passed_over(swept: Swept) -> None:
    swept.merge()
    swept.place.play("not_found", "/app/hook/deliveries/{delivery_id}")
    assert swept.sweep().is_whole
    assert swept.store.work.open() == ()


def test_a_list_that_cannot_be_read_leaves_the_bookmark(swept: Swept) -> None:
    swept.merge()
    swept.place.play("server_error", "/app/hook/deliveries", times=None, status=500)
    with pytest.raises(TemporaryFailure):
        swept.sweep()
    assert swept.store.cursors.read(ghapp.events.sweep.CURSOR) is None
