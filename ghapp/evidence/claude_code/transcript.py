"""Tool calls of a transcript joined with their results. It works out no edit.

A call counts as applied only if a result exists that is not an error (rules.md 2.6). Results in
subagents' transcripts have no structured part.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from ghapp.attribution.model import DecidedBy, EditResult, PassedOver, UnreadEvidence
from ghapp.evidence.claude_code.records import (
    MessageBlock,
    ToolInput,
    ToolResult,
    TranscriptMessage,
    TranscriptRecord,
    innermost,
    is_record,
    shown_text,
    to_input,
    to_message,
    to_prose,
    to_record,
    to_result,
    to_worktree,
)
from ghapp.evidence.claude_code.tools import (
    BASH,
    CHANGING,
    HARMLESS,
    READ,
    SHELLS,
    is_of_server,
    says_failed,
    understood,
)
from ghapp.evidence.json_records import RecordError, whole_records
from ghapp.evidence.paths import to_path
from ghapp.evidence.shell_deeds import may_do
from ghapp.evidence.shell_outputs import is_patch
from ghapp.evidence.source import WantedPath, Worktree

AGENT = "claude-code"

RECENT = 8
"""Records with results that a later call may belong to. In 10 of 352 real transcripts a result
stood before its call, by 1 to 5 lines: two writes had raced each other."""
RECENT_BYTES = 8 * 1024 * 1024
"""Bytes of these records together, unless one alone is longer."""
SHELLS_KEPT = 64
"""Shell commands whose call is remembered until a result lists what they changed."""

_INTERRUPTED = "[Request interrupted by user"
_BY_PERSON = (
    "User rejected tool use",
    "The user doesn't want to proceed",
    "The user doesn't want to take this action",
)
# PreToolUse:Edit hook error: [protect-files.mjs]: a protected file
_BY_RULE = ("Claude requested permissions", "Permission to use", "has been denied", "PreToolUse:")
_DENIALS = {
    "user-rejected": DecidedBy.PERSON,
    "permission-rule": DecidedBy.AUTOMATIC,
    "automode-blocked": DecidedBy.AUTOMATIC,
    "automode-unavailable": DecidedBy.AUTOMATIC,
}
"""``toolDenialKind`` → who said no; since about 2.1.204."""
_STOPPED = ("interrupted", "cancelled")
"""``toolDenialKind`` of calls that nobody refused."""
_ASKS_NOBODY = frozenset({"bypassPermissions", "dontAsk", "auto"})
_ASKS_OUTSIDE = "acceptEdits"
"""The mode that accepts edits in the working directory, apart from `_PROTECTED` folders."""
_PROTECTED = frozenset({".git", ".claude", ".vscode", ".idea", ".husky"})
"""https://code.claude.com/docs/en/permission-modes"""
_MODIFIED = "user modified your proposed"
_TEXT_OR_NONE = frozenset({str, type(None)})
_PROSE_READ = 2000
"""Characters of an error's text that are searched for the kind of error."""


class ToolCall(NamedTuple):
    """A tool call, as the agent made it."""

    id: str
    tool: str
    """As the transcript names it."""
    does: str
    """What it does, in the names of Claude Code's own tools (`tools`)."""
    path: str
    """Of the file; empty for a shell command."""
    input: ToolInput
    at: datetime | None
    agent_session: str | None
    cwd: str | None
    line: int
    """Number of the line that holds the call; 0: the transcript shows the result alone."""
    agent_version: str | None = None
    model: str | None = None
    stamp: str | None = None
    """The call's time as its record has it."""
    asked: int = 0
    """A hash of what the call asks for."""


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
    modified: bool = False
    """A person changed the proposal before it was written."""
    decided_by: DecidedBy | None = None
    """``None``: the transcript does not say."""


class JoinedRead(NamedTuple):
    """A `Read` that succeeded, with the line that shows the file."""

    call: ToolCall
    line: bytes
    at: datetime | None
    """When the result came."""

    def text(self) -> str | None:
        """Decode the text that the result shows, whole or in part; ``None``: it shows none."""
        return shown_text(self.line, self.call.id)


Joined = JoinedCall | JoinedRead | Worktree | UnreadEvidence | PassedOver


class _Said(NamedTuple):
    """A record with its message decoded."""

    record: TranscriptRecord
    message: TranscriptMessage
    line: int
    """Its number."""


@dataclass(slots=True)
class _ResultLine:
    """A line that holds results, and which of them were joined with their calls."""

    line: bytes
    record: TranscriptRecord
    joined: set[str] = field(default_factory=set)
    ids: frozenset[str] | None = None
    """The ids of its results; ``None``: its message is not decoded."""

    def may_hold(self, id_: str) -> bool:
        """Return whether it may hold a result with this id that was not joined yet."""
        return id_ not in self.joined and id_.encode("utf-8", "surrogatepass") in self.line


class Transcript:
    """The state of reading one transcript: which calls wait for their result."""

    def __init__(self, name: str, wanted: WantedPath) -> None:
        self._name = name
        self._wanted = wanted
        self._pending: dict[str, ToolCall] = {}
        self._unanswered: list[ToolCall] = []
        self._shells: dict[str, ToolCall] = {}
        self._done: set[tuple[str, str | None]] = set()
        """Id and time of each call and each result that was joined: a copied record is dropped,
        another call with the same id is not (rules.md 2.8)."""
        self._asked: dict[str, int] = {}
        """Id of each joined call → hash of what it asked for."""
        self._recent: deque[_ResultLine] = deque()
        self._recent_bytes = 0
        self._worktrees: set[Worktree] = set()
        self._mode: str | None = None
        """The permission mode that the last prompt ran in; ``None``: not told."""
        self._passed_over: Counter[str] = Counter()
        self._found: list[Joined] = []
        """What the present record showed. A list, because a generator in each of the steps below
        takes a fifth of the time of reading."""

    def joined(self, records: Iterable[bytes]) -> Iterator[Joined]:
        """Yield calls in the order of their results, then the edits that never got one.

        Also yield each worktree that the transcript names, once, and at the end the tools whose
        calls were not read.
        """
        for number, line in enumerate(records, 1):
            if line.isspace():
                continue
            try:
                self._record(line, number)
            except RecordError as problem:
                self._damaged(line, number, problem)
            if self._found:
                found, self._found = self._found, []
                yield from found
        for call in (*self._unanswered, *self._pending.values()):
            if call.does in CHANGING and self._asked.get(call.id) != call.asked:
                yield JoinedCall(call, EditResult.UNANSWERED, call.at)
        for tool, count in sorted((+self._passed_over).items()):
            yield PassedOver(agent=AGENT, what=tool, count=count)

    def read_shell(self, call: ToolCall) -> None:
        """Note that a shell command was read as edits, so its call is not passed over."""
        self._passed_over[call.tool] -= 1

    def _record(self, line: bytes, number: int) -> None:
        record = to_record(line)
        if isinstance(record.permissionMode, str):
            self._mode = record.permissionMode
        if b'"worktreePath"' in line:
            self._note_worktree(record)
        if b'"tool_use' not in line:
            return
        if record.type == "user":
            self._remember(line, record)
            if not self._may_answer(line):
                return
        inner = innermost(record) if record.type == "progress" else record
        self._conversation(inner, line, number, wrapped=inner is not record)

    def _damaged(self, line: bytes, number: int, problem: RecordError) -> None:
        """Read the whole records on a line that is none itself, and name what else it holds."""
        records, torn = whole_records(line, is_record)
        if torn or not records or records == [line.strip()]:
            read = f"; {len(records)} whole beside it" if torn and records else ""
            self._unread(number, f"{problem}{read}")
        if records == [line.strip()]:
            return
        for record in records:
            try:
                self._record(record, number)
            except RecordError as other:
                self._unread(number, str(other))

    def _unread(self, number: int, problem: str) -> None:
        self._found.append(UnreadEvidence(source=self._name, line=number, problem=problem))

    def _may_answer(self, line: bytes) -> bool:
        """Return whether a line may hold a result that matters; most results do not."""
        return bool(self._pending) or b'"bashEditDiff"' in line

    def _remember(self, line: bytes, record: TranscriptRecord) -> None:
        """Keep a line with results for a moment: its calls may come later."""
        self._recent.append(_ResultLine(line, record))
        self._recent_bytes += len(line)
        while len(self._recent) > RECENT or (
            len(self._recent) > 1 and self._recent_bytes > RECENT_BYTES
        ):
            self._recent_bytes -= len(self._recent.popleft().line)

    def _note_worktree(self, record: TranscriptRecord) -> None:
        """Note the worktree that a session entered or a subagent got, unless it is known."""
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
            self._found.append(worktree)

    def _conversation(
        self, record: TranscriptRecord, line: bytes, number: int, *, wrapped: bool
    ) -> None:
        if record.type == "assistant":
            said = _Said(record, to_message(record), number)
            for block in said.message.blocks:
                # Progress records show a message again and again, each time at another time.
                again = wrapped and isinstance(block.id, str) and block.id in self._asked
                if not again and block.type == "tool_use" and self._call(block, said):
                    self._look_back(block.id, record)
        elif record.type == "user":
            self._results(record, line, self._recent[-1] if self._recent else None)

    def _results(
        self,
        record: TranscriptRecord,
        line: bytes,
        kept: _ResultLine | None,
        only_id: str | None = None,
    ) -> None:
        """Join the calls that a record's results answer; ``only_id``: those with that id."""
        results = [b for b in to_message(record).blocks if b.type == "tool_result"]
        kept = kept if kept is not None and kept.line is line else None
        if kept is not None and kept.ids is None:
            kept.ids = frozenset(b.tool_use_id for b in results if isinstance(b.tool_use_id, str))
        for block in results:
            if not isinstance(block.tool_use_id, str) or only_id not in (None, block.tool_use_id):
                continue
            if kept is not None and block.tool_use_id in self._pending:
                kept.joined.add(block.tool_use_id)
            self._result(block, record, line, only=len(results) == 1)

    def _look_back(self, id_: str, record: TranscriptRecord) -> None:
        """Join a call whose result stands a few lines before it."""
        for kept in [one for one in self._recent if one.ids is None or id_ in one.ids]:
            if kept.may_hold(id_) and kept.record.answers(record):
                self._results(kept.record, kept.line, kept, id_)

    def _call(self, block: MessageBlock, said: _Said) -> bool:
        """Remember a call that may change or show a file; return whether it waits for a result."""
        if not isinstance(block.id, str) or not isinstance(block.name, str):
            return False
        if (block.id, said.record.stamp) in self._done:
            return False
        known = understood(block.name, to_input(block, said.record.wireToolInputs))
        if known is None:
            self._passed_over[block.name] += block.name not in HARMLESS
            if block.id in self._pending:  # an edit that never got a result had this id before
                self._unanswered.append(self._pending.pop(block.id))
            return False
        call = self._of_interest(block, said, *known)
        if call is None:
            return False
        if call.does in SHELLS:
            self._passed_over[call.tool] += 1
            if call.does != BASH or not may_do(call.input.command):
                self._keep_shell(call)
                return False
        return self._wait(call)

    def _of_interest(
        self, block: MessageBlock, said: _Said, does: str, given: ToolInput
    ) -> ToolCall | None:
        """Return a call that names a file, or a shell command; ``None``: it does nothing."""
        record = said.record
        path = _path(does, given, record.directory)
        if path is None:
            return None
        wanted = does in SHELLS or self._wanted(path) or is_patch(path)
        if does == READ and not wanted:
            return None
        return ToolCall(
            id=block.id,
            tool=block.name,
            does=does,
            path=path,
            input=given if wanted else ToolInput(),
            at=record.at,
            agent_session=record.agent_session,
            cwd=record.directory,
            line=said.line,
            agent_version=record.agent_version,
            model=said.message.written_by,
            stamp=record.stamp,
            asked=_asked(block.name, path, given),
        )

    def _wait(self, call: ToolCall) -> bool:
        """Let a call wait for its result, unless it is the one that waits already."""
        waiting = self._pending.get(call.id)
        if waiting is not None:
            if (waiting.stamp, waiting.path) == (call.stamp, call.path):
                return False
            self._unanswered.append(waiting)
        self._pending[call.id] = call
        return True

    def _keep_shell(self, call: ToolCall) -> None:
        self._shells.pop(call.id, None)
        self._shells[call.id] = call._replace(input=ToolInput())
        if len(self._shells) > SHELLS_KEPT:
            del self._shells[next(iter(self._shells))]

    def _result(
        self, block: MessageBlock, record: TranscriptRecord, line: bytes, *, only: bool
    ) -> None:
        """Join the call that a result answers; ``only``: no other result shares its record."""
        key = block.tool_use_id, record.stamp
        if key in self._done:
            return
        call = self._pending.pop(block.tool_use_id, None)
        if call is None and b'"bashEditDiff"' not in line:
            return
        if call is not None and call.does == READ:
            if not block.failed and b"nchanged since last read" not in line:
                self._found.append(JoinedRead(call, line, record.at))
            return
        structured = to_result(record.toolUseResult) if only else None
        if call is None:
            call = self._shells.pop(block.tool_use_id, None) or _shell_call(key[0], record)
        result = _edit_result(call.tool, block, record, structured, only=only)
        if call.does in SHELLS and not (result is EditResult.APPLIED and _is_done(structured)):
            return
        self._done |= {key, (call.id, call.stamp)}
        self._asked[call.id] = call.asked
        modified = _is_modified(block, structured)
        if result is EditResult.APPLIED:
            by = DecidedBy.PERSON if modified else _accepted_by(self._mode, call)
        else:
            by = _refused_by(block, record) if result is EditResult.REFUSED else None
        at = record.at or call.at
        done = JoinedCall(call, result, at, structured, record.directory, modified, by)
        self._found.append(done)


def _asked(tool: object, path: str, given: ToolInput) -> int:
    texts = (given.old_string, given.new_string, given.content, given.new_source)
    # A hash of text is far cheaper than its `repr`, which only malformed arguments need.
    kinds = set(map(type, texts))
    told = texts if kinds <= _TEXT_OR_NONE else str(texts)
    return hash((tool, path, told, bytes(given.edits)))


def _path(does: str, given: ToolInput, cwd: str | None) -> str | None:
    """Return the path of the file that a call names; ``None``: without one it does nothing."""
    if does in SHELLS:
        return "" if isinstance(given.command, str) else None
    path = given.notebook_path if does == "NotebookEdit" else given.file_path
    # No file system allows a NUL in a path.
    named = isinstance(path, str) and path and "\0" not in path
    return to_path(path, cwd) if named else None


def _edit_result(
    tool: str,
    block: MessageBlock,
    record: TranscriptRecord,
    structured: ToolResult | None,
    *,
    only: bool,
) -> EditResult:
    """Return what became of a call; anything but a clear success is not applied."""
    if is_of_server(tool):
        in_prose = says_failed(to_prose(block.content)[:_PROSE_READ])
    else:
        is_told = only and structured is None
        in_prose = is_told and bytes(record.toolUseResult) not in (b"", b"null")
    if not block.failed and not in_prose and not (structured and structured.error):
        return EditResult.APPLIED
    if record.toolDenialKind is not None:
        stopped = record.toolDenialKind in _STOPPED
        return EditResult.INTERRUPTED if stopped else EditResult.REFUSED
    prose = _error(block, record)
    if _INTERRUPTED in prose:
        return EditResult.INTERRUPTED
    is_refusal = any(sign in prose for sign in (*_BY_PERSON, *_BY_RULE))
    return EditResult.REFUSED if is_refusal else EditResult.FAILED


def _error(block: MessageBlock, record: TranscriptRecord) -> str:
    """Return what is said about a call that was not applied."""
    return to_prose(block.content)[:_PROSE_READ] + to_prose(record.toolUseResult)[:_PROSE_READ]


def _refused_by(block: MessageBlock, record: TranscriptRecord) -> DecidedBy | None:
    if isinstance(record.toolDenialKind, str) and record.toolDenialKind in _DENIALS:
        return _DENIALS[record.toolDenialKind]
    prose = _error(block, record)
    if any(sign in prose for sign in _BY_PERSON):
        return DecidedBy.PERSON
    return DecidedBy.AUTOMATIC if any(sign in prose for sign in _BY_RULE) else None


def _accepted_by(mode: str | None, call: ToolCall) -> DecidedBy | None:
    """Return who accepted an edit. Only a mode that asks nobody says it.

    What a person allowed looks as what a rule or a hook allowed.
    """
    if mode in _ASKS_NOBODY:
        return DecidedBy.AUTOMATIC
    if mode != _ASKS_OUTSIDE or not call.cwd:
        return None
    inside = call.path.startswith(f"{to_path(call.cwd, None).rstrip('/')}/")
    is_asked = not inside or not _PROTECTED.isdisjoint(call.path.split("/"))
    return None if is_asked else DecidedBy.AUTOMATIC


def _shell_call(id_: str, record: TranscriptRecord) -> ToolCall:
    """Return the shell command of a result whose call the transcript does not show."""
    return ToolCall(
        id_,
        BASH,
        BASH,
        "",
        ToolInput(),
        None,
        record.agent_session,
        record.directory,
        line=0,
        agent_version=record.agent_version,
    )


def _is_done(structured: ToolResult | None) -> bool:
    """Return whether a shell command has ended, and nobody stopped it."""
    return not (structured and (structured.interrupted or structured.backgroundTaskId))


def _is_modified(block: MessageBlock, structured: ToolResult | None) -> bool:
    """Return whether a person changed the proposal, by the structured result or its text."""
    if structured is not None:
        return structured.userModified is True
    return _MODIFIED in to_prose(block.content)[:_PROSE_READ]
