"""``ghapp why``: which agent's edit wrote a line, and your request that led to it."""

from datetime import UTC, datetime
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

import click

from ghapp.cli.output import at_work, format_option, print_json
from ghapp.cli.problems import name_problems, say_passed_over
from ghapp.cli.record_options import transcripts_option
from ghapp.reports.harmless import visible

if TYPE_CHECKING:  # the core brings numpy; help and wrong use answer without it
    from ghapp.mine.why import LineOrigin, WhyEdit

UNREAD = 1
"""Exit status where some of the evidence could not be read."""

WIDTH = 76
LONGEST = 2000
MOST_LINES = 25
"""Lines of a request that a person is shown."""

_SAYS = {
    "agent": "An agent's edit wrote this line.",
    "no_agent": "No edit of an agent on this machine wrote this line.",
    "unknown": "Unknown.",
}


@click.command("why", short_help="Say which agent's edit wrote a line, and what you had asked.")
@click.argument("place", metavar="FILE:LINE")
@transcripts_option
@format_option
def command(place: str, folders: tuple[Path, ...], form: str) -> None:
    """Say which agent's edit wrote a line of a clone, and which request of yours led to it.

    \b
    ghapp why src/totals.py:12
    ghapp why src/totals.py:12 --format json      for an editor

    It audits the commit that the line is from, by the standard rules; lines that are not committed
    yet, too. The request is read from the transcript on this machine and shown here: it is not
    stored and not sent.

    Exit status: 0 done, 1 some records could not be read, 2 wrong use.
    """  # noqa: D301 - the \b is click's mark for "do not wrap"
    from ghapp.cli.collecting import own_transcripts, said  # noqa: PLC0415 - see the top
    from ghapp.cli.options import named_policy  # noqa: PLC0415
    from ghapp.git.repository import GitError, GitRepository  # noqa: PLC0415
    from ghapp.mine.why import why  # noqa: PLC0415

    file, number = _parsed(place)
    try:
        root = GitRepository(file.parent).top_level()
        if root is None:
            raise click.UsageError(f"{file.parent} is inside a repository's own folder")
        inside = file.relative_to(root.resolve())
        with said(), at_work("reading transcripts"):
            origin, problems = why(
                GitRepository(root),
                (inside.as_posix(), number),
                folders or own_transcripts(),
                named_policy("claude-code-v1"),
                datetime.now(UTC),
            )
    except GitError as error:
        raise click.UsageError(visible(str(error), LONGEST)) from error
    if form == "json":
        import msgspec  # noqa: PLC0415

        print_json(msgspec.structs.asdict(origin))
    else:
        _show(origin)
    if problems:
        name_problems(problems)
        raise click.exceptions.Exit(UNREAD)


def _parsed(place: str) -> tuple[Path, int]:
    """Return the file and the number of the line. Raises `click.UsageError`."""
    name, colon, number = place.rpartition(":")
    if not colon or not number.isdecimal() or not int(number):
        raise click.UsageError(f"{visible(place)!r}: give FILE:LINE, such as src/totals.py:12")
    file = Path(name)
    if not file.is_file():
        raise click.UsageError(f"{visible(name)}: there is no such file")
    # What an editor shows of a link is the file behind it.
    return file.resolve(), int(number)


def _show(origin: "LineOrigin") -> None:
    from ghapp.cli.collecting import moment  # noqa: PLC0415 - see the top

    click.echo(visible(f"{origin.path}:{origin.line}", LONGEST))
    text = origin.text.removesuffix("\r")
    click.echo(visible(f"    | {text}", LONGEST))
    click.echo(_SAYS[origin.answer])
    click.echo(f"  {origin.because}")
    at = "" if origin.committed_at is None else f", {moment(origin.committed_at)}"
    commit = f"{origin.commit[:12]}{at}" if origin.commit else "not committed yet"
    click.echo(f"  commit   {commit}")
    if origin.edit is not None:
        _show_edit(origin.edit, "edit   " if origin.answer == "agent" else "nearest")
    if origin.edit is not None:
        _show_request(origin)
    if origin.answer != "agent":
        _show_read(origin)


def _show_edit(edit: "WhyEdit", name: str) -> None:
    from ghapp.cli.collecting import moment  # noqa: PLC0415 - see the top
    from ghapp.reports.words import NOT_NAMED, agent_name  # noqa: PLC0415

    who = f"{agent_name(edit.agent)} {edit.agent_version or ''}".strip()
    differs = f", differs by {edit.difference:.0%}" if edit.difference else ""
    model = edit.model or f"model {NOT_NAMED}"
    click.echo(visible(f"  {name}  {who}, {model}, {moment(edit.at)}{differs}", LONGEST))
    click.echo(visible(f"           {edit.tool} {edit.id}", LONGEST))
    click.echo(visible(f"           agent session {edit.agent_session}", LONGEST))


def _show_request(origin: "LineOrigin") -> None:
    from ghapp.cli.collecting import moment  # noqa: PLC0415 - see the top

    if origin.transcript is not None:
        click.echo(visible(f"  read in  {origin.transcript}", LONGEST))
    if origin.request is None:
        click.echo(f"The request that led to this edit is unknown: {origin.request_unknown}.")
        return
    at = f" ({moment(origin.request.at)})" if origin.request.at else ""
    click.echo(f"The request that led to this edit{at}:")
    lines = [
        visible(piece, LONGEST)
        for line in origin.request.text.splitlines()
        for piece in wrap(line, WIDTH, replace_whitespace=False) or [""]
    ]
    for line in lines[:MOST_LINES]:
        click.echo(f"    {line}".rstrip())
    if (more := len(lines) - MOST_LINES) > 0:
        click.echo(f"    ... and {more} more lines: --format json has all")


def _show_read(origin: "LineOrigin") -> None:
    from ghapp.reports.words import counted  # noqa: PLC0415 - see the top

    read = origin.read
    folders = counted(len(read.folders), "folder")
    edits = counted(read.edits, "edit")
    click.echo(f"Read: {folders} of transcripts; {edits} of this repository near that time.")
    if read.unread:
        click.echo(f"Not read: {counted(read.unread, 'record')}.")
    say_passed_over(read.passed_over)
