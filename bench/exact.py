"""The plainest script that finds equal lines: the yardstick of `bench speed`. It imports no ghapp.

It reads a diff and transcripts with `json`, normalizes lines and subtracts one multiset from
another: no window, no place, no tolerance, no reason. What it costs, every audit has to cost.
"""

import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.lines import is_effective, normalize


def document(diff: Path, evidence: Path) -> bytes:
    """Return a JSON document with a verdict for each added line."""
    left = _own_lines(evidence)
    files: dict[str, list[dict[str, object]]] = defaultdict(list)
    for path, number, text in _added(diff):
        normal = normalize(text)
        is_equal = is_effective(text) and left[os.path.basename(path)][normal] > 0  # noqa: PTH119
        if is_equal:
            left[os.path.basename(path)][normal] -= 1  # noqa: PTH119
        files[path].append({"line": number, "attributed": is_equal})
    return json.dumps(files, sort_keys=True).encode()


def _own_lines(evidence: Path) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for transcript in sorted(evidence.rglob("*.jsonl")):
        with transcript.open(encoding="utf-8") as file:
            for record in map(json.loads, file):
                for use in _uses(record):
                    name = os.path.basename(str(use.get("file_path", "")))  # noqa: PTH119
                    for old, new in _texts(use):
                        added = Counter(map(normalize, new.split("\n")))
                        added.subtract(map(normalize, old.split("\n")))
                        found[name].update(+added)
    return found


def _uses(record: Any) -> Iterator[dict[str, Any]]:
    message = record.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    for block in content if isinstance(content, list) else ():
        if block.get("type") == "tool_use" and "file_path" in block.get("input", {}):
            yield block["input"]


def _texts(use: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "content" in use:
        yield "", use["content"]
    for edit in use.get("edits", [use] if "new_string" in use else []):
        yield edit.get("old_string", ""), edit.get("new_string", "")


def _added(diff: Path) -> Iterator[tuple[str, int, str]]:
    path, number = "", 0
    with diff.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("+++ b/"):
                path = line[6:].rstrip("\n")
            elif line.startswith("@@ "):
                number = int(line.split("+")[1].split(",")[0].split(" ")[0])
            elif line.startswith("+"):
                yield path, number, line[1:].rstrip("\n")
                number += 1
            elif line.startswith(" "):
                number += 1


if __name__ == "__main__":
    sys.stdout.buffer.write(document(Path(sys.argv[1]), Path(sys.argv[2])))
