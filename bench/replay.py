"""How fast, and in how much memory, a replay audits the pull requests of a generated clone."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from bench import agent
from bench.console import run, say, table
from bench.load import Source

ROOT = "/home/dev/acme/shop"
FIRST = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
MONTH = timedelta(days=30)
MEGABYTE = 1_000_000

LONGEST_FILE = 500
"""Files with more lines do not grow further."""

AGENTS = 0.6
"""Share of blocks that an agent wrote."""

DRAFTS = 4
"""Drafts for each merged edit of an agent: most work is written more than once."""

HOW = (("squash", 0.6), ("merge", 0.3), ("rebase", 0.1))


@dataclass(frozen=True)
class Options:
    """What to measure."""

    seed: int
    pulls: tuple[int, ...]
    jobs: int
    keep: Path | None
    as_json: bool


@dataclass(frozen=True)
class Cost:
    """Cost of one replay, including start and evidence."""

    pulls: int
    edits: int
    added: int
    seconds: float
    cpu: float
    each_second: float
    first: float
    """Peak megabytes of the writing process."""
    worker: float
    """Peak megabytes of the largest auditing process."""
    attributed: float
    """Share of the effective lines."""


def measure(options: Options) -> int:
    """Make clones, replay each by the command, print; return the exit status."""
    with tempfile.TemporaryDirectory(prefix="ghapp-bench-") as name:
        folder = options.keep or Path(name)
        costs = [_cost(options, pulls, folder / str(pulls)) for pulls in options.pulls]
    if options.as_json:
        say(json.dumps([asdict(cost) for cost in costs], indent=2))
    else:
        say(table((tuple(asdict(cost).values()) for cost in costs), list(asdict(costs[0]))))
    return 0


def _cost(options: Options, pulls: int, folder: Path) -> Cost:
    if not (folder / "made.json").exists():
        made = Made(Source(options.seed), Random(options.seed), folder)  # noqa: S311 - repeatable
        made.make(pulls)
    edits = json.loads((folder / "made.json").read_text())["edits"]
    output = folder / "replay.jsonl"
    output.unlink(missing_ok=True)
    begun, before = time.perf_counter(), _cpu()
    peaks = _replay(options, folder, output)
    seconds = time.perf_counter() - begun
    totals = [json.loads(line)["totals"] for line in output.read_bytes().splitlines()]
    effective = sum(one["effective"] for one in totals)
    return Cost(
        pulls=len(totals),
        edits=edits,
        added=sum(one["added"] for one in totals),
        seconds=round(seconds, 2),
        cpu=round(_cpu() - before, 2),
        each_second=round(len(totals) / seconds, 1),
        first=peaks[0],
        worker=peaks[1],
        attributed=sum(one["attributed"] for one in totals) / effective,
    )


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _replay(options: Options, folder: Path, output: Path) -> tuple[float, float]:
    """Run the command; return the megabytes of its process and of the largest it started."""
    program = (
        "import resource\n"
        "from bench.memory import peak\n"
        "from ghapp.cli.main import main\n"
        "if __name__ == '__main__':\n"
        "    try:\n        main()\n"
        "    finally:\n"
        "        print(peak())\n"
        "        print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    script = folder / "measured.py"
    script.write_text(program)
    arguments = ("--git", folder / "clone.git", "--evidence", folder / "evidence")
    more = ("--output", output, "--repository", "acme/shop", "--jobs", options.jobs)
    told = run(
        [sys.executable, str(script), "replay", *map(str, (*arguments, *more))],
        environment={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    first, worker = map(int, told.split())
    unit = 1 if sys.platform == "darwin" else 1024
    return round(first / MEGABYTE, 1), round(worker * unit / MEGABYTE, 1)


# --- a clone and a month of evidence -----------------------------------------------------------


class Made:
    """A bare clone with a month of merged pull requests, and the transcripts of that month."""

    def __init__(self, source: Source, rng: Random, folder: Path) -> None:
        self._source = source
        self._rng = rng
        self._folder = folder
        self._files: dict[str, list[str]] = {}
        self._changed: dict[str, int] = {}
        self._mark = 0
        self._main: list[int] = []
        self._edits = 0

    def make(self, pulls: int) -> None:
        """Write the clone and the transcripts, and their sizes."""
        clone = self._folder / "clone.git"
        clone.mkdir(parents=True)
        run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(clone)])
        with subprocess.Popen(  # noqa: S603 - our own command
            ["git", "--git-dir", str(clone), "fast-import", "--quiet"],  # noqa: S607 - from PATH
            stdin=subprocess.PIPE,
        ) as git:
            if git.stdin is None:
                raise RuntimeError("git has no standard input")
            for chunk in self._history(pulls):
                git.stdin.write(chunk)
        made = {"pulls": pulls, "edits": self._edits}
        (self._folder / "made.json").write_text(json.dumps(made))

    def _history(self, pulls: int) -> Iterator[bytes]:
        for number in range(60):
            self._files[f"src/part_{number // 10}/module_{number}.py"] = self._source.block()
        yield self._commit("refs/heads/main", "First", FIRST, dict(self._files), ())
        self._main.append(self._mark)
        for number in range(1, pulls + 1):
            yield from self._pull(number, FIRST + MONTH * number / pulls)

    def _pull(self, number: int, at: datetime) -> Iterator[bytes]:
        rng = self._rng
        how = rng.choices([name for name, _ in HOW], [share for _, share in HOW])[0]
        behind = rng.randint(0, 2) if how == "merge" else 0
        start = max(0, len(self._main) - 1 - behind)
        steps = [self._step(number, at, start) for _ in range(1 if how == "squash" else 2)]
        base, tip = self._main[start], self._main[-1]
        title = f"Change {number}"
        if how == "merge":
            branch = "refs/heads/work"
            for step in steps:
                yield self._commit(branch, title, at - timedelta(hours=1), step, (base,))
                base = self._mark
            merged = {path: lines for step in steps for path, lines in step.items()}
            title = f"Merge pull request #{number} from acme/work-{number}\n\n{title}"
            yield self._commit("refs/heads/main", title, at, merged, (tip, base))
        else:
            for step in steps:
                yield self._commit("refs/heads/main", f"{title} (#{number})", at, step, (tip,))
                tip = self._mark
        for step in steps:
            self._changed.update(dict.fromkeys(step, len(self._main)))
        self._main.append(self._mark)

    def _step(self, number: int, at: datetime, start: int) -> dict[str, list[str]]:
        """Return the files of one commit; the agents' part goes into a transcript."""
        rng = self._rng
        session = agent.AgentSession(f"{rng.getrandbits(64):016x}-0000-4000-8000", ROOT, rng)
        changed: dict[str, list[str]] = {}
        for _ in range(rng.choice((1, 1, 2, 2, 3, 4))):
            path = self._path(number, start)
            before = self._files.get(path, [])
            after = self._grown(before)
            changed[path] = self._files[path] = after
            if rng.random() < AGENTS:
                self._write_down(session, path, before, after, at)
        if session.calls:
            session.write(self._folder / "evidence")
        return changed

    def _path(self, number: int, start: int) -> str:
        """Return a file that nobody changed since a pull request began, or a new one."""
        rng = self._rng
        known = [path for path, lines in self._files.items() if len(lines) < LONGEST_FILE]
        path = rng.choice(known)
        if rng.random() < 0.1 or self._changed.get(path, 0) > start:
            return f"src/part_{number % 37}/module_{number}_{rng.randint(0, 99)}.py"
        return path

    def _grown(self, before: list[str]) -> list[str]:
        block = self._source.block()
        at = self._rng.randint(0, len(before))
        return [*before[:at], *block, "", *before[at:]]

    def _write_down(
        self,
        session: agent.AgentSession,
        path: str,
        before: list[str],
        after: list[str],
        at: datetime,
    ) -> None:
        """Add the edits of a change: drafts first, then what was merged."""
        rng = self._rng
        versions = [self._grown(before) for _ in range(rng.randint(0, 2 * DRAFTS))]
        for version in [*versions, after]:
            when = at - timedelta(hours=2, seconds=rng.randint(0, 200_000))
            given = agent.edit_strings(before, version, rng)
            absolute = f"{ROOT}/{path}"
            call = agent.Call(
                id=session.call_id(),
                tool="Edit",
                at=when,
                path=absolute,
                input={"file_path": absolute, "old_string": given[0], "new_string": given[1]},
                outcome="applied",
                result=agent.edit_result(absolute, before, version, given),
            )
            session.calls.append(call)
            self._edits += 1

    def _commit(
        self,
        ref: str,
        message: str,
        at: datetime,
        files: dict[str, list[str]],
        parents: tuple[int, ...],
    ) -> bytes:
        """Return one commit as input for git fast-import."""
        self._mark += 1
        text = message.encode()
        who = f"Dev <dev@example.org> {int(at.timestamp())} +0000"
        parts = [f"reset {ref}\n".encode()] if ref.endswith("work") else []
        parts += [
            f"commit {ref}\nmark :{self._mark}\nauthor {who}\ncommitter {who}\n".encode(),
            f"data {len(text)}\n".encode() + text + b"\n",
        ]
        words = ("from", *("merge",) * (len(parents) - 1))
        parts += [f"{word} :{one}\n".encode() for word, one in zip(words, parents, strict=False)]
        for path, lines in files.items():
            content = agent.text_of(lines).encode()
            parts.append(f"M 100644 inline {path}\ndata {len(content)}\n".encode() + content)
            parts.append(b"\n")
        return b"".join(parts)
