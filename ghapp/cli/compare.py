"""``ghapp compare``: says what differs between audits before and after."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Protocol

import click

from ghapp.attribution.model import Audit
from ghapp.cli.app_store import data_option
from ghapp.cli.output import at_work, output_option, plain_text, show, while_silent, write_out
from ghapp.cli.recorded import in_force, named
from ghapp.documents.differences import AuditDifference, Key, compare, key
from ghapp.documents.files import DocumentError, DocumentFile
from ghapp.reports.differences import COLUMNS, Found, render, rows, to_page
from ghapp.reports.tables import to_csv, to_json_lines

UNREAD = 1
"""Exit status where a document could not be read, or has no counterpart."""

COMPARING = "comparing"

WIDTH = 100
"""Columns of a table that no terminal shows."""


class _Audits(Protocol):
    """Audits by pull request, from a file or from the app's store."""

    def keys(self) -> frozenset[Key]: ...
    def __iter__(self) -> Iterator[Audit]: ...
    def of(self, wanted: Key) -> Audit: ...


class _Recorded:
    """The audits in force of a repository."""

    def __init__(self, name: str) -> None:
        self._audits = {key(audit): audit for audit in in_force(name, "comparison")}

    def keys(self) -> frozenset[Key]:
        return frozenset(self._audits)

    def __iter__(self) -> Iterator[Audit]:
        yield from self._audits.values()

    def of(self, wanted: Key) -> Audit:
        return self._audits[wanted]


@click.command("compare", short_help="Say what differs between two files of audit documents.")
@data_option
@click.argument("before", metavar="BEFORE")
@click.argument("after", metavar="AFTER")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "html", "csv", "jsonl", "json"]),
    default="text",
    show_default=True,
    help="text for people, html as a page of its own, csv and jsonl with a row for each line, "
    "json as one list of them.",
)
@output_option
def command(before: str, after: str, form: str, output: Path | None) -> None:
    """Say which pull requests and lines differ between two replays or records, and why.

    \b
    ghapp compare before.jsonl after.jsonl
    ghapp compare acme/shop replay.jsonl --format html --output differences.html

    BEFORE and AFTER are files of audit documents, bundles of records, or OWNER/NAME for the
    recorded audits of the app.

    Exit status: 0 done, 1 a document could not be read or has no counterpart, 2 wrong use.
    """  # noqa: D301 - the \b is click's mark for "do not wrap"
    try:
        with at_work("reading documents"):
            earlier, later = _audits(before), _audits(after)
    except DocumentError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.UsageError(f"{error.filename}: {error.strerror}") from error
    both = earlier.keys() & later.keys()

    def found() -> Iterator[AuditDifference]:
        for audit in later:
            if key(audit) in both:
                yield compare(earlier.of(key(audit)), audit)

    write_report(found, form, output, (before, after))
    _say_alone([(before, earlier.keys() - both), (after, later.keys() - both)])


def _audits(text: str) -> _Audits:
    where = named(text)
    if where is None:
        return DocumentFile(Path(text))
    name, number = where
    if number is not None:
        raise click.UsageError(f"{text}: give the whole repository, as {name}")
    return _Recorded(name)


def _say_alone(alone: list[tuple[str, frozenset[Key]]]) -> None:
    for name, keys in alone:
        if keys:
            click.echo(f"{len(keys)} document(s) of {name} have no counterpart", err=True)
    if any(keys for _, keys in alone):
        raise click.exceptions.Exit(UNREAD)


# --- forms --------------------------------------------------------------------------------------


def write_report(found: Found, form: str, output: Path | None, names: tuple[str, str]) -> None:
    """Write differences in a form of `FORMS` to a file, or to standard output."""
    if form == "text" and output is None:
        show(partial(render, found), WIDTH, working_at=COMPARING)
    else:
        write_out(while_silent(COMPARING, FORMS[form](found, names)), output)


def _text(found: Found, _: tuple[str, str]) -> Iterator[bytes]:
    yield plain_text(partial(render, found), WIDTH)


def _html(found: Found, names: tuple[str, str]) -> Iterator[bytes]:
    yield from (part.encode() for part in to_page(found, *names))


def _csv(found: Found, _: tuple[str, str]) -> Iterator[bytes]:
    yield from (part.encode() for part in to_csv(COLUMNS, rows(found())))


def _json(found: Found, _: tuple[str, str]) -> Iterator[bytes]:
    import msgspec  # noqa: PLC0415 - help and wrong use answer without it

    listed = [dict(zip(COLUMNS, row, strict=True)) for row in rows(found())]
    yield msgspec.json.encode({"differences": listed}) + b"\n"


def _jsonl(found: Found, _: tuple[str, str]) -> Iterator[bytes]:
    yield from to_json_lines(dict(zip(COLUMNS, row, strict=True)) for row in rows(found()))


FORMS: dict[str, Callable[[Found, tuple[str, str]], Iterator[bytes]]] = {
    "text": _text,
    "html": _html,
    "csv": _csv,
    "jsonl": _jsonl,
    "json": _json,
}
"""Form → what writes it; it also gets the names of the two compared inputs."""
