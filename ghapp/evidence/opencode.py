"""OpenCode's exports and stored message parts: tool calls with their state. It opens no file.

An export is one document. On disk, each part of a message is a file of its own, or a row of the
database, which `ghapp.ingest.opencode_rows` turns into a line.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

import msgspec
from msgspec import Raw

from ghapp.attribution.model import Edit, EditResult, TextLines, UnreadEvidence
from ghapp.evidence.file_edits import FileEdits
from ghapp.evidence.json_records import (
    RecordError,
    decoded,
    document,
    optional,
    to_time_of_milliseconds,
)
from ghapp.evidence.own_lines import NO_LINES, TextReplacement, from_patch
from ghapp.evidence.patches import patched_files, unified_hunks
from ghapp.evidence.paths import stem, to_path
from ghapp.evidence.source import Found, WantedPath

NAME = "opencode"
AGENT = "opencode"
HOMES: tuple[str, ...] = (".local/share/opencode",)
FILES = r"(?:ses_|prt_).+\.json|opencode(?:-[\w.-]+)?\.db"

DATABASE = "opencode.db"
TOOLS = frozenset({"edit", "write", "multiedit", "patch", "apply_patch"})

# {"info": {"id": "ses_1", …
_EXPORT = re.compile(rb'\s*\{\s*"info"\s*:\s*\{[^}]*"id"\s*:\s*"ses_')
# "type": "tool"
_PART = re.compile(rb'"type"\s*:\s*"tool"')
PART_HEAD = 2048
"""Bytes at the start of a part that tell its type."""
_PART_SIGNS = (b'"callID"', b'"sessionID"', b'"state"')
# The user rejected permission to use this tool
_REFUSED = re.compile(r"reject|denied|not allowed", re.IGNORECASE)
# Tool execution aborted
_INTERRUPTED = re.compile(r"abort|interrupt", re.IGNORECASE)


class _Time(msgspec.Struct, gc=False):
    start: Any = None
    end: Any = None


class _Metadata(msgspec.Struct, gc=False):
    diff: Any = None
    exists: Any = None
    files: Raw = Raw()


class _State(msgspec.Struct, gc=False):
    status: Any = None
    input: Raw = Raw()
    error: Any = None
    metadata: Raw = Raw()
    time: Raw = Raw()


class _Call(msgspec.Struct, gc=False, rename={"session": "sessionID", "call": "callID"}):
    """One part of a message; only tool calls have a state."""

    type: Any = None
    id: Any = None
    session: Any = None
    call: Any = None
    tool: Any = None
    state: Raw = Raw()
    directory: Any = None
    """The agent session's working directory; only a database row has it."""


class _Info(msgspec.Struct, gc=False):
    id: Any = None
    directory: Any = None


class _Turn(msgspec.Struct, gc=False):
    parts: list[_Call] = []


class _Export(msgspec.Struct, gc=False):
    info: _Info
    messages: list[_Turn] = []


class _Piece(msgspec.Struct, gc=False):
    oldString: Any = None  # noqa: N815  (the names are the format's)
    newString: Any = None  # noqa: N815
    replaceAll: Any = None  # noqa: N815


class _Input(msgspec.Struct, gc=False):
    filePath: Any = None  # noqa: N815
    content: Any = None
    patchText: Any = None  # noqa: N815
    oldString: Any = None  # noqa: N815
    newString: Any = None  # noqa: N815
    replaceAll: Any = None  # noqa: N815
    edits: list[_Piece] = []


class _File(msgspec.Struct, gc=False):
    """What a patch did to one file."""

    filePath: Any = None  # noqa: N815
    movePath: Any = None  # noqa: N815
    type: Any = None
    diff: Any = None
    patch: Any = None


_EXPORTS = msgspec.json.Decoder(_Export)
_PARTS = msgspec.json.Decoder(_Call)
_STATES = msgspec.json.Decoder(_State)
_INPUTS = msgspec.json.Decoder(_Input)
_METADATA = msgspec.json.Decoder(_Metadata)
_FILES = msgspec.json.Decoder(list[_File])
_TIMES = msgspec.json.Decoder(_Time)


def recognizes(name: str, head: bytes) -> bool:
    """Return whether a file is an export, the database, or a part that is a tool call."""
    is_database = PurePosixPath(name).name == DATABASE and head.startswith(b"SQLite format 3\0")
    return is_database or bool(_EXPORT.match(head)) or _is_part(head)


def _is_part(head: bytes) -> bool:
    # These members come before the arguments of the call, so the rest need not be searched.
    start = head[:PART_HEAD]
    return all(sign in start for sign in _PART_SIGNS) and bool(_PART.search(start))


def read(name: str, records: Iterable[bytes], wanted: WantedPath) -> Iterator[Found]:
    """Yield the edits of an export, a part or the rows of a database, in their order."""
    reading = _Reading(name, wanted)
    if PurePosixPath(name).name == DATABASE:
        for number, line in enumerate(records, 1):
            yield from reading.row(number, line)
        return
    try:
        text = document(records)
        if _EXPORT.match(text):
            yield from reading.export(decoded(_EXPORTS, text))
        else:
            yield from reading.part(decoded(_PARTS, text), None)
    except RecordError as problem:
        yield UnreadEvidence(source=name, line=None, problem=str(problem))


class _Reading:
    """The state of reading one artifact."""

    def __init__(self, name: str, wanted: WantedPath) -> None:
        self.name = name
        self.wanted = wanted
        self.files = FileEdits()
        self.seen: set[str] = set()

    def export(self, export: _Export) -> Iterator[Found]:
        """Yield the edits of a whole agent session."""
        for turn in export.messages:
            for part in turn.parts:
                if part.session is None:
                    part.session = export.info.id
                yield from self.part(part, export.info.directory)

    def row(self, number: int, line: bytes) -> Iterator[Found]:
        """Yield the edits of one row of the database."""
        try:
            part = decoded(_PARTS, line)
        except RecordError as problem:
            yield UnreadEvidence(source=self.name, line=number, problem=str(problem))
            return
        yield from self.part(part, part.directory)

    def part(self, part: _Call, directory: object) -> Iterator[Edit | UnreadEvidence]:
        """Yield the edits of one tool call, one for each file."""
        # The model numbers calls, OpenCode numbers parts: only ids of parts are unique everywhere.
        name = part.id if isinstance(part.id, str) and part.id else part.call
        state = optional(_STATES, part.state)
        if part.type != "tool" or not isinstance(part.tool, str) or state is None:
            return
        if part.tool not in TOOLS:
            return
        if not isinstance(name, str) or name in self.seen:
            return
        self.seen.add(name)
        cwd = to_path(directory, None) if isinstance(directory, str) and directory else None
        result = _result(state)
        found = self._lines(part.tool, state, cwd, applied=result is EditResult.APPLIED)
        time = optional(_TIMES, state.time) or _Time()
        at = to_time_of_milliseconds(time.end) or to_time_of_milliseconds(time.start)
        if found and at is None and result is not EditResult.UNANSWERED:
            problem = "an edit without a time: it belongs to no window and is left out"
            yield UnreadEvidence(source=self.name, line=None, problem=problem)
        for number, (path, lines) in enumerate(found, 1):
            if lines is None or at is None:
                continue
            yield Edit(
                id=name if len(found) == 1 else f"{name}#{number}",
                agent=AGENT,
                agent_session=str(part.session or stem(self.name)),
                at=at,
                path=path,
                outcome=result,
                tool=part.tool,
                cwd=cwd,
                lines=lines,
            )

    def _lines(
        self, tool: str, state: _State, cwd: str | None, *, applied: bool
    ) -> list[tuple[str, TextLines | None]]:
        """Return each file of a call with its lines; ``None``: the file is deleted."""
        given = optional(_INPUTS, state.input) or _Input()
        told = optional(_METADATA, state.metadata) or _Metadata()
        if tool in ("patch", "apply_patch"):
            return sorted(self._patched(given, told, cwd), key=lambda one: one[0])
        if not isinstance(given.filePath, str) or not given.filePath:
            return []
        path = to_path(given.filePath, cwd)
        if not self.wanted(path):
            return [(path, NO_LINES)]
        if tool == "write":
            text = given.content if isinstance(given.content, str) else ""
            before = "" if told.exists is False else None
            lines = self.files.written(path, text, before=before, applied=applied)
        else:
            lines = self.files.replaced(path, _pieces(given), applied=applied)
        # The diff has whole lines; the call may start and end within a line.
        hunks = unified_hunks(told.diff) if isinstance(told.diff, str) else []
        return [(path, from_patch(hunks, "") if hunks else lines)]

    def _patched(
        self, given: _Input, told: _Metadata, cwd: str | None
    ) -> Iterator[tuple[str, TextLines | None]]:
        for file in optional(_FILES, told.files) or []:
            moved = isinstance(file.movePath, str) and file.movePath
            path = to_path(str(moved or file.filePath), cwd)
            diff = file.diff if isinstance(file.diff, str) else file.patch
            yield (
                path,
                self._of_patch(
                    path, file.type, unified_hunks(diff) if isinstance(diff, str) else []
                ),
            )
        if not told.files and isinstance(given.patchText, str):
            for one in patched_files(given.patchText):
                path = to_path(one.path, cwd)
                yield path, self._of_patch(path, one.kind, one.hunks)

    def _of_patch(self, path: str, kind: object, hunks: list[list[str]]) -> TextLines | None:
        self.files.changed(path)
        if kind == "delete":
            return None
        return from_patch(hunks, "") if self.wanted(path) else NO_LINES


def _pieces(given: _Input) -> list[TextReplacement]:
    """Return the replacements that a call asks for; empty if one of them is malformed."""
    asked = given.edits or [_Piece(given.oldString, given.newString, given.replaceAll)]
    found = []
    for one in asked:
        if not isinstance(one.oldString, str) or not isinstance(one.newString, str):
            return []
        found.append(TextReplacement(one.oldString, one.newString, one.replaceAll is True))
    return found


def _result(state: _State) -> EditResult:
    if state.status == "completed":
        return EditResult.APPLIED
    if state.status != "error":
        return EditResult.UNANSWERED
    prose = state.error if isinstance(state.error, str) else ""
    if _REFUSED.search(prose):
        return EditResult.REFUSED
    return EditResult.INTERRUPTED if _INTERRUPTED.search(prose) else EditResult.FAILED
