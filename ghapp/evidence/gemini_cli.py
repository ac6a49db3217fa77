"""Chats of Gemini CLI, as lines or as one document: tool calls with their status. It opens no file.

Gemini CLI writes a message again when it grows, so a call counts once it has a final status.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from ghapp.attribution.model import (
    DecidedBy,
    Edit,
    EditDecider,
    EditResult,
    PassedOver,
    TextLines,
    UnreadEvidence,
)
from ghapp.evidence.deciders import refused_by
from ghapp.evidence.file_edits import FileEdits
from ghapp.evidence.ids import known_id, made_id
from ghapp.evidence.json_records import (
    RecordError,
    decoded,
    document,
    each_record,
    opens_object,
    optional,
    some_text,
    to_time,
)
from ghapp.evidence.own_lines import NO_LINES, TextReplacement, only_from
from ghapp.evidence.paths import stem, to_path
from ghapp.evidence.source import Found, WantedPath

NAME = "gemini_cli"
AGENT = "gemini-cli"
HOMES: tuple[str, ...] = (".gemini/tmp",)
FILES = r".+\.jsonl|session-.+\.json"

TOOLS = frozenset({"replace", "write_file"})
READING = frozenset(
    {
        *("activate_skill", "ask_user", "cli_help", "codebase_investigator", "enter_plan_mode"),
        *("exit_plan_mode", "get_internal_docs", "glob", "google_web_search", "grep_search"),
        *("list_directory", "read_file", "read_many_files", "search_file_content", "web_fetch"),
        *("write_todos",),
    }
)
"""Tools that change no file; their calls are not counted as passed over."""

_GEMINIS = re.compile(rb'"type"\s*:\s*"gemini"|"projectHash"\s*:')
# session-2026-03-30T18-39-a1b2c3d4.json
_CHAT = re.compile(r"session-\d{4}-\d\d-\d\dT.+\.json")
_RESULTS = {
    "success": EditResult.APPLIED,
    "error": EditResult.FAILED,
    "cancelled": EditResult.REFUSED,
}
"""A call is cancelled when the person rejects it."""
_DENIED = ("cancelled", "error")
"""Statuses of calls whose result may say who refused them: a policy's refusal is an error."""


class _Arguments(msgspec.Struct, gc=False):
    file_path: Any = None
    old_string: Any = None
    new_string: Any = None
    content: Any = None
    allow_multiple: Any = None
    modified_by_user: Any = None
    ai_proposed_content: Any = None


class _DiffStat(msgspec.Struct, gc=False):
    user_added_lines: Any = None
    user_removed_lines: Any = None


class _Shown(msgspec.Struct, gc=False):
    """What Gemini CLI displayed of a call's effect."""

    filePath: Any = None  # noqa: N815  (the names are the format's)
    originalContent: Any = None  # noqa: N815
    newContent: Any = None  # noqa: N815
    isNewFile: Any = None  # noqa: N815
    diffStat: Raw = Raw()  # noqa: N815


class _Call(msgspec.Struct, gc=False):
    id: Any = None
    name: Any = None
    args: Raw = Raw()
    status: Any = None
    timestamp: Any = None
    result: Raw = Raw()
    resultDisplay: Raw = Raw()  # noqa: N815


class _Message(msgspec.Struct, gc=False, rename={"changed": "$set"}):
    """A line, a whole chat, or one of its messages; the first line names the agent session."""

    sessionId: Any = None  # noqa: N815
    timestamp: Any = None
    model: Any = None
    toolCalls: Raw = Raw()  # noqa: N815
    messages: Raw = Raw()
    changed: Raw = Raw()
    """Members of the chat that a later line writes again, perhaps all its messages."""


_MESSAGE = msgspec.json.Decoder(_Message)
_MESSAGES = msgspec.json.Decoder(list[Raw])
_CALLS = msgspec.json.Decoder(list[_Call])
_ARGUMENTS = msgspec.json.Decoder(_Arguments)
_SHOWN = msgspec.json.Decoder(_Shown)
_DIFF_STAT = msgspec.json.Decoder(_DiffStat)


def recognizes(name: str, head: bytes) -> bool:
    """Return whether a file is a chat, in whatever order its members are.

    What a person said at first may be longer than the head, and hide what follows it.
    """
    if not opens_object(head):
        return False
    if b'"messages"' in head:
        is_named = _CHAT.fullmatch(PurePosixPath(name).name) or b'"lastUpdated"' in head
        return bool(is_named) or _is_geminis(head)
    is_first = b'"lastUpdated"' in head and b'"startTime"' in head
    return b'"sessionId"' in head and (is_first or _is_geminis(head))


def _is_geminis(head: bytes) -> bool:
    # Words first: they are found far faster than an expression finds none.
    return (b'"gemini"' in head or b'"projectHash"' in head) and bool(_GEMINIS.search(head))


def read(name: str, records: Iterable[bytes], wanted: WantedPath) -> Iterator[Found]:
    """Yield the edits of one chat in the order they ended, then the unanswered."""
    chat = _Reading(name, wanted)
    lines = iter(records)
    first = next((line for line in lines if not line.isspace()), b"")
    if first.rstrip().endswith(b"}"):
        for number, line in enumerate(chain([first], lines), 1):
            yield from chat.take(number, line)
    else:
        yield from chat.take_document(chain([first], lines))
    yield from chat.unanswered()
    yield from chat.passed()


class _Reading:
    """The state of reading one chat."""

    def __init__(self, name: str, wanted: WantedPath) -> None:
        self.name = name
        self.wanted = wanted
        self.agent_session: str | None = None
        self.files = FileEdits()
        self.pending: dict[str, _Open] = {}
        self.ended: set[tuple[str, object]] = set()
        """Id of each ended call, which a later call may have again, with what it asked for, and
        with its time and path."""
        self.unread: Counter[str] = Counter()

    def take_document(self, lines: Iterable[bytes]) -> Iterator[Found]:
        """Yield the edits of a chat in one document over several lines."""
        try:
            chat = decoded(_MESSAGE, document(lines))
        except RecordError as problem:
            yield UnreadEvidence(source=self.name, line=None, problem=str(problem))
            return
        yield from self._chat(chat, 1)

    def take(self, number: int, line: bytes) -> Iterator[Found]:
        """Yield the edits that one line completes."""
        if not line or line.isspace():
            return
        for message in each_record(_MESSAGE, line, _is_message):
            if isinstance(message, RecordError):
                yield UnreadEvidence(source=self.name, line=number, problem=str(message))
            else:
                yield from self._chat(message, number)

    def passed(self) -> Iterator[PassedOver]:
        """Yield how many calls of each tool were not read as edits."""
        for tool, count in sorted(self.unread.items()):
            yield PassedOver(agent=AGENT, what=tool, count=count)

    def _chat(self, told: _Message, number: int) -> Iterator[Found]:
        """Yield the edits of a message and of all that it holds."""
        self.agent_session = self.agent_session or known_id(told.sessionId)
        yield from self._message(told, number)
        changed = optional(_MESSAGE, told.changed)
        for raw in (told.messages, changed.messages if changed else Raw()):
            for one in optional(_MESSAGES, raw) or ():
                message = optional(_MESSAGE, one)
                if message is not None:
                    yield from self._message(message, number)

    def unanswered(self) -> Iterator[Found]:
        """Yield the edits that never got a final status, in the order of their calls."""
        for name, open_ in self.pending.items():
            yield from self._edit(name, open_, EditResult.UNANSWERED)

    def _message(self, message: _Message, number: int) -> Iterator[Found]:
        for call in optional(_CALLS, message.toolCalls) or []:
            tool = some_text(call.name)
            if tool is None:
                continue
            at = to_time(call.timestamp) or to_time(message.timestamp)
            open_ = _opened(call, tool, at, number, some_text(message.model))
            name = known_id(call.id) or made_id(
                AGENT, self.agent_session or stem(self.name), at, tool, open_.path
            )
            told = {(name, hash((tool, bytes(call.args)))), (name, (at, open_.path))}
            if not told.isdisjoint(self.ended):
                continue
            result = _outcome(call, open_)
            if result is None and tool in TOOLS:
                self.pending[name] = open_
                continue
            self.pending.pop(name, None)
            self.ended |= told
            yield from self._edit(name, open_, result or EditResult.UNANSWERED)

    def _edit(self, name: str, open_: "_Open", result: EditResult) -> Iterator[Found]:
        if open_.tool not in TOOLS or open_.path is None:
            if open_.tool not in READING:
                self.unread[open_.tool] += 1
            return
        if open_.at is None:
            problem = "an edit without a time: it belongs to no window and is left out"
            yield UnreadEvidence(source=self.name, line=open_.line, problem=problem)
            return
        yield Edit(
            id=name,
            agent=AGENT,
            agent_session=self.agent_session or stem(self.name),
            at=open_.at,
            path=open_.path,
            outcome=result,
            tool=open_.tool,
            model=open_.model,
            lines=self._lines(open_, result),
        )
        by = _decided_by(open_, result)
        if by is not None:
            yield EditDecider(edit=name, path=open_.path, by=by)

    def _lines(self, open_: "_Open", result: EditResult) -> TextLines:
        if open_.path is None or not self.wanted(open_.path):
            return NO_LINES
        lines = self._written(open_.path, open_, applied=result is EditResult.APPLIED)
        proposed = _proposed(open_)
        return lines if proposed is None else only_from(lines, proposed)

    def _written(self, path: str, open_: "_Open", *, applied: bool) -> TextLines:
        """Return the lines that a call put into its file, a person's changes to them too."""
        given, shown = open_.given, open_.shown
        before = _before(shown)
        if applied and before is not None and isinstance(shown.newContent, str):
            return self.files.written(path, shown.newContent, before=before)
        if open_.tool == "write_file":
            text = given.content if isinstance(given.content, str) else ""
            return self.files.written(path, text, before=before, applied=applied)
        if not isinstance(given.old_string, str) or not isinstance(given.new_string, str):
            return NO_LINES
        everywhere = given.allow_multiple is True
        piece = TextReplacement(given.old_string, given.new_string, everywhere)
        return self.files.replaced(path, [piece], applied=applied)


class _Open(NamedTuple):
    """A call and what is known of it so far."""

    tool: str
    path: str | None
    """Absolute if known; ``None``: the call names no file."""
    given: _Arguments
    shown: _Shown
    at: datetime | None
    line: int
    model: str | None
    refused_by: DecidedBy | None
    """``None``: nobody refused it, or the record does not say who."""


def _is_message(value: dict[str, Any]) -> bool:
    return "$set" in value or "sessionId" in value or ("id" in value and "timestamp" in value)


def _opened(call: _Call, tool: str, at: datetime | None, line: int, model: str | None) -> _Open:
    given = optional(_ARGUMENTS, call.args) or _Arguments()
    shown = optional(_SHOWN, call.resultDisplay) or _Shown()
    prose = bytes(call.result).decode(errors="replace") if call.status in _DENIED else ""
    return _Open(tool, _path(given, shown), given, shown, at, line, model, refused_by(prose))


def _outcome(call: _Call, open_: _Open) -> EditResult | None:
    """Return what became of a call; ``None``: it has no final status."""
    result = _RESULTS.get(call.status) if isinstance(call.status, str) else None
    is_denied = result is EditResult.FAILED and open_.refused_by is DecidedBy.AUTOMATIC
    return EditResult.REFUSED if is_denied else result


def _decided_by(open_: _Open, result: EditResult) -> DecidedBy | None:
    """Return who decided; ``None``: the record does not say."""
    if result is EditResult.APPLIED and _proposed(open_) is not None:
        return DecidedBy.PERSON
    return open_.refused_by if result is EditResult.REFUSED else None


def _proposed(open_: _Open) -> str | None:
    """Return what the agent proposed, where a person changed it; ``None``: nobody did.

    The person's version replaces the agent's in the arguments, which keep the agent's beside it
    (google-gemini/gemini-cli, packages/core/src/tools/edit.ts).
    """
    given = open_.given
    stat = optional(_DIFF_STAT, open_.shown.diffStat) or _DiffStat()
    is_changed = given.modified_by_user is True or stat.user_added_lines or stat.user_removed_lines
    if not is_changed:
        return None
    for text in (given.ai_proposed_content, given.content, given.new_string):
        if isinstance(text, str):
            return text
    return ""


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
