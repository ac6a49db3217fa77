"""Journey 2 on real files and a real store: transcripts in, evidence kept, audits due again."""

import json
from pathlib import Path
from typing import Any

import pytest

from ghapp.attribution.fingerprint import LineFingerprinter
from ghapp.attribution.model import EditResult, LineFingerprint
from ghapp.ingest.artifacts import ArtifactError
from ghapp.ingest.keep import (
    SETTLE,
    AsFingerprints,
    ImportResult,
    as_text,
    import_artifacts,
    keep_edits,
)
from ghapp.store import Lane, Repository, Store, WorkKind
from tests.store.records import DAY, NOW, document, edit

EVER = (NOW - 99 * DAY, NOW + 99 * DAY)
ROOT = "/home/ann/shop"


def call(number: int, path: str, **changed: Any) -> list[dict[str, Any]]:
    """Return the records of a Write call and its answer, as a transcript holds them."""
    common = {
        "sessionId": "s1",
        "cwd": ROOT,
        "version": "2.0.0",
        "timestamp": "2026-05-20T15:30:00.000Z",
        "isSidechain": False,
        "userType": "external",
    } | changed
    refused = common.pop("refused", False)
    tool_id, content = f"toolu_{number}", f"line_{number} = {number}\n"
    use = {
        "type": "tool_use",
        "id": tool_id,
        "name": "Write",
        "input": {"file_path": path, "content": content},
    }
    result = {
        "type": "tool_result",
        "tool_use_id": tool_id,
        "content": "done",
        "is_error": refused,
    }
    answer = {
        "type": "create",
        "filePath": path,
        "content": content,
        "structuredPatch": [],
        "originalFile": None,
    }
    return [
        common
        | {
            "type": "assistant",
            "uuid": f"a{number}",
            "parentUuid": None,
            "message": {"role": "assistant", "content": [use]},
        },
        common
        | {
            "type": "user",
            "uuid": f"u{number}",
            "parentUuid": f"a{number}",
            "message": {"role": "user", "content": [result]},
            "toolUseResult": "Error: refused" if refused else answer,
        },
    ]


def write(path: Path, *records: list[dict[str, Any]] | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = [one if isinstance(one, str) else "\n".join(map(json.dumps, one)) for one in records]
    path.write_text("\n".join(texts) + "\n")


@pytest.fixture
def transcripts(tmp_path: Path) -> Path:
    below = tmp_path / "transcripts"
    write(
        below / "a.jsonl",
        call(1, f"{ROOT}/src/app.py"),
        call(2, f"{ROOT}/src/app.py", refused=True),
        '{"type": "assistant", "message": {"content": [{"type": "tool_use", "id"',
        call(3, "/home/ann/other/app.py"),
    )
    write(below / "copy" / "b.jsonl", call(1, f"{ROOT}/src/app.py", sessionId="s2"))
    return below


def imported(store: Store, below: Path, *roots: str) -> ImportResult:
    return import_artifacts(store, 42, [below], roots, as_text, now=NOW, actor="ann")


def test_edits_below_a_root_are_kept_with_their_path_in_the_repository(
    store: Store, transcripts: Path
) -> None:
    done = imported(store, transcripts, ROOT + "/")
    assert (done.files, done.edits, done.added, done.already_known) == (2, 3, 2, 1)
    assert (done.not_applied, done.elsewhere, done.due_again) == (1, 1, frozenset())
    (unread,) = done.unread
    assert (Path(unread.source).name, unread.line) == ("a.jsonl", 5)
    kept = store.evidence.of(42, *EVER)
    assert [(one.id, one.path, one.cwd, one.actor) for one in kept] == [
        ("toolu_1", "src/app.py", None, "ann"),
        ("toolu_2", "src/app.py", None, "ann"),
    ]
    assert kept[1].outcome is not EditResult.APPLIED
    assert kept[0].lines.hunks[0].own == ("line_1 = 1",)


def test_without_a_root_all_edits_are_kept_as_they_are(
    sqlite_store: Store, transcripts: Path
) -> None:
    done = imported(sqlite_store, transcripts)
    assert (done.edits, done.added, done.elsewhere) == (4, 3, 0)
    kept = sqlite_store.evidence.of(42, *EVER, paths=["lib/app.py"])
    assert {(one.path, one.cwd) for one in kept} == {
        (f"{ROOT}/src/app.py", ROOT),
        ("/home/ann/other/app.py", ROOT),
    }


def test_importing_again_adds_nothing(store: Store, transcripts: Path) -> None:
    imported(store, transcripts, ROOT)
    store.audits.save(42, 17, document(), now=NOW)
    again = imported(store, transcripts, ROOT)
    assert (again.added, again.already_known, again.due_again) == (0, 3, frozenset())
    assert store.work.overdue(NOW + DAY) == ()


def test_evidence_makes_the_audits_it_reaches_due_again(store: Store, transcripts: Path) -> None:
    store.installations.repository_seen(
        Repository(id=42, owner="acme", name="shop", installation_id=7), now=NOW
    )
    for number, days in ((17, 0), (18, 21), (19, 22), (20, -2), (21, -3)):
        store.audits.save(42, number, document(merged_at=NOW + days * DAY), now=NOW)
    assert imported(store, transcripts, ROOT).due_again == {17, 18, 20}
    items = store.work.overdue(NOW + SETTLE)
    assert {one.pull_request for one in items} == {17, 18, 20}
    assert {(one.kind, one.lane, one.installation_id) for one in items} == {
        (WorkKind.AUDIT, Lane.RERUN, 7)
    }
    assert store.work.overdue(NOW) == ()


@pytest.mark.parametrize("original", [ROOT, f"{ROOT}/src"])
def test_a_worktree_made_from_a_root_is_a_root(
    sqlite_store: Store, tmp_path: Path, original: str
) -> None:
    away = "/tmp/worktrees/feature"  # noqa: S108 - a path in a transcript
    write(tmp_path / "t" / "a.jsonl", call(1, f"{away}/src/app.py", cwd=away))
    named = {
        "type": "worktree-state",
        "sessionId": "s1",
        "worktreeSession": {"worktreePath": away, "originalCwd": original},
    }
    write(tmp_path / "t" / "b.jsonl", [named, *call(2, f"{ROOT}/src/app.py")])
    done = imported(sqlite_store, tmp_path / "t", ROOT)
    assert (done.edits, done.added, done.elsewhere) == (2, 2, 0)
    assert {one.path for one in sqlite_store.evidence.of(42, *EVER)} == {"src/app.py"}


def test_an_edit_of_a_root_itself_is_elsewhere(sqlite_store: Store, tmp_path: Path) -> None:
    inner = f"{ROOT}/vendor/lib"
    write(tmp_path / "a.jsonl", call(1, inner), call(2, ROOT), call(3, f"{inner}/a.py"))
    done = imported(sqlite_store, tmp_path, ROOT, inner)
    assert (done.edits, done.elsewhere) == (1, 2)
    assert [one.path for one in sqlite_store.evidence.of(42, *EVER)] == ["a.py"]


def test_fingerprints_hold_no_text(sqlite_store: Store, transcripts: Path) -> None:
    import_artifacts(
        sqlite_store,
        42,
        [transcripts],
        [ROOT],
        AsFingerprints(LineFingerprinter(b"k" * 32), None),
        now=NOW,
    )
    kept = sqlite_store.evidence.of(42, *EVER)[0]
    assert isinstance(kept.lines.hunks[0].own[0], LineFingerprint)
    with sqlite_store.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM edit_batch").all()
    assert "line_1" not in repr(rows)


def test_a_path_that_is_not_there_keeps_nothing(sqlite_store: Store, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError):
        imported(sqlite_store, tmp_path / "nowhere")
    assert sqlite_store.evidence.held(42).edits == 0


def test_edits_that_come_ready_are_kept_alike(store: Store) -> None:
    store.audits.save(42, 17, document(), now=NOW)
    done = keep_edits(store, 42, [edit("a")], now=NOW)
    assert (done.added, done.due_again) == (1, {17})
