"""Writes agent sessions as Claude Code's transcripts. It decides no authorship."""

import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

from bench.audits import iso

Record = dict[str, object]

ORIGINAL_LIMIT = 10_000
"""Largest file, in characters, whose earlier text newer versions keep in the result."""

REFUSED = "The user doesn't want to proceed with this tool use. The tool use was rejected."
FAILED = "<tool_use_error>String to replace not found in file.</tool_use_error>"
INTERRUPTED = "[Request interrupted by user for tool use]"

_VERSIONS = ("2.0.76", "2.1.45", "2.1.112", "2.1.205")
_SMALL_TALK = (
    "I'll look at the file first.",
    "Now the tests.",
    "That part is done; next one.",
    "Let me check how the neighbors do it.",
)
_ASKED = (
    "please go on",
    "make the tests pass",
    "that looks wrong, check again",
    "add it to the docs",
)


@dataclass(frozen=True)
class Call:
    """One call of an edit tool: input, result and time."""

    id: str
    tool: str
    at: datetime
    path: str
    """Absolute, as the agent wrote it."""
    input: Record
    outcome: str
    """``applied``, ``refused``, ``failed``, ``interrupted`` or ``unanswered``."""
    result: Record | None
    """The structured result of an applied call; ``None``: it was not applied."""
    read_first: str | None = None
    """The file's text if the agent read it just before; ``None``: it did not."""


@dataclass
class AgentSession:
    """One agent session with its calls."""

    id: str
    root: str
    rng: Random
    subagent: str | None = None
    """Id of the subagent; its results carry no structure. ``None``: a main session."""
    calls: list[Call] = field(default_factory=list)

    def call_id(self) -> str:
        """Return a new id of a tool call."""
        letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz123456789"
        return "toolu_01" + "".join(self.rng.choices(letters, k=22))

    def write(self, folder: Path) -> Path:
        """Write the transcript below a folder and return its path."""
        path = folder / f"{self.id}.jsonl"
        if self.subagent:
            path = folder / self.id / "subagents" / f"agent-{self.subagent}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            for record in self.records():
                file.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
        return path

    def records(self) -> Iterator[Record]:
        """Yield all records by time, including small talk."""
        calls = sorted(self.calls, key=lambda call: call.at)
        if not calls:
            return
        writer = _Writer(self, self.rng.choice(_VERSIONS))
        if not self.subagent:
            yield {"type": "summary", "summary": "Work on the change", "leafUuid": writer.uuid()}
        yield writer.user("Please make the change that we talked about.", calls[0].at)
        for call in calls:
            yield from writer.noise(call)
            yield from writer.call(call)
        yield writer.assistant({"type": "text", "text": "Done."}, calls[-1].at)


class _Writer:
    """Turns calls into linked records."""

    def __init__(self, of: AgentSession, version: str) -> None:
        self._of = of
        self._version = version
        self._parent: str | None = None

    def uuid(self) -> str:
        return str(UUID(int=self._of.rng.getrandbits(128), version=4))

    def _envelope(self, kind: str, at: datetime) -> Record:
        record: Record = {
            "parentUuid": self._parent,
            "isSidechain": self._of.subagent is not None,
            "userType": "external",
            "cwd": self._of.root,
            "sessionId": self._of.id,
            "version": self._version,
            "gitBranch": "main",
            "type": kind,
            "uuid": self.uuid(),
            "timestamp": iso(at),
        }
        if self._of.subagent:
            record["agentId"] = self._of.subagent
        self._parent = str(record["uuid"])
        return record

    def user(self, text: str, at: datetime) -> Record:
        return {**self._envelope("user", at), "message": {"role": "user", "content": text}}

    def assistant(self, block: Record, at: datetime) -> Record:
        message: Record = {
            "model": "claude-opus-4-6",
            "id": "msg_" + self.uuid()[:13],
            "type": "message",
            "role": "assistant",
            "content": [block],
            "stop_reason": None,
            "usage": {"input_tokens": 3, "output_tokens": self._of.rng.randint(20, 900)},
        }
        return {**self._envelope("assistant", at), "message": message, "requestId": "req_1"}

    def result(self, call_id: str, text: str, at: datetime, *, error: bool, more: object) -> Record:
        block: Record = {"tool_use_id": call_id, "type": "tool_result", "content": text}
        if error:
            block["is_error"] = True
        record = {**self._envelope("user", at), "message": {"role": "user", "content": [block]}}
        if more is not None and not self._of.subagent:
            record["toolUseResult"] = more
        return record

    def noise(self, call: Call) -> Iterator[Record]:
        """Yield records around a call: talk, a file read, a shell command."""
        rng, before = self._of.rng, call.at - timedelta(seconds=20)
        if rng.random() < 0.3:
            yield self.assistant({"type": "text", "text": rng.choice(_SMALL_TALK)}, before)
        if rng.random() < 0.1 and not self._of.subagent:
            yield self.user(rng.choice(_ASKED), before)
        if rng.random() < 0.2:
            yield from self._shell(before)
        if call.read_first is not None:
            yield from self._read(call.path, call.read_first, before)

    def _shell(self, at: datetime) -> Iterator[Record]:
        call_id = self._of.call_id()
        command: Record = {"command": "git status --short && ls", "description": "Look around"}
        yield self.assistant(_use(call_id, "Bash", command), at)
        more = {"stdout": " M x", "stderr": "", "interrupted": False, "isImage": False}
        yield self.result(call_id, " M x", at, error=False, more=more)

    def _read(self, path: str, text: str, at: datetime) -> Iterator[Record]:
        call_id = self._of.call_id()
        lines = text.split("\n")
        shown = "\n".join(f"{number:6}\u2192{line}" for number, line in enumerate(lines, 1))
        yield self.assistant(_use(call_id, "Read", {"file_path": path}), at)
        file = {"filePath": path, "content": text, "numLines": len(lines), "startLine": 1}
        more = {"type": "text", "file": {**file, "totalLines": len(lines)}}
        yield self.result(call_id, shown, at, error=False, more=more)

    def call(self, call: Call) -> Iterator[Record]:
        """Yield a call of an edit tool and its result, if it had one."""
        yield self.assistant(_use(call.id, call.tool, call.input), call.at)
        answered = call.at + timedelta(seconds=2)
        if call.outcome == "applied":
            text = f"The file {call.path} has been updated successfully."
            yield self.result(call.id, text, answered, error=False, more=call.result)
        elif call.outcome != "unanswered":
            text = {"refused": REFUSED, "failed": FAILED, "interrupted": INTERRUPTED}[call.outcome]
            more = "User rejected tool use" if call.outcome == "refused" else f"Error: {text}"
            yield self.result(call.id, text, answered, error=True, more=more)


def _use(call_id: str, tool: str, arguments: Record) -> Record:
    return {"type": "tool_use", "id": call_id, "name": tool, "input": arguments}


# --- inputs and results of tools -----------------------------------------------------------------


@dataclass(frozen=True)
class Region:
    """The lines in which two versions of a file differ: same start, two ends (exclusive)."""

    start: int
    old_end: int
    new_end: int


def region(before: Sequence[str], after: Sequence[str]) -> Region:
    """Return the one region outside of which both versions are equal."""
    start, shorter = 0, min(len(before), len(after))
    while start < shorter and before[start] == after[start]:
        start += 1
    tail = 0
    while tail < shorter - start and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    return Region(start, len(before) - tail, len(after) - tail)


def edit_strings(before: Sequence[str], after: Sequence[str], rng: Random) -> tuple[str, str]:
    """Return ``old_string`` and ``new_string`` of an Edit call that makes this change.

    Context lines are quoted until the old string is unique in the file, as the tool asks for.
    """
    span = region(before, after)
    above, below = rng.choice((0, 1, 1, 2, 3)), rng.choice((0, 0, 1, 2))
    text = "\n".join(before)
    while True:
        first = max(0, span.start - above)
        old = "\n".join(before[first : span.old_end + below])
        new = "\n".join(after[first : span.new_end + below])
        whole = first == 0 and span.old_end + below >= len(before)
        if whole or (old.strip() and text.count(old) == 1):
            break
        above, below = above + 1, below + 1
    depth = len(old) - len(old.lstrip(" "))
    if (
        depth
        and new.startswith(" " * depth)
        and rng.random() < 0.4
        and text.count(old[depth:]) == 1
    ):
        return old[depth:], new[depth:]
    return old, new


def structured_patch(before: Sequence[str], after: Sequence[str]) -> list[Record]:
    """Return the hunks of a result; like the tool, turn leading tabs into spaces."""
    span = region(before, after)
    first = max(0, span.start - 3)
    old, new = before[first : span.old_end + 3], after[first : span.new_end + 3]
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return [_hunk(group, old, new, first) for group in matcher.get_grouped_opcodes(3)]


def _hunk(
    group: Sequence[tuple[str, int, int, int, int]],
    old: Sequence[str],
    new: Sequence[str],
    first: int,
) -> Record:
    lines: list[str] = []
    for tag, i1, i2, j1, j2 in group:
        if tag == "equal":
            lines += [" " + _untabbed(line) for line in old[i1:i2]]
        else:
            lines += ["-" + _untabbed(line) for line in old[i1:i2]]
            lines += ["+" + _untabbed(line) for line in new[j1:j2]]
    return {
        "oldStart": first + group[0][1] + 1,
        "oldLines": group[-1][2] - group[0][1],
        "newStart": first + group[0][3] + 1,
        "newLines": group[-1][4] - group[0][3],
        "lines": lines,
    }


def _untabbed(line: str) -> str:
    body = line.lstrip("\t")
    return "  " * (len(line) - len(body)) + body


def edit_result(
    path: str, before: Sequence[str], after: Sequence[str], strings: tuple[str, str]
) -> Record:
    """Return the structured result of an applied Edit call."""
    return {
        "filePath": path,
        "oldString": strings[0],
        "newString": strings[1],
        "originalFile": _original(before),
        "structuredPatch": structured_patch(before, after),
        "userModified": False,
        "replaceAll": False,
    }


def write_result(path: str, before: Sequence[str] | None, after: Sequence[str]) -> Record:
    """Return the structured result of a Write call; ``before`` is ``None`` for a new file."""
    return {
        "type": "create" if before is None else "update",
        "filePath": path,
        "content": text_of(after),
        "structuredPatch": [] if before is None else structured_patch(before, after),
        "originalFile": None if before is None else _original(before),
    }


def multi_result(
    path: str, before: Sequence[str], after: Sequence[str], edits: list[Record]
) -> Record:
    """Return the structured result of an applied MultiEdit call."""
    return {
        "filePath": path,
        "edits": edits,
        "originalFileContents": text_of(before),
        "structuredPatch": structured_patch(before, after),
        "userModified": False,
    }


def text_of(lines: Sequence[str]) -> str:
    """Return a file's text."""
    return "\n".join(lines) + "\n" if lines else ""


def _original(before: Sequence[str]) -> str | None:
    text = text_of(before)
    return text if len(text) < ORIGINAL_LIMIT else None
