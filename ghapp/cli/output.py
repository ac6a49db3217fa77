"""Where the output of a command goes: a terminal, a file, or standard output. It makes none.

rich is imported only when a table or a bar is shown.
"""

import io
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:  # see the top
    from rich.console import Console

ShowProgress = Callable[[int, int | None], None]
"""Takes how many pull requests are done, and of how many; ``None``: not known yet."""

output_option = click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write to FILE instead of standard output.",
)


def write_out(parts: Iterable[bytes], output: Path | None) -> None:
    """Write to ``--output``, or to standard output. Raises `click.UsageError`."""
    if output is None:
        sys.stdout.buffer.writelines(parts)
        sys.stdout.buffer.flush()
        return
    try:
        with output.open("wb") as file:
            file.writelines(parts)
    except OSError as error:
        raise click.UsageError(f"--output {output}: {error.strerror}") from error


def show(render: "Callable[[Console], None]", width: int) -> None:
    """Render to standard output: a terminal gets color and its own width."""
    from rich.console import Console  # noqa: PLC0415 - see the top

    console = Console()
    render(console if console.is_terminal else Console(width=width))


def plain_text(render: "Callable[[Console], None]", width: int) -> bytes:
    """Return what `show` writes, without color."""
    from rich.console import Console  # noqa: PLC0415 - see the top

    page = io.StringIO()
    render(Console(file=page, width=width, color_system=None))
    return page.getvalue().encode()


@contextmanager
def progress_bar(first: str = "pull requests") -> Iterator[ShowProgress]:
    """Lend what shows progress: a bar on a terminal, nothing elsewhere.

    The bar says ``first`` until the first pull request is done.
    """
    from rich import progress  # noqa: PLC0415 - see the top
    from rich.console import Console  # noqa: PLC0415 - see the top

    console = Console(stderr=True)
    columns = (
        *(progress.TextColumn("{task.description}"), progress.BarColumn()),
        *(progress.MofNCompleteColumn(), progress.TextColumn("{task.fields[rate]}")),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(
        *columns, console=console, disable=not console.is_terminal, transient=True
    ) as bar:
        task = bar.add_task(first, total=None, rate="")
        rate = _rate()

        def show_done(done: int, total: int | None) -> None:
            bar.update(
                task, description="pull requests", total=total, completed=done, rate=rate(done)
            )

        yield show_done


def _rate() -> Callable[[int], str]:
    """Return what says how many are done in a second, counted from its first call."""
    begun: list[tuple[float, int]] = []

    def rate(done: int) -> str:
        begun.append((time.monotonic(), done))
        seconds, count = begun[-1][0] - begun[0][0], done - begun[0][1]
        del begun[1:]
        return f"{count / seconds:.0f}/s" if seconds >= 1 else ""

    return rate
