"""Prepares the sandbox and the app's store before the demo merges anything."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ghapp.demo.app_process import free_port
from ghapp.demo.cast import PLACES
from ghapp.demo.sandbox import HubInstallation, HubRepository, RegisteredApp, Sandbox
from ghapp.demo.scenarios import DemoScenario
from ghapp.demo.year import YearStore, make_year
from ghapp.keys.evidence import EvidenceKeys
from ghapp.keys.signing import RecordSigner
from ghapp.serve.programs import child_environment
from ghapp.settings import Settings
from ghapp.store import Installation, Store
from ghapp.store import Repository as KnownRepository
from ghapp.web.registration import app_file, read_app_file


@dataclass(frozen=True)
class DemoStage:
    """What the sandbox holds before the first merge, and the app's environment."""

    repositories: dict[str, HubRepository]
    installation: HubInstallation
    environment: dict[str, str]
    port: int


def set_stage(
    sandbox: Sandbox, scenarios: list[DemoScenario], data: Path, *, past: bool
) -> DemoStage:
    """Register the app as app.yml describes it, create the repositories, install the app.

    ``past``: also create the repositories of the past year.
    """
    port = free_port()
    app = read_app_file(app_file())
    registered = sandbox.register_app(
        app["name"],
        owner="acme",
        webhook_url=f"http://127.0.0.1:{port}/webhooks/github",
        permissions=app["default_permissions"],
        events=app["default_events"],
        callback_urls=[f"http://127.0.0.1:{port}/login/callback"],
    )
    year = {place.name for place in PLACES} if past else set()
    names = sorted({one.repository for one in scenarios} | year)
    repositories = {name: _repository(sandbox, name, scenarios) for name in names}
    _seat_an_owner(sandbox, repositories)
    return DemoStage(
        repositories=repositories,
        installation=sandbox.install(registered.app, "acme"),
        environment=_environment(sandbox, registered, data, port),
        port=port,
    )


def _seat_an_owner(sandbox: Sandbox, repositories: dict[str, HubRepository]) -> None:
    """Make the person at the browser own everything, so that sign-in takes one click."""
    owner = "maintainer"
    sandbox.sit_down(owner)
    sandbox.add_member("acme", owner, "admin")
    for repository in repositories.values():
        sandbox.allow(repository, owner, "admin")


def fill_the_past(
    stage: DemoStage, settings: Settings, tell: Callable[[str], None]
) -> dict[str, int]:
    """Store a year of evidence and audits, as if the app had always been installed.

    ``tell`` is told how far it is. Return the number of pull requests of each repository.
    """
    now, installation = datetime.now(UTC), stage.installation
    account = installation.account
    heard = Installation(
        id=installation.id,
        account=account.login,
        account_id=account.id,
        account_type="Organization",
    )
    seen = [
        KnownRepository(
            id=one.id, owner=account.login, name=one.name, installation_id=installation.id
        )
        for one in stage.repositories.values()
    ]
    with Store.open(settings.database_url) as store:
        store.installations.seen(heard, now=now)
        store.installations.repositories_seen(seen, now=now)
        key = EvidenceKeys(store, settings.encryption_key).present(installation.id, now=now)
        ids = {name: one.id for name, one in stage.repositories.items()}
        witness = RecordSigner(store, settings.encryption_key).witness
        year = YearStore(store, installation.id, account.login.lower(), key, witness)
        return make_year(year, ids, until=now, tell=tell)


def _repository(sandbox: Sandbox, name: str, scenarios: list[DemoScenario]) -> HubRepository:
    files = {"README.md": f"# {name}\n"}
    for scenario in scenarios:
        if scenario.repository == name:
            files |= scenario.files("base")
    owner, _, short = name.partition("/")
    return sandbox.add_repository(owner, short, files=files)


def _environment(
    sandbox: Sandbox, registered: RegisteredApp, data: Path, port: int
) -> dict[str, str]:
    """Return the app's environment, without settings from the caller's own environment."""
    ours = ("GHAPP_", "GITHUB_", "DATABASE_URL", "REDIS_URL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {
        **child_environment(kept),
        "GHAPP_DATA_DIR": str(data),
        "GHAPP_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "GITHUB_API_URL": sandbox.api_url,
        "GITHUB_WEB_URL": sandbox.web_url,
        "GITHUB_APP_ID": str(registered.app.id),
        "GITHUB_PRIVATE_KEY": registered.private_key,
        "GITHUB_WEBHOOK_SECRETS": registered.app.webhook_secret,
        "GITHUB_CLIENT_ID": registered.app.client_id,
        "GITHUB_CLIENT_SECRET": registered.app.client_secret,
    }
