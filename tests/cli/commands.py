"""Runs ``ghapp`` as a shell does: a process of its own, with its own streams."""

import os
import subprocess
import sys
from pathlib import Path

from tests.cases import TOP

GHAPP = [sys.executable, "-m", "ghapp"]


def environment(**more: str) -> dict[str, str]:
    """Return an environment without what a developer's terminal may add to it."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONPATH": str(TOP), "LC_ALL": "C.UTF-8", **more}


def ghapp(
    *arguments: str | Path, stdin: bytes = b"", cwd: Path | None = None, **env: str
) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end."""
    return subprocess.run(
        [*GHAPP, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env=environment(**env),
        timeout=60,
        check=False,
    )
