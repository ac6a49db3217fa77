"""``ghapp explain``: the lines of an audit document, each with its reason and what supports it."""

from collections.abc import Iterator
from pathlib import Path

import click

from ghapp.attribution.model import Audit, FileVerdict, LineVerdict
from ghapp.cli.recorded import named, one
from ghapp.documents.files import DocumentError, documents
from ghapp.git.repository import GitError, GitRepository
from ghapp.reports.coverage import erased
from ghapp.reports.harmless import visible
from ghapp.reports.summary import moment
from ghapp.reports.words import agent_name, sentence
from ghapp.rulebook import of_reason


@click.command("explain", short_help="Say why the lines of an audit document count or do not.")
@click.argument("where", metavar="FILE|OWNER/NAME#N")
@click.argument("place", metavar="PATH[:LINE]", required=False)
@click.option("--pull-request", metavar="N", type=click.IntRange(min=1), help="Which of a FILE's.")
@click.option(
    "--audit",
    "number",
    metavar="N",
    type=click.IntRange(min=1),
    help="Which of the recorded audits of a pull request. [default: the last]",
)
@click.option(
    "--git",
    "clone",
    metavar="REPO",
    type=click.Path(exists=True, path_type=Path),
    help="A clone, to show the text of the lines.",
)
def command(
    where: str,
    place: str | None,
    pull_request: int | None,
    number: int | None,
    clone: Path | None,
) -> None:
    """Say of every added line why it counts or does not, and which agent edit supports it.

    \b
    ghapp explain acme/shop#17 src/totals.py:12
    ghapp explain replay.jsonl --pull-request 17 src/totals.py --git .

    FILE holds audit documents, one a line, or is a bundle; OWNER/NAME#N is what the app has
    recorded. Source text stands in no document. Of a single line the rule is quoted.
    """  # noqa: D301 - the \b is click's mark for "do not wrap"
    audit = _chosen(where, pull_request, number)
    path, line = _place(audit, place)
    found = list(_lines(audit, path, line))
    if not found:
        raise click.UsageError(visible(f"no added line {place or ''} in this audit", 500))
    texts = _Texts(clone, audit.merge_commit)
    for file, verdict in found:
        _explain(file, verdict, texts)
    if len(found) == 1:
        _quote(found[0][1].reason)


def _chosen(where: str, pull_request: int | None, number: int | None) -> Audit:
    """Return the one audit that is meant, recorded or in a file."""
    recorded = named(where)
    if recorded is None:
        return _of_file(Path(where), pull_request)
    name, of_name = recorded
    wanted = of_name or pull_request
    if wanted is None:
        raise click.UsageError(f"{where}: which pull request? Give {name}#17")
    audit, gone = one(name, wanted, number, "explanation")
    if gone is not None:
        click.echo(erased(gone.edits, gone.last_at.date().isoformat()))
    return audit


def _of_file(path: Path, pull_request: int | None) -> Audit:
    """Return the audit in a file that is meant; of several of a pull request the last."""
    found: dict[tuple[int | None, str | None], Audit] = {}
    try:
        for _, audit in documents(path):
            number = audit.pull_request
            if pull_request in {None, number}:
                found[number, None if number else audit.merge_commit] = audit
            if pull_request is None and len(found) > 1:
                raise click.UsageError(f"{path} holds several audits; add --pull-request N")
    except DocumentError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.UsageError(f"{path}: {error.strerror}") from error
    if not found:
        raise click.UsageError(f"{path} holds no audit of pull request {pull_request}")
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


class _Texts:
    """The files of the merged version, from a clone; without one there is no text."""

    def __init__(self, clone: Path | None, commit: str | None) -> None:
        self._clone = clone
        self._commit = commit
        self._known: dict[str, list[str]] = {}

    def of(self, path: str, line: int) -> str | None:
        """Return a line's text; ``None``: there is no clone, or it has not the line."""
        if self._clone is None or self._commit is None:
            return None
        if path not in self._known:
            self._known[path] = self._read(self._clone, self._commit, path)
        lines = self._known[path]
        return lines[line - 1] if line <= len(lines) else None

    def _read(self, clone: Path, commit: str, path: str) -> list[str]:
        try:
            content = GitRepository(clone).read_file(commit, path)
        except GitError as error:
            raise click.UsageError(f"--git {clone}: {error}") from error
        return (content or b"").decode(errors="replace").split("\n")


def _explain(file: FileVerdict, line: LineVerdict, texts: _Texts) -> None:
    click.echo(visible(f"{file.path}:{line.line}  {line.reason}: {sentence(line.reason)}", 2000))
    text = texts.of(file.path, line.line)
    if text is not None:
        click.echo(visible(f"    | {text}", 2000))
    if line.edit is not None:
        differs = "" if line.difference is None else f", differs by {line.difference:.2%}"
        at = "" if line.edited_at is None else f", {moment(line.edited_at)}"
        what = "" if line.attributed else "nearest: "
        who = agent_name(line.agent or "")
        click.echo(visible(f"    {what}{who} edit {line.edit}{at}{differs}"))
        click.echo(visible(f"    agent session {line.agent_session}"))


def _quote(reason: str) -> None:
    """Print what docs/ say of a reason and of the rule behind it."""
    for section in of_reason(reason):
        click.echo(f"\ndocs/{section.page}.md#{section.anchor}\n{section.text}")
