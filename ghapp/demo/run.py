"""The demo on one page: the whole app on one machine, with the sandbox as GitHub.

The demo plays GitHub and the people: repositories, agent sessions, merges, webhooks. It starts the
app as an operator does, and uses only the app's HTTP interface and its database.
"""

import contextlib
import re
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from ghapp.demo.app_process import app_running
from ghapp.demo.kept_year import KeptYear
from ghapp.demo.results import say, say_result, show, wait_for_audits, wait_until_installed
from ghapp.demo.sandbox import Sandbox
from ghapp.demo.scenarios import DemoError, DemoScenario, PlayedScenario, merge, read_scenarios
from ghapp.demo.stage import DemoStage, fill_the_past, set_stage
from ghapp.ingest.keep import EncodeLines, encoder, import_artifacts
from ghapp.keys.evidence import EvidenceKeys
from ghapp.settings import Settings
from ghapp.store import Store

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "demo"
MERGED_IN_THE_DATA = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)
"""The time of the merge in the transcripts."""
# "timestamp": "2026-05-20T14:02:11.000Z"
_TIMESTAMP = re.compile(r'(?<="timestamp": ")[0-9T:.-]+Z(?=")')


def demo(directory: Path, console: Console, *, once: bool) -> int:
    """Show the app at work; return 0 if GitHub shows everything that the app should write.

    The demo writes all its files into ``directory``. Without ``once`` it runs until Ctrl-C.
    Raises `DemoError`.
    """
    scenarios = read_scenarios(FIXTURES)
    log = directory / "app.log"
    with Sandbox(directory / "github") as sandbox:
        stage = set_stage(sandbox, scenarios, directory / "data", past=not once)
        with (
            started(stage, log, console, past=not once) as settings,
            Store.unmigrated(settings.database_url) as store,
        ):
            sandbox.deliver_installation(stage.installation, "created")
            known = [repository.id for repository in stage.repositories.values()]
            wait_until_installed(store, known, log)
            keys, number = EvidenceKeys(store, settings.encryption_key), stage.installation.id
            encode = encoder(settings.evidence_encoding, keys, number, now=datetime.now(UTC))
            send_evidence(stage, scenarios, store, encode)
            played = [merge(sandbox, one, stage.repositories[one.repository]) for one in scenarios]
            console.print(
                f"{len(played)} pull requests are merged; GitHub sent a webhook for each."
            )
            wait_for_audits(sandbox, played, log)
            wrong = [problem for one in played for problem in show(sandbox, one, store, console)]
            wrong += [f"{found.where}: {found.problem}" for found in sandbox.violations]
            say_result(console, wrong, len(played))
            if not once:
                say_pages(console, stage.port, played)
                stay(console, sandbox.web_url)
    return 1 if wrong else 0


@contextlib.contextmanager
def started(stage: DemoStage, log: Path, console: Console, *, past: bool) -> Iterator[Settings]:
    """Run the app in the context; ``past``: with a made year, which a failed start keeps."""

    def tell(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    data, kept = Path(stage.environment["GHAPP_DATA_DIR"]), KeptYear(stage)
    pulls = kept.bring(data) if past else {}
    settings = Settings.from_environment(stage.environment)
    if pulls is None:
        tell("Writing a year of merged pull requests in six repositories ...")
        pulls = fill_the_past(stage, settings, tell)
    for name, count in pulls.items():
        stage.repositories[name].next_number = count + 1
    tell("Starting Valkey, web, workers and scheduler ...")
    is_up = False
    try:
        with app_running(stage.environment, stage.port, log, tell):
            is_up = True
            kept.forget()
            yield settings
    except DemoError as error:
        if is_up or not pulls or not kept.keep(data, pulls):
            raise
        problem = "The made year is kept: the next start within hours begins with it."
        raise DemoError(f"{error}\n{problem}") from error


def send_evidence(
    stage: DemoStage, scenarios: list[DemoScenario], store: Store, encode: EncodeLines
) -> None:
    """Import the transcripts of each repository, as `ghapp evidence import` does."""
    now = datetime.now(UTC)
    for name, repository in stage.repositories.items():
        folders = [one.folder / "transcripts" for one in scenarios if one.repository == name]
        with tempfile.TemporaryDirectory(prefix="ghapp-demo-") as directory:
            for folder in folders:
                _move_in_time(folder, Path(directory), now)
            import_artifacts(store, repository.id, [Path(directory)], [], encode, now=now)


def _move_in_time(source: Path, target: Path, now: datetime) -> None:
    """Copy transcripts with their times moved, so that their merge happens now."""
    distance = now - MERGED_IN_THE_DATA

    def moved(found: re.Match[str]) -> str:
        at = datetime.fromisoformat(found.group()) + distance
        return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    for path in sorted(source.glob("*.jsonl")):
        text = path.read_text("utf-8")
        (target / path.name).write_text(_TIMESTAMP.sub(moved, text), "utf-8")


def say_pages(console: Console, port: int, played: list[PlayedScenario]) -> None:
    """Print the addresses of the app's pages."""
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
        say(console, name, address)


def stay(console: Console, github: str) -> None:
    """Keep running until Ctrl-C."""
    console.print(f"The stand-in for GitHub is at {github}", markup=False)
    console.print("Ctrl-C stops both.")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)
