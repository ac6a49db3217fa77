"""Chats of Qwen Code: calls of functions joined with their results. It opens no file.

Qwen Code was made from Gemini CLI and writes its own records, one for each message, with the
result of a call in a record of its own.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Raw

from ghapp.attribution.model import DecidedBy, EditResult
from ghapp.evidence.call_edits import (
    CallEdits,
    CallResult,
    FileRequest,
    ToolCall,
    replace_request,
    replacements,
    shell_command,
    write_request,
)
from ghapp.evidence.deciders import refused_by
from ghapp.evidence.json_records import decoded, optional, some_text, to_time
from ghapp.evidence.patches import unified_hunks
from ghapp.evidence.paths import stem
from ghapp.evidence.shell_results import succeeded_at_end
from ghapp.evidence.source import Found, WantedPath

NAME = "qwen"
AGENT = "qwen-code"
HOMES: tuple[str, ...] = (".qwen/projects",)
FILES = r".+\.jsonl"

READS = frozenset(
    {"read_file", "read_many_files", "list_directory", "glob", "grep_search", "search_file_content"}
    | {"web_fetch", "web_search", "google_web_search", "todo_write", "save_memory", "lsp", "skill"}
)
"""Tools that change no file of a person's."""
SHELL = "run_shell_command"

# "message":{"role":"user","parts":[
_SIGN = re.compile(
    rb'"message"\s*:\s*\{\s*"role"\s*:\s*"(?:user|model|system)"\s*,\s*"parts"\s*:'
    rb'|"message"\s*:\s*\{\s*"parts"\s*:\s*\['
)
_SESSION = re.compile(rb'"sessionId"\s*:')
_STATUS = {
    "success": EditResult.APPLIED,
    "error": EditResult.FAILED,
    "cancelled": EditResult.REFUSED,
}
"""A call is cancelled when the person rejects it, as in Gemini CLI."""


class _FunctionCall(msgspec.Struct, gc=False):
    id: Any = None
    name: Any = None
    args: Raw = Raw()


class _FunctionResponse(msgspec.Struct, gc=False):
    id: Any = None
    response: Raw = Raw()


class _Part(msgspec.Struct, gc=False):
    functionCall: _FunctionCall | None = None  # noqa: N815  (the names are the format's)
    functionResponse: _FunctionResponse | None = None  # noqa: N815


class _Message(msgspec.Struct, gc=False):
    parts: Raw = Raw()


class _Stat(msgspec.Struct, gc=False):
    user_added_lines: Any = None
    user_removed_lines: Any = None


class _Shown(msgspec.Struct, gc=False):
    """What Qwen Code displayed of an edit, cut if it is long."""

    fileDiff: Any = None  # noqa: N815
    originalContent: Any = None  # noqa: N815
    newContent: Any = None  # noqa: N815
    truncatedForSession: Any = None  # noqa: N815
    diffStat: _Stat | None = None  # noqa: N815


class _Told(msgspec.Struct, gc=False):
    callId: Any = None  # noqa: N815
    status: Any = None
    resultDisplay: Raw = Raw()  # noqa: N815


class _Record(msgspec.Struct, gc=False):
    type: Any = None
    sessionId: Any = None  # noqa: N815
    timestamp: Any = None
    cwd: Any = None
    version: Any = None
    model: Any = None
    message: _Message | None = None
    toolCallResult: _Told | None = None  # noqa: N815


class _Arguments(msgspec.Struct, gc=False):
    file_path: Any = None
    command: Any = None
    content: Any = None
    old_string: Any = None
    new_string: Any = None
    replace_all: Any = None


class _Response(msgspec.Struct, gc=False):
    error: Raw = Raw()


_RECORD = msgspec.json.Decoder(_Record)
_PARTS = msgspec.json.Decoder(list[_Part])
_ARGUMENTS = msgspec.json.Decoder(_Arguments)
_RESPONSE = msgspec.json.Decoder(_Response)
_SHOWN = msgspec.json.Decoder(_Shown)


def recognizes(name: str, head: bytes) -> bool:
    """Return whether a file is a chat: a message in it is a list of parts."""
    del name
    # The word first: it is found far faster than the expressions find nothing.
    return b'"parts"' in head and bool(_SIGN.search(head) and _SESSION.search(head))


def read(name: str, records: Iterable[bytes], wanted: WantedPath) -> Iterator[Found]:
    """Yield the edits of one chat in the order of their results."""
    reading = _Reading(name, wanted)
    yield from reading.edits.read(records, reading.take, _is_record)
    yield from reading.edits.rest()


def _is_record(value: dict[str, Any]) -> bool:
    return "sessionId" in value and "message" in value


class _Reading:
    """The state of reading one chat."""

    def __init__(self, name: str, wanted: WantedPath) -> None:
        self.name = name
        self.edits = CallEdits(name, AGENT, wanted, READS)
        self.edits.agent_session = stem(name)

    def take(self, number: int, line: bytes) -> Iterator[Found]:
        """Yield the edits that one record completes. Raises `RecordError`."""
        record = decoded(_RECORD, line)
        self.edits.agent_session = some_text(record.sessionId) or self.edits.agent_session
        if record.message is None:
            return
        if record.type == "assistant" and b'"functionCall"' in line:
            yield from self._calls(record, record.message, number)
        elif b'"functionResponse"' in line:
            yield from self._results(record, record.message)

    def _calls(self, record: _Record, message: _Message, number: int) -> Iterator[Found]:
        for part in optional(_PARTS, message.parts) or []:
            call = part.functionCall
            if call is None or not isinstance(call.name, str):
                continue
            given = optional(_ARGUMENTS, call.args) or _Arguments()
            yield from self.edits.call(
                ToolCall(
                    id=call.id,
                    tool=call.name,
                    files=_requests(call.name, given),
                    command=shell_command(given.command) if call.name == SHELL else None,
                    line=number,
                    at=to_time(record.timestamp),
                    cwd=some_text(record.cwd),
                    version=some_text(record.version),
                    model=some_text(record.model),
                )
            )

    def _results(self, record: _Record, message: _Message) -> Iterator[Found]:
        at = to_time(record.timestamp)
        told = record.toolCallResult
        for part in optional(_PARTS, message.parts) or []:
            response = part.functionResponse
            if response is None or not isinstance(response.id, str):
                continue
            id_ = response.id
            if told is not None and isinstance(told.callId, str):
                # A record tells of one call, and newer responses have ids of their own.
                id_ = told.callId
            if self.edits.may_answer(id_):
                yield from self.edits.result(id_, _outcome(told, response)._replace(at=at))


def _requests(tool: str, given: _Arguments) -> tuple[FileRequest, ...]:
    """Return what a call asks of a file; empty: it is no edit that is read."""
    path = given.file_path
    if not isinstance(path, str) or not path:
        return ()
    if tool == "write_file":
        return write_request(path, given.content)
    # The tool was called ``replace`` as in Gemini CLI.
    if tool not in ("edit", "replace"):
        return ()
    asked = (given.old_string, given.new_string, given.replace_all)
    return replace_request(path, replacements([asked]))


def _outcome(told: _Told | None, response: _FunctionResponse) -> CallResult:
    """Return a call's outcome, with the texts unless a person changed the proposal."""
    status = _STATUS.get(told.status) if told and isinstance(told.status, str) else None
    if status is None:
        said = optional(_RESPONSE, response.response)
        status = EditResult.FAILED if said is None or said.error else EditResult.APPLIED
    shown = optional(_SHOWN, told.resultDisplay) if told else None
    if status is not EditResult.APPLIED:
        prose = bytes(response.response).decode(errors="replace")
        by = refused_by(prose) if status is EditResult.REFUSED else None
        return CallResult(status, decided_by=by)
    if shown is None:
        prose = bytes(response.response).decode(errors="replace").replace("\\n", "\n")
        return CallResult(status, exited_with_0=succeeded_at_end(prose))
    if _is_changed(shown):
        return CallResult(status, decided_by=DecidedBy.PERSON)
    hunks: tuple[tuple[str, ...], ...] = ()
    if isinstance(shown.fileDiff, str) and not shown.truncatedForSession:
        hunks = tuple(map(tuple, unified_hunks(shown.fileDiff)))
        if isinstance(shown.newContent, str):
            before = shown.originalContent if isinstance(shown.originalContent, str) else ""
            return CallResult(status, before=before, after=shown.newContent, hunks=hunks)
    return CallResult(status, hunks=hunks)


def _is_changed(shown: _Shown) -> bool:
    """Return whether a person changed the proposal, so that the texts are not the agent's."""
    stat = shown.diffStat
    return stat is not None and bool(stat.user_added_lines or stat.user_removed_lines)
