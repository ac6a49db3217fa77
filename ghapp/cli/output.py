"""Where the output of a command goes: a terminal, a file, or standard output. It makes none.

rich is imported only when a table or a bar is shown.
"""

import io
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:  # see the top
    from rich.console import Console

FoundT = TypeVar("FoundT")

_QUIET = "ghapp.cli.output.quiet"

format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="text for people, json for programs: one object (docs/command-line.md).",
)
"""For each command that reads and shows: ``form`` is the format."""


json_option = click.option(
    "--format",
    type=click.Choice(["json"]),
    default="json",
    expose_value=False,
    help="Always json: what this shows is a JSON document.",
)
"""For a command that has no other form, so that a program may ask every command alike."""


def _remember_quiet(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's signature
    del param
    ctx.find_root().meta[_QUIET] = value


quiet_option = click.option(
    "--quiet",
    is_flag=True,
    expose_value=False,
    callback=_remember_quiet,
    help="Say nothing but what went wrong.",
)
"""For each command that makes something: `say` heeds it."""


def is_quiet() -> bool:
    """Say whether the running command was given ``--quiet``."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.find_root().meta.get(_QUIET))


def say(text: object, *, err: bool = False) -> None:
    """Print what was done, unless the command is to be quiet. Problems go to `click.echo`."""
    if not is_quiet():
        click.echo(text, err=err)


def print_json(members: dict[str, Any]) -> None:
    """Print one JSON object in one line: times as ISO 8601, unknown as null."""
    import msgspec  # noqa: PLC0415 - help and wrong use answer without it

    click.echo(msgspec.json.encode(members))


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


def show(render: "Callable[[Console], None]", width: int, *, working_at: str | None = None) -> None:
    """Render to standard output: a terminal gets color and its own width.

    ``working_at`` says what rendering has to do first, if that may take long.
    """
    from rich.console import Console  # noqa: PLC0415 - see the top

    console = Console()
    console = console if console.is_terminal else Console(width=width)
    if working_at is None:
        render(console)
        return
    with at_work(working_at), console.capture() as page:
        render(console)
    click.echo(page.get(), nl=False)


def plain_text(render: "Callable[[Console], None]", width: int) -> bytes:
    """Return what `show` writes, without color."""
    from rich.console import Console  # noqa: PLC0415 - see the top

    page = io.StringIO()
    render(Console(file=page, width=width, color_system=None))
    return page.getvalue().encode()


A_MOMENT = 0.5
"""Seconds after which a progress line is looked at again."""
PATIENCE = 2.0
"""Seconds after which a person at a terminal is told that the command is at work."""


class _Doing:
    """What a command does now, for whoever shows it."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.over = threading.Event()

    def tell(self, what: str) -> None:
        """Say that something else is done from now on."""
        self.what = what


@contextmanager
def at_work(what: str) -> Iterator[Callable[[str], None]]:
    """Show ``what`` and the seconds on standard error while the block runs longer than `PATIENCE`.

    The block gets what replaces ``what`` as it goes on. Only a terminal shows it. The block prints
    nothing: a line of text would mix with it.
    """
    doing = _Doing(what)
    if is_quiet() or not sys.stderr.isatty():
        yield doing.tell
        return
    watch = threading.Thread(target=_show_work, args=(doing,), daemon=True)
    watch.start()
    try:
        yield doing.tell
    finally:
        doing.over.set()
        watch.join()


def while_silent(what: str, found: Iterable[FoundT]) -> Iterator[FoundT]:
    """Yield what is found, for a caller that prints it, and show progress while nothing is shown.

    On a terminal that is until the first is there, elsewhere to the end.
    """
    if not sys.stdout.isatty():
        with at_work(what):
            yield from found
        return
    rest = iter(found)
    with at_work(what):
        first = list(islice(rest, 1))
    yield from first
    yield from rest


def _show_work(doing: _Doing) -> None:
    if doing.over.wait(PATIENCE):
        return
    from rich import progress  # noqa: PLC0415 - see the top
    from rich.console import Console  # noqa: PLC0415 - see the top

    columns = (
        *(progress.SpinnerColumn(), progress.TextColumn("{task.description}")),
        progress.TimeElapsedColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(doing.what, total=None)
        while not doing.over.wait(A_MOMENT):
            shown.update(task, description=doing.what)


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
        *columns,
        console=console,
        disable=is_quiet() or not console.is_terminal,
        transient=True,
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
