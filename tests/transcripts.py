"""Writes small transcripts as an agent does, for tests that are about something else."""

import json
from pathlib import Path

AT = "2026-05-19T10:00:00.000Z"


def write_transcript(path: Path, file: str, content: str, *, at: str = AT, cwd: str = "") -> Path:
    """Write a transcript in which an agent created ``file`` (absolute) with ``content``."""
    call = {"type": "tool_use", "id": f"toolu_{path.stem}", "name": "Write"}
    call["input"] = {"file_path": file, "content": content}  # type: ignore[assignment]
    result = {"type": "create", "filePath": file, "content": content, "structuredPatch": []}
    answer = {"type": "tool_result", "tool_use_id": call["id"], "content": "done"}
    common = {"sessionId": path.stem, "cwd": cwd or str(Path(file).parent), "timestamp": at}
    records = [
        {
            **common,
            "type": "assistant",
            "uuid": "a1",
            "message": {"role": "assistant", "content": [call]},
        },
        {
            **common,
            "type": "user",
            "uuid": "u1",
            "message": {"role": "user", "content": [answer]},
            "toolUseResult": result,
        },
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path
