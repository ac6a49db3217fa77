"""Files below directories: which are read, in what order, and what is said of the others."""

import json
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

import pytest

from ghapp.attribution.model import Edit, PassedOver, UnreadEvidence
from ghapp.evidence.source import Worktree
from ghapp.ingest.artifacts import SILENT, UNRECOGNIZED, ArtifactError, find_evidence
from tests.cases import FIXTURES

CASES = FIXTURES / "evidence" / "claude_code"
PLAIN = (CASES / "applied_edit" / "agent_session.jsonl").read_bytes()


def transcript(call: str = "toolu_01A", agent_session: str = "s") -> bytes:
    return PLAIN.replace(b"toolu_01A", call.encode()).replace(
        b"5f0c7d1e-2b3a-4c4d-8e5f-60718293a4b5", agent_session.encode()
    )


def ids(*paths: Path) -> list[str]:
    return [found.id if isinstance(found, Edit) else "?" for found in find_evidence(paths)]


def test_directories_are_walked_by_name(tmp_path: Path) -> None:
    for name in ("b/one.jsonl", "b/a/two.jsonl", "a/three.jsonl", "zero.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(transcript(Path(name).stem))
    assert ids(tmp_path) == ["zero", "three", "one", "two"]


def test_files_without_evidence_are_counted(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(PLAIN)
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "rollout.jsonl").write_text('{"type":"session_meta","payload":{}}\n')
    (tmp_path / "image.jsonl").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert list(find_evidence([tmp_path])) == [
        PassedOver(agent=None, what=UNRECOGNIZED, count=1),
        PassedOver(agent="codex", what=SILENT, count=1),
    ]


def test_a_file_that_is_named_is_read_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(PLAIN)
    assert ids(tmp_path / "notes.txt") == ["toolu_01A"]


@pytest.mark.parametrize("cut", [PLAIN.index(b"\n") + 1, PLAIN.index(b"\n"), 700, 20])
def test_numbered_parts_are_one_file(tmp_path: Path, cut: int) -> None:
    parts = [PLAIN[:cut], PLAIN[cut : cut + 900], PLAIN[cut + 900 :]]
    for name, part in zip(("full.jsonl", "full.jsonl.002", "full.jsonl.010"), parts, strict=True):
        (tmp_path / name).write_bytes(part)
    assert ids(tmp_path) == ["toolu_01A"]


def test_parts_without_a_line_end_keep_their_lines_apart(tmp_path: Path) -> None:
    for number, line in enumerate(PLAIN.splitlines()):
        (tmp_path / f"full.jsonl.{number:03}").write_bytes(line)
    assert ids(tmp_path) == ["toolu_01A"]


def test_a_copy_of_a_file_counts_once_and_a_fork_is_kept(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(transcript())
    (tmp_path / "b.jsonl").write_bytes(transcript())
    (tmp_path / "c.jsonl").write_bytes(transcript(agent_session="fork"))
    found = [edit for edit in find_evidence([tmp_path]) if isinstance(edit, Edit)]
    assert [(edit.id, edit.agent_session) for edit in found] == [
        ("toolu_01A", "s"),
        ("toolu_01A", "fork"),
    ]


def test_a_path_given_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(PLAIN + b"{broken\n")
    assert ids(tmp_path, tmp_path / "a.jsonl", tmp_path) == ["toolu_01A", "?"]


def test_links_are_followed_and_loops_end(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (real / "a.jsonl").write_bytes(PLAIN)
    (real / "up").symlink_to(tmp_path)
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(real)
    assert ids(root) == ["toolu_01A"]


def test_a_missing_path_is_said_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(PLAIN)
    with pytest.raises(ArtifactError, match=r"no evidence at .*nowhere"):
        next(find_evidence([tmp_path, tmp_path / "nowhere"]))


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "gone.jsonl").symlink_to(tmp_path / "nowhere")
    (tmp_path / "there.jsonl").write_bytes(PLAIN)
    unread, edit = find_evidence([tmp_path])
    assert isinstance(unread, UnreadEvidence)
    assert (unread.source, unread.line) == (str(tmp_path / "gone.jsonl"), None)
    assert isinstance(edit, Edit)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    (found,) = find_evidence([tmp_path])
    assert isinstance(found, UnreadEvidence)
    assert found.line is None


def test_a_broken_line_is_named_by_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(PLAIN + b'{"half":\n')
    _, unread = find_evidence([tmp_path])
    assert isinstance(unread, UnreadEvidence)
    assert (unread.source, unread.line) == (str(tmp_path / "a.jsonl"), 3)


def test_a_broken_record_that_stands_in_many_copies_is_told_once(tmp_path: Path) -> None:
    text = PLAIN
    for name in ("first", "resumed", "forked"):
        (tmp_path / f"{name}.jsonl").write_bytes(text + b'{"type":"assistant","message":\n')
    (tmp_path / "other.jsonl").write_bytes(text + b'{"type":"user","message":\n')
    unread = [one for one in find_evidence([tmp_path]) if isinstance(one, UnreadEvidence)]
    assert [Path(one.source).name for one in unread] == ["first.jsonl", "other.jsonl"]


def test_worktrees_are_found_beside_the_edits() -> None:
    found = list(find_evidence([CASES / "worktree"]))
    assert [type(one) for one in found] == [Worktree, Edit, Worktree]


def test_the_order_of_reading_changes_nothing() -> None:
    folders = sorted(CASES.iterdir())

    def edits(paths: list[Path]) -> set[str]:
        return {json.dumps(str(one)) for one in find_evidence(paths)}

    assert edits(folders) == edits(folders[::-1])


# --- other agents' files ----------------------------------------------------------------------


def test_documents_are_read_by_the_names_that_agents_give_them(tmp_path: Path) -> None:
    part = (FIXTURES / "evidence/opencode/single_part/prt_12.json").read_bytes()
    for name in ("prt_12.json", "settings.json", "agent-1.meta.json"):
        (tmp_path / name).write_bytes(part)
    assert ids(tmp_path) == ["call_12"]
    assert ids(tmp_path / "settings.json") == ["call_12"]


def test_a_compressed_file_is_named_where_the_library_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    (tmp_path / "rollout-1.jsonl.zst").write_bytes(b"\x28\xb5\x2f\xfd")
    (unread,) = find_evidence([tmp_path])
    assert isinstance(unread, UnreadEvidence)
    assert "zstd -d" in unread.problem


class Zstandard(ModuleType):
    """A library that packs nothing: its compressed files are the plain ones."""

    ZstdError = type("ZstdError", (Exception,), {})

    class ZstdDecompressor:
        """The part of the library that is asked for."""

        def stream_reader(self, file: BinaryIO, *, read_across_frames: bool) -> BinaryIO:
            """Return the file as it is, after a sign that it is packed."""
            assert read_across_frames
            if file.read(4) != b"ZSTD":
                raise Zstandard.ZstdError("no such file")
            return file


def test_a_compressed_file_is_read_where_the_library_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", Zstandard("zstandard"))
    (tmp_path / "a.jsonl.zst").write_bytes(b"ZSTD" + transcript("packed"))
    (tmp_path / "b.jsonl.zst").write_bytes(b"damaged")
    packed, unread = find_evidence([tmp_path])
    assert isinstance(packed, Edit)
    assert packed.id == "packed"
    assert isinstance(unread, UnreadEvidence)
    assert "damaged: no such file" in unread.problem


def test_a_log_that_repeats_another_beside_it_is_not_read(tmp_path: Path) -> None:
    logs = tmp_path / "brain" / "c" / ".system_generated" / "logs"
    names = ("transcript.jsonl", "transcript_full.jsonl")
    chunks = ("chunks/transcript/0.jsonl", "chunks/transcript_full/0.jsonl")
    for name in (*names, *chunks):
        (logs / name).parent.mkdir(parents=True, exist_ok=True)
        (logs / name).write_bytes(transcript(name))
    assert ids(tmp_path) == ["transcript_full.jsonl"]
    (logs / names[1]).unlink()
    assert ids(tmp_path) == ["transcript.jsonl", "chunks/transcript_full/0.jsonl"]


def test_below_a_folder_known_records_that_nobody_reads_are_named(tmp_path: Path) -> None:
    threads = tmp_path / ".local/share/amp/threads"
    threads.mkdir(parents=True)
    (threads / "T-1.json").write_text('{"v":1,"messages":[]}')
    (threads / "settings.json").write_text("{}")
    [found] = find_evidence([tmp_path])
    assert found == PassedOver(agent="amp", what=UNRECOGNIZED, count=1)


def database(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_the_database_of_opencode_is_read_row_by_row(tmp_path: Path) -> None:
    part = json.loads((FIXTURES / "evidence/opencode/single_part/prt_12.json").read_bytes())
    kept = {name: part[name] for name in ("type", "callID", "tool", "state")}
    told = json.dumps(kept).replace("'", "''")
    database(
        tmp_path / "opencode.db",
        "CREATE TABLE session (id TEXT, directory TEXT)",
        "CREATE TABLE part (id TEXT, message_id TEXT, session_id TEXT, data TEXT)",
        "INSERT INTO session VALUES ('ses_1', '/home/dev/shop')",
        f"INSERT INTO part VALUES ('prt_2', 'msg_1', 'ses_1', '{told}')",  # noqa: S608 - a fixture
        """INSERT INTO part VALUES ('prt_1', 'msg_1', 'ses_1', '{"type":"text","text":"tool"}')""",
        """INSERT INTO part VALUES ('prt_3', 'msg_1', 'ses_1', '{"type":"tool", cut')""",
    )
    edit, unread = find_evidence([tmp_path])
    assert isinstance(edit, Edit)
    assert (edit.id, edit.agent_session, edit.cwd) == ("call_12", "ses_1", "/home/dev/shop")
    assert isinstance(unread, UnreadEvidence)


def test_a_database_of_another_kind_is_named(tmp_path: Path) -> None:
    database(tmp_path / "opencode.db", "CREATE TABLE note (text TEXT)")
    database(tmp_path / "state.vscdb", "CREATE TABLE note (text TEXT)")
    unread, other = find_evidence([tmp_path, tmp_path / "state.vscdb"])
    assert other == PassedOver(agent=None, what=UNRECOGNIZED, count=1)
    assert isinstance(unread, UnreadEvidence)
    assert "no such table" in unread.problem
