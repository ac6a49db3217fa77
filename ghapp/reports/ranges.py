"""A file's lines grouped into ranges for display. It writes no text."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import groupby

from ghapp.attribution.model import LineVerdict, Reason


def ranges(
    lines: Iterable[LineVerdict], key: Callable[[LineVerdict], Hashable]
) -> Iterator[list[LineVerdict]]:
    """Yield runs of consecutive line numbers whose lines share one key.

    A run includes trivial lines inside it (a blank line does not end a function); between two
    runs, trivial lines form their own run. The first line of a run has the run's key.
    """
    for _, run in groupby(enumerate(lines), key=lambda item: item[1].line - item[0]):
        yield from _alike([line for _, line in run], key)


def _alike(
    run: Sequence[LineVerdict], key: Callable[[LineVerdict], Hashable]
) -> Iterator[list[LineVerdict]]:
    current: list[LineVerdict] = []
    waiting: list[LineVerdict] = []
    for line in run:
        if line.reason == Reason.TRIVIAL_LINE:
            waiting.append(line)
            continue
        if current and key(line) == key(current[0]):
            current += [*waiting, line]
        else:
            yield from filter(None, (current, waiting))
            current = [line]
        waiting = []
    yield from filter(None, (current, waiting))
