"""``ghapp explain``: the lines of an audit document, each with its reason and what supports it."""

from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Audit, FileVerdict, LineVerdict
from ghapp.reports.harmless import visible
from ghapp.reports.summary import moment
from ghapp.reports.words import agent_name, sentence


@click.command("explain", short_help="Say why the lines of an audit document count or do not.")
@click.argument(
    "documents", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.argument("place", metavar="PATH[:LINE]", required=False)
@click.option("--pull-request", metavar="N", type=click.IntRange(min=1), help="Which of several.")
def command(documents: Path, place: str | None, pull_request: int | None) -> None:
    """Say of every added line why it counts or does not, and which agent edit supports it.

    \b
    ghapp explain replay.jsonl --pull-request 17 src/totals.py:12

    FILE holds audit documents, one a line. Source text stands in none of them.
    """  # noqa: D301 - the \b is click's mark for "do not wrap"
    audit = _chosen(documents, pull_request)
    path, number = _place(audit, place)
    found = list(_lines(audit, path, number))
    if not found:
        raise click.UsageError(visible(f"no added line {place or ''} in this audit", 500))
    for file, line in found:
        _explain(file, line)


def _chosen(documents: Path, pull_request: int | None) -> Audit:
    """Return the one audit that is meant; of several of a pull request the last."""
    found: dict[tuple[int | None, str | None], Audit] = {}
    with documents.open("rb") as file:
        for row, text in enumerate(file, 1):
            try:
                audit = from_document(text)
            except (ValueError, msgspec.DecodeError) as error:
                raise click.ClickException(f"{documents}:{row}: {error}") from error
            if pull_request in {None, audit.pull_request}:
                number = audit.pull_request
                found[number, None if number else audit.merge_commit] = audit
            if pull_request is None and len(found) > 1:
                raise click.UsageError(f"{documents} holds several audits; add --pull-request N")
    if not found:
        raise click.UsageError(f"{documents} holds no audit of pull request {pull_request}")
    return found.popitem()[1]


def _place(audit: Audit, place: str | None) -> tuple[str | None, int | None]:
    """Return path and line; a path may itself hold a colon and digits."""
    if place is None or any(file.path == place for file in audit.files):
        return place, None
    path, colon, number = place.rpartition(":")
    return (path, int(number)) if colon and number.isdecimal() else (place, None)


def _lines(
    audit: Audit, path: str | None, number: int | None
) -> Iterator[tuple[FileVerdict, LineVerdict]]:
    for file in audit.files:
        for line in file.lines:
            if path in {None, file.path} and number in {None, line.line}:
                yield file, line


def _explain(file: FileVerdict, line: LineVerdict) -> None:
    click.echo(visible(f"{file.path}:{line.line}  {line.reason}: {sentence(line.reason)}", 2000))
    if line.edit is not None:
        differs = "" if line.difference is None else f", differs by {line.difference:.2%}"
        at = "" if line.edited_at is None else f", {moment(line.edited_at)}"
        click.echo(visible(f"    {agent_name(line.agent or '')} edit {line.edit}{at}{differs}"))
