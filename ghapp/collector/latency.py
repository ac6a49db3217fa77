"""Measures how long an agent waits for the hook, with an event of usual size."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from ghapp.collector import hook

LINES = 300
"""Lines of the file that the event edits."""
FILES = 1_000
"""Files of the checkout in which commands are looked at."""


class HookLatency(NamedTuple):
    """Milliseconds from start to end."""

    median: float
    p95: float
    interpreter: float
    """Median of Python alone, started the same way and doing nothing."""
    before: float
    """Median before a shell command that writes a file, in a checkout of `FILES` files."""
    after: float
    """Median after it."""


def measure(runs: int) -> HookLatency:
    """Run the hook as Claude Code does, with a queue of its own that nobody sends."""
    program = [sys.executable, "-I", "-S"]
    with tempfile.TemporaryDirectory(prefix="ghapp-hook-") as folder:
        state = Path(folder) / "ghapp" / "collector"
        state.mkdir(parents=True)
        (state / "account.json").write_text("{}")
        # The last flush started just now, so none is due.
        (state / "started").touch()
        environment = {**os.environ, "XDG_STATE_HOME": folder}
        took = [_run([*program, hook.__file__], environment) for _ in range(runs)]
        nothing = [_run([*program, "-c", "pass"], environment) for _ in range(runs)]
        root = Path(folder).resolve() / "shop"
        _make_checkout(root)
        before, after = [], []
        for number in range(runs):
            event = _command(root)
            before.append(_run([*program, hook.__file__], environment, _json("Pre", event)))
            (root / "file_0.py").write_text(f"total = {number}\n")
            after.append(_run([*program, hook.__file__], environment, _json("Post", event)))
    return HookLatency(
        _quantile(took, 0.5),
        _quantile(took, 0.95),
        _quantile(nothing, 0.5),
        _quantile(before, 0.5),
        _quantile(after, 0.5),
    )


def _run(program: list[str], environment: dict[str, str], event: bytes | None = None) -> float:
    start = time.perf_counter()
    subprocess.run(program, input=event or EVENT, env=environment, check=True)  # noqa: S603 - ours
    return (time.perf_counter() - start) * 1000


def _make_checkout(root: Path) -> None:
    root.mkdir()
    for number in range(FILES):
        (root / f"file_{number}.py").write_text(f"number = {number}\n")
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Begin"]):
        subprocess.run([*git, *command], check=True)  # noqa: S603 - no shell


def _command(root: Path) -> dict[str, object]:
    return {
        "session_id": "0",
        "cwd": str(root),
        "tool_name": "Bash",
        "tool_use_id": "toolu_0",
        "tool_input": {"command": "sed -i s/number/total/ file_0.py"},
        "duration_ms": 9,
    }


def _json(when: str, event: dict[str, object]) -> bytes:
    return json.dumps({"hook_event_name": f"{when}ToolUse", **event}).encode()


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[int((len(values) - 1) * share)]


def _event() -> bytes:
    text = "".join(f"    total_{number} = amount_{number} + tax\n" for number in range(LINES))
    patch = {"oldStart": 1, "oldLines": 1, "newStart": 1, "newLines": 1, "lines": ["-a", "+b"]}
    event = {
        "hook_event_name": "PostToolUse",
        "session_id": "0",
        "cwd": "/",
        "tool_name": "Edit",
        "tool_use_id": "toolu_0",
        "tool_input": {"file_path": "/a.py", "old_string": "a", "new_string": "b"},
        "tool_response": {"originalFile": text, "structuredPatch": [patch]},
    }
    return json.dumps(event).encode()


EVENT = _event()
"""An edit in a file of `LINES` lines; like Claude Code, it includes the whole file."""
