"""A peak of merges that GitHub's limit of writes has no room for: labels come, the rest follows."""

from datetime import timedelta
from pathlib import Path

from ghapp.store import Store
from tests.faults.peak import play, settings
from tests.faults.place import running_place

WRITES = 5


def test_a_peak_leaves_out_and_makes_up(
    tmp_path: Path, sqlite_store: Store, redis_url: str
) -> None:
    with running_place(tmp_path, sqlite_store, redis_url, app_settings=settings(WRITES)) as place:
        # 1:100 of 1,000 merged an hour, of which 400 with an agent.
        found = play(place, 30, hours=3, writes_an_hour=WRITES, after=timedelta(hours=20))
        place.expect_good_manners()
    assert (found.audited, found.labels, found.refused) == (30, found.assisted, 0)
    assert found.latest_label <= timedelta(hours=1)
    assert found.oldest_item < timedelta(days=1)
    assert found.left_out > 0
    assert found.caught_up is not None
    assert (found.runs, found.comments) == (30, 30)
