"""Turns a hook's event into edits, with the same code that reads transcripts. It opens no file.

An event and a transcript hold the same data in two shapes, so this module writes an event as
the two records that a transcript would have (https://code.claude.com/docs/en/hooks). What the
hook saw a command change, no transcript has: it is an edit of its own (rules.md 2.19, 2.22).
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from ghapp.attribution.linear_pattern import StepBudget
from ghapp.attribution.model import Edit, EditResult, EditSource
from ghapp.attribution.shell_commands import holds
from ghapp.attribution.substituted import MOST_STEPS
from ghapp.evidence import claude_code
from ghapp.evidence.observed_lines import lines_of, observed_lines, replaced_lines
from ghapp.evidence.shell_deeds import as_command, deeds
from ghapp.evidence.source import WantedPath, everything

_OF_CLAUDE = re.compile(r"(?:^|/)\.claude/|(?:^|/)claude/projects/")
"""A transcript's path, such as ``/home/ann/.claude/projects/-src-shop/0a1b.jsonl``."""
_SUCCESS = {"type": "tool_result", "is_error": False, "content": ""}


class EventError(ValueError):
    """A queued line holds no readable event."""


class _Event(msgspec.Struct, gc=False):
    """The members of an event that we use; the names are Claude Code's."""

    tool_name: str
    tool_use_id: str
    tool_input: Raw
    session_id: str = ""
    tool_response: Raw = Raw()
    cwd: Any = None
    transcript_path: Any = None
    ghapp_look: "_Look | None" = None
    """What the hook saw a command change; ``None``: nothing, or it did not look."""


class _SeenFile(msgspec.Struct, gc=False):
    path: str
    before: str
    after: str


class _Look(msgspec.Struct, gc=False):
    files: list[_SeenFile]
    beside: list[str]
    """Texts of other files that the command names."""
    is_sure: bool
    """Whether nobody else can have written what is new; if not, only what the command surely
    substituted is its own."""
    cwd: str
    """Where the command ran, without links."""


class _Response(msgspec.Struct, gc=False):
    success: Any = None


class _Asked(msgspec.Struct, gc=False):
    command: Any = None


class QueuedEvent(NamedTuple):
    """One line of the queue."""

    at: datetime
    """When the call was done."""
    payload: bytes
    """The agent's event, JSON."""


_EVENT = msgspec.json.Decoder(_Event)
_COMMAND = msgspec.json.Decoder(_Asked)
_RESPONSE = msgspec.json.Decoder(_Response)


def to_event(line: bytes) -> QueuedEvent:
    """Split a line of the queue. Raises `EventError`."""
    time, _, payload = line.strip().partition(b" ")
    try:
        return QueuedEvent(datetime.fromtimestamp(int(time) / 1e9, UTC), payload)
    except (ValueError, OverflowError, OSError) as error:
        raise EventError("a line of the queue has no time") from error


MadeBy = Callable[[Path, str], EditSource]
"""Takes a transcript and the id of a call in it; returns what made the call."""


def nobody_knows(transcript: Path, call: str) -> EditSource:  # noqa: ARG001 - the shape of `MadeBy`
    """Know neither version nor model: for callers that only count or show edits."""
    return EditSource(agent_version=None, model=None)


def to_edits(
    event: QueuedEvent, wanted: WantedPath = everything, made_by: MadeBy = nobody_knows
) -> Iterator[Edit]:
    """Yield the edits of an event's call: usually one, a shell command may have made several.

    Yields none if another agent ran the hook: several agents read Claude Code's settings.
    ``made_by`` knows version and model, which the event does not name. Raises `EventError`.
    """
    try:
        call = _EVENT.decode(event.payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise EventError(f"an event cannot be read: {error}") from error
    if _is_of_claude(call) and not _has_failed(call.tool_response):
        edits = [
            found
            for found in claude_code.read("hook", _records(call, event.at), wanted)
            if isinstance(found, Edit)
        ]
        edits += _seen(call, event.at, wanted, {edit.path for edit in edits})
        is_named = edits and isinstance(call.transcript_path, str)
        source = made_by(Path(call.transcript_path), call.tool_use_id) if is_named else None
        for edit in edits:
            yield (
                edit
                if source is None
                else replace(edit, agent_version=source.agent_version, model=source.model)
            )


def _seen(call: _Event, at: datetime, wanted: WantedPath, told: Collection[str]) -> Iterator[Edit]:
    """Yield what the hook saw a command change, except files of which the record itself tells."""
    look = call.ghapp_look
    if look is None:
        return
    files = [one for one in look.files if one.path not in told and wanted(one.path)]
    made = Edit(
        id=call.tool_use_id,
        agent="claude-code",
        agent_session=call.session_id or "hook",
        at=at,
        path="",
        tool=call.tool_name,
    )
    found = [*_substituted(files, call, made)]
    found += _observed(files, look, made) if look.is_sure else []
    for number, edit in enumerate(found, len(told) + 1):
        is_only = len(found) + len(told) == 1
        yield edit if is_only else replace(edit, id=f"{call.tool_use_id}#{number}")


def _substituted(files: Iterable[_SeenFile], call: _Event, made: Edit) -> Iterator[Edit]:
    """Yield the lines that the command's substitutions made of those that they removed."""
    look = call.ghapp_look
    command = _COMMAND.decode(call.tool_input).command
    if look is None or not isinstance(command, str):
        return
    commands = [as_command(one, made, look.cwd) for one in deeds(command) if one.rewrites]
    budget = StepBudget(MOST_STEPS)
    for file in files:
        rewrites = [
            rewrite
            for one in commands
            if one and any(holds(reached, file.path, reached.path) for reached in one.reach)
            for rewrite in one.rewrites
        ]
        lines = replaced_lines(file.before, file.after, rewrites, budget)
        if lines.hunks:
            yield replace(made, path=file.path, outcome=EditResult.SUBSTITUTED, lines=lines)


def _observed(files: Iterable[_SeenFile], look: _Look, made: Edit) -> Iterator[Edit]:
    """Yield the lines that are new in files."""
    known = lines_of([*(one.before for one in look.files), *look.beside])
    for file in files:
        lines = observed_lines(file.before, file.after, known)
        if lines.hunks:
            yield replace(made, path=file.path, outcome=EditResult.OBSERVED, lines=lines)


def _is_of_claude(call: _Event) -> bool:
    """Say whether Claude Code itself ran the hook, by the call's id or its transcript."""
    path = call.transcript_path if isinstance(call.transcript_path, str) else ""
    return call.tool_use_id.startswith("toolu_") or bool(_OF_CLAUDE.search(path))


def _has_failed(response: Raw) -> bool:
    try:
        return _RESPONSE.decode(response).success is False
    except msgspec.DecodeError:
        return False  # prose or nothing: the event itself says that the call was done


def _records(call: _Event, at: datetime) -> Iterator[bytes]:
    """Yield the call and its result as a transcript would hold them."""
    common = {"timestamp": at.isoformat(), "sessionId": call.session_id, "cwd": call.cwd}
    use = {
        "type": "tool_use",
        "id": call.tool_use_id,
        "name": call.tool_name,
        "input": call.tool_input,
    }
    yield _line(common, "assistant", use)
    if bytes(call.tool_response).lstrip().startswith(b"{"):
        common["toolUseResult"] = call.tool_response
    yield _line(common, "user", {**_SUCCESS, "tool_use_id": call.tool_use_id})


def _line(common: dict[str, Any], type_: str, block: dict[str, Any]) -> bytes:
    record = {**common, "type": type_, "message": {"role": type_, "content": [block]}}
    return msgspec.json.encode(record)
