"""The application as a whole: headers, errors, health, and what it refuses to start without."""

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from ghapp.settings import SettingsError
from ghapp.web.app import create_app


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


def test_a_proxy_that_serves_the_app_below_a_path_is_told(client: FlaskClient) -> None:
    below = {"X-Forwarded-Prefix": "/audits"}
    page = client.get("/", headers={**below, "Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (421, "text/html")
    assert "a host name of its own" in page.text
    assert client.get("/healthz", headers=below).status_code == 200
    # A delivery needs no links: it is judged by its signature.
    assert client.post("/webhooks/github", headers=below).status_code == 401
    assert client.get("/", headers={"X-Forwarded-Prefix": "/"}).status_code != 421
