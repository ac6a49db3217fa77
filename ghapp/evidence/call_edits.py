"""Tool calls joined with their results, as the edits they made. It knows no agent's format.

A source tells what a call asks for and what a record says became of it, in the order of the
records. A result may stand before its call: agents write records from more than one task.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from ghapp.attribution.model import Edit, EditResult, PassedOver, TextLines, UnreadEvidence
from ghapp.evidence.file_edits import FileEdits
from ghapp.evidence.ids import is_blanked, known_id, made_id
from ghapp.evidence.json_records import IsRecord, RecordError, whole_records
from ghapp.evidence.own_lines import NO_LINES, TextReplacement, from_patch
from ghapp.evidence.patches import patched_files
from ghapp.evidence.paths import to_path
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


def each_record(
    name: str, lines: Iterable[bytes], take: Take, is_record: IsRecord
) -> Iterator[Found]:
    """Yield what each record of an artifact holds.

    On a damaged line, what is whole is read and what is torn is named. ``take`` gets a line's
    number and one record, and raises `RecordError` if it cannot be read.
    """
    for number, line in enumerate(lines, 1):
        if line.isspace():
            continue
        try:
            yield from take(number, line)
        except RecordError as problem:
            yield from _of_damaged(name, number, line, str(problem), take, is_record)


def _of_damaged(  # noqa: PLR0913, PLR0917 - a line, and everything to read it with
    name: str, number: int, line: bytes, problem: str, take: Take, is_record: IsRecord
) -> Iterator[Found]:
    whole, torn = whole_records(line, is_record)
    if whole == [line.strip()]:
        whole = []
    if torn or not whole:
        yield UnreadEvidence(source=name, line=number, problem=problem)
    for record in whole:
        try:
            yield from take(number, record)
        except RecordError as other:
            yield UnreadEvidence(source=name, line=number, problem=str(other))


class CallEdits:
    """The edits of one artifact, and what was not read as one."""

    def __init__(self, name: str, agent: str, wanted: WantedPath) -> None:
        self.name = name
        self.agent = agent
        self.wanted = wanted
        self.agent_session = ""
        self._files = FileEdits()
        self._pending: dict[str, ToolCall] = {}
        self._nameless: list[ToolCall | None] = []
        """Calls whose id was blanked; ``None``: of another tool."""
        self._lost: list[ToolCall] = []
        """Calls whose id a later call has, or whose result nothing tells apart."""
        self._early: dict[str, CallResult] = {}
        self._unasked: dict[str, None] = {}
        self._taken: set[int] = set()
        self._used: Counter[str] = Counter()
        self._others: Counter[str] = Counter()

    def other(self, tool: str, id_: object = None, *, is_plain: bool = False) -> None:
        """Note a call that is not read as an edit; count it unless it only reads."""
        self._others[tool] += not is_plain
        if is_blanked(id_):
            self._nameless.append(None)
        elif isinstance(id_, str):
            self._give_way(id_)
            self._early.pop(id_, None)
            self._unasked[id_] = None
            if len(self._unasked) > AHEAD:
                del self._unasked[next(iter(self._unasked))]

    def call(self, call: ToolCall) -> Iterator[Found]:
        """Take a call; yield its edits if its result came before it."""
        if not isinstance(call.id, str) or not call.id:
            self._others[f"{call.tool} without an id"] += 1
            return
        digest = hash(call._replace(line=0))
        if digest in self._taken:  # written again, as in a continued session
            return
        self._taken.add(digest)
        if known_id(call.id) is None:
            self._nameless.append(call)
        elif call.id in self._early:
            yield from self.edits(call, self._early.pop(call.id))
        else:
            self._give_way(call.id)
            self._pending[call.id] = call

    def _give_way(self, id_: str) -> None:
        """Let a call wait no longer whose id another call has by now."""
        if id_ in self._pending:
            self._lost.append(self._pending.pop(id_))

    def may_answer(self, id_: str) -> bool:
        """Return whether a result may be that of an edit, so that it is worth reading."""
        if known_id(id_) is None:
            return bool(self._nameless)
        return id_ in self._pending or (id_ not in self._unasked and not self._used[id_])

    def result(self, id_: str, result: CallResult) -> Iterator[Found]:
        """Take the result of a call; yield the edits of the call."""
        is_known = known_id(id_) is not None
        call = self._pending.pop(id_, None) if is_known else self._only_nameless()
        if call is not None:
            yield from self.edits(call, result)
        if call is not None or not is_known:
            return
        self._early[id_] = result
        if len(self._early) > AHEAD:
            del self._early[next(iter(self._early))]

    def _only_nameless(self) -> ToolCall | None:
        """Return the one call that waits without an id; of several, nothing tells which it is."""
        waiting, self._nameless = self._nameless, []
        if len(waiting) == 1:
            return waiting[0]
        self._lost += [call for call in waiting if call is not None]
        return None

    def rest(self, outcome: EditResult = EditResult.UNANSWERED) -> Iterator[Found]:
        """Yield the edits without a result, by their calls, then what was passed over."""
        nameless = [call for call in self._nameless if call is not None]
        for call in (*self._lost, *self._pending.values(), *nameless):
            yield from self.edits(call, CallResult(outcome))
        for tool, count in sorted(self._others.items()):
            if count:
                yield PassedOver(agent=self.agent, what=tool, count=count)

    def edits(self, call: ToolCall, result: CallResult) -> Iterator[Found]:
        """Yield the edits of a call whose outcome is known to be ``result``, for each file."""
        at = result.at or call.at
        files = [one for one in call.files if not one.is_deleted]
        if at is None:
            if files:
                yield UnreadEvidence(source=self.name, line=call.line, problem=WITHOUT_TIME)
            return
        name = self._name(call, at)
        for number, file in enumerate(files, 1):
            path = to_path(file.path, call.cwd)
            told = result if len(files) == 1 else CallResult(result.outcome)
            yield Edit(
                id=name if len(files) == 1 else f"{name}#{number}",
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

    def _name(self, call: ToolCall, at: datetime) -> str:
        """Return the edit's id: some agents number their calls anew in each turn."""
        id_ = known_id(call.id)
        if id_ is None:
            path = to_path(call.files[0].path, call.cwd)
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


def patch_requests(patch: str) -> tuple[FileRequest, ...]:
    """Return what an apply_patch patch asks of each file; empty: it is no such patch."""
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


def failure(prose: str) -> EditResult:
    """Return the outcome of a call that was not applied, by what was said about it."""
    if _REFUSED.search(prose):
        return EditResult.REFUSED
    return EditResult.INTERRUPTED if _INTERRUPTED.search(prose) else EditResult.FAILED
