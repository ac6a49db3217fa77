"""Prepares the sandbox and the app's environment before the demo merges anything."""

import os
from dataclasses import dataclass
from pathlib import Path

from ghapp.demo.app_process import free_port
from ghapp.demo.cast import PLACES
from ghapp.demo.newest import number_people
from ghapp.demo.sandbox import HubInstallation, HubRepository, RegisteredApp, Sandbox
from ghapp.demo.scenarios import DemoScenario
from ghapp.serve.programs import child_environment
from ghapp.web.registration import app_file, read_app_file


@dataclass(frozen=True)
class DemoStage:
    """What the sandbox holds before the first merge, and the app's environment."""

    repositories: dict[str, HubRepository]
    installation: HubInstallation
    environment: dict[str, str]
    port: int
    notice: Path
    """Its text stands at the top of each of the app's pages."""


def set_stage(
    sandbox: Sandbox, scenarios: list[DemoScenario], directory: Path, *, past: bool
) -> DemoStage:
    """Register the app as app.yml describes it, create the repositories, install the app.

    ``past``: also create the repositories of the past year.
    """
    notice = directory / "notice.txt"
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
    if past:
        number_people(sandbox)
    return DemoStage(
        repositories=repositories,
        installation=sandbox.install(registered.app, "acme"),
        environment=_environment(sandbox, registered, directory / "data", port)
        | {"GHAPP_NOTICE_FILE": str(notice)},
        port=port,
        notice=notice,
    )


def _seat_an_owner(sandbox: Sandbox, repositories: dict[str, HubRepository]) -> None:
    """Make the person at the browser own everything, so that sign-in takes one click."""
    owner = "maintainer"
    sandbox.sit_down(owner)
    sandbox.add_member("acme", owner, "admin")
    for repository in repositories.values():
        sandbox.allow(repository, owner, "admin")


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
