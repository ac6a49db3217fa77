"""Tasks of Cline and of the editors' agents made from it, Roo Code and Kilo Code. It opens no file.

A task is one JSON document with messages. Calls are blocks with ids, or tags in the agent's prose;
results are blocks with the call's id, or prose in the person's next message. The command line of
Cline writes a document of its own (``ID.messages.json``).
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from ghapp.attribution.model import DecidedBy, EditResult, UnreadEvidence
from ghapp.evidence.call_edits import (
    CallEdits,
    CallResult,
    FileRequest,
    ToolCall,
    failure,
    patch_requests,
    replace_request,
    replacements,
    write_request,
)
from ghapp.evidence.json_records import (
    RecordError,
    decoded,
    document,
    optional,
    some_text,
    to_time,
    to_time_of_milliseconds,
)
from ghapp.evidence.own_lines import TextReplacement, split_lines
from ghapp.evidence.paths import stem
from ghapp.evidence.source import Found, WantedPath

NAME = "cline"
AGENT = "cline"
_EXTENSIONS = {
    "saoudrizwan.claude-dev": "cline",
    "rooveterinaryinc.roo-cline": "roo-code",
    "kilocode.kilo-code": "kilo-code",
}
"""Folder of an editor's extension → the agent's name in documents."""
_EDITORS = (
    ".config/Code/User",
    ".config/VSCodium/User",
    ".vscode-server/data/User",
    "Library/Application Support/Code/User",
    "AppData/Roaming/Code/User",
)
HOMES: tuple[str, ...] = (
    ".cline/data/sessions",
    *(f"{editor}/globalStorage/{one}/tasks" for editor in _EDITORS for one in _EXTENSIONS),
)
TASK = "api_conversation_history.json"
FILES = r"api_conversation_history\.json|.+\.messages\.json"

READS = frozenset(
    {"read_file", "list_files", "search_files", "list_code_definition_names", "codebase_search"}
    | {"ask_followup_question", "attempt_completion", "plan_mode_respond", "plan_mode_response"}
    | {"switch_mode", "update_todo_list", "fetch_instructions", "load_mcp_documentation"}
    | {"read_files", "search_codebase", "fetch_web_content", "ask_question", "skills", "condense"}
)
"""Tools that change no file."""

EDITS = frozenset(
    {"write_to_file", "replace_in_file", "apply_diff", "insert_content", "search_and_replace"}
    | {"edit_file", "edit", "search_replace", "new_rule", "editor", "apply_patch"}
)

# ------- SEARCH, <<<<<<< SEARCH, <<<<<<< SEARCH>, and their ends
_SEARCH = re.compile(r"[-<]{3,} SEARCH>?\s*")
_REPLACE = re.compile(r"[+>]{3,} REPLACE>?\s*")
# :start_line:42
_HINT = re.compile(r":(?:start|end)_line:\s*\d+\s*")

_APPLIED = re.compile(
    r"The content was successfully saved|The user made the following updates to your content"
    r"|The updated content, which includes both|Changes (?:were )?successfully applied"
    r"|Successfully (?:wrote|edited|created|updated|applied)|<file_write_result>"
    r'|\{\s*"path"\s*:.*"operation"\s*:\s*"(?:created|modified)"',
    re.DOTALL,
)
_UPDATED = re.compile(r"The user made the following updates to your content")
"""A person changed the proposal, and so accepted it."""
# [write_to_file for 'src/a.py'] Result:
_RESULT = re.compile(r"\[(\w+)(?: for '([^\n]*?)')?\] Result:\s*")
# [{"role": …, [{"ts": 1, "content": …, []
_HEAD = re.compile(rb'\s*\[\s*(?:\]|\{[^{}\[\]]*"(?:role|content)"\s*:)')
_TAG = re.compile(r"<(write_to_file|replace_in_file|apply_diff|insert_content|search_and_replace)>")
# # Current Working Directory (/home/ann/shop) Files
_CWD = re.compile(
    r"# Current (?:Working|Workspace) Directory \(((?:[^#\n]|#(?! Current ))+)\) Files"
)
_MODEL = re.compile(r"<model>([^<\n]{1,120})</model>")
# # Current Time\n4/24/2026, 4:25:53 PM (America/Los_Angeles, UTC-7:00)
_CLOCK = re.compile(
    r"# Current Time\n(\d{1,2})/(\d{1,2})/(\d{4}), (\d{1,2}):(\d\d):(\d\d)\s([AP]M)"
    r" \([^\n]*?UTC([+-])(\d{1,2}):(\d\d)\)"
)
_ISO = re.compile(r"ISO 8601 UTC format: (\S+)")


class _ModelInfo(msgspec.Struct, gc=False):
    modelId: Any = None  # noqa: N815  (the names are the format's)
    id: Any = None


class _Message(msgspec.Struct, gc=False):
    role: Any = None
    content: Raw = Raw()
    ts: Any = None
    modelInfo: Raw = Raw()  # noqa: N815


class _Document(msgspec.Struct, gc=False):
    """What Cline's command line writes; ``version`` is that of the format."""

    version: int
    sessionId: str  # noqa: N815
    messages: list[Raw]


class _Block(msgspec.Struct, gc=False):
    type: Any = None
    text: Any = None
    id: Any = None
    name: Any = None
    input: Raw = Raw()
    tool_use_id: Any = None
    content: Raw = Raw()
    is_error: Any = None


class _Input(msgspec.Struct, gc=False):
    """The arguments of all tools."""

    path: Any = None
    absolutePath: Any = None  # noqa: N815
    file_path: Any = None
    operations: Raw = Raw()
    content: Any = None
    diff: Any = None
    search: Any = None
    replace: Any = None
    old_text: Any = None
    new_text: Any = None
    old_string: Any = None
    new_string: Any = None
    input: Any = None
    patch: Any = None


class _Operation(msgspec.Struct, gc=False):
    search: Any = None
    replace: Any = None


class _Told(msgspec.Struct, gc=False):
    success: Any = None
    error: Any = None


_MESSAGES = msgspec.json.Decoder(list[Raw])
_MESSAGE = msgspec.json.Decoder(_Message)
_MODEL_INFO = msgspec.json.Decoder(_ModelInfo)
_DOCUMENT = msgspec.json.Decoder(_Document)
_BLOCKS = msgspec.json.Decoder(list[_Block])
_INPUT = msgspec.json.Decoder(_Input)
_TEXT = msgspec.json.Decoder(str)
_OPERATIONS = msgspec.json.Decoder(list[_Operation])
_TOLD = msgspec.json.Decoder(_Told)


def recognizes(name: str, head: bytes) -> bool:
    """Return whether a file is a task, by its name and its beginning."""
    file = name.replace("\\", "/").rpartition("/")[2]
    if file.startswith(TASK):
        return bool(_HEAD.match(head))
    start = head[:4096]
    return ".messages.json" in file and b'"sessionId"' in start and b'"version"' in start


def read(name: str, records: Iterable[bytes], wanted: WantedPath) -> Iterator[Found]:
    """Yield the edits of one task in the order of their results."""
    try:
        whole = document(records)
        is_task = whole.lstrip()[:1] == b"["
        told = None if is_task else decoded(_DOCUMENT, whole)
        messages = decoded(_MESSAGES, whole) if told is None else told.messages
    except RecordError as problem:
        yield UnreadEvidence(source=name, line=None, problem=str(problem))
        return
    reading = _Reading(name, wanted, None if told is None else told.sessionId)
    for number, raw in enumerate(messages, 1):
        message = optional(_MESSAGE, raw)
        if message is None:
            told_wrong = f"message {number} is no message: it is skipped"
            yield UnreadEvidence(source=name, line=None, problem=told_wrong)
        else:
            yield from reading.take(number, message)
    yield from reading.edits.rest()


def agent_of(name: str) -> str:
    """Return the agent of a task, by the folder of the editor's extension."""
    folders = name.replace("\\", "/").split("/")
    return next((_EXTENSIONS[one] for one in folders if one in _EXTENSIONS), AGENT)


class _Asking(NamedTuple):
    """What a message tells of its calls."""

    at: datetime | None
    model: str | None
    number: int
    """Of the message, from 1."""


class _Asked(NamedTuple):
    """A call that waits for a result in prose."""

    tool: str
    id: str
    paths: frozenset[str]


class _Reading:
    """The state of reading one task."""

    def __init__(self, name: str, wanted: WantedPath, agent_session: str | None) -> None:
        self.name = name
        self.edits = CallEdits(name, agent_of(name), wanted, READS)
        folder = PurePosixPath(name.replace("\\", "/")).parent.name
        self.edits.agent_session = agent_session or stem(f"{folder or 'task'}.x")
        self.cwd: str | None = None
        self.model: str | None = None
        self.asked = _Asking(None, None, 0)
        self.waiting: list[_Asked] = []

    def take(self, number: int, message: _Message) -> Iterator[Found]:
        """Yield the edits that one message completes."""
        text = optional(_TEXT, message.content)
        blocks = [_Block(type="text", text=text)] if text is not None else None
        if blocks is None:
            blocks = optional(_BLOCKS, message.content) or []
        at = to_time_of_milliseconds(message.ts)
        if message.role == "assistant":
            told = optional(_MODEL_INFO, message.modelInfo)
            model = (told.modelId or told.id) if told else None
            self.asked = _Asking(at, some_text(model) or self.model, number)
            yield from self._asks(blocks)
        elif message.role == "user":
            yield from self._answers(blocks, at)

    # --- calls --------------------------------------------------------------------------------

    def _asks(self, blocks: list[_Block]) -> Iterator[Found]:
        self.waiting.clear()
        are_native = any(block.type == "tool_use" for block in blocks)
        for place, block in enumerate(blocks, 1):
            if block.type == "tool_use" and isinstance(block.name, str):
                files = _requests(block.name, optional(_INPUT, block.input) or _Input())
                yield from self._ask(block.name, block.id, files)
            elif block.type == "text" and isinstance(block.text, str) and not are_native:
                for nth, (tool, given) in enumerate(tagged(block.text), 1):
                    id_ = f"{self.edits.agent_session}/{self.asked.number}.{place}.{nth}"
                    yield from self._ask(tool, id_, _requests(tool, given))

    def _ask(self, tool: str, id_: Any, files: tuple[FileRequest, ...]) -> Iterator[Found]:
        if files and isinstance(id_, str) and id_:
            self.waiting.append(_Asked(tool, id_, frozenset(one.path for one in files)))
        yield from self.edits.call(
            ToolCall(
                id=id_,
                tool=tool,
                files=files,
                line=self.asked.number,
                at=self.asked.at,
                cwd=self.cwd,
                model=self.asked.model,
            )
        )

    # --- results ------------------------------------------------------------------------------

    def _answers(self, blocks: list[_Block], at: datetime | None) -> Iterator[Found]:
        prose = "\n".join(block.text for block in blocks if isinstance(block.text, str))
        at = at or _clock(prose)
        asked: _Asked | None = None
        for block in blocks:
            if block.type == "tool_result" and isinstance(block.tool_use_id, str):
                yield from self._answer(block.tool_use_id, _outcome(block), at)
            elif block.type == "text" and isinstance(block.text, str):
                told = _RESULT.match(block.text)
                said = block.text[told.end() :] if told else block.text
                asked = self._asked(told[1], told[2]) if told else asked
                # Earlier versions say in one block which call it was, and in the next the result.
                if asked is not None and said:
                    yield from self._answer(asked.id, _judged(said), at)
                    asked = None
        # After the results: the calls were made with what was known before.
        if found := _CWD.search(prose):
            self.cwd = found[1]
        if named := _MODEL.search(prose):
            self.model = named[1]

    def _answer(self, id_: str, result: CallResult, at: datetime | None) -> Iterator[Found]:
        if self.edits.may_answer(id_):
            self.waiting = [one for one in self.waiting if one.id != id_]
            yield from self.edits.result(id_, result._replace(at=at))

    def _asked(self, tool: str, path: str | None) -> _Asked | None:
        """Return the first call that waits for a result in prose, which names tool and path."""
        named = (one for one in self.waiting if one.tool == tool)
        return next((one for one in named if path is None or path in one.paths), None)


def _clock(prose: str) -> datetime | None:
    """Return the time that an editor's agent adds to a message; ``None``: it adds none."""
    if found := _ISO.search(prose):
        return to_time(found[1])
    told = _CLOCK.search(prose)
    if told is None:
        return None
    month, day, year, hour, minute, second, half, sign, hours, minutes = told.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    try:
        return datetime(
            int(year),
            int(month),
            int(day),
            int(hour) % 12 + (12 if half == "PM" else 0),
            int(minute),
            int(second),
            tzinfo=timezone(-offset if sign == "-" else offset),
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _outcome(block: _Block) -> CallResult:
    text = optional(_TEXT, block.content)
    if text is None:
        parts = optional(_BLOCKS, block.content) or []
        text = "\n".join(one.text for one in parts if isinstance(one.text, str))
    if block.is_error is True:
        return failure(text)
    told = optional(_TOLD, Raw(text.encode(errors="replace"))) if text[:1] == "{" else None
    if told is not None and (told.success is not None or told.error is not None):
        applied = told.success is True and not told.error
        return CallResult(EditResult.APPLIED) if applied else failure(text)
    opening = _RESULT.match(text)
    return _judged(text[opening.end() :] if opening else text)


def _judged(prose: str) -> CallResult:
    """Return an outcome by the words of a result: only known words say that it was applied."""
    if not _APPLIED.match(prose):
        return failure(prose)
    by = DecidedBy.PERSON if _UPDATED.match(prose) else None
    return CallResult(EditResult.APPLIED, decided_by=by)


# --- what a call asks for -----------------------------------------------------------------------


def tagged(prose: str) -> Iterator[tuple[str, _Input]]:
    """Yield the calls that an agent wrote as tags, outside of code."""
    at = 0
    while opening := _TAG.search(prose, at):
        tool = opening[1]
        end = prose.rfind(f"</{tool}>")
        if end < opening.end():
            return
        yield tool, _of_tags(prose[opening.end() : end])
        # One call stands in a message, and its content may hold tags of its own.
        at = end


def _of_tags(body: str) -> _Input:
    given = _Input()
    for member in ("path", "content", "diff", "search", "replace"):
        opening, closing = f"<{member}>", f"</{member}>"
        start = body.find(opening)
        end = body.find(closing) if member == "path" else body.rfind(closing)
        if 0 <= start < end:
            value = body[start + len(opening) : end]
            setattr(given, member, value.strip() if member == "path" else _unframed(value))
    return given


def _unframed(value: str) -> str:
    """Return a value without the line ends that stand between it and its tags."""
    return value.removeprefix("\n").removesuffix("\n")


def _requests(tool: str, given: _Input) -> tuple[FileRequest, ...]:
    """Return what a call asks of files; empty: it is no edit that is read."""
    if tool not in EDITS:
        return ()
    if tool == "apply_patch":
        patch = given.input if isinstance(given.input, str) else given.patch
        return patch_requests(patch)
    named = (given.absolutePath, given.path, given.file_path)
    path = next((one for one in named if isinstance(one, str) and one), None)
    if path is None:
        return ()
    if tool in ("write_to_file", "new_rule"):
        return write_request(path, given.content)
    return replace_request(path, _pieces(tool, given))


def _pieces(tool: str, given: _Input) -> tuple[TextReplacement, ...]:
    if tool == "insert_content":
        return replacements([("", given.content, False)])
    if tool == "search_and_replace":
        several = optional(_OPERATIONS, given.operations)
        if several is not None:
            return replacements((one.search, one.replace, False) for one in several)
        return replacements([(given.search, given.replace, True)])
    if tool == "editor":
        return replacements([(given.old_text or "", given.new_text, False)])
    if tool in ("edit_file", "edit", "search_replace"):
        return replacements([(given.old_string, given.new_string, False)])
    return blocks_of(given.diff) if isinstance(given.diff, str) else ()


def blocks_of(diff: str) -> tuple[TextReplacement, ...]:
    r"""Return the blocks of a diff that searches and replaces; empty: one of them is broken.

    >>> blocks_of("------- SEARCH\na\n=======\nb\n+++++++ REPLACE")
    (TextReplacement(old='a\n', new='b\n', everywhere=False),)
    """
    found: list[TextReplacement] = []
    old: list[str] | None = None
    new: list[str] | None = None
    for line in split_lines(diff):
        if old is None:
            old = [] if _SEARCH.fullmatch(line) else None
        elif new is None and line.strip() == "=======":
            new = []
        elif new is None:
            old.append(line)
        elif _REPLACE.fullmatch(line):
            found.append(TextReplacement(_joined(_without_hints(old)), _joined(new)))
            old = new = None
        else:
            new.append(line)
    return tuple(found) if old is None else ()


def _without_hints(lines: list[str]) -> list[str]:
    """Return searched lines without the hints of their place, which end with a line of dashes."""
    start = 0
    while start < len(lines) and _HINT.fullmatch(lines[start]):
        start += 1
    if start < len(lines) and start and set(lines[start].strip()) == {"-"}:
        start += 1
    return lines[start:]


def _joined(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
