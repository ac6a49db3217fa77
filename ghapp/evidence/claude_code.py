"""Transcripts of Claude Code: tool calls joined with their results. It opens no file.

An edit counts as applied only if a result exists that is not an error (rules.md 2.6). What it
added is worked out from the call; the structured result, absent in subagents' transcripts,
only completes it.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import PurePosixPath
from typing import NamedTuple

from ghapp.attribution.model import Edit, EditResult, TextLines, UnreadEvidence
from ghapp.evidence.claude_records import (
    MessageBlock,
    PatchHunk,
    ToolInput,
    ToolResult,
    TranscriptRecord,
    to_blocks,
    to_edits,
    to_input,
    to_nested_record,
    to_progress,
    to_prose,
    to_record,
    to_result,
    to_worktree,
)
from ghapp.evidence.json_records import RecordError
from ghapp.evidence.known_files import KnownFiles
from ghapp.evidence.own_lines import (
    NO_LINES,
    TextReplacement,
    all_own,
    from_patch,
    from_pieces,
    from_texts,
    replace,
)
from ghapp.evidence.paths import stem, to_path
from ghapp.evidence.shell_writes import ShellWrite, heredocs
from ghapp.evidence.snapshots import snapshots
from ghapp.evidence.source import Found, WantedPath, Worktree

NAME = "claude_code"
AGENT = "claude-code"
HOMES: tuple[str, ...] = (".claude/projects",)

EDIT_TOOLS = frozenset({"Edit", "Write", "MultiEdit", "NotebookEdit"})
SHELL_TOOLS = frozenset({"Bash"})
TOOLS = EDIT_TOOLS | SHELL_TOOLS | {"Read"}

READ_HEREDOCS = True
"""Whether files written by here-documents in shell commands count as edits."""

_FILE_NAME = re.compile(r"(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|agent-\w+)\.jsonl")
_SIGN = re.compile(rb'"(?:sessionId|parentUuid|leafUuid)"\s*:')
_NUMBERED = re.compile(r" *(\d+)(?:\u2192|\t)(.*)")
_DEEPEST = 4
"""Records inside records: a subagent's message in a progress record, and its own subagents'."""

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
"""Characters of an error's text in which its kind is looked for."""


def recognizes(name: str, head: bytes) -> bool:
    """Say whether a file is a transcript: by the first record that can be read, else its name."""
    readable = False
    first, _, rest = head.partition(b"\n")
    for line in head.splitlines():
        try:
            record = to_record(line)
        except RecordError:
            continue
        readable = True
        if isinstance(record.type, str) and _SIGN.search(line):
            return True
    if readable:
        return False
    one_long_record = not rest and first.startswith(b"{") and _SIGN.search(first)
    return bool(one_long_record or (head and _FILE_NAME.fullmatch(PurePosixPath(name).name)))


def read(name: str, records: Iterable[bytes], wanted: WantedPath) -> Iterator[Found]:
    """Yield the edits of one transcript in the order they were answered, then the unanswered.

    Also yields each worktree that the transcript names, once.
    """
    transcript = _Transcript(name, wanted)
    for number, line in enumerate(records, 1):
        yield from transcript.take(number, line)
    yield from transcript.unanswered()


class _Call(NamedTuple):
    """A tool call that waits for its result."""

    id: str
    tool: str
    path: str
    """Of the file; for a shell command the working directory."""
    input: ToolInput
    at: datetime | None
    agent_session: str | None
    cwd: str | None
    line: int


class _Transcript:
    """What must be kept while one transcript is read."""

    def __init__(self, name: str, wanted: WantedPath) -> None:
        self.name = name
        self.wanted = wanted
        self.known = KnownFiles()
        self.pending: dict[str, _Call] = {}
        self.answered: set[str] = set()
        self.worktrees: set[Worktree] = set()

    def take(self, number: int, line: bytes) -> Iterator[Found]:
        """Yield what one line brings."""
        if line.isspace():
            return
        try:
            record = to_record(line)
            if b'"worktreePath"' in line:
                yield from self._worktrees(record)
            if b'"tool_use' in line and (record.type != "user" or self._answers(line)):
                yield from self._conversation(record, line, number)
        except RecordError as problem:
            yield UnreadEvidence(source=self.name, line=number, problem=str(problem))

    def unanswered(self) -> Iterator[Found]:
        """Yield the edits that never got a result, in the order they were asked for."""
        for call in self.pending.values():
            if call.tool in EDIT_TOOLS:
                yield self._edit(call, EditResult.UNANSWERED, call.at, self._lines(call, None))

    def _answers(self, line: bytes) -> bool:
        """Say whether a line may hold a result that matters: most results do not."""
        return bool(self.pending) or b'"bashEditDiff"' in line

    # --- records ------------------------------------------------------------------------------

    def _conversation(
        self, record: TranscriptRecord, line: bytes, number: int, depth: int = 0
    ) -> Iterator[Found]:
        if record.type == "assistant":
            for block in to_blocks(record.message):
                if block.type == "tool_use":
                    self._call(block, record, number)
        elif record.type == "user":
            results = [b for b in to_blocks(record.message) if b.type == "tool_result"]
            for block in results:
                yield from self._result(block, record, line, only=len(results) == 1)
        elif record.type == "progress" and depth < _DEEPEST:
            inner = to_nested_record(to_progress(record.data).message)
            if inner is not None:
                _inherit(inner, record)
                yield from self._conversation(inner, line, number, depth + 1)

    def _worktrees(self, record: TranscriptRecord) -> Iterator[Worktree]:
        """Yield a worktree that a session entered, or that a subagent was given."""
        found = to_worktree(record.worktreeSession)
        if found is None and record.directory:
            result = to_result(record.toolUseResult)
            path = result.worktreePath if result else None
            found = (path, record.directory) if isinstance(path, str) and path else None
        if found is None:
            return
        worktree = Worktree(path=to_path(found[0], None), original=to_path(found[1], None))
        if worktree not in self.worktrees:
            self.worktrees.add(worktree)
            yield worktree

    def _call(self, block: MessageBlock, record: TranscriptRecord, number: int) -> None:
        """Remember a call that may change or show a file."""
        if not isinstance(block.id, str) or block.id in self.answered or block.id in self.pending:
            return
        if not isinstance(block.name, str) or block.name not in TOOLS:
            return
        given = to_input(block, record.wireToolInputs)
        path = _path(block.name, given, record.directory)
        if path is None or (block.name in SHELL_TOOLS and "<<" not in given.command):
            return
        if block.name not in SHELL_TOOLS and not self.wanted(path):
            if block.name == "Read":
                return
            given = ToolInput()
        self.pending[block.id] = _Call(
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
    ) -> Iterator[Found]:
        """Yield the edit that a result completes."""
        if not isinstance(block.tool_use_id, str) or block.tool_use_id in self.answered:
            return
        call = self.pending.pop(block.tool_use_id, None)
        if call is None and b'"bashEditDiff"' not in line:
            return
        if call is not None and call.tool == "Read":
            if not block.failed:
                self._shown(call, line)
            return
        result = to_result(record.toolUseResult) if only else None
        outcome = _outcome(block, record, result, only=only)
        if call is None or call.tool in SHELL_TOOLS:
            yield from self._shell(block.tool_use_id, call, record, result, outcome)
        else:
            self.answered.add(call.id)
            lines = self._lines(call, result)
            yield self._edit(call, outcome, record.at or call.at, lines)
            if outcome is EditResult.APPLIED:
                before = (result.original if result else None) or self.known.text(call.path)
                self._remember(call)
                yield from snapshots(call.path, (before, self._content_after(call, before)))

    # --- edits --------------------------------------------------------------------------------

    def _edit(
        self, call: _Call, outcome: EditResult, at: datetime | None, lines: TextLines
    ) -> Edit | UnreadEvidence:
        if at is None:
            return UnreadEvidence(
                source=self.name,
                line=call.line,
                problem="an edit without a time: it belongs to no window and is left out",
            )
        return Edit(
            id=call.id,
            agent=AGENT,
            agent_session=call.agent_session or stem(self.name),
            at=at,
            path=call.path,
            outcome=outcome,
            tool=call.tool,
            cwd=to_path(call.cwd, None) if call.cwd else None,
            lines=lines,
        )

    def _lines(self, call: _Call, result: ToolResult | None) -> TextLines:
        """Return what an edit added, or would have added had it been applied."""
        if call.tool == "Write":
            return self._written(call.path, call.input.content, result)
        if call.tool == "NotebookEdit":
            return _notebook_lines(call.input, result)
        return self._replaced(call, result)

    def _written(self, path: str, content: object, result: ToolResult | None) -> TextLines:
        if not isinstance(content, str):
            return NO_LINES
        if result and result.type == "create":
            return all_own(content)
        if result and (patch := result.patch):
            return from_patch(patch, content)
        before = result.original if result else None
        before = self.known.text(path) if before is None else before
        return all_own(content) if before is None else from_texts(before, content)

    def _replaced(self, call: _Call, result: ToolResult | None) -> TextLines:
        replacements = _replacements(call)
        if not replacements:
            return NO_LINES
        if result and (patch := result.patch):
            return from_patch(patch, "\n".join(piece.new for piece in replacements))
        before = result.original if result else None
        before = self.known.text(call.path) if before is None else before
        after = None if before is None else replace(before, replacements)
        if before is None or after is None:
            return from_pieces(replacements)
        return from_texts(before, after)

    # --- what is known of files ---------------------------------------------------------------

    def _content_after(self, call: _Call, before: str | None) -> str | None:
        """Return a file's whole text after an applied edit; ``None``: it is not known."""
        if call.tool == "Write":
            return call.input.content if isinstance(call.input.content, str) else None
        return None if before is None else replace(before, _replacements(call))

    def _remember(self, call: _Call) -> None:
        """Keep up what is known of a file after an applied edit."""
        if call.tool == "Write" and isinstance(call.input.content, str):
            self.known.wrote(call.path, call.input.content)
        elif call.path in self.known:
            self.known.replaced(call.path, _replacements(call))

    def _shown(self, call: _Call, line: bytes) -> None:
        """Keep a file's text where a Read shows it; the record is decoded only if needed."""
        if b"nchanged since last read" in line:
            return
        partial = call.input.offset is not None or call.input.limit is not None
        if partial and call.path in self.known:
            return
        self.known.shown(call.path, len(line), lambda: _shown_text(line, call.id))

    # --- the shell ----------------------------------------------------------------------------

    def _shell(
        self,
        id_: str,
        call: _Call | None,
        record: TranscriptRecord,
        result: ToolResult | None,
        outcome: EditResult,
    ) -> Iterator[Found]:
        """Yield what a shell command wrote that succeeded, one edit for each file."""
        if outcome is not EditResult.APPLIED or (result and _unfinished(result)):
            return
        self.answered.add(id_)
        found = list(self._shell_lines(call, record, result))
        shell = call or _Call(
            id_, "Bash", "", ToolInput(), None, record.agent_session, record.directory, 0
        )
        for number, (path, lines) in enumerate(found, 1):
            name = id_ if len(found) == 1 else f"{id_}#{number}"
            yield self._edit(
                shell._replace(id=name, path=path), outcome, record.at or shell.at, lines
            )

    def _shell_lines(
        self, call: _Call | None, record: TranscriptRecord, result: ToolResult | None
    ) -> Iterator[tuple[str, TextLines]]:
        diff = result.shell_diff if result else None
        if diff is not None:
            for file in diff.files:
                path = to_path(file.filePath, record.directory)
                self.known.forget(path)
                if file.filePath and file.hunks and not file.deleted:
                    wanted = self.wanted(path)
                    yield path, _patch_lines(file.hunks) if wanted else NO_LINES
        elif call is not None and READ_HEREDOCS:
            for write in heredocs(str(call.input.command)):
                path = to_path(write.path, call.cwd)
                yield path, self._heredoc(path, write) if self.wanted(path) else NO_LINES

    def _heredoc(self, path: str, write: ShellWrite) -> TextLines:
        before = self.known.text(path)
        if write.appends:
            if before is None:
                return all_own(write.text)
            after = before + write.text
        else:
            after = write.text
        self.known.wrote(path, after)
        return all_own(after) if before is None else from_texts(before, after)


# --- calls and results --------------------------------------------------------------------------


def _path(tool: object, given: ToolInput, cwd: str | None) -> str | None:
    """Return the path a call is about; ``None``: it names none, so it can do nothing."""
    if tool in SHELL_TOOLS:
        return "" if isinstance(given.command, str) else None
    path = given.notebook_path if tool == "NotebookEdit" else given.file_path
    # No file system knows a path with a NUL in it.
    named = isinstance(path, str) and path and "\0" not in path
    return to_path(path, cwd) if named else None


def _outcome(
    block: MessageBlock, record: TranscriptRecord, result: ToolResult | None, *, only: bool
) -> EditResult:
    """Say what became of a call; anything but a clear success is not applied."""
    raw = bytes(record.toolUseResult) if only else b""
    in_prose = raw not in (b"", b"null") and result is None
    if not block.failed and not in_prose and not (result and result.error):
        return EditResult.APPLIED
    if record.toolDenialKind is not None:
        interrupted = record.toolDenialKind == "interrupted"
        return EditResult.INTERRUPTED if interrupted else EditResult.REFUSED
    prose = to_prose(block.content)[:_PROSE_READ] + to_prose(record.toolUseResult)[:_PROSE_READ]
    if _INTERRUPTED in prose:
        return EditResult.INTERRUPTED
    return EditResult.REFUSED if any(sign in prose for sign in _REFUSED) else EditResult.FAILED


def _unfinished(result: ToolResult) -> bool:
    """Say whether a shell command was stopped, or still runs."""
    return bool(result.interrupted or result.backgroundTaskId)


def _inherit(inner: TranscriptRecord, outer: TranscriptRecord) -> None:
    """Give a record inside a progress record what only the outer one says."""
    inner.sessionId = inner.sessionId or outer.agent_session
    inner.cwd = inner.cwd or outer.cwd
    inner.timestamp = inner.timestamp or outer.timestamp


# --- what calls say -----------------------------------------------------------------------------


def _replacements(call: _Call) -> list[TextReplacement]:
    """Return the replacements a call asks for; empty if one of them is malformed."""
    given = to_edits(call.input.edits) if call.tool == "MultiEdit" else [call.input]
    found = []
    for one in given:
        if not isinstance(one.old_string, str) or not isinstance(one.new_string, str):
            return []
        # Seen as a string too: "false".
        everywhere = str(one.replace_all).lower() == "true"
        found.append(TextReplacement(one.old_string, one.new_string, everywhere))
    return found


def _notebook_lines(given: ToolInput, result: ToolResult | None) -> TextLines:
    """Return the own lines of a cell as plain source; in the file they stand as JSON strings."""
    old = result.old_source if result else None
    if not isinstance(given.new_source, str):
        return NO_LINES
    if given.edit_mode == "delete":
        return NO_LINES
    before = old if isinstance(old, str) and given.edit_mode != "insert" else ""
    return from_texts(before, given.new_source)


def _patch_lines(hunks: list[PatchHunk]) -> TextLines:
    return from_patch((hunk.lines for hunk in hunks), "")


def _shown_text(line: bytes, call_id: str) -> str | None:
    """Return the text that a Read's result shows, whole or in part; ``None``: no text."""
    for record in _records_within(line):
        result = to_result(record.toolUseResult)
        if result is not None:
            return result.shown
        for block in to_blocks(record.message):
            if block.tool_use_id == call_id:
                return _without_numbers(to_prose(block.content))
    return None


def _records_within(line: bytes) -> Iterator[TranscriptRecord]:
    """Yield the innermost record of a line: itself, or what progress records wrap."""
    record: TranscriptRecord | None = to_record(line)
    for _ in range(_DEEPEST):
        if record is None or record.type != "progress":
            break
        record = to_nested_record(to_progress(record.data).message)
    if record is not None:
        yield record


def _without_numbers(shown: str) -> str | None:
    """Return the text of a numbered listing; what follows the last numbered line is a remark."""
    lines: list[str] = []
    last = None
    for line in shown.split("\n"):
        match = _NUMBERED.match(line)
        if not match or (last is not None and int(match[1]) != last + 1):
            break
        last = int(match[1])
        lines.append(match[2])
    return "\n".join(lines) + "\n" if lines else None
