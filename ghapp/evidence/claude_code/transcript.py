"""Tool calls of a transcript joined with their results. It works out no edit.

A call counts as applied only if a result exists that is not an error (rules.md 2.6). Results in
subagents' transcripts have no structured part.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from ghapp.attribution.model import EditResult, UnreadEvidence
from ghapp.evidence.claude_code.records import (
    MessageBlock,
    ToolInput,
    ToolResult,
    TranscriptRecord,
    innermost,
    shown_text,
    to_blocks,
    to_input,
    to_prose,
    to_record,
    to_result,
    to_worktree,
)
from ghapp.evidence.json_records import RecordError
from ghapp.evidence.paths import to_path
from ghapp.evidence.source import WantedPath, Worktree

EDIT_TOOLS = frozenset({"Edit", "Write", "MultiEdit", "NotebookEdit"})
SHELL_TOOLS = frozenset({"Bash"})
TOOLS = EDIT_TOOLS | SHELL_TOOLS | {"Read"}

_INTERRUPTED = "[Request interrupted by user"
_REFUSED = (
    "User rejected tool use",
    "The user doesn't want to proceed",
    "The user doesn't want to take this action",
    "Claude requested permissions",
    "Permission to use",
    "has been denied",
)
_PROSE_READ = 2000
"""Characters of an error's text that are searched for the kind of error."""


class ToolCall(NamedTuple):
    """A tool call, as the agent made it."""

    id: str
    tool: str
    path: str
    """Of the file; empty for a shell command."""
    input: ToolInput
    at: datetime | None
    agent_session: str | None
    cwd: str | None
    line: int
    """Number of the line that holds the call; 0: the transcript shows the result alone."""


class JoinedCall(NamedTuple):
    """A call that edits files, with its result."""

    call: ToolCall
    result: EditResult
    at: datetime | None
    """When the result came, else when the call was made."""
    structured: ToolResult | None = None
    """The structured part of the tool's result; ``None``: there is none."""
    directory: str | None = None
    """The working directory when the result came."""


class JoinedRead(NamedTuple):
    """A `Read` that succeeded, with the line that shows the file."""

    call: ToolCall
    line: bytes

    def text(self) -> str | None:
        """Decode the text that the result shows, whole or in part; ``None``: it shows none."""
        return shown_text(self.line, self.call.id)


Joined = JoinedCall | JoinedRead | Worktree | UnreadEvidence


class Transcript:
    """The state of reading one transcript: which calls wait for their result."""

    def __init__(self, name: str, wanted: WantedPath) -> None:
        self._name = name
        self._wanted = wanted
        self._pending: dict[str, ToolCall] = {}
        self._answered: set[str] = set()
        self._worktrees: set[Worktree] = set()

    def joined(self, records: Iterable[bytes]) -> Iterator[Joined]:
        """Yield calls in the order of their results, then the edits that never got one.

        Also yield each worktree that the transcript names, once.
        """
        for number, line in enumerate(records, 1):
            if line.isspace():
                continue
            try:
                record = to_record(line)
                if b'"worktreePath"' in line:
                    yield from self._new_worktrees(record)
                if b'"tool_use' in line and (record.type != "user" or self._may_answer(line)):
                    yield from self._conversation(innermost(record), line, number)
            except RecordError as problem:
                yield UnreadEvidence(source=self._name, line=number, problem=str(problem))
        for call in self._pending.values():
            if call.tool in EDIT_TOOLS:
                yield JoinedCall(call, EditResult.UNANSWERED, call.at)

    def _may_answer(self, line: bytes) -> bool:
        """Return whether a line may hold a result that matters; most results do not."""
        return bool(self._pending) or b'"bashEditDiff"' in line

    def _new_worktrees(self, record: TranscriptRecord) -> Iterator[Worktree]:
        """Yield the worktree that a session entered or a subagent got, unless it is known."""
        found = to_worktree(record.worktreeSession)
        if found is None and record.directory:
            result = to_result(record.toolUseResult)
            path = result.worktreePath if result else None
            found = (path, record.directory) if isinstance(path, str) and path else None
        if found is None:
            return
        worktree = Worktree(path=to_path(found[0], None), original=to_path(found[1], None))
        if worktree not in self._worktrees:
            self._worktrees.add(worktree)
            yield worktree

    def _conversation(
        self, record: TranscriptRecord, line: bytes, number: int
    ) -> Iterator[JoinedCall | JoinedRead]:
        if record.type == "assistant":
            for block in to_blocks(record.message):
                if block.type == "tool_use":
                    self._call(block, record, number)
        elif record.type == "user":
            results = [b for b in to_blocks(record.message) if b.type == "tool_result"]
            for block in results:
                yield from self._result(block, record, line, only=len(results) == 1)

    def _call(self, block: MessageBlock, record: TranscriptRecord, number: int) -> None:
        """Remember a call that may change or show a file."""
        if not isinstance(block.id, str) or block.id in self._answered or block.id in self._pending:
            return
        if not isinstance(block.name, str) or block.name not in TOOLS:
            return
        given = to_input(block, record.wireToolInputs)
        path = _path(block.name, given, record.directory)
        if path is None or (block.name in SHELL_TOOLS and "<<" not in given.command):
            return
        if block.name not in SHELL_TOOLS and not self._wanted(path):
            if block.name == "Read":
                return
            given = ToolInput()
        self._pending[block.id] = ToolCall(
            id=block.id,
            tool=block.name,
            path=path,
            input=given,
            at=record.at,
            agent_session=record.agent_session,
            cwd=record.directory,
            line=number,
        )

    def _result(
        self, block: MessageBlock, record: TranscriptRecord, line: bytes, *, only: bool
    ) -> Iterator[JoinedCall | JoinedRead]:
        """Yield the call that a result answers; ``only``: no other result shares its record."""
        if not isinstance(block.tool_use_id, str) or block.tool_use_id in self._answered:
            return
        call = self._pending.pop(block.tool_use_id, None)
        if call is None and b'"bashEditDiff"' not in line:
            return
        if call is not None and call.tool == "Read":
            if not block.failed and b"nchanged since last read" not in line:
                yield JoinedRead(call, line)
            return
        structured = to_result(record.toolUseResult) if only else None
        result = _edit_result(block, record, structured, only=only)
        if call is None:
            call = _shell_call(block.tool_use_id, record)
        if call.tool in SHELL_TOOLS and not (result is EditResult.APPLIED and _is_done(structured)):
            return
        self._answered.add(call.id)
        yield JoinedCall(call, result, record.at or call.at, structured, record.directory)


def _path(tool: object, given: ToolInput, cwd: str | None) -> str | None:
    """Return the path of the file that a call names; ``None``: without one it does nothing."""
    if tool in SHELL_TOOLS:
        return "" if isinstance(given.command, str) else None
    path = given.notebook_path if tool == "NotebookEdit" else given.file_path
    # No file system allows a NUL in a path.
    named = isinstance(path, str) and path and "\0" not in path
    return to_path(path, cwd) if named else None


def _edit_result(
    block: MessageBlock, record: TranscriptRecord, structured: ToolResult | None, *, only: bool
) -> EditResult:
    """Return what became of a call; anything but a clear success is not applied."""
    raw = bytes(record.toolUseResult) if only else b""
    in_prose = raw not in (b"", b"null") and structured is None
    if not block.failed and not in_prose and not (structured and structured.error):
        return EditResult.APPLIED
    if record.toolDenialKind is not None:
        interrupted = record.toolDenialKind == "interrupted"
        return EditResult.INTERRUPTED if interrupted else EditResult.REFUSED
    prose = to_prose(block.content)[:_PROSE_READ] + to_prose(record.toolUseResult)[:_PROSE_READ]
    if _INTERRUPTED in prose:
        return EditResult.INTERRUPTED
    return EditResult.REFUSED if any(sign in prose for sign in _REFUSED) else EditResult.FAILED


def _shell_call(id_: str, record: TranscriptRecord) -> ToolCall:
    """Return the shell command of a result whose call the transcript does not show."""
    return ToolCall(
        id_, "Bash", "", ToolInput(), None, record.agent_session, record.directory, line=0
    )


def _is_done(structured: ToolResult | None) -> bool:
    """Return whether a shell command has ended, and nobody stopped it."""
    return not (structured and (structured.interrupted or structured.backgroundTaskId))
