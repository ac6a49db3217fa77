"""The demo's pull requests: reads them from their folders and merges them in the sandbox."""

import json
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ghapp.attribution.model import Struct, Verdict
from ghapp.demo.sandbox import HubPull, HubRepository, Sandbox


class DemoError(RuntimeError):
    """The demo cannot go on; the message says what happened and where to look."""


class DemoScenario(Struct, frozen=True):
    """One merged pull request of the demo, read from its folder."""

    folder: Path
    repository: str
    title: str
    branch: str
    author: str
    verdict: Verdict
    """The verdict that the audit must reach."""

    def files(self, side: str) -> dict[str, str]:
        """Return the files of ``base`` or ``head`` by their paths."""
        top = self.folder / side
        found = sorted(path for path in top.rglob("*") if path.is_file())
        return {path.relative_to(top).as_posix(): path.read_text("utf-8") for path in found}

    def change(self) -> dict[str, str | None]:
        """Return the changed files by path; ``None`` removes a file."""
        head = self.files("head")
        return {**dict.fromkeys(set(self.files("base")) - set(head)), **head}


@dataclass(frozen=True)
class PlayedScenario:
    """A scenario with its merged pull request in the sandbox."""

    scenario: DemoScenario
    pull: HubPull


def read_scenarios(top: Path) -> list[DemoScenario]:
    """Read every folder of scenarios. Raises `DemoError` if there are none."""
    folders = sorted(path.parent for path in top.glob("*/pull.json"))
    if not folders:
        raise DemoError(f"no scenarios in {top}: run the demo from a checkout of the project")
    return [_read_scenario(folder) for folder in folders]


def _read_scenario(folder: Path) -> DemoScenario:
    members = json.loads((folder / "pull.json").read_text("utf-8"))
    return msgspec.convert({"folder": folder, **members}, DemoScenario, dec_hook=_keep_path)


def _keep_path(kind: type, value: object) -> object:
    return value if kind is Path else kind(value)


def merge(sandbox: Sandbox, scenario: DemoScenario, repository: HubRepository) -> PlayedScenario:
    """Open a scenario's pull request, merge it, and send the webhook."""
    pull = sandbox.open_pull(
        repository,
        files=scenario.change(),
        branch=scenario.branch,
        title=scenario.title,
        author=scenario.author,
    )
    sandbox.merge(pull, method="squash")
    sandbox.deliver_closed(pull)
    return PlayedScenario(scenario, pull)
