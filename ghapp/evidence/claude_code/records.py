"""The records of a Claude Code transcript as types, and how a line becomes one. It joins nothing.

The format is internal to Claude Code and changes between versions. So these types name only the
members that are used, ignore all others, and decode parts only where they are needed.
"""

import re
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw

from ghapp.evidence.ids import is_blanked
from ghapp.evidence.json_records import UNREADABLE, decoded, mended, optional, to_time

# "     7→    return total", with a tab for the arrow in some versions
_NUMBERED = re.compile(r" *(\d+)(?:\u2192|\t)(.*)")
_NO_MODEL = "<synthetic>"
_DEEPEST = 4
"""Levels of nesting: a progress record holds a subagent's message, which may be one too."""


class TranscriptRecord(msgspec.Struct, gc=False):
    """One line of a transcript."""

    type: Any = None
    uuid: Any = None
    parentUuid: Any = None  # noqa: N815  (the names are the transcript's)
    sourceToolAssistantUUID: Any = None  # noqa: N815
    timestamp: Any = None
    sessionId: Any = None  # noqa: N815
    session_id: Any = None
    version: Any = None
    cwd: Any = None
    message: Raw = Raw()
    toolUseResult: Raw = Raw()  # noqa: N815
    toolDenialKind: Any = None  # noqa: N815
    permissionMode: Any = None  # noqa: N815
    wireToolInputs: Raw = Raw()  # noqa: N815
    worktreeSession: Raw = Raw()  # noqa: N815
    data: Raw = Raw()

    @property
    def agent_session(self) -> str | None:
        """The agent session's id; ``None``: the record has none."""
        for value in (self.sessionId, self.session_id):
            if isinstance(value, str) and value:
                return value
        return None

    @property
    def at(self) -> datetime | None:
        """The record's time in UTC; ``None``: missing or unreadable."""
        return to_time(self.timestamp)

    @property
    def stamp(self) -> str | None:
        """The record's time as it stands there: a copy of the record has the same one."""
        return self.timestamp if isinstance(self.timestamp, str) else None

    @property
    def directory(self) -> str | None:
        """The working directory; ``None``: not recorded."""
        return self.cwd if isinstance(self.cwd, str) and self.cwd else None

    @property
    def agent_version(self) -> str | None:
        """The version of Claude Code; ``None``: not recorded."""
        return self.version if isinstance(self.version, str) and self.version else None

    def answers(self, call: "TranscriptRecord") -> bool:
        """Return whether this record's result can belong to the call in another record."""
        if isinstance(self.sourceToolAssistantUUID, str):
            return bool(self.sourceToolAssistantUUID == call.uuid)
        if isinstance(self.parentUuid, str) and self.parentUuid == call.uuid:
            return True
        return self.at is not None and call.at is not None and self.at >= call.at


class MessageBlock(msgspec.Struct, gc=False):
    """One block of a message: a tool call, a tool's result, or something else."""

    type: Any = None
    id: Any = None
    name: Any = None
    input: Raw = Raw()
    tool_use_id: Any = None
    is_error: Any = None
    content: Raw = Raw()

    @property
    def failed(self) -> bool:
        """Whether the result is marked as an error."""
        return self.is_error not in (None, False, "false")


class TranscriptMessage(msgspec.Struct, gc=False):
    """What a record says: blocks, or plain text."""

    content: list[MessageBlock] | str | None = None
    model: Any = None

    @property
    def blocks(self) -> list[MessageBlock]:
        """The blocks; a message of plain text has none."""
        return self.content if isinstance(self.content, list) else []

    @property
    def written_by(self) -> str | None:
        """The model that wrote it; ``None``: not recorded, or Claude Code wrote it."""
        model = self.model
        return model if isinstance(model, str) and model and model != _NO_MODEL else None


class _ProgressData(msgspec.Struct, gc=False):
    """The ``data`` of a progress record; older versions put subagents' messages there."""

    type: Any = None
    message: Raw = Raw()


class ToolInput(msgspec.Struct, gc=False):
    """The arguments of the tools that edit or read files. Any of them may be missing.

    Those from ``abs_path`` on are arguments of other servers' tools (`tools`).
    """

    file_path: Any = None
    old_string: Any = None
    new_string: Any = None
    replace_all: Any = None
    content: Any = None
    edits: Raw = Raw()
    notebook_path: Any = None
    new_source: Any = None
    edit_mode: Any = None
    command: Any = None
    offset: Any = None
    limit: Any = None
    abs_path: Any = None
    path: Any = None
    pathInProject: Any = None  # noqa: N815
    relative_path: Any = None
    text: Any = None
    body: Any = None
    oldText: Any = None  # noqa: N815
    newText: Any = None  # noqa: N815
    replaceAll: Any = None  # noqa: N815
    mode: Any = None
    dryRun: Any = None  # noqa: N815


class PatchHunk(msgspec.Struct, gc=False):
    """One hunk of a structured patch; each line starts with its origin."""

    lines: list[str] = []


class WrittenFile(msgspec.Struct, gc=False):
    """What a shell command did to one file."""

    filePath: str = ""  # noqa: N815
    deleted: bool = False
    hunks: list[PatchHunk] = []


class ShellDiff(msgspec.Struct, gc=False):
    """What a shell command did to files, as far as Claude Code saw it."""

    files: list[WrittenFile] = []
    moreFiles: Any = None  # noqa: N815
    unavailable: Any = None
    shared: Any = None


class _ShownFile(msgspec.Struct, gc=False):
    content: str | None = None


class ToolResult(msgspec.Struct, gc=False):
    """The structured result beside a message; subagents' transcripts have none."""

    type: Any = None
    structuredPatch: Raw = Raw()  # noqa: N815
    originalFile: Raw = Raw()  # noqa: N815
    originalFileContents: Raw = Raw()  # noqa: N815
    error: Any = None
    old_source: Any = None
    userModified: Any = None  # noqa: N815
    file: Raw = Raw()
    bashEditDiff: Raw = Raw()  # noqa: N815
    interrupted: Any = None
    backgroundTaskId: Any = None  # noqa: N815
    worktreePath: Any = None  # noqa: N815

    @property
    def patch(self) -> list[list[str]]:
        """The lines of each hunk; empty: no patch, or an unreadable one."""
        return [hunk.lines for hunk in optional(_HUNKS, self.structuredPatch) or [] if hunk.lines]

    @property
    def original(self) -> str | None:
        """The file's text before the edit; ``None``: not recorded."""
        for raw in (self.originalFile, self.originalFileContents):
            text: str | None = optional(_TEXT, raw)
            if text is not None:
                return text
        return None

    @property
    def shown(self) -> str | None:
        """The text of the file that was read; ``None``: the file was no text."""
        file: _ShownFile | None = optional(_SHOWN, self.file)
        return file.content if file else None

    @property
    def shell_diff(self) -> ShellDiff | None:
        """What a shell command did; ``None``: not recorded, or others changed files too."""
        diff = optional(_SHELL, self.bashEditDiff)
        return None if diff is None or diff.shared or diff.unavailable else diff


class _WorktreeSession(msgspec.Struct, gc=False):
    worktreePath: str  # noqa: N815
    originalCwd: str  # noqa: N815


_RECORD = msgspec.json.Decoder(TranscriptRecord)
_MESSAGE = msgspec.json.Decoder(TranscriptMessage)
_PROGRESS = msgspec.json.Decoder(_ProgressData)
_INPUT = msgspec.json.Decoder(ToolInput)
_INPUTS = msgspec.json.Decoder(dict[str, ToolInput])
_EDITS = msgspec.json.Decoder(list[ToolInput])
_RESULT = msgspec.json.Decoder(ToolResult)
_HUNKS = msgspec.json.Decoder(list[PatchHunk] | None)
_SHELL = msgspec.json.Decoder(ShellDiff | None)
_SHOWN = msgspec.json.Decoder(_ShownFile | None)
_TEXT = msgspec.json.Decoder(str | None)
_TEXT_BLOCKS = msgspec.json.Decoder(list[dict[str, Any]])
_WORKTREE = msgspec.json.Decoder(_WorktreeSession | None)


def to_record(line: bytes) -> TranscriptRecord:
    """Decode a line. Raises `RecordError` if it is not a JSON object."""
    try:
        return _RECORD.decode(line)
    except UNREADABLE as problem:
        return mended(_RECORD, line, problem)


def to_message(record: TranscriptRecord) -> TranscriptMessage:
    """Return a record's message, empty if it has none.

    A blanked id joins nothing, so the record stands for it: a call's own, a result's the one that
    it answers. Where a record holds several such calls, nothing tells which of them a result means.
    """
    if not record.message:
        return TranscriptMessage()
    message = decoded(_MESSAGE, record.message)
    calls: list[MessageBlock] = []
    for block in message.blocks:
        if block.type == "tool_use" and is_blanked(block.id):
            calls.append(block)
        elif block.type == "tool_result" and is_blanked(block.tool_use_id):
            answered = record.sourceToolAssistantUUID or record.parentUuid
            if isinstance(answered, str):
                block.tool_use_id = answered
    if isinstance(record.uuid, str):
        for number, call in enumerate(calls, 1):
            call.id = record.uuid if len(calls) == 1 else f"{record.uuid}#{number}"
    return message


def is_record(value: dict[str, Any]) -> bool:
    """Return whether a JSON object on a damaged line is a record, not a part of one."""
    return isinstance(value.get("type"), str) and isinstance(value.get("sessionId"), str)


def innermost(record: TranscriptRecord) -> TranscriptRecord:
    """Return the record that progress records wrap, or the record itself.

    Older versions wrap a subagent's messages so. Members that only the outer record has are
    copied to the inner one.
    """
    depth = 0
    while record.type == "progress" and depth < _DEEPEST:
        depth += 1
        data = optional(_PROGRESS, record.data)
        inner = optional(_RECORD, data.message) if data else None
        if inner is None:
            break
        inner.sessionId = inner.sessionId or record.agent_session
        inner.cwd = inner.cwd or record.cwd
        inner.version = inner.version or record.version
        inner.timestamp = inner.timestamp or record.timestamp
        record = inner
    return record


def to_input(block: MessageBlock, wire_inputs: Raw) -> ToolInput:
    """Return a call's arguments, empty where they are malformed: such a call fails.

    Some exports hold the arguments as JSON in a string. Newer versions hold them a second
    time, as sent, under the call's id.
    """
    found = optional(_INPUT, block.input)
    if found is None:
        text = optional(_TEXT, block.input)
        found = optional(_INPUT, Raw(text.encode(errors="replace"))) if text else None
    if found is None:
        found = (optional(_INPUTS, wire_inputs) or {}).get(block.id)
    return found or ToolInput()


def to_edits(raw: Raw) -> list[ToolInput]:
    """Return the edits of a call that makes several; empty if malformed."""
    return optional(_EDITS, raw) or []


def to_result(raw: Raw) -> ToolResult | None:
    """Return the structured result; ``None``: absent, or prose instead of an object."""
    return optional(_RESULT, raw) if raw else None


def to_worktree(raw: Raw) -> tuple[str, str] | None:
    """Return a worktree's root and its original checkout; ``None``: the record names none."""
    found = optional(_WORKTREE, raw)
    return (found.worktreePath, found.originalCwd) if found else None


def to_prose(raw: Raw) -> str:
    """Return the text of a result, whether a string or a list of text blocks."""
    text = optional(_TEXT, raw)
    if text is None:
        blocks = optional(_TEXT_BLOCKS, raw) or []
        text = "\n".join(str(block.get("text", "")) for block in blocks)
    return text


def shown_text(line: bytes, call_id: str) -> str | None:
    """Return the text that the result of a `Read` shows in a line; ``None``: it shows no text."""
    record = innermost(to_record(line))
    result = to_result(record.toolUseResult)
    if result is not None:
        return result.shown
    for block in to_message(record).blocks:
        if block.tool_use_id == call_id:
            return _without_numbers(to_prose(block.content))
    return None


def _without_numbers(shown: str) -> str | None:
    """Return the text of a numbered listing; a remark may follow the last numbered line."""
    lines: list[str] = []
    last = None
    for line in shown.split("\n"):
        match = _NUMBERED.match(line)
        if not match or (last is not None and int(match[1]) != last + 1):
            break
        last = int(match[1])
        lines.append(match[2])
    return "\n".join(lines) + "\n" if lines else None
