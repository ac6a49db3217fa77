"""A developer's machine for tests: a home, clones, and an agent whose edits happen for real.

Each edit changes the file, writes the records of a transcript, and gives the event that Claude
Code hands to its hook; the shapes are those of recorded ones.
"""

import difflib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ghapp.collector import account, hook
from ghapp.collector.account import MachineAccount
from ghapp.collector.places import CollectorFiles
from tests.clones import Clone
from tests.collector.stand_in import TOKEN, App

START = datetime(2026, 5, 18, 9, 0, tzinfo=UTC)
NOW = START + timedelta(hours=8)
VERSION, MODEL = "2.1.101", "claude-opus-4-5-20251101"
USAGE = {"input_tokens": 3, "output_tokens": 20, "cache_read_input_tokens": 500}
"""What each answer of a model took."""


def shortly_before(now: datetime) -> datetime:
    """Return a time of the last two hours that half an hour of the same UTC day follows.

    Usage is told by day: what begins just before midnight would be that of two.
    """
    at = now - timedelta(hours=1)
    return min(at, at.replace(hour=23, minute=30, second=0, microsecond=0))


class Machine:
    """One home directory, and what its owner's agent does."""

    def __init__(self, home: Path, name: str = "a") -> None:
        self.home = home
        self.name = name
        self.calls = 0
        self.answers = 0
        self.at = START
        (home / ".claude" / "projects").mkdir(parents=True)

    @property
    def places(self) -> CollectorFiles:
        """Where this user's collector keeps its files."""
        return CollectorFiles(directory=self.home / ".local" / "state" / "ghapp" / "collector")

    @property
    def transcripts(self) -> Path:
        """The folder of Claude Code's transcripts."""
        return self.home / ".claude" / "projects"

    @property
    def environment(self) -> dict[str, str]:
        """What a process of this user sees."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return {**kept, "HOME": str(self.home)}

    def clone(self, remote: str = "git@github.com:Acme/Shop.git", folder: str = "shop") -> Clone:
        """Make a clone with that remote."""
        made = Clone(self.home / "src" / folder)
        made.git("remote", "add", "origin", remote)
        made.commit({"README.md": "# Shop\n"})
        return made

    def enroll(self, app: App) -> MachineAccount:
        """Keep an account as enrollment does."""
        known = MachineAccount(
            url=app.url,
            token=TOKEN,
            machine=f"{ord(self.name):032x}",
            enrollment=app.enrollment,
            known_since=NOW,
        )
        account.save(self.places, known)
        return known

    def run_hook(self, event: dict[str, Any] | bytes) -> None:
        """Give an event to the hook as Claude Code does; demand silence and status 0."""
        data = event if isinstance(event, bytes) else json.dumps(event).encode()
        # No flush of its own: tests start them.
        if self.places.directory.is_dir():
            (self.places.directory / "started").touch()
        run_hook(data, self.environment)

    def take(self, event: dict[str, Any], at: datetime) -> None:
        """Put an event into the queue as the hook does, in this process and at a given time."""
        line = json.dumps(event).encode()
        assert hook.is_edit(line)
        hook.append(str(self.places.directory), int(at.timestamp() * 1e9), line)


def run_hook(data: bytes, environment: dict[str, str], *arguments: str) -> None:
    """Run the installed hook; demand silence and status 0."""
    program = arguments or (sys.executable, "-I", "-S", hook.__file__)
    done = subprocess.run(
        program, input=data, env=environment, capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


class Agent:
    """One agent session in a checkout; ``subagent``: its transcript lacks structured results."""

    def __init__(
        self, machine: Machine, root: Path, agent_session: str, *, subagent: bool = False
    ) -> None:
        self.machine = machine
        self.root = root
        self.agent_session = agent_session
        self.subagent = subagent
        folder = machine.transcripts / str(root).replace("/", "-").replace(".", "-")
        if subagent:
            folder = folder / agent_session / "subagents"
        name = "agent-0123456789abcdef0" if subagent else agent_session
        self.transcript = folder / f"{name}.jsonl"
        self.events: list[tuple[dict[str, Any], datetime]] = []
        """The hook's events in order, each with its time."""

    def write(self, path: str, text: str) -> dict[str, Any]:
        """Write a whole file."""
        file = self.root / path
        before = file.read_text() if file.exists() else None
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        result = {
            "type": "create" if before is None else "update",
            "filePath": str(file),
            "content": text,
            "structuredPatch": [] if before is None else patch(before, text),
            "originalFile": before,
        }
        return self._done("Write", {"file_path": str(file), "content": text}, result)

    def edit(self, path: str, old: str, new: str) -> dict[str, Any]:
        """Replace one place in a file."""
        file = self.root / path
        before = file.read_text()
        assert before.count(old) == 1
        after = before.replace(old, new)
        file.write_text(after)
        result = {
            "filePath": str(file),
            "oldString": old,
            "newString": new,
            "originalFile": before,
            "structuredPatch": patch(before, after),
            "userModified": False,
            "replaceAll": False,
        }
        asked = {"file_path": str(file), "old_string": old, "new_string": new}
        return self._done("Edit", asked, result)

    def shell(self, command: str, changed: dict[str, tuple[str, str]]) -> dict[str, Any]:
        """Run a shell command whose record holds each changed file before and after."""
        files = []
        for path, (before, after) in changed.items():
            (self.root / path).write_text(after)
            files.append({"filePath": str(self.root / path), "hunks": patch(before, after)})
        result = {
            "stdout": "",
            "stderr": "",
            "interrupted": False,
            "bashEditDiff": {"changedFiles": [one["filePath"] for one in files], "files": files},
        }
        return self._done("Bash", {"command": command}, result)

    def refused(self, path: str, text: str) -> None:
        """Ask for a write that the person refuses: the transcript has it, no hook is run."""
        asked = {"file_path": str(self.root / path), "content": text}
        self._record("Write", asked, "User rejected tool use", failed=True)

    def says(self, text: str) -> None:
        """Have a conversation: a prompt and an answer."""
        self._append("user", text)
        self._append("assistant", [{"type": "text", "text": text}])

    def names_worktree(self, path: Path, original: Path) -> None:
        """Record that it works in a worktree that was made from a checkout."""
        made = {"originalCwd": str(original), "worktreePath": str(path), "worktreeName": "w"}
        record = {"type": "worktree-state", "worktreeSession": made}
        self._write({**record, "sessionId": self.agent_session})

    def _done(self, tool: str, asked: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
        id_ = self._record(tool, asked, result)
        event = {
            "session_id": self.agent_session,
            "transcript_path": str(self.transcript),
            "cwd": str(self.root),
            "permission_mode": "default",
            "hook_event_name": "PostToolUse",
            "tool_name": tool,
            "tool_input": asked,
            "tool_response": result,
            "tool_use_id": id_,
            "duration_ms": 12,
        }
        self.events.append((event, self.machine.at))
        return event

    def _record(
        self, tool: str, asked: dict[str, Any], result: object, *, failed: bool = False
    ) -> str:
        self.machine.calls += 1
        id_ = f"toolu_{self.machine.name}{self.machine.calls:04d}"
        self._append("assistant", [{"type": "tool_use", "id": id_, "name": tool, "input": asked}])
        self.machine.at += timedelta(seconds=30)
        answer = {"type": "tool_result", "tool_use_id": id_, "content": "done"}
        answer |= {"is_error": True} if failed else {}
        more = {} if self.subagent else {"toolUseResult": result}
        self._append("user", [answer], **more)
        return id_

    def _append(self, type_: str, content: object, **more: Any) -> None:
        record: dict[str, Any] = {
            "type": type_,
            "sessionId": self.agent_session,
            "cwd": str(self.root),
            "timestamp": self.machine.at.isoformat(timespec="milliseconds"),
            "isSidechain": self.subagent,
            "version": VERSION,
            "message": {"role": type_, "content": content},
            **more,
        }
        if type_ == "assistant":
            self.machine.answers += 1
            number = f"{self.machine.name}{self.machine.answers:023d}"
            record["requestId"] = f"req_{number}"
            record["message"] |= {"model": MODEL, "id": f"msg_{number}", "usage": USAGE}
        self._write(record)

    def _write(self, record: dict[str, Any]) -> None:
        self.transcript.parent.mkdir(parents=True, exist_ok=True)
        with self.transcript.open("a") as file:
            file.write(json.dumps(record) + "\n")


def patch(before: str, after: str) -> list[dict[str, Any]]:
    """Return what two texts differ in, as Claude Code writes it: two spaces for a leading tab."""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=3))
    hunks: list[dict[str, Any]] = []
    for line in lines[2:]:
        if line.startswith("@@"):
            hunks.append({"oldStart": 1, "oldLines": 1, "newStart": 1, "newLines": 1, "lines": []})
        else:
            rest = line[1:].lstrip("\t")
            tabs = len(line) - 1 - len(rest)
            hunks[-1]["lines"].append(line[0] + "  " * tabs + rest)
    return hunks


@contextmanager
def as_user(machine: Machine) -> Iterator[None]:
    """Let this process be that machine's user."""
    with pytest.MonkeyPatch.context() as patched:
        for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "CLAUDE_CONFIG_DIR"):
            patched.delenv(name, raising=False)
        patched.setenv("HOME", str(machine.home))
        yield
