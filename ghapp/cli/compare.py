"""``ghapp compare``: two files of audit documents, and what differs between them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import click
import msgspec

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Audit
from ghapp.differences import Difference, Key, compare, key, sums
from ghapp.reports.harmless import visible
from ghapp.reports.tables import to_csv, to_json_lines

UNREAD = 1
"""Exit status where some document could not be read, or has no counterpart."""

COLUMNS = (
    *("repository", "pull_request", "merge_commit", "causes", "path", "line"),
    *("reason_before", "reason_after", "edit_before", "edit_after"),
    *("difference_before", "difference_after"),
)

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class _Documents:
    """A file of audit documents, one a line, asked by pull request; only places are kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places: dict[Key, int] = {}
        for place, audit in self._read():
            self._places[key(audit)] = place

    def _read(self) -> Iterator[tuple[int, Audit]]:
        with self._path.open("rb") as file:
            place = 0
            for number, line in enumerate(file, 1):
                yield place, self._audit(line, number)
                place += len(line)

    def _audit(self, line: bytes, number: int) -> Audit:
        try:
            return from_document(line)
        except (ValueError, msgspec.DecodeError) as error:
            raise click.ClickException(f"{self._path}:{number}: {error}") from error

    def keys(self) -> set[Key]:
        return set(self._places)

    def in_order(self) -> Iterator[Audit]:
        """Yield the last document of each pull request, in the order of the file."""
        for place, audit in self._read():
            if self._places[key(audit)] == place:
                yield audit

    def of(self, wanted: Key) -> Audit:
        with self._path.open("rb") as file:
            file.seek(self._places[wanted])
            return from_document(file.readline())


@click.command("compare", short_help="Say what differs between two files of audit documents.")
@click.argument("before", metavar="BEFORE.jsonl", type=_FILE)
@click.argument("after", metavar="AFTER.jsonl", type=_FILE)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "csv", "jsonl"]),
    default="text",
    show_default=True,
    help="text for people, csv with a row for each line, jsonl with an object for each.",
)
def command(before: Path, after: Path, form: str) -> None:
    """Say which pull requests and lines differ between two replays or records, and why.

    Exit status: 0 done, 1 a document could not be read or has no counterpart, 2 wrong use.
    """
    earlier, later = _Documents(before), _Documents(after)
    both = earlier.keys() & later.keys()

    def found() -> Iterator[Difference]:
        for audit in later.in_order():
            if key(audit) in both:
                yield compare(earlier.of(key(audit)), audit)

    _FORMS[form](found)
    alone = [(before, len(earlier.keys() - both)), (after, len(later.keys() - both))]
    for path, count in alone:
        if count:
            click.echo(f"{count} document(s) of {path} have no counterpart", err=True)
    if any(count for _, count in alone):
        raise click.exceptions.Exit(UNREAD)


Found = Callable[[], Iterator[Difference]]


def _text(found: Found) -> None:
    """Print a line for each pull request that differs, then the sums."""
    for one in found():
        if not one.same:
            click.echo(visible(_sentence(one)))
    total = sums(found())
    click.echo(
        f"{total.pull_requests} pull request(s): {total.same} the same, "
        f"{total.pull_requests - total.same} different in {total.lines} line(s); "
        f"attributed {total.attributed_before} -> {total.attributed_after}"
    )
    for name, counts in (("cause", total.by_cause), ("reason", total.by_reasons)):
        for what, count in counts.items():
            click.echo(f"  {name:<6}  {count:>7}  {what}")


def _sentence(one: Difference) -> str:
    name = f"#{one.pull_request}" if one.pull_request else f"{one.merge_commit}"
    before, after = one.before, one.after
    return (
        f"{name:<8} {before.verdict} -> {after.verdict}, "
        f"attributed {before.totals.attributed} -> {after.totals.attributed}, "
        f"{len(one.lines)} line(s): {', '.join(one.causes)}"
    )


def _csv(found: Found) -> None:
    rows = ([*row.values()] for one in found() for row in _rows(one))
    for line in to_csv(COLUMNS, rows):
        click.echo(line, nl=False)


def _jsonl(found: Found) -> None:
    for line in to_json_lines(row for one in found() for row in _rows(one)):
        click.echo(line, nl=False)


def _rows(one: Difference) -> Iterator[dict[str, object]]:
    for line in one.lines:
        before, after = line.before, line.after
        values = (
            *(one.repository, one.pull_request, one.merge_commit, " ".join(one.causes)),
            *(line.path, line.line),
            *(before and before.reason, after and after.reason),
            *(before and before.edit, after and after.edit),
            *(before and before.difference, after and after.difference),
        )
        yield dict(zip(COLUMNS, values, strict=True))


_FORMS: dict[str, Callable[[Found], None]] = {"text": _text, "csv": _csv, "jsonl": _jsonl}
