"""Agent sessions of Factory's Droid: tool calls joined with their results. It opens no file."""

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
    patch_requests,
    replace_request,
    replacements,
    shell_command,
    write_request,
)
from ghapp.evidence.json_records import decoded, optional, some_text, to_time
from ghapp.evidence.paths import stem
from ghapp.evidence.shell_results import succeeded_at_end
from ghapp.evidence.source import Found, WantedPath

NAME = "droid"
AGENT = "droid"
HOMES: tuple[str, ...] = (".factory/sessions",)
FILES = r".+\.jsonl"

READS = frozenset(
    {"Read", "LS", "Grep", "Glob", "TodoWrite", "AskUser", "WebSearch", "FetchUrl", "Skill"}
)
"""Tools that change no file of a person's."""

# {"type":"session_start","id":"…","title":"…","owner":"ann","version":2,"cwd":"/home/ann/shop"}
_SIGN = re.compile(rb'\s*\{[^\n]*"type"\s*:\s*"session_start"')
_DROIDS = re.compile(rb'"(?:sessionTitle|owner|cwd)"\s*:')
# User system info (linux 6.8)\nModel: Claude Opus 4.6\n
_MODEL = re.compile(rb"User system info \([^\n]{0,80}?\)\\nModel: ([^\\\"]{1,80})\\n")


class _Message(msgspec.Struct, gc=False):
    role: Any = None
    content: Raw = Raw()


class _Record(msgspec.Struct, gc=False):
    type: Any = None
    id: Any = None
    timestamp: Any = None
    cwd: Any = None
    version: Any = None
    message: _Message | None = None


class _Block(msgspec.Struct, gc=False):
    type: Any = None
    id: Any = None
    name: Any = None
    input: Raw = Raw()
    tool_use_id: Any = None
    content: Raw = Raw()
    is_error: Any = None


class _Change(msgspec.Struct, gc=False):
    old_str: Any = None
    new_str: Any = None
    change_all: Any = None


class _Input(msgspec.Struct, gc=False):
    file_path: Any = None
    command: Any = None
    content: Any = None
    old_str: Any = None
    new_str: Any = None
    change_all: Any = None
    changes: list[_Change] | None = None
    input: Any = None
    patch: Any = None


class _Told(msgspec.Struct, gc=False):
    """The result of a patch, which is JSON in a string."""

    success: Any = None


_RECORD = msgspec.json.Decoder(_Record)
_BLOCKS = msgspec.json.Decoder(list[_Block])
_INPUT = msgspec.json.Decoder(_Input)
_TEXT = msgspec.json.Decoder(str)
_TOLD = msgspec.json.Decoder(_Told)


def recognizes(name: str, head: bytes) -> bool:
    """Return whether a file is an agent session of Droid, by its first record."""
    del name
    first = head.partition(b"\n")[0]
    return bool(_SIGN.match(first) and _DROIDS.search(first))


def read(name: str, records: Iterable[bytes], wanted: WantedPath) -> Iterator[Found]:
    """Yield the edits of one agent session in the order of their results."""
    reading = _Reading(name, wanted)
    yield from reading.edits.read(records, reading.take, _is_record)
    yield from reading.edits.rest()


def _is_record(value: dict[str, Any]) -> bool:
    return value.get("type") in ("message", "session_start") and "id" in value


class _Reading:
    """The state of reading one agent session."""

    def __init__(self, name: str, wanted: WantedPath) -> None:
        self.name = name
        self.edits = CallEdits(name, AGENT, wanted, READS)
        self.edits.agent_session = stem(name)
        self.cwd: str | None = None
        self.version: str | None = None
        self.model: str | None = None

    def take(self, number: int, line: bytes) -> Iterator[Found]:
        """Yield the edits that one record completes. Raises `RecordError`."""
        record = decoded(_RECORD, line)
        if record.type == "session_start":
            self._start(record)
        elif record.type == "message" and record.message is not None:
            if self.model is None and (named := _MODEL.search(line)):
                self.model = named[1].decode(errors="replace")
            if b'"tool_' in line:
                yield from self._blocks(record, record.message, number)

    def _start(self, record: _Record) -> None:
        self.edits.agent_session = some_text(record.id) or self.edits.agent_session
        self.cwd = some_text(record.cwd) or self.cwd
        # A whole number is the version of the format.
        self.version = some_text(record.version) or self.version

    def _blocks(self, record: _Record, message: _Message, number: int) -> Iterator[Found]:
        at = to_time(record.timestamp)
        for block in optional(_BLOCKS, message.content) or []:
            if block.type == "tool_result" and isinstance(block.tool_use_id, str):
                if self.edits.may_answer(block.tool_use_id):
                    yield from self.edits.result(block.tool_use_id, _outcome(block)._replace(at=at))
            elif block.type == "tool_use" and isinstance(block.name, str):
                given = optional(_INPUT, block.input) or _Input()
                yield from self.edits.call(
                    ToolCall(
                        id=block.id,
                        tool=block.name,
                        files=_requests(block.name, given),
                        command=shell_command(given.command) if block.name == "Execute" else None,
                        line=number,
                        at=at,
                        cwd=self.cwd,
                        version=self.version,
                        model=self.model,
                    )
                )


def _requests(tool: str, given: _Input) -> tuple[FileRequest, ...]:
    """Return what a call asks of files; empty: it is no edit that is read."""
    if tool == "ApplyPatch":
        return patch_requests(given.input if isinstance(given.input, str) else given.patch)
    path = given.file_path
    if not isinstance(path, str) or not path:
        return ()
    if tool in ("Create", "Write"):
        return write_request(path, given.content)
    if tool not in ("Edit", "MultiEdit"):
        return ()
    asked = given.changes or [_Change(given.old_str, given.new_str, given.change_all)]
    pieces = ((one.old_str, one.new_str, one.change_all) for one in asked)
    return replace_request(path, replacements(pieces))


def _outcome(block: _Block) -> CallResult:
    """Return a result's outcome. Older versions tell errors in the text alone."""
    text = optional(_TEXT, block.content)
    prose = bytes(block.content).decode(errors="replace") if text is None else text
    told = optional(_TOLD, Raw(text.encode())) if text and text.startswith("{") else None
    if block.is_error is True or prose.startswith("Error") or (told and told.success is False):
        return failure(prose)
    return CallResult(EditResult.APPLIED, exited_with_0=succeeded_at_end(prose))
