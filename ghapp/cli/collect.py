"""``ghapp collect``: a developer's side of evidence: what is sent, what is not, and the hook.

Each command imports what it needs when it runs: ``status`` must answer at once, and none of them
needs the server's packages.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ghapp.cli.times import as_time
from ghapp.collector.places import CollectorError, Places
from ghapp.reports.harmless import visible

if TYPE_CHECKING:  # see the top
    from rich.table import Table

    from ghapp.attribution.model import Edit
    from ghapp.collector.choices import Choices, Pause
    from ghapp.collector.preview import Preview, Previewed
    from ghapp.wire import EnrollmentStarted, SentEdit

UNFINISHED = 1
"""Exit status where something could not be sent, or not be read."""

LONGEST = 2_000
"""Characters of a path or a message that are shown."""


@click.group("collect", short_help="Send evidence from a developer's machine; look at it first.")
def command() -> None:
    """Send evidence of agents' edits from this machine, and see what is sent.

    Of a line its fingerprint is sent, never its text: docs/collector.md says all that leaves.
    """


# --- enrolling and installing -------------------------------------------------------------------


@command.command("enroll")
@click.argument("url", metavar="URL")
def enroll(url: str) -> None:
    """Enroll this machine at the app's URL: type a code at GitHub, once."""
    from ghapp.collector.door import Door  # noqa: PLC0415 - see the top
    from ghapp.collector.enroll import enroll as enroll_machine  # noqa: PLC0415 - see the top

    with _said():
        door = Door(url)
        known = enroll_machine(_places(), door, _show_code, now=_now(), sleep=time.sleep)
    accounts = ", ".join(visible(one.account) for one in known.enrollment.installations)
    click.echo(f"enrolled as {visible(known.enrollment.login)}, for {accounts or 'no account yet'}")
    click.echo("next: ghapp collect install (the hook), ghapp collect backfill (what is there)")


def _show_code(started: "EnrollmentStarted") -> None:
    address = visible(started.verification_uri, LONGEST)
    click.echo(f"Open {address} and type this code: {visible(started.user_code)}")


@command.command("install")
@click.option("--managed", is_flag=True, help="For everyone on this system: managed settings.")
@click.option(
    "--plugin",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="For everyone who gets the plugin: write it, with a marketplace, into DIR.",
)
@click.option(
    "--output",
    metavar="FILE",
    help="With --managed: write the settings there instead; - is standard output.",
)
@click.option(
    "--shell-diffs",
    is_flag=True,
    help="With --managed: have Claude Code record what shell commands change in files.",
)
@click.option("--remove", is_flag=True, help="Take out again what install wrote.")
def install(
    *, managed: bool, plugin: Path | None, output: str | None, shell_diffs: bool, remove: bool
) -> None:
    """Run the hook in Claude Code: for this user, or for everyone.

    This user's ~/.claude/settings.json is changed by a few lines, and kept once as it was.
    """
    if managed and plugin is not None:
        raise click.UsageError("--managed and --plugin are two ways to the same: give one of them")
    if (output or shell_diffs) and not managed:
        raise click.UsageError("--output and --shell-diffs belong to --managed")
    with _said():
        if managed:
            _install_managed(output, shell_diffs=shell_diffs, remove=remove)
        elif plugin is not None:
            _install_plugin(plugin, remove=remove)
        else:
            _install_for_user(remove=remove)


def _install_for_user(*, remove: bool) -> None:
    from ghapp.collector import rollout  # noqa: PLC0415 - see the top

    for path in _settings_files():
        command_here = rollout.command_here()
        changed = rollout.remove(path) if remove else rollout.install(path, command_here)
        state = "changed" if changed else "as it should be already"
        click.echo(f"{visible(str(path), LONGEST)}: {state}")


def _settings_files() -> list[Path]:
    """Return the user's settings files: where Claude Code was used, else where it looks first."""
    from ghapp.collector.agents import config_roots  # noqa: PLC0415 - see the top

    roots = config_roots(os.environ)
    return [root / "settings.json" for root in roots if root.is_dir()] or [
        roots[0] / "settings.json"
    ]


def _install_managed(output: str | None, *, shell_diffs: bool, remove: bool) -> None:
    from ghapp.collector import rollout  # noqa: PLC0415 - see the top

    settings = rollout.managed_settings(shell_diffs=shell_diffs)
    if output == "-":
        click.echo(settings, nl=False)
        return
    path = Path(output) if output else rollout.managed_file()
    if remove:
        done = rollout.remove_files(path.parent, {path.name: b""})
        click.echo(f"{path}: {'removed' if done else 'was not there'}")
        return
    try:
        rollout.write_files(path.parent, {path.name: settings})
    except PermissionError as error:
        raise click.ClickException(
            f"{path} may not be written: run this as an administrator, or give --output FILE "
            "and roll that file out"
        ) from error
    click.echo(f"{path}: written")


def _install_plugin(folder: Path, *, remove: bool) -> None:
    from ghapp.collector import rollout  # noqa: PLC0415 - see the top

    files = rollout.plugin_files()
    if remove:
        done = rollout.remove_files(folder, files)
        click.echo(f"{folder}: {'removed' if done else 'held no plugin of ours'}")
        return
    rollout.write_files(folder, files)
    click.echo(f"{folder}: written; enable {rollout.PLUGIN}@{rollout.PLUGIN} in managed settings")


# --- collecting and sending ---------------------------------------------------------------------


@command.command("hook")
@click.option("--measure", metavar="N", type=click.IntRange(min=5), help="Time it N times.")
def hook(measure: int | None) -> None:
    """Take one event of Claude Code from standard input into the queue; never fail, never print."""
    if measure is None:
        from ghapp.collector import hook as fast  # noqa: PLC0415 - see the top

        fast.main()
        return
    from ghapp.collector.latency import measure as timed  # noqa: PLC0415 - see the top

    found = timed(measure)
    click.echo(
        f"the hook takes {found.median:.0f} ms (median of {measure}), {found.p95:.0f} ms at most "
        f"in 95 of 100; Python alone {found.interpreter:.0f} ms"
    )


@command.command("flush")
@click.option("--quiet", is_flag=True, help="Print nothing; the hook starts it so.")
def flush(*, quiet: bool) -> None:
    """Send what is queued now, and try again what the app did not take before."""
    from ghapp.collector.flush import flush as send  # noqa: PLC0415 - see the top
    from ghapp.collector.flush import flush_silently  # noqa: PLC0415 - see the top

    if quiet:
        flush_silently(_places(), now=_now())
        return
    with _said():
        done = send(_places(), now=_now(), at_once=True)
    click.echo(f"{done.sent} edit(s) sent")
    _say_stays(done.stays)
    if done.problem is not None:
        raise click.ClickException(f"{done.problem}; what is left stays queued")


@command.command("backfill")
@click.argument(
    "folders",
    metavar="[DIR]...",
    nargs=-1,
    type=click.Path(exists=True, path_type=Path),
)
@click.option(
    "--since",
    metavar="TIME",
    callback=as_time,
    help="Only edits from then on. [default: all that is there]",
)
@click.option("--again", is_flag=True, help="Also what was sent before: the app has lost it.")
def backfill(folders: tuple[Path, ...], since: datetime | None, *, again: bool) -> None:
    """Send the edits in transcripts that are still on this machine, or those below DIR.

    It can be stopped and started again: what was sent is not sent again.
    """
    from rich.console import Console  # noqa: PLC0415 - see the top
    from rich.progress import Progress  # noqa: PLC0415 - see the top

    from ghapp.cli.problems import name_problems  # noqa: PLC0415 - see the top
    from ghapp.collector import account  # noqa: PLC0415 - see the top
    from ghapp.collector.backfill import backfill as send  # noqa: PLC0415 - see the top
    from ghapp.collector.backfill import size_of  # noqa: PLC0415 - see the top

    with _said():
        places, wanted = _places(), folders or _transcripts()
        account.load(places)
        with Progress(console=Console(stderr=True)) as bar:
            task = bar.add_task("transcripts", total=size_of(wanted))
            done = send(
                *(places, wanted),
                since=since,
                now=_now(),
                again=again,
                advance=lambda size: bar.advance(task, size),
            )
    click.echo(
        f"{done.sent} edit(s) sent from {done.transcripts} transcript(s), "
        f"{done.unchanged} of them read before"
    )
    _say_stays(done.stays)
    for repository, why in sorted(done.refused.items()):
        click.echo(f"  {visible(repository)}: {visible(why, LONGEST)}")
    name_problems(done.unread)
    if done.problem is not None:
        raise click.ClickException(f"{done.problem}; the next backfill goes on from here")
    if done.unread:
        raise click.exceptions.Exit(UNFINISHED)


def _say_stays(stays: dict[str, int]) -> None:
    for why, count in sorted(stays.items()):
        click.echo(f"  {count} stayed here: {why}")


# --- looking ------------------------------------------------------------------------------------


@command.command("status")
def status() -> None:
    """Say whether this machine sends, what waits, and what went wrong."""
    from ghapp.collector import account, choices, state  # noqa: PLC0415 - see the top

    with _said():
        places = _places()
        known, chosen, before = account.load(places), choices.load(places), state.load(places)
    click.echo(f"enrolled  {visible(known.enrollment.login)} at {visible(known.url, LONGEST)}")
    for one in known.enrollment.installations:
        click.echo(f"  sends evidence of {visible(known.enrollment.host)}/{visible(one.account)}")
    _say_hook()
    for pause in chosen.running():
        click.echo(f"paused    {_named(pause)} since {_moment(pause.since)}")
    _say_waiting(places, before.refused)
    last = f", last {_moment(before.sent_at)}" if before.sent_at else ""
    click.echo(f"sent      {before.sent} edit(s){last}")
    _say_stays(before.stays)
    if before.not_before is not None and before.not_before > _now():
        click.echo(f"waits     until {_moment(before.not_before)}, as the app asked")
    if before.problem is not None:
        click.echo(f"problem   {visible(before.problem, LONGEST)}")


def _say_hook() -> None:
    from ghapp.collector import rollout  # noqa: PLC0415 - see the top

    files = [*_settings_files(), rollout.managed_file()]
    found = [str(path) for path in files if rollout.is_installed(path)]
    where = ", ".join(visible(one, LONGEST) for one in found)
    click.echo(f"hook      {where or 'not in the settings of this user: ghapp collect install'}")


def _say_waiting(places: Places, refused: dict[str, str]) -> None:
    from ghapp.collector import queue  # noqa: PLC0415 - see the top
    from ghapp.collector.hook import MOST_QUEUED  # noqa: PLC0415 - see the top

    waiting = queue.waiting(places)
    since = f", the first of {_moment(_time_of(waiting.oldest))}" if waiting.oldest else ""
    click.echo(f"queued    {waiting.events} event(s), {waiting.bytes} bytes{since}")
    if waiting.bytes > MOST_QUEUED:
        click.echo("  the queue is full: what agents edit now is left to ghapp collect backfill")
    for repository, held in queue.aside(places).items():
        why = visible(refused.get(repository, "not taken by the app"), LONGEST)
        click.echo(f"set aside {held.events} event(s) of {visible(repository)}: {why}")


def _time_of(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC)


@command.command("preview")
@click.argument("target", metavar="FILE|EDIT")
@click.option("--json", "as_json", is_flag=True, help="Print the request's body and nothing else.")
@click.option(
    "--evidence",
    "folders",
    metavar="DIR",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Look into these transcripts. [default: all on this machine]",
)
def preview(target: str, folders: tuple[Path, ...], *, as_json: bool) -> None:
    """Show exactly what would be sent of a source file, or of an edit by its id.

    Beside it stand the lines that it is made of, which do not leave. Nothing is sent.
    """
    from ghapp.collector.preview import preview as look  # noqa: PLC0415 - see the top

    with _said():
        found = look(_places(), target, folders or _transcripts(), _now())
    if as_json:
        _print_json(found)
        return
    if not found.enrolled:
        click.echo("this machine is not enrolled: hashes and installation are stand-ins")
    for one in found.sent:
        _print_batch(one)
    for edit, why in found.stays:
        click.echo(f"{visible(edit.id)} would stay here: {why}")
    if not found.sent and not found.stays:
        raise click.ClickException(
            f"no edit of {visible(target, LONGEST)} is queued or in a transcript"
        )


def _print_json(found: "Preview") -> None:
    import msgspec  # noqa: PLC0415 - see the top

    for one in found.sent:
        sys.stdout.buffer.write(msgspec.json.encode(one.batch) + b"\n")
    sys.stdout.buffer.flush()


def _print_batch(one: "Previewed") -> None:
    import msgspec  # noqa: PLC0415 - see the top
    from rich.console import Console  # noqa: PLC0415 - see the top

    console = Console()
    envelope = msgspec.structs.replace(one.batch, edits=())
    console.out(msgspec.json.encode(envelope).decode())
    for edit, sent in zip(one.edits, one.batch.edits, strict=True):
        console.print(_side_by_side(edit, sent))


def _side_by_side(edit: "Edit", sent: "SentEdit") -> "Table":
    """Return a table: JSON that leaves beside the text that does not."""
    import msgspec  # noqa: PLC0415 - see the top
    from rich.table import Table  # noqa: PLC0415 - see the top
    from rich.text import Text  # noqa: PLC0415 - see the top

    table = Table(expand=True)
    table.add_column()
    table.add_column("leaves this machine", ratio=3, overflow="fold")
    table.add_column("stays here", ratio=2, overflow="fold")
    whole = msgspec.json.encode(msgspec.structs.replace(sent, lines=type(sent.lines)(hunks=())))
    table.add_row("edit", Text(whole.decode()), "")
    for kind, text, fingerprint in _lines(edit, sent):
        left = msgspec.json.encode(fingerprint).decode()
        table.add_row(kind, Text(left), Text(visible(text, LONGEST)))
    return table


def _lines(edit: "Edit", sent: "SentEdit") -> Iterator[tuple[str, str, Any]]:
    """Yield each line of an edit with its fingerprint, and what it is to the edit."""
    for hunk, other in zip(edit.lines.hunks, sent.lines.hunks, strict=True):
        for kind in ("before", "own", "after"):
            pairs = zip(getattr(hunk, kind), getattr(other, kind), strict=True)
            yield from ((kind, str(text), fingerprint) for text, fingerprint in pairs)
    pairs = zip(edit.lines.removed, sent.lines.removed, strict=True)
    yield from (("removed", str(text), fingerprint) for text, fingerprint in pairs)


# --- choosing -----------------------------------------------------------------------------------

_repository = click.option("--repository", metavar="OWNER/NAME", help="Only this repository.")
_path = click.option(
    "--path", metavar="PATTERN", help="Only these paths, as a .gitignore writes them."
)


@command.command("pause")
@_repository
@_path
def pause(repository: str | None, path: str | None) -> None:
    """Send nothing: altogether, of one repository, or of some paths.

    What agents edit while everything is paused is never sent, not even by a later backfill.
    """
    _choose(lambda chosen: chosen.with_pause(repository, path, _now()), "paused")


@command.command("resume")
@_repository
@_path
def resume(repository: str | None, path: str | None) -> None:
    """End a pause; give the same options as to pause it."""
    _choose(lambda chosen: chosen.without_pause(repository, path, _now()), "resumed")


def _choose(change: Callable[["Choices"], "Choices"], word: str) -> None:
    from ghapp.collector import choices  # noqa: PLC0415 - see the top

    with _said():
        places = _places()
        before = choices.load(places)
        after = change(before)
        choices.save(places, after)
    click.echo(word if after != before else f"was {word} already")
    for one in after.running():
        click.echo(f"  paused: {_named(one)} since {_moment(one.since)}")


def _named(pause: "Pause") -> str:
    parts = [one for one in (pause.repository, pause.path) if one]
    return visible(", ".join(parts), LONGEST) or "everything"


@command.command("forget")
@click.argument("files", metavar="[FILE]...", nargs=-1)
@_repository
@click.option("--all", "everything", is_flag=True, help="All that this developer has sent.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget(files: tuple[str, ...], repository: str | None, *, everything: bool, yes: bool) -> None:
    """Remove what was sent: of FILEs, of a repository, or all of it; asks first.

    What is queued goes too where all is forgotten. It is not sent again by a backfill.
    """
    from ghapp.collector.forgetting import forget as remove  # noqa: PLC0415 - see the top
    from ghapp.collector.forgetting import wishes  # noqa: PLC0415 - see the top

    if sum((bool(files), repository is not None, everything)) != 1:
        raise click.UsageError("give FILEs, or --repository OWNER/NAME, or --all")
    with _said():
        places = _places()
        wanted = wishes(places, files, repository)
        what = "all evidence that you sent" if everything else "that evidence of yours"
        if not yes:
            click.confirm(f"Remove {what} from the app? Audits stay", abort=True)
        count = remove(places, wanted)
    click.echo(f"{count} edit(s) removed from the app")


# --- what all of them need ----------------------------------------------------------------------


def _places() -> Places:
    return Places.of_this_user()


def _transcripts() -> tuple[Path, ...]:
    from ghapp.collector.agents import transcripts  # noqa: PLC0415 - see the top

    return transcripts(os.environ)


def _now() -> datetime:
    return datetime.now(UTC)


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")


@contextmanager
def _said() -> Iterator[None]:
    """Say what the collector cannot do as one sentence, with status 1."""
    try:
        yield
    except (CollectorError, OSError) as error:
        raise click.ClickException(visible(str(error), LONGEST)) from error
