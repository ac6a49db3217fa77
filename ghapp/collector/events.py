"""A hook's event as the edits it holds, through the same code that reads transcripts.

An event and a transcript say the same in two shapes, so an event is written as the two records
that a transcript would have. It opens no file.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from ghapp.attribution.model import Edit
from ghapp.evidence import claude_code
from ghapp.evidence.source import WantedPath, everything

_OF_CLAUDE = re.compile(r"(?:^|/)\.claude/|(?:^|/)claude/projects/")
_SUCCESS = {"type": "tool_result", "is_error": False, "content": ""}


class EventError(ValueError):
    """A queued line holds no event that can be read."""


class _Event(msgspec.Struct, gc=False):
    """What is used of an event; the names are Claude Code's."""

    tool_name: str
    tool_use_id: str
    tool_input: Raw
    session_id: str = ""
    tool_response: Raw = Raw()
    cwd: Any = None
    transcript_path: Any = None


class _Told(msgspec.Struct, gc=False):
    success: Any = None


class QueuedEvent(NamedTuple):
    """One line of the queue: when the call was done, and what the agent said of it."""

    at: datetime
    payload: bytes


_EVENT = msgspec.json.Decoder(_Event)
_TOLD = msgspec.json.Decoder(_Told)


def to_event(line: bytes) -> QueuedEvent:
    """Split a line of the queue. Raises `EventError`."""
    time, _, payload = line.strip().partition(b" ")
    try:
        return QueuedEvent(datetime.fromtimestamp(int(time) / 1e9, UTC), payload)
    except (ValueError, OverflowError, OSError) as error:
        raise EventError("a line of the queue has no time") from error


def to_edits(event: QueuedEvent, wanted: WantedPath = everything) -> Iterator[Edit]:
    """Yield what an event's call did to files: mostly one edit, a shell command's may be more.

    None where another agent ran the hook: several read Claude Code's settings. Raises `EventError`.
    """
    try:
        told = _EVENT.decode(event.payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise EventError(f"an event that cannot be read: {error}") from error
    if _is_of_claude(told) and not _has_failed(told.tool_response):
        for found in claude_code.read("hook", _records(told, event.at), wanted):
            if isinstance(found, Edit):
                yield found


def _is_of_claude(told: _Event) -> bool:
    """Say whether Claude Code itself ran the hook, by its id or its own transcript."""
    path = told.transcript_path if isinstance(told.transcript_path, str) else ""
    return told.tool_use_id.startswith("toolu_") or bool(_OF_CLAUDE.search(path.replace("\\", "/")))


def _has_failed(response: Raw) -> bool:
    try:
        return _TOLD.decode(response).success is False
    except msgspec.DecodeError:
        return False  # prose, or nothing: the event itself says that the call was done


def _records(told: _Event, at: datetime) -> Iterator[bytes]:
    """Yield the call and its result as a transcript has them."""
    common = {"timestamp": at.isoformat(), "sessionId": told.session_id, "cwd": told.cwd}
    call = {
        "type": "tool_use",
        "id": told.tool_use_id,
        "name": told.tool_name,
        "input": told.tool_input,
    }
    yield _line(common, "assistant", call)
    result = {**_SUCCESS, "tool_use_id": told.tool_use_id}
    answer = bytes(told.tool_response).lstrip()
    if answer.startswith(b"{"):
        common["toolUseResult"] = told.tool_response
    yield _line(common, "user", result)


def _line(common: dict[str, Any], type_: str, block: dict[str, Any]) -> bytes:
    record = {**common, "type": type_, "message": {"role": type_, "content": [block]}}
    return msgspec.json.encode(record)
