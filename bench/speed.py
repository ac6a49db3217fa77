"""CPU time, peak memory and growth of audits, from files on disk to the document."""

import json
import math
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import one_file
from bench.audits import CommandAuditor, Question
from bench.console import say, table
from bench.load import (
    MERGED_AT,
    ROOT,
    Elsewhere,
    Load,
    Source,
    write_load,
    write_transcript,
)

MEGABYTE = 1_000_000

SMALL = (10, 20)
"""Added lines and edit lines of the change by which the start is measured."""

STARTS = 15
"""The least of so many processes counts."""


@dataclass(frozen=True)
class Options:
    """What to measure; ``command`` is ``None`` for our own engine."""

    seed: int
    added: tuple[int, ...]
    edits: tuple[int, ...]
    transcript: int
    """Megabytes of the transcript to read; 0: none."""
    command: tuple[str, ...] | None
    as_json: bool


@dataclass(frozen=True)
class Cost:
    """Cost of one audit; ``process`` includes Python's start and imports, ``cpu`` does not."""

    added: int
    edits: int
    cpu: float
    process: float
    megabytes: float
    share: float
    difflib: float
    """CPU seconds of the plain baseline, extrapolated from a sample of pairs."""
    cdist: float
    """The same with rapidfuzz."""
    exact: float
    """CPU seconds of the plainest script for equal lines on the same files (`bench.exact`)."""


@dataclass(frozen=True)
class Reading:
    """Cost of reading one transcript."""

    megabytes: float
    cpu: float
    peak: float
    edits: int
    json: float
    """CPU seconds of Python's ``json`` on each line of the same file, and nothing else."""


@dataclass(frozen=True)
class Start:
    """CPU seconds of whole processes: ``ghapp audit`` on a small change, and ``python -c pass``."""

    text: float
    json: float
    nothing: float


@dataclass(frozen=True)
class _Ended:
    """A finished child process: CPU seconds, peak memory in bytes, output."""

    cpu: float
    rss: int
    said: bytes


def measure(options: Options) -> int:
    """Make the loads, measure each in a process of its own, print; return the exit status."""
    source = Source(options.seed)
    with tempfile.TemporaryDirectory(prefix="ghapp-bench-") as name:
        folder = Path(name)
        elsewhere = Elsewhere(source, folder / "elsewhere")
        costs: list[Cost] = []
        for added in options.added:
            loads = [_load(source, elsewhere, (added, edits), folder) for edits in options.edits]
            baselines = _baselines(loads[0])
            costs += [_cost(load, options.command, baselines) for load in loads]
        reading = (
            _reading(source, options.transcript, folder / "one") if options.transcript else None
        )
        start = _start(_load(source, elsewhere, SMALL, folder))
    alone = one_file.measure(source)
    if options.as_json:
        found = {"audits": [asdict(cost) for cost in costs], "growth": _growth(costs)}
        more = {
            "reading": asdict(reading) if reading else None,
            "start": asdict(start),
            "one file": {one.edits: one.cpu for one in alone},
        }
        say(json.dumps(found | more, indent=2))
        return 0
    _print(costs, reading)
    _print_start(start)
    say("\nedits of one file, CPU s in the core alone")
    say(table([[f"{one.edits:,}", f"{one.cpu:.3f}"] for one in alone], ("edits", "CPU s")))
    return 0


def _load(source: Source, elsewhere: Elsewhere, sizes: tuple[int, int], folder: Path) -> Load:
    return write_load(source, elsewhere, sizes, folder / f"{sizes[0]}-{sizes[1]}")


def _baselines(load: Load) -> tuple[float, float]:
    """Return CPU seconds for each edit line that difflib and rapidfuzz take on a load."""
    seconds = [json.loads(_child(name, load.folder).said)["cpu"] for name in ("difflib", "cdist")]
    return seconds[0] / load.edits, seconds[1] / load.edits


def _cost(load: Load, command: tuple[str, ...] | None, baselines: tuple[float, float]) -> Cost:
    if command:
        question = Question(load.diff, MERGED_AT, (load.evidence,), (ROOT,))
        ended = _ended(CommandAuditor(command).arguments(question))
        totals = json.loads(ended.said)["totals"]
        cpu, found, held = ended.cpu, totals, ended.rss
    else:
        ended = _child("audit", load.folder)
        found = json.loads(ended.said)
        cpu, held = found["cpu"], found["rss"]
    share = found["attributed"] / found["effective"]
    plain = json.loads(_child("exact", load.folder).said)["cpu"]
    by_difflib, by_cdist = (load.edits * seconds for seconds in baselines)
    memory = held / MEGABYTE
    return Cost(load.added, load.edits, cpu, ended.cpu, memory, share, by_difflib, by_cdist, plain)


def _reading(source: Source, megabytes: int, folder: Path) -> Reading:
    size = write_transcript(source, megabytes, folder / "evidence" / "one.jsonl")
    ended = _child("read", folder / "evidence")
    found = json.loads(ended.said)
    plain = json.loads(_child("json", folder / "evidence").said)["cpu"]
    memory = found["rss"] / MEGABYTE
    return Reading(size / MEGABYTE, found["cpu"], memory, found["edits"], plain)


def _start(load: Load) -> Start:
    """Measure whole processes, the least of some runs each."""
    question = Question(load.diff, MERGED_AT, (load.evidence,), (ROOT,))
    audit = CommandAuditor((sys.executable, "-m", "ghapp", "audit")).arguments(question)
    at = audit.index("json")
    as_text = [*audit[:at], "text", *audit[at + 1 :]]
    commands = as_text, audit, [sys.executable, "-c", "pass"]
    return Start(*(min(_ended(one).cpu for _ in range(STARTS)) for one in commands))


def _child(task: str, folder: Path) -> _Ended:
    return _ended([sys.executable, "-m", "bench.child", task, str(folder)], (0,))


def _ended(command: Sequence[str], accept: Sequence[int] = (0, 1)) -> _Ended:
    """Run a program and return what it used, as the operating system counts it."""
    with tempfile.TemporaryFile() as said:
        actions = [(os.POSIX_SPAWN_DUP2, said.fileno(), 1)]
        child = os.posix_spawnp(command[0], list(command), os.environ, file_actions=actions)
        _, status, usage = os.wait4(child, 0)
        said.seek(0)
        text = said.read()
    if os.waitstatus_to_exitcode(status) not in accept:
        message = f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}"
        raise RuntimeError(message)
    unit = 1 if sys.platform == "darwin" else 1024
    return _Ended(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit, text)


# --- growth and printing ------------------------------------------------------------------------


def _growth(costs: Sequence[Cost]) -> dict[str, float]:
    """Return exponents: 1 is linear. In added lines at equal edits, and the other way around."""
    found: dict[str, float] = {}
    for cost in costs:
        for other in costs:
            if other.edits == cost.edits and _follows(costs, cost.added, other.added, "added"):
                name = f"{cost.added} to {other.added} added, {cost.edits} edit lines"
                found[name] = _exponent(cost.cpu, other.cpu, other.added / cost.added)
            if other.added == cost.added and _follows(costs, cost.edits, other.edits, "edits"):
                name = f"{cost.edits} to {other.edits} edit lines, {cost.added} added"
                found[name] = _exponent(cost.cpu, other.cpu, other.edits / cost.edits)
    return found


def _follows(costs: Sequence[Cost], one: int, other: int, name: str) -> bool:
    sizes = sorted({getattr(cost, name) for cost in costs})
    return one in sizes[:-1] and sizes[sizes.index(one) + 1] == other


def _exponent(one: float, other: float, times: float) -> float:
    return math.log(other / one) / math.log(times)


def _print_start(start: Start) -> None:
    for form, cpu in (("text", start.text), ("json", start.json)):
        say(
            f"ghapp audit --format {form} of a small change: {1000 * cpu:.0f} ms CPU, "
            f"{cpu / start.nothing:.1f} times python -c pass ({1000 * start.nothing:.0f} ms)"
        )


def _print(costs: Sequence[Cost], reading: Reading | None) -> None:
    head = ("added", "edit lines", "CPU s", "process CPU s", "MB", "share", "difflib CPU s", "x",
            "cdist CPU s", "x", "exact CPU s", "ours / exact")  # fmt: skip
    rows = [
        [
            f"{cost.added:,}",
            f"{cost.edits:,}",
            f"{cost.cpu:.2f}",
            f"{cost.process:.2f}",
            f"{cost.megabytes:.0f}",
            f"{cost.share:.3f}",
            f"{cost.difflib:,.0f}",
            f"{cost.difflib / cost.cpu:,.0f}",
            f"{cost.cdist:,.1f}",
            f"{cost.cdist / cost.cpu:,.1f}",
            f"{cost.exact:.2f}",
            f"{cost.cpu / cost.exact:.2f}",
        ]
        for cost in costs
    ]
    say(table(rows, head))
    say("difflib and cdist: a sample of 2 CPU s of the smallest load of each size, extrapolated")
    say("\ngrowth of CPU seconds as an exponent (1 = linear)")
    say(
        table(
            [[name, f"{value:.2f}"] for name, value in _growth(costs).items()], ("from ... to", "")
        )
    )
    if reading:
        say(
            f"\nreading a transcript of {reading.megabytes:.0f} MB: {reading.cpu:.2f} CPU s, "
            f"{reading.cpu / reading.json:.1f} times plain json ({reading.json:.2f} s), "
            f"peak {reading.peak:.0f} MB, {reading.edits:,} edits"
        )
