"""Transcripts of Cursor's agent: tool calls, and never what became of them. It opens no file.

Calls have no id, no time and no result (seen in git-ai-project/git-ai, jazzyalex/agent-sessions and
computermode/test-repo; AgentWorkforce/relayhistory#198 lists what is missing). So a call's time is
that of its turn, which the user's message tells, its id is its place, and whether it was applied
only the change can show (rules.md 2.17).
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
from msgspec import Raw

from ghapp.attribution.model import EditResult, UnreadEvidence
from ghapp.evidence.call_edits import (
    CallEdits,
    CallResult,
    FileRequest,
    ToolCall,
    failure,
    patch_requests,
    replace_request,
    replacements,
    write_request,
)
from ghapp.evidence.json_records import decoded, optional
from ghapp.evidence.patches import unified_hunks
from ghapp.evidence.paths import stem
from ghapp.evidence.source import Found, WantedPath

NAME = "cursor_transcripts"
AGENT = "cursor"
HOMES: tuple[str, ...] = (".cursor/projects",)
FILES = r".+\.jsonl"

READS = frozenset(
    {"Read", "ReadFile", "Grep", "rg", "Glob", "LS", "SemanticSearch", "WebSearch", "WebFetch"}
    | {"TodoWrite", "ReadLints", "AskQuestion", "Await", "SwitchMode", "Delete"}
)
"""Tools that write no line."""

_KEYS = {"role", "message"}
_NAMELESS = {"full", "transcript"}
"""What others call a copy of a transcript, whose own name is the agent session's id."""

_NEXT = timedelta(microseconds=1)

_UNTIMED = "an edit in a turn without a time: it belongs to no window and is left out"

# {"role":"user","message":{"content":[
_SIGN = re.compile(
    rb'\s*\{\s*"role"\s*:\s*"(?:user|assistant)"\s*,\s*"message"\s*:\s*\{\s*"content"\s*:'
)
# <timestamp>Friday, Jul 31, 2026, 5:10 PM (UTC-5)</timestamp>
_TIME = re.compile(
    r"<timestamp>\s*(?:[A-Za-z]+, )?([A-Z][a-z]{2})[a-z]* (\d{1,2}), (\d{4}),? (?:at )?"
    r"(\d{1,2}):(\d\d)(?::(\d\d))?\s([AP]M) \(UTC(?:([+-])(\d{1,2})(?::?(\d\d))?)?\)\s*</timestamp>"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class _Message(msgspec.Struct, gc=False):
    content: Raw = Raw()


class _Record(msgspec.Struct, gc=False):
    role: Any = None
    message: _Message | None = None


class _Block(msgspec.Struct, gc=False):
    type: Any = None
    text: Any = None
    id: Any = None
    name: Any = None
    input: Raw = Raw()
    tool_use_id: Any = None
    content: Raw = Raw()
    is_error: Any = None


class _Input(msgspec.Struct, gc=False):
    path: Any = None
    file_path: Any = None
    contents: Any = None
    old_string: Any = None
    new_string: Any = None
    replace_all: Any = None
    patch: Any = None
    input: Any = None


_RECORD = msgspec.json.Decoder(_Record)
_MEMBERS = msgspec.json.Decoder(dict[str, Any])
_BLOCKS = msgspec.json.Decoder(list[_Block])
_INPUT = msgspec.json.Decoder(_Input)
_TEXT = msgspec.json.Decoder(str)


def recognizes(name: str, head: bytes) -> bool:
    """Return whether a file is a transcript, by its first record."""
    del name
    if _SIGN.match(head):
        return True
    first = optional(_MEMBERS, Raw(head.partition(b"\n")[0]))
    if first is None or first.get("role") not in ("user", "assistant"):
        return False
    message = first.get("message")
    return not first.keys() - _KEYS and isinstance(message, dict) and message.keys() == {"content"}


def read(name: str, records: Iterable[bytes], wanted: WantedPath) -> Iterator[Found]:
    """Yield the edits that one agent session asked for, in order."""
    reading = _Reading(name, wanted)
    yield from reading.edits.read(records, reading.take, _is_record)
    are_recorded = reading.has_results
    yield from reading.edits.rest(EditResult.UNANSWERED if are_recorded else EditResult.UNRECORDED)


def _is_record(value: dict[str, Any]) -> bool:
    return "role" in value and "message" in value


class _Reading:
    """The state of reading one transcript."""

    def __init__(self, name: str, wanted: WantedPath) -> None:
        self.name = name
        self.edits = CallEdits(name, AGENT, wanted, READS)
        self.edits.agent_session = stem(name)
        self.at: datetime | None = None
        self.first = b""
        self.has_results = False

    def take(self, number: int, line: bytes) -> Iterator[Found]:
        """Yield the edits that one record asks for. Raises `RecordError`."""
        if not self.first:
            self._begin(line.strip())
        record = decoded(_RECORD, line)
        if record.message is None:
            return
        if record.role == "user":
            yield from self._turn(record.message, line)
        elif record.role == "assistant" and b'"tool_use"' in line:
            blocks = optional(_BLOCKS, record.message.content) or []
            for place, block in enumerate(blocks, 1):
                if block.type == "tool_use" and isinstance(block.name, str):
                    yield from self._call(block, f"{number}.{place}", number)

    def _turn(self, message: _Message, line: bytes) -> Iterator[Found]:
        if b"<timestamp>" in line and (told := to_turn_time(_prose(message.content))):
            self.at = told
        if b'"tool_result"' in line:
            yield from self._results(message)

    def _begin(self, first: bytes) -> None:
        self.first = first
        if self.edits.agent_session in _NAMELESS:
            self.edits.agent_session = f"cursor-{hashlib.sha256(first).hexdigest()[:16]}"

    def _call(self, block: _Block, place: str, number: int) -> Iterator[Found]:
        files = _requests(block.name, block.input)
        if not files:
            self.edits.other(block.name)
            return
        if self.at is None:
            if any(not one.is_deleted for one in files):
                yield UnreadEvidence(source=self.name, line=number, problem=_UNTIMED)
            return
        # The calls of a turn keep their order.
        self.at += _NEXT
        id_ = block.id if isinstance(block.id, str) else ""
        call = ToolCall(
            id=id_ or self._id(place, block),
            tool=block.name,
            files=files,
            line=number,
            at=self.at,
        )
        if id_:
            yield from self.edits.call(call)
        else:
            yield from self.edits.edits(call, CallResult(EditResult.UNRECORDED))

    def _results(self, message: _Message) -> Iterator[Found]:
        """Take results, should a version record them: AgentWorkforce/relayhistory#198 allows it."""
        for block in optional(_BLOCKS, message.content) or []:
            id_ = block.tool_use_id
            if block.type == "tool_result" and isinstance(id_, str) and self.edits.may_answer(id_):
                self.has_results = True
                prose = bytes(block.content).decode(errors="replace")
                told = failure(prose) if block.is_error else CallResult(EditResult.APPLIED)
                yield from self.edits.result(id_, told._replace(at=self.at))

    def _id(self, place: str, block: _Block) -> str:
        """Return a call's place in the agent session, whose copies have the same beginning."""
        told = b"\0".join([self.first, place.encode(), bytes(block.input)])
        return f"cursor_{hashlib.sha256(told).hexdigest()[:24]}_{place}"


def _prose(content: Raw) -> str:
    text = optional(_TEXT, content)
    if text is not None:
        return text
    blocks = optional(_BLOCKS, content) or []
    return "\n".join(one.text for one in blocks if isinstance(one.text, str))


def to_turn_time(prose: str) -> datetime | None:
    """Return the time of a turn, to the minute, in UTC; ``None``: the message tells none.

    Cursor tells it before what the person wrote, who may quote another time
    (https://github.com/kenn-io/agentsview/pull/1662).

    >>> to_turn_time("<timestamp>Friday, Jul 31, 2026, 5:10 PM (UTC-5)</timestamp>").isoformat()
    '2026-07-31T22:10:00+00:00'
    >>> to_turn_time("<user_query>not <timestamp>Friday, Jul 31, 2026, 5:10 PM (UTC)</timestamp>")
    """
    found = _TIME.search(prose.partition("<user_query>")[0])
    if found is None or found[1] not in _MONTHS:
        return None
    _, day, year, hour, minute, second, half, sign, hours, minutes = found.groups()
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        zone = timezone(-offset if sign == "-" else offset)
        told = datetime(
            int(year),
            _MONTHS.index(found[1]) + 1,
            int(day),
            int(hour) % 12 + (12 if half == "PM" else 0),
            int(minute),
            int(second or 0),
            tzinfo=zone,
        )
        return told.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _requests(tool: str, raw: Raw) -> tuple[FileRequest, ...]:
    """Return what a call asks of files; empty: it is no edit that is read."""
    if tool == "ApplyPatch":
        text = optional(_TEXT, raw)
        if text is not None:
            return patch_requests(text)
    given = optional(_INPUT, raw) or _Input()
    path = given.path if isinstance(given.path, str) else given.file_path
    if tool == "ApplyPatch":
        return _patched(path, given.patch if isinstance(given.patch, str) else given.input)
    if not isinstance(path, str) or not path:
        return ()
    if tool == "Write":
        return write_request(path, given.contents)
    if tool != "StrReplace":
        return ()
    asked = (given.old_string, given.new_string, given.replace_all)
    return replace_request(path, replacements([asked]))


def _patched(path: object, patch: object) -> tuple[FileRequest, ...]:
    """Return what a patch asks for, which names its files or stands beside a path."""
    if not isinstance(patch, str):
        return ()
    if files := patch_requests(patch):
        return files
    hunks = tuple(map(tuple, unified_hunks(patch)))
    return (FileRequest(path, hunks=hunks),) if isinstance(path, str) and path and hunks else ()
