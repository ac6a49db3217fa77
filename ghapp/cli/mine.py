"""``ghapp mine``: your own work with agents: what was done, what stands, what was sent."""

import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ghapp.cli.output import at_work, format_option, print_json, show
from ghapp.cli.problems import name_problems
from ghapp.reports.harmless import visible

if TYPE_CHECKING:  # only running the command needs them
    from rich.console import Console
    from rich.table import Table

    from ghapp.collector.state import CollectorState
    from ghapp.mine.own_work import OwnWork, WorkCounts
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


@click.command("mine", short_help="Show your own agents' work: what was merged, stands, was sent.")
@click.option(
    "--records",
    "paths",
    metavar="PATH",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Read this file or folder. [default: all records of agents on this machine]",
)
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
        told = _Told(work, whole, cost, _sent(), _unread_agents(), _asked(app))
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


class Sent(NamedTuple):
    """What this machine sends."""

    members: dict[str, Any] | None
    """What ``collect status`` says; ``None``: this machine is not enrolled."""
    state: "CollectorState"
    url: str | None


class _Told(NamedTuple):
    work: "OwnWork"
    usage: "OwnPart"
    cost: "TokenCost"
    sent: Sent
    unread_agents: tuple[str, ...]
    """Agents whose records are here, and that no reader reads."""
    app: "OwnRecord | None"

    def members(self) -> dict[str, Any]:
        """Return the members of ``--format json``."""
        import msgspec  # noqa: PLC0415 - see the top

        from ghapp.cli.usage import as_members  # noqa: PLC0415

        told = msgspec.structs.asdict(self.work)
        return {
            **told,
            "not_read": self.unread_agents,
            "usage": as_members(self.usage, self.cost),
            "sent": self.sent.members,
            "app": self.app,
        }


def _tokens(answers: Any, decisions: Any) -> "tuple[OwnPart, TokenCost]":
    from ghapp.spend.own_costs import OwnCosts  # noqa: PLC0415 - see the top
    from ghapp.spend.prices import packaged  # noqa: PLC0415
    from ghapp.usage.parts import whole  # noqa: PLC0415

    return whole(answers, decisions), OwnCosts(answers, packaged()).whole


def _sent() -> Sent:
    """Return what this machine sends, as it remembers it."""
    from ghapp.cli.collect_look import status_members  # noqa: PLC0415 - see the top
    from ghapp.cli.collecting import own_places  # noqa: PLC0415
    from ghapp.collector import account, choices, state  # noqa: PLC0415

    places = own_places()
    before = state.load(places)
    try:
        known = account.load(places)
    except account.NotEnrolled:
        return Sent(None, before, None)
    return Sent(status_members(places, known, choices.load(places), before), before, known.url)


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


def headline(work: "OwnWork") -> tuple[str, str]:
    """Return the two sentences that say most."""
    from ghapp.reports.words import counted  # noqa: PLC0415 - see the top

    counts = work.counts
    parts = (
        counted(counts.agent_sessions, "agent session"),
        counted(counts.edits, "edit"),
        counted(counts.lines, "line"),
    )
    first = f"{parts[0]}, {parts[1]} and {parts[2]} from {work.since} to {work.until}."
    if counts.merged is None:
        return first, "How many lines were merged is unknown: no clone on this machine holds them."
    is_floor = any(one.unknown and one.counts.lines for one in work.by_repository)
    merged = counted(counts.merged, "line")
    stands = "" if counts.standing is None else f"; {counts.standing:,} of them still stand"
    return first, f"{'At least ' if is_floor else ''}{merged} merged{stands}."


NUMBERS = ("sessions", "edits", "lines", "merged", "stand")
LEGEND = "merged, stand: lines on a clone's default branch, as it was last fetched"
UNKNOWN = "?"
"""Stands for a number that is not known."""


def cells(counts: "WorkCounts") -> list[str]:
    """Return a row's numbers in the order of `NUMBERS`."""
    numbers = (counts.agent_sessions, counts.edits, counts.lines, counts.merged, counts.standing)
    return [number(one) for one in numbers]


def number(known: int | None) -> str:
    """Return a number as people read it."""
    return UNKNOWN if known is None else f"{known:,}"


def rows_by_repository(work: "OwnWork") -> list[tuple[str, list[str]]]:
    """Return a row for each repository: its name, its numbers."""
    return [
        (one.repository or "(outside any clone)", cells(one.counts)) for one in work.by_repository
    ]


def rows_by_agent(work: "OwnWork") -> list[tuple[str, list[str]]]:
    """Return a row for each agent and model."""
    from ghapp.reports.words import NOT_NAMED, agent_name  # noqa: PLC0415 - see the top

    return [
        (f"{agent_name(one.agent)}, {one.model or f'model {NOT_NAMED}'}", cells(one.counts))
        for one in work.by_agent
    ]


def notes(work: "OwnWork") -> list[str]:
    """Return what is to be known of these numbers, and of single repositories."""
    merged = any(one.counts.merged for one in work.by_repository)
    return [LEGEND] * merged + [
        f"{one.repository or '(outside any clone)'}: {one.unknown}"
        for one in work.by_repository
        if one.unknown
    ]


def facts(told: Any) -> list[tuple[str, list[str], str]]:
    """Return what else is told: its name, its lines, and the command that says more."""
    found = [
        ("Tokens", _token_lines(told), "ghapp usage"),
        ("Read", _read_lines(told), "ghapp evidence check"),
        ("Sent", _sent_lines(told.sent), "ghapp collect status"),
    ]
    if told.app is not None:
        found.append(("The app", _app_lines(told.app), ""))
    return found


def _token_lines(told: _Told) -> list[str]:
    from ghapp.reports.words import counted  # noqa: PLC0415 - see the top
    from ghapp.spend.money import for_people  # noqa: PLC0415

    tokens, cost = told.usage.tokens.total, told.cost
    amount = "an unknown amount" if cost.amount is None else for_people(cost.amount)
    floor = "at least " if cost.is_floor else ""
    priced = f"{floor}{amount} at list prices"
    answers = counted(told.usage.answers, "answer")
    lines = [f"{answers} of models, {tokens:,} tokens, {priced}"]
    if cost.unpriced_tokens:
        lines.append(f"{cost.unpriced_tokens:,} tokens have no known price")
    return lines


def _read_lines(told: _Told) -> list[str]:
    from ghapp.reports.reading import passed_over_line  # noqa: PLC0415 - see the top
    from ghapp.reports.words import agent_name, counted, listed  # noqa: PLC0415

    lines = []
    for one in told.work.read:
        name = agent_name(one.agent) if one.agent else "unknown agent"
        unread = f", {counted(one.unread, 'record')} could not be read" if one.unread else ""
        lines.append(f"{name}: {counted(one.files, 'file')}, {counted(one.edits, 'edit')}{unread}")
    over = [one for agent in told.work.read for one in agent.passed_over]
    lines += filter(None, [passed_over_line(over)])
    if told.unread_agents:
        names = listed([agent_name(one) for one in told.unread_agents])
        lines.append(f"not read: the records of {names}")
    return lines or ["no records of agents in these days"]


def _sent_lines(sent: Sent) -> list[str]:
    from ghapp.cli.collecting import moment  # noqa: PLC0415 - see the top

    if sent.members is None:
        return ["nothing: this machine is not enrolled (ghapp collect enroll URL)"]
    state = sent.state
    edits = f"{state.sent:,} edits as fingerprints"
    at = f", the last {moment(state.sent_at)}" if state.sent_at else ", none yet"
    lines = [f"as {sent.members['login']} to {sent.url}", edits + at]
    if state.usage is not None and state.usage.is_taken:
        lines.append(f"{state.usage.rows:,} rows of usage, {moment(state.usage.at)}")
    waiting = sent.members["queued"]["events"]
    if waiting:
        lines.append(f"{waiting:,} events wait to be sent")
    if sent.members["paused"]:
        lines.append("some of it is paused")
    if state.problem is not None:
        lines.append(f"problem: {state.problem}")
    return lines


def _app_lines(app: "OwnRecord") -> list[str]:
    from ghapp.cli.collecting import moment  # noqa: PLC0415 - see the top

    shown = {
        "teams": "others see your team, never you",
        "pseudonyms": "others see you under a pseudonym",
        "people": "others see you by your login",
    }
    last = f", the last of {moment(app.last_edit_at)}" if app.last_edit_at else ""
    lines = [
        f"you are {app.login}; {shown[app.names]}",
        f"{app.edits:,} edits kept{last}; {len(app.machines)} machine(s) may send",
    ]
    for one in app.accounts:
        share = "no share" if one.share is None else f"{one.share:.0%}"
        lines.append(
            f"{one.account}: {one.pulls:,} pull requests of yours, {number(one.assisted)} with "
            f"agents' lines, {one.no_evidence:,} without evidence; {share}"
        )
    return lines or ["nothing"]


def _table(name: str, rows: list[tuple[str, list[str]]]) -> "Table":
    from rich.table import Table  # noqa: PLC0415 - see the top
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(name, overflow="fold")
    for head in NUMBERS:
        table.add_column(head, justify="right", no_wrap=True)
    for title, numbers in rows:
        table.add_row(Text(visible(title, WIDTH * 4)), *numbers)
    return table


def _render(told: _Told, console: "Console") -> None:
    from rich.text import Text  # noqa: PLC0415 - see the top

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
            console.print(Text(f"  {visible(line, LONGEST)}"))


# --- as a page ----------------------------------------------------------------------------------


def _open(told: _Told) -> None:
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
