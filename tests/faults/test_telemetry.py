"""kill -9 of the web process while telemetry comes: what was answered counts, and nothing twice.

Senders do as real exporters: they send the same bytes again until they are answered.
"""

import itertools
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from ghapp.otlp.bodies import MediaType
from ghapp.otlp.nouns import SECOND
from ghapp.store import NOBODY, Installation, NewToken, TokenKind, new_secret
from ghapp.usage.days import TokenDay
from ghapp.usage.sources import UsageSource
from tests.faults.test_kills import QUICK, watched
from tests.journeys.running import Place, running_place
from tests.otlp.sent import encoded, logs, metric, metrics, point, record
from tests.searching import FACTOR
from tests.waiting import START_SECONDS, wait_until

SENDERS, EACH, KILLS = 4, 5, 3


@pytest.fixture
def address(request: pytest.FixtureRequest) -> str | None:
    """Return the database's address; ``None``: SQLite."""
    return None if FACTOR == 1 else str(request.getfixturevalue("database_url"))


def bodies(number: int) -> list[tuple[str, bytes]]:
    """Return one request of each kind; only identical bytes tell the metrics' repetitions."""
    at = int(datetime.now(UTC).timestamp()) * SECOND
    mail = {"user.email": f"p{number % 3}@example.com"}
    times = {"startTimeUnixNano": str(at - number - 1), "timeUnixNano": str(at)}
    told = {"input_tokens": 0, "output_tokens": 1, "model": "m", "request_id": f"req_{number}"}
    return [
        ("metrics", encoded(metrics(metric([point(1, about=mail, **times)])), MediaType.PROTOBUF)),
        (
            "logs",
            encoded(
                logs(record("api_request", mail | told, timeUnixNano=str(at))), MediaType.PROTOBUF
            ),
        ),
    ]


def send(place: Place, secret: str, number: int) -> None:
    """Send until there is an answer."""
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": MediaType.PROTOBUF.value}
    for path, body in bodies(number):
        url = f"{place.app.environment['GHAPP_PUBLIC_URL']}/v1/{path}"
        wait_until(lambda url=url, body=body: is_taken(url, body, headers), "an answer")


def is_taken(url: str, body: bytes, headers: dict[str, str]) -> bool:
    """Send once; say whether the app has answered that it stored it."""
    try:
        answer = requests.post(url, body, headers=headers, timeout=START_SECONDS)
    except requests.RequestException:
        return False
    assert answer.status_code in {200, 429, 503}, answer.text
    assert answer.status_code != 200 or answer.content == b""
    return answer.status_code == 200


def test_what_was_answered_counts_and_nothing_twice(address: str | None, tmp_path: Path) -> None:
    with running_place(tmp_path, database_url=address, app_settings=QUICK) as place:
        place.app.start("valkey", "web")
        installed = place.installation.id
        secret = new_secret(TokenKind.INGEST)
        new = NewToken(
            kind=TokenKind.INGEST, login="ada", user_id=NOBODY, installations=(installed,)
        )
        now = datetime.now(UTC)
        known(place, now)
        place.store.tokens.issue(new, secret, now=now)
        numbers = itertools.count()
        chance = random.Random(7 if FACTOR == 1 else None)  # noqa: S311 - no secret
        answered: list[int] = []
        killer = threading.Thread(target=kill_web, args=(place, chance, answered))

        def keep_sending() -> int:
            """Send as long as there is killing; return how many requests of each kind."""
            count = 0
            while count < EACH or killer.is_alive():
                send(place, secret, number := next(numbers))
                answered.append(number)
                count += 1
            return count

        with watched(place), ThreadPoolExecutor(SENDERS) as pool:
            killer.start()
            senders = [pool.submit(keep_sending) for _ in range(SENDERS)]
            sent = sum(one.result() for one in senders)
            killer.join()
        assert place.app.children["web"].starts > KILLS * FACTOR
        for source in (UsageSource.METRICS, UsageSource.EVENTS):
            rows = [one.row for one in place.store.usage.rows(installed) if one.source is source]
            assert sum(one.tokens.output for one in rows if isinstance(one, TokenDay)) == sent
        came = place.store.arrivals.came(installed, now.date(), datetime.now(UTC).date())
        assert sum(one.requests for one in came) == 2 * sent


def kill_web(place: Place, chance: random.Random, answered: list[int]) -> None:
    """Kill the web process some times, each time after it has answered some senders again."""
    url = f"{place.app.environment['GHAPP_PUBLIC_URL']}/readyz"
    for _ in range(KILLS * FACTOR):
        wait_until(lambda: is_there(url), "the web door")
        enough = len(answered) + chance.randint(1, 6)
        wait_until(lambda least=enough: len(answered) >= least, "answers to the senders")
        web = place.app.children["web"]
        process, starts = web.process, web.starts
        assert process is not None
        process.kill()
        wait_until(lambda before=starts: web.starts > before, "a new web process")  # noqa: B023


def is_there(url: str) -> bool:
    try:
        return requests.get(url, timeout=START_SECONDS).ok
    except requests.RequestException:
        return False


def known(place: Place, now: datetime) -> None:
    """Store the installation, as its event does."""
    place.store.installations.seen(
        Installation(id=place.installation.id, account=place.installation.account.login), now=now
    )
