"""People's tokens in several processes: one renewal, shared answers, and Redis down."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ghapp.github.answers import TemporaryFailure
from ghapp.github.user_access import AccessLevel, GitHubAway
from ghapp.github.user_auth import SignIn, UserTokens
from ghapp.people.readers import RENEWAL, WAIT_SECONDS, WAIT_TIMES, NotSignedIn, PageReaders
from ghapp.queue import enqueue
from ghapp.store import SignedIn, Store
from ghapp.store.logins import new_cookie
from tests.web.conftest import NOW
from tests.web.place import Place


@pytest.fixture
def place(tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(enqueue, "QUICK", 60.0)  # this machine may be busy
    made = Place(tmp_path, REDIS_URL=redis_url)
    yield made
    made.close()


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Place]:
    """Return the app while Redis is away."""
    made = Place(tmp_path)
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


# --- one renewal ----------------------------------------------------------------------------------


class Interrupted(SignIn):
    """A sign-in at GitHub whose process is stopped while it renews, before or after the answer."""

    def __init__(
        self,
        real: SignIn,
        *,
        before: Callable[[], object] = str,
        after: Callable[[], object] = str,
    ) -> None:
        self.__dict__.update(real.__dict__)
        self.before, self.after = before, after

    def refresh(self, refresh_token: str, *, now: datetime) -> UserTokens:
        """Renew the tokens, and do something else meanwhile."""
        self.before()
        made = super().refresh(refresh_token, now=now)
        self.after()
        return made


def interrupted(place: Place, **meanwhile: Callable[[], object]) -> PageReaders:
    """Return readers as another process makes them, which is stopped while it renews."""
    made = process(place)
    return replace(made, sign_in=Interrupted(made.sign_in, **meanwhile))


def renewals(place: Place) -> int:
    """Return how often GitHub made new tokens of old ones."""
    return sum(one.revoked for one in place.sandbox.world.user_tokens.values())


def until_renewed(place: Place, before: SignedIn) -> Callable[[float], None]:
    """Return how a process waits: for as long as it takes, however busy this machine is."""

    def wait(_: float) -> None:
        deadline = time.monotonic() + 60
        while place.store.logins.person(before.id) == before and time.monotonic() < deadline:
            time.sleep(0.01)

    return wait


@pytest.mark.parametrize("redis", ["place", "alone"])
def test_processes_at_once_renew_a_token_once(request: pytest.FixtureRequest, redis: str) -> None:
    place: Place = request.getfixturevalue(redis)
    person, app = signed_in(place), place.repositories["app"].id
    place.clock.pass_by(hours=9)
    wait = until_renewed(place, person)
    readers = [replace(process(place), sleep=wait) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        levels = list(pool.map(lambda one: one.repository(person, app), readers))
    assert set(levels) == {AccessLevel.READ}
    tokens = list(place.sandbox.world.user_tokens.values())
    assert [one.revoked for one in tokens] == [True, False]


def test_who_waits_too_long_is_told_so_and_nobody_is_signed_out(alone: Place) -> None:
    person = signed_in(alone)
    alone.clock.pass_by(hours=9)
    waits: list[float] = []
    other = replace(process(alone), sleep=waits.append)

    def ask() -> None:
        with pytest.raises(GitHubAway, match="another process is renewing"):
            other.token(person)

    # Stopped with GitHub's answer in hand: its refresh token is used up, the new one not yet kept.
    renewed = interrupted(alone, after=ask).token(person)
    assert sum(waits) == pytest.approx(WAIT_SECONDS * WAIT_TIMES)
    assert renewals(alone) == 1
    assert other.token(person) == renewed


def test_a_process_that_comes_back_late_takes_what_another_renewed(alone: Place) -> None:
    person, found = signed_in(alone), []
    alone.clock.pass_by(hours=9)

    def overtake() -> None:
        alone.clock.now += RENEWAL
        found.append(process(alone).token(person))

    # Stopped before it asked: GitHub refuses its refresh token, which the other one has used.
    assert [interrupted(alone, before=overtake).token(person)] == found
    assert renewals(alone) == 1
    assert process(alone).token(person) == found[0]


def test_after_a_process_that_was_killed_another_one_renews(alone: Place) -> None:
    person = signed_in(alone)
    alone.clock.pass_by(hours=9)

    def die() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted(alone, before=die).token(person)
    other = replace(process(alone), sleep=lambda _: None)
    with pytest.raises(GitHubAway):
        other.token(person)
    alone.clock.now += RENEWAL
    assert other.token(person)


def test_after_an_answer_that_did_not_come_the_next_one_asks_at_once(alone: Place) -> None:
    person = signed_in(alone)
    alone.clock.pass_by(hours=9)

    def fail() -> None:
        raise TemporaryFailure("sign-in", "no usable answer")

    with pytest.raises(GitHubAway):
        interrupted(alone, before=fail).token(person)
    assert process(alone).token(person)


def test_who_signs_out_everywhere_meanwhile_stays_signed_out(alone: Place) -> None:
    person = signed_in(alone)
    alone.clock.pass_by(hours=9)
    with pytest.raises(NotSignedIn):
        interrupted(alone, after=lambda: alone.store.logins.end_all(person.id)).token(person)
    left = alone.store.logins.person(person.id)
    assert left is not None
    assert left.sealed is None


def test_who_signs_in_anew_meanwhile_has_the_new_tokens(alone: Place) -> None:
    person = signed_in(alone)
    alone.clock.pass_by(hours=9)
    token = interrupted(alone, before=lambda: alone.sign_in("reader")).token(person)
    assert token == process(alone).token(person)


def test_one_process_at_a_time_holds_the_lease_on_a_renewal(store: Store) -> None:
    logins, person = store.logins, SignedIn(id=1, login="ann", sealed=b"old")
    logins.begin(person, new_cookie(), NOW + timedelta(days=1), now=NOW)
    until, later = NOW + RENEWAL, NOW + 2 * RENEWAL
    stale = SignedIn(id=1, login="ann", sealed=b"older")
    assert not logins.begin_renewal(stale, until, now=NOW)
    assert logins.begin_renewal(person, until, now=NOW)
    assert not logins.begin_renewal(person, later, now=NOW)
    assert logins.begin_renewal(person, later, now=until)
    assert not logins.give_up_renewal(person, until)
    assert logins.give_up_renewal(person, later)
    assert logins.begin_renewal(person, until, now=NOW)
    assert logins.reseal(1, b"old", b"new")
    assert not logins.reseal(1, b"old", None)
    renewed = SignedIn(id=1, login="ann", sealed=b"new")
    assert logins.person(1) == renewed
    assert logins.begin_renewal(renewed, until, now=NOW)


# --- shared answers -------------------------------------------------------------------------------


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
