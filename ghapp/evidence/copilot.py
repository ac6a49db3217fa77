"""Events of GitHub Copilot CLI: tool calls joined with their results. It opens no file."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from ghapp.attribution.model import Edit, EditResult, TextLines, UnreadEvidence
from ghapp.evidence.file_edits import FileEdits
from ghapp.evidence.json_records import RecordError, decoded, optional, to_time
from ghapp.evidence.own_lines import NO_LINES, TextReplacement, from_patch
from ghapp.evidence.patches import patched_files, unified_hunks
from ghapp.evidence.paths import stem, to_path
from ghapp.evidence.source import Found, WantedPath

NAME = "copilot"
AGENT = "copilot"
HOMES: tuple[str, ...] = (".copilot/session-state",)
FILES = r".+\.jsonl"

TOOLS = frozenset({"edit", "create", "apply_patch"})

# "type":"tool.execution_start"
_SIGN = re.compile(rb'"type"\s*:\s*"(?:session|user|assistant|tool|hook)\.\w+"')
# Permission denied by the user
_REFUSED = re.compile(r"denied|rejected|declined", re.IGNORECASE)
# The operation was cancelled
_INTERRUPTED = re.compile(r"abort|cancel|interrupt", re.IGNORECASE)


class _Event(msgspec.Struct, gc=False):
    type: Any = None
    timestamp: Any = None
    data: Raw = Raw()


class _Context(msgspec.Struct, gc=False):
    cwd: Any = None


class _Data(msgspec.Struct, gc=False):
    """The members of all types of events; each type has some of them."""

    sessionId: Any = None  # noqa: N815  (the names are the format's)
    context: _Context | None = None
    toolCallId: Any = None  # noqa: N815
    toolName: Any = None  # noqa: N815
    arguments: Raw = Raw()
    success: Any = None
    result: Raw = Raw()
    error: Raw = Raw()


class _Arguments(msgspec.Struct, gc=False):
    path: Any = None
    old_str: Any = None
    new_str: Any = None
    file_text: Any = None
    input: Any = None


class _Result(msgspec.Struct, gc=False):
    detailedContent: Any = None  # noqa: N815


_EVENT = msgspec.json.Decoder(_Event)
_DATA = msgspec.json.Decoder(_Data)
_ARGUMENTS = msgspec.json.Decoder(_Arguments)
_TEXT = msgspec.json.Decoder(str)
_RESULT = msgspec.json.Decoder(_Result)


def recognizes(name: str, head: bytes) -> bool:
    """Return whether a file holds events of Copilot CLI, by its first line."""
    del name
    first = head.partition(b"\n")[0]
    return bool(_SIGN.search(first)) and b'"data"' in first


def read(name: str, records: Iterable[bytes], wanted: WantedPath) -> Iterator[Found]:
    """Yield the edits of one agent session in the order they ended, then the unanswered."""
    events = _Events(name, wanted)
    for number, line in enumerate(records, 1):
        yield from events.take(number, line)
    yield from events.unanswered()


class _Call(NamedTuple):
    """A tool call that waits for its result."""

    id: str
    tool: str
    arguments: _Arguments
    at: datetime | None
    line: int


class _Events:
    """The state of reading one file of events."""

    def __init__(self, name: str, wanted: WantedPath) -> None:
        self.name = name
        self.wanted = wanted
        self.agent_session = stem(str(PurePosixPath(name).parent)) or stem(name)
        self.cwd: str | None = None
        self.files = FileEdits()
        self.pending: dict[str, _Call] = {}
        self.ended: set[str] = set()

    def take(self, number: int, line: bytes) -> Iterator[Found]:
        """Yield the edits that one line completes."""
        if line.isspace():
            return
        try:
            event = decoded(_EVENT, line)
        except RecordError as problem:
            yield UnreadEvidence(source=self.name, line=number, problem=str(problem))
            return
        if not isinstance(event.type, str) or event.type not in _KINDS:
            return
        data = optional(_DATA, event.data)
        if data is None:
            return
        at = to_time(event.timestamp)
        if event.type == "tool.execution_start":
            self._call(data, at, number)
        elif event.type == "tool.execution_complete":
            yield from self._end(data, at)
        else:
            self._place(data)

    def unanswered(self) -> Iterator[Found]:
        """Yield the edits that never got a result, in the order of their calls."""
        for call in self.pending.values():
            yield from self._edits(call, None, EditResult.UNANSWERED, call.at)

    def _place(self, data: _Data) -> None:
        if isinstance(data.sessionId, str) and data.sessionId:
            self.agent_session = data.sessionId
        if data.context is not None and isinstance(data.context.cwd, str):
            self.cwd = data.context.cwd

    def _call(self, data: _Data, at: datetime | None, number: int) -> None:
        id_, tool = data.toolCallId, data.toolName
        if not isinstance(id_, str) or not isinstance(tool, str):
            return
        if id_ in self.ended or tool not in TOOLS:
            return
        text = optional(_TEXT, data.arguments)
        arguments = optional(_ARGUMENTS, data.arguments)
        given = _Arguments(input=text) if text is not None else arguments
        if given is not None:
            self.pending[id_] = _Call(id_, tool, given, at, number)

    def _end(self, data: _Data, at: datetime | None) -> Iterator[Found]:
        id_ = data.toolCallId
        call = self.pending.pop(id_, None) if isinstance(id_, str) else None
        if call is None:
            return
        self.ended.add(call.id)
        result = EditResult.APPLIED if data.success is True else _failure(bytes(data.error))
        yield from self._edits(call, optional(_RESULT, data.result), result, at or call.at)

    # --- edits --------------------------------------------------------------------------------

    def _edits(
        self, call: _Call, output: _Result | None, result: EditResult, at: datetime | None
    ) -> Iterator[Edit | UnreadEvidence]:
        found = self._lines(call, output, applied=result is EditResult.APPLIED)
        if found and at is None:
            problem = "an edit without a time: it belongs to no window and is left out"
            yield UnreadEvidence(source=self.name, line=call.line, problem=problem)
            return
        for number, (path, lines) in enumerate(found, 1):
            if lines is None or at is None:
                continue
            yield Edit(
                id=call.id if len(found) == 1 else f"{call.id}#{number}",
                agent=AGENT,
                agent_session=self.agent_session,
                at=at,
                path=path,
                outcome=result,
                tool=call.tool,
                cwd=to_path(self.cwd, None) if self.cwd else None,
                lines=lines,
            )

    def _lines(
        self, call: _Call, output: _Result | None, *, applied: bool
    ) -> list[tuple[str, TextLines | None]]:
        """Return each file of a call with its lines; ``None``: the file is deleted."""
        given = call.arguments
        if call.tool == "apply_patch":
            return self._patched(given.input if isinstance(given.input, str) else "")
        if not isinstance(given.path, str) or not given.path:
            return []
        path = to_path(given.path, self.cwd)
        if not self.wanted(path):
            return [(path, NO_LINES)]
        return [(path, self._of_file(path, call, output, applied=applied))]

    def _of_file(
        self, path: str, call: _Call, output: _Result | None, *, applied: bool
    ) -> TextLines:
        given = call.arguments
        if call.tool == "create":
            text = given.file_text if isinstance(given.file_text, str) else ""
            return self.files.written(path, text, before="", applied=applied)
        if not isinstance(given.old_str, str) or not isinstance(given.new_str, str):
            return NO_LINES
        piece = TextReplacement(given.old_str, given.new_str)
        lines = self.files.replaced(path, [piece], applied=applied)
        shown = output.detailedContent if output else None
        # The diff has whole lines; the call may start and end within a line.
        hunks = unified_hunks(shown) if isinstance(shown, str) else []
        return from_patch(hunks, "") if hunks else lines

    def _patched(self, patch: str) -> list[tuple[str, TextLines | None]]:
        found: list[tuple[str, TextLines | None]] = []
        for file in patched_files(patch):
            path = to_path(file.path, self.cwd)
            self.files.changed(path)
            wanted = file.kind != "delete" and self.wanted(path)
            lines = from_patch(file.hunks, "") if wanted else NO_LINES
            found.append((path, None if file.kind == "delete" else lines))
        return sorted(found, key=lambda one: one[0])


_KINDS = frozenset(
    {"session.start", "session.resume", "tool.execution_start", "tool.execution_complete"}
)


def _failure(error: bytes) -> EditResult:
    prose = error.decode(errors="replace")
    if _REFUSED.search(prose):
        return EditResult.REFUSED
    return EditResult.INTERRUPTED if _INTERRUPTED.search(prose) else EditResult.FAILED
