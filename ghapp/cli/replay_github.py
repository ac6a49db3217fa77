"""The part of ``ghapp replay`` that asks GitHub: begun, helped along, watched, written to a file.

The command takes part in the work as one more worker, so it needs none beside it; with others it
is only quicker. Interrupted, it leaves the replay to them, or to the same command.
"""

import getpass
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from ghapp.attribution.policy import Policy
from ghapp.auditing.replay_over_github import start
from ghapp.bootstrap import Services, build
from ghapp.cli.options import named_policy
from ghapp.jobs.perform import perform
from ghapp.log import configure
from ghapp.reports.harmless import visible
from ghapp.settings import Settings, SettingsError
from ghapp.store import (
    AccessDoor,
    AccessEntry,
    Replay,
    ReplayCounts,
    ReplayRequest,
    ReplayState,
    ReplayUnderWay,
    Repository,
    StoreError,
    WorkKind,
)

LOOK_EVERY = 1.0
"""Seconds between two looks where others have all the work, or GitHub wants quiet."""

OWN = "repository"


def replay_over_github(options: dict[str, Any]) -> bool:
    """Replay through the app's installation; say whether all of it could be read.

    Raises `click.ClickException`.
    """
    asked = _asked(options)
    try:
        services = _services()
        services.store.database.migrate()
        repository = services.store.installations.find(options["repository"])
        if repository is None:
            raise click.UsageError(f"the app does not know {options['repository']}")
        replay = _begun(services, repository, asked)
        _work(services, replay)
        return _written(services, replay, options["output"])
    except ReplayUnderWay as other:
        raise click.ClickException(f"{other}: ghapp admin cancel-replay {other.replay}") from other
    except (SettingsError, StoreError) as error:
        raise click.ClickException(str(error)) from error


def _services() -> Services:
    given = dict(os.environ)
    # Without a Redis it keeps its own pace, as a worker does whose Redis is away.
    given.setdefault("REDIS_URL", f"unix://{Path.cwd() / 'no-redis.sock'}")
    settings = Settings.from_environment(given)
    configure("ERROR", hidden=settings.hidden)
    return build(settings, quick=True)


def _asked(options: dict[str, Any]) -> ReplayRequest:
    """Return what is wanted; the repository's number is filled in later."""
    records = options["record"] or bool(options["publish"])
    if records and options["policy_name"] not in {OWN, "claude-code-v1"}:
        raise click.UsageError(
            "--record and --publish audit by the policy in force: leave --policy"
        )
    return ReplayRequest(
        repository_id=0,
        as_of=options["as_of"] or datetime.now(UTC),
        asked_by=f"system:{getpass.getuser()}",
        policy=_policy(options["policy_name"], records=records),
        since=options["since"],
        until=options["until"],
        record=records,
        publish=tuple(sorted(set(options["publish"]))),
    )


def _policy(name: str, *, records: bool) -> Policy | None:
    return None if records or name == OWN else named_policy(name)


def _begun(services: Services, repository: Repository, asked: ReplayRequest) -> Replay:
    """Return the replay that was interrupted, or a new one."""
    store, now = services.store, services.clock()
    asked = msgspec.structs.replace(asked, repository_id=repository.id)
    running = store.replays.running(repository.id)
    if running is not None and _same(running, asked):
        click.echo(f"replay {running.id} goes on", err=True)
        return running
    access = AccessEntry(
        who=asked.asked_by, door=AccessDoor.COMMAND_LINE, what="replay", repository_id=repository.id
    )
    store.access_log.note(access, now=now)
    return start(store, repository, asked, now=now)


def _same(one: Replay, asked: ReplayRequest) -> bool:
    """Say whether a replay is the one that is asked for, begun at another time."""
    members = ("policy", "since", "until", "record", "publish")
    return all(getattr(one, name) == getattr(asked, name) for name in members)


def _work(services: Services, replay: Replay) -> None:
    """Do what is due of the replay until all of it is done, by this process or by others."""
    store, worker = services.store, f"command line {os.getpid()}"
    with _bar() as show:
        while (now := store.replays.one(replay.id)) and now.state is ReplayState.RUNNING:
            items = store.work.ready(WorkKind.REPLAY, replay.repository_id, services.clock())
            for item in items:
                perform(item.id, services, worker=worker)
                show(store.replays.progress(replay.id))
            if not items:
                show(store.replays.progress(replay.id))
                time.sleep(LOOK_EVERY)


def _written(services: Services, replay: Replay, output: Path) -> bool:
    replays = services.store.replays
    with output.open("wb") as file:
        file.writelines(document + b"\n" for document in replays.documents(replay.id))
    for number, why in replays.problems(replay.id):
        click.echo(visible(f"pull request #{number}: {why}", 2000), err=True)
    done = replays.progress(replay.id)
    found = replays.one(replay.id)
    is_over = found is not None and found.state is ReplayState.DONE
    rest = f", {done.incomplete} incomplete" if done.incomplete else ""
    rest += f", {done.failed} without one" if done.failed else ""
    rest += "" if is_over else f", cancelled with {done.waiting} to do"
    click.echo(
        f"replay {replay.id}: {done.done + done.incomplete} audit document(s){rest}", err=True
    )
    return is_over and not done.incomplete and not done.failed


@contextmanager
def _bar() -> Iterator[Callable[[ReplayCounts], None]]:
    """Lend what shows the progress: a bar on a terminal, and nothing elsewhere."""
    console = Console(stderr=True)
    columns = (
        TextColumn("pull requests"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        shown = bar.add_task("", total=None)

        def show(progress: ReplayCounts) -> None:
            bar.update(
                shown, total=progress.total or None, completed=progress.total - progress.waiting
            )

        yield show
