"""Whether the tests notice a changed line: mutants of three rooms, drawn by a seed."""

import ast
import difflib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import NamedTuple

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

from bench.console import ratio, say, table
from tests.databases import postgresql_server

TOP = Path(__file__).resolve().parent.parent
INTERRUPTED = 130

SECONDS = (10, 4)
"""CPU seconds that a run may take: so many, and so many times those of the unmutated run."""
WALL_SECONDS = (60, 10)
"""The same for the clock on the wall, wide, because others may use the machine."""
MOST_MEMORY = 4 * 1024**3
NOT_COPIED = (
    *(".git", ".venv*", ".data", ".coverage.d", ".hypothesis", ".*_cache", "__pycache__"),
    *("build", "dist", "htmlcov", "node_modules"),
)
SAME = re.compile(r"_(Is|IsNot)_(Eq|NotEq)$|_(Eq|NotEq)_(Is|IsNot)$")
"""Operators that change nothing but how it is said: our enums and ``None`` are single objects."""
WITHOUT_RESULT = frozenset({"frozen", "gc", "slots"})
"""Arguments of our classes that save memory or stop a programmer, and change no result."""
_KILLER = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


ROOMS = ("attribution", "publishers", "jobs")
ON_POSTGRESQL = frozenset({"jobs"})
"""Rooms whose tests need a server; one serves all runs."""


class Options(NamedTuple):
    """What to mutate."""

    rooms: tuple[str, ...]
    sample: int
    seed: int
    at: tuple[str, ...]
    """Lines as FILE:LINE; every mutant of theirs, instead of a sample."""
    as_json: bool


Position = tuple[int, int]
"""Line and column."""


class Place(NamedTuple):
    """A place in a file that operators can mutate."""

    room: str
    path: str
    start: Position

    def __str__(self) -> str:
        return f"{self.path}:{self.start[0]}"


class Change(NamedTuple):
    """One mutation of a place: an operator, and which of its occurrences in the file."""

    operator: str
    occurrence: int


class Mutant(NamedTuple):
    """A file before and after a mutation."""

    place: Place
    operator: str
    source: str
    mutated: str


class Ending(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"


@dataclass(frozen=True)
class Result:
    """A mutant, and whether the tests noticed it."""

    room: str
    place: str
    operator: str
    before: str
    after: str
    ending: Ending
    killer: str | None
    """The first test that failed, if it said so."""
    seconds: float


class Limits(NamedTuple):
    """What one run of a room's tests may take."""

    cpu: int
    wall: float


def measure(options: Options) -> int:
    """Mutate the rooms in a scratch copy, run their tests, and print which mutants survive."""
    places = _places(options.rooms)
    drawn = _drawn(places, options)
    results: list[Result] = []
    status = 0
    with _ended_by_signals(), ExitStack() as stack:
        try:
            folder = Path(stack.enter_context(_scratch()))
            workshop = Workshop(folder, _databases(stack, options.rooms))
            for number, mutant in enumerate(drawn, 1):
                result = workshop.result(mutant)
                results.append(result)
                by = f" by {result.killer}" if result.killer else ""
                _progress(f"{number}/{len(drawn)} {result.place} {result.ending}{by}")
        except KeyboardInterrupt:
            _progress(f"interrupted after {len(results)} of {len(drawn)}")
            status = INTERRUPTED
    if options.as_json:
        say(json.dumps([vars(result) for result in results]))
    else:
        _print(results, len(places), options)
    return status


# --- what can be mutated --------------------------------------------------------------------------


def _places(rooms: Iterable[str]) -> dict[Place, list[Change]]:
    """Return the mutations of every place of the rooms, except in annotations."""
    found: dict[Place, list[Change]] = {}
    for room in rooms:
        for path in sorted((TOP / "ghapp" / room).rglob("*.py")):
            name = path.relative_to(TOP).as_posix()
            for start, change in _changes(path.read_text("utf-8")):
                found.setdefault(Place(room, name, start), []).append(change)
    return found


def _changes(source: str) -> Iterator[tuple[Position, Change]]:
    nodes = list(ast_nodes(get_ast(source)))
    untouched = _untouched(source)
    for name in operator_names():
        operator = get_operator(name)
        if operator.arguments() or SAME.search(name):
            continue
        positions = (one for node in nodes for one in operator().mutation_positions(node))
        for occurrence, (start, _) in enumerate(positions):
            if not any(first <= start < last for first, last in untouched):
                yield start, Change(name, occurrence)


def _untouched(source: str) -> list[tuple[Position, Position]]:
    """Return where types are, which fail at their import, and what changes no result."""
    found: list[ast.expr] = []
    for node in ast.walk(ast.parse(source)):
        found += filter(None, (getattr(node, "annotation", None), getattr(node, "returns", None)))
        if isinstance(node, ast.keyword) and node.arg in WITHOUT_RESULT:
            found.append(node.value)
    return [
        ((one.lineno, one.col_offset), (one.end_lineno or one.lineno, one.end_col_offset or 0))
        for one in found
    ]


def _drawn(places: Mapping[Place, Sequence[Change]], options: Options) -> list[Mutant]:
    """Draw places, each as likely as another, and a mutation of each."""
    if options.at:
        lines = [place for place in places if str(place) in options.at]
        every = ((place, change) for place in lines for change in places[place])
        return [mutant for one in every if (mutant := _mutant(*one))]
    random = Random(options.seed)  # noqa: S311 - a sample, no secret
    found: list[Mutant] = []
    for place in random.sample(sorted(places), len(places)):
        mutant = _mutant(place, random.choice(places[place]))
        if mutant and len(found) < options.sample:
            found.append(mutant)
    return sorted(found)


def _mutant(place: Place, change: Change) -> Mutant | None:
    """Return a mutated file, ``None`` if it is no Python: an operator may meet a bare star."""
    source = (TOP / place.path).read_text("utf-8")
    mutated = mutate_code(source, get_operator(change.operator)(), change.occurrence)
    try:
        compile(mutated, place.path, "exec")
    except SyntaxError:
        return None
    return Mutant(place, change.operator.partition("/")[2], source, mutated)


# --- tests of a mutant ----------------------------------------------------------------------------


class Workshop:
    """A scratch copy of the checkout, whose tests run with one mutated line at a time."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._copy = folder / "copy"
        self._temporary = folder / "tmp"
        self._limits: dict[str, Limits] = {}
        # The environment's own path file names the checkout, so the copy has to come before it.
        self._environment = {
            **os.environ,
            **environment,
            "PYTHONPATH": str(self._copy),
            "TMPDIR": str(self._temporary),
        }
        self._environment.pop("PYTHONSAFEPATH", None)
        shutil.copytree(TOP, self._copy, ignore=shutil.ignore_patterns(*NOT_COPIED))

    def result(self, mutant: Mutant) -> Result:
        """Run the tests of the mutant's room with it."""
        room = mutant.place.room
        limits = self._limits.get(room) or self._unmutated(room)
        path = self._copy / mutant.place.path
        started = time.monotonic()
        path.write_text(mutant.mutated, "utf-8")
        # Python compares times in seconds: it would take the old bytecode for that of a file of
        # the same size that was changed within the same second.
        for stale in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
            stale.unlink()
        try:
            ending, said = self._run(room, limits, PYTHONDONTWRITEBYTECODE="1")
        finally:
            path.write_text(mutant.source, "utf-8")
        killer = _KILLER.search(said) if ending is Ending.KILLED else None
        before, after = _differing(mutant.source, mutant.mutated)
        return Result(
            room,
            str(mutant.place),
            mutant.operator,
            before,
            after,
            ending,
            killer and killer[1],
            time.monotonic() - started,
        )

    def _unmutated(self, room: str) -> Limits:
        """Run the room's tests as they are, which writes the bytecode; return the limits."""
        _progress(f"{room}: the tests without a mutant")
        before, started = _cpu_of_children(), time.monotonic()
        ending, said = self._run(room, Limits(cpu=3600, wall=3600))
        if ending is not Ending.SURVIVED:
            sys.exit(f"the tests of {room} fail without a mutant:\n{said[-5000:]}")
        cpu, wall = _cpu_of_children() - before, time.monotonic() - started
        _progress(f"{room}: {cpu:.0f} CPU seconds")
        self._limits[room] = Limits(
            cpu=int(SECONDS[0] + SECONDS[1] * cpu), wall=WALL_SECONDS[0] + WALL_SECONDS[1] * wall
        )
        return self._limits[room]

    def _run(self, room: str, limits: Limits, **environment: str) -> tuple[Ending, str]:
        self._temporary.mkdir(exist_ok=True)
        command = ["-m", "pytest", "-x", "--tb=line", "-p", "no:cacheprovider"]
        # A failure is enough: to look for the smallest example would take minutes.
        command += ["--hypothesis-profile=unshrunk", f"tests/{room}"]

        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu, limits.cpu + 5))
            resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

        process = subprocess.Popen(  # noqa: S603 - this interpreter, no shell
            [sys.executable, *command],
            cwd=self._copy,
            env={**self._environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=limit,  # noqa: PLW1509 - this process has one thread
        )
        try:
            said, _ = process.communicate(timeout=limits.wall)
        except subprocess.TimeoutExpired:
            return Ending.TIMED_OUT, ""
        finally:
            _end(process)
            shutil.rmtree(self._temporary, ignore_errors=True)
        if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            return Ending.TIMED_OUT, ""
        ending = Ending.KILLED if process.returncode else Ending.SURVIVED
        return ending, said.decode(errors="replace")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a run with all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _differing(source: str, mutated: str) -> tuple[str, str]:
    """Return the line that differs, before and after; one of them may be missing."""
    both = difflib.unified_diff(source.splitlines(), mutated.splitlines(), lineterm="", n=0)
    lines = list(both)[2:]
    before, after = (next((one[1:] for one in lines if one[0] == sign), "") for sign in "-+")
    return before, after


@contextmanager
def _scratch() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="ghapp-mutants-", ignore_cleanup_errors=True) as name:
        yield name


def _databases(stack: ExitStack, rooms: Iterable[str]) -> dict[str, str]:
    """Start one PostgreSQL server for all runs, if a room needs it."""
    if "DATABASE_URL_TEST_POSTGRES" in os.environ or ON_POSTGRESQL.isdisjoint(rooms):
        return {}
    return {"DATABASE_URL_TEST_POSTGRES": stack.enter_context(postgresql_server())}


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Take SIGTERM for Ctrl-C, so that both leave nothing behind and print what there is."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {
        number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# --- what is printed ------------------------------------------------------------------------------


def _progress(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _print(results: Sequence[Result], places: int, options: Options) -> None:
    drawn = "all of " + ", ".join(options.at) if options.at else f"seed {options.seed}"
    say(f"{len(results)} mutants, {drawn}, of {places} places in {', '.join(options.rooms)}:\n")
    rooms = [room for room in options.rooms if any(one.room == room for one in results)]
    rows = [_row(f"ghapp/{room}", [one for one in results if one.room == room]) for room in rooms]
    say(table([*rows, _row("all", results)], ("room", "mutants", *Ending, "noticed")))
    survived = [one for one in results if one.ending is Ending.SURVIVED]
    if survived:
        say("\nSurvived:")
    for one in survived:
        say(f"\n  {one.place}  {one.operator}")
        say(f"    - {one.before.strip()}\n    + {one.after.strip()}")


def _row(name: str, results: Sequence[Result]) -> tuple[object, ...]:
    counts = Counter(one.ending for one in results)
    noticed = ratio(len(results) - counts[Ending.SURVIVED], len(results))
    return (name, len(results), *(counts[one] for one in Ending), noticed)
