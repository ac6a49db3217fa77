"""People's tokens in several processes: one renewal, shared answers, and Redis down."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ghapp.github.user_access import AccessLevel
from ghapp.people.readers import PageReaders
from ghapp.store import SignedIn
from tests.web.place import Place


@pytest.fixture
def place(tmp_path: Path, redis_url: str) -> Iterator[Place]:
    made = Place(tmp_path, REDIS_URL=redis_url)
    yield made
    made.close()


def process(place: Place) -> PageReaders:
    """Return readers as another process of the same app makes them."""
    made = place.another_process().readers
    assert made is not None
    return made


def signed_in(place: Place) -> SignedIn:
    place.sign_in("reader")
    person = place.store.logins.named("reader")
    assert person is not None
    return person


def test_processes_at_once_renew_a_token_once(place: Place) -> None:
    person, app = signed_in(place), place.repositories["app"].id
    place.clock.pass_by(hours=9)
    readers = [process(place) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        levels = list(pool.map(lambda one: one.repository(person, app), readers))
    assert set(levels) == {AccessLevel.READ}
    tokens = list(place.sandbox.world.user_tokens.values())
    assert [one.revoked for one in tokens] == [True, False]


def test_processes_share_what_github_said(place: Place) -> None:
    person, app = signed_in(place), place.repositories["app"].id
    for _ in range(3):
        assert process(place).repository(person, app) is AccessLevel.READ
    paths = [one.path for one in place.sandbox.exchanges]
    assert paths.count(f"/repositories/{app}") == 1


def test_what_redis_holds_is_encrypted(place: Place, redis_url: str) -> None:
    import redis  # noqa: PLC0415 - only this test looks inside

    person, app = signed_in(place), place.repositories["app"].id
    process(place).repository(person, app)
    with redis.Redis.from_url(redis_url) as client:
        held = [client.get(key) for key in client.keys(b"ghapp:token:*")]  # type: ignore[union-attr]
    assert held
    assert b"read" not in held
