"""Prints, and runs other programs. It measures nothing."""

import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

LONGEST = 600
"""Longest run of a program, in seconds."""


class CommandFailedError(Exception):
    """Another program failed; the message holds its name and its output."""


def say(text: str = "") -> None:
    """Write one line to standard output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def table(rows: Iterable[Sequence[object]], head: Sequence[str]) -> str:
    """Return rows as aligned text; numbers to the right, the first column to the left."""
    cells = [list(head), *[[_cell(value) for value in row] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return "\n".join(_line(row, widths) for row in cells)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first = row[0].ljust(widths[0])
    rest = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
    return "  " + "  ".join([first, *rest]).rstrip()


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def ratio(part: int, whole: int) -> float | None:
    """Return part divided by whole; ``None`` if the whole is zero."""
    return part / whole if whole else None


def run(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    stdin: bytes | None = None,
    environment: Mapping[str, str] | None = None,
    accept: Sequence[int] = (0,),
) -> bytes:
    """Run a program and return what it wrote to standard output.

    Raises `CommandFailedError` where its exit status is not in ``accept``.
    """
    done = subprocess.run(  # noqa: S603 - the commands are our own or the caller's
        list(command),
        cwd=cwd,
        input=stdin,
        env=environment,
        capture_output=True,
        timeout=LONGEST,
        check=False,
    )
    if done.returncode not in accept:
        said = done.stderr.decode(errors="replace").strip()[-2000:]
        message = f"{' '.join(command)} ended with {done.returncode}: {said}"
        raise CommandFailedError(message)
    return done.stdout
