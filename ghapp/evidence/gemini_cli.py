"""Chats of Gemini CLI, as lines or as one document: tool calls with their status. It opens no file.

Gemini CLI writes a message again when it grows, so a call counts once it has a final status.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import Any

import msgspec
from msgspec import Raw

from ghapp.attribution.model import Edit, EditResult, TextLines, UnreadEvidence
from ghapp.evidence.file_edits import FileEdits
from ghapp.evidence.json_records import RecordError, decoded, document, optional, to_time
from ghapp.evidence.own_lines import NO_LINES, TextReplacement
from ghapp.evidence.paths import stem, to_path
from ghapp.evidence.source import Found, WantedPath

NAME = "gemini_cli"
AGENT = "gemini-cli"
HOMES: tuple[str, ...] = (".gemini/tmp",)
FILES = r".+\.jsonl|session-.+\.json"

# "projectHash": "a1b2…"
_SIGN = re.compile(rb'"projectHash"\s*:')
_RESULTS = {
    "success": EditResult.APPLIED,
    "error": EditResult.FAILED,
    "cancelled": EditResult.REFUSED,
}
"""A call is cancelled when the person rejects it."""


class _Arguments(msgspec.Struct, gc=False):
    file_path: Any = None
    old_string: Any = None
    new_string: Any = None
    content: Any = None
    allow_multiple: Any = None


class _Shown(msgspec.Struct, gc=False):
    """What Gemini CLI displayed of a call's effect."""

    filePath: Any = None  # noqa: N815  (the names are the format's)
    originalContent: Any = None  # noqa: N815
    newContent: Any = None  # noqa: N815
    isNewFile: Any = None  # noqa: N815


class _Call(msgspec.Struct, gc=False):
    id: Any = None
    name: Any = None
    args: Raw = Raw()
    status: Any = None
    timestamp: Any = None
    resultDisplay: Raw = Raw()  # noqa: N815


class _Message(msgspec.Struct, gc=False):
    """A line, or one of a document's messages; the first line names the agent session."""

    sessionId: Any = None  # noqa: N815
    timestamp: Any = None
    toolCalls: Raw = Raw()  # noqa: N815


class _Chat(msgspec.Struct, gc=False):
    """A whole chat, as older versions stored it."""

    sessionId: Any = None  # noqa: N815
    messages: list[_Message] = []


_MESSAGE = msgspec.json.Decoder(_Message)
_CHAT = msgspec.json.Decoder(_Chat)
_CALLS = msgspec.json.Decoder(list[_Call])
_ARGUMENTS = msgspec.json.Decoder(_Arguments)
_SHOWN = msgspec.json.Decoder(_Shown)


def recognizes(name: str, head: bytes) -> bool:
    """Return whether a file is a chat: its first record names its project."""
    del name
    start = head.partition(b'"messages"')[0] if _is_document(head) else head.partition(b"\n")[0]
    return bool(_SIGN.search(start)) and b'"sessionId"' in start


def read(name: str, records: Iterable[bytes], wanted: WantedPath) -> Iterator[Found]:
    """Yield the edits of one chat in the order they ended, then the unanswered."""
    chat = _Reading(name, wanted)
    lines = iter(records)
    first = next(lines, b"")
    if _is_document(first):
        yield from chat.take_document(chain([first], lines))
    else:
        for number, line in enumerate(chain([first], lines), 1):
            yield from chat.take(number, line)
    yield from chat.unanswered()


def _is_document(head: bytes) -> bool:
    """Return whether a file is one JSON value over several lines, or one line with all messages."""
    first = head.partition(b"\n")[0].strip()
    return not first.endswith(b"}") or b'"messages"' in first


class _Reading:
    """The state of reading one chat."""

    def __init__(self, name: str, wanted: WantedPath) -> None:
        self.name = name
        self.wanted = wanted
        self.agent_session: str | None = None
        self.files = FileEdits()
        self.pending: dict[str, tuple[_Call, datetime | None, int]] = {}
        self.ended: set[str] = set()

    def take_document(self, lines: Iterable[bytes]) -> Iterator[Found]:
        """Yield the edits of a chat in one document."""
        try:
            chat = decoded(_CHAT, document(lines))
        except RecordError as problem:
            yield UnreadEvidence(source=self.name, line=None, problem=str(problem))
            return
        self._place(chat.sessionId)
        for message in chat.messages:
            yield from self._message(message, 1)

    def take(self, number: int, line: bytes) -> Iterator[Found]:
        """Yield the edits that one line completes."""
        if not line or line.isspace():
            return
        try:
            message = decoded(_MESSAGE, line)
        except RecordError as problem:
            yield UnreadEvidence(source=self.name, line=number, problem=str(problem))
            return
        self._place(message.sessionId)
        yield from self._message(message, number)

    def unanswered(self) -> Iterator[Found]:
        """Yield the edits that never got a final status, in the order of their calls."""
        for call, at, number in self.pending.values():
            yield from self._edit(call, EditResult.UNANSWERED, at, number)

    def _place(self, agent_session: object) -> None:
        if self.agent_session is None and isinstance(agent_session, str) and agent_session:
            self.agent_session = agent_session

    def _message(self, message: _Message, number: int) -> Iterator[Found]:
        for call in optional(_CALLS, message.toolCalls) or []:
            if call.name not in ("replace", "write_file") or not isinstance(call.id, str):
                continue
            if call.id in self.ended:
                continue
            at = to_time(call.timestamp) or to_time(message.timestamp)
            result = _RESULTS.get(call.status) if isinstance(call.status, str) else None
            if result is None:
                self.pending[call.id] = (call, at, number)
                continue
            self.pending.pop(call.id, None)
            self.ended.add(call.id)
            yield from self._edit(call, result, at, number)

    def _edit(
        self, call: _Call, result: EditResult, at: datetime | None, number: int
    ) -> Iterator[Edit | UnreadEvidence]:
        given = optional(_ARGUMENTS, call.args) or _Arguments()
        shown = optional(_SHOWN, call.resultDisplay) or _Shown()
        path = _path(given, shown)
        if path is None:
            return
        if at is None:
            problem = "an edit without a time: it belongs to no window and is left out"
            yield UnreadEvidence(source=self.name, line=number, problem=problem)
            return
        yield Edit(
            id=call.id,
            agent=AGENT,
            agent_session=self.agent_session or stem(self.name),
            at=at,
            path=path,
            outcome=result,
            tool=call.name,
            lines=self._lines(path, call.name, given, shown, result),
        )

    def _lines(
        self, path: str, tool: str, given: _Arguments, shown: _Shown, result: EditResult
    ) -> TextLines:
        if not self.wanted(path):
            return NO_LINES
        applied = result is EditResult.APPLIED
        before = _before(shown)
        if applied and before is not None and isinstance(shown.newContent, str):
            return self.files.written(path, shown.newContent, before=before)
        if tool == "write_file":
            text = given.content if isinstance(given.content, str) else ""
            return self.files.written(path, text, before=before, applied=applied)
        if not isinstance(given.old_string, str) or not isinstance(given.new_string, str):
            return NO_LINES
        everywhere = given.allow_multiple is True
        piece = TextReplacement(given.old_string, given.new_string, everywhere)
        return self.files.replaced(path, [piece], applied=applied)


def _path(given: _Arguments, shown: _Shown) -> str | None:
    """Return the path that a call names, absolute if known; ``None``: it names none."""
    for path in (shown.filePath, given.file_path):
        if isinstance(path, str) and path and "\0" not in path:
            return to_path(path, None)
    return None


def _before(shown: _Shown) -> str | None:
    """Return the file's text before the call; empty: it is new; ``None``: not recorded."""
    if shown.isNewFile is True:
        return ""
    return shown.originalContent if isinstance(shown.originalContent, str) else None
