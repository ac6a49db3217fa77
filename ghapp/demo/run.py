"""The demo on one page: the whole app on one machine, with the sandbox as GitHub.

The demo plays GitHub and the people: repositories, agent sessions, merges, webhooks. It starts the
app as an operator does, and uses only the app's HTTP interface and its database.
"""

import contextlib
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from ghapp.demo.app_process import app_running
from ghapp.demo.newest import merge_as_made, newest
from ghapp.demo.results import say, say_result, show, wait_for_audits, wait_until_installed
from ghapp.demo.sandbox import HubPull, Sandbox
from ghapp.demo.scenarios import DemoScenario, merge, read_scenarios
from ghapp.demo.stage import DemoStage, set_stage
from ghapp.demo.year import MergedInYear, YearStore, make_year, whole_year
from ghapp.ingest.keep import EncodeLines, encoder, import_artifacts
from ghapp.keys.evidence import EvidenceKeys
from ghapp.keys.signing import RecordSigner
from ghapp.settings import Settings
from ghapp.store import Store

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "demo"
MERGED_IN_THE_DATA = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)
"""The time of the merge in the transcripts."""
SAY_EVERY = 20
"""Pull requests of the year between two notices on the pages."""
# "timestamp": "2026-05-20T14:02:11.000Z"
_TIMESTAMP = re.compile(r'(?<="timestamp": ")[0-9T:.-]+Z(?=")')


def demo(directory: Path, console: Console, *, once: bool, empty: bool = False) -> int:
    """Show the app at work; return 0 if GitHub shows everything that the app should write.

    The demo writes all its files into ``directory``. ``empty``: nothing is merged, there is no
    year. Without ``once`` it runs until Ctrl-C. Raises `DemoError`.
    """

    def tell(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    scenarios, wrong = read_scenarios(FIXTURES), list[str]()
    log, now = directory / "app.log", datetime.now(UTC)
    past = not once and not empty
    with Sandbox(directory / "github") as sandbox:
        stage = set_stage(sandbox, scenarios, directory, past=past)
        if past:
            write_notice(stage.notice, "The demo is about to make its year of pull requests.")
        tell("Starting Valkey, web, workers and scheduler ...")
        with app_running(stage.environment, stage.port, log, tell):
            if not once:
                say_start(console, stage.port)
            settings = Settings.from_environment(stage.environment)
            with Store.unmigrated(settings.database_url) as store:
                play = DemoPlay(sandbox, stage, store, settings, console, log)
                play.install()
                year = whole_year(now) if past else {}
                # With these first, the numbers of the newest go on those of the year.
                landed = play.land(year)
                if not empty:
                    wrong = play.merge(scenarios)
                with contextlib.nullcontext() if once else contextlib.suppress(KeyboardInterrupt):
                    play.make(year, landed, now)
                    if not once:
                        say_pages(console, stage.port, empty=empty)
                        stay(console, sandbox.web_url)
    return 1 if wrong else 0


@dataclass(frozen=True)
class DemoPlay:
    """What the demo does while the app runs."""

    sandbox: Sandbox
    stage: DemoStage
    store: Store
    settings: Settings
    console: Console
    log: Path

    def install(self) -> None:
        """Install the app, and wait until it knows so."""
        self.sandbox.deliver_installation(self.stage.installation, "created")
        known = [repository.id for repository in self.stage.repositories.values()]
        wait_until_installed(self.store, known, self.log)

    def land(self, year: Mapping[str, Sequence[MergedInYear]]) -> list[HubPull]:
        """Merge the newest of a year in the sandbox, and number what comes after it."""
        landed: list[HubPull] = []
        for name, last in newest(year).items():
            landed += merge_as_made(self.sandbox, self.stage.repositories[name], last)
        for name, pulls in year.items():
            self.stage.repositories[name].next_number = len(pulls) + 1
        return landed

    def merge(self, scenarios: list[DemoScenario]) -> list[str]:
        """Merge the pull requests of the demo's folders; return what is wrong on GitHub."""
        keys, number = self._keys(), self.stage.installation.id
        encode = encoder(self.settings.evidence_encoding, keys, number, now=datetime.now(UTC))
        send_evidence(self.stage, scenarios, self.store, encode)
        repositories, sandbox = self.stage.repositories, self.sandbox
        played = [merge(sandbox, one, repositories[one.repository]) for one in scenarios]
        many = f"{len(played)} pull requests are merged; GitHub sent a webhook for each."
        self.console.print(many)
        wait_for_audits(sandbox, [one.pull for one in played], self.log)
        wrong = [text for one in played for text in show(sandbox, one, self.store, self.console)]
        wrong += [f"{found.where}: {found.problem}" for found in sandbox.violations]
        say_result(self.console, wrong, len(played))
        return wrong

    def make(
        self, year: Mapping[str, Sequence[MergedInYear]], landed: Sequence[HubPull], now: datetime
    ) -> None:
        """Make the year, and say on the terminal and on each page how far it is."""
        if not year:
            return
        number, account = self.stage.installation.id, self.stage.installation.account.login.lower()
        key = self._keys().present(number, now=now)
        witness = RecordSigner(self.store, self.settings.encryption_key).witness
        office = YearStore(self.store, number, account, key, witness)
        ids = {name: one.id for name, one in self.stage.repositories.items()}
        waiting = {(one.repository.full_name, one.number): one for one in landed}
        self.console.print()
        with year_progress(self.console, self.stage.notice, year) as done:

            def takes(name: str, pull: MergedInYear) -> bool:
                done()
                real = waiting.get((name, pull.number))
                if real is not None:
                    self.sandbox.deliver_closed(real)
                return real is not None

            make_year(office, ids, year, until=now, takes=takes)
            wait_for_audits(self.sandbox, landed, self.log)

    def _keys(self) -> EvidenceKeys:
        return EvidenceKeys(self.store, self.settings.encryption_key)


@contextlib.contextmanager
def year_progress(
    console: Console, notice: Path, year: Mapping[str, Sequence[MergedInYear]]
) -> Iterator[Callable[[], None]]:
    """Lend what is told of each pull request of a year; the pages' notice goes at the end."""
    whole, made = sum(map(len, year.values())), count(1)
    console.print(
        f"Writing a year of {whole:,} merged pull requests in {len(year)} repositories ..."
    )
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=whole)

        def done() -> None:
            at = next(made)
            bar.update(task, completed=at)
            if at % SAY_EVERY == 0:
                so_far = f"{at:,} of {whole:,} pull requests"
                write_notice(notice, f"The demo's year is still being made, {so_far} so far.")

        try:
            yield done
        finally:
            notice.unlink(missing_ok=True)
    console.print(f"The year is made: {whole:,} pull requests in {len(year)} repositories.")


def write_notice(file: Path, text: str) -> None:
    """Write the text for every page in one piece."""
    new = file.with_suffix(".new")
    new.write_text(text, "utf-8")
    new.replace(file)


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


def say_start(console: Console, port: int) -> None:
    """Print where the pages begin, as soon as they are up."""
    console.print("The app's pages are up; signing in is one click:")
    say(console, "start", f"http://127.0.0.1:{port}/")


def say_pages(console: Console, port: int, *, empty: bool) -> None:
    """Print the addresses of the app's pages."""
    at = f"http://127.0.0.1:{port}"
    pages = {
        "start": f"{at}/",
        "acme": f"{at}/organizations/acme",
        "shop": f"{at}/repositories/acme/shop",
        "method": f"{at}/method",
    }
    console.print()
    nothing = "The app is installed, and nothing is merged. "
    console.print(f"{nothing if empty else ''}The app's pages; signing in is one click:")
    for name, address in pages.items():
        say(console, name, address)


def stay(console: Console, github: str) -> None:
    """Keep running until Ctrl-C."""
    console.print(f"The stand-in for GitHub is at {github}", markup=False)
    console.print("Ctrl-C stops both.")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)
