"""``ghapp usage``: tokens and decided edits of a machine's agents, from their records, offline."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ghapp.cli.output import at_work, show
from ghapp.cli.problems import name_problems
from ghapp.cli.record_options import records_option
from ghapp.reports.harmless import visible

if TYPE_CHECKING:  # only running the command needs them
    from rich.console import Console
    from rich.table import Table

    from ghapp.spend.cost import TokenCost
    from ghapp.spend.own_costs import OwnCosts
    from ghapp.usage.answers import TokenCounts
    from ghapp.usage.counts import EditCounts
    from ghapp.usage.decisions import AcceptRate
    from ghapp.usage.parts import OwnPart

KINDS = ("input", "output", "cache_read", "cache_write_5m", "cache_write_1h")
PARTS = ("day", "model", "agent", "agent_session", "project")
WIDTH = 80
UNREAD = 1
"""Exit status if some records could not be read."""


@click.command("usage")
@records_option
@click.option("--since", metavar="DAY", help="First day (UTC), such as 2026-05-01.")
@click.option("--until", metavar="DAY", help="Last day (UTC), included.")
@click.option(
    "--by",
    "part",
    type=click.Choice(PARTS),
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

    It also says what they would cost at the vendors' public prices, and what became of their
    edits: accepted, refused or failed.

    Each answer of a model counts once, although agents write its tokens several times, and again
    in resumed and forked agent sessions. So does each edit.
    """
    days = _day("--since", since) or date.min, _day("--until", until) or date.max
    with at_work("reading records"):
        found = _Found(paths or _homes(), days, datetime.now(UTC))
    if form == "json":
        click.echo(json.dumps(found.report(), indent=2))
    else:
        found.show(part, are_given=bool(paths))
        found.say_left_out()
    if found.unread:
        name_problems(found.unread)
        raise click.exceptions.Exit(UNREAD)


def _homes() -> list[Path]:
    """Return the folders of known agents that exist on this machine, also of those nobody reads."""
    from ghapp.evidence.homes import UNREAD_HOMES, read_homes  # noqa: PLC0415 - see the top

    homes = (Path.home() / home.below_home for home in (*read_homes(), *UNREAD_HOMES))
    return [home for home in homes if home.exists()]


def _day(option: str, text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is no day such as 2026-05-01", param_hint=option
        ) from None


class _Found:
    """What the records hold of some days."""

    def __init__(
        self, paths: "tuple[Path, ...] | list[Path]", days: tuple[date, date], now: datetime
    ) -> None:
        from ghapp.attribution.model import PassedOver, UnreadEvidence  # noqa: PLC0415 - as above
        from ghapp.evidence.source import added_up  # noqa: PLC0415
        from ghapp.ingest.usage_files import read_usage  # noqa: PLC0415
        from ghapp.usage.answers import UsageRecord, settled  # noqa: PLC0415
        from ghapp.usage.decisions import DecidedEdit, decided_once  # noqa: PLC0415

        records: list[UsageRecord] = []
        decisions: list[DecidedEdit] = []
        passed_over: list[PassedOver] = []
        self.unread: list[UnreadEvidence] = []
        for one in read_usage(paths, now):
            if isinstance(one, UsageRecord):
                records.append(one)
            elif isinstance(one, DecidedEdit):
                decisions.append(one)
            elif isinstance(one, UnreadEvidence):
                self.unread.append(one)
            elif isinstance(one, PassedOver):
                passed_over.append(one)
        first, last = days
        self.records = len(records)
        self.answers = [one for one in settled(records) if first <= one.at.date() <= last]
        self.decisions = [one for one in decided_once(decisions) if first <= one.at.date() <= last]
        self.passed_over = added_up(passed_over)

    def costs(self) -> "OwnCosts":
        """Return what the answers cost at list."""
        from ghapp.spend.own_costs import OwnCosts  # noqa: PLC0415 - see the top
        from ghapp.spend.prices import packaged  # noqa: PLC0415

        return OwnCosts(self.answers, packaged())

    def report(self) -> dict[str, Any]:
        """Return everything in the form of ``--format json``."""
        from ghapp.spend.cost import CostBasis, TokenCost  # noqa: PLC0415 - see the top
        from ghapp.spend.prices import packaged  # noqa: PLC0415
        from ghapp.usage.parts import NAMES, parted, whole  # noqa: PLC0415

        costs = self.costs()
        by_part = {by: costs.parted(by) for by in NAMES}
        return {
            "records": self.records,
            "cost_basis": CostBasis.LIST,
            "price_table": packaged().version,
            **as_members(whole(self.answers, self.decisions), costs.whole),
            **{
                f"by_{by}": {
                    name: as_members(one, by_part[by].get(name, TokenCost()))
                    for name, one in parted(self.answers, self.decisions, by).items()
                }
                for by in NAMES
            },
            "passed_over": [
                {"agent": one.agent, "what": one.what, "count": one.count}
                for one in self.passed_over
            ],
            "unread": [
                {"path": one.source, "line": one.line, "problem": one.problem}
                for one in self.unread
            ],
        }

    def show(self, by: str, *, are_given: bool) -> None:
        """Write the tables."""
        from ghapp.usage.parts import parted, whole  # noqa: PLC0415 - see the top

        if not self.answers and not self.decisions:
            where = "there" if are_given else "in the folders of the agents that this program knows"
            click.echo(f"No tokens and no edits are recorded {where}.")
            click.echo("Give other records with --records PATH.")
            return
        rows = list(parted(self.answers, self.decisions, by).items())
        rows.append(("all", whole(self.answers, self.decisions)))
        costs = self.costs()

        def render(console: "Console") -> None:
            if self.answers:
                console.print(_token_table(by, rows))
                console.print()
                by_part = sorted(costs.parted(by).items())
                console.print(_cost_table(by, [*by_part, ("all", costs.whole)]))
            if self.answers and self.decisions:
                console.print()
            if self.decisions:
                console.print(_edit_table(by, rows))
                console.print()
                console.print(_decider_table(rows[-1][1].edits))

        show(render, WIDTH)
        if self.decisions:
            click.echo(_rate(rows[-1][1].edits))

    def say_left_out(self) -> None:
        """Write what was seen and not counted."""
        from ghapp.reports.reading import not_counted_line  # noqa: PLC0415 - see the top

        if said := not_counted_line(self.passed_over):
            click.echo(visible(said, 2000), err=True)


# --- as JSON ------------------------------------------------------------------------------------


def as_members(part: "OwnPart", cost: "TokenCost") -> dict[str, Any]:
    """Return a part of the usage in the form of ``--format json``."""
    edits = part.edits
    return {
        "answers": part.answers,
        "cost": {
            "micro_dollars": cost.amount,
            "is_floor": cost.is_floor,
            "unpriced_tokens": cost.unpriced_tokens,
        },
        "tokens": {**_kinds(part.tokens), "reasoning": part.tokens.reasoning},
        "edits": {
            "accepted": _deciders(edits, "accepted"),
            "refused": _deciders(edits, "refused"),
            "failed": edits.failed,
            "lines": edits.lines_accepted,
            "lines_suggested": edits.lines_suggested,
            "people_accept_rate": _range(edits.accept_rate),
        },
    }


def _kinds(tokens: "TokenCounts") -> dict[str, int]:
    return {kind: getattr(tokens, kind) for kind in KINDS}


def _deciders(edits: "EditCounts", decision: str) -> dict[str, int]:
    """Return accepted or refused edits by who decided."""
    parts = {"person": edits.by_people, "automatic": edits.automatic, "unknown": edits.unknown}
    return {by: getattr(part, decision) for by, part in parts.items()}


def _range(rate: "AcceptRate | None") -> dict[str, float] | None:
    if rate is None:
        return None
    return {"at_least": round(rate.at_least, 4), "at_most": round(rate.at_most, 4)}


# --- as text ------------------------------------------------------------------------------------


def _table(by: str, heads: "tuple[str, ...]") -> "Table":
    from rich.table import Table  # noqa: PLC0415 - see the top

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(by.replace("_", " "), overflow="fold")
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    return table


def _token_table(by: str, rows: "list[tuple[str, OwnPart]]") -> "Table":
    table = _table(by, ("answers", "input", "output", "cache read", "cache written"))
    for name, one in rows:
        told = one.tokens
        numbers = (one.answers, told.input, told.output, told.cache_read, told.cache_write)
        if one.answers or any(numbers):
            table.add_row(visible(name, WIDTH * 4), *map(_short, numbers))
    return table


def _short(number: int) -> str:
    """Return a number that a column has room for.

    >>> _short(1_000_000_049), _short(12_345_678_901)
    ('1,000,000,049', '12,346 million')
    """
    return f"{number:,}" if number < 10**10 else f"{number / 10**6:,.0f} million"


def _cost_table(by: str, rows: "list[tuple[str, TokenCost]]") -> "Table":
    from ghapp.spend.money import for_people  # noqa: PLC0415 - see the top

    table = _table(by, ("cost at list prices", "tokens not priced"))
    for name, one in rows:
        amount = "unknown" if one.amount is None else for_people(one.amount)
        told = f"at least {amount}" if one.is_floor else amount
        table.add_row(visible(name, WIDTH * 4), told, _short(one.unpriced_tokens))
    return table


def _edit_table(by: str, rows: "list[tuple[str, OwnPart]]") -> "Table":
    table = _table(by, ("accepted", "refused", "failed", "lines added"))
    for name, one in rows:
        edits = one.edits
        numbers = (edits.all.accepted, edits.all.refused, edits.failed, edits.lines_accepted or 0)
        if any(numbers):
            table.add_row(visible(name, WIDTH * 4), *(f"{number:,}" for number in numbers))
    return table


def _decider_table(edits: "EditCounts") -> "Table":
    table = _table("decided", ("accepted", "refused"))
    for name, part in (
        ("by a person", edits.by_people),
        ("by a setting, hook or mode", edits.automatic),
        ("not recorded", edits.unknown),
    ):
        table.add_row(name, f"{part.accepted:,}", f"{part.refused:,}")
    return table


def _rate(edits: "EditCounts") -> str:
    rate = edits.accept_rate
    if rate is None:
        return "No record names a person's decision, so people's accept rate is unknown."
    least, most = f"{rate.at_least:.0%}", f"{rate.at_most:.0%}"
    if least == most:
        return f"People's accept rate is {least}."
    return (
        f"People's accept rate is between {least} and {most}:\n"
        "records say more often who refused an edit than who accepted it."
    )
