"""Telemetry that names a hidden repository hears, and costs, what it does with an unknown one."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from ghapp.otlp.bodies import MediaType
from ghapp.store import NOBODY, Installation, NewToken, Repository, TokenKind, new_secret
from tests.otlp.sent import NOW, encoded, logs, metric, metrics, point, record
from tests.web.laws.costs import Cost, costs
from tests.web.place import Place

NAMES = {
    "of another organization": "globex/vault",
    "of another one, known by a former name": "globex/vault-before",
    "unknown": "globex/absent",
}
ANSWER: dict[str, Any] = {
    "user.email": "ada@example.com",
    "session.id": "s1",
    "model": "claude-opus-5",
    "input_tokens": 5,
    "output_tokens": 310,
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, on_database: dict[str, str]) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("hidden"), **on_database)
    made.clock.now = NOW
    store, other = made.store.installations, made.installed.id + 1
    store.seen(Installation(id=other, account="globex"), now=NOW)
    vault = made.sandbox.add_repository("globex", "vault", private=True)
    for name in ("vault-before", "vault"):
        seen = Repository(id=vault.id, owner="globex", name=name, installation_id=other)
        store.repository_seen(seen, now=NOW)
    yield made
    made.close()


def sent(place: Place, signal: str, name: str, number: int) -> tuple[int, bytes, Cost]:
    """Send one request of a new process that names a repository; return what came of it."""
    host = urlsplit(place.settings.web_url).hostname
    about = {"vcs.repository.url.full": f"https://{host}/{name}", "session.id": f"s{number}"}
    if signal == "logs":
        request = logs(record("api_request", ANSWER | about))
    else:
        mail = {"user.email": "ada@example.com"}
        request = metrics(metric([point(5, about=mail | about)]))
    http = place.app.test_client()
    secret = new_secret(TokenKind.INGEST)
    ids = (place.installed.id,)
    new = NewToken(kind=TokenKind.INGEST, login="admin", user_id=NOBODY, installations=ids)
    place.store.tokens.issue(new, secret, now=NOW)
    body = encoded(request, MediaType.PROTOBUF)
    headers = {"Authorization": f"Bearer {secret}"}
    with costs(place) as found:
        answer = http.post(
            f"/v1/{signal}", data=body, headers=headers, content_type=MediaType.PROTOBUF.value
        )
    return answer.status_code, answer.data, found[0]


@pytest.mark.parametrize("signal", ["metrics", "logs"])
def test_a_hidden_repository_answers_and_costs_what_an_unknown_one_does(
    place: Place, signal: str
) -> None:
    for number in (-1, 0):  # what a process learns with its first requests
        sent(place, signal, "globex/other", number)
    found = {
        about: sent(place, signal, name, number)
        for number, (about, name) in enumerate(NAMES.items(), 1)
    }
    unknown = found["unknown"]
    assert unknown[0] == 200
    assert found == dict.fromkeys(NAMES, unknown)
    rows = place.store.usage.rows(place.installed.id)
    assert len(rows) >= len(NAMES)
    assert {one.repository_id for one in rows} == {None}
