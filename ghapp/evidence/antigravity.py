"""Steps of Antigravity (editor and command line): what its editing tools report. It opens no file.

A step has no id but its number. A report that an edit was made holds its difference; the report of
a new file does not hold its text, which stands in the call before it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from ghapp.attribution.model import Edit, EditResult, PassedOver, TextLines, UnreadEvidence
from ghapp.evidence.file_edits import FileEdits
from ghapp.evidence.ids import made_id
from ghapp.evidence.json_records import RecordError, each_record, optional, to_time
from ghapp.evidence.own_lines import NO_LINES, TextReplacement, all_own, from_patch, from_pieces
from ghapp.evidence.patches import unified_hunks
from ghapp.evidence.paths import stem, to_path
from ghapp.evidence.source import Found, WantedPath

NAME = "antigravity"
AGENT = "antigravity"
HOMES: tuple[str, ...] = tuple(
    f".gemini/{folder}/brain" for folder in ("antigravity", "antigravity-cli", "antigravity-ide")
)
FILES = r".+\.jsonl"

EDITING = frozenset({"multi_replace_file_content", "replace_file_content", "write_to_file"})
READING = frozenset(
    {
        *("ask_question", "codebase_search", "command_status", "find_by_name", "grep_search"),
        *("invoke_subagent", "list_dir", "list_permissions", "manage_subagents", "manage_task"),
        *("notify_user", "read_url_content", "search_web", "send_message", "task_boundary"),
        *("view_code_item", "view_content_chunk", "view_file", "view_file_outline"),
    }
)
"""Tools that change no file; their calls are not counted as passed over."""

_SIGN = re.compile(rb'"source"\s*:\s*"(?:USER_EXPLICIT|MODEL|SYSTEM)"')
_HEADER = re.compile(r"^Created At: .*\nCompleted At: .*\n\s*", re.MULTILINE)
# The following changes were made by the replace_file_content tool to: /w/a.py. If relevant, …
_CHANGED = re.compile(
    r"The following changes were made by the (\w+) tool to: (.+?)\.?(?: If relevant[^\n]*)?(?:\n|$)"
)
# Created file file:///w/a.py with requested content.
_CREATED = re.compile(r"Created file (file://.+?) with requested content")
_DIFF_START, _DIFF_END = "[diff_block_start]\n", "\n[diff_block_end]"
_CUT = re.compile(r"<truncated \d+ bytes>")
_REFUSED = re.compile(r"denied|declined|rejected", re.IGNORECASE)
_MODEL = re.compile(r"setting `Model Selection` from [^`\n]*? to ([^\n]+?)\.?(?: No need|\n|$)")


class _Step(msgspec.Struct, gc=False):
    step_index: Any = None
    source: Any = None
    type: Any = None
    status: Any = None
    created_at: Any = None
    content: Any = None
    error: Any = None
    tool_calls: Raw = Raw()
    truncated_fields: Any = None


class _Asked(msgspec.Struct, gc=False):
    name: Any = None
    args: Raw = Raw()


class _Chunk(msgspec.Struct, gc=False, rename="pascal"):
    target_content: Any = None
    replacement_content: Any = None


class _Arguments(msgspec.Struct, gc=False, rename="pascal"):
    """Arguments of the editing tools. In the short log each is JSON within a string."""

    target_file: Any = None
    code_content: Any = None
    overwrite: Any = None
    target_content: Any = None
    replacement_content: Any = None
    replacement_chunks: Any = None


_STEP = msgspec.json.Decoder(_Step)
_ASKED = msgspec.json.Decoder(list[_Asked])
_ARGUMENTS = msgspec.json.Decoder(_Arguments)


def recognizes(name: str, head: bytes) -> bool:
    """Return whether a file is a log of steps, by a record at its start."""
    del name
    return b'"created_at"' in head and bool(_SIGN.search(head))


def read(name: str, records: Iterable[bytes], wanted: WantedPath) -> Iterator[Found]:
    """Yield the edits of one conversation in the order they were reported."""
    log = _Log(name, wanted)
    for number, line in enumerate(records, 1):
        yield from log.take(number, line)
    yield from log.unfinished()
    yield from log.passed()


class _Call(NamedTuple):
    """A call of an editing tool, with its arguments as values."""

    tool: str
    path: str
    text: str | None
    """The whole new text; ``None``: the call replaces parts."""
    overwrites: bool
    pieces: list[TextReplacement]


class _Report(NamedTuple):
    """What a step reports of one file; ``lines`` is ``None`` if the text is not recorded."""

    tool: str
    path: str
    lines: TextLines | None


class _Log:
    """The state of reading one log."""

    def __init__(self, name: str, wanted: WantedPath) -> None:
        self.name = name
        self.wanted = wanted
        self.agent_session = _conversation(name) or stem(name)
        self.model: str | None = None
        self.files = FileEdits()
        self.calls: dict[int, _Call] = {}
        """Step that should report a call → the call."""
        self.ended: set[int] = set()
        self.running: dict[int, tuple[_Step, int]] = {}
        self.unread: Counter[str] = Counter()

    def take(self, number: int, line: bytes) -> Iterator[Found]:
        """Yield the edits that one step reports."""
        if line.isspace():
            return
        for step in each_record(_STEP, line, _is_step):
            if isinstance(step, RecordError):
                yield UnreadEvidence(source=self.name, line=number, problem=str(step))
            else:
                yield from self._take(step, number)

    def _take(self, step: _Step, number: int) -> Iterator[Found]:
        at = step.step_index
        if not isinstance(at, int) or isinstance(at, bool) or at in self.ended:
            return
        if step.source != "MODEL":
            self._setting(step)
        elif step.tool_calls:
            self._asked(at, step)
        elif step.status in ("DONE", "ERROR"):
            self.ended.add(at)
            self.running.pop(at, None)
            yield from self._told(step, number)
        else:
            self.running[at] = (step, number)

    def unfinished(self) -> Iterator[Found]:
        """Yield what steps reported that were never done."""
        for step, number in self.running.values():
            yield from self._told(step, number)

    def passed(self) -> Iterator[PassedOver]:
        """Yield how many calls of each tool were not read as edits."""
        self.unread.update(call.tool for call in self.calls.values())
        for tool, count in sorted(self.unread.items()):
            yield PassedOver(agent=AGENT, what=tool, count=count)

    def _setting(self, step: _Step) -> None:
        """Remember the model that a person chose."""
        if step.source == "USER_EXPLICIT" and isinstance(step.content, str):
            chosen = _MODEL.search(step.content)
            self.model = chosen[1] if chosen else self.model

    def _asked(self, at: int, step: _Step) -> None:
        """Remember the editing calls of a step; the steps after it report them in order."""
        calls = optional(_ASKED, step.tool_calls)
        for number, asked in enumerate(calls or (), at + 1):
            if not isinstance(asked.name, str):
                continue
            call = _call(asked) if asked.name in EDITING else None
            if call is not None:
                self.calls[number] = call
            elif asked.name not in READING:
                self.unread[asked.name] += 1

    # --- edits --------------------------------------------------------------------------------

    def _told(self, step: _Step, number: int) -> Iterator[Found]:
        """Yield the edits that a step reports, one for each file."""
        at = to_time(step.created_at)
        if step.status == "ERROR":
            reports, result = self._failed(step)
        else:
            reports = list(self._reports(step))
            result = EditResult.APPLIED if step.status == "DONE" else EditResult.UNANSWERED
        for report in reports:
            if report.lines is None:
                problem = "an edit whose text was cut when it was recorded: it is left out"
            elif at is None:
                problem = "an edit without a time: it belongs to no window and is left out"
            else:
                made = made_id(AGENT, step.step_index, at.isoformat(), report.path)
                yield Edit(
                    id=made,
                    agent=AGENT,
                    agent_session=self.agent_session,
                    at=at,
                    path=report.path,
                    outcome=result,
                    tool=report.tool,
                    model=self.model,
                    lines=report.lines,
                )
                continue
            yield UnreadEvidence(source=self.name, line=number, problem=problem)

    def _failed(self, step: _Step) -> tuple[list[_Report], EditResult]:
        """Return what a step that failed should have written."""
        call = self.calls.pop(step.step_index, None)
        prose = " ".join(one for one in (step.content, step.error) if isinstance(one, str))
        result = EditResult.REFUSED if _REFUSED.search(prose) else EditResult.FAILED
        if call is None:
            return [], result
        lines = all_own(call.text) if call.text is not None else from_pieces(call.pieces)
        lines = lines if self.wanted(call.path) else NO_LINES
        return [_Report(call.tool, call.path, lines)], result

    def _reports(self, step: _Step) -> Iterator[_Report]:
        """Yield the files that a step says were changed.

        Only a step of the editing tools speaks for itself. The text of any other step may come
        from a file or a program, so a call must have asked for what it says.
        """
        content = step.content if isinstance(step.content, str) else ""
        if "The following changes" not in content and "Created file" not in content:
            return
        is_cut = isinstance(step.truncated_fields, list) and "content" in step.truncated_fields
        for section in _HEADER.split(content):
            if changed := _CHANGED.match(section):
                path = to_path(changed[2], None)
                call = self._call_for(step.step_index, path)
                if call is not None or step.type == "CODE_ACTION":
                    lines = self._changed(path, section, call, cut=is_cut)
                    yield _Report(changed[1], path, lines)
            elif created := _CREATED.match(section):
                path = to_path(created[1], None)
                call = self._call_for(step.step_index, path)
                if call is not None and call.text is not None:
                    yield _Report(call.tool, path, self._written(path, call, call.text))
                elif step.type == "CODE_ACTION":
                    yield _Report("write_to_file", path, None)

    def _call_for(self, number: int, path: str) -> _Call | None:
        """Return and forget the call that a step reports; ``None``: none asked for this file."""
        by_path = (key for key, call in self.calls.items() if call.path == path)
        here = self.calls.get(number)
        key = number if here is not None and here.path == path else next(by_path, None)
        return None if key is None else self.calls.pop(key)

    def _changed(
        self, path: str, section: str, call: _Call | None, *, cut: bool
    ) -> TextLines | None:
        """Return the lines of a reported difference; ``None``: it was cut or is not recorded."""
        diff = _difference(section)
        if diff is None and call is not None and call.text is not None:
            return self._written(path, call, call.text)
        self.files.changed(path)
        if diff is None or (cut and _CUT.search(diff)):
            return None
        return from_patch(unified_hunks(diff), "") if self.wanted(path) else NO_LINES

    def _written(self, path: str, call: _Call, text: str) -> TextLines | None:
        if _CUT.search(text):
            return None
        before = None if call.overwrites else ""
        lines = self.files.written(path, text, before=before)
        return lines if self.wanted(path) else NO_LINES


def _difference(section: str) -> str | None:
    """Return what stands between the first mark of a difference and the last; ``None``: nothing."""
    start, end = section.find(_DIFF_START), section.rfind(_DIFF_END)
    first = start + len(_DIFF_START)
    return section[first:end] if start >= 0 and end >= first else None


def _is_step(value: dict[str, Any]) -> bool:
    return "step_index" in value and "source" in value


def _conversation(name: str) -> str | None:
    """Return the conversation's id, which only the path tells; ``None``: it does not."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return next((parts[at + 1] for at, part in enumerate(parts[:-2]) if part == "brain"), None)


def _call(asked: _Asked) -> _Call | None:
    """Return a call of an editing tool; ``None``: it names no file."""
    given = optional(_ARGUMENTS, asked.args) or _Arguments()
    packed = isinstance(given.target_file, str) and given.target_file[:1] == '"'
    path = _value(given.target_file, packed=packed)
    if not isinstance(path, str) or not path:
        return None
    text = _value(given.code_content, packed=packed)
    chunks = _value(given.replacement_chunks, packed=packed)
    asked_pieces = [(given.target_content, given.replacement_content)]
    if isinstance(chunks, list):
        named = (optional(_CHUNK, Raw(msgspec.json.encode(chunk))) for chunk in chunks)
        asked_pieces = [(one.target_content, one.replacement_content) for one in named if one]
        packed = False
    pieces = [
        TextReplacement(old, new)
        for old, new in (
            (_value(old, packed=packed), _value(new, packed=packed)) for old, new in asked_pieces
        )
        if isinstance(old, str) and isinstance(new, str)
    ]
    is_write = asked.name == "write_to_file"
    return _Call(
        tool=asked.name,
        path=to_path(path, None),
        text=(text if isinstance(text, str) else "") if is_write else None,
        overwrites=_value(given.overwrite, packed=packed) is not False,
        pieces=pieces,
    )


_CHUNK = msgspec.json.Decoder(_Chunk)
_ANY = msgspec.json.Decoder()


def _value(value: object, *, packed: bool) -> object:
    """Return an argument as a value; in the short log it is JSON within a string."""
    if not packed or not isinstance(value, str):
        return value
    try:
        return _ANY.decode(value)
    except (ValueError, RecursionError):
        return value
