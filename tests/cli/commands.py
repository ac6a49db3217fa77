"""Runs ``ghapp`` to its end, in this process or, where the process is what is tested, in its own.

Starting Python and importing the program takes longer than most commands run.
"""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from ghapp.cli.main import main
from tests.cases import TOP

GHAPP = [sys.executable, "-m", "ghapp"]


def environment(**more: str) -> dict[str, str]:
    """Return an environment without what a developer's terminal may add to it."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONPATH": str(TOP), "LC_ALL": "C.UTF-8", "COLUMNS": "80", **more}


def ghapp(
    *arguments: str | Path, stdin: bytes = b"", cwd: Path | None = None, **env: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command in this process; what it does not handle itself is raised here.

    It sees the environment that `ghapp_process` gives, and nothing of this process's own.
    """
    given = map(str, arguments)
    hidden: dict[str, str | None] = dict.fromkeys(os.environ)
    before = signal.getsignal(signal.SIGTERM)
    try:
        with contextlib.chdir(cwd or Path.cwd()):
            done = CliRunner().invoke(
                main,
                list(given),
                input=stdin,
                env={**hidden, **environment(**env)},
                catch_exceptions=False,
                prog_name="ghapp",
            )
    finally:
        signal.signal(signal.SIGTERM, before)
    return subprocess.CompletedProcess(
        [*arguments], done.exit_code, done.stdout_bytes, done.stderr_bytes
    )


def ghapp_process(
    *arguments: str | Path, stdin: bytes = b"", cwd: Path | None = None, **env: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command as a shell does: a process of its own, with its own streams."""
    return subprocess.run(
        [*GHAPP, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env=environment(**env),
        timeout=120,
        check=False,
    )
