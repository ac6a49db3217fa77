"""Whatever an event or GitHub says: the app calls no other address and stores no secret."""

import json
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from redis import Redis
from sqlalchemy import select

from ghapp.demo.sandbox import Fault, FaultKind
from ghapp.store.schema import metadata
from tests.demo.sandbox.hub import Receiver
from tests.faults.place import Place

FILES = "/repos/{owner}/{repo}/pulls/{pull_number}/files"
SECRET = re.compile(rb"gh[a-z]_[A-Za-z0-9_.-]{20,}|eyJ[\w-]{8,}\.[\w-]+|PRIVATE KEY|[Bb]earer ")


@pytest.fixture
def trap() -> Iterator[Receiver]:
    """Return a server that nobody has a reason to call."""
    made = Receiver()
    yield made
    made.close()


def test_no_address_of_a_payload_is_followed(place: Place, trap: Receiver) -> None:
    place.agent_wrote()
    pull = place.merged()
    told = place.sandbox.deliver_closed(pull)[0]
    place.work()
    text = told.body.decode()
    elsewhere = text.replace(place.sandbox.api_url, trap.url).replace(
        place.sandbox.web_url, trap.url
    )
    body = json.loads(elsewhere)
    assert elsewhere.count(trap.url) > 50
    place.sandbox.deliver_raw(place.registered.app, "pull_request", body)
    place.again(pull)
    assert trap.received == []
    place.expect_finished(pull)


def test_no_secret_is_kept_where_the_work_is(place_on_each: Place) -> None:
    place = place_on_each
    place.agent_wrote()
    place.sandbox.play(
        Fault(FaultKind.SERVER_ERROR, route=FILES, status=500, times=4),
        Fault(FaultKind.TOKEN_EXPIRED, route=FILES),
    )
    pull = place.merged()
    place.sandbox.deliver_closed(pull)
    place.work()
    place.expect_finished(pull)
    assert [value for value in kept(place) if SECRET.search(value)] == []


def test_a_secret_would_be_found_wherever_redis_holds_it(place: Place) -> None:
    secret = "ghs_7_" + "abcdefghij" * 5
    with Redis.from_url(place.services.settings.redis_url or "") as client:
        client.set("planted", secret)
        client.hset("planted job", "exc_info", zlib.compress(secret.encode()))
        client.rpush("planted list", secret)
        found = [value for value in kept(place) if SECRET.search(value)]
        client.delete("planted", "planted job", "planted list")
    assert found == [secret.encode()] * 3


def kept(place: Place) -> Iterator[bytes]:
    """Yield everything that Redis and the database hold, unpacked as RQ packs it."""
    with Redis.from_url(place.services.settings.redis_url or "") as client:
        yield from values_in(client)
    with place.store.database.read() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)):
                yield from (_as_bytes(value) for value in row)


def values_in(client: Redis) -> Iterator[bytes]:
    """Yield every key and every value that Redis holds, unpacked as RQ packs it."""
    for key in cast("list[bytes]", client.keys("*")):
        yield key
        for value in _values(client, key):
            yield zlib.decompress(value) if value.startswith(b"x\x9c") else value


def _values(client: Redis, key: bytes) -> list[bytes]:
    """Return what a key holds, whatever its type; an unknown type is an error."""
    readers: dict[bytes, Callable[[], Any]] = {
        b"string": lambda: [client.get(key)],
        b"hash": lambda: client.hvals(key),
        b"list": lambda: client.lrange(key, 0, -1),
        b"set": lambda: client.smembers(key),
        b"zset": lambda: client.zrange(key, 0, -1),
    }
    return list(readers[cast("bytes", client.type(key))]())


def _as_bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
