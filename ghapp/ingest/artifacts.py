"""Evidence read from files and directories, one file after the other. It decides no audit.

A source recognizes its files by name and head. Below a directory, files without a name that known
agents use are skipped. A file that no source recognizes is passed over, and so is one that a source
recognizes and that yields nothing: both are counted, because an agent may have changed its format.
"""

import errno
import importlib
import io
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from ghapp.attribution.model import Edit, PassedOver, UnreadEvidence
from ghapp.evidence import claude_code
from ghapp.evidence.homes import agent_at, is_unread
from ghapp.evidence.known_files import SharedFiles
from ghapp.evidence.registry import FILE_NAMES, source_of
from ghapp.evidence.source import BESIDE, EvidenceSource, Found, WantedPath, everything
from ghapp.ingest import opencode_rows

HEAD = 64 * 1024
"""Bytes at the start of a file by which its source recognizes it."""

BUFFER = 1 << 20
"""Bytes read at once. Records are long, and a small buffer costs a system call for each."""

PACKED = ".zst"
"""Extension of compressed files, which are read if the library ``zstandard`` is there."""

UNRECOGNIZED = "files that no reader recognizes"
SILENT = "files without an edit or a call"
"""What is said of files that are passed over as a whole."""

_OF_A_MESSAGE = re.compile(r"(?:prt|msg)_.+\.json")
"""OpenCode kept each message and each part of one in a file of its own: one says nothing about the
others."""

_TRANSCRIPT = re.compile(rf"(?P<name>{FILE_NAMES})(?:\.(?P<part>\d+))?")
"""``5f0c7d1e.jsonl``, ``full.jsonl.001`` (a part), ``session-1.json``, ``opencode.db``."""


class ArtifactError(FileNotFoundError):
    """Raised if a path to read evidence from does not exist."""


class EvidenceArtifact(NamedTuple):
    """One piece of evidence: its name, and the files that hold it, in order."""

    name: str
    """The path of its first file, without a part's number."""
    parts: tuple[Path, ...]


def find_evidence(paths: Iterable[Path], wanted: WantedPath = everything) -> Iterator[Found]:
    """Yield what the artifacts below some paths hold, and what cannot be read of them.

    A path is a file, or a directory that is walked in the order of names. Equal copies of an
    edit are dropped, as are copies of a record that cannot be read: resumed agent sessions hold
    both again. The order of reading does not change that. Copies that differ, such as
    those of a forked agent session, are all yielded: only the engine, which knows all of them,
    can choose.

    Raises `ArtifactError` if a path does not exist, before anything is read.
    """
    starts = list(paths)
    for path in starts:
        if not path.exists():
            raise ArtifactError(
                f"no evidence at {path}: there is no such file or directory. "
                "Give a directory of transcripts, such as ~/.claude/projects"
            )
    seen: set[int] = set()
    for found in _found(starts, wanted):
        if isinstance(found, Edit):
            # A digest instead of the edit: memory grows by one number for each.
            digest = hash(found)
            if digest in seen:
                continue
            seen.add(digest)
        yield found


def artifacts(start: Path) -> Iterator[EvidenceArtifact | UnreadEvidence]:
    """Yield the transcripts below a path, and the directories that cannot be read.

    They come by name, a directory's files before its folders, but a folder right behind the file
    of the same name: an agent session's subagents follow it.
    """
    if not start.is_dir():
        yield EvidenceArtifact(str(start), (start,))
        return
    walked: set[tuple[int, int]] = set()
    _is_new(start, walked)
    waiting = [_listed(start)]
    while waiting:
        found = next(waiting[-1], None)
        if found is None:
            waiting.pop()
        elif isinstance(found, Path):
            # A link may lead back up, so each directory is walked only once.
            if _is_new(found, walked):
                waiting.append(_listed(found))
        else:
            yield found


def _listed(directory: Path) -> Iterator[EvidenceArtifact | UnreadEvidence | Path]:
    """Yield the transcripts and the folders of a directory."""
    try:
        with os.scandir(directory) as entries:
            is_folder = {entry.name: entry.is_dir() for entry in entries}
    except OSError as problem:
        yield UnreadEvidence(source=str(directory), line=None, problem=_sentence(problem))
        return
    folders = sorted(name for name, is_one in is_folder.items() if is_one)
    files = [name for name, is_one in is_folder.items() if not is_one]
    for artifact in _grouped(directory, files):
        yield artifact
        own = Path(artifact.name).stem
        if own in folders:
            folders.remove(own)
            yield directory / own
    for name in folders:
        yield directory / name


def _is_new(directory: Path, walked: set[tuple[int, int]]) -> bool:
    try:
        status = directory.stat()
    except OSError:
        return True
    key = (status.st_dev, status.st_ino)
    if key in walked:
        return False
    walked.add(key)
    return True


def _grouped(directory: Path, files: list[str]) -> Iterator[EvidenceArtifact]:
    """Yield the transcripts of one directory, each with its parts in order."""
    groups: dict[str, list[tuple[int, Path]]] = {}
    for file in files:
        match = _TRANSCRIPT.fullmatch(file)
        if match is None and is_unread(str(directory / file)):
            groups[file] = [(-1, directory / file)]
        if match and not _is_copy(directory, file):
            number = int(match["part"]) if match["part"] else -1
            groups.setdefault(match["name"], []).append((number, directory / file))
    for name in sorted(groups):
        parts = tuple(path for _, path in sorted(groups[name]))
        yield EvidenceArtifact(str(directory / name), parts)


def _is_copy(directory: Path, file: str) -> bool:
    """Return whether a file repeats another beside it: Antigravity writes each log several times.

    ``transcript.jsonl`` repeats ``transcript_full.jsonl`` with long texts cut, and ``chunks`` holds
    copies of both.
    """
    if directory.parent.name == "chunks":
        return (directory.parent.parent / f"{directory.name}.jsonl").exists()
    return file == "transcript.jsonl" and (directory / "transcript_full.jsonl").exists()


def each_artifact(starts: Iterable[Path]) -> Iterator[EvidenceArtifact | UnreadEvidence]:
    """Yield what `artifacts` yields of some paths, each file once."""
    done: set[Path] = set()
    for start in starts:
        for artifact in artifacts(start):
            if isinstance(artifact, UnreadEvidence):
                yield artifact
                continue
            file = artifact.parts[0].resolve()
            if file not in done:
                done.add(file)
                yield artifact


def _found(starts: list[Path], wanted: WantedPath) -> Iterator[Found]:
    reader = ArtifactReader(wanted)
    for artifact in each_artifact(starts):
        if isinstance(artifact, UnreadEvidence):
            yield artifact
        else:
            yield from reader.read(artifact)


class ArtifactReader:
    """Reads artifacts one after the other; those of an agent session follow each other.

    It drops copies of records that cannot be read, but no copies of edits.
    """

    def __init__(self, wanted: WantedPath = everything) -> None:
        self._wanted = wanted
        self._shown = _ShownFiles()
        self._told: set[int] = set()

    def read(self, artifact: EvidenceArtifact) -> Iterator[Found]:
        """Yield what an artifact holds, and a problem if it cannot be opened or read on."""
        return _read(artifact, self._wanted, self._shown, self._told)


class _ShownFiles:
    """What the transcripts of the agent session that is being read have shown of files."""

    def __init__(self) -> None:
        self._tree: str | None = None
        self._files = SharedFiles()

    def of(self, name: str) -> SharedFiles:
        """Return what a transcript shares with those read before it; empty for a new session."""
        tree = claude_code.tree_of(name)
        if tree != self._tree:
            self._tree, self._files = tree, SharedFiles()
        return self._files


def _read(
    artifact: EvidenceArtifact, wanted: WantedPath, shown: _ShownFiles, told: set[int]
) -> Iterator[Found]:
    """Yield what one artifact holds, and a problem if it cannot be opened or read on."""
    try:
        for part in artifact.parts:
            _check_readable(part)
        with _opened(artifact.parts[0]) as file:
            head = file.read(HEAD)
        is_a_part = is_of_a_message(artifact)
        source = source_of(artifact.name, head)
        if source is not None:
            is_database = head.startswith(opencode_rows.SIGN)
            rows = opencode_rows.rows(artifact.parts[0]) if is_database else None
            records = _Records(rows or _lines(artifact.parts))
            found = (
                claude_code.read(artifact.name, records, wanted, shown.of(artifact.name))
                if source is claude_code
                else source.read(artifact.name, records, wanted)
            )
            found = found if is_a_part else _never_silent(source, found)
            yield from _without_copies(found, records, told)
        elif not is_a_part and head and not head.isspace():
            yield PassedOver(agent=agent_at(artifact.name), what=UNRECOGNIZED, count=1)
    except OSError as problem:
        yield UnreadEvidence(source=artifact.name, line=None, problem=_sentence(problem))


def is_of_a_message(artifact: EvidenceArtifact) -> bool:
    """Return whether a file is a message or a part of one, of which most hold no edit."""
    return _OF_A_MESSAGE.fullmatch(artifact.parts[0].name) is not None


def _never_silent(source: EvidenceSource, found: Iterable[Found]) -> Iterator[Found]:
    """Yield what a source found in a file, and say so if that is nothing."""
    silent = True
    for one in found:
        silent = silent and isinstance(one, BESIDE)
        yield one
    if silent:
        yield PassedOver(agent=source.AGENT, what=SILENT, count=1)


def opened(artifact: EvidenceArtifact) -> tuple[bytes, Iterator[bytes]]:
    """Return an artifact's head, and its lines with its parts joined. Raises `OSError`.

    Of OpenCode's database, the lines are the messages that tell tokens.
    """
    for part in artifact.parts:
        _check_readable(part)
    with _opened(artifact.parts[0]) as file:
        head = file.read(HEAD)
    if head.startswith(opencode_rows.SIGN):
        return head, opencode_rows.answers(artifact.parts[0])
    return head, _lines(artifact.parts)


class _Records:
    """An artifact's records, one after the other; it knows the one that was read last."""

    def __init__(self, records: Iterable[bytes]) -> None:
        self._records = records
        self.number = 0
        self.last = b""

    def __iter__(self) -> Iterator[bytes]:
        for self.number, self.last in enumerate(self._records, 1):  # noqa: B020 - what it is for
            yield self.last


def _without_copies(found: Iterable[Found], records: _Records, told: set[int]) -> Iterator[Found]:
    """Drop what cannot be read of a record whose copy was told before."""
    for one in found:
        if isinstance(one, UnreadEvidence) and one.line == records.number:
            digest = hash((records.last, one.problem))
            if digest in told:
                continue
            told.add(digest)
        yield one


def _check_readable(part: Path) -> None:
    """Refuse pipes and devices, whose opening would wait for a writer."""
    if not stat.S_ISREG(part.stat().st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(part))


def _opened(part: Path) -> BinaryIO:
    """Open a file, unpacked if it is compressed. Raises `OSError` if it cannot be unpacked."""
    if part.suffix != PACKED:
        return part.open("rb", buffering=BUFFER)
    try:
        zstandard: Any = importlib.import_module("zstandard")
    except ImportError:
        problem = "compressed: unpack it with zstd -d, or install the library zstandard"
        raise OSError(errno.EINVAL, problem, str(part)) from None
    return io.BufferedReader(_Unpacked(part, zstandard), BUFFER)


class _Unpacked(io.RawIOBase):
    """A compressed file as its contents; a damaged one raises `OSError`."""

    def __init__(self, part: Path, zstandard: Any) -> None:
        self._part = part
        self._damage = zstandard.ZstdError
        self._file = part.open("rb")
        self._open = zstandard.ZstdDecompressor().stream_reader
        self._reader: Any = None

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read as `io.RawIOBase` asks for it."""
        try:
            self._reader = self._reader or self._open(self._file, read_across_frames=True)
            read: int = self._reader.readinto(buffer)
        except self._damage as damage:
            problem = f"compressed and damaged: {damage}"
            raise OSError(errno.EINVAL, problem, str(self._part)) from None
        return read

    def close(self) -> None:
        """Close the file below."""
        self._file.close()
        super().close()


def _lines(parts: tuple[Path, ...]) -> Iterator[bytes]:
    """Yield the lines of all parts as if they were one file.

    A part may end without a line end after a whole line, or in the middle of a line that the
    next part continues.
    """
    rest = b""
    for part in parts:
        with _opened(part) as file:
            for line in file:
                if rest:
                    if _is_whole(rest, line):
                        yield rest
                    else:
                        line = rest + line  # noqa: PLW2901  (the line goes on in this part)
                    rest = b""
                if line.endswith(b"\n"):
                    yield line
                else:
                    rest = line
    if rest:
        yield rest


def _is_whole(rest: bytes, following: bytes) -> bool:
    return rest.rstrip().endswith(b"}") and following.lstrip().startswith(b"{")


def _sentence(problem: OSError) -> str:
    return f"cannot be read ({problem.strerror or problem}): it counts as not there"
