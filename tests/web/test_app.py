"""The application as a whole: headers, errors, health, and what it refuses to start without."""

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from ghapp.settings import SettingsError
from ghapp.web.app import create_app
from tests.web.conftest import RememberingQueue


def test_every_answer_carries_the_security_headers(client: FlaskClient) -> None:
    for path in ("/", "/healthz", "/nowhere", "/static/ghapp.css"):
        with client.get(path) as answer:
            headers = answer.headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
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


def test_pages_name_no_other_host_and_hold_no_script() -> None:
    templates = Path(__file__).parent.parent.parent / "ghapp" / "web" / "templates"
    for page in templates.rglob("*.html"):
        text = page.read_text("utf-8")
        assert not re.search(r"<script|\son[a-z]+=|style=|(src|href)=[\"']?(https?:)?//", text)


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
