"""``ghapp doctor``: everything that can be wrong with a running app, said in one line each."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from ghapp.cli.doctor import command as doctor
from ghapp.demo.sandbox import Fault, FaultKind, Sandbox
from ghapp.github.answers import Headroom
from ghapp.github.app_auth import PERMISSIONS
from ghapp.github.pacing import InstallationPace, WriteAllowance
from ghapp.queue.enqueue import connect
from ghapp.store import Store, WorkRequest
from tests.app_key import PRIVATE_KEY
from tests.cli.commands import ghapp
from tests.databases import make_sqlite

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return the settings of an app whose tables are there, and empty."""
    url = make_sqlite(f"sqlite:///{tmp_path}/a.db")
    return {"GHAPP_DATA_DIR": str(tmp_path / "data"), "DATABASE_URL": url}


def test_the_doctor_says_what_is_well_and_what_is_not(
    environment: dict[str, str], redis_url: str, tmp_path: Path
) -> None:
    with Sandbox(tmp_path / "hub") as sandbox:
        registered = sandbox.register_app(webhook_url="http://127.0.0.1:9/webhooks/github")
        sandbox.install(registered.app, "acme", permissions={"contents": "read"})
        given = {
            **environment,
            "REDIS_URL": redis_url,
            "GITHUB_API_URL": sandbox.api_url,
            "GITHUB_APP_ID": str(registered.app.id),
            "GITHUB_PRIVATE_KEY": registered.private_key,
            "GITHUB_WEBHOOK_SECRETS": registered.app.webhook_secret,
            "GHAPP_PUBLIC_URL": "https://elsewhere.example",
        }
        done = CliRunner().invoke(doctor, [], env=given)
    assert done.exit_code == 1, done.output
    assert "ok    key" in done.output
    assert "ok    clock" in done.output
    assert "WRONG hook address" in done.output
    assert "checks: write" in done.output
    assert "WRONG redis appendonly" in done.output
    assert "ok    hook secret" in done.output
    assert "look  members of acme: not granted" in done.output
    assert "ok    queue: nothing waits" in done.output
    assert "look  enrolling: no GITHUB_CLIENT_ID" in done.output
    assert "compliance" not in done.output


@pytest.mark.parametrize("flow", [True, False], ids=["ticked", "not_ticked"])
def test_the_doctor_asks_all_that_is_set(
    environment: dict[str, str], redis_url: str, tmp_path: Path, *, flow: bool
) -> None:
    with Store.open(environment["DATABASE_URL"]) as store:
        request = WorkRequest(
            kind="audit", due_at=NOW, installation_id=5, repository_id=42, pull_request=18
        )
        store.work.enqueue(request, now=NOW)
    with Sandbox(tmp_path / "hub") as sandbox:
        registered = sandbox.register_app(webhook_url="https://app.example/webhooks/github")
        registered.app.device_flow = flow
        installed = sandbox.install(registered.app, "acme", permissions=dict(PERMISSIONS))
        shop = sandbox.add_repository("acme", "shop", files={"a.py": "x = 1\n"})
        sandbox.play(Fault(FaultKind.TIMED_OUT, event="repository.archived"))
        sandbox.deliver_repository(shop, "archived", "maintainer")
        now = datetime.now(UTC)
        left = Headroom(limit=5_000, remaining=120, resets_at=now + timedelta(minutes=20))
        InstallationPace(connect(redis_url), WriteAllowance(), lambda: now).note(installed.id, left)
        given = {
            **environment,
            "REDIS_URL": redis_url,
            "GITHUB_API_URL": sandbox.api_url,
            "GITHUB_WEB_URL": sandbox.web_url,
            "GITHUB_APP_ID": str(registered.app.id),
            "GITHUB_CLIENT_ID": registered.app.client_id,
            "GITHUB_PRIVATE_KEY": registered.private_key,
            "GITHUB_WEBHOOK_SECRETS": registered.app.webhook_secret,
            "GHAPP_PUBLIC_URL": "https://app.example",
            "GHAPP_COMPLIANCE_KEY": "sk-ant-nobody",
            "GHAPP_COMPLIANCE_ACCOUNT": "acme",
            "GHAPP_COMPLIANCE_URL": "http://127.0.0.1:9",
        }
        done = CliRunner().invoke(doctor, [], env=given)
    assert done.exit_code == 1, done.output
    assert ("ok    enrolling" in done.output) is flow
    assert ("WRONG enrolling" in done.output) is not flow
    assert "WRONG compliance: GET sessions/local: no answer" in done.output
    assert "ok    hook address" in done.output
    assert "WRONG lane live of installation 5: 1 items, the oldest due since 2026" in done.output
    assert "permissions granted; 120 of 5000 requests left" in done.output
    assert "look  deliveries: 1 of the last 1 failed" in done.output


def test_settings_that_are_wrong_end_it_before_anything_is_asked(tmp_path: Path) -> None:
    given = {"GHAPP_DATA_DIR": str(tmp_path), "GITHUB_PRIVATE_KEY": PRIVATE_KEY}
    done = ghapp("doctor", **given)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"GITHUB_APP_ID is not set" in done.stderr


def test_what_is_away_is_one_finding_and_stops_no_other_check(
    environment: dict[str, str], tmp_path: Path
) -> None:
    given = {
        **environment,
        "REDIS_URL": f"unix://{tmp_path}/nobody.sock",
        "GITHUB_API_URL": "http://127.0.0.1:9",
        "GITHUB_APP_ID": "1",
        "GITHUB_PRIVATE_KEY": PRIVATE_KEY,
        "GITHUB_WEBHOOK_SECRETS": "4f0d" * 10,
    }
    done = ghapp("doctor", **given)
    lines = done.stdout.decode().splitlines()
    assert (done.returncode, done.stderr) == (1, b"")
    assert "WRONG redis: does not answer: start it; work items wait in the database" in lines
    wrong = {line.split()[1].rstrip(":") for line in lines if line.startswith("WRONG")}
    assert wrong == {"redis", "clock", "app", "hook", "installations", "deliveries"}
    assert "ok    queue: nothing waits" in lines
