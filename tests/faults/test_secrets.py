"""What must not happen whatever an event or GitHub says: other addresses, secrets that are kept."""

import json
import re
from collections.abc import Iterator
from typing import Any, cast

import pytest
from redis import Redis
from sqlalchemy import select

from ghapp.sandbox import Fault, Kind
from ghapp.store.schema import metadata
from tests.faults.place import Place
from tests.sandbox.hub import Receiver

FILES = "/repos/{owner}/{repo}/pulls/{pull_number}/files"
SECRET = re.compile(rb"gh[a-z]_[A-Za-z0-9_.-]{20,}|eyJ[\w-]{8,}\.[\w-]+|PRIVATE KEY|[Bb]earer ")


@pytest.fixture
def trap() -> Iterator[Receiver]:
    """Return a server that nobody has a reason to ask."""
    made = Receiver()
    yield made
    made.close()


def test_no_address_of_a_payload_is_followed(quick_place: Place, trap: Receiver) -> None:
    place = quick_place
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


def test_no_secret_is_kept_where_the_work_is(place: Place) -> None:
    place.agent_wrote()
    place.sandbox.play(
        Fault(Kind.SERVER_ERROR, route=FILES, status=500, times=4),
        Fault(Kind.TOKEN_EXPIRED, route=FILES),
    )
    pull = place.merged()
    place.sandbox.deliver_closed(pull)
    place.work()
    place.expect_finished(pull)
    assert [value for value in kept(place) if SECRET.search(value)] == []


def kept(place: Place) -> Iterator[bytes]:
    """Yield everything that Redis and the database hold."""
    with Redis.from_url(place.services.settings.redis_url or "") as client:
        for key in cast("list[bytes]", client.keys("*")):
            yield key
            yield client.dump(key) or b""
    with place.store.database.read() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)):
                yield from (_as_bytes(value) for value in row)


def _as_bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
