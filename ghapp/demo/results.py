"""Waits for what the app does in the demo, prints what it wrote on GitHub, and checks it."""

import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from rich.console import Console

from ghapp.attribution.model import Verdict
from ghapp.demo.app_process import LOOK_EVERY, wait_for
from ghapp.demo.sandbox import HubPull, Sandbox
from ghapp.demo.scenarios import PlayedScenario
from ghapp.store import Store

AUDIT_LIMIT = 90.0
"""Seconds without any request to GitHub after which the audits are given up."""
INSTALL_LIMIT = 90.0
"""Seconds within which the app must know its installation and the repositories."""
RECORD_LIMIT = 90.0
"""Seconds within which the app must record its last write."""
CHECK_NAME = "attribution"
LABEL = "claude-code-assisted"


def wait_until_installed(store: Store, repositories: Collection[int], log: Path) -> None:
    """Wait until the app knows all ``repositories``, and with them their installation.

    The webhook is answered before a worker has asked GitHub whether it is true.
    """

    def is_known() -> bool:
        return all(store.installations.repository(one) is not None for one in repositories)

    wait_for(is_known, INSTALL_LIMIT, "the app does not know its repositories", log)


def wait_for_audits(sandbox: Sandbox, pulls: Sequence[HubPull], log: Path) -> None:
    """Wait until every pull request has its check run, which the app writes last."""

    def is_done(one: HubPull) -> bool:
        runs = sandbox.visible(one).check_runs
        return any(run.name == CHECK_NAME and run.status == "completed" for run in runs)

    def requests() -> int:
        return len(sandbox.exchanges)

    everything = "some audits are missing"
    wait_for(lambda: all(map(is_done, pulls)), AUDIT_LIMIT, everything, log, requests)


def show(sandbox: Sandbox, played: PlayedScenario, store: Store, console: Console) -> list[str]:
    """Print what GitHub shows on one pull request; return what is wrong with it."""
    pull, seen = played.pull, sandbox.visible(played.pull)
    runs = [run for run in seen.check_runs if run.name == CHECK_NAME]
    where = f"{pull.repository.full_name} #{pull.number}"
    console.print()
    console.print(where, pull.title, style="bold", markup=False, highlight=False)
    for run in runs:
        say(console, "check", f"{run.name}: {run.conclusion}")
        say(console, "", run.title or "no title")
    comments = [comment.body.splitlines()[0].lstrip("# ") for comment in seen.comments]
    for text in comments or ["none"]:
        say(console, "comment", text)
    say(console, "labels", ", ".join(seen.label_names) or "none")
    say(console, "see", sandbox.pull_url(pull))
    return [f"{where}: {problem}" for problem in _problems(played, sandbox, store)]


def say(console: Console, name: str, text: str) -> None:
    """Print a name and a text in two columns."""
    # With nine columns for the name, the longest headline ends in column 80.
    console.print(f"  {name:<9}", text, markup=False, highlight=False, soft_wrap=True)


def _problems(played: PlayedScenario, sandbox: Sandbox, store: Store) -> Iterator[str]:
    """Yield what differs from the scenario, and what the app could not confirm."""
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
        yield "the store has no audit"
        return
    if audit.verdict is not played.scenario.verdict:
        yield f"verdict {audit.verdict.value}, expected {played.scenario.verdict.value}"
    for one in store.publications.of(audit):
        if one.outcome == "not_written" or one.read_back_ok is False:
            yield f"{one.publisher} was not confirmed: {one.detail}"


def _wait_for_record(store: Store, repository_id: int, number: int) -> None:
    """Wait for the app's own record, which it writes right after the check run."""
    deadline = time.monotonic() + RECORD_LIMIT
    while store.publications.last(repository_id, number, "check_run") is None:
        if time.monotonic() > deadline:
            return
        time.sleep(LOOK_EVERY)


def say_result(console: Console, wrong: list[str], count: int) -> None:
    """Print whether GitHub shows what the app should write."""
    console.print()
    if not wrong:
        text = f"All {count} pull requests: check run, comment and label are on GitHub as written."
        console.print(text, style="green", highlight=False)
    for problem in wrong:
        console.print(problem, style="red", markup=False, highlight=False)
