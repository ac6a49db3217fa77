"""How often something may be tried: over all processes, and without locking anybody out."""

import logging
from dataclasses import replace

import msgspec
import pytest
from flask.testing import FlaskClient

from ghapp.bootstrap import Services
from ghapp.people.uploaders import EvidenceUploaders
from ghapp.queue import enqueue
from ghapp.store import NewToken, TokenKind, new_secret
from ghapp.web import limits
from ghapp.web.app import create_app
from ghapp.web.limits import RATES, WRONG_SIGNATURES
from tests.web.test_webhook import MERGED, send

TOKEN = "4f0d9a7be21c83556d10"
AUTH = {"Authorization": f"Bearer {TOKEN}"}
ALLOWED = int(WRONG_SIGNATURES.split()[0])
WRONG = {"X-Hub-Signature-256": "sha256=" + "0" * 64}


@pytest.fixture(autouse=True)
def _long_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a minute last a day, and Redis take its time: this machine may be busy."""
    for path, rate in RATES.items():
        slow = rate.amount.replace("minute", "day")
        monkeypatch.setitem(RATES, path, msgspec.structs.replace(rate, amount=slow))
    monkeypatch.setattr(enqueue, "QUICK", 60.0)
    monkeypatch.setattr(limits, "WRONG_SIGNATURES", f"{ALLOWED} per day")


@pytest.fixture
def limited(services: Services, redis_url: str) -> Services:
    """Return the door's services with a Redis that is really there."""
    settings = replace(services.settings, redis_url=redis_url, operator_token=TOKEN)
    return replace(services, settings=settings)


def statuses(client: FlaskClient, path: str, times: int, **headers: str) -> list[int]:
    return [client.get(path, headers=headers).status_code for _ in range(times)]


def test_a_rate_holds_over_all_processes(limited: Services) -> None:
    most = int(RATES["/operator"].amount.split()[0])
    one, other = (create_app(limited).test_client() for _ in range(2))
    assert set(statuses(one, "/operator", most // 2)) == {401}
    assert set(statuses(other, "/operator", most - most // 2)) == {401}
    refused = one.get("/operator", headers=AUTH)
    assert refused.status_code == 429
    assert 0 <= int(refused.headers["Retry-After"]) <= 86_400
    assert other.get("/operator/retry/1").status_code == 429


def token_of(services: Services, user_id: int) -> dict[str, str]:
    secret = new_secret(TokenKind.UPLOAD)
    new = NewToken(kind=TokenKind.UPLOAD, login=f"p{user_id}", user_id=user_id, installations=(1,))
    services.store.tokens.issue(new, secret, now=services.clock())
    return {"Authorization": f"Bearer {secret}"}


def most(path: str) -> int:
    return int(RATES[path].amount.split()[0])


def test_who_shows_a_valid_token_is_counted_by_it(
    limited: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = msgspec.structs.replace(RATES["/api/evidence"], amount="3 per day")
    monkeypatch.setitem(RATES, "/api/evidence", few)
    client = create_app(limited).test_client()
    one, other = token_of(limited, 1), token_of(limited, 2)
    assert statuses(client, "/api/evidence", 4, **one) == [405] * 3 + [429]
    assert statuses(client, "/api/evidence", 1, **other) == [405]


def test_made_up_tokens_count_for_their_address(
    limited: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = msgspec.structs.replace(RATES["/api/evidence"], amount="3 per day")
    monkeypatch.setitem(RATES, "/api/evidence", few)
    client = create_app(limited).test_client()
    guessed = [{"Authorization": f"Bearer ghapp_upload_{n}"} for n in range(4)]
    found = [client.get("/api/evidence", headers=one).status_code for one in guessed]
    assert found == [405] * 3 + [429]
    assert statuses(client, "/api/evidence", 1, **token_of(limited, 1)) == [405]


def test_one_machine_that_waits_for_its_code_shuts_no_other_out(
    limited: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EvidenceUploaders, "began", lambda _, handle: handle != "made up")
    monkeypatch.setattr(EvidenceUploaders, "finish", lambda _, __: None)
    app = limited.settings.app
    assert app is not None
    settings = replace(limited.settings, app=replace(app, client_id="Iv1"))
    client = create_app(replace(limited, settings=settings)).test_client()

    def polled(handle: str, times: int) -> list[int]:
        address = "/api/enroll/finish"
        return [client.post(address, json={"handle": handle}).status_code for _ in range(times)]

    allowed = most("/api/enroll/finish")
    assert polled("one", allowed + 1)[-2:] == [202, 429]
    assert polled("two", 1) == [202]
    assert polled("made up", allowed + 1)[-1] == 429
    assert polled("two", 1) == [202]


def test_one_browser_that_comes_back_from_github_shuts_no_other_out(limited: Services) -> None:
    client, other = (create_app(limited).test_client() for _ in range(2))
    client.set_cookie("sign-in", "one")
    assert statuses(client, "/login/callback", most("/login/callback") + 1)[-1] == 429
    other.set_cookie("sign-in", "two")
    assert statuses(other, "/login/callback", 1) == [400]


def test_paths_without_a_rate_are_free(limited: Services, caplog: pytest.LogCaptureFixture) -> None:
    client = create_app(limited).test_client()
    assert set(statuses(client, "/healthz", 100)) == {200}
    assert "X-RateLimit-Limit" not in client.get("/healthz").headers
    assert caplog.records == []


def test_wrong_signatures_are_counted_and_right_ones_are_not(limited: Services) -> None:
    client = create_app(limited).test_client()
    wrong = [send(client, MERGED, guid=f"w-{n}", **WRONG).status_code for n in range(ALLOWED + 1)]
    assert wrong == [401] * ALLOWED + [429]
    assert send(client, MERGED, guid="right").status_code == 202


def test_where_redis_is_away_a_process_counts_for_itself(
    services: Services, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Another test of this process may have silenced or cut off the limiter's own log.
    limiter_log = logging.getLogger("flask-limiter")
    monkeypatch.setattr(limiter_log, "disabled", False)
    monkeypatch.setattr(limiter_log, "handlers", [caplog.handler])
    monkeypatch.setattr(limiter_log, "filters", [])
    limiter_log.setLevel(logging.WARNING)
    settings = replace(services.settings, operator_token=TOKEN)
    client = create_app(replace(services, settings=settings)).test_client()
    most = int(RATES["/operator"].amount.split()[0])
    answers = statuses(client, "/operator", most + 1, **AUTH)
    assert answers == [200] * most + [429]
    assert send(client, MERGED, guid="w", **WRONG).status_code == 401
    assert send(client, MERGED).status_code == 202
    assert "falling back to in-memory storage" in caplog.text


def test_behind_a_proxy_its_guests_are_told_apart(limited: Services) -> None:
    settings = replace(limited.settings, proxies=1)
    client = create_app(replace(limited, settings=settings)).test_client()
    most = int(RATES["/login"].amount.split()[0])
    first, second = ({"X-Forwarded-For": f"1.2.3.4, 192.0.2.{n}"} for n in (1, 2))
    assert set(statuses(client, "/login", most, **first)) == {404}
    assert client.get("/login", headers=first).status_code == 429
    assert client.get("/login", headers=second).status_code == 404
