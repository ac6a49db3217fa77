"""The whole app at work on one machine, with the sandbox in GitHub's place.

It plays GitHub's and the people's part: repositories, agent sessions, merges, webhooks. The
app itself is started as its operator would, and is met over HTTP and its database only.
"""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import requests
from rich.console import Console

from ghapp.attribution.model import Struct, Verdict
from ghapp.bootstrap import encoder
from ghapp.demo.cast import PLACES
from ghapp.demo.sandbox import HubInstallation, HubPull, HubRepository, RegisteredApp, Sandbox
from ghapp.demo.year import YearStore, make_year
from ghapp.ingest.keep import EncodeLines, import_artifacts
from ghapp.keys.evidence import EvidenceKeys
from ghapp.keys.signing import RecordSigner
from ghapp.serve import child_environment
from ghapp.settings import Settings
from ghapp.store import Installation, Store
from ghapp.store import Repository as Known
from ghapp.web.registration import app_file, read_app_file

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "demo"
MERGED_IN_THE_DATA = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)
"""The merge that the transcripts' times count from."""
START_LIMIT = 40.0
"""Seconds until the app has to be up."""
AUDIT_LIMIT = 90.0
"""Seconds until every pull request has to be audited."""
LATEST_RECORD = 10.0
"""Seconds until the app's own record of its last write has to be there."""
LOOK_EVERY = 0.2
CHECK_NAME = "attribution"
LABEL = "claude-code-assisted"

_TIMESTAMP = re.compile(r'(?<="timestamp": ")[0-9T:.-]+Z(?=")')


class DemoError(RuntimeError):
    """The demo cannot go on; the message says what was found and where to look."""


class DemoScenario(Struct, frozen=True):
    """One merged pull request of the demo, read from its folder."""

    folder: Path
    repository: str
    title: str
    branch: str
    author: str
    verdict: Verdict
    """What an audit has to find."""

    def files(self, side: str) -> dict[str, str]:
        """Return the files of ``base`` or ``head`` by their paths."""
        top = self.folder / side
        found = sorted(path for path in top.rglob("*") if path.is_file())
        return {path.relative_to(top).as_posix(): path.read_text("utf-8") for path in found}

    def change(self) -> dict[str, str | None]:
        """Return what the pull request does to the files; ``None`` takes one away."""
        head = self.files("head")
        return {**dict.fromkeys(set(self.files("base")) - set(head)), **head}


@dataclass(frozen=True)
class PlayedScenario:
    """A scenario that was merged in the sandbox."""

    scenario: DemoScenario
    pull: HubPull


# --- the demo on one page -----------------------------------------------------------------------


def demo(directory: Path, console: Console, *, once: bool) -> int:
    """Show the app at work; return 0 where everything that it told GitHub was read back.

    ``directory`` is the caller's and holds all that is made. Without ``once`` the demo stays
    up until it is interrupted. Raises `DemoError`.
    """
    scenarios = read_scenarios(FIXTURES)
    log = directory / "app.log"
    with Sandbox(directory / "github") as sandbox:
        stage = set_stage(sandbox, scenarios, directory / "data", past=not once)
        settings = Settings.from_environment(stage.environment)
        if not once:
            console.print("Writing a year of merged pull requests in six repositories ...")
            fill_the_past(stage, settings)
        console.print("Starting Valkey, web, workers and scheduler ...")
        with (
            app_running(stage.environment, stage.port, log),
            Store.unmigrated(settings.database_url) as store,
        ):
            sandbox.deliver_installation(stage.installation, "created")
            send_evidence(stage, scenarios, store, encoder(settings, store, stage.installation.id))
            played = [merge(sandbox, one, stage.repositories[one.repository]) for one in scenarios]
            console.print(f"{len(played)} pull requests were merged; each went out as a webhook.")
            wait_for_audits(sandbox, played, log)
            wrong = [problem for one in played for problem in show(sandbox, one, store, console)]
            wrong += [f"{found.where}: {found.problem}" for found in sandbox.violations]
            say_result(console, wrong, len(played))
            if not once:
                say_pages(console, stage.port, played)
                stay(console, sandbox.web_url)
    return 1 if wrong else 0


def read_scenarios(top: Path) -> list[DemoScenario]:
    """Read every folder of scenarios; raises `DemoError` where there are none."""
    folders = sorted(path.parent for path in top.glob("*/pull.json"))
    if not folders:
        raise DemoError(f"no scenarios in {top}: the demo runs from a checkout of the project")
    return [_read_scenario(folder) for folder in folders]


def _read_scenario(folder: Path) -> DemoScenario:
    members = json.loads((folder / "pull.json").read_text("utf-8"))
    return msgspec.convert({"folder": folder, **members}, DemoScenario, dec_hook=_keep_path)


def _keep_path(kind: type, value: object) -> object:
    return value if kind is Path else kind(value)


# --- GitHub's part --------------------------------------------------------------------------------


@dataclass(frozen=True)
class DemoStage:
    """What stands in the sandbox before anything is merged, and how the app is told of it."""

    repositories: dict[str, HubRepository]
    installation: HubInstallation
    environment: dict[str, str]
    port: int


def set_stage(
    sandbox: Sandbox, scenarios: list[DemoScenario], data: Path, *, past: bool
) -> DemoStage:
    """Register the app as app.yml says, make the repositories, install it on them.

    ``past``: the repositories of the year before today are there as well.
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
    """Let whoever sits at the browser own everything, so that signing in is one click."""
    owner = "maintainer"
    sandbox.sit_down(owner)
    sandbox.add_member("acme", owner, "admin")
    for repository in repositories.values():
        sandbox.allow(repository, owner, "admin")


def fill_the_past(stage: DemoStage, settings: Settings) -> None:
    """Keep a year of evidence and audits, as if the app had been there all along."""
    now, installation = datetime.now(UTC), stage.installation
    account = installation.account
    heard = Installation(
        id=installation.id,
        account=account.login,
        account_id=account.id,
        account_type="Organization",
    )
    seen = [
        Known(id=one.id, owner=account.login, name=one.name, installation_id=installation.id)
        for one in stage.repositories.values()
    ]
    with Store.open(settings.database_url) as store:
        store.installations.seen(heard, now=now)
        store.installations.repositories_seen(seen, now=now)
        key = EvidenceKeys(store, settings.encryption_key).present(installation.id, now=now)
        ids = {name: one.id for name, one in stage.repositories.items()}
        witness = RecordSigner(store, settings.encryption_key).witness
        office = YearStore(store, installation.id, account.login.lower(), key, witness)
        made = make_year(office, ids, until=now)
    for name, pulls in made.items():
        stage.repositories[name].next_number = pulls + 1


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
    """Return the app's settings, and none of the person's own that would lead it elsewhere."""
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


def free_port() -> int:
    """Return a port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def merge(sandbox: Sandbox, scenario: DemoScenario, repository: HubRepository) -> PlayedScenario:
    """Open a scenario's pull request, merge it, and tell the app."""
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


# --- the app's part -------------------------------------------------------------------------------


@contextlib.contextmanager
def app_running(environment: dict[str, str], port: int, log: Path) -> Iterator[None]:
    """Start ``ghapp serve`` as its operator would; end it, with all it started, on leaving."""
    command = [sys.executable, "-m", "ghapp", "serve", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command, no shell
            [*command, "--data", environment["GHAPP_DATA_DIR"]],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_up(process, port, log)
            yield
        finally:
            process.terminate()
            process.wait()


def _wait_until_up(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    def is_up() -> bool:
        if process.poll() is not None:
            raise DemoError(f"the app ended at its start:\n{_tail(log)}")
        try:
            return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=2).ok
        except requests.RequestException:
            return False

    _wait_for(is_up, START_LIMIT, "the app is not up", log)


def _wait_for(done: Callable[[], bool], limit: float, what: str, log: Path) -> None:
    deadline = time.monotonic() + limit
    while not done():
        if time.monotonic() > deadline:
            raise DemoError(f"{what} after {limit:.0f} s; the app's log ends with:\n{_tail(log)}")
        time.sleep(LOOK_EVERY)


def _tail(log: Path, lines: int = 30) -> str:
    return "\n".join(log.read_text("utf-8", "replace").splitlines()[-lines:])


def send_evidence(
    stage: DemoStage, scenarios: list[DemoScenario], store: Store, encode: EncodeLines
) -> None:
    """Import the transcripts as developers would: read, fingerprinted, kept."""
    now = datetime.now(UTC)
    for name, repository in stage.repositories.items():
        folders = [one.folder / "transcripts" for one in scenarios if one.repository == name]
        with tempfile.TemporaryDirectory(prefix="ghapp-demo-") as directory:
            for folder in folders:
                _move_in_time(folder, Path(directory), now)
            import_artifacts(store, repository.id, [Path(directory)], [], encode, now=now)


def _move_in_time(source: Path, target: Path, now: datetime) -> None:
    """Copy transcripts so that they lie before now as they lay before the merge of the data."""
    distance = now - MERGED_IN_THE_DATA

    def moved(found: re.Match[str]) -> str:
        at = datetime.fromisoformat(found.group()) + distance
        return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    for path in sorted(source.glob("*.jsonl")):
        text = path.read_text("utf-8")
        (target / path.name).write_text(_TIMESTAMP.sub(moved, text), "utf-8")


def wait_for_audits(sandbox: Sandbox, played: list[PlayedScenario], log: Path) -> None:
    """Wait until every pull request has its check run, which is written last."""

    def is_done(one: PlayedScenario) -> bool:
        runs = sandbox.visible(one.pull).check_runs
        return any(run.name == CHECK_NAME and run.status == "completed" for run in runs)

    _wait_for(lambda: all(map(is_done, played)), AUDIT_LIMIT, "not every audit is there", log)


# --- what is shown --------------------------------------------------------------------------------


def show(sandbox: Sandbox, played: PlayedScenario, store: Store, console: Console) -> list[str]:
    """Print what GitHub was told of one pull request; return what is not as it should be."""
    pull, seen = played.pull, sandbox.visible(played.pull)
    runs = [run for run in seen.check_runs if run.name == CHECK_NAME]
    where = f"{pull.repository.full_name} #{pull.number}"
    console.print()
    console.print(where, pull.title, style="bold", markup=False, highlight=False)
    for run in runs:
        _say(console, "check", f"{run.name}: {run.conclusion}")
        _say(console, "", run.title or "no title")
    comments = [comment.body.splitlines()[0].lstrip("# ") for comment in seen.comments]
    for text in comments or ["none"]:
        _say(console, "comment", text)
    _say(console, "labels", ", ".join(seen.label_names) or "none")
    _say(console, "see", sandbox.pull_url(pull))
    return [f"{where}: {problem}" for problem in _problems(played, sandbox, store)]


def _say(console: Console, name: str, text: str) -> None:
    # Nine columns, so that the longest headline ends in the eightieth.
    console.print(f"  {name:<9}", text, markup=False, highlight=False, soft_wrap=True)


def _problems(played: PlayedScenario, sandbox: Sandbox, store: Store) -> Iterator[str]:
    """Say what differs from the scenario, and what the app itself could not confirm."""
    seen, verdict = sandbox.visible(played.pull), played.scenario.verdict
    runs = [run for run in seen.check_runs if run.name == CHECK_NAME]
    if len(runs) != 1:
        yield f"{len(runs)} check runs, expected 1"
    comments = 0 if verdict is Verdict.NO_EVIDENCE else 1
    if len(seen.comments) != comments:
        yield f"{len(seen.comments)} comments, expected {comments}"
    labels = (LABEL,) if verdict is Verdict.ASSISTED else ()
    if seen.label_names != labels:
        yield f"labels {seen.label_names}, expected {labels}"
    yield from _unconfirmed(played, store)


def _unconfirmed(played: PlayedScenario, store: Store) -> Iterator[str]:
    repository, number = played.pull.repository.id, played.pull.number
    _wait_for_record(store, repository, number)
    audit = store.audits.latest(repository, number)
    if audit is None:
        yield "no audit is kept"
        return
    if audit.verdict is not played.scenario.verdict:
        yield f"verdict {audit.verdict.value}, expected {played.scenario.verdict.value}"
    for one in store.publications.of(audit):
        if one.outcome == "not_written" or one.read_back_ok is False:
            yield f"{one.publisher} was not confirmed: {one.detail}"


def _wait_for_record(store: Store, repository_id: int, number: int) -> None:
    """Wait for the app's own record, which it writes just after the check run."""
    deadline = time.monotonic() + LATEST_RECORD
    while store.publications.last(repository_id, number, "check_run") is None:
        if time.monotonic() > deadline:
            return
        time.sleep(LOOK_EVERY)


def say_result(console: Console, wrong: list[str], count: int) -> None:
    """Print whether all of it was read back."""
    console.print()
    if not wrong:
        text = f"All {count} pull requests: check run, comment and label were read back as written."
        console.print(text, style="green", highlight=False)
    for problem in wrong:
        console.print(problem, style="red", markup=False, highlight=False)


def say_pages(console: Console, port: int, played: list[PlayedScenario]) -> None:
    """Print where the pages are; signing in is one click, as the person who owns it all."""
    at, pull = f"http://127.0.0.1:{port}", played[0].pull
    repository = f"{at}/repositories/{pull.repository.full_name}"
    pages = {
        "start": f"{at}/",
        "acme": f"{at}/organizations/{pull.repository.owner.login}",
        pull.repository.name: repository,
        f"#{pull.number}": f"{repository}/pull/{pull.number}",
        "method": f"{at}/method",
    }
    console.print()
    console.print("The app's pages; signing in is one click:")
    for name, address in pages.items():
        _say(console, name, address)


def stay(console: Console, github: str) -> None:
    """Stay up until Ctrl-C."""
    console.print(f"GitHub's part is at {github}", markup=False)
    console.print("Ctrl-C ends both.")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)
