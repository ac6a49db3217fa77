"""``ghapp evidence``: previews the evidence in transcripts, and imports it into the store."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.identity import EditIdentity, identity
from ghapp.attribution.model import Edit, LineFingerprint, UnreadEvidence
from ghapp.attribution.paths import below, tidy
from ghapp.cli import evidence_admin
from ghapp.cli.app_store import data_option, known_repository, opened, server_packages
from ghapp.cli.options import as_roots
from ghapp.cli.problems import name_problems
from ghapp.evidence.source import Worktree
from ghapp.ingest.artifacts import find_evidence
from ghapp.reports.harmless import visible
from ghapp.reports.summary import moment

if TYPE_CHECKING:  # only `import` needs the server's packages; a developer's machine has none
    from ghapp.ingest.keep import EncodeLines, ImportResult
    from ghapp.settings import Settings
    from ghapp.store import Repository, Store

UNREAD = 1
"""Exit status where some of the evidence could not be read."""

PREVIEW_KEY = b"only for the eyes of its developer"
"""Replaces the installation's secret key: the hashes differ, their number and lengths do not."""

_EXISTING = click.Path(exists=True, path_type=Path)

_roots = click.option(
    "--root",
    "roots",
    metavar="PATH",
    multiple=True,
    callback=as_roots,
    help="A checkout of the repository on the machine that wrote the transcripts: keep only edits "
    "below it, with their paths in the repository. May be given several times. "
    "[default: all edits, paths as they are]",
)


@click.group("evidence", short_help="Preview evidence, or import it.")
def command() -> None:
    """Preview the evidence in transcripts, import it, and administer what the app keeps."""


@command.command("preview")
@click.argument("paths", metavar="FILE|DIR...", nargs=-1, required=True, type=_EXISTING)
@_roots
@click.option("--counts", is_flag=True, help="Print how many fingerprints, not each of them.")
def preview(paths: tuple[Path, ...], roots: tuple[str, ...], *, counts: bool) -> None:
    """Print exactly what the app would store of transcripts. Sends nothing and stores nothing.

    The app stores only the fingerprint of a line: a hash of the whole line, then a hash and the
    length of each word and sign in it. It never stores prompts and conversations. It stores the
    text of lines only where its operator chose that (GHAPP_EVIDENCE_ENCODING=text).
    """
    edits, unread = 0, []
    for found in _would_keep(paths, roots):
        if isinstance(found, Edit):
            edits += 1
            _print_edit(found, counts=counts)
        else:
            unread.append(found)
    click.echo(f"{edits} edit(s) would be stored")
    if unread:
        name_problems(unread)
        raise click.exceptions.Exit(UNREAD)


@command.command("import")
@click.argument("directories", metavar="DIR...", nargs=-1, required=True, type=_EXISTING)
@click.option("--repository", "name", metavar="OWNER/NAME", required=True, help="Whose edits.")
@_roots
@click.option("--actor", metavar="LOGIN", help="The developer's login on GitHub.")
@data_option
def import_(
    directories: tuple[Path, ...],
    name: str,
    roots: tuple[str, ...],
    actor: str | None,
) -> None:
    """Import the edits in transcripts, and audit the pull requests again that they can change."""
    with server_packages("importing"):
        from ghapp.ingest.keep import import_artifacts  # noqa: PLC0415 - see the top

    with opened(what="importing", seals=True) as (store, settings):
        repository = known_repository(store, name)
        encode = _encode(settings, store, repository)
        imported = import_artifacts(
            *(store, repository.id, directories, roots, encode),
            now=datetime.now(UTC),
            actor=actor,
        )
    _say(imported, repository)


command.add_command(evidence_admin.erase)
command.add_command(evidence_admin.rotate_key)
command.add_command(evidence_admin.machines)
command.add_command(evidence_admin.revoke)
command.add_command(evidence_admin.coverage)


def _would_keep(paths: tuple[Path, ...], roots: tuple[str, ...]) -> Iterator[Edit | UnreadEvidence]:
    """Yield the edits as the app would keep them, each once, and what could not be read."""
    homes = _homes(paths, roots)
    fingerprinter = LineFingerprinter(PREVIEW_KEY)
    shown: set[EditIdentity] = set()
    for found in find_evidence(paths, lambda path: _place(homes, path) is not None):
        if isinstance(found, UnreadEvidence):
            yield found
        elif isinstance(found, Edit) and (same := identity(found)) not in shown:
            place = _place(homes, found.path)
            if place is not None:
                shown.add(same)
                yield _as_kept(found, place, fingerprinter, rooted=bool(homes))


def _homes(paths: tuple[Path, ...], roots: tuple[str, ...]) -> frozenset[str]:
    """Return the roots and the worktrees made from them; empty: no root was given."""
    homes = frozenset(map(tidy, roots))
    if not homes:
        return homes
    found = find_evidence(paths, lambda _: False)
    worktrees = [one for one in found if isinstance(one, Worktree)]
    while True:
        made = {tidy(one.path) for one in worktrees if _place(homes, one.original) is not None}
        if made <= homes:
            return homes
        homes |= made


def _place(homes: frozenset[str], path: str) -> str | None:
    """Return a path relative to the deepest root; ``None``: it is outside all roots."""
    if not homes:
        return path
    rests = [rest for home in homes if (rest := below(home, tidy(path))) is not None]
    return min(rests, key=len, default=None)


def _as_kept(edit: Edit, place: str, fingerprinter: LineFingerprinter, *, rooted: bool) -> Edit:
    lines = fingerprinter.lines(edit.lines)  # type: ignore[arg-type]  # sources yield text only
    return replace(edit, path=place, lines=lines, cwd=None if rooted else edit.cwd)


def _print_edit(edit: Edit, *, counts: bool) -> None:
    """Print one edit: its members, how many lines, and each line's fingerprint."""
    hunks, removed = edit.lines.hunks, edit.lines.removed
    own = [line for hunk in hunks for line in hunk.own]
    beside = [line for hunk in hunks for line in (*hunk.before, *hunk.after)]
    click.echo(f"{moment(edit.at)}  {visible(edit.path)}")
    click.echo(f"  {visible(edit.agent)} {visible(edit.tool)}, {edit.outcome}, {visible(edit.id)}")
    click.echo(f"  agent session {visible(edit.agent_session)}")
    if edit.cwd:
        click.echo(f"  working directory {visible(edit.cwd)}")
    click.echo(f"  lines: {len(own)} own, {len(beside)} beside them, {len(removed)} replaced")
    if not counts:
        for kind, lines in (("own", own), ("beside", beside), ("replaced", removed)):
            for line in lines:
                click.echo(f"    {kind:<8}  {_hexadecimal(line)}")


def _hexadecimal(line: str | LineFingerprint) -> str:
    """Return a fingerprint as it is stored: the line's hash, then each token's record."""
    if isinstance(line, str):
        return ""
    return f"{line.line.hex()}  {line.tokens.hex(' ', -5)}".rstrip()


def _encode(settings: "Settings", store: "Store", repository: "Repository") -> "EncodeLines":
    """Return what encodes an edit's lines, as the settings say."""
    from ghapp.ingest.keep import encoder  # noqa: PLC0415 - see the top
    from ghapp.keys.evidence import EvidenceKeys, KeyLost  # noqa: PLC0415 - see the top

    if repository.installation_id is None and settings.evidence_encoding != "text":
        raise click.ClickException(
            f"the app is not installed on {repository.full_name}, so it has no key for "
            "fingerprints: install it first"
        )
    try:
        keys, now = EvidenceKeys(store, settings.encryption_key), datetime.now(UTC)
        return encoder(settings.evidence_encoding, keys, repository.installation_id or 0, now=now)
    except (KeyLost, LookupError) as error:
        raise click.ClickException(str(error)) from error


def _say(imported: "ImportResult", repository: "Repository") -> None:
    """Print a summary of an import."""
    click.echo(
        f"{repository.full_name}: {imported.edits} edit(s) in {imported.files} transcript(s), "
        f"{imported.added} new, {imported.already_known} known before, "
        f"{imported.not_applied} not applied, {imported.elsewhere} elsewhere"
    )
    for number in sorted(imported.due_again):
        click.echo(f"  pull request {number} will be audited again")
    if imported.unread:
        name_problems(imported.unread)
        raise click.exceptions.Exit(UNREAD)
