"""``ghapp explain``: prints the lines of an audit document, each with its reason and its edit."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ghapp.attribution.model import Audit, EditSource, FileVerdict, LineVerdict
from ghapp.cli.app_store import data_option
from ghapp.cli.output import format_option, print_json
from ghapp.cli.recorded import named, recorded_audit
from ghapp.cli.source_text import SourceText, clone_option
from ghapp.documents.files import DocumentError, documents
from ghapp.git.process import GitError
from ghapp.reports import declared
from ghapp.reports.coverage import erased
from ghapp.reports.harmless import visible
from ghapp.reports.summary import moment, summarize
from ghapp.reports.words import NOT_RECORDED, agent_name, made_by, sentence
from ghapp.rulebook import of_reason

if TYPE_CHECKING:  # files of documents are read without the server's packages
    from ghapp.store import ErasedSince


@click.command("explain", short_help="Say why lines of an audit document count or do not.")
@data_option
@click.argument("where", metavar="FILE|OWNER/NAME#N")
@click.argument("place", metavar="PATH[:LINE]", required=False)
@click.option("--pull-request", metavar="N", type=click.IntRange(min=1), help="Which one in FILE.")
@click.option(
    "--audit",
    "number",
    metavar="N",
    type=click.IntRange(min=1),
    help="Which recorded audit of the pull request. [default: the last]",
)
@clone_option
@format_option
def command(  # noqa: PLR0913, PLR0917 - click hands over each option
    where: str,
    place: str | None,
    pull_request: int | None,
    number: int | None,
    clone: Path | None,
    form: str,
) -> None:
    """Say why each added line counts or does not, and which agent edit supports it.

    \b
    ghapp explain acme/shop#17 src/totals.py:12
    ghapp explain replay.jsonl --pull-request 17 src/totals.py --git .

    FILE holds audit documents, one per line, or is a bundle. OWNER/NAME#N is a recorded audit of
    the app. Documents hold no source text. For a single line, the rule is quoted too.
    """  # noqa: D301 - the \b is click's mark for "do not wrap"
    audit, gone = _chosen(where, pull_request, number)
    path, line = _place(audit, place)
    found = list(_lines(audit, path, line))
    if not found:
        raise click.UsageError(visible(f"no added line {place or ''} in this audit", 500))
    source = SourceText(clone)
    explained: list[dict[str, Any]] = []
    summary = summarize(audit)
    beside = [
        declared.beside(summary.declared, summary.measured, visible),
        declared.pushed(summary.agent_commits, summary.declared, visible),
    ]
    if gone is not None and form == "text":
        click.echo(erased(gone.edits, gone.last_at.date().isoformat()))
    for said in filter(None, beside if form == "text" else ()):
        click.echo(said)
    for file, verdict in found:
        try:
            text = source.line(audit.merge_commit, file.path, verdict.line)
        except GitError as error:
            raise click.UsageError(f"--git {clone}: {error}") from error
        made = (audit.edits or {}).get(verdict.edit or "")
        explained.append({"path": file.path, "text": text, "verdict": verdict, "made_by": made})
        if form == "text":
            _explain(file, verdict, text, made)
    if form == "json":
        lost = gone and {"edits": gone.edits, "last_at": gone.last_at}
        print_json(
            {
                "lines": explained,
                "erased": lost,
                "declared": audit.inputs.declared,
                "measured": None if summary.measured is None else audit.totals.by_agent,
            }
        )
    elif len(found) == 1:
        _quote(found[0][1].reason)


def _chosen(
    where: str, pull_request: int | None, number: int | None
) -> "tuple[Audit, ErasedSince | None]":
    """Return the audit that the arguments name, and what was erased of its evidence since."""
    recorded = named(where)
    if recorded is None:
        return _of_file(Path(where), pull_request), None
    name, of_name = recorded
    wanted = of_name or pull_request
    if wanted is None:
        raise click.UsageError(f"{where}: add the number of a pull request, as in {name}#17")
    return recorded_audit(name, wanted, number, "explanation")


def _of_file(path: Path, pull_request: int | None) -> Audit:
    """Return the audit in a file; of several audits of a pull request the last."""
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


def _explain(
    file: FileVerdict, line: LineVerdict, text: str | None, source: EditSource | None
) -> None:
    click.echo(visible(f"{file.path}:{line.line}  {line.reason}: {sentence(line.reason)}", 2000))
    if text is not None:
        click.echo(visible(f"    | {text}", 2000))
    if line.edit is not None:
        differs = "" if line.difference is None else f", differs by {line.difference:.2%}"
        at = "" if line.edited_at is None else f", {moment(line.edited_at)}"
        what = "" if line.attributed else "nearest: "
        who = agent_name(line.agent or "")
        unsure = f", {NOT_RECORDED}" if line.outcome else ""
        click.echo(visible(f"    {what}{who} edit {line.edit}{at}{differs}{unsure}"))
        click.echo(visible(f"    agent session {line.agent_session}, {made_by(source)}", 2000))


def _quote(reason: str) -> None:
    """Print what docs/ says about a reason and the rule behind it."""
    for section in of_reason(reason):
        click.echo(f"\ndocs/{section.page}.md#{section.anchor}\n{section.text}")
