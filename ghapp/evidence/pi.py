"""Agent sessions of the Pi coding agent: tool calls joined with their results. It opens no file."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Raw

from ghapp.attribution.model import EditResult
from ghapp.evidence.call_edits import (
    CallEdits,
    CallResult,
    FileRequest,
    ToolCall,
    failure,
    replace_request,
    replacements,
    shell_command,
    write_request,
)
from ghapp.evidence.json_records import decoded, optional, some_text, to_time
from ghapp.evidence.paths import stem
from ghapp.evidence.source import Found, WantedPath

NAME = "pi"
AGENT = "pi"
HOMES: tuple[str, ...] = (".pi/agent/sessions",)
FILES = r".+\.jsonl"

READS = frozenset({"read", "ls", "grep", "find"})
"""Tools that change no file."""

# {"type":"session","version":3,"id":"…","timestamp":"…","cwd":"/home/ann/shop"}
_SIGN = re.compile(rb'\s*\{[^\n]*"type"\s*:\s*"session"')
_PIS = (b'"cwd"', b'"version"', b'"timestamp"')
_OTHERS = re.compile(r"[/\\]\.openclaw[/\\]")
"""Agents on the same ground, whose sessions look the same."""


class _Message(msgspec.Struct, gc=False):
    role: Any = None
    content: Raw = Raw()
    model: Any = None
    toolCallId: Any = None  # noqa: N815  (the names are the format's)
    isError: Any = None  # noqa: N815


class _Record(msgspec.Struct, gc=False):
    type: Any = None
    id: Any = None
    timestamp: Any = None
    cwd: Any = None
    message: _Message | None = None


class _Block(msgspec.Struct, gc=False):
    type: Any = None
    id: Any = None
    name: Any = None
    arguments: Raw = Raw()


class _Piece(msgspec.Struct, gc=False):
    oldText: Any = None  # noqa: N815
    newText: Any = None  # noqa: N815


class _Arguments(msgspec.Struct, gc=False):
    path: Any = None
    file_path: Any = None
    command: Any = None
    content: Any = None
    oldText: Any = None  # noqa: N815
    newText: Any = None  # noqa: N815
    edits: list[_Piece] | None = None


_RECORD = msgspec.json.Decoder(_Record)
_BLOCKS = msgspec.json.Decoder(list[_Block])
_ARGUMENTS = msgspec.json.Decoder(_Arguments)


def recognizes(name: str, head: bytes) -> bool:
    """Return whether a file is an agent session of Pi, by its first record."""
    first = head.partition(b"\n")[0]
    is_like = _SIGN.match(first) and all(sign in first for sign in _PIS)
    return bool(is_like) and not _OTHERS.search(name)


def read(name: str, records: Iterable[bytes], wanted: WantedPath) -> Iterator[Found]:
    """Yield the edits of one agent session in the order of their results."""
    reading = _Reading(name, wanted)
    yield from reading.edits.read(records, reading.take, _is_record)
    yield from reading.edits.rest()


def _is_record(value: dict[str, Any]) -> bool:
    return value.get("type") in ("message", "session") and "id" in value


class _Reading:
    """The state of reading one agent session."""

    def __init__(self, name: str, wanted: WantedPath) -> None:
        self.name = name
        self.edits = CallEdits(name, AGENT, wanted, READS)
        self.edits.agent_session = stem(name)
        self.cwd: str | None = None

    def take(self, number: int, line: bytes) -> Iterator[Found]:
        """Yield the edits that one record completes. Raises `RecordError`."""
        record = decoded(_RECORD, line)
        if record.type == "session":
            self.edits.agent_session = some_text(record.id) or self.edits.agent_session
            self.cwd = some_text(record.cwd) or self.cwd
        elif record.type == "message" and record.message is not None:
            yield from self._message(record, record.message, number)

    def _message(self, record: _Record, message: _Message, number: int) -> Iterator[Found]:
        at = to_time(record.timestamp)
        id_ = message.toolCallId
        if message.role == "toolResult" and isinstance(id_, str) and self.edits.may_answer(id_):
            prose = bytes(message.content).decode(errors="replace")
            applied = message.isError is False
            # Pi's shell tool makes an error of any other exit status than 0.
            told = CallResult(EditResult.APPLIED, exited_with_0=True)
            result = told if applied else failure(prose)
            yield from self.edits.result(id_, result._replace(at=at))
        if message.role != "assistant":
            return
        for block in optional(_BLOCKS, message.content) or []:
            if block.type != "toolCall" or not isinstance(block.name, str):
                continue
            given = optional(_ARGUMENTS, block.arguments) or _Arguments()
            yield from self.edits.call(
                ToolCall(
                    id=block.id,
                    tool=block.name,
                    files=_requests(block.name, given),
                    command=shell_command(given.command) if block.name == "bash" else None,
                    line=number,
                    at=at,
                    cwd=self.cwd,
                    model=message.model if isinstance(message.model, str) else None,
                )
            )


def _requests(tool: str, given: _Arguments) -> tuple[FileRequest, ...]:
    """Return what a call asks of a file; empty: it is no edit that is read."""
    path = given.path if isinstance(given.path, str) else given.file_path
    if not isinstance(path, str) or not path:
        return ()
    if tool == "write":
        return write_request(path, given.content)
    if tool != "edit":
        return ()
    asked = given.edits or [_Piece(given.oldText, given.newText)]
    pieces = ((one.oldText, one.newText, False) for one in asked)
    return replace_request(path, replacements(pieces))
