"""Tool calls joined with their results, as the edits they made. It knows no agent's format.

A source tells what a call asks for and what a record says became of it, in the order of the
records. A result may stand before its call: agents write records from more than one task.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

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
from ghapp.evidence.deciders import refused_by
from ghapp.evidence.file_edits import FileEdits
from ghapp.evidence.ids import is_blanked, known_id, made_id
from ghapp.evidence.json_records import IsRecord, RecordError, whole_records
from ghapp.evidence.own_lines import NO_LINES, TextReplacement, from_patch
from ghapp.evidence.patches import patched_files
from ghapp.evidence.paths import to_path
from ghapp.evidence.shell_deeds import found_in, is_read_whole, may_do
from ghapp.evidence.source import Found, WantedPath

Take = Callable[[int, bytes], Iterator[Found]]

AHEAD = 256
"""Results that may stand before their call; in real records it is a few."""

WITHOUT_TIME = "an edit without a time: it belongs to no window and is left out"


Hunk = tuple[str, ...]
"""Lines that start with ``+``, ``-`` or a space."""

# Permission denied by the user
_REFUSED = re.compile(r"denied|rejected|declined|refused by", re.IGNORECASE)
# The operation was cancelled
_INTERRUPTED = re.compile(r"abort|cancel|interrupt", re.IGNORECASE)


class FileRequest(NamedTuple):
    """What a call asks to do with one file: exactly one of text, pieces and hunks is given."""

    path: str
    text: str | None = None
    """The file's whole new text."""
    pieces: tuple[TextReplacement, ...] | None = None
    hunks: tuple[Hunk, ...] | None = None
    is_new: bool = False
    """Whether the call only makes new files."""
    is_deleted: bool = False


class ToolCall(NamedTuple):
    """A call of a tool that edits files."""

    id: str
    tool: str
    files: tuple[FileRequest, ...]
    line: int
    """Of the record, from 1."""
    at: datetime | None
    cwd: str | None = None
    version: str | None = None
    model: str | None = None
    command: str | None = None
    """What it runs in a shell; ``None``: it runs nothing there, or nothing that is read."""


class CallResult(NamedTuple):
    """What a record tells of a call's outcome."""

    outcome: EditResult
    at: datetime | None = None
    before: str | None = None
    """The file's text before the edit; empty: it is new; ``None``: not told."""
    after: str | None = None
    """The file's text after the edit, if the agent alone wrote it; ``None``: not told."""
    hunks: tuple[Hunk, ...] = ()
    """A diff with whole lines, if the agent alone wrote it; empty: not told."""
    decided_by: DecidedBy | None = None
    """``None``: the record does not say."""
    exited_with_0: bool = False
    """Whether the record says that a shell command ended, and with success."""


class CallEdits:
    """The edits of one artifact, and what was not read as one."""

    def __init__(self, name: str, agent: str, wanted: WantedPath, reads: frozenset[str]) -> None:
        """Begin; ``reads``: tools that change no file, which are not worth counting."""
        self.name = name
        self.agent = agent
        self.wanted = wanted
        self.agent_session = ""
        self._reads = reads
        self._files = FileEdits()
        self._open: OpenCalls[ToolCall | None] = OpenCalls()
        """``None``: a call of another tool, whose id was blanked."""
        self._early: dict[str, CallResult] = {}
        self._unasked: dict[str, None] = {}
        self._taken: set[int] = set()
        self._used: Counter[str] = Counter()
        self._others: Counter[str] = Counter()

    def read(self, lines: Iterable[bytes], take: Take, is_record: IsRecord) -> Iterator[Found]:
        """Yield what each record of the artifact holds.

        On a damaged line, what is whole is read and what is torn is named. ``take`` gets a line's
        number and one record, and raises `RecordError` if it cannot be read.
        """
        for number, line in enumerate(lines, 1):
            if line.isspace():
                continue
            try:
                yield from take(number, line)
            except RecordError as problem:
                whole, torn = whole_records(line, is_record)
                if whole == [line.strip()]:
                    whole = []
                if torn or not whole:
                    yield self._unread(number, problem)
                yield from self._whole(number, whole, take)

    def _whole(self, number: int, records: Iterable[bytes], take: Take) -> Iterator[Found]:
        for record in records:
            try:
                yield from take(number, record)
            except RecordError as problem:
                yield self._unread(number, problem)

    def _unread(self, number: int, problem: RecordError) -> UnreadEvidence:
        self._open.doubt()
        return UnreadEvidence(source=self.name, line=number, problem=str(problem))

    def other(self, tool: str, id_: object = None) -> None:
        """Note a call that is not read as an edit; count it unless it only reads."""
        self._others[tool] += tool not in self._reads
        if is_blanked(id_):
            self._open.add(None, None)
        elif isinstance(id_, str):
            self._open.give_way(id_)
            self._early.pop(id_, None)
            self._unasked[id_] = None
            if len(self._unasked) > AHEAD:
                del self._unasked[next(iter(self._unasked))]

    def call(self, call: ToolCall) -> Iterator[Found]:
        """Take a call; yield its edits if its result came before it.

        A call that asks for no file is of another tool: it is only noted.
        """
        if not call.files and call.command is None:
            self.other(call.tool, call.id)
            return
        if not isinstance(call.id, str) or not call.id:
            self._others[f"{call.tool} without an id"] += 1
            return
        digest = hash(call._replace(line=0))
        if digest in self._taken:  # written again, as in a continued session
            return
        self._taken.add(digest)
        if call.id in self._early:
            yield from self.edits(call, self._early.pop(call.id))
        else:
            self._open.add(known_id(call.id), call)

    def may_answer(self, id_: str) -> bool:
        """Return whether a result may be that of an edit, so that it is worth reading."""
        known = known_id(id_)
        is_told = id_ in self._unasked or self._used[id_] > 0
        return self._open.is_open(known) or (known is not None and not is_told)

    def result(self, id_: str, result: CallResult) -> Iterator[Found]:
        """Take the result of a call; yield the edits of the call."""
        known = known_id(id_)
        call = self._open.take(known)
        if call is not None:
            yield from self.edits(call, result)
        if call is not None or known is None:
            return
        self._early[id_] = result
        if len(self._early) > AHEAD:
            del self._early[next(iter(self._early))]

    def rest(self, outcome: EditResult = EditResult.UNANSWERED) -> Iterator[Found]:
        """Yield the edits without a result, by their calls, then what was passed over."""
        for call in self._open.take_all():
            if call is not None:
                yield from self.edits(call, CallResult(outcome))
        for tool, count in sorted(self._others.items()):
            if count:
                yield PassedOver(agent=self.agent, what=tool, count=count)

    def edits(self, call: ToolCall, result: CallResult) -> Iterator[Found]:
        """Yield the edits of a call whose outcome is known to be ``result``, for each file."""
        at = result.at or call.at
        if call.command is not None:
            yield from self._of_shell(call, result, at)
            return
        files = [one for one in call.files if not one.is_deleted]
        if at is None:
            if files:
                yield UnreadEvidence(source=self.name, line=call.line, problem=WITHOUT_TIME)
            return
        name = self._name(call, at)
        for number, file in enumerate(files, 1):
            path = to_path(file.path, call.cwd)
            told = result if len(files) == 1 else CallResult(result.outcome)
            id_ = name if len(files) == 1 else f"{name}#{number}"
            yield Edit(
                id=id_,
                agent=self.agent,
                agent_session=self.agent_session,
                at=at,
                path=path,
                outcome=result.outcome,
                tool=call.tool,
                cwd=to_path(call.cwd, None) if call.cwd else None,
                agent_version=call.version,
                model=call.model,
                lines=self._lines(path, file, told) if self.wanted(path) else NO_LINES,
            )
            if result.decided_by is not None:
                yield EditDecider(edit=id_, path=path, by=result.decided_by)

    def _of_shell(self, call: ToolCall, result: CallResult, at: datetime | None) -> Iterator[Found]:
        """Yield what a shell command surely did; count it unless all of that are edits."""
        found: list[Edit | ShellCommand] = []
        if at is not None and result.exited_with_0 and result.outcome is EditResult.APPLIED:
            edit = Edit(
                id=self._name(call, at),
                agent=self.agent,
                agent_session=self.agent_session,
                at=at,
                path="",
                tool=call.tool,
                cwd=to_path(call.cwd, None) if call.cwd else None,
                agent_version=call.version,
                model=call.model,
            )
            found = found_in(str(call.command), edit, self.wanted)
        self._others[call.tool] += not is_read_whole(found)
        yield from found

    def _name(self, call: ToolCall, at: datetime) -> str:
        """Return the edit's id: some agents number their calls anew in each turn."""
        id_ = known_id(call.id)
        if id_ is None:
            path = to_path(call.files[0].path, call.cwd) if call.files else ""
            id_ = made_id(self.agent, self.agent_session, at.isoformat(), path)
        self._used[id_] += 1
        return id_ if self._used[id_] == 1 else f"{id_}~{self._used[id_]}"

    def _lines(self, path: str, file: FileRequest, result: CallResult) -> TextLines:
        applied = result.outcome in (EditResult.APPLIED, EditResult.UNRECORDED)
        if applied and result.after is not None and result.before is not None:
            return self._files.written(path, result.after, before=result.before)
        if applied and result.hunks:
            self._files.changed(path)
            return from_patch(result.hunks, "")
        if file.text is not None:
            before = "" if file.is_new else result.before
            return self._files.written(path, file.text, before=before, applied=applied)
        if file.pieces is not None:
            return self._files.replaced(path, list(file.pieces), applied=applied)
        if applied:
            self._files.changed(path)
        return from_patch(file.hunks or (), "")


def shell_command(command: object) -> str | None:
    """Return a command that is worth waiting for its result; ``None``: it tells of no change."""
    return command if isinstance(command, str) and may_do(command) else None


def write_request(path: str, text: object) -> tuple[FileRequest, ...]:
    """Return what a write asks of a file; empty: it names no text."""
    return (FileRequest(path, text=text),) if isinstance(text, str) else ()


def replace_request(path: str, pieces: tuple[TextReplacement, ...]) -> tuple[FileRequest, ...]:
    """Return what replacements ask of a file; empty: there are none."""
    return (FileRequest(path, pieces=pieces),) if pieces else ()


def patch_requests(patch: object) -> tuple[FileRequest, ...]:
    """Return what an apply_patch patch asks of each file; empty: it is no such patch."""
    if not isinstance(patch, str):
        return ()
    return tuple(
        FileRequest(one.path, hunks=tuple(map(tuple, one.hunks)), is_deleted=one.kind == "delete")
        for one in patched_files(patch)
    )


def replacements(asked: Iterable[tuple[object, object, object]]) -> tuple[TextReplacement, ...]:
    """Return replacements of (old, new, everywhere); empty if one of them is malformed."""
    found: list[TextReplacement] = []
    for old, new, everywhere in asked:
        if not isinstance(old, str) or not isinstance(new, str):
            return ()
        found.append(TextReplacement(old, new, everywhere is True or everywhere == "true"))
    return tuple(found)


def failure(prose: str) -> CallResult:
    """Return the outcome of a call that was not applied, by what was said about it."""
    if _REFUSED.search(prose):
        return CallResult(EditResult.REFUSED, decided_by=refused_by(prose))
    return CallResult(EditResult.INTERRUPTED if _INTERRUPTED.search(prose) else EditResult.FAILED)
