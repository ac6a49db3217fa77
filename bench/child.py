"""The work of one measured process: an audit, a reading or a baseline. It prints JSON."""

import difflib
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from bench import exact
from bench.audits import Document, Question
from bench.engine import EngineAuditor, own_lines
from bench.lines import normalize
from bench.load import MERGED_AT, ROOT
from bench.memory import peak
from ghapp.attribution.model import Edit
from ghapp.attribution.unified_diff import parse_diff
from ghapp.ingest.artifacts import find_evidence

Result = dict[str, float | int]

BUDGET = 2.0
"""CPU seconds after which a baseline stops; the rest is extrapolated from the lines it did."""


def main(arguments: Sequence[str]) -> int:
    """Do one task on a folder and print its CPU seconds and what it found."""
    task, folder = TASKS[arguments[0]], Path(arguments[1])
    before = _cpu()
    wall = time.perf_counter()
    result = task(folder)
    found: Result = {"cpu": _cpu() - before, "wall": time.perf_counter() - wall}
    # Decode the document only after the clock has stopped, because an audit does not.
    found |= result() if callable(result) else result
    sys.stdout.write(json.dumps(found | {"rss": peak()}))
    return 0


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _audit(folder: Path) -> Callable[[], Result]:
    question = Question(folder / "change.diff", MERGED_AT, (folder / "evidence",), (ROOT,))
    document = EngineAuditor().document(question)

    def totals() -> Result:
        found = msgspec.json.decode(document, type=Document).totals
        return {"effective": found.effective, "attributed": found.attributed}

    return totals


def _exact(folder: Path) -> Result:
    """Find equal lines by the plainest script, from the same files to a document."""
    return {"bytes": len(exact.document(folder / "change.diff", folder / "evidence"))}


def _read(folder: Path) -> Result:
    return {"edits": sum(isinstance(one, Edit) for one in find_evidence([folder]))}


def _json(folder: Path) -> Result:
    """Decode each line of a folder's transcripts by Python's own decoder."""
    lines = 0
    for transcript in sorted(folder.rglob("*.jsonl")):
        with transcript.open("rb") as file:
            lines += sum(1 for _ in map(json.loads, file))
    return {"lines": lines}


def _nothing(_folder: Path) -> Result:
    return {}


def _lines(folder: Path) -> tuple[list[str], list[str]]:
    """Return the normalized added lines and edit lines of a load."""
    files = parse_diff((folder / "change.diff").read_bytes())
    added = [normalize(line.text) for file in files for line in file.added()]
    found = find_evidence([folder / "evidence"])
    own = [normalize(line) for one in found if isinstance(one, Edit) for line in own_lines(one)]
    return [line for line in added if line], [line for line in own if line]


Compare = Callable[[Sequence[str], Sequence[str]], None]


def _plain_difflib(folder: Path) -> Result:
    """Compare each added line with each edit line by difflib's ratio."""
    return _sampled(folder, _by_difflib, 1, 2_000)


def _by_difflib(lines: Sequence[str], candidates: Sequence[str]) -> None:
    matcher = difflib.SequenceMatcher(autojunk=False)
    for line in lines:
        matcher.set_seq2(line)
        for other in candidates:
            matcher.set_seq1(other)
            matcher.ratio()


def _plain_cdist(folder: Path) -> Result:
    """Compare each added line with each edit line by rapidfuzz, one core, no pre-filter."""
    return _sampled(folder, _by_cdist, 16, 100_000)


def _by_cdist(lines: Sequence[str], candidates: Sequence[str]) -> None:
    scorer = Levenshtein.normalized_distance
    process.cdist(lines, candidates, scorer=scorer, dtype=np.float32, workers=1)


def _sampled(folder: Path, compare: Compare, step: int, most: int) -> Result:
    """Time a comparison of all pairs on as many pairs as the budget allows."""
    added, own = _lines(folder)
    candidates = own[:most]
    started, done = _cpu(), 0
    while done < len(added) and _cpu() - started < BUDGET:
        compare(added[done : done + step], candidates)
        done = min(len(added), done + step)
    spent, measured = _cpu() - started, done * len(candidates)
    return {"pairs": measured, "cpu": spent * len(added) * len(own) / measured, "measured": spent}


TASKS: dict[str, Callable[[Path], Result | Callable[[], Result]]] = {
    "audit": _audit,
    "exact": _exact,
    "read": _read,
    "json": _json,
    "nothing": _nothing,
    "difflib": _plain_difflib,
    "cdist": _plain_cdist,
}

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
