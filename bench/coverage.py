"""Which lines and branches of the product the tests take, by room."""

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from bench.console import run, say, table

TOP = Path(__file__).resolve().parent.parent
SLOWEST = 30
"""Number of slow tests to print."""
LEAST = 15
"""Number of modules to print that have the most branches no test takes."""
NOTHING_TO_REPORT = 2
"""Status of pytest from which on it ran no tests."""


class Summary(msgspec.Struct):
    """Counts of coverage.py, for one file."""

    num_statements: int
    covered_lines: int
    num_branches: int
    covered_branches: int

    def plus(self, other: "Summary") -> "Summary":
        """Return the sum of both."""
        return Summary(
            self.num_statements + other.num_statements,
            self.covered_lines + other.covered_lines,
            self.num_branches + other.num_branches,
            self.covered_branches + other.covered_branches,
        )


class File(msgspec.Struct):
    """One file of coverage.py's report."""

    summary: Summary


class Report(msgspec.Struct):
    """What we read of coverage.py's report."""

    files: dict[str, File]


def measure(arguments: Sequence[str]) -> int:
    """Run the tests with pytest's arguments, print what they cover, and return pytest's status."""
    command = ["-m", "pytest", "--cov", "--cov-report=", f"--durations={SLOWEST}", *arguments]
    done = subprocess.run([sys.executable, *command], cwd=TOP, check=False)  # noqa: S603 - ours
    if done.returncode < NOTHING_TO_REPORT:
        files = {name: file.summary for name, file in _report().files.items()}
        _print(files)
    return done.returncode


def _report() -> Report:
    with tempfile.TemporaryDirectory(prefix="ghapp-coverage-") as folder:
        path = Path(folder) / "report.json"
        run([sys.executable, "-m", "coverage", "json", "--quiet", "-o", str(path)], cwd=TOP)
        return msgspec.json.decode(path.read_bytes(), type=Report)


def _print(files: Mapping[str, Summary]) -> None:
    rooms: dict[str, list[Summary]] = {}
    for name, summary in files.items():
        rooms.setdefault(room_of(name), []).append(summary)
    rows = [_row(room, rooms[room]) for room in sorted(rooms)]
    head = ("files", "lines", "missed", "taken %", "branches", "missed", "taken %")
    say("\nLines and branches that the tests take, by room:\n")
    say(table([*rows, _row("all", files.values())], ("room", *head)))
    missed = {name: one.num_branches - one.covered_branches for name, one in files.items()}
    least = sorted(missed, key=lambda name: (-missed[name], name))[:LEAST]
    say("\nModules with the most branches that no test takes:\n")
    say(table([_row(name, [files[name]]) for name in least if missed[name]], ("module", *head)))
    say("\nFor each line of code: .venv/bin/coverage html, or .venv/bin/coverage report -m")


def room_of(name: str) -> str:
    """Return the room of a file: its folder below ``ghapp``, without deeper folders."""
    folders = name.split("/")[:-1]
    return "/".join(folders[:2])


def _row(name: str, summaries: Iterable[Summary]) -> tuple[object, ...]:
    found = list(summaries)
    total = Summary(0, 0, 0, 0)
    for one in found:
        total = total.plus(one)
    return (
        name,
        len(found),
        total.num_statements,
        total.num_statements - total.covered_lines,
        _percent(total.covered_lines, total.num_statements),
        total.num_branches,
        total.num_branches - total.covered_branches,
        _percent(total.covered_branches, total.num_branches),
    )


def _percent(part: int, whole: int) -> str | None:
    """Return a share in percent, cut and not rounded: 100 means all."""
    return f"{int(1000 * part / whole) / 10:.1f}" if whole else None
