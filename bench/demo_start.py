"""How long after its start the demo answers with a page, beside `ghapp serve` in the same run."""

import contextlib
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.console import say
from ghapp.demo.app_process import app_running
from ghapp.demo.sandbox import Sandbox
from ghapp.demo.stage import set_stage

LARGEST = 2.0
"""How many times as long the demo may take."""
# "  start     http://127.0.0.1:41233/"
START = re.compile(r"^ +start +http://")


def measure(rounds: int) -> int:
    """Print the seconds of both, in turns, and the ratio of their sums; 1 if it is above 2."""
    serves, demos = list[float](), list[float]()
    for number in range(1, rounds + 1):
        serves.append(_serve())
        demos.append(_demo())
        say(f"round {number}: serve {serves[-1]:.1f} s, demo {demos[-1]:.1f} s")
    ratio = sum(demos) / sum(serves)
    say(f"the demo's first page comes after {ratio:.2f} times as long")
    return int(ratio > LARGEST)


def _serve() -> float:
    """Start the app with credentials and an empty directory, until it is ready."""
    with _directory() as directory, Sandbox(directory / "github") as sandbox:
        stage = set_stage(sandbox, [], directory, past=False)
        begun = time.monotonic()
        with app_running(stage.environment, stage.port, directory / "app.log", say):
            return time.monotonic() - begun


def _demo() -> float:
    """Start the demo as a person does, until it has an app that is ready."""
    command = [sys.executable, "-u", "-m", "ghapp", "demo"]
    begun = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        for line in process.stdout or ():
            if START.match(line):
                taken = time.monotonic() - begun
                process.send_signal(signal.SIGINT)
                return taken
    raise SystemExit("the demo ended before it had a page")


@contextlib.contextmanager
def _directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ghapp-bench-") as name:
        yield Path(name)
