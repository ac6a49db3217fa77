"""``ghapp evidence preview``: shows what the app would store of transcripts. It stores nothing."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.identity import EditIdentity, identity
from ghapp.attribution.model import (
    Edit,
    EditResult,
    LineFingerprint,
    PassedOver,
    Struct,
    UnreadEvidence,
)
from ghapp.attribution.paths import below, tidy
from ghapp.cli.options import as_roots
from ghapp.cli.output import at_work, while_silent, write_out
from ghapp.cli.problems import name_problems, say_passed_over
from ghapp.evidence.source import Worktree, added_up
from ghapp.ingest.artifacts import find_evidence
from ghapp.reports.harmless import visible
from ghapp.reports.summary import moment

UNREAD = 1
"""Exit status where some of the evidence could not be read."""

PREVIEW_KEY = b"only for the eyes of its developer"
"""Replaces the installation's secret key: the hashes differ, their number and lengths do not."""

OUTSIDE = "edits outside the roots"
READING = "reading transcripts"

EXISTING = click.Path(exists=True, path_type=Path)

roots_option = click.option(
    "--root",
    "roots",
    metavar="PATH",
    multiple=True,
    callback=as_roots,
    help="A checkout of the repository on the machine that wrote the transcripts: keep only edits "
    "below it, with their paths in the repository. May be given several times. "
    "[default: all edits, paths as they are]",
)

Previewed = Edit | UnreadEvidence | PassedOver


class PreviewedEdit(Struct, frozen=True):
    """One edit as the JSON form names it; the members stay."""

    agent: str
    version: str | None
    model: str | None
    agent_session: str
    id: str
    tool: str
    path: str
    at: datetime
    outcome: EditResult
    own: int
    """How many own lines it has."""
    lines: tuple[str, ...] | UnsetType = UNSET
    """Its own lines as text, in the order in which they were written."""


class UnreadPlace(Struct, frozen=True):
    """A piece of evidence that could not be read, as the JSON form names it."""

    path: str
    line: int | None
    problem: str


@click.command("preview")
@click.argument("paths", metavar="FILE|DIR...", nargs=-1, required=True, type=EXISTING)
@roots_option
@click.option("--counts", is_flag=True, help="Print how many fingerprints, not each of them.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="text for people, json for programs: edits, what is unread, what was passed over.",
)
@click.option("--lines", is_flag=True, help="With json: print each edit's own lines as text.")
def preview(
    paths: tuple[Path, ...], roots: tuple[str, ...], form: str, *, counts: bool, lines: bool
) -> None:
    """Print exactly what the app would store of transcripts. Sends nothing and stores nothing.

    The app stores only the fingerprint of a line: a hash of the whole line, then a hash and the
    length of each word and sign in it. It never stores prompts and conversations. It stores the
    text of lines only where its operator chose that (GHAPP_EVIDENCE_ENCODING=text).

    The last words say what was passed over: calls and files that no reader takes for an edit.
    """
    if lines and form != "json":
        raise click.UsageError("--lines belongs to --format json, and prints code")
    found = while_silent(READING, _would_keep(paths, roots))
    unread = _print_json(found, lines=lines) if form == "json" else _print_text(found, counts)
    if unread:
        name_problems(unread)
        raise click.exceptions.Exit(UNREAD)


def _would_keep(paths: tuple[Path, ...], roots: tuple[str, ...]) -> Iterator[Previewed]:
    """Yield the edits that the app would keep, each once, what is unread and what passed over."""
    with at_work(READING):
        homes = _homes(paths, roots)
    shown: set[EditIdentity] = set()
    outside: Counter[str] = Counter()
    for found in find_evidence(paths, lambda path: _place(homes, path) is not None):
        if isinstance(found, UnreadEvidence | PassedOver):
            yield found
        elif isinstance(found, Edit) and (same := identity(found)) not in shown:
            shown.add(same)
            place = _place(homes, found.path)
            if place is None:
                outside[found.agent] += 1
            else:
                yield replace(found, path=place, cwd=None if homes else found.cwd)
    for agent, count in outside.items():
        yield PassedOver(agent=agent, what=OUTSIDE, count=count)


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


# --- text -----------------------------------------------------------------------------------------


def _print_text(found: Iterable[Previewed], counts: bool) -> list[UnreadEvidence]:  # noqa: FBT001
    """Print the edits as they are stored, and what was passed over; return what is unread."""
    fingerprinter = LineFingerprinter(PREVIEW_KEY)
    edits, unread, passed_over = 0, [], []
    for one in found:
        if isinstance(one, Edit):
            edits += 1
            lines = fingerprinter.lines(one.lines)  # type: ignore[arg-type]  # sources yield text
            _print_edit(replace(one, lines=lines), counts=counts)
        elif isinstance(one, UnreadEvidence):
            unread.append(one)
        else:
            passed_over.append(one)
    say_passed_over(added_up(passed_over))
    click.echo(f"{edits} edit(s) would be stored")
    return unread


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


# --- JSON -----------------------------------------------------------------------------------------


def _print_json(found: Iterable[Previewed], *, lines: bool) -> list[UnreadEvidence]:
    """Print one JSON object, edit by edit as they are read; return what is unread."""
    unread: list[UnreadEvidence] = []
    write_out(_json(found, unread, lines=lines), None)
    return unread


def _json(
    found: Iterable[Previewed], unread: list[UnreadEvidence], *, lines: bool
) -> Iterator[bytes]:
    """Yield the parts of the JSON object, and append what is unread."""
    passed_over: list[PassedOver] = []
    before = b'{"edits": ['
    for one in found:
        if isinstance(one, Edit):
            yield before + b"\n" + _encoded(_previewed(one, lines=lines))
            before = b","
        elif isinstance(one, UnreadEvidence):
            unread.append(one)
        else:
            passed_over.append(one)
    yield b"],\n" if before == b"," else b'{"edits": [],\n'
    places = [UnreadPlace(path=one.source, line=one.line, problem=one.problem) for one in unread]
    yield b'"unread": ' + _encoded(places) + b",\n"
    yield b'"passed_over": ' + _encoded(added_up(passed_over)) + b"}\n"


def _previewed(edit: Edit, *, lines: bool) -> PreviewedEdit:
    own = tuple(str(line) for hunk in edit.lines.hunks for line in hunk.own)
    return PreviewedEdit(
        agent=edit.agent,
        version=edit.agent_version,
        model=edit.model,
        agent_session=edit.agent_session,
        id=edit.id,
        tool=edit.tool,
        path=edit.path,
        at=edit.at.astimezone(UTC),
        outcome=edit.outcome,
        own=len(own),
        lines=own if lines else UNSET,
    )


def _encoded(value: object) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        # JSON can hold half of a surrogate pair, UTF-8 cannot.
        return json.dumps(msgspec.to_builtins(value)).encode()
