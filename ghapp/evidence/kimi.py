"""Wire logs of Kimi Code: tool calls joined with their results. It opens no file.

Kimi numbers its calls anew (``Edit_0``), so a call's id means nothing outside of its log.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
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
    write_request,
)
from ghapp.evidence.json_records import (
    decoded,
    optional,
    to_time_of_milliseconds,
)
from ghapp.evidence.paths import stem
from ghapp.evidence.source import Found, WantedPath

NAME = "kimi"
AGENT = "kimi"
HOMES: tuple[str, ...] = (".kimi-code/sessions", ".kimi/sessions")
FILES = r"wire\.jsonl"

READS = frozenset(
    {"Read", "ReadMediaFile", "Grep", "Glob", "TodoList", "WebSearch", "FetchURL", "Skill"}
    | {"AskUserQuestion", "TaskList", "TaskOutput", "TaskStop", "EnterPlanMode", "ExitPlanMode"}
)
"""Tools that change no file."""

# {"type":"metadata","protocol_version":"1.4","created_at":1785612803281}
_SIGN = re.compile(rb'"protocol_version"\s*:')
_LOOP = "context.append_loop_event"


class _Event(msgspec.Struct, gc=False):
    type: Any = None
    toolCallId: Any = None  # noqa: N815  (the names are the format's)
    name: Any = None
    args: Raw = Raw()
    result: Raw = Raw()


class _Record(msgspec.Struct, gc=False):
    type: Any = None
    time: Any = None
    cwd: Any = None
    model: Any = None
    event: _Event | None = None


class _Arguments(msgspec.Struct, gc=False):
    path: Any = None
    file_path: Any = None
    content: Any = None
    old_string: Any = None
    new_string: Any = None
    replace_all: Any = None


class _Result(msgspec.Struct, gc=False):
    isError: Any = None  # noqa: N815


_RECORD = msgspec.json.Decoder(_Record)
_ARGUMENTS = msgspec.json.Decoder(_Arguments)
_RESULT = msgspec.json.Decoder(_Result)


def recognizes(name: str, head: bytes) -> bool:
    """Return whether a file is a wire log, by its first record."""
    del name
    first = head.partition(b"\n")[0]
    return b'"metadata"' in first and bool(_SIGN.search(first))


def read(name: str, records: Iterable[bytes], wanted: WantedPath) -> Iterator[Found]:
    """Yield the edits of one log in the order of their results."""
    reading = _Reading(name, wanted)
    yield from reading.edits.read(records, reading.take, _is_record)
    yield from reading.edits.rest()


def _is_record(value: dict[str, Any]) -> bool:
    return value.get("type") == _LOOP and "event" in value


class _Reading:
    """The state of reading one log."""

    def __init__(self, name: str, wanted: WantedPath) -> None:
        self.name = name
        self.edits = CallEdits(name, AGENT, wanted, READS)
        self.edits.agent_session = self.of = session_of(name)
        self.cwd: str | None = None
        self.model: str | None = None

    def take(self, number: int, line: bytes) -> Iterator[Found]:
        """Yield the edits that one record completes. Raises `RecordError`."""
        record = decoded(_RECORD, line)
        if record.type == "config.update" and isinstance(record.cwd, str) and record.cwd:
            self.cwd = record.cwd
        elif record.type == "llm.request" and isinstance(record.model, str):
            self.model = record.model
        elif record.type == _LOOP and record.event is not None:
            yield from self._event(record.event, record.time, number)

    def _event(self, event: _Event, time: object, number: int) -> Iterator[Found]:
        if not isinstance(event.toolCallId, str) or not event.toolCallId:
            return
        at = to_time_of_milliseconds(time)
        id_ = f"{self.of}/{event.toolCallId}"
        if event.type == "tool.result":
            told = optional(_RESULT, event.result)
            if told is not None and self.edits.may_answer(id_):
                prose = bytes(event.result).decode(errors="replace")
                result = failure(prose) if told.isError else CallResult(EditResult.APPLIED)
                yield from self.edits.result(id_, result._replace(at=at))
        elif event.type == "tool.call" and isinstance(event.name, str):
            given = optional(_ARGUMENTS, event.args) or _Arguments()
            yield from self.edits.call(
                ToolCall(
                    id=id_,
                    tool=event.name,
                    files=_requests(event.name, given),
                    line=number,
                    at=at,
                    cwd=self.cwd,
                    model=self.model,
                )
            )


def session_of(name: str) -> str:
    """Return the agent session, which only the folders name: ``…/ID/agents/main/wire.jsonl``."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if "agents" in parts[1:-1]:
        at = len(parts) - 1 - parts[::-1].index("agents")
        return stem("/".join([*parts[at - 1 : at], *parts[at + 1 : -1]]).replace("/", "-") + ".x")
    return stem(parts[-2] + ".x") if len(parts) > 1 else stem(name)


def _requests(tool: str, given: _Arguments) -> tuple[FileRequest, ...]:
    """Return what a call asks of a file; empty: it is no edit that is read."""
    path = given.path if isinstance(given.path, str) else given.file_path
    if not isinstance(path, str) or not path:
        return ()
    if tool == "Write":
        return write_request(path, given.content)
    if tool != "Edit":
        return ()
    asked = (given.old_string, given.new_string, given.replace_all)
    return replace_request(path, replacements([asked]))
