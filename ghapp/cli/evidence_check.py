"""``ghapp evidence check``: says what of the agents' records on this machine is read."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from ghapp.attribution.model import Struct
from ghapp.cli.collecting import said
from ghapp.cli.evidence_preview import EXISTING
from ghapp.cli.output import at_work, format_option, print_json
from ghapp.collector.agents import AgentFolder, folders_of
from ghapp.ingest.survey import AgentSurvey, by_version, survey
from ghapp.reports import words
from ghapp.reports.harmless import visible
from ghapp.reports.reading import passed_over_line

LONGEST = 1000
"""Characters of one line."""


class CheckedFolder(Struct, frozen=True):
    """One folder of an agent, and what is read of it."""

    agent: str | None
    """``None``: you named the folder, and it may hold records of several agents."""
    folder: str
    is_there: bool
    is_read: bool
    """Whether any source reads this agent's records."""
    found: tuple[AgentSurvey, ...]
    """By agent and version."""


@click.command("check")
@click.argument("paths", metavar="[FILE|DIR]...", nargs=-1, type=EXISTING)
@format_option
def check(paths: tuple[Path, ...], form: str) -> None:
    """Say for every known agent's folder what is read, since when, and what is not.

    Without a path it looks where agents keep their records on this machine; with paths, only
    there. It counts, sends nothing, and prints no line of code.
    """
    with said():
        folders = [AgentFolder(None, path, is_read=True) for path in paths]
        with at_work("reading agents' folders"):
            there = [_checked(one) for one in folders or folders_of(os.environ)]
        if form == "json":
            print_json({"folders": there})
            return
        for one in there:
            if one.is_there:
                for line in _lines(one):
                    click.echo(visible(line, LONGEST))
        for line in _missing(there):
            click.echo(visible(line, LONGEST))


def _checked(one: AgentFolder) -> CheckedFolder:
    is_there = one.path.exists()
    files = (file for _, file in survey([one.path])) if is_there and one.is_read else ()
    return CheckedFolder(
        agent=one.agent,
        folder=str(one.path),
        is_there=is_there,
        is_read=one.is_read,
        found=by_version(files),
    )


def _lines(one: CheckedFolder) -> Iterator[str]:
    name = words.agent_name(one.agent) if one.agent else "Records"
    if not one.is_read:
        yield f"{name}: not read: no reader takes the records at {one.folder}"
    elif not one.found:
        yield f"{name}: no file of records at {one.folder}"
    else:
        yield f"{name}: read, {one.folder}"
        yield from _counts(one.found)


def _missing(folders: Iterable[CheckedFolder]) -> Iterator[str]:
    """Yield the agents without any folder here, with the places where one would be."""
    by_agent: dict[str | None, list[CheckedFolder]] = {}
    for one in folders:
        by_agent.setdefault(one.agent, []).append(one)
    for agent, some in by_agent.items():
        if not any(one.is_there for one in some):
            places = words.listed([one.folder for one in some])
            yield f"{words.agent_name(agent or 'Records')}: nothing at {places}"


def _counts(found: Iterable[AgentSurvey]) -> Iterator[str]:
    for one in found:
        agent = words.agent_name(one.agent) if one.agent else "unknown agent"
        version = one.version or words.NOT_NAMED
        files, edits = words.counted(one.files, "file"), words.counted(one.edits, "edit")
        counts = f"{files}, {edits}, {one.not_applied:,} not applied"
        yield f"  {agent}, version {version}: {counts}; {_days(one)}"
        if one.unread:
            yield f"    {words.counted(one.unread, 'record')} could not be read"
        if said_ := passed_over_line(one.passed_over):
            yield f"    {said_}"


def _days(one: AgentSurvey) -> str:
    first, last = one.first_at, one.last_at
    return f"since {first:%Y-%m-%d}, last {last:%Y-%m-%d}" if first and last else "no edit"
