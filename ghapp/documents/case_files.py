"""Writes a change as a diff and edits as a transcript, which read back the same. It opens no file.

The transcript is one of Claude Code, whatever agent made the edits.
"""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from ghapp.attribution.model import (
    Change,
    Edit,
    EditResult,
    FileDiff,
    FileStatus,
    Hunk,
    TextLines,
)

_LINK = "120000"
_MODE = "100644"
_SUBMODULE = "160000"
_EMPTY = "e69de29"
_NOTHING = "0000000"
_QUOTED = re.compile(r'[\x00-\x1f"\\\x7f]')
"""Characters for which git puts a name in quotation marks."""

_REFUSALS = {
    EditResult.REFUSED: "The user doesn't want to proceed with this tool use.",
    EditResult.INTERRUPTED: "[Request interrupted by user for tool use]",
    EditResult.FAILED: "Error: String to replace not found in file.",
}


def text_lines(edit: Edit) -> TextLines:
    """Return the lines of an edit that was read from a transcript, so they are text."""
    return edit.lines  # type: ignore[return-value]


# --- the diff -----------------------------------------------------------------------------------


def to_diff(change: Change) -> bytes:
    """Return a change as the text of a unified diff."""
    return "".join(f"{line}\n" for file in change.files for line in _file(file)).encode()


def _file(file: FileDiff) -> Iterator[str]:
    old, new = _name("a", file.previous_path or file.path), _name("b", file.path)
    yield f"diff --git {old} {new}"
    yield from _facts(file)
    if file.binary:
        yield f"Binary files {old} and {new} differ"
    elif file.hunks:
        yield "--- " + ("/dev/null" if file.status is FileStatus.ADDED else _ended(old))
        yield "+++ " + ("/dev/null" if file.status is FileStatus.DELETED else _ended(new))
        for hunk in file.hunks:
            yield from _hunk(hunk)


def _facts(file: FileDiff) -> Iterator[str]:
    """Yield the lines that say what happens to a file, such as ``new file mode 100644``."""
    mode = _SUBMODULE if file.submodule else _LINK if file.symlink else _MODE
    is_empty = not (file.hunks or file.binary)
    if file.status is FileStatus.ADDED:
        yield f"new file mode {mode}"
    elif file.status is FileStatus.DELETED:
        yield f"deleted file mode {mode}"
    elif file.previous_path:
        verb = "copy" if file.status is FileStatus.COPIED else "rename"
        yield f"similarity index {100 if is_empty else 90}%"
        yield f"{verb} from {_plain(file.previous_path)}"
        yield f"{verb} to {_plain(file.path)}"
    elif file.submodule:
        yield f"index {'1' * 7}..{'2' * 7} {mode}"
    elif is_empty:
        yield "old mode 100644"
        yield "new mode 100755"
    if is_empty and file.status in {FileStatus.ADDED, FileStatus.DELETED}:
        ids = (_NOTHING, _EMPTY) if file.status is FileStatus.ADDED else (_EMPTY, _NOTHING)
        yield f"index {ids[0]}..{ids[1]}"


def _hunk(hunk: Hunk) -> Iterator[str]:
    old, new = f"{hunk.old_start},{hunk.old_lines}", f"{hunk.new_start},{hunk.new_lines}"
    yield f"@@ -{old} +{new} @@"
    for origin, text in hunk.lines:
        yield origin + text


def _name(prefix: str, path: str) -> str:
    return _plain(f"{prefix}/{path}")


def _plain(path: str) -> str:
    """Return a path as git writes it: in quotation marks if it has a sign that needs them."""
    if not _QUOTED.search(path):
        return path
    return '"' + _QUOTED.sub(lambda sign: _escaped(sign[0]), path) + '"'


def _escaped(sign: str) -> str:
    return f"\\{sign}" if sign in '"\\' else f"\\{ord(sign):03o}"


def _ended(name: str) -> str:
    """Return a name with the tab that git puts after one that holds a space."""
    return f"{name}\t" if " " in name and not name.startswith('"') else name


# --- the transcript -----------------------------------------------------------------------------


def to_transcript(edits: Iterable[Edit]) -> bytes:
    """Return edits as the lines of a transcript. Their lines must be text."""
    records = (record for edit in edits for record in _records(edit))
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


def _records(edit: Edit) -> Iterator[dict[str, Any]]:
    """Yield the call of an edit and, unless nobody answered it, its result."""
    lines = text_lines(edit)
    own = [line for hunk in lines.hunks for line in hunk.own]
    shared = {"sessionId": edit.agent_session, "timestamp": _time(edit.at)}
    if edit.cwd is not None:
        shared["cwd"] = edit.cwd
    # A transcript of Claude Code cannot leave an outcome open.
    applied = edit.outcome in (EditResult.APPLIED, EditResult.UNRECORDED)
    given: dict[str, Any] = {"file_path": edit.path}
    result: Any = {"structuredPatch": [{"lines": patch} for patch in _patches(lines)]}
    if not applied:
        # Of an edit that was not applied, an audit compares only the own lines.
        given |= {"old_string": "", "new_string": _text(own)}
        result = None
    elif edit.tool == "Write" and _is_whole(lines):
        given["content"] = _text(own)
        result = {"type": "create", "structuredPatch": []}
    elif edit.tool == "Write":
        given["content"] = ""
    else:
        given |= {"old_string": "", "new_string": ""}
    tool = edit.tool if applied else "Edit"
    call = {"type": "tool_use", "id": edit.id, "name": tool, "input": given}
    yield {"type": "assistant", **shared, "message": {"role": "assistant", "content": [call]}}
    if edit.outcome is EditResult.UNANSWERED:
        return
    answer: dict[str, Any] = {"type": "tool_result", "tool_use_id": edit.id, "content": "done"}
    if not applied:
        answer |= {"is_error": True, "content": _REFUSALS[edit.outcome]}
    record = {"type": "user", **shared, "message": {"role": "user", "content": [answer]}}
    yield record | ({"toolUseResult": result} if result else {})


def _is_whole(lines: TextLines) -> bool:
    """Say whether the lines are those of a new file."""
    return not lines.removed and (
        not lines.hunks
        or (len(lines.hunks) == 1 and not lines.hunks[0].before + lines.hunks[0].after)
    )


def _patches(lines: TextLines) -> Iterator[list[str]]:
    """Yield the edit's hunks as those of a patch; the first one removes what the edit removed."""
    removed = [f"-{line}" for line in lines.removed]
    for hunk in lines.hunks:
        yield [*_all(" ", hunk.before), *removed, *_all("+", hunk.own), *_all(" ", hunk.after)]
        removed = []
    if removed:
        yield removed


def _all(sign: str, texts: Iterable[str]) -> list[str]:
    return [sign + text for text in texts]


def _text(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
