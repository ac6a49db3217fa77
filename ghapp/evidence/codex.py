"""Rollouts of Codex CLI: patches joined with their results. It opens no file.

A call's id identifies its patch. The event that ends the patch names the files and what happened to
each. Older versions do not always write this event; then the call's text and its output tell.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from ghapp.attribution.model import Edit, EditResult, TextLines, UnreadEvidence
from ghapp.evidence.json_records import RecordError, decoded, optional, to_time
from ghapp.evidence.own_lines import NO_LINES, all_own, from_patch
from ghapp.evidence.patches import PatchedFile, patched_files, unified_hunks
from ghapp.evidence.paths import stem, to_path
from ghapp.evidence.source import Found, WantedPath

NAME = "codex"
AGENT = "codex"
HOMES: tuple[str, ...] = (".codex/sessions", ".codex/archived_sessions")
FILES = r".+\.jsonl(?:\.zst)?"

# "type":"session_meta"
_SIGN = re.compile(rb'"type"\s*:\s*"(?:session_meta|response_item|event_msg|turn_context)"')
_WANTED = re.compile(rb'session_meta|turn_context|apply_patch|patch_apply_end|_output"|aborted')
"""A record without any of these holds no edit, so its payload is not decoded."""
_APPLIED = "Success. Updated the following files"
# patch rejected by user
_REFUSED = re.compile(r"rejected by (?:the )?user|not approved|approval", re.IGNORECASE)
# aborted by user after 1.2s
_INTERRUPTED = re.compile(r"aborted|interrupted", re.IGNORECASE)


class _Record(msgspec.Struct, gc=False):
    type: Any = None
    timestamp: Any = None
    payload: Raw = Raw()


class _Payload(msgspec.Struct, gc=False):
    """The members of all types of records; each type has some of them."""

    type: Any = None
    id: Any = None
    cwd: Any = None
    call_id: Any = None
    name: Any = None
    input: Any = None
    arguments: Any = None
    output: Any = None
    success: Any = None
    status: Any = None
    stderr: Any = None
    changes: Raw = Raw()


class _Arguments(msgspec.Struct, gc=False):
    input: Any = None
    command: Any = None


class _Change(msgspec.Struct, gc=False):
    """What happened to one file."""

    type: Any = None
    unified_diff: Any = None
    content: Any = None
    move_path: Any = None


_RECORD = msgspec.json.Decoder(_Record)
_PAYLOAD = msgspec.json.Decoder(_Payload)
_ARGUMENTS = msgspec.json.Decoder(_Arguments)
_CHANGES = msgspec.json.Decoder(dict[str, _Change])


def recognizes(name: str, head: bytes) -> bool:
    """Return whether a file is a rollout, by its first line."""
    del name
    return bool(_SIGN.search(head.partition(b"\n")[0])) and b'"payload"' in head


def read(name: str, records: Iterable[bytes], wanted: WantedPath) -> Iterator[Found]:
    """Yield the edits of one rollout in the order they ended, then the unanswered."""
    rollout = _Rollout(name, wanted)
    for number, line in enumerate(records, 1):
        yield from rollout.take(number, line)
    yield from rollout.left(EditResult.UNANSWERED)


class _Call(NamedTuple):
    """A patch that waits for its result."""

    id: str
    files: list[PatchedFile]
    at: datetime | None
    cwd: str | None
    line: int


class _Rollout:
    """The state of reading one rollout."""

    def __init__(self, name: str, wanted: WantedPath) -> None:
        self.name = name
        self.wanted = wanted
        self.agent_session: str | None = None
        self.cwd: str | None = None
        self.pending: dict[str, _Call] = {}
        self.ended: set[str] = set()

    def take(self, number: int, line: bytes) -> Iterator[Found]:
        """Yield the edits that one line completes."""
        if line.isspace():
            return
        try:
            record = decoded(_RECORD, line)
        except RecordError as problem:
            yield UnreadEvidence(source=self.name, line=number, problem=str(problem))
            return
        payload = optional(_PAYLOAD, record.payload) if _WANTED.search(line) else None
        if payload is None:
            return
        at = to_time(record.timestamp)
        if record.type in ("session_meta", "turn_context"):
            self._place(record.type, payload)
        elif payload.type in ("custom_tool_call", "function_call"):
            self._call(payload, at, number)
        elif payload.type in ("custom_tool_call_output", "function_call_output"):
            yield from self._output(payload, at)
        elif payload.type == "patch_apply_end":
            yield from self._end(payload, at, number)
        elif payload.type == "turn_aborted":
            yield from self.left(EditResult.INTERRUPTED)

    def left(self, result: EditResult) -> Iterator[Found]:
        """Yield the edits that wait for a result, in the order of their calls."""
        calls = list(self.pending.values())
        self.ended.update(self.pending)
        self.pending.clear()
        for call in calls:
            yield from self._edits(call, self._asked(call), result, call.at)

    def _place(self, kind: str, payload: _Payload) -> None:
        # In a forked thread's file a copy of its parent's records follows: the first id is its own.
        if kind == "session_meta" and self.agent_session is None and isinstance(payload.id, str):
            self.agent_session = payload.id
        if isinstance(payload.cwd, str) and payload.cwd:
            self.cwd = payload.cwd

    def _call(self, payload: _Payload, at: datetime | None, number: int) -> None:
        """Remember a call if it is a patch."""
        id_ = payload.call_id
        if not isinstance(id_, str) or id_ in self.ended or id_ in self.pending:
            return
        files = patched_files(_patch_text(payload))
        if files:
            self.pending[id_] = _Call(id_, files, at, self.cwd, number)

    def _output(self, payload: _Payload, at: datetime | None) -> Iterator[Found]:
        """Yield the edits of a call whose output alone tells how it ended."""
        call = self.pending.pop(payload.call_id, None) if _is_text(payload.call_id) else None
        if call is not None:
            self.ended.add(call.id)
            result = _result(_prose(payload.output))
            yield from self._edits(call, self._asked(call), result, at or call.at)

    def _end(self, payload: _Payload, at: datetime | None, number: int) -> Iterator[Found]:
        """Yield the edits of a patch that ended, one for each file."""
        id_ = payload.call_id
        changes = optional(_CHANGES, payload.changes)
        if not isinstance(id_, str) or id_ in self.ended or changes is None:
            return
        call = self.pending.pop(id_, None) or _Call(id_, [], at, self.cwd, number)
        self.ended.add(id_)
        applied = payload.success is True or payload.status == "completed"
        result = EditResult.APPLIED if applied else _failure(_prose(payload.stderr), payload.status)
        files = [self._changed(path, change, call.cwd) for path, change in changes.items()]
        yield from self._edits(call, files, result, at or call.at)

    # --- edits --------------------------------------------------------------------------------

    def _asked(self, call: _Call) -> list[tuple[str, TextLines | None]]:
        """Return each file that a call names, with the lines to add; ``None``: it is deleted."""
        return [
            (path, None if file.kind == "delete" else self._lines(path, file.hunks))
            for file in call.files
            for path in [to_path(file.path, call.cwd)]
        ]

    def _lines(self, path: str, hunks: list[list[str]]) -> TextLines:
        return from_patch(hunks, "") if self.wanted(path) else NO_LINES

    def _changed(self, name: str, change: _Change, cwd: str | None) -> tuple[str, TextLines | None]:
        moved = change.move_path
        path = to_path(moved if isinstance(moved, str) and moved else name, cwd)
        if change.type == "update" and isinstance(change.unified_diff, str):
            return path, self._lines(path, unified_hunks(change.unified_diff))
        if change.type == "add" and isinstance(change.content, str):
            return path, all_own(change.content) if self.wanted(path) else NO_LINES
        return path, None

    def _edits(
        self,
        call: _Call,
        files: list[tuple[str, TextLines | None]],
        result: EditResult,
        at: datetime | None,
    ) -> Iterator[Edit | UnreadEvidence]:
        """Yield one edit for each file with lines; paths in order give the numbers of the ids."""
        if at is None:
            yield UnreadEvidence(
                source=self.name,
                line=call.line,
                problem="a patch without a time: it belongs to no window and is left out",
            )
            return
        for number, (path, lines) in enumerate(sorted(files, key=lambda file: file[0]), 1):
            if lines is None:
                continue
            yield Edit(
                id=call.id if len(files) == 1 else f"{call.id}#{number}",
                agent=AGENT,
                agent_session=self.agent_session or stem(self.name),
                at=at,
                path=path,
                outcome=result,
                tool="apply_patch",
                cwd=to_path(call.cwd, None) if call.cwd else None,
                lines=lines,
            )


def _patch_text(payload: _Payload) -> str:
    """Return the patch that a call holds; empty: the call is no patch."""
    if payload.name == "apply_patch" and isinstance(payload.input, str):
        return payload.input
    if not isinstance(payload.arguments, str):
        return ""
    given = optional(_ARGUMENTS, Raw(payload.arguments.encode(errors="replace")))
    if given is None:
        return ""
    if payload.name == "apply_patch":
        return given.input if isinstance(given.input, str) else ""
    # Older versions: {"command": ["apply_patch", "*** Begin Patch…"]}
    command = given.command
    is_patch = isinstance(command, list) and len(command) == 2 and command[0] == "apply_patch"
    return str(command[1]) if is_patch else ""


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _prose(value: object) -> str:
    """Return the text of an output: a string, a list of blocks, or an object that holds one."""
    if isinstance(value, list):
        return "\n".join(map(_prose, value))
    if isinstance(value, dict):
        return "\n".join(_prose(value.get(name)) for name in ("content", "output", "text"))
    return value if isinstance(value, str) else ""


def _result(prose: str) -> EditResult:
    return EditResult.APPLIED if _APPLIED in prose else _failure(prose, None)


def _failure(prose: str, status: object) -> EditResult:
    if status == "declined" or _REFUSED.search(prose):
        return EditResult.REFUSED
    return EditResult.INTERRUPTED if _INTERRUPTED.search(prose) else EditResult.FAILED
