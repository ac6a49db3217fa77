"""``ghapp collect status`` and ``preview``: show developers what their machine sends.

Each imports what it needs when it runs: ``status`` must answer at once.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ghapp.cli.collect_install import settings_files
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
from ghapp.cli.output import at_work, format_option, print_json
from ghapp.cli.record_options import transcripts_option
from ghapp.collector.places import CollectorFiles
from ghapp.reports.harmless import visible

if TYPE_CHECKING:  # see the top
    from rich.table import Table

    from ghapp.attribution.model import Edit
    from ghapp.collector.account import MachineAccount
    from ghapp.collector.choices import KeptBack
    from ghapp.collector.preview import RepositoryPreview
    from ghapp.collector.state import CollectorState
    from ghapp.wire import SentEdit


@click.command("status")
@format_option
def status(form: str) -> None:
    """Say whether this machine sends evidence, what waits, and what went wrong."""
    from ghapp.collector import account, choices, shell_look, state  # noqa: PLC0415 - see the top

    with said():
        places = own_places()
        known, chosen, before = account.load(places), choices.load(places), state.load(places)
    if form == "json":
        print_json(status_members(places, known, chosen, before))
        return
    click.echo(f"enrolled  {visible(known.enrollment.login)} at {visible(known.url, LONGEST)}")
    for one in known.enrollment.installations:
        click.echo(f"  sends evidence of {visible(known.enrollment.host)}/{visible(one.account)}")
    _say_hook(places)
    for pause in chosen.running():
        click.echo(f"paused    {named(pause)} since {moment(pause.since)}")
    _say_waiting(places, before.refused)
    last = f", last {moment(before.sent_at)}" if before.sent_at else ""
    click.echo(f"sent      {before.sent} edit(s){last}")
    say_stays(before.stays)
    for off in shell_look.switched_off(str(places.directory)):
        click.echo(f"commands  not looked at in {visible(off.root, LONGEST)}: {off.why}")
    _say_seen(before)
    if before.usage is not None:
        say_usage(before.usage)
    else:
        click.echo("usage     nothing was sent yet")
    if before.not_before is not None and before.not_before > now():
        click.echo(f"waits     until {moment(before.not_before)}, as the app asked")
    if before.problem is not None:
        click.echo(f"problem   {visible(before.problem, LONGEST)}")


def status_members(
    places: CollectorFiles, known: "MachineAccount", chosen: "KeptBack", before: "CollectorState"
) -> dict[str, Any]:
    """Return what ``collect status --format json`` prints."""
    from ghapp.collector import queue, shell_look  # noqa: PLC0415 - see the top

    enrolled = known.enrollment
    return {
        "login": enrolled.login,
        "url": known.url,
        "accounts": [one.account for one in enrolled.installations],
        "hooks": list(map(str, _hooked())),
        "paused": list(chosen.running()),
        "queued": queue.waiting(places)._asdict(),
        "held_back": {name: held._asdict() for name, held in queue.aside(places).items()},
        "sent": before.sent,
        "sent_at": before.sent_at,
        "stays": before.stays,
        "not_looked_at": [one._asdict() for one in shell_look.switched_off(str(places.directory))],
        "read": before.seen,
        "usage": before.usage,
        "not_before": before.not_before,
        "problem": before.problem,
    }


def _hooked() -> list[Path]:
    """Return the settings files that hold the hook."""
    from ghapp.collector import rollout  # noqa: PLC0415 - see the top

    files = [*settings_files(), rollout.managed_file()]
    return [path for path in files if rollout.is_installed(path)]


def _say_seen(before: "CollectorState") -> None:
    """Print what was read of agents in the last week, and what was passed over."""
    from ghapp.reports.reading import passed_over_line  # noqa: PLC0415 - see the top
    from ghapp.reports.words import NOT_NAMED, agent_name, counted  # noqa: PLC0415 - see the top

    seen = before.seen
    if seen is None:
        click.echo("read      nobody looked yet: ghapp evidence check says what can be read")
        return
    click.echo(f"read      in the week up to {moment(seen.at)}")
    for one in seen.agents:
        name = f"{agent_name(one.agent)} {one.version or NOT_NAMED}"
        last = f"the last on {one.last_edit_on}" if one.last_edit_on else "no edit"
        edits = f"{counted(one.edits, 'edit')}, {last}" if one.edits else last
        click.echo(f"  {visible(name)}: {counted(one.transcripts, 'file')}, {edits}")
    if seen.unread:
        click.echo(f"  {counted(seen.unread, 'record')} could not be read")
    if said_ := passed_over_line(seen.passed_over):
        click.echo(f"  {visible(said_, LONGEST)}")


def _say_hook(places: CollectorFiles) -> None:
    where = ", ".join(visible(str(one), LONGEST) for one in _hooked())
    click.echo(f"hook      {where or 'not in the settings of this user: ghapp collect install'}")
    if places.started.exists():
        ran = datetime.fromtimestamp(places.started.stat().st_mtime, UTC)
        click.echo(f"  started a flush at {moment(ran)}")


def _say_waiting(places: CollectorFiles, refused: dict[str, str]) -> None:
    from ghapp.collector import queue  # noqa: PLC0415 - see the top
    from ghapp.collector.hook import MOST_QUEUED  # noqa: PLC0415 - see the top

    waiting = queue.waiting(places)
    since = f", the first of {moment(_time_of(waiting.oldest))}" if waiting.oldest else ""
    click.echo(f"queued    {waiting.events} event(s), {waiting.bytes} bytes{since}")
    if waiting.bytes > MOST_QUEUED:
        click.echo("  the queue is full: ghapp collect backfill sends later what agents edit now")
    for repository, held in queue.aside(places).items():
        why = visible(refused.get(repository, "the app did not accept it"), LONGEST)
        click.echo(f"held back {held.events} event(s) of {visible(repository)}: {why}")


def _time_of(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC)


@click.command("preview")
@click.argument("target", metavar="[FILE|EDIT]", required=False)
@click.option("--usage", "is_usage", is_flag=True, help="Show the usage of the last days instead.")
@format_option
@transcripts_option
def preview(target: str | None, folders: tuple[Path, ...], form: str, *, is_usage: bool) -> None:
    """Show exactly what would be sent for a source file, for an edit by its ID, or of usage.

    Beside it are the lines it is made from, which stay here; with json, the bodies of the requests
    and nothing else. This command sends nothing.
    """
    from ghapp.collector.preview import preview as look  # noqa: PLC0415 - see the top

    as_json = form == "json"
    if (target is None) != is_usage:
        raise click.UsageError("give a FILE, the id of an EDIT, or --usage")
    if target is None:
        _preview_usage(folders, as_json=as_json)
        return
    with said(), at_work("reading transcripts"):
        found = look(own_places(), target, folders or own_transcripts(), now())
    if as_json:
        print_json({"requests": [one.batch for one in found.sent]})
        return
    if not found.enrolled:
        click.echo("this machine is not enrolled: hashes and installation are placeholders")
    for one in found.sent:
        _print_batch(one)
    for edit, why in found.stays:
        click.echo(f"{visible(edit.id)} would stay here: {why}")
    if not found.sent and not found.stays:
        raise click.ClickException(
            f"no edit of {visible(target, LONGEST)} is queued or in a transcript"
        )


def _preview_usage(folders: tuple[Path, ...], *, as_json: bool) -> None:
    """Print the bodies of the requests, or their rows, each as the JSON that leaves."""
    import msgspec  # noqa: PLC0415 - see the top

    from ghapp.collector.preview import preview_usage  # noqa: PLC0415 - see the top

    with said(), at_work("reading records"):
        found = preview_usage(own_places(), folders or own_transcripts(), now())
    if as_json:
        print_json({"requests": found.reports})
        return
    for report in found.reports:
        envelope = msgspec.structs.replace(report, tokens=(), decisions=())
        for part in (envelope, *report.tokens, *report.decisions):
            click.echo(msgspec.json.encode(part))
    for why, count in sorted(found.stays.items()):
        click.echo(f"{count} answer(s) or edit(s) would stay here: {why}")
    if not found.reports:
        click.echo(f"no usage since {found.since} would be sent")


def _print_batch(one: "RepositoryPreview") -> None:
    import msgspec  # noqa: PLC0415 - see the top
    from rich.console import Console  # noqa: PLC0415 - see the top

    console = Console()
    envelope = msgspec.structs.replace(one.batch, edits=())
    console.out(msgspec.json.encode(envelope).decode())
    for edit, sent in zip(one.edits, one.batch.edits, strict=True):
        console.print(_side_by_side(edit, sent))


def _side_by_side(edit: "Edit", sent: "SentEdit") -> "Table":
    """Return a table: the JSON that leaves, beside the text that does not."""
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
    """Yield each line of an edit with its kind and its fingerprint."""
    for hunk, other in zip(edit.lines.hunks, sent.lines.hunks, strict=True):
        for kind in ("before", "own", "after"):
            pairs = zip(getattr(hunk, kind), getattr(other, kind), strict=True)
            yield from ((kind, str(text), fingerprint) for text, fingerprint in pairs)
    pairs = zip(edit.lines.removed, sent.lines.removed, strict=True)
    yield from (("removed", str(text), fingerprint) for text, fingerprint in pairs)
