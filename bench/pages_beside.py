"""How much CPU pages cost beside another commit's, in turns, in the same run.

Each side is a process with its own checkout, and has a database of its own that its own commit
made, from the same options. `bench.pages_child` is what runs there.
"""

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import pages
from bench.console import say, table

TOP = Path(__file__).resolve().parent.parent
CHILD = TOP / "bench" / "pages_child.py"
MARK = "answer: "
COMPARED = {
    name: pages.PAGES[name]
    for name in (
        "organization, twelve months",
        "organization, 90 days by day",
        "organization, all 500 repositories",
        "repository, the largest",
    )
}
"""Pages that both commits have, by address."""


@dataclass(frozen=True)
class PageBeside:
    """One page: milliseconds of CPU, the least of all turns, and ours as a share of theirs."""

    database: str
    page: str
    theirs: float
    ours: float
    ratio: float


def measure(options: pages.Options, commit: str, rounds: int) -> int:
    """Compare this checkout's pages with a commit's, print; return the exit status."""
    found: list[PageBeside] = []
    with ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        checkout = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        _unpack(commit, checkout)
        trees = {"theirs": checkout, "ours": TOP}
        for kind in options.databases:
            with ExitStack() as both:
                sides = {
                    name: both.enter_context(_side(tree, kind, options, folder / name))
                    for name, tree in trees.items()
                }
                found += _in_turns(kind, sides, rounds)
    if options.as_json:
        say(json.dumps([asdict(one) for one in found], indent=2))
    else:
        say(table((tuple(asdict(one).values()) for one in found), list(asdict(found[0]))))
    return 0


def _unpack(commit: str, folder: Path) -> None:
    command = ["git", "-C", str(TOP), "archive", "--end-of-options", commit]
    packed = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - no shell
    if packed.returncode:
        raise SystemExit(
            f"no commit {commit} here: {packed.stderr.decode().strip()}; a clone needs its history"
        )
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")


def _in_turns(kind: str, sides: Mapping[str, "_Side"], rounds: int) -> Iterator[PageBeside]:
    for page, path in COMPARED.items():
        turns = [{name: one.ask(path) for name, one in sides.items()} for _ in range(rounds)]
        theirs, ours = (min(turn[name] for turn in turns) for name in ("theirs", "ours"))
        yield PageBeside(kind, page, round(theirs), round(ours), round(ours / theirs, 2))


class _Side:
    """A process that asks one checkout's pages."""

    def __init__(self, process: "subprocess.Popen[str]", checkout: Path) -> None:
        self._process = process
        self._checkout = checkout

    def ask(self, path: str) -> float:
        """Return milliseconds of CPU of a request, the database's with them."""
        given = self._process.stdin
        if given is not None:
            given.write(f"{path}\n")
            given.flush()
        return sum(self.read().values())

    def read(self) -> dict[str, float]:
        """Return the next answer."""
        for line in self._process.stdout or ():
            if line.startswith(MARK):
                found: dict[str, float] = json.loads(line.removeprefix(MARK))
                return found
        raise SystemExit(f"the pages of {self._checkout} ended; what they said is above")


@contextmanager
def _side(checkout: Path, kind: str, options: pages.Options, folder: Path) -> Iterator[_Side]:
    folder.mkdir(parents=True, exist_ok=True)
    given = (kind, str(options.audits), str(options.seed), str(folder.resolve()))
    # -P: the child is a script of this checkout, and imports from the one that is measured.
    process = subprocess.Popen(  # noqa: S603 - this interpreter, no shell
        [sys.executable, "-P", str(CHILD), *given],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        side = _Side(process, checkout)
        side.read()
        yield side
    finally:
        if process.stdin is not None:
            process.stdin.close()
        process.wait(timeout=60)
