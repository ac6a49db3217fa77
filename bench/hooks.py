"""The edits of recorded transcripts as the hook alone would report them, call by call.

A hook is run for calls that succeeded, with the structured result that a main session's
transcript keeps as well.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from ghapp.attribution.model import Edit
from ghapp.collector.events import QueuedEvent, to_edits
from ghapp.collector.hook import is_edit

TOOLS = frozenset({"Edit", "Write", "MultiEdit", "NotebookEdit", "Bash"})


def edits_by_hook(transcripts: Iterable[Path]) -> Iterator[Edit]:
    """Yield the hook's edits from the transcripts below some folders."""
    for top in transcripts:
        for path in sorted(top.rglob("*.jsonl")):
            for event in _events(path):
                yield from to_edits(event)


def _events(path: Path) -> Iterator[QueuedEvent]:
    calls: dict[str, dict[str, Any]] = {}
    for line in path.read_bytes().splitlines():
        record = msgspec.json.decode(line)
        content = (record.get("message") or {}).get("content")
        for block in content if isinstance(content, list) else ():
            if block.get("type") == "tool_use" and block.get("name") in TOOLS:
                calls[block["id"]] = block
            call = calls.get(block.get("tool_use_id", ""))
            if call is None or block.get("is_error"):
                continue
            payload = msgspec.json.encode(_payload(record, call))
            if isinstance(record.get("toolUseResult"), dict) and is_edit(payload):
                yield QueuedEvent(datetime.fromisoformat(record["timestamp"]), payload)


def _payload(record: dict[str, Any], call: dict[str, Any]) -> dict[str, Any]:
    return {
        "hook_event_name": "PostToolUse",
        "session_id": record["sessionId"],
        "cwd": record.get("cwd"),
        "tool_name": call["name"],
        "tool_input": call["input"],
        "tool_response": record.get("toolUseResult"),
        "tool_use_id": call["id"],
    }
