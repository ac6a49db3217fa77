"""``ghapp mine``: your own work with agents: what was done, what stands, what was sent."""

import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ghapp.cli.mine_words import (
    NUMBERS,
    OwnWorkReport,
    SentWork,
    facts,
    headline,
    notes,
    rows_by_agent,
    rows_by_repository,
)
from ghapp.cli.output import at_work, format_option, print_json, show
from ghapp.cli.problems import name_problems
from ghapp.cli.record_options import records_option
from ghapp.reports.harmless import visible

if TYPE_CHECKING:  # only running the command needs them
    from rich.console import Console
    from rich.table import Table

    from ghapp.spend.cost import TokenCost
    from ghapp.usage.parts import OwnPart
    from ghapp.wire import OwnRecord

WIDTH = 80
LONGEST = 2000
DAYS = 90
UNREAD = 1
"""Exit status if some records could not be read."""
TOKEN = "GHAPP_READ_TOKEN"  # noqa: S105 - the name of a variable
"""The variable that holds a read token; an argument would stand in the list of processes."""


@click.command("mine", short_help="Show your own agents' work, and what of it stands.")
@records_option
@click.option("--since", metavar="DAY", help=f"First day (UTC). [default: {DAYS} days ago]")
@click.option("--until", metavar="DAY", help="Last day (UTC), included. [default: today]")
@click.option(
    "--app",
    metavar="[URL]",
    is_flag=False,
    flag_value="",
    help=f"Also ask the app how it sees you, with the read token in {TOKEN}. "
    "[default URL: where this machine is enrolled]",
)
@click.option("--open", "is_opened", is_flag=True, help="Write a page on this machine and open it.")
@format_option
def command(  # noqa: PLR0913, PLR0917 - click hands over each option
    paths: tuple[Path, ...],
    since: str | None,
    until: str | None,
    app: str | None,
    is_opened: bool,  # noqa: FBT001
    form: str,
) -> None:
    """Show your own agents' work on this machine: agent sessions, edits, lines, tokens.

    It says which lines were merged and which of these still stand, as the clones on this machine
    show it, what is read of your agents, and what was sent and when. All of it is read here; only
    --app asks anybody.

    Exit status: 0 done, 1 some records could not be read, 2 wrong use.
    """
    from ghapp.cli.collecting import now, own_transcripts, said  # noqa: PLC0415 - see the top
    from ghapp.mine.own_work import days_before, own_work  # noqa: PLC0415

    if is_opened and form == "json":
        raise click.UsageError("give either --open or --format json")
    at = now()
    last = _day("--until", until) or at.date()
    first = _day("--since", since) or days_before(last, DAYS)
    if first > last:
        raise click.UsageError(f"--since {first} is after --until {last}")
    with said(), at_work("reading agents' records") as tell:
        work, usage = own_work(paths or own_transcripts(), first, last, at, tell)
        whole, cost = _tokens(usage.answers, usage.decisions)
        told = OwnWorkReport(
            work, whole, cost, usage.files_left_out, _sent(), _unread_agents(), _asked(app)
        )
    if form == "json":
        print_json(told.members())
    elif is_opened:
        _open(told)
    else:
        show(lambda console: _render(told, console), WIDTH)
    if work.unread:
        name_problems(work.unread)
        raise click.exceptions.Exit(UNREAD)


def _day(option: str, text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is no day such as 2026-05-01", param_hint=option
        ) from None


# --- what is told -------------------------------------------------------------------------------


def _tokens(answers: Any, decisions: Any) -> "tuple[OwnPart, TokenCost]":
    from ghapp.spend.own_costs import OwnCosts  # noqa: PLC0415 - see the top
    from ghapp.spend.prices import packaged  # noqa: PLC0415
    from ghapp.usage.parts import whole  # noqa: PLC0415

    return whole(answers, decisions), OwnCosts(answers, packaged()).whole


def _sent() -> SentWork:
    """Return what this machine sends, as it remembers it."""
    from ghapp.cli.collect_look import status_members  # noqa: PLC0415 - see the top
    from ghapp.cli.collecting import own_places  # noqa: PLC0415
    from ghapp.collector import account, choices, state  # noqa: PLC0415

    places = own_places()
    before = state.load(places)
    try:
        known = account.load(places)
    except account.NotEnrolled:
        return SentWork(None, before, None)
    return SentWork(status_members(places, known, choices.load(places), before), before, known.url)


def _unread_agents() -> tuple[str, ...]:
    from ghapp.collector.agents import folders_of  # noqa: PLC0415 - see the top

    found = (one.agent for one in folders_of(os.environ) if not one.is_read and one.agent)
    return tuple(dict.fromkeys(found))


def _asked(app: str | None) -> "OwnRecord | None":
    """Ask the app how it sees this person. Raises `click.UsageError`."""
    if app is None:
        return None
    from ghapp.collector.client import UploadClient  # noqa: PLC0415 - see the top

    token, url = os.environ.get(TOKEN, ""), app or _sent().url
    if not token:
        raise click.UsageError(
            f"--app needs a read token in {TOKEN}: make one on the app's page /settings/tokens"
        )
    if url is None:
        raise click.UsageError("this machine is not enrolled: give the app's address, --app URL")
    return UploadClient(url, token).own_record()


# --- as text ------------------------------------------------------------------------------------


def _table(name: str, rows: list[tuple[str, list[str]]]) -> "Table":
    from rich.table import Table  # noqa: PLC0415 - see the top
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(f"\n{name}", overflow="fold")
    for head in NUMBERS:
        # Two words take two lines, so that a model's name keeps its one.
        table.add_column(head.replace(" ", "\n"), justify="right", no_wrap=True)
    for title, numbers in rows:
        table.add_row(Text(visible(title, WIDTH * 4)), *numbers)
    return table


def _render(told: OwnWorkReport, console: "Console") -> None:
    from rich.padding import Padding  # noqa: PLC0415 - see the top
    from rich.text import Text  # noqa: PLC0415

    for sentence in headline(told.work):
        console.print(Text(sentence))
    for name, rows in (
        ("repository", rows_by_repository(told.work)),
        ("agent and model", rows_by_agent(told.work)),
    ):
        if rows:
            console.print()
            console.print(_table(name, rows))
    for note in notes(told.work):
        console.print(Text(visible(note, LONGEST)), style="dim")
    for name, lines, more in facts(told):
        console.print()
        title = Text(name, style="bold")
        console.print(title + Text(f"  ({more} says more)" if more else "", style="not bold dim"))
        for line in lines:
            console.print(Padding(Text(visible(line, LONGEST)), (0, 0, 0, 2), expand=False))


# --- as a page ----------------------------------------------------------------------------------


def _open(told: OwnWorkReport) -> None:
    """Write the page beside the collector's files, which only this person can read, and open it."""
    import webbrowser  # noqa: PLC0415 - see the top

    from ghapp.cli.collecting import own_places, said  # noqa: PLC0415
    from ghapp.cli.mine_page import page_of  # noqa: PLC0415
    from ghapp.collector.places import write_whole  # noqa: PLC0415

    with said():
        places = own_places()
        places.prepare()
        file = places.directory / "mine.html"
        write_whole(file, page_of(told).encode())
    click.echo(visible(str(file), LONGEST))
    webbrowser.open(file.as_uri())
