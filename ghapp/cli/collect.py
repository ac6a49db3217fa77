"""``ghapp collect``: sends evidence from a developer's machine, and shows what it sends.

Each command imports what it needs when it runs: ``status`` must answer at once, and no command
needs the server's packages.
"""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghapp.cli import collect_install, collect_look
from ghapp.cli.collecting import (
    LONGEST,
    moment,
    named,
    now,
    own_places,
    own_transcripts,
    said,
    say_stays,
    say_usage,
)
from ghapp.cli.groups import NamedGroup
from ghapp.cli.output import at_work, is_quiet, quiet_option, say
from ghapp.cli.times import as_time
from ghapp.reports.harmless import visible

if TYPE_CHECKING:  # see the top
    from ghapp.collector.choices import KeptBack
    from ghapp.wire import EnrollmentStarted

UNFINISHED = 1
"""Exit status where something could not be read."""


@click.group("collect", cls=NamedGroup, short_help="Send evidence from a developer's machine.")
def command() -> None:
    """Send evidence of agents' edits from this machine, and see what is sent.

    The collector sends the fingerprint of a line, never its text. docs/collector.md lists
    everything that leaves the machine.
    """


# --- enrolling ----------------------------------------------------------------------------------


@command.command("enroll")
@click.argument("url", metavar="URL")
@quiet_option
def enroll(url: str) -> None:
    """Enroll this machine at the app's URL, once: you type a code at GitHub.

    The code is printed also with --quiet: without it there is nothing to type.
    """
    from ghapp.collector.client import UploadClient  # noqa: PLC0415 - see the top
    from ghapp.collector.enroll import enroll as enroll_machine  # noqa: PLC0415 - see the top

    with said():
        door = UploadClient(url)
        known = enroll_machine(own_places(), door, _show_code, now=now(), sleep=time.sleep)
    accounts = ", ".join(visible(one.account) for one in known.enrollment.installations)
    say(f"enrolled as {visible(known.enrollment.login)}, for {accounts or 'no account yet'}")
    say("next: ghapp collect install (the hook), ghapp collect backfill (past edits)")


def _show_code(started: "EnrollmentStarted") -> None:
    address = visible(started.verification_uri, LONGEST)
    click.echo(f"Open {address} and type this code: {visible(started.user_code)}")


# --- collecting and sending ---------------------------------------------------------------------


@command.command("hook")
@click.option(
    "--measure", metavar="N", type=click.IntRange(min=5), help="Run it N times and time it."
)
def hook(measure: int | None) -> None:
    """Queue one event of Claude Code from standard input; never fail, never print."""
    if measure is None:
        from ghapp.collector import hook as fast  # noqa: PLC0415 - see the top

        fast.main()
        return
    from ghapp.collector.latency import FILES  # noqa: PLC0415 - see the top
    from ghapp.collector.latency import measure as timed  # noqa: PLC0415 - see the top

    found = timed(measure)
    click.echo(
        f"the hook takes {found.median:.0f} ms (median of {measure}), {found.p95:.0f} ms or less "
        f"in 95 of 100 runs; Python alone takes {found.interpreter:.0f} ms"
    )
    click.echo(
        f"around a command that writes a file it takes {found.before:.0f} ms before and "
        f"{found.after:.0f} ms after, in a checkout of {FILES} files"
    )


@command.command("flush")
@click.option("--quiet", is_flag=True, help="Print nothing, as when the hook starts it.")
def flush(*, quiet: bool) -> None:
    """Send what is queued now, and retry what the app did not accept before."""
    from ghapp.collector.flush import flush as send  # noqa: PLC0415 - see the top
    from ghapp.collector.flush import flush_silently  # noqa: PLC0415 - see the top

    if quiet:
        flush_silently(own_places(), now=now(), folders=own_transcripts)
        return
    with said(), at_work("sending"):
        done = send(own_places(), now=now(), at_once=True, folders=own_transcripts)
    click.echo(f"{done.sent} edit(s) sent")
    say_stays(done.stays)
    if done.problem is not None:
        raise click.ClickException(f"{done.problem}; the rest stays queued")


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
    help="Only edits from then on. [default: all of them]",
)
@click.option("--again", is_flag=True, help="Also send what was sent before, if the app lost it.")
@quiet_option
def backfill(folders: tuple[Path, ...], since: datetime | None, *, again: bool) -> None:
    """Send the edits in the transcripts on this machine, or in those below DIR; then usage.

    You can stop it and start it again: it sends neither twice.
    """
    from rich.console import Console  # noqa: PLC0415 - see the top
    from rich.progress import Progress  # noqa: PLC0415 - see the top

    from ghapp.cli.problems import name_problems, say_passed_over  # noqa: PLC0415 - see the top
    from ghapp.collector import account  # noqa: PLC0415 - see the top
    from ghapp.collector.backfill import backfill as send  # noqa: PLC0415 - see the top
    from ghapp.collector.backfill import size_of  # noqa: PLC0415 - see the top

    with said():
        places, wanted = own_places(), folders or own_transcripts()
        account.load(places)
        with Progress(console=Console(stderr=True), disable=is_quiet()) as bar:
            task = bar.add_task("transcripts", total=size_of(wanted))
            done = send(
                *(places, wanted),
                since=since,
                now=now(),
                again=again,
                advance=lambda size: bar.advance(task, size),
                records=lambda: (*own_transcripts(), *folders),
            )
    say(
        f"{done.sent} edit(s) sent from {done.transcripts} transcript(s), "
        f"{done.unchanged} of them read before"
    )
    if not is_quiet():
        say_stays(done.stays)
    for repository, why in sorted(done.refused.items()):
        click.echo(f"  {visible(repository)}: {visible(why, LONGEST)}")
    if not is_quiet():
        if done.usage is not None:
            say_usage(done.usage)
        say_passed_over(done.passed_over)
    name_problems(done.unread)
    if done.problem is not None:
        raise click.ClickException(f"{done.problem}; the next backfill continues from here")
    if done.unread:
        raise click.exceptions.Exit(UNFINISHED)


# --- choosing -----------------------------------------------------------------------------------

_repository = click.option("--repository", metavar="OWNER/NAME", help="Only this repository.")
_path = click.option(
    "--path", metavar="PATTERN", help="Only these paths, in the syntax of a .gitignore."
)


@command.command("pause")
@_repository
@_path
@quiet_option
def pause(repository: str | None, path: str | None) -> None:
    """Send nothing: at all, of one repository, or of some paths.

    Edits that agents make while everything is paused are never sent, not even by a later backfill.
    """
    _choose(lambda chosen: chosen.with_pause(repository, path, now()), "paused")


@command.command("resume")
@_repository
@_path
@quiet_option
def resume(repository: str | None, path: str | None) -> None:
    """End a pause; give the options that started it."""
    _choose(lambda chosen: chosen.without_pause(repository, path, now()), "resumed")


def _choose(change: Callable[["KeptBack"], "KeptBack"], word: str) -> None:
    from ghapp.collector import choices  # noqa: PLC0415 - see the top

    with said():
        places = own_places()
        before = choices.load(places)
        after = change(before)
        choices.save(places, after)
    say(word if after != before else f"already {word}")
    for one in after.running():
        say(f"  paused: {named(one)} since {moment(one.since)}")


@command.command("forget")
@click.argument("files", metavar="[FILE]...", nargs=-1)
@_repository
@click.option("--all", "everything", is_flag=True, help="Everything that you sent.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@quiet_option
def forget(files: tuple[str, ...], repository: str | None, *, everything: bool, yes: bool) -> None:
    """Remove evidence that you sent: of FILEs, of a repository, or all of it. Asks first.

    --repository also removes your usage there, --all all of it, and empties the queue. Usage names
    no file, so that of FILEs stays. A backfill does not send what was removed again.
    """
    from ghapp.collector.forgetting import forget as remove  # noqa: PLC0415 - see the top
    from ghapp.collector.forgetting import forget_requests  # noqa: PLC0415 - see the top

    if sum((bool(files), repository is not None, everything)) != 1:
        raise click.UsageError("give FILEs, or --repository OWNER/NAME, or --all")
    with said():
        places = own_places()
        wanted = forget_requests(places, files, repository)
        what = "all evidence and usage that you sent" if everything else "this evidence"
        what = "the evidence and usage that you sent of it" if repository else what
        if not yes:
            click.confirm(f"Remove {what} from the app? Audits stay", abort=True)
        with at_work("removing"):
            count = remove(places, wanted, now=now())
    usage = ", and your usage" if everything else ", and your usage there" if repository else ""
    say(f"{count} edit(s) removed from the app{usage}")


command.add_command(collect_install.install)
command.add_command(collect_look.status)
command.add_command(collect_look.preview)
