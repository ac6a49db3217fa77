"""An audit from the index is the same, byte for byte, as one from all evidence."""

from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from ghapp.attribution.attribute import attribute
from ghapp.attribution.codebook import Codebook, FingerprintCodebook
from ghapp.attribution.document import to_document
from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.model import (
    AuditSubject,
    Change,
    Edit,
    EditHunk,
    EditLines,
    EditResult,
    Evidence,
    FileSnapshot,
    PassedOver,
    ShellCommand,
    UnreadEvidence,
)
from ghapp.attribution.policy import CLAUDE_CODE_V1, CLAUDE_CODE_V1_MOVED, Policy
from ghapp.attribution.unified_diff import parse_diff
from ghapp.auditing.edit_index import EditIndex, write_index
from ghapp.auditing.replay import HistoryAuditor
from ghapp.evidence.source import Worktree, with_worktrees, without_used
from ghapp.ingest.artifacts import find_evidence
from ghapp.ingest.keep import AsFingerprints, as_text, import_artifacts
from ghapp.store import Installation, Repository, Store
from tests.cases import cases, names
from tests.searching import FACTOR, sampled

FOLDERS = cases("audits")
NOW = datetime(2027, 1, 1, tzinfo=UTC)
POLICIES = [CLAUDE_CODE_V1, CLAUDE_CODE_V1_MOVED]


def index_of(paths: list[Path], folder: Path, *, roots: list[str], likely: list[str]) -> EditIndex:
    folder.mkdir()
    write_index(find_evidence(paths), folder, roots=roots, likely_roots=likely)
    return EditIndex(folder)


def subject_of(folder: Path) -> AuditSubject:
    case = msgspec.json.decode((folder / "case.json").read_bytes())
    return AuditSubject(
        merged_at=datetime.fromisoformat(case["merged_at"]),
        repository=case["repository"],
        pull_request=case["pull_request"],
    )


def change_of(folder: Path) -> Change:
    return Change(files=parse_diff((folder / "change.diff").read_bytes()))


Found = list[Edit | FileSnapshot | PassedOver | ShellCommand | UnreadEvidence | Worktree]


def whole(found: Found, subject: AuditSubject, policy: Policy, likely: list[str]) -> Evidence:
    """Return all evidence of an audit's span, as the app reads it."""
    since, until = policy.evidence_span(subject.merged_at)
    commands = [one for one in found if isinstance(one, ShellCommand)]
    return Evidence(
        edits=tuple(one for one in found if isinstance(one, Edit) and since <= one.at <= until),
        likely_roots=with_worktrees(likely, [one for one in found if isinstance(one, Worktree)]),
        snapshots=tuple(one for one in found if isinstance(one, FileSnapshot)),
        commands=tuple(commands),
        unread=tuple(one for one in found if isinstance(one, UnreadEvidence)),
        passed_over=without_used((one for one in found if isinstance(one, PassedOver)), commands),
    )


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.id)
@pytest.mark.parametrize("folder", FOLDERS, ids=names(FOLDERS))
def test_same_document_as_of_all_evidence(folder: Path, policy: Policy, tmp_path: Path) -> None:
    subject, change = subject_of(folder), change_of(folder)
    paths, likely = [folder / "evidence"], ["/home/dev/shop"]
    index = index_of(paths, tmp_path / "index", roots=[], likely=likely)
    evidence = whole(list(find_evidence(paths)), subject, policy, likely)
    expected = attribute(subject, change, evidence, policy, at=NOW)
    actual = HistoryAuditor(index).audit(subject, change, policy, NOW)
    assert to_document(actual) == to_document(expected)


GIVEN = ["/home/dev/shop"]
BY_COMMANDS = [
    folder
    for folder in FOLDERS
    if folder.name.startswith(("substituted_", "shell_text_", "moved_", "copied_"))
]


@pytest.mark.parametrize("folder", BY_COMMANDS, ids=names(BY_COMMANDS))
def test_commands_count_the_same_below_given_roots(folder: Path, tmp_path: Path) -> None:
    subject, change = subject_of(folder), change_of(folder)
    paths = [folder / "evidence"]
    index = index_of(paths, tmp_path / "index", roots=GIVEN, likely=[])
    evidence = replace(
        whole(list(find_evidence(paths)), subject, CLAUDE_CODE_V1, []), roots=tuple(GIVEN)
    )
    expected = attribute(subject, change, evidence, CLAUDE_CODE_V1, at=NOW)
    actual = HistoryAuditor(index).audit(subject, change, CLAUDE_CODE_V1, NOW)
    assert (actual.files, actual.totals) == (expected.files, expected.totals)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.id)
def test_same_document_among_the_evidence_of_all_cases(policy: Policy, tmp_path: Path) -> None:
    paths = [folder / "evidence" for folder in FOLDERS if (folder / "evidence").exists()]
    index = index_of(paths, tmp_path / "index", roots=[], likely=[])
    found = list(find_evidence(paths))
    for folder in FOLDERS:
        subject, change = subject_of(folder), change_of(folder)
        evidence = whole(found, subject, policy, [])
        # The app's store keeps one copy of an edit: the one that the index keeps, too.
        kept = {edit.id for edit in evidence.edits}
        assert kept
        expected = attribute(subject, change, evidence, policy, at=NOW)
        actual = HistoryAuditor(index).audit(subject, change, policy, NOW)
        assert actual.totals == expected.totals, folder.name
        assert actual.verdict == expected.verdict, folder.name


KEY = bytes(32)
STORES = (
    ("sqlite_store", [], None),
    ("sqlite_store", GIVEN, KEY),
    ("postgresql_store", [], KEY),
)
"""A database, roots that are given or inferred, and the key of fingerprints or text.

A plain run holds each case to one of them, the nightly run to `EVERY_STORE`.
"""
EVERY_STORE = tuple(product(("sqlite_store", "postgresql_store"), ([], GIVEN), (None, KEY)))


@pytest.mark.parametrize(
    ("name", "roots", "key"),
    EVERY_STORE if FACTOR > 1 else STORES,
    ids=lambda one: one if isinstance(one, str) else type(one).__name__ + str(len(one or ())),
)
def test_same_document_as_from_the_store(
    request: pytest.FixtureRequest, name: str, roots: list[str], key: bytes | None, tmp_path: Path
) -> None:
    store: Store = request.getfixturevalue(name)
    made = None if key is None else LineFingerprinter(key)
    encode = as_text if made is None else AsFingerprints(made, "1.1")
    store.installations.seen(Installation(id=1, account="acme"), now=NOW)
    repository = Repository(id=7, owner="acme", name="shop", installation_id=1)
    store.installations.repository_seen(repository, now=NOW)
    paths = [
        folder / "evidence"
        for folder in FOLDERS
        if (folder / "evidence").exists() and "broken" not in folder.name
    ]
    import_artifacts(store, 7, paths, roots, encode, now=NOW, actor="ann")
    # The store keeps nothing of a file's content, so it cannot tell a checkout by it, and nothing
    # of what was passed over or of commands.
    beside = FileSnapshot | PassedOver | ShellCommand
    found = (one for one in find_evidence(paths) if not isinstance(one, beside))
    lines = None if made is None else made.lines
    write_index(found, tmp_path, roots=roots, likely_roots=[], encode=lines)
    auditor = HistoryAuditor(EditIndex(tmp_path), key)
    turn = 0 if FACTOR > 1 else STORES.index((name, roots, key))
    for folder in sampled(FOLDERS, len(STORES), turn):
        subject, change = subject_of(folder), change_of(folder)
        span = CLAUDE_CODE_V1.evidence_span(subject.merged_at)
        evidence = Evidence(edits=store.evidence.of(7, *span), passed_over=())
        is_text = made is None or not any(edit.lines.hunks for edit in evidence.edits)
        book = Codebook() if is_text else FingerprintCodebook(made)
        expected = attribute(subject, change, evidence, CLAUDE_CODE_V1, at=NOW, book=book)
        actual = auditor.audit(subject, change, CLAUDE_CODE_V1, NOW)
        assert to_document(actual) == to_document(expected), folder.name


def edit(number: int, **more: object) -> Edit:
    given = {
        "id": f"toolu_{number}",
        "agent": "claude-code",
        "agent_session": "s",
        "at": datetime(2026, 5, 19, 10, tzinfo=UTC),
        "path": "/home/dev/shop/src/a.py",
        **more,
    }
    return Edit(**given)  # type: ignore[arg-type]


def test_no_edits_at_all(tmp_path: Path) -> None:
    write_index([], tmp_path, roots=[], likely_roots=[])
    subject = AuditSubject(merged_at=NOW)
    assert EditIndex(tmp_path).of(subject, Change(), CLAUDE_CODE_V1).considered == 0


def test_half_a_surrogate_pair_can_be_kept(tmp_path: Path) -> None:
    lines = EditLines(hunks=(EditHunk((), ("x = '\ud800'",), ()),))
    write_index([edit(1, lines=lines)], tmp_path, roots=[], likely_roots=["/home/dev/shop"])
    change = Change(files=parse_diff(b"--- a/src/a.py\n+++ b/src/a.py\n@@ -0,0 +1 @@\n+x\n"))
    subject = AuditSubject(merged_at=datetime(2026, 5, 20, tzinfo=UTC))
    found = EditIndex(tmp_path).of(subject, change, CLAUDE_CODE_V1)
    assert found.evidence.edits[0].lines.hunks[0].own == ("x = '?'",)


def test_applied_copy_is_kept(tmp_path: Path) -> None:
    copies = [edit(1, outcome=EditResult.FAILED), edit(1), edit(1, agent_session="t")]
    for order in (copies, copies[::-1]):
        write_index(order, tmp_path, roots=[], likely_roots=["/home/dev/shop"])
        subject = AuditSubject(merged_at=datetime(2026, 5, 20, tzinfo=UTC))
        assert EditIndex(tmp_path).of(subject, Change(), CLAUDE_CODE_V1).considered == 1


def test_edits_outside_of_the_roots_are_left_out(tmp_path: Path) -> None:
    found = [
        edit(1),
        edit(2, path="/home/dev/other/src/a.py"),
        edit(3, path="/home/dev/tree/src/a.py"),
        Worktree(path="/home/dev/tree", original="/home/dev/shop"),
    ]
    write_index(found, tmp_path, roots=["/home/dev/shop"], likely_roots=[])
    subject = AuditSubject(merged_at=datetime(2026, 5, 20, tzinfo=UTC))
    assert EditIndex(tmp_path).of(subject, Change(), CLAUDE_CODE_V1).considered == 2
