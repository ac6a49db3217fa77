"""Tasks in several processes: results in order, errors told, and nothing left running."""

import itertools
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator

import pytest

from ghapp.auditing.processes import AHEAD, ProcessFailedError, in_order


class Doubled:
    """Doubles a number; it fails, or ends its process, where it is told to."""

    def __init__(self, *, fails_at: int = -1, dies_at: int = -1, starts: bool = True) -> None:
        self.fails_at, self.dies_at, self.starts = fails_at, dies_at, starts

    def start(self) -> Callable[[int], tuple[int, int]]:
        """Return what doubles a number and says where."""
        if not self.starts:
            raise OSError("no evidence")
        return self._do

    def _do(self, number: int) -> tuple[int, int]:
        if number == self.fails_at:
            raise ValueError(f"{number} is odd")
        if number == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return number * 2, os.getpid()


def test_one_job_runs_here_and_raises_its_own_errors() -> None:
    assert list(in_order(Doubled(), range(3), jobs=1)) == [(2 * n, os.getpid()) for n in range(3)]
    with pytest.raises(ValueError, match="1 is odd"):
        list(in_order(Doubled(fails_at=1), range(3), jobs=1))


def test_more_jobs_keep_the_order_and_share_the_work() -> None:
    done = list(in_order(Doubled(), range(20), jobs=2))
    assert [number for number, _ in done] == [2 * number for number in range(20)]
    assert len({pid for _, pid in done} - {os.getpid()}) == 2


def test_few_tasks_are_taken_ahead_and_none_remain_where_nobody_waits() -> None:
    taken: list[int] = []

    def endless() -> Iterator[int]:
        for number in itertools.count():
            taken.append(number)
            yield number

    answers = in_order(Doubled(), endless(), jobs=2)
    assert next(answers)[0] == 0
    assert len(taken) == 2 * AHEAD
    assert len(multiprocessing.active_children()) == 2
    answers.close()  # type: ignore[attr-defined]
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(
    ("work", "told"),
    [
        (Doubled(fails_at=1), "ValueError: 1 is odd"),
        (Doubled(dies_at=1), "a process ended before its task was done"),
        (Doubled(starts=False), "OSError: no evidence"),
    ],
    ids=["raises", "is_killed", "cannot_start"],
)
def test_what_a_process_meets_is_told_here(work: Doubled, told: str) -> None:
    with pytest.raises(ProcessFailedError, match=told):
        list(in_order(work, range(4), jobs=2))
    assert multiprocessing.active_children() == []


def test_processes_leave_control_c_to_this_one() -> None:
    before = signal.getsignal(signal.SIGINT)
    answers = in_order(Doubled(), range(4), jobs=2)
    (_, pid) = next(answers)
    assert signal.getsignal(signal.SIGINT) is before
    os.kill(pid, signal.SIGINT)
    assert [number for number, _ in answers] == [2, 4, 6]
