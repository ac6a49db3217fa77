"""Events of GitHub Copilot: tool calls joined with their results. It opens no file.

Copilot CLI and Copilot in VS Code write the same events, each with tools of its own.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
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
    ShellCommand,
    TextLines,
    UnreadEvidence,
)
from ghapp.evidence.calls import OpenCalls
from ghapp.evidence.file_edits import FileEdits
from ghapp.evidence.ids import known_id, made_id
from ghapp.evidence.json_records import RecordError, each_record, optional, some_text, to_time
from ghapp.evidence.own_lines import (
    NO_LINES,
    TextReplacement,
    from_marked,
    from_patch,
    split_lines,
)
from ghapp.evidence.patches import patched_files, unified_hunks
from ghapp.evidence.paths import stem, to_path
from ghapp.evidence.shell_deeds import found_in, is_read_whole
from ghapp.evidence.shell_results import succeeded_at_end
from ghapp.evidence.source import Found, WantedPath, named_checkout

NAME = "copilot"
AGENT = "copilot"
HOMES: tuple[str, ...] = (
    ".copilot/session-state",
    *(
        f"{folder}/User/workspaceStorage"
        for folder in (
            *(".config/Code", ".config/Code - Insiders", ".vscode-server/data"),
            *("Library/Application Support/Code", "AppData/Roaming/Code"),
        )
    ),
)
FILES = r".+\.jsonl"

TOOLS = frozenset({"edit", "create", "apply_patch"})
"""Tools of Copilot CLI."""
EDITOR_TOOLS = frozenset(
    {
        *("create_file", "edit_notebook_file", "insert_edit_into_file"),
        *("multi_replace_string_in_file", "replace_string_in_file"),
    }
)
"""Tools of Copilot in VS Code, which also has ``apply_patch``."""
REGISTERED = {
    "copilot_applyPatch": "apply_patch",
    "copilot_createFile": "create_file",
    "copilot_editNotebook": "edit_notebook_file",
    "copilot_insertEdit": "insert_edit_into_file",
    "copilot_multiReplaceString": "multi_replace_string_in_file",
    "copilot_replaceString": "replace_string_in_file",
}
"""Names by which the editor registers its tools → names that models call (``toolNames.ts``)."""
EDITING = TOOLS | EDITOR_TOOLS
READING = frozenset(
    {
        *("ask_user", "fetch_webpage", "file_search", "get_changed_files", "get_errors"),
        *("get_terminal_output", "get_vscode_api", "glob", "grep", "grep_search", "list_dir"),
        *("list_bash", "manage_todo_list", "read_bash", "read_file", "read_project_structure"),
        *("report_intent", "runSubagent", "search_subagent", "semantic_search", "show_file"),
        *("sql", "task", "tool_search", "update_todo", "view", "view_image", "web_fetch"),
        *("web_search", "copilot_getNotebookSummary", "read_notebook_cell_output"),
    }
)
"""Tools that change no file; their calls are not counted as passed over."""
SHELL = "bash"

# // ...existing code..., <!-- ... existing code ... -->
_SAME = re.compile(r"^\W*\.\.\.\s*existing code\b", re.IGNORECASE)

# "type":"tool.execution_start"
_SIGN = re.compile(rb'"type"\s*:\s*"(?:session|user|assistant|tool|hook)\.\w+"')
# "type":"session.start": others name events so, too, but not these
_START = re.compile(rb'"type"\s*:\s*"(?:session\.(?:start|resume)|tool\.execution_\w+)"')
_REFUSALS = {
    "denied-interactively-by-user": DecidedBy.PERSON,
    "denied-by-rules": DecidedBy.AUTOMATIC,
    "denied-no-approval-rule-and-could-not-request-from-user": DecidedBy.AUTOMATIC,
    "denied-by-content-exclusion-policy": DecidedBy.AUTOMATIC,
    "denied-by-permission-request-hook": DecidedBy.AUTOMATIC,
}
"""What ``permission.completed`` says of a call → who refused it. An approval does not say whose it
is: a rule's, a hook's and a person's look alike (github/copilot-sdk)."""
# Permission denied by the user
_REFUSED = re.compile(r"denied|rejected|declined", re.IGNORECASE)
# The operation was cancelled
_INTERRUPTED = re.compile(r"abort|cancel|interrupt", re.IGNORECASE)


class _Event(msgspec.Struct, gc=False):
    type: Any = None
    timestamp: Any = None
    data: Raw = Raw()


class _Context(msgspec.Struct, gc=False):
    gitRoot: Any = None  # noqa: N815
    repository: Any = None
    cwd: Any = None


class _Data(msgspec.Struct, gc=False):
    """The members of all types of events; each type has some of them."""

    copilotVersion: Any = None  # noqa: N815
    selectedModel: Any = None  # noqa: N815
    newModel: Any = None  # noqa: N815
    model: Any = None
    sessionId: Any = None  # noqa: N815  (the names are the format's)
    context: _Context | None = None
    toolCallId: Any = None  # noqa: N815
    toolName: Any = None  # noqa: N815
    arguments: Raw = Raw()
    success: Any = None
    result: Raw = Raw()
    error: Raw = Raw()


class _Piece(msgspec.Struct, gc=False):
    """A replacement in a file."""

    filePath: Any = None  # noqa: N815
    oldString: Any = None  # noqa: N815
    newString: Any = None  # noqa: N815


class _Arguments(msgspec.Struct, gc=False):
    """The arguments of all tools: those of the command line have other names."""

    path: Any = None
    command: Any = None
    old_str: Any = None
    new_str: Any = None
    file_text: Any = None
    input: Any = None
    filePath: Any = None  # noqa: N815
    oldString: Any = None  # noqa: N815
    newString: Any = None  # noqa: N815
    content: Any = None
    code: Any = None
    newCode: Any = None  # noqa: N815
    replacements: list[_Piece] = []


class _Result(msgspec.Struct, gc=False):
    content: Any = None
    detailedContent: Any = None  # noqa: N815
    result_type: Any = None
    kind: Any = None


_EVENT = msgspec.json.Decoder(_Event)
_DATA = msgspec.json.Decoder(_Data)
_ARGUMENTS = msgspec.json.Decoder(_Arguments)
_TEXT = msgspec.json.Decoder(str)
_RESULT = msgspec.json.Decoder(_Result)


def recognizes(name: str, head: bytes) -> bool:
    """Return whether a file holds events of Copilot CLI, by its first line."""
    del name
    first = head.partition(b"\n")[0]
    if not _SIGN.search(first) or b'"data"' not in first:
        return False
    return b'"parentId"' in first or bool(_START.search(first))


def read(name: str, records: Iterable[bytes], wanted: WantedPath) -> Iterator[Found]:
    """Yield the edits of one agent session in the order they ended, then the unanswered."""
    events = _Events(name, wanted)
    for number, line in enumerate(records, 1):
        yield from events.take(number, line)
    yield from events.unanswered()
    yield from events.passed()


class _Call(NamedTuple):
    """A tool call that waits for its result."""

    id: str | None
    """``None``: the record has no usable id."""
    tool: str
    arguments: _Arguments
    at: datetime | None
    line: int
    model: str | None


class _Events:
    """The state of reading one file of events."""

    def __init__(self, name: str, wanted: WantedPath) -> None:
        self.name = name
        self.wanted = wanted
        folder = stem(str(PurePosixPath(name).parent))
        self.agent_session = folder if folder and stem(name) == "events" else stem(name)
        self.cwd: str | None = None
        self.version: str | None = None
        self.model: str | None = None
        self.files = FileEdits()
        self.calls: OpenCalls[_Call] = OpenCalls()
        self.made: set[str] = set()
        self.refused: dict[str, DecidedBy] = {}
        """Id of a call → who refused it, where the events say so."""
        self.unread: Counter[str] = Counter()

    def take(self, number: int, line: bytes) -> Iterator[Found]:
        """Yield the edits that one line completes."""
        if line.isspace():
            return
        for event in each_record(_EVENT, line, _is_event):
            if isinstance(event, RecordError):
                self.calls.doubt()
                yield UnreadEvidence(source=self.name, line=number, problem=str(event))
            else:
                yield from self._take(event, number)

    def _take(self, event: _Event, number: int) -> Iterator[Found]:
        if not isinstance(event.type, str) or event.type not in _KINDS:
            return
        data = optional(_DATA, event.data)
        if data is None:
            return
        at = to_time(event.timestamp)
        if event.type == "tool.execution_start":
            self._call(data, at, number)
        elif event.type == "tool.execution_complete":
            yield from self._end(data, at)
        elif event.type == "permission.completed":
            told = optional(_RESULT, data.result)
            if told is not None and isinstance(told.kind, str) and told.kind in _REFUSALS:
                self.refused[str(data.toolCallId)] = _REFUSALS[told.kind]
        else:
            self._place(data)
            if data.context is not None:
                root, remote = data.context.gitRoot, data.context.repository
                yield from named_checkout(root, remote, is_root=True)

    def unanswered(self) -> Iterator[Found]:
        """Yield the edits that never got a result, in the order of their calls."""
        for call in self.calls.take_all():
            yield from self._edits(call, None, EditResult.UNANSWERED, call.at)

    def passed(self) -> Iterator[PassedOver]:
        """Yield how many calls of each tool were not read as edits."""
        for tool, count in sorted(self.unread.items()):
            yield PassedOver(agent=AGENT, what=tool, count=count)

    def _place(self, data: _Data) -> None:
        self.agent_session = known_id(data.sessionId) or self.agent_session
        self.version = some_text(data.copilotVersion) or self.version
        self.model = some_text(data.newModel) or some_text(data.selectedModel) or self.model
        if data.context is not None and isinstance(data.context.cwd, str):
            self.cwd = data.context.cwd

    def _call(self, data: _Data, at: datetime | None, number: int) -> None:
        tool = some_text(data.toolName)
        if tool is None:
            return
        tool = REGISTERED.get(tool, tool)
        id_ = known_id(data.toolCallId)
        if id_ is not None and not self.calls.tell(id_, (bytes(data.arguments), at)):
            return
        if tool not in EDITING and tool not in READING and tool != SHELL:
            self.unread[tool] += 1
        given = _given(data.arguments)
        self.calls.add(id_, _Call(id_, tool, given, at, number, self.model))

    def _end(self, data: _Data, at: datetime | None) -> Iterator[Found]:
        call = self.calls.take(known_id(data.toolCallId))
        if call is None:
            return
        output = optional(_RESULT, data.result)
        said = output.result_type if output and data.success is None else None
        is_applied = data.success is True or said == "success"
        result = EditResult.APPLIED if is_applied else _failure(bytes(data.error))
        call = call._replace(model=some_text(data.model) or call.model)
        yield from self._edits(call, output, result, at or call.at)

    def _of_shell(
        self, call: _Call, output: _Result | None, result: EditResult, at: datetime | None
    ) -> Iterator[Found]:
        """Yield what a shell command surely did; count it unless all of that are edits."""
        command = some_text(call.arguments.command)
        prose = some_text(output.content if output else None) or ""
        found: list[Edit | ShellCommand] = []
        if command and call.id and at and result is EditResult.APPLIED and succeeded_at_end(prose):
            edit = Edit(
                id=call.id,
                agent=AGENT,
                agent_session=self.agent_session,
                at=at,
                path="",
                tool=call.tool,
                cwd=to_path(self.cwd, None) if self.cwd else None,
                agent_version=self.version,
                model=call.model,
            )
            found = found_in(command, edit, self.wanted)
        self.unread[call.tool] += not is_read_whole(found)
        yield from found

    # --- edits --------------------------------------------------------------------------------

    def _edits(
        self, call: _Call, output: _Result | None, result: EditResult, at: datetime | None
    ) -> Iterator[Found]:
        if call.tool == SHELL:
            yield from self._of_shell(call, output, result, at)
            return
        found = self._lines(call, output, applied=result is EditResult.APPLIED)
        if not found and call.tool in EDITING:
            self.unread[call.tool] += 1
        if found and at is None:
            problem = "an edit without a time: it belongs to no window and is left out"
            yield UnreadEvidence(source=self.name, line=call.line, problem=problem)
            return
        for number, (path, lines) in enumerate(found, 1):
            if lines is None or at is None:
                continue
            name = call.id or self._make_id(at, path)
            if name is None:
                continue
            id_ = name if call.id is None or len(found) == 1 else f"{name}#{number}"
            yield Edit(
                id=id_,
                agent=AGENT,
                agent_session=self.agent_session,
                at=at,
                path=path,
                outcome=result,
                tool=call.tool,
                cwd=to_path(self.cwd, None) if self.cwd else None,
                agent_version=self.version,
                model=call.model,
                lines=lines,
            )
            by = self.refused.get(call.id or "") if result is EditResult.REFUSED else None
            if by is not None:
                yield EditDecider(edit=id_, path=path, by=by)

    def _make_id(self, at: datetime, path: str) -> str | None:
        """Return an id for an edit that has none; ``None``: this edit was told before."""
        made = made_id(AGENT, self.agent_session, at.isoformat(), path)
        if made in self.made:
            return None
        self.made.add(made)
        return made

    def _lines(
        self, call: _Call, output: _Result | None, *, applied: bool
    ) -> list[tuple[str, TextLines | None]]:
        """Return each file of a call with its lines; ``None``: the file is deleted."""
        given = call.arguments
        if call.tool not in EDITING:
            return []
        if call.tool == "apply_patch":
            return self._patched(some_text(given.input) or "")
        if call.tool == "multi_replace_string_in_file":
            return self._pieces(given, applied=applied)
        named = some_text(given.path) if call.tool in TOOLS else some_text(given.filePath)
        if named is None:
            return []
        path = to_path(named, self.cwd)
        if not self.wanted(path):
            return [(path, NO_LINES)]
        return [(path, self._of_file(path, call, output, applied=applied))]

    def _of_file(
        self, path: str, call: _Call, output: _Result | None, *, applied: bool
    ) -> TextLines:
        given = call.arguments
        if call.tool in ("create", "create_file"):
            text = given.file_text if call.tool == "create" else given.content
            return self.files.written(path, some_text(text) or "", before="", applied=applied)
        if call.tool in ("insert_edit_into_file", "edit_notebook_file"):
            before = self.files.known(path)
            self.files.changed(path)
            return _beside_the_same(_source(given), before or "")
        old, new = (
            (given.old_str, given.new_str)
            if call.tool == "edit"
            else (given.oldString, given.newString)
        )
        if not isinstance(old, str) or not isinstance(new, str):
            return NO_LINES
        lines = self.files.replaced(path, [TextReplacement(old, new)], applied=applied)
        shown = output.detailedContent if output else None
        # The diff has whole lines; the call may start and end within a line.
        hunks = unified_hunks(shown) if isinstance(shown, str) else []
        return from_patch(hunks, "") if hunks else lines

    def _pieces(self, given: _Arguments, *, applied: bool) -> list[tuple[str, TextLines | None]]:
        """Return each file that a call replaces texts in, with the lines of all its texts."""
        asked: dict[str, list[TextReplacement]] = {}
        for one in given.replacements:
            named = some_text(one.filePath) or some_text(given.filePath)
            old, new = one.oldString, one.newString
            if named and isinstance(old, str) and isinstance(new, str):
                path = to_path(named, self.cwd)
                asked.setdefault(path, []).append(TextReplacement(old, new))
        return [
            (
                path,
                self.files.replaced(path, pieces, applied=applied)
                if self.wanted(path)
                else NO_LINES,
            )
            for path, pieces in sorted(asked.items())
        ]

    def _patched(self, patch: str) -> list[tuple[str, TextLines | None]]:
        found: list[tuple[str, TextLines | None]] = []
        for file in patched_files(patch):
            path = to_path(file.path, self.cwd)
            self.files.changed(path)
            wanted = file.kind != "delete" and self.wanted(path)
            lines = from_patch(file.hunks, "") if wanted else NO_LINES
            found.append((path, None if file.kind == "delete" else lines))
        return sorted(found, key=lambda one: one[0])


_KINDS = frozenset(
    {
        *("session.start", "session.resume", "session.model_change"),
        *("tool.execution_start", "tool.execution_complete", "permission.completed"),
    }
)


def _is_event(value: dict[str, Any]) -> bool:
    return "data" in value and "type" in value


def _given(raw: Raw) -> _Arguments:
    """Return the arguments of a call: an object, an object as text, or a bare patch."""
    text = optional(_TEXT, raw)
    if text is None:
        return optional(_ARGUMENTS, raw) or _Arguments()
    packed = Raw(text.encode(errors="replace"))
    return optional(_ARGUMENTS, packed) or _Arguments(input=text)


def _source(given: _Arguments) -> str:
    """Return the text that a call puts into a file, or into a cell of a notebook."""
    if isinstance(given.newCode, list):
        return "\n".join(line for line in given.newCode if isinstance(line, str))
    return some_text(given.code) or some_text(given.newCode) or ""


def _beside_the_same(text: str, before: str) -> TextLines:
    """Return the lines of a text as own, apart from those that the file is known to have had.

    Lines that stand for what stays the same end a stretch and are no lines of the file.
    """
    had = set(split_lines(before))
    regions: list[list[tuple[str, bool]]] = [[]]
    for line in split_lines(text):
        if _SAME.match(line):
            regions.append([])
        else:
            regions[-1].append((line, line not in had))
    return from_marked(regions, ())


def _failure(error: bytes) -> EditResult:
    prose = error.decode(errors="replace")
    if _REFUSED.search(prose):
        return EditResult.REFUSED
    return EditResult.INTERRUPTED if _INTERRUPTED.search(prose) else EditResult.FAILED
