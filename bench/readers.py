"""How fast each reader reads, beside the plain decoding of the same records, and what it finds."""

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.console import say, table
from ghapp.attribution.model import Edit, EditResult, PassedOver, UnreadEvidence
from ghapp.evidence.registry import FILE_NAMES, SOURCES, source_of
from ghapp.evidence.source import EvidenceSource, everything
from ghapp.ingest import opencode_rows

MEGABYTE = 1_000_000
HEAD = 64 * 1024
CASES = Path(__file__).resolve().parent.parent / "fixtures" / "evidence"


@dataclass
class Cost:
    """What reading the records of one agent took and gave."""

    files: int = 0
    size: int = 0
    ours: float = 0.0
    plain: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)

    def row(self, name: str) -> tuple[object, ...]:
        """Return the row of a table: speeds in megabytes for each second of CPU time."""
        size = self.size / MEGABYTE
        counts = (self.counts[one] for one in ("applied", "other", "unread", "passed over"))
        speeds = (
            size / self.ours if self.ours else None,
            size / self.plain if self.plain else None,
        )
        return (
            *(name, self.files, f"{size:.1f}", *counts),
            *(speed and f"{speed:.0f}" for speed in speeds),
            f"{self.plain / self.ours:.2f}" if self.ours else None,
        )


def measure(paths: list[Path], times: int) -> int:
    """Read all records below some paths, or those of the cases, and print a table."""
    costs: dict[str, Cost] = {}
    for source, path in _known(paths or [CASES]):
        _read(costs.setdefault(source.NAME, Cost()), source, path, times)
    head = ("reader", "files", "MB", "applied", "other", "unread", "passed over")
    rows = [costs[name].row(name) for name in SOURCES if name in costs]
    say(table(rows, (*head, "MB/s", "json MB/s", "of json's speed")))
    return 0


def _known(paths: list[Path]) -> Iterator[tuple[EvidenceSource, Path]]:
    for start in paths:
        for path in sorted(start.rglob("*")) if start.is_dir() else [start]:
            if path.is_file() and (path == start or re.fullmatch(FILE_NAMES, path.name)):
                with path.open("rb") as file:
                    source = source_of(path.name, file.read(HEAD))
                if source is not None:
                    yield source, path


def _read(cost: Cost, source: EvidenceSource, path: Path, times: int) -> None:
    """Add what one file takes and gives. Records are in memory before the clock starts."""
    records = list(_records(path))
    cost.files += 1
    cost.size += sum(map(len, records)) * times
    for turn in range(times):
        start = time.process_time()
        found = list(source.read(path.name, records, everything))
        cost.ours += time.process_time() - start
        if turn == 0:
            cost.counts.update(map(_kind, found))
    whole = [b"".join(records)] if path.suffix == ".json" else records
    start = time.process_time()
    for _ in range(times):
        _decode(whole)
    cost.plain += time.process_time() - start


def _records(path: Path) -> Iterator[bytes]:
    if path.suffix == ".db":
        yield from opencode_rows.rows(path)
    else:
        with path.open("rb") as file:
            yield from file


def _kind(found: object) -> str:
    if isinstance(found, Edit):
        return "applied" if found.outcome is EditResult.APPLIED else "other"
    if isinstance(found, UnreadEvidence):
        return "unread"
    return "passed over" if isinstance(found, PassedOver) else "beside"


def _decode(records: list[bytes]) -> None:
    for record in records:
        try:
            json.loads(record)
        except (ValueError, RecursionError):
            continue
