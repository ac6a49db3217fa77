"""Audits recorded commits from the same edits, imported in every possible way."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec.structs import replace

from bench.console import say, table
from bench.corpus import Recorded
from bench.engine import SETTLED, read_evidence
from bench.hooks import edits_by_hook
from bench.scratch import Scratch
from ghapp.attribution.attribute import attribute
from ghapp.attribution.codebook import FingerprintCodebook
from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.model import Audit, AuditSubject, Change, Edit, Evidence
from ghapp.attribution.paths import below, tidy
from ghapp.attribution.policy import CLAUDE_CODE_V1
from ghapp.attribution.unified_diff import parse_diff
from ghapp.evidence import entire
from ghapp.git.repository import GitRepository
from ghapp.ingest.carried import CarriedInventory, read, take_inventory
from ghapp.ingest.keep import AsFingerprints, import_artifacts, keep_edits
from ghapp.log import configure
from ghapp.store import EditSender, Installation, Repository, Store
from ghapp.wire import MOST_EDITS, SCHEMA, EditBatch, SentEdit

KEY = b"the key of no installation at all"
KEY_ID = "1-1"
REPOSITORY = 42
CHECKPOINT = "4a3f7ea6273b"
MACHINE = "0" * 32
FINGERPRINTER = LineFingerprinter(KEY)

Line = tuple[str, int]
"""An added line: its path and number."""


@dataclass(frozen=True)
class Unit:
    """One recorded commit."""

    name: str
    merged_at: datetime
    change: Change


def measure(directory: Path, roots: tuple[str, ...], *, as_json: bool) -> int:
    """Audit every unit in every way and print the agreement; return 1 if any differ."""
    configure("WARNING")
    units = [_unit(path.parent) for path in sorted((directory / "units").glob("*/case.json"))]
    transcripts = (directory / "transcripts",)
    with tempfile.TemporaryDirectory(prefix="ghapp-agreement-") as folder:
        rows = list(_compared(units, transcripts, roots, Path(folder)))
    figures = _figures(rows)
    if as_json:
        say(json.dumps(figures, indent=2, sort_keys=True))
    else:
        say(table([[row.unit, *map(len, row.lines.values())] for row in rows], ("unit", *WAYS)))
        for name, value in figures.items():
            say(f"{name:64} {value}")
    by_hook = any(row.lines[HOOK] != row.lines[OFFLINE] for row in rows)
    return int(by_hook or any(row.differs(way) for row in rows for way in EXACT))


OFFLINE, IMPORTED, UPLOADED, HOOK = "offline", "imported", "uploaded", "hook"
ENTIRE, NOTES = "entire", "notes"
WAYS = (OFFLINE, IMPORTED, UPLOADED, HOOK, ENTIRE, NOTES)
EXACT = (IMPORTED, UPLOADED, ENTIRE)
"""Ways that import the edits themselves; their audits must agree on every reason."""


@dataclass(frozen=True)
class Row:
    """What each way attributes of one unit."""

    unit: str
    lines: dict[str, frozenset[Line]]
    reasons: dict[str, dict[Line, str]]

    def differs(self, way: str) -> bool:
        """Return whether a way differs from the offline audit in any line."""
        return self.reasons[way] != self.reasons[OFFLINE]


def _unit(folder: Path) -> Unit:
    recorded = msgspec.json.decode((folder / "case.json").read_bytes(), type=Recorded)
    change = Change(files=parse_diff((folder / "change.diff").read_bytes()))
    return Unit(folder.name, recorded.merged_at, change)


def _compared(
    units: Sequence[Unit], transcripts: tuple[Path, ...], roots: tuple[str, ...], folder: Path
) -> Iterator[Row]:
    edits = read_evidence(transcripts).edits
    offline = Evidence(edits=tuple(map(_fingerprinted, edits)), roots=roots)
    by_hook = tuple(map(_fingerprinted, edits_by_hook(transcripts)))
    carried = _Carried(folder / "scratch", transcripts, roots)
    with closing(_store(folder / "imported")) as imported, closing(_store(folder / "sent")) as sent:
        _import(imported, transcripts, roots)
        _upload(sent, edits, roots)
        for unit in units:
            audits = {
                OFFLINE: _audit(unit, offline),
                IMPORTED: _audit(unit, _of_store(imported, unit)),
                UPLOADED: _audit(unit, _of_store(sent, unit)),
                HOOK: _audit(unit, Evidence(edits=by_hook, roots=roots)),
                ENTIRE: _audit(unit, carried.by_checkpoint(unit)),
            }
            notes = carried.by_notes(unit, audits[OFFLINE])
            audits[NOTES] = _audit(unit, notes)
            yield _row(unit, audits)


def _audit(unit: Unit, evidence: Evidence) -> Audit:
    return attribute(
        AuditSubject(merged_at=unit.merged_at),
        unit.change,
        evidence,
        CLAUDE_CODE_V1,
        at=unit.merged_at + SETTLED,
        book=FingerprintCodebook(FINGERPRINTER),
    )


def _row(unit: Unit, audits: dict[str, Audit]) -> Row:
    reasons = {
        way: {(file.path, line.line): line.reason for file in audit.files for line in file.lines}
        for way, audit in audits.items()
    }
    lines = {
        way: frozenset(
            (file.path, line.line) for file in audit.files for line in file.lines if line.attributed
        )
        for way, audit in audits.items()
    }
    return Row(unit.name, lines, reasons)


def _figures(rows: Sequence[Row]) -> dict[str, int]:
    found = {"units": len(rows)}
    for way in WAYS:
        found[f"lines attributed, {way}"] = sum(len(row.lines[way]) for row in rows)
    for way in EXACT:
        found[f"units equal to the offline audit in every reason, {way}"] = sum(
            not row.differs(way) for row in rows
        )
    # The hook does not learn of failed calls, so the reasons of other lines may differ.
    found["units with the same lines attributed as offline, hook"] = sum(
        row.lines[HOOK] == row.lines[OFFLINE] for row in rows
    )
    found["lines attributed offline and by notes"] = sum(
        len(row.lines[OFFLINE] & row.lines[NOTES]) for row in rows
    )
    found["lines attributed by notes and not offline"] = sum(
        len(row.lines[NOTES] - row.lines[OFFLINE]) for row in rows
    )
    return found


def _fingerprinted(edit: Edit) -> Edit:
    return replace(edit, lines=FINGERPRINTER.lines(edit.lines))  # type: ignore[arg-type]  # read as text


# --- through the store --------------------------------------------------------------------------


def _store(path: Path) -> Store:
    store = Store.open(f"sqlite:///{path}.sqlite3")
    now = datetime.now().astimezone()
    store.installations.seen(Installation(id=1, account="acme"), now=now)
    seen = Repository(id=REPOSITORY, owner="acme", name="shop", installation_id=1)
    store.installations.repository_seen(seen, now=now)
    return store


def _import(store: Store, transcripts: tuple[Path, ...], roots: tuple[str, ...]) -> None:
    encode = AsFingerprints(FINGERPRINTER, KEY_ID)
    now = datetime.now().astimezone()
    import_artifacts(store, REPOSITORY, transcripts, roots, encode, now=now)


def _upload(store: Store, edits: Sequence[Edit], roots: tuple[str, ...]) -> None:
    """Store edits that arrive in batches, as a collector sends them."""
    sent = [one for edit in edits for one in _sent(edit, roots)]
    for start in range(0, len(sent), MOST_EDITS):
        batch = EditBatch(
            schema=SCHEMA,
            client="bench",
            machine=MACHINE,
            installation=1,
            key_id=KEY_ID,
            remotes=("github.com/acme/shop",),
            edits=tuple(sent[start : start + MOST_EDITS]),
        )
        arrived = msgspec.json.decode(msgspec.json.encode(batch), type=EditBatch)
        kept = [Edit(**{name: getattr(one, name) for name in _MEMBERS}) for one in arrived.edits]
        now = datetime.now().astimezone()
        keep_edits(store, REPOSITORY, kept, now=now, sender=EditSender(key_id=KEY_ID))


_MEMBERS = ("id", "agent", "agent_session", "at", "path", "outcome", "tool", "lines")


def _sent(edit: Edit, roots: tuple[str, ...]) -> Iterator[SentEdit]:
    rests = [rest for root in roots if (rest := below(tidy(root), tidy(edit.path)))]
    if rests:
        given = {name: getattr(edit, name) for name in _MEMBERS}
        lines = FINGERPRINTER.lines(edit.lines)  # type: ignore[arg-type]  # read as text
        yield SentEdit(**{**given, "path": min(rests, key=len), "lines": lines})


def _of_store(store: Store, unit: Unit) -> Evidence:
    since, until = CLAUDE_CODE_V1.evidence_span(unit.merged_at)
    return Evidence(edits=store.evidence.of(REPOSITORY, since, until))


# --- carried by the repository ------------------------------------------------------------------


class _Carried:
    """A repository whose commits are the units, with the evidence that they carry."""

    def __init__(self, path: Path, transcripts: tuple[Path, ...], roots: tuple[str, ...]) -> None:
        self._scratch = Scratch(path)
        self._git = GitRepository(path)
        self._roots = roots
        folder = f"{CHECKPOINT[:2]}/{CHECKPOINT[2:]}"
        found = sorted(file for top in transcripts for file in top.rglob("*.jsonl"))
        files = {f"{folder}/{n}/full.jsonl": file.read_bytes() for n, file in enumerate(found)}
        self._scratch.branch(entire.BRANCH, files)

    def by_checkpoint(self, unit: Unit) -> Evidence:
        """Return the evidence of a commit that names a checkpoint with the transcripts."""
        message = f"Change\n\nEntire-Checkpoint: {CHECKPOINT}\n"
        sha = self._scratch.change(unit.change.files, unit.merged_at, message)
        return self._read(take_inventory(self._git, [sha]))

    def by_notes(self, unit: Unit, audit: Audit) -> Evidence:
        """Return the evidence of a note that names the lines which the offline audit found."""
        sha = self._scratch.change(unit.change.files, unit.merged_at, "Change")
        if note := _note(audit):
            self._scratch.git("notes", "--ref=ai", "add", "-f", "-F", "-", sha, stdin=note)
        return self._read(take_inventory(self._git, [sha]))

    def _read(self, inventory: CarriedInventory) -> Evidence:
        found = read(self._git, inventory)
        edits = [one for one in found if isinstance(one, Edit)]
        return Evidence(edits=tuple(map(_fingerprinted, edits)), roots=self._roots)


def _note(audit: Audit) -> bytes:
    """Return git-ai's note on the attributed lines of an audit; empty: it has none."""
    lines: list[str] = []
    sessions: dict[str, str] = {}
    for file in audit.files:
        numbers: dict[str, list[int]] = {}
        for line in file.lines:
            if line.attributed and line.agent_session:
                numbers.setdefault(line.agent_session, []).append(line.line)
        if numbers:
            lines.append(f'"{file.path}"')
        for agent_session, some in numbers.items():
            key = sessions.setdefault(agent_session, f"s_{len(sessions):014x}")
            lines.append(f"  {key}::t_00000000000000 {','.join(map(str, some))}")
    known = {
        key: {"agent_id": {"tool": "claude", "id": agent_session, "model": "unknown"}}
        for agent_session, key in sessions.items()
    }
    metadata = {"schema_version": "authorship/3.0.0", "prompts": {}, "sessions": known}
    text = "\n".join([*lines, "---", json.dumps(metadata)])
    return text.encode() if lines else b""
