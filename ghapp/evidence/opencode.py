"""OpenCode's exports, messages and message parts: tool calls with their state. It opens no file.

An export is one document. Versions before 2 keep each part of a message as a file of its own, or as
a row of the database; version 2 keeps a message as one row with all its calls.
`ghapp.ingest.opencode_rows` turns a row into a line. An upgraded database holds both generations,
the older one also as a copy in the newer.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from ghapp.attribution.model import (
    DecidedBy,
    Edit,
    EditDecider,
    EditResult,
    PassedOver,
    ShellCommand,
    TextLines,
    UnreadEvidence,
)
from ghapp.evidence.calls import OpenCalls
from ghapp.evidence.deciders import refused_by
from ghapp.evidence.file_edits import FileEdits
from ghapp.evidence.ids import known_id, made_id
from ghapp.evidence.json_records import (
    RecordError,
    decoded,
    document,
    opens_object,
    optional,
    some_text,
    to_time_of_milliseconds,
)
from ghapp.evidence.own_lines import NO_LINES, TextReplacement, from_patch
from ghapp.evidence.patches import patched_files, unified_hunks
from ghapp.evidence.paths import stem, to_path
from ghapp.evidence.shell_deeds import found_in, is_read_whole
from ghapp.evidence.source import Found, WantedPath

NAME = "opencode"
AGENT = "opencode"
HOMES: tuple[str, ...] = (".local/share/opencode",)
FILES = r"(?:ses_|msg_|prt_).+\.json|opencode(?:-[\w.-]+)?\.db"

TOOLS = frozenset({"edit", "write", "multiedit", "patch", "apply_patch"})
SHELL = "bash"
READING = frozenset(
    {
        *("codesearch", "glob", "grep", "invalid", "list", "lsp", "question", "read", "skill"),
        *("subagent", "task", "todoread", "todowrite", "webfetch", "websearch"),
    }
)
"""Tools that change no file; their calls are not counted as passed over."""

_FILE_NAME = re.compile(FILES)
_SQLITE = b"SQLite format 3\0"
# {"info": {"id": "ses_1", …
_EXPORT = re.compile(rb'\s*\{\s*"info"\s*:\s*\{[^}]*"id"\s*:\s*"ses_')
_EXPORT_SIGNS = (b'"info"', b'"messages"', b'"sessionID"')
"""In every export with messages, whatever the order of its members is."""
_MESSAGE_SIGNS = (b'"role"', b'"sessionID"')
_PART_SIGNS = (b'"callID"', b'"sessionID"', b'"state"')
PART_HEAD = 2048
"""Bytes at the start of a part that hold its signs, unless its arguments come first."""
# The user rejected permission to use this tool
_REFUSED = re.compile(r"reject|denied|not allowed|rule which prevents", re.IGNORECASE)
# The user rejected permission to use this specific tool call with the following feedback: …
_ADVISED = re.compile(r"rejected permission\b.{0,60}\bfeedback\b", re.IGNORECASE | re.DOTALL)
# Tool execution aborted
_INTERRUPTED = re.compile(r"abort|interrupt", re.IGNORECASE)
# Created file successfully: src/a.py
_CREATED = re.compile(r"Created file")


class _Time(msgspec.Struct, gc=False):
    """When a call ran; the names differ between the generations."""

    start: Any = None
    end: Any = None
    created: Any = None
    ran: Any = None
    completed: Any = None


class _Metadata(msgspec.Struct, gc=False):
    diff: Any = None
    exists: Any = None
    exit: Any = None
    files: Raw = Raw()


class _State(msgspec.Struct, gc=False):
    status: Any = None
    input: Raw = Raw()
    content: Raw = Raw()
    error: Any = None
    metadata: Raw = Raw()
    structured: Raw = Raw()
    time: Raw = Raw()


class _Model(msgspec.Struct, gc=False):
    id: Any = None


class _Call(msgspec.Struct, gc=False, rename={"session": "sessionID", "call": "callID"}):
    """One part of a message, or one piece of its content; only tool calls have a state."""

    type: Any = None
    id: Any = None
    session: Any = None
    call: Any = None
    tool: Any = None
    name: Any = None
    state: Raw = Raw()
    time: Raw = Raw()


class _Row(
    msgspec.Struct, gc=False, rename={"session": "sessionID", "call": "callID", "by": "modelID"}
):
    """A row of the database: a part, or a message of version 2, with where it happened."""

    type: Any = None
    id: Any = None
    session: Any = None
    call: Any = None
    tool: Any = None
    state: Raw = Raw()
    content: Raw = Raw()
    model: Raw = Raw()
    by: Any = None
    directory: Any = None
    version: Any = None


class _Info(msgspec.Struct, gc=False, rename={"by": "modelID"}):
    """What an export says of its agent session or of one of its messages."""

    id: Any = None
    directory: Any = None
    version: Any = None
    by: Any = None


class _Turn(msgspec.Struct, gc=False):
    info: Raw = Raw()
    parts: list[_Call] = []
    content: Raw = Raw()
    model: Raw = Raw()


class _Export(msgspec.Struct, gc=False):
    info: _Info | None = None
    messages: list[_Turn] | None = None


class _Piece(msgspec.Struct, gc=False):
    oldString: Any = None  # noqa: N815  (the names are the format's)
    newString: Any = None  # noqa: N815
    replaceAll: Any = None  # noqa: N815


class _Input(msgspec.Struct, gc=False):
    filePath: Any = None  # noqa: N815
    command: Any = None
    workdir: Any = None
    path: Any = None
    content: Any = None
    patchText: Any = None  # noqa: N815
    oldString: Any = None  # noqa: N815
    newString: Any = None  # noqa: N815
    replaceAll: Any = None  # noqa: N815
    edits: list[_Piece] = []


class _File(msgspec.Struct, gc=False):
    """What a call did to one file; the names differ between the generations."""

    filePath: Any = None  # noqa: N815
    file: Any = None
    movePath: Any = None  # noqa: N815
    type: Any = None
    status: Any = None
    diff: Any = None
    patch: Any = None


class _Said(msgspec.Struct, gc=False):
    text: Any = None


_EXPORTS = msgspec.json.Decoder(_Export)
_PARTS = msgspec.json.Decoder(_Call)
_ROWS = msgspec.json.Decoder(_Row)
_CONTENTS = msgspec.json.Decoder(list[_Call])
_INFOS = msgspec.json.Decoder(_Info)
_MODELS = msgspec.json.Decoder(_Model)
_STATES = msgspec.json.Decoder(_State)
_INPUTS = msgspec.json.Decoder(_Input)
_METADATA = msgspec.json.Decoder(_Metadata)
_FILES = msgspec.json.Decoder(list[_File])
_SAYINGS = msgspec.json.Decoder(list[_Said])
_TIMES = msgspec.json.Decoder(_Time)


def recognizes(name: str, head: bytes) -> bool:
    """Return whether this is an export, a database of OpenCode, or a part that is a tool call."""
    if head.startswith(_SQLITE):
        return bool(_FILE_NAME.fullmatch(PurePosixPath(name).name))
    if _EXPORT.match(head):
        return True
    if not opens_object(head):
        return False
    return _holds(head, _EXPORT_SIGNS) or _is_part(name, head) or _is_message(name, head)


def _is_part(name: str, head: bytes) -> bool:
    is_named = PurePosixPath(name).name.startswith("prt_")
    return _holds(head if is_named else head[:PART_HEAD], _PART_SIGNS)


def _is_message(name: str, head: bytes) -> bool:
    return PurePosixPath(name).name.startswith("msg_") and _holds(head, _MESSAGE_SIGNS)


def _holds(head: bytes, signs: Iterable[bytes]) -> bool:
    return all(sign in head for sign in signs)


def read(name: str, records: Iterable[bytes], wanted: WantedPath) -> Iterator[Found]:
    """Yield the edits of an export, a part or the rows of a database, in their order."""
    reading = _Reading(name, wanted)
    if PurePosixPath(name).suffix == ".db":
        for number, line in enumerate(records, 1):
            yield from reading.row(number, line)
    else:
        yield from _of_document(reading, name, records)
    yield from reading.passed()


def _of_document(reading: "_Reading", name: str, records: Iterable[bytes]) -> Iterator[Found]:
    try:
        text = document(records)
        export = decoded(_EXPORTS, text)
        if export.messages is None:
            part = decoded(_PARTS, text)
            yield from reading.call(part, _Place(part.session, None, None, None))
        else:
            yield from reading.export(export.info or _Info(), export.messages)
    except RecordError as problem:
        yield UnreadEvidence(source=name, line=None, problem=str(problem))


class _Place(NamedTuple):
    """Where a call was made and by whom; any of it may be unknown or malformed."""

    agent_session: object
    directory: object
    version: object
    model: object


class _Reading:
    """The state of reading one artifact."""

    def __init__(self, name: str, wanted: WantedPath) -> None:
        self.name = name
        self.wanted = wanted
        self.files = FileEdits()
        self.calls: OpenCalls[None] = OpenCalls()
        self.parts: set[int] = set()
        self.unread: Counter[str] = Counter()

    def export(self, info: _Info, turns: list[_Turn]) -> Iterator[Found]:
        """Yield the edits of a whole agent session."""
        for turn in turns:
            told = optional(_INFOS, turn.info) or _Info()
            model = told.by if told.by is not None else _model(turn.model)
            for call in (*turn.parts, *(optional(_CONTENTS, turn.content) or ())):
                session = info.id if call.session is None else call.session
                yield from self.call(call, _Place(session, info.directory, info.version, model))

    def row(self, number: int, line: bytes) -> Iterator[Found]:
        """Yield the edits of one row of the database."""
        try:
            row = decoded(_ROWS, line)
        except RecordError as problem:
            yield UnreadEvidence(source=self.name, line=number, problem=str(problem))
            return
        if row.content:
            place = _Place(row.session, row.directory, row.version, _model(row.model))
            for call in optional(_CONTENTS, row.content) or ():
                yield from self._without_copies(call, place)
            return
        part = _Call(row.type, row.id, row.session, row.call, row.tool, None, row.state)
        for found in self.call(part, _Place(row.session, row.directory, row.version, row.by)):
            if isinstance(found, Edit):
                self.parts.update(_signs(found, row.call))
            yield found

    def _without_copies(self, call: _Call, place: "_Place") -> Iterator[Found]:
        """Yield the edits of a call, unless they are known as parts: an upgrade copies those."""
        id_ = call.id if call.call is None else call.call
        for found in self.call(call, place):
            if not isinstance(found, Edit) or self.parts.isdisjoint(_signs(found, id_)):
                yield found

    def passed(self) -> Iterator[PassedOver]:
        """Yield how many calls of each tool were not read as edits."""
        for tool, count in sorted(self.unread.items()):
            yield PassedOver(agent=AGENT, what=tool, count=count)

    def call(self, call: _Call, place: _Place) -> Iterator[Found]:
        """Yield the edits of one tool call, one for each file."""
        tool = call.name if call.tool is None else call.tool
        if call.type != "tool" or not isinstance(tool, str) or not call.state:
            return
        state = optional(_STATES, call.state) if tool in TOOLS or tool == SHELL else None
        if state is None:
            if tool not in READING:
                self.unread[tool] += 1
            return
        time = optional(_TIMES, state.time) or optional(_TIMES, call.time) or _Time()
        at = _moment(time.end, time.completed, time.start, time.ran, time.created)
        # A forked agent session has parts with ids of their own: only the calls' ids stay.
        id_ = known_id(call.call) or known_id(call.id)
        if self.calls.tell(id_ or "", (bytes(call.state), at, str(place.directory))):
            of = self._of_shell if tool == SHELL else self._edits
            yield from of(id_, tool, state, at, place)

    def _of_shell(
        self, name: str | None, tool: str, state: _State, at: datetime | None, place: _Place
    ) -> Iterator[Found]:
        """Yield what a shell command surely did; count it unless all of that are edits."""
        told = optional(_METADATA, state.metadata) or optional(_METADATA, state.structured)
        given = optional(_INPUTS, state.input) or _Input()
        cwd = some_text(given.workdir) or some_text(place.directory)
        command = some_text(given.command)
        has_ended = told is not None and told.exit == 0 and told.exit is not False
        found: list[Edit | ShellCommand] = []
        if command and name and at and has_ended and _result(state) is EditResult.APPLIED:
            edit = Edit(
                id=name,
                agent=AGENT,
                agent_session=known_id(place.agent_session) or stem(self.name),
                at=at,
                path="",
                tool=tool,
                cwd=to_path(cwd, some_text(place.directory)) if cwd else None,
                agent_version=some_text(place.version),
                model=some_text(place.model),
            )
            found = found_in(command, edit, self.wanted)
        self.unread[tool] += not is_read_whole(found)
        yield from found

    def _edits(
        self, name: str | None, tool: str, state: _State, at: datetime | None, place: _Place
    ) -> Iterator[Found]:
        cwd = some_text(place.directory)
        cwd = to_path(cwd, None) if cwd else None
        result = _result(state)
        by = _refused_by(state) if result is EditResult.REFUSED else None
        found = self._lines(tool, state, cwd, applied=result is EditResult.APPLIED)
        if not found:
            self.unread[tool] += 1
        if at is None:
            if found and result is not EditResult.UNANSWERED:
                problem = "an edit without a time: it belongs to no window and is left out"
                yield UnreadEvidence(source=self.name, line=None, problem=problem)
            return
        session = known_id(place.agent_session) or stem(self.name)
        for number, (path, lines) in enumerate(found, 1):
            if lines is None:
                continue
            id_ = name or made_id(AGENT, session, at.isoformat(), path)
            id_ = id_ if name is None or len(found) == 1 else f"{id_}#{number}"
            yield Edit(
                id=id_,
                agent=AGENT,
                agent_session=session,
                at=at,
                path=path,
                outcome=result,
                tool=tool,
                cwd=cwd,
                agent_version=some_text(place.version),
                model=some_text(place.model),
                lines=lines,
            )
            if by is not None:
                yield EditDecider(edit=id_, path=path, by=by)

    def _lines(
        self, tool: str, state: _State, cwd: str | None, *, applied: bool
    ) -> list[tuple[str, TextLines | None]]:
        """Return each file of a call with its lines; ``None``: the file is deleted."""
        given = optional(_INPUTS, state.input) or _Input()
        told = optional(_METADATA, state.metadata) or optional(_METADATA, state.structured)
        told = told or _Metadata()
        if tool in ("patch", "apply_patch"):
            return sorted(self._patched(given, told, cwd), key=lambda one: one[0])
        named = some_text(given.filePath) or some_text(given.path)
        if named is None:
            return []
        path = to_path(named, cwd)
        if not self.wanted(path):
            return [(path, NO_LINES)]
        if tool == "write":
            text = given.content if isinstance(given.content, str) else ""
            before = "" if _is_new(state, told) else None
            lines = self.files.written(path, text, before=before, applied=applied)
        else:
            lines = self.files.replaced(path, _pieces(given), applied=applied)
        # The diff has whole lines; the call may start and end within a line.
        hunks = unified_hunks(_diff(told) or "")
        return [(path, from_patch(hunks, "") if hunks else lines)]

    def _patched(
        self, given: _Input, told: _Metadata, cwd: str | None
    ) -> Iterator[tuple[str, TextLines | None]]:
        for file in optional(_FILES, told.files) or []:
            named = some_text(file.movePath) or some_text(file.filePath) or some_text(file.file)
            if named is None:
                continue
            path = to_path(named, cwd)
            hunks = unified_hunks(some_text(file.diff) or some_text(file.patch) or "")
            yield path, self._of_patch(path, file.type or file.status, hunks)
        if not told.files and isinstance(given.patchText, str):
            for one in patched_files(given.patchText):
                path = to_path(one.path, cwd)
                yield path, self._of_patch(path, one.kind, one.hunks)

    def _of_patch(self, path: str, kind: object, hunks: list[list[str]]) -> TextLines | None:
        self.files.changed(path)
        if kind in ("delete", "deleted"):
            return None
        return from_patch(hunks, "") if self.wanted(path) else NO_LINES


def _signs(edit: Edit, call: object) -> tuple[int, int]:
    """Return two digests, each of which shows that an edit in the other generation is this one."""
    where = (edit.agent_session, edit.path)
    return hash((*where, edit.at)), hash((*where, str(call), edit.lines))


def _moment(*milliseconds: object) -> datetime | None:
    """Return the first of some times that is one; ``None``: none is."""
    found = (to_time_of_milliseconds(value) for value in milliseconds)
    return next((moment for moment in found if moment is not None), None)


def _model(raw: Raw) -> object:
    model = optional(_MODELS, raw)
    return model.id if model else None


def _is_new(state: _State, told: _Metadata) -> bool:
    """Return whether a write made a file: version 2 says so in words only."""
    said = optional(_SAYINGS, state.content) or []
    return told.exists is False or any(_CREATED.match(some_text(one.text) or "") for one in said)


def _diff(told: _Metadata) -> str | None:
    """Return the diff of a call that changes one file; ``None``: none is recorded."""
    files = optional(_FILES, told.files) or []
    of_file = some_text(files[0].patch) or some_text(files[0].diff) if len(files) == 1 else None
    return some_text(told.diff) or of_file


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
    prose = _prose(state)
    if _REFUSED.search(prose):
        return EditResult.REFUSED
    return EditResult.INTERRUPTED if _INTERRUPTED.search(prose) else EditResult.FAILED


def _prose(state: _State) -> str:
    error = state.error
    told = [error.get("type"), error.get("message")] if isinstance(error, dict) else [error]
    return " ".join(one for one in told if isinstance(one, str))


def _refused_by(state: _State) -> DecidedBy | None:
    """Return who refused a call; ``None``: nobody says it.

    "The user rejected permission" alone says it not: without a terminal OpenCode says the same of
    every question that nobody was asked (opencode run).
    """
    prose = _prose(state)
    if _ADVISED.search(prose):
        return DecidedBy.PERSON
    by = refused_by(prose)
    return None if by is DecidedBy.PERSON else by
