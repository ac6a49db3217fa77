"""From settings to the objects that do I/O: what is built, and what is left out."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from ghapp.attribution.policy import CLAUDE_CODE_V1_MOVED
from ghapp.audit import AuditRequest
from ghapp.bootstrap import Services, build, connect_queue
from ghapp.ending import AuditDone
from ghapp.github.pacing import InstallationPace
from ghapp.settings import Settings, SettingsError
from tests.app_key import PRIVATE_KEY
from tests.databases import make_sqlite
from tests.github.place import Place

SECRET = "a-webhook-secret-of-the-tests"
APP = {
    "GITHUB_APP_ID": "7",
    "GITHUB_PRIVATE_KEY": PRIVATE_KEY,
    "GITHUB_WEBHOOK_SECRETS": f"{SECRET},{SECRET}-of-before",
}
NOWHERE = "unix:///nowhere/valkey.sock"


def settings(data: Path, **environment: str) -> Settings:
    given = {"GHAPP_DATA_DIR": str(data), "REDIS_URL": NOWHERE, **environment}
    return Settings.from_environment(given, app_required=False)


def services(data: Path, **environment: str) -> Services:
    return build(settings(data, **environment))


def test_building_connects_to_nothing(tmp_path: Path) -> None:
    """Nothing listens at any of the addresses."""
    app = {**APP, "GITHUB_CLIENT_ID": "Iv1", "GITHUB_CLIENT_SECRET": "a-client-secret-of-tests"}
    made = services(tmp_path, DATABASE_URL="postgresql://nobody@/none?host=/nowhere", **app)
    assert made.auth.app_id == made.app_id == 7
    for built in (made.readers, made.uploaders, made.weekly_summaries, made.pace, made.summaries):
        assert built is not None
    assert not made.queue.is_alive()


def test_without_a_redis_it_says_what_to_do(tmp_path: Path) -> None:
    read = settings(tmp_path, REDIS_URL="")
    with pytest.raises(SettingsError, match=r"REDIS_URL is not set.*ghapp serve"):
        build(read)
    assert isinstance(connect_queue(settings(tmp_path)), redis.Redis)


def test_without_an_app_it_says_what_to_do(tmp_path: Path) -> None:
    made = services(tmp_path)
    for name in ("app", "app_id", "webhook_secrets", "auth"):
        with pytest.raises(SettingsError, match=r"GITHUB_APP_ID is not set.*ghapp serve"):
            getattr(made, name)
    assert made.readers is None
    assert made.uploaders is None


def test_two_webhook_secrets_hold_during_a_rotation(tmp_path: Path) -> None:
    assert services(tmp_path, **APP).webhook_secrets == (SECRET, f"{SECRET}-of-before")


def test_nobody_signs_in_or_enrolls_without_the_apps_credentials(tmp_path: Path) -> None:
    alone = services(tmp_path, **APP)
    assert (alone.readers, alone.uploaders) == (None, None)
    named = services(tmp_path, **APP, GITHUB_CLIENT_ID="Iv1")
    assert named.readers is None
    assert named.uploaders is not None


def test_without_their_settings_sources_and_mail_are_left_out(tmp_path: Path) -> None:
    made = services(tmp_path, **APP)
    assert made.compliance is None
    assert made.pull_sessions() is None
    assert made.weekly_summaries.mail_server is None


def test_one_process_has_one_of_each(tmp_path: Path) -> None:
    made = services(tmp_path, **APP)
    assert made.auth is made.auth
    assert made.keys is made.comparison.keys
    assert isinstance(made.pace, InstallationPace)


# --- at work --------------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.close()


@pytest.fixture
def at_work(place: Place, redis_url: str, tmp_path: Path) -> Iterator[Services]:
    """Return the services of a process that may do everything."""
    data = tmp_path / "data"
    read = settings(
        data,
        GITHUB_APP_ID=str(place.app.app.id),
        GITHUB_PRIVATE_KEY=place.app.private_key,
        GITHUB_WEBHOOK_SECRETS=SECRET,
        GITHUB_API_URL=place.sandbox.api_url,
        GITHUB_WEB_URL=place.sandbox.web_url,
        REDIS_URL=redis_url,
    )
    make_sqlite(read.database_url)
    built = build(read)
    yield replace(built, policy=CLAUDE_CODE_V1_MOVED, clock=place.clock, sleep=place.waits.append)
    built.store.close()


def test_an_audit_runs_by_what_the_settings_say(place: Place, at_work: Services) -> None:
    pull = place.merged({"a.py": "x = 1\n"})
    request = AuditRequest(place.installation.id, place.repository.id, pull.number)
    ended = at_work.audit(request)
    assert isinstance(ended, AuditDone)
    document = at_work.store.audits.document(ended.audit.id)
    assert CLAUDE_CODE_V1_MOVED.id in str(document)
    assert len(place.sandbox.visible(pull).check_runs) == 1


def test_a_rate_limit_is_noted_for_all_workers(place: Place, at_work: Services) -> None:
    number = place.installation.id
    with at_work.github(number, place.repository.id) as github:
        assert github.ask_name() == "acme/app"
        assert github.headroom is not None
    noted = at_work.pace.headroom(number)
    assert noted == github.headroom
