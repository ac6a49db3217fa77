"""``ghapp usage``: tokens of a machine's own agent sessions, from their records, offline."""

import json
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ghapp.cli.output import show
from ghapp.cli.problems import name_problems

if TYPE_CHECKING:  # only running the command needs them
    from rich.console import Console

    from ghapp.attribution.model import UnreadEvidence
    from ghapp.usage.answers import TokenCounts, UsageRecord

UNKNOWN = "(unknown)"
"""Stands for the name of a model or project that the records do not name."""
KINDS = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
WIDTH = 100
UNREAD = 1
"""Exit status if some records could not be read."""


def _names() -> "dict[str, Callable[[UsageRecord], str]]":
    return {
        "day": lambda one: one.at.date().isoformat(),
        "model": lambda one: one.model or UNKNOWN,
        "agent": lambda one: one.agent,
        "agent_session": lambda one: one.agent_session,
        "project": lambda one: one.project or UNKNOWN,
    }


@click.command("usage")
@click.option(
    "--records",
    "paths",
    metavar="PATH",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Read this file or folder. [default: the folders of every known agent in your home]",
)
@click.option("--since", metavar="DAY", help="First day (UTC), such as 2026-05-01.")
@click.option("--until", metavar="DAY", help="Last day (UTC), included.")
@click.option(
    "--by",
    "part",
    type=click.Choice(["day", "model", "agent", "agent_session", "project"]),
    default="day",
    show_default=True,
    help="What a row of the table is.",
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def command(
    paths: tuple[Path, ...], since: str | None, until: str | None, part: str, form: str
) -> None:
    """Count the tokens of your own agent sessions, offline.

    Each answer of a model counts once, although agents write its tokens several times, and again
    in resumed and forked agent sessions.
    """
    from ghapp.ingest.usage_files import read_usage  # noqa: PLC0415 - see the top
    from ghapp.usage.answers import UsageRecord, settled  # noqa: PLC0415

    first, last = _day("--since", since), _day("--until", until)
    unread: list[UnreadEvidence] = []
    records: list[UsageRecord] = []
    for found in read_usage(paths or _homes()):
        if isinstance(found, UsageRecord):
            records.append(found)
        else:
            unread.append(found)
    answers = [
        one
        for one in settled(records)
        if (first is None or one.at.date() >= first) and (last is None or one.at.date() <= last)
    ]
    if form == "json":
        click.echo(json.dumps(_report(len(records), answers, unread), indent=2))
    else:
        _print(answers, part, are_given=bool(paths))
    if unread:
        name_problems(unread)
        raise click.exceptions.Exit(UNREAD)


def _homes() -> list[Path]:
    """Return the folders of known agents that exist on this machine."""
    from ghapp.evidence.registry import SOURCES  # noqa: PLC0415 - see the top

    homes = (Path.home() / home for source in SOURCES.values() for home in source.HOMES)
    return [home for home in homes if home.exists()]


def _day(option: str, text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is no day such as 2026-05-01", param_hint=option
        ) from None


def _report(
    records: int, answers: "list[UsageRecord]", unread: "list[UnreadEvidence]"
) -> dict[str, Any]:
    return {
        "records": records,
        **_part(answers),
        **{f"by_{part}": _parts(answers, name) for part, name in _names().items()},
        "unread": [
            {"path": one.source, "line": one.line, "problem": one.problem} for one in unread
        ],
    }


def _parts(answers: "list[UsageRecord]", name: "Callable[[UsageRecord], str]") -> dict[str, Any]:
    from ghapp.usage.answers import by_part  # noqa: PLC0415 - see the top

    parts = by_part(answers, map(name, answers))
    return {key: _part(parts[key]) for key in sorted(parts)}


def _part(answers: "Iterable[UsageRecord]") -> dict[str, Any]:
    from ghapp.usage.answers import total  # noqa: PLC0415 - see the top

    own = list(answers)
    sums = total(own)
    return {"answers": len(own), "tokens": {**_kinds(sums), "reasoning": sums.reasoning}}


def _kinds(tokens: "TokenCounts") -> dict[str, int]:
    return {kind: getattr(tokens, kind) for kind in KINDS}


def _print(answers: "list[UsageRecord]", part: str, *, are_given: bool) -> None:
    if not answers:
        where = "there" if are_given else "in the folders of the agents that this program knows"
        click.echo(f"No tokens are recorded {where}. Give other records with --records PATH.")
        return
    from ghapp.usage.answers import by_part, total  # noqa: PLC0415 - see the top

    parts = by_part(answers, map(_names()[part], answers))
    rows = [(name, len(own), total(own)) for name, own in sorted(parts.items())]
    rows.append(("all", len(answers), total(answers)))

    def render(console: "Console") -> None:
        from rich.table import Table  # noqa: PLC0415 - see the top

        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column(part.replace("_", " "), overflow="fold")
        for head in ("answers", "input", "output", "cache read", "write 5 min", "write 1 h"):
            table.add_column(head, justify="right")
        for name, count, tokens in rows:
            table.add_row(name, f"{count:,}", *(f"{one:,}" for one in _kinds(tokens).values()))
        console.print(table)

    show(render, WIDTH)
