"""Rollouts of Codex (command line, app and editors): patches joined with their results.

A call's id identifies its patch. The record that ends the patch names the files and what happened
to each: an item ``FileChange`` since 0.147, an event ``patch_apply_end`` before. Older versions do
not always write it; then the call's text and its output tell. It opens no file.
"""

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
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
from ghapp.evidence.deciders import refused_by
from ghapp.evidence.ids import known_id, made_id
from ghapp.evidence.json_records import (
    RecordError,
    each_record,
    optional,
    some_text,
    to_time,
    to_time_of_milliseconds,
)
from ghapp.evidence.own_lines import NO_LINES, all_own, from_patch
from ghapp.evidence.patches import PatchedFile, patched_files, unified_hunks
from ghapp.evidence.paths import stem, to_path
from ghapp.evidence.shell_deeds import SHELLS, found_in, is_read_whole, may_do
from ghapp.evidence.shell_results import exit_code_of, succeeded_for_codex
from ghapp.evidence.shell_writes import fed
from ghapp.evidence.source import Found, WantedPath, named_checkout

NAME = "codex"
AGENT = "codex"
HOMES: tuple[str, ...] = (".codex/sessions", ".codex/archived_sessions")
FILES = r".+\.jsonl(?:\.zst)?"

READING = frozenset(
    {
        *("find_tool", "grep_files", "list_dir", "list_mcp_resource_templates"),
        *("list_mcp_resources", "read_file", "read_mcp_resource", "request_user_input"),
        *("tool_search", "update_plan", "view_image", "wait", "web_search"),
    }
)
"""Tools that change no file; their calls are not counted as passed over."""
PROGRAMS = frozenset({"apply_patch", "applypatch"})
"""Names by which a shell calls the tool (codex-rs/apply-patch)."""

# "type":"session_meta"
_SIGN = re.compile(rb'"type"\s*:\s*"(?:session_meta|response_item|event_msg|turn_context)"')
_WANTED = (
    *(b'_call"', b'_output"', b"FileChange", b"turn_context", b"patch_apply_end"),
    *(b"session_meta", b"aborted", b"patch_apply_begin"),
)
"""A record without any of these holds no edit and no call, so its payload is not decoded."""
_PATCHES = (b"apply_patch", b"applypatch")
PAUSE = timedelta(milliseconds=500)
"""Shortest time between a copy's last record and the first answer of a model."""
COPIED = "changes in the copy of another thread"
_APPLIED = "Success. Updated the following files"
# patch rejected by user
_REFUSED = re.compile(r"rejected by (?:the )?user|not approved|approval", re.IGNORECASE)
# aborted by user after 1.2s
_INTERRUPTED = re.compile(r"aborted|interrupted", re.IGNORECASE)


class _Record(msgspec.Struct, gc=False):
    type: Any = None
    timestamp: Any = None
    payload: Raw = Raw()


class _Payload(msgspec.Struct, gc=False):
    """The members of all types of records; each type has some of them."""

    type: Any = None
    id: Any = None
    cwd: Any = None
    git: Raw = Raw()
    cli_version: Any = None
    model: Any = None
    call_id: Any = None
    name: Any = None
    input: Raw = Raw()
    arguments: Raw = Raw()
    action: Raw = Raw()
    output: Raw = Raw()
    success: Any = None
    status: Any = None
    stderr: Any = None
    changes: Raw = Raw()
    item: Raw = Raw()
    started_at_ms: Any = None
    completed_at_ms: Any = None
    approval_policy: Any = None
    auto_approved: Any = None


class _Git(msgspec.Struct, gc=False):
    """What a thread's first record says of the checkout."""

    repository_url: Any = None


class _Item(msgspec.Struct, gc=False):
    """Something a turn completed; only a change of files is of interest."""

    type: Any = None
    id: Any = None
    status: Any = None
    stderr: Any = None
    changes: Raw = Raw()


class _Arguments(msgspec.Struct, gc=False):
    """Arguments of the patch tool and of the shell tools; their names differ between versions."""

    input: Any = None
    patch: Any = None
    command: Any = None
    cmd: Any = None
    script: Any = None
    workdir: Any = None
    working_directory: Any = None


class _Change(msgspec.Struct, gc=False):
    """What happened to one file."""

    type: Any = None
    unified_diff: Any = None
    content: Any = None
    move_path: Any = None


_RECORD = msgspec.json.Decoder(_Record)
_PAYLOAD = msgspec.json.Decoder(_Payload)
_GIT = msgspec.json.Decoder(_Git | None)
_ITEM = msgspec.json.Decoder(_Item)
_TEXT = msgspec.json.Decoder(str)
_ANY = msgspec.json.Decoder(Any)
_ARGUMENTS = msgspec.json.Decoder(_Arguments)
_CHANGES = msgspec.json.Decoder(dict[str, _Change])


def recognizes(name: str, head: bytes) -> bool:
    """Return whether a file is a rollout, by a record at its start."""
    del name
    return b'"payload"' in head and bool(_SIGN.search(head))


def read(name: str, records: Iterable[bytes], wanted: WantedPath) -> Iterator[Found]:
    """Yield the edits of one rollout in the order they ended, then the unanswered."""
    rollout = _Rollout(name, wanted)
    for number, line in enumerate(records, 1):
        yield from rollout.take(number, line)
    yield from rollout.left(EditResult.UNANSWERED)
    yield from rollout.passed()


class _Call(NamedTuple):
    """A call that waits for its result; without files it is no patch."""

    id: str | None
    """``None``: the record has no usable id."""
    tool: str
    files: list[PatchedFile]
    patches: int
    at: datetime | None
    cwd: str | None
    line: int
    model: str | None
    changes: int
    """Changes of files that the rollout had told before this call."""
    command: str | None = None
    """What it runs in a shell, where that may tell of a change; ``None``: nothing."""


class _Rollout:
    """The state of reading one rollout."""

    def __init__(self, name: str, wanted: WantedPath) -> None:
        self.name = name
        self.wanted = wanted
        self.agent_session: str | None = None
        self.version: str | None = None
        self.model: str | None = None
        self.cwd: str | None = None
        self.calls: OpenCalls[_Call] = OpenCalls()
        self.changes = 0
        self.early: set[str] = set()
        """Ids of patches that ended before their call was told."""
        self.copying = False
        self.last: datetime | None = None
        self.made: set[str] = set()
        self.unread: Counter[str] = Counter()
        self.asks_nobody = False
        """Whether the turn runs without any approval."""
        self.approved: dict[str, DecidedBy] = {}
        """Id of a call → who approved it, where the rollout says so."""

    def take(self, number: int, line: bytes) -> Iterator[Found]:
        """Yield the edits that one line completes."""
        if line.isspace():
            return
        is_wanted = any(sign in line for sign in _WANTED)
        for record in each_record(_RECORD, line, _is_record):
            if isinstance(record, RecordError):
                self.calls.doubt()
                yield UnreadEvidence(source=self.name, line=number, problem=str(record))
                continue
            payload = optional(_PAYLOAD, record.payload) if is_wanted else None
            if self.copying or payload is not None:
                at = to_time(record.timestamp)
                self._follow(at)
            if payload is not None:
                kind = record.type if payload.type is None else payload.type
                yield from self._take(kind, payload, at or _time_of(payload), number, line)

    def _take(
        self, kind: object, payload: _Payload, at: datetime | None, number: int, line: bytes
    ) -> Iterator[Found]:
        """Yield the edits that a record completes."""
        if kind in ("session_meta", "turn_context"):
            self._place(kind, payload)
            if kind == "turn_context":
                self.asks_nobody = payload.approval_policy == "never"
            git = optional(_GIT, payload.git)
            yield from named_checkout(
                payload.cwd, git.repository_url if git else None, is_root=False
            )
        elif kind in ("custom_tool_call", "function_call", "local_shell_call"):
            patch = any(sign in line for sign in _PATCHES)
            self._call(payload, at, number, patch=patch)
        elif kind in ("custom_tool_call_output", "function_call_output"):
            yield from self._output(payload, at)
        elif kind == "patch_apply_end":
            yield from self._end(_of_event(payload), at, number)
        elif kind == "item_completed":
            item = optional(_ITEM, payload.item)
            if item is not None and item.type == "FileChange":
                yield from self._end(item, at, number)
        elif kind == "patch_apply_begin" and isinstance(payload.auto_approved, bool):
            by = DecidedBy.AUTOMATIC if payload.auto_approved else DecidedBy.PERSON
            self.approved[str(payload.call_id)] = by
        elif kind == "turn_aborted":
            yield from self.left(EditResult.INTERRUPTED)

    def left(self, result: EditResult) -> Iterator[Found]:
        """Yield the edits that wait for a result, in the order of their calls."""
        for call in self.calls.take_all():
            if call.files:
                yield from self._edits(call, self._asked(call), result, call.at)
            else:
                self._pass(call)

    def passed(self) -> Iterator[PassedOver]:
        """Yield how many calls of each tool were not read as edits."""
        for tool, count in sorted(self.unread.items()):
            yield PassedOver(agent=AGENT, what=tool, count=count)

    def _follow(self, at: datetime | None) -> None:
        """Notice the end of a copy: its records were written at once, with the time of the copy.

        A fork of older versions begins so. The parent's own rollout tells the true times
        (kenn-io/agentsview, docs/internal/session-format-sources.md, verified 2026-08-13).
        """
        if self.copying and at and self.last and at - self.last >= PAUSE:
            self.copying = False
        self.last = at or self.last

    def _place(self, kind: object, payload: _Payload) -> None:
        # In a forked thread's file a copy of its parent's records follows: the first id is its own.
        if kind == "session_meta":
            id_ = known_id(payload.id)
            self.agent_session = self.agent_session or id_
            if id_ == self.agent_session:
                self.version = some_text(payload.cli_version) or self.version
            elif id_ is not None:
                self.copying = True
        self.model = some_text(payload.model) or self.model
        self.cwd = some_text(payload.cwd) or self.cwd

    def _call(self, payload: _Payload, at: datetime | None, number: int, *, patch: bool) -> None:
        """Remember a call, with its patch if it is one."""
        tool = some_text(payload.name) or "shell"
        asked = _asked_of(payload)
        if not patch:
            asked = asked._replace(patches=[])
        files = [file for one in asked.patches for file in patched_files(one)]
        id_ = known_id(payload.id if payload.call_id is None else payload.call_id)
        # A copy of a forked thread's records may have other times, but the same patch.
        if id_ is not None and not self.calls.tell(id_, tuple(asked.patches) or at):
            return
        if id_ in self.early:
            return
        directory = to_path(asked.workdir, self.cwd) if asked.workdir else self.cwd
        self.calls.add(
            id_,
            _Call(
                *(id_, tool, files, len(asked.patches), at, directory, number),
                *(self.model, self.changes, asked.command if not files else None),
            ),
        )

    def _output(self, payload: _Payload, at: datetime | None) -> Iterator[Found]:
        """Yield the edits of a call whose output alone tells how it ended."""
        call = self.calls.take(known_id(payload.call_id))
        if call is None:
            return
        said: Any = optional(_ANY, payload.output)
        if not call.files:
            yield from self._of_shell(call, said, at or call.at)
            return
        prose = _prose(said)
        result = _result(prose, call.patches)
        by = self._decided_by(call, result, prose)
        yield from self._edits(call, self._asked(call), result, at or call.at, by)

    def _of_shell(self, call: _Call, said: object, at: datetime | None) -> Iterator[Found]:
        """Yield what a shell command surely did, unless changes were told while it ran."""
        found: list[Edit | ShellCommand] = []
        is_told = call.changes != self.changes or self.copying
        if call.command and call.id and at and not is_told and _succeeded(said):
            edit = Edit(
                id=call.id,
                agent=AGENT,
                agent_session=self.agent_session or stem(self.name),
                at=at,
                path="",
                tool=call.tool,
                cwd=to_path(call.cwd, None) if call.cwd else None,
                agent_version=self.version,
                model=call.model,
            )
            found = found_in(call.command, edit, self.wanted)
        if not is_read_whole(found):
            self._pass(call)
        yield from found

    def _end(self, item: _Item, at: datetime | None, number: int) -> Iterator[Found]:
        """Yield the edits of a patch that ended, one for each file."""
        changes = optional(_CHANGES, item.changes)
        id_ = known_id(item.id)
        if changes is None or (id_ is not None and self.calls.ended(id_)):
            return
        self.changes += 1
        call = self.calls.take(id_)
        if call is None:
            if id_ is not None:
                self.calls.tell(id_, None)
                self.early.add(id_)
            call = _Call(id_, "apply_patch", [], 1, at, self.cwd, number, self.model, 0)
        files = [self._changed(path, change, call.cwd) for path, change in changes.items()]
        result = _ended(item)
        by = self._decided_by(call, result, _prose(item.stderr))
        yield from self._edits(call, files, result, at or call.at, by)

    def _decided_by(self, call: _Call, result: EditResult, prose: str) -> DecidedBy | None:
        """Return who decided on a patch; ``None``: the rollout does not say."""
        if result is EditResult.REFUSED:
            return refused_by(prose)
        if result is not EditResult.APPLIED:
            return None
        by = self.approved.get(call.id or "")
        return DecidedBy.AUTOMATIC if by is None and self.asks_nobody else by

    def _pass(self, call: _Call) -> None:
        """Count a call that was not read as an edit, unless changes were told while it ran."""
        if call.tool not in READING and call.changes == self.changes:
            self.unread[call.tool] += 1

    # --- edits --------------------------------------------------------------------------------

    def _asked(self, call: _Call) -> list[tuple[str, TextLines | None]]:
        """Return each file that a call names, with the lines to add; ``None``: it is deleted."""
        return [
            (path, None if file.kind == "delete" else self._lines(path, file.hunks))
            for file in call.files
            for path in [to_path(file.path, call.cwd)]
        ]

    def _lines(self, path: str, hunks: list[list[str]]) -> TextLines:
        return from_patch(hunks, "") if self.wanted(path) else NO_LINES

    def _changed(self, name: str, change: _Change, cwd: str | None) -> tuple[str, TextLines | None]:
        path = to_path(some_text(change.move_path) or name, cwd)
        is_update = change.type == "update" and isinstance(change.unified_diff, str)
        is_new = change.type == "add" and isinstance(change.content, str)
        if not is_update and not is_new:
            return path, None
        if not self.wanted(path):
            return path, NO_LINES
        return path, (
            from_patch(unified_hunks(change.unified_diff), "")
            if is_update
            else all_own(change.content)
        )

    def _edits(
        self,
        call: _Call,
        files: list[tuple[str, TextLines | None]],
        result: EditResult,
        at: datetime | None,
        by: DecidedBy | None = None,
    ) -> Iterator[Found]:
        """Yield one edit for each file with lines; paths in order give the numbers of the ids."""
        if at is None:
            yield UnreadEvidence(
                source=self.name,
                line=call.line,
                problem="a patch without a time: it belongs to no window and is left out",
            )
            return
        if self.copying:
            self.unread[COPIED] += len(files)
            return
        session = self.agent_session or stem(self.name)
        for number, (path, lines) in enumerate(sorted(files, key=lambda file: file[0]), 1):
            if lines is None:
                continue
            name = call.id or self._make_id(session, at, path)
            if name is None:
                continue
            id_ = name if call.id is None or len(files) == 1 else f"{name}#{number}"
            yield Edit(
                id=id_,
                agent=AGENT,
                agent_session=session,
                at=at,
                path=path,
                outcome=result,
                tool="apply_patch",
                cwd=to_path(call.cwd, None) if call.cwd else None,
                agent_version=self.version,
                model=call.model,
                lines=lines,
            )
            if by is not None:
                yield EditDecider(edit=id_, path=path, by=by)

    def _make_id(self, session: str, at: datetime, path: str) -> str | None:
        """Return an id for an edit that has none; ``None``: this edit was told before."""
        made = made_id(AGENT, session, at.isoformat(), path)
        if made in self.made:
            return None
        self.made.add(made)
        return made


class _Asked(NamedTuple):
    """The patches that a call holds, and the directory that it names."""

    patches: list[str]
    workdir: str | None
    command: str | None = None


def _asked_of(payload: _Payload) -> _Asked:
    """Return the patches of a call; none: the call is no patch."""
    text = optional(_TEXT, payload.input) or ""
    is_tool = some_text(payload.name) in PROGRAMS
    if is_tool and text:
        return _Asked([text], None)
    text = optional(_TEXT, payload.arguments) or ""
    # A shell call of the first versions has its command in an object.
    packed = Raw(text.encode(errors="replace")) if text else payload.action or payload.arguments
    given = optional(_ARGUMENTS, packed)
    if given is None:
        return _Asked([], None)
    workdir = some_text(given.workdir) or some_text(given.working_directory)
    if is_tool:
        found = some_text(given.input) or some_text(given.patch)
        return _Asked([found] if found else [], workdir)
    for command in (given.command, given.cmd, given.script):
        if isinstance(command, list) and len(command) > 1 and all(map(some_text, command)):
            return _read_shell(_script_of(command), _of_words(command, workdir))
        if isinstance(command, str):
            return _read_shell(command, _of_script(command, workdir))
    return _Asked([], workdir)


def _script_of(words: list[str]) -> str:
    """Return a command in words as a shell's script: ``bash -lc`` and a script, or a program."""
    is_shell = len(words) == 3 and words[0].rpartition("/")[2] in SHELLS
    return words[2] if is_shell and words[1] in ("-lc", "-c") else shlex.join(words)


def _of_words(words: list[str], workdir: str | None) -> _Asked:
    """Return the patches of a command in words: the program and a patch, or a shell's script."""
    if words[0].rpartition("/")[2] in PROGRAMS:
        return _Asked([words[1]], workdir)
    return _of_script(words[-1], workdir)


def _of_script(script: str, workdir: str | None) -> _Asked:
    """Return the patches in a script's here-documents, all in the same directory."""
    inputs = list(fed(script, PROGRAMS))
    directories = {one.directory for one in inputs}
    if len(directories) != 1 or None in directories:
        return _Asked([], workdir)
    [directory] = directories
    return _Asked(
        [one.text for one in inputs], to_path(directory, workdir) if directory else workdir
    )


def _read_shell(script: str, asked: _Asked) -> _Asked:
    return asked._replace(command=script) if not asked.patches and may_do(script) else asked


def _succeeded(said: object) -> bool:
    """Return whether a result tells the exit status 0."""
    decoded: Any = said
    if isinstance(said, str) and said.startswith("{"):
        decoded = optional(_ANY, Raw(said.encode(errors="replace"))) or said
    code = exit_code_of(decoded)
    return code == 0 if code is not None else succeeded_for_codex(_prose(decoded))


def _is_record(value: dict[str, Any]) -> bool:
    return "payload" in value and "type" in value


def _of_event(payload: _Payload) -> _Item:
    """Return what an event of versions before 0.147 tells, as the item that replaced it."""
    status = "completed" if payload.success is True else payload.status or "failed"
    return _Item("FileChange", payload.call_id, status, payload.stderr, payload.changes)


def _time_of(payload: _Payload) -> datetime | None:
    """Return the time that an item itself tells; migrated threads have some of these only."""
    for value in (payload.completed_at_ms, payload.started_at_ms):
        if isinstance(value, int) and value > 0:
            return to_time_of_milliseconds(value)
    return None


def _prose(value: object) -> str:
    """Return the text of an output: a string, a list of blocks, or an object that holds one."""
    if isinstance(value, list):
        return "\n".join(map(_prose, value))
    if isinstance(value, dict):
        return "\n".join(_prose(value.get(name)) for name in ("content", "output", "text"))
    return value if isinstance(value, str) else ""


def _result(prose: str, patches: int) -> EditResult:
    """Return what an output says of some patches; applied: it reports each of them."""
    return EditResult.APPLIED if prose.count(_APPLIED) >= patches else _failure(prose, None)


def _ended(item: _Item) -> EditResult:
    if item.status == "completed":
        return EditResult.APPLIED
    if item.status is None and not item.stderr:
        return EditResult.UNANSWERED
    return _failure(_prose(item.stderr), item.status)


def _failure(prose: str, status: object) -> EditResult:
    if status == "declined" or _REFUSED.search(prose):
        return EditResult.REFUSED
    return EditResult.INTERRUPTED if _INTERRUPTED.search(prose) else EditResult.FAILED
