"""``ghapp replay`` over GitHub: starts the replay, works on it, and writes its documents.

The command works as one more worker, so it needs no others; with others it is only faster. After
an interruption they continue the replay, or the same command does.
"""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from ghapp.attribution.policy import Policy
from ghapp.auditing.replay_over_github import start
from ghapp.bootstrap import Services, build
from ghapp.cli.app_store import (
    app_environment,
    known_repository,
    note_access,
    person,
    reported,
    with_a_queue,
)
from ghapp.cli.options import named_policy
from ghapp.cli.output import progress_bar, say
from ghapp.cli.problems import LONGEST
from ghapp.cli.replay_totals import say_totals
from ghapp.jobs.perform import perform
from ghapp.log import configure
from ghapp.reports.harmless import visible
from ghapp.settings import Settings
from ghapp.store import (
    Replay,
    ReplayRequest,
    ReplayState,
    ReplayUnderWay,
    Repository,
    WorkKind,
)

LOOK_EVERY = 1.0
"""Seconds between two looks while other workers have all items, or GitHub wants a pause."""

OWN = "repository"


def replay_over_github(options: dict[str, Any]) -> bool:
    """Replay through the app's installation; return whether every pull request has its audit.

    Raises `click.ClickException`.
    """
    request = _request(options)
    try:
        with reported():
            services = _services()
            services.store.database.check()
            repository = known_repository(services.store, options["repository"])
            replay = _started(services, repository, request)
            _work(services, replay)
            return _write(services, replay, options["output"])
    except ReplayUnderWay as other:
        raise click.ClickException(f"{other}: ghapp admin cancel-replay {other.replay}") from other


def _services() -> Services:
    # Without Redis it keeps its own pace, as a worker does while Redis is away.
    # As a worker it compares fingerprints, for which it needs the key as any process of the app.
    settings = Settings.from_environment(with_a_queue(app_environment()))
    configure("ERROR", hidden=settings.hidden)
    return build(settings, quick=True)


def _request(options: dict[str, Any]) -> ReplayRequest:
    """Return the request; `_started` fills in the repository's ID."""
    records = options["record"] or bool(options["publish"])
    if records and options["policy_name"] not in {OWN, "claude-code-v1"}:
        raise click.UsageError(
            "--record and --publish audit by the policy in force: leave out --policy"
        )
    return ReplayRequest(
        repository_id=0,
        as_of=options["as_of"] or datetime.now(UTC),
        asked_by=person(),
        policy=_policy(options["policy_name"], records=records),
        since=options["since"],
        until=options["until"],
        record=records,
        publish=tuple(sorted(set(options["publish"]))),
    )


def _policy(name: str, *, records: bool) -> Policy | None:
    return None if records or name == OWN else named_policy(name)


def _started(services: Services, repository: Repository, request: ReplayRequest) -> Replay:
    """Return the interrupted replay of the same request, or start a new one."""
    store = services.store
    request = msgspec.structs.replace(request, repository_id=repository.id)
    running = store.replays.running(repository.id)
    if running is not None and _same(running, request):
        click.echo(f"replay {running.id} continues", err=True)
        return running
    note_access(store, "replay", repository.id)
    return start(store, repository, request, now=services.clock())


def _same(replay: Replay, request: ReplayRequest) -> bool:
    """Return whether a replay answers a request that was made at another time."""
    members = ("policy", "since", "until", "record", "publish")
    return all(getattr(replay, name) == getattr(request, name) for name in members)


def _work(services: Services, replay: Replay) -> None:
    """Perform work items of the replay until this process and the workers have done all."""
    store, worker = services.store, f"command line {os.getpid()}"

    def show_counts() -> None:
        counts = store.replays.progress(replay.id)
        show(counts.total - counts.waiting, counts.total or None)

    with progress_bar() as show:
        while (now := store.replays.one(replay.id)) and now.state is ReplayState.RUNNING:
            items = store.work.ready(WorkKind.REPLAY, replay.repository_id, services.clock())
            for item in items:
                perform(item.id, services, worker=worker)
                show_counts()
            if not items:
                show_counts()
                time.sleep(LOOK_EVERY)


def _write(services: Services, replay: Replay, output: Path) -> bool:
    replays = services.store.replays
    with output.open("wb") as file:
        file.writelines(document + b"\n" for document in replays.documents(replay.id))
    for number, why in replays.problems(replay.id):
        click.echo(visible(f"pull request #{number}: {why}", LONGEST), err=True)
    done = replays.progress(replay.id)
    found = replays.one(replay.id)
    is_over = found is not None and found.state is ReplayState.DONE
    rest = f", {done.incomplete} incomplete" if done.incomplete else ""
    rest += f", {done.failed} failed" if done.failed else ""
    rest += "" if is_over else f", cancelled with {done.waiting} left"
    say(f"replay {replay.id}: {done.done + done.incomplete} audit document(s){rest}", err=True)
    say_totals(output)
    return is_over and not done.incomplete and not done.failed
