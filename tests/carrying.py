"""Makes repositories carry evidence, as the tools that do so leave it."""

import json
from typing import Any

from tests.clones import Clone

CLAUDE_SESSION = "5f0c7d1e-2b3a-4c4d-8e5f-60718293a4b5"
CHECKPOINT = "4a3f7ea6273b"
BRANCH = "entire/checkpoints/v1"


def note(
    lines: dict[str, str], *, tool: str = "claude", agent_session: str = CLAUDE_SESSION
) -> str:
    """Return git-ai's note on lines of files, given as ``3-7,12``."""
    key = "s_c9883b05a2487d"
    attested = "".join(
        f"{path}\n  {key}::t_9f8e7d6c5b4a32 {ranges}\n" for path, ranges in lines.items()
    )
    who = {"agent_id": {"tool": tool, "id": agent_session, "model": "m"}}
    metadata = {"schema_version": "authorship/3.0.0", "prompts": {}, "sessions": {key: who}}
    return f"{attested}---\n{json.dumps(metadata)}\n"


def add_note(clone: Clone, sha: str, text: str) -> None:
    clone.git("notes", "--ref=ai", "add", "-f", "-m", text, sha)


def trace(sha: str, path: str, first: int, last: int, **more: Any) -> str:
    """Return one record of Agent Trace as a line."""
    ranges = [{"start_line": first, "end_line": last}]
    conversation = {"url": "x:/c1", "contributor": {"type": "ai"}, "ranges": ranges}
    record = {
        "version": "0.1.0",
        "id": f"{path}:{first}",
        "timestamp": "2026-05-20T15:30:00Z",
        "vcs": {"type": "git", "revision": sha},
        "tool": {"name": "cursor"},
        "files": [{"path": path, "conversations": [conversation]}],
        **more,
    }
    return json.dumps(record) + "\n"


def add_checkpoint(clone: Clone, files: dict[str, str], checkpoint: str = CHECKPOINT) -> None:
    """Make Entire's branch, which has nothing in common with the others, and put files there."""
    beside = Clone(clone.path.with_name(f"{clone.path.name}-checkpoints"))
    folder = f"{checkpoint[:2]}/{checkpoint[2:]}"
    beside.commit({f"{folder}/{name}": content for name, content in files.items()})
    clone.git("fetch", "-q", str(beside.path), f"main:{BRANCH}")
