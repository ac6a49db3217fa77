"""A replay over GitHub, against the stand-in over HTTP."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Edit, EditHunk, TextLines, Verdict
from ghapp.attribution.policy import Policy
from ghapp.auditing.replay_over_github import start
from ghapp.bootstrap import Services, connect_queue
from ghapp.jobs.perform import perform
from ghapp.queue.enqueue import RedisQueue
from ghapp.settings import Settings
from ghapp.store import (
    ReplayCounts,
    ReplayRequest,
    ReplayState,
    ReplayUnderWay,
    Repository,
    Store,
    WorkKind,
)
from tests.github.place import Place, assert_good_manners

LINES = tuple(f"total_{number} = price_of(customer={number})" for number in range(9))
TEXT = "".join(f"{line}\n" for line in LINES)
OWN = Policy(id="acme-v1", window_before_days=1)


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Return a repository with five merged pull requests and one that was closed."""
    made = Place(tmp_path_factory.mktemp("github"))
    for number in range(5):
        made.clock.now += timedelta(hours=1)
        files = {f"src/part_{number}.py": TEXT if number % 2 else f"other_{number} = 1\n"}
        pull = made.sandbox.open_pull(made.repository, files=files)
        made.sandbox.merge(pull, method="squash")
    made.sandbox.close_pull(made.sandbox.open_pull(made.repository, files={"b.py": "x\n"}))
    made.clock.now += timedelta(days=9)
    yield made
    made.close()


@pytest.fixture
def place(merged: Place) -> Iterator[Place]:
    """Return that repository, of which nobody has asked anything yet.

    A replay over GitHub changes nothing of what the next one reads there: neither source, nor who
    merged what and when.
    """
    at = merged.clock.now
    with merged.sandbox.world.lock:
        merged.sandbox.world.exchanges.clear()
    yield merged
    assert_good_manners(merged)
    merged.clock.now = at


@pytest.fixture
def services(place: Place, sqlite_store: Store, redis_url: str, tmp_path: Path) -> Services:
    """Return the app as a worker has it, with evidence for the second of the pull requests."""
    store = sqlite_store
    given = {
        "GHAPP_DATA_DIR": str(tmp_path / "data"),
        "DATABASE_URL": f"sqlite:///{store.database.url.database}",
        "REDIS_URL": redis_url,
        "GITHUB_API_URL": place.sandbox.api_url,
        "GITHUB_APP_ID": str(place.app.app.id),
        "GITHUB_PRIVATE_KEY": place.app.private_key,
        "GITHUB_WEBHOOK_SECRETS": "4f0d" * 10,
        "GHAPP_WRITE_PAUSE": "0",
    }
    settings = Settings.from_environment(given)
    seen = Repository(
        id=place.repository.id, owner="acme", name="app", installation_id=place.installation.id
    )
    store.installations.repository_seen(seen, now=place.clock.now)
    edit = Edit(
        id="toolu_1",
        agent="claude-code",
        agent_session="s",
        at=place.clock.now - timedelta(days=9, hours=6),
        path="src/part_1.py",
        lines=TextLines(hunks=(EditHunk(before=(), own=LINES, after=()),)),
    )
    store.evidence.add(seen.id, [edit], now=place.clock.now)
    queue = RedisQueue(connect_queue(settings))
    return Services(
        settings=settings, store=store, queue=queue, clock=place.clock, sleep=lambda _: None
    )


def asked(place: Place, **more: object) -> ReplayRequest:
    given = {"repository_id": place.repository.id, "as_of": place.clock.now, "asked_by": "system:x"}
    return ReplayRequest(**{**given, **more})  # type: ignore[arg-type]


def begin(services: Services, place: Place, **more: object) -> int:
    repository = services.store.installations.repository(place.repository.id)
    assert repository is not None
    return start(services.store, repository, asked(place, **more), now=place.clock.now).id


def work(services: Services, place: Place, most: int = 99) -> int:
    """Do what is due of the replay, as workers do; return how many items were done."""
    done = 0
    while done < most:
        items = services.store.work.ready(WorkKind.REPLAY, place.repository.id, place.clock.now)
        if not items:
            break
        done += perform(items[0].id, services, worker="test")
    return done


def documents(services: Services, number: int) -> list[bytes]:
    return list(services.store.replays.documents(number))


def test_every_merged_pull_request_is_audited_and_nobody_is_told(
    services: Services, place: Place
) -> None:
    number = begin(services, place)
    assert work(services, place) == 6
    made = [from_document(one) for one in documents(services, number)]
    assert [one.pull_request for one in made] == [1, 2, 3, 4, 5]
    assert [one.pull_request for one in made if one.verdict is Verdict.ASSISTED] == [2]
    assert services.store.replays.progress(number) == ReplayCounts(done=5)
    replay = services.store.replays.one(number)
    assert replay is not None
    assert (replay.state, replay.listed) == (ReplayState.DONE, True)
    assert place.sandbox.writes() == []
    assert services.store.audits.all_of(place.repository.id) == ()


def test_it_gives_what_the_app_itself_would_save(services: Services, place: Place) -> None:
    number = begin(services, place)
    work(services, place)
    silent = documents(services, number)
    recorded = begin(services, place, record=True)
    work(services, place)
    assert documents(services, recorded) == silent
    saved = services.store.audits.all_of(place.repository.id)
    assert [services.store.audits.document(one.id) for one in saved] == silent
    assert place.sandbox.writes() == []


def test_what_was_fetched_is_not_fetched_again(services: Services, place: Place) -> None:
    number = begin(services, place)
    work(services, place)
    before = len(place.sandbox.exchanges)
    again = begin(services, place)
    work(services, place)
    assert len(place.sandbox.exchanges) - before == 1
    assert documents(services, again) == documents(services, number)
    kept = list((services.settings.data_dir / "pulls").glob("*/*"))
    assert len(kept) == 5
    assert all(TEXT.encode()[:20] not in path.read_bytes() for path in kept)
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    assert services.kept_pulls.expire(place.clock.now + timedelta(days=9999)) == 5


def test_checks_are_shown_where_they_are_asked_for_and_comments_never(
    services: Services, place: Place
) -> None:
    begin(services, place, publish=("checks",))
    work(services, place)
    routes = {one.path.rpartition("/")[2] for one in place.sandbox.writes()}
    assert routes == {"check-runs"}
    assert len(place.sandbox.writes()) == 5
    assert len(services.store.audits.all_of(place.repository.id)) == 5


def test_only_what_was_merged_within_the_span(services: Services, place: Place) -> None:
    first = place.clock.now - timedelta(days=9, hours=4)
    span = {"since": first + timedelta(hours=1), "until": first + timedelta(hours=2)}
    number = begin(services, place, **span)
    work(services, place)
    found = [from_document(one).pull_request for one in documents(services, number)]
    assert found == [2, 3]


def test_a_policy_of_ones_own(services: Services, place: Place) -> None:
    number = begin(services, place, policy=OWN)
    work(services, place)
    made = [from_document(one) for one in documents(services, number)]
    assert {one.policy.digest for one in made} == {OWN.digest}


def test_a_renamed_repository_is_followed(services: Services, place: Place) -> None:
    place.sandbox.rename_repository(place.repository, "shop")
    number = begin(services, place)
    work(services, place)
    made = [from_document(one) for one in documents(services, number)]
    assert {one.repository for one in made} == {"acme/shop"}
    assert len(made) == 5
    place.sandbox.rename_repository(place.repository, "app")


def test_a_cancelled_replay_does_no_more(services: Services, place: Place) -> None:
    number = begin(services, place)
    work(services, place, most=3)
    with pytest.raises(ReplayUnderWay, match=f"replay {number} "):
        begin(services, place)
    assert services.store.replays.cancel(number, now=place.clock.now)
    assert not services.store.replays.cancel(number, now=place.clock.now)
    assert work(services, place) == 0
    assert services.store.replays.progress(number) == ReplayCounts(done=2, waiting=3)
    again = begin(services, place)
    work(services, place)
    assert services.store.replays.progress(again) == ReplayCounts(done=5)


def test_a_page_is_taken_once_however_often_it_is_read(services: Services, place: Place) -> None:
    number = begin(services, place)
    replay = services.store.replays.one(number)
    assert replay is not None
    work(services, place, most=1)
    assert not services.store.replays.page(replay, [], [], is_last=True, now=place.clock.now)


def test_a_limit_of_github_is_waited_out(services: Services, place: Place) -> None:
    number = begin(services, place)
    work(services, place, most=2)
    place.play("secondary_limit")
    work(services, place)
    assert services.store.replays.progress(number) == ReplayCounts(done=1, waiting=4)
    place.clock.now += timedelta(hours=1)
    work(services, place)
    assert services.store.replays.progress(number) == ReplayCounts(done=5)
