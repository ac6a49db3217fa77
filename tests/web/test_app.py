"""The application as a whole: headers, errors, health, and what it refuses to start without."""

from pathlib import Path

import pytest

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
