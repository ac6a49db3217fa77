"""Large generated changes and transcripts of realistic text, to measure time, without truth."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random

from bench import agent
from bench.audits import iso
from bench.draft import stretches
from bench.mutate import KEYWORDS, touch
from bench.releases import PYTHON, pairs

ROOT = "/home/dev/acme/shop"
MERGED_AT = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)

FILE_LINES = 400
"""Added lines of each file of a generated change."""

EQUAL, EDITED = 0.7, 0.1
"""Shares of added lines that an edit holds exactly and slightly changed; others are new."""

IN_PLACE = 4
"""Most lines, for each added line, of edits of the change's files that are not in the change."""

CALLS_PER_FILE = 400
"""Calls in each generated transcript."""

SHARED_LINES = 5_000
"""Edit lines of each transcript that several loads share."""

FIRST_SHARED = 1_000_000
"""Number of the first of these, above all others."""

Call = tuple[str, list[str]]
"""A file's path and the lines that an edit added to it."""

_NAME = re.compile(r"\b[a-z_][a-z0-9_]{4,}\b", re.IGNORECASE)


@dataclass(frozen=True)
class Load:
    """A generated change and its evidence on disk, with their numbers of lines."""

    folder: Path
    added: int
    edits: int

    @property
    def diff(self) -> Path:
        """Return the change's file."""
        return self.folder / "change.diff"

    @property
    def evidence(self) -> Path:
        """Return the folder of the transcripts."""
        return self.folder / "evidence"


class Source:
    """Endless code: functions of real packages with changed names, so that few repeat."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)  # noqa: S311 - repeatable, and no secret
        self._blocks = list(_functions(self._rng))
        self._turn = 0

    def block(self) -> list[str]:
        """Return one function's lines; common lines stay common, names change with each turn."""
        self._turn += 1
        lines = self._rng.choice(self._blocks)
        suffix, kept = f"_{self._turn:x}", self._turn % 3
        return [_NAME.sub(lambda found: _renamed(found[0], suffix, kept), line) for line in lines]

    def touched(self, lines: Sequence[str], share: float) -> list[str]:
        """Return the lines, some of them slightly changed."""
        rng = self._rng
        return [(touch(line, rng) or line) if rng.random() < share else line for line in lines]


def _renamed(name: str, suffix: str, kept: int) -> str:
    """Rename about a third of all names, always the same in one block."""
    if name.lower() in KEYWORDS or sum(map(ord, name)) % 3 != kept:
        return name
    return name + suffix


def _functions(rng: Random) -> Iterator[list[str]]:
    for pair in pairs(tuple(PYTHON)):
        for path in sorted(pair.new):
            lines = pair.new[path].split("\n")
            for start, end in stretches(lines, rng):
                if 4 <= end - start <= 60:
                    yield lines[start:end]


class Elsewhere:
    """Transcripts of edits of other files, written once and linked into each load."""

    def __init__(self, source: Source, folder: Path) -> None:
        self._source = source
        self._folder = folder
        self._made: list[Path] = []

    def link(self, lines: int, folder: Path) -> int:
        """Link transcripts with at most this many edit lines into a folder; return how many."""
        count = lines // SHARED_LINES
        while len(self._made) < count:
            number = FIRST_SHARED + len(self._made)
            calls = list(_elsewhere(self._source, SHARED_LINES))
            self._made.append(_write_transcript(calls, number, self._folder))
        for path in self._made[:count]:
            (folder / path.name).hardlink_to(path)
        return count * SHARED_LINES


def write_load(source: Source, elsewhere: Elsewhere, sizes: tuple[int, int], folder: Path) -> Load:
    """Write a change and transcripts with these numbers of added and edit lines."""
    added, edits = sizes
    files: dict[str, list[str]] = {}
    calls: list[Call] = []
    left = edits
    for number in range(-(-added // FILE_LINES)):
        path = f"src/part_{number // 20}/module_{number}.py"
        size = min(FILE_LINES, added - number * FILE_LINES)
        files[path], made = _file(source, path, size, left)
        left -= sum(len(lines) for _, lines in made)
        calls += made
    for path, block in _in_place(source, list(files), min(left // 2, IN_PLACE * added)):
        calls.append((path, block))
        left -= len(block)
    load = Load(folder, added, edits)
    load.evidence.mkdir(parents=True)
    left -= elsewhere.link(left, load.evidence)
    calls += _elsewhere(source, left)
    load.diff.write_text(_diff(files), encoding="utf-8")
    for number, start in enumerate(range(0, len(calls), CALLS_PER_FILE)):
        _write_transcript(calls[start : start + CALLS_PER_FILE], number, load.evidence)
    return load


def _file(source: Source, path: str, size: int, left: int) -> tuple[list[str], list[Call]]:
    """Return a file's added lines, and edits that hold four fifths of them, if enough are left."""
    lines: list[str] = []
    calls: list[Call] = []
    agents = 0
    while len(lines) < size:
        block = source.block()[: size - len(lines)]
        if agents <= (EQUAL + EDITED) * len(lines) and left >= len(block):
            calls.append((path, block))
            agents, left = agents + len(block), left - len(block)
            block = source.touched(block, EDITED / (EQUAL + EDITED))
        lines += block
    return lines, calls


def _in_place(source: Source, paths: Sequence[str], left: int) -> Iterator[Call]:
    """Yield edits of the change's own files that are not in the change."""
    number = 0
    while left > 0:
        block = source.block()[:left]
        yield paths[number % len(paths)], block
        number, left = number + 1, left - len(block)


def _elsewhere(source: Source, left: int) -> Iterator[Call]:
    """Yield edits of other files, one in ten with the name of a file of the change."""
    number = 0
    while left > 0:
        block = source.block()[:left]
        name = f"module_{number % 7}.py" if number % 10 == 0 else f"file_{number % 1009}.py"
        yield f"src/elsewhere_{number % 97}/{name}", block
        number, left = number + 1, left - len(block)


def _diff(files: dict[str, list[str]]) -> str:
    parts: list[str] = []
    for path, lines in files.items():
        head = f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n"
        parts.append(
            f"{head}@@ -0,0 +1,{len(lines)} @@\n" + "".join(f"+{line}\n" for line in lines)
        )
    return "".join(parts)


def _write_transcript(calls: Sequence[Call], number: int, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{number:08d}-0000-4000-8000-000000000000.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for record in _records(calls, number):
            file.write(json.dumps(record, separators=(",", ":")) + "\n")
    return path


def _records(calls: Sequence[Call], number: int) -> Iterator[agent.Record]:
    """Yield call and result of each edit: one line of context above, the new lines below it."""
    for turn, (path, lines) in enumerate(calls):
        at = MERGED_AT - timedelta(days=10) + timedelta(seconds=7 * turn + number)
        absolute = f"{ROOT}/{path}"
        before = ["# anchor"]
        after = [*before, *lines]
        strings = ("# anchor", "\n".join(after))
        call_id = f"toolu_{number:06d}{turn:06d}"
        given = {"file_path": absolute, "old_string": strings[0], "new_string": strings[1]}
        use = {"type": "tool_use", "id": call_id, "name": "Edit", "input": given}
        yield _envelope("assistant", at, number, turn) | {
            "message": {"role": "assistant", "content": [use]}
        }
        result = {"tool_use_id": call_id, "type": "tool_result", "content": "updated"}
        yield _envelope("user", at, number, turn) | {
            "message": {"role": "user", "content": [result]},
            "toolUseResult": agent.edit_result(absolute, before, after, strings),
        }


def _envelope(kind: str, at: datetime, number: int, turn: int) -> agent.Record:
    return {
        "parentUuid": None,
        "isSidechain": False,
        "cwd": ROOT,
        "sessionId": f"{number:08d}-0000-4000-8000-000000000000",
        "version": "2.1.112",
        "type": kind,
        "uuid": f"{number:08d}-{kind[:4]}-{turn:08d}",
        "timestamp": iso(at),
    }


def write_transcript(source: Source, megabytes: int, path: Path) -> int:
    """Write one transcript of this size with edits and long tool outputs; return its bytes."""
    path.parent.mkdir(parents=True)
    size = 0
    with path.open("w") as file:
        while size < megabytes * 1_000_000:
            calls = [(f"src/module_{turn}.py", source.block()) for turn in range(50)]
            for record in [*_records(calls, size), *islice(_reads(source, size), 20)]:
                text = json.dumps(record, separators=(",", ":")) + "\n"
                file.write(text)
                size += len(text)
    return size


def _reads(source: Source, number: int) -> Iterator[agent.Record]:
    """Yield results of reading files: most of a real transcript is such text."""
    turn = 0
    while True:
        turn += 1
        text = "\n".join(line for _ in range(12) for line in source.block())
        block = {"tool_use_id": f"toolu_r{number}_{turn}", "type": "tool_result", "content": text}
        file = {"filePath": f"{ROOT}/src/read.py", "content": text, "numLines": 200, "startLine": 1}
        yield _envelope("user", MERGED_AT - timedelta(days=9), number, turn) | {
            "message": {"role": "user", "content": [block]},
            "toolUseResult": {"type": "text", "file": file},
        }
