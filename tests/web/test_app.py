"""The application as a whole: headers, errors, health, and what it refuses to start without."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from ghapp.bootstrap import Services
from ghapp.settings import SettingsError
from ghapp.store import DatabaseUnavailable
from ghapp.web.app import create_app
from tests.web.conftest import RememberingQueue


def test_every_answer_carries_the_security_headers(client: FlaskClient) -> None:
    for path in ("/", "/healthz", "/nowhere", "/static/ghapp.css"):
        with client.get(path) as answer:
            headers = answer.headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "Strict-Transport-Security" not in headers
    assert "Strict-Transport-Security" in client.get("/", base_url="https://app.example").headers


def test_errors_are_json_and_say_what_is_wrong(client: FlaskClient) -> None:
    missing, wrong = client.get("/nowhere"), client.get("/webhooks/github")
    assert (missing.status_code, wrong.status_code) == (404, 405)
    assert missing.json is not None
    assert missing.json["error"]
    assert "POST" in wrong.headers["Allow"]


def test_a_browser_is_told_on_a_page_what_a_program_is_told_in_json(client: FlaskClient) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = client.get("/nowhere", headers=browser)
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "Page not found" in page.text
    for path in ("/api/nowhere", "/webhooks/nowhere"):
        assert client.get(path, headers=browser).mimetype == "application/json"


def test_a_database_that_is_away_is_no_fault_of_the_page(services: Services) -> None:
    app = create_app(services)

    @app.get("/away")
    def away() -> None:
        raise DatabaseUnavailable("postgresql://host: secret details")

    answer = app.test_client().get("/away")
    assert answer.status_code == 503
    assert "secret details" not in answer.text


def test_it_lives_and_is_ready(client: FlaskClient, queue: RememberingQueue) -> None:
    assert client.get("/healthz").json["status"] == "ok"  # type: ignore[index]
    assert client.get("/readyz").json == {"ready": True, "database": "ok", "queue": "ok"}
    queue.is_away = True
    away = client.get("/readyz")
    assert (away.status_code, away.json) == (
        200,
        {"ready": True, "database": "ok", "queue": "away"},
    )


def test_everything_that_is_missing_is_said_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("GITHUB_APP_ID", "GITHUB_PRIVATE_KEY", "GITHUB_WEBHOOK_SECRETS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GHAPP_DATA_DIR", str(tmp_path))
    with pytest.raises(SettingsError) as said:
        create_app()
    for name in ("GITHUB_APP_ID", "GITHUB_PRIVATE_KEY_FILE", "GITHUB_WEBHOOK_SECRETS"):
        assert name in str(said.value)
