"""Payloads of Cursor's hooks, one in each line, with the time of the call. It opens no file.

Cursor's own files are undocumented. Its hooks are documented (https://cursor.com/docs/hooks) but
give no time, so the command that stores a payload adds ``timestamp`` (see docs/evidence.md).
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Raw

from ghapp.attribution.model import Edit, TextLines, UnreadEvidence
from ghapp.evidence.file_edits import FileEdits
from ghapp.evidence.json_records import RecordError, decoded, optional, to_time
from ghapp.evidence.own_lines import NO_LINES, TextReplacement
from ghapp.evidence.paths import to_path
from ghapp.evidence.source import Found, WantedPath

NAME = "cursor"
AGENT = "cursor"
HOMES: tuple[str, ...] = (".cursor/edits.jsonl",)
FILES = r".+\.jsonl"

# "hook_event_name": "afterFileEdit"
_SIGN = re.compile(rb'"hook_event_name"\s*:')
_CURSORS = (b'"conversation_id"', b'"workspace_roots"')


class _Piece(msgspec.Struct, gc=False):
    old_string: Any = None
    new_string: Any = None


class _Input(msgspec.Struct, gc=False):
    """Arguments of a tool; their names differ between versions."""

    file_path: Any = None
    path: Any = None
    content: Any = None
    contents: Any = None
    old_string: Any = None
    new_string: Any = None


class _Payload(msgspec.Struct, gc=False):
    hook_event_name: Any = None
    timestamp: Any = None
    conversation_id: Any = None
    generation_id: Any = None
    workspace_roots: Any = None
    file_path: Any = None
    edits: Raw = Raw()
    tool_name: Any = None
    tool_input: Raw = Raw()


_PAYLOAD = msgspec.json.Decoder(_Payload)
_PIECES = msgspec.json.Decoder(list[_Piece])
_INPUT = msgspec.json.Decoder(_Input)


def recognizes(name: str, head: bytes) -> bool:
    """Return whether a file holds payloads of Cursor's hooks, by its first line.

    Cursor also runs hooks made for Claude Code, with Cursor's own payloads.
    """
    del name
    first = head.partition(b"\n")[0]
    return bool(_SIGN.search(first)) and all(sign in first for sign in _CURSORS)


def read(name: str, records: Iterable[bytes], wanted: WantedPath) -> Iterator[Found]:
    """Yield the edits of all agent sessions in a file, in the order of their payloads.

    Edits that only a tool's event reports come last.
    """
    reading = _Reading(name, wanted)
    for number, line in enumerate(records, 1):
        yield from reading.take(number, line)
    yield from reading.told_once()


class _Reading:
    """The state of reading one file."""

    def __init__(self, name: str, wanted: WantedPath) -> None:
        self.name = name
        self.wanted = wanted
        self.files = FileEdits()
        self.seen: set[str] = set()
        self.edited: set[tuple[object, object, str]] = set()
        self.by_tool: list[tuple[tuple[object, object, str], Edit | UnreadEvidence]] = []

    def take(self, number: int, line: bytes) -> Iterator[Found]:
        """Yield the edit that one payload reports."""
        if line.isspace():
            return
        try:
            payload = decoded(_PAYLOAD, line)
        except RecordError as problem:
            yield UnreadEvidence(source=self.name, line=number, problem=str(problem))
            return
        if payload.hook_event_name == "afterFileEdit":
            pieces = optional(_PIECES, payload.edits) or []
            found = self._edit(payload, payload.file_path, pieces, number)
            if found is not None:
                self.edited.add(_of_turn(payload, payload.file_path))
                yield found
        elif payload.hook_event_name == "postToolUse":
            self._tool(payload, number)

    def told_once(self) -> Iterator[Found]:
        """Yield the edits that only a tool's event reports: Cursor's command line has no other."""
        for turn, found in self.by_tool:
            if turn not in self.edited:
                yield found

    def _tool(self, payload: _Payload, number: int) -> None:
        given = optional(_INPUT, payload.tool_input)
        if given is None or payload.tool_name not in ("Write", "StrReplace", "Edit"):
            return
        path = given.file_path or given.path
        text = given.contents if given.content is None else given.content
        piece = _Piece("", text) if given.new_string is None else _to_piece(given)
        found = self._edit(payload, path, [piece], number)
        if found is not None:
            self.by_tool.append((_of_turn(payload, path), found))

    def _edit(
        self, payload: _Payload, path: object, pieces: list[_Piece], number: int
    ) -> Edit | UnreadEvidence | None:
        """Return an edit; ``None``: the payload holds none, or reports it again."""
        if not isinstance(path, str) or not path or not pieces:
            return None
        name = _name(payload, path, pieces)
        if name in self.seen:
            return None
        self.seen.add(name)
        at = to_time(payload.timestamp)
        if at is None:
            problem = "an edit without a time: it belongs to no window and is left out"
            return UnreadEvidence(source=self.name, line=number, problem=problem)
        cwd = _first_root(payload.workspace_roots)
        full = to_path(path, cwd)
        return Edit(
            id=name,
            agent=AGENT,
            agent_session=str(payload.conversation_id),
            at=at,
            path=full,
            tool=str(payload.tool_name or "edit"),
            cwd=cwd,
            lines=self._lines(full, pieces) if self.wanted(full) else NO_LINES,
        )

    def _lines(self, path: str, pieces: list[_Piece]) -> TextLines:
        replacements = _replacements(pieces)
        if len(replacements) == 1 and not replacements[0].old:
            return self.files.written(path, replacements[0].new)
        return self.files.replaced(path, replacements)


def _replacements(pieces: Iterable[_Piece]) -> list[TextReplacement]:
    return [
        TextReplacement(one.old_string, one.new_string)
        for one in pieces
        if isinstance(one.old_string, str) and isinstance(one.new_string, str)
    ]


def _to_piece(given: _Input) -> _Piece:
    return _Piece(given.old_string, given.new_string)


def _of_turn(payload: _Payload, path: object) -> tuple[object, object, str]:
    cwd = _first_root(payload.workspace_roots)
    return str(payload.conversation_id), str(payload.generation_id), to_path(str(path), cwd)


def _first_root(roots: object) -> str | None:
    first = roots[0] if isinstance(roots, list) and roots else None
    return to_path(first, None) if isinstance(first, str) and first else None


def _name(payload: _Payload, path: str, pieces: Iterable[_Piece]) -> str:
    """Return an id made from the edit's content: Cursor gives these events no id."""
    told = [payload.conversation_id, payload.generation_id, path]
    told += [part for piece in pieces for part in (piece.old_string, piece.new_string)]
    digest = hashlib.sha256(msgspec.json.encode([str(part) for part in told]))
    return f"cursor_{digest.hexdigest()[:32]}"
