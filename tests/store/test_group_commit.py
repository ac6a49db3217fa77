"""Calls of many threads in batches: each gets its own answer, and nobody another's error."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.store.group_commit import MOST_AT_ONCE, GroupCommit
from tests.searching import searched
from tests.waiting import wait_until

PATIENCE = 60
"""Seconds that another thread may take on a machine with much else to do."""


class Away(Exception):  # noqa: N818 - a state, as in the store
    """An error that is everybody's."""


class Doing:
    """Doubles numbers; notes the batches; can be held up while the first one is done."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        """Carry out a batch."""
        self.batches.append(list(numbers))
        assert self.go_on.wait(PATIENCE)
        if any(number < -100 for number in numbers):
            raise Away("away")
        if any(number < 0 for number in numbers):
            raise ValueError("negative")
        return [2 * number for number in numbers]


def call_at_once(together: GroupCommit[int, int], doing: Doing, numbers: list[int]) -> list[object]:
    """Let all but the first call wait until the first is done; return answers and errors."""

    def call(number: int) -> object:
        try:
            return together(number)
        except (ValueError, Away) as error:
            return type(error)

    doing.go_on.clear()
    with ThreadPoolExecutor(max(1, len(numbers))) as threads:
        pending = [threads.submit(call, numbers[0])]
        wait_until(lambda: len(doing.batches) == 1, "the first", every=0.001)
        pending += [threads.submit(call, number) for number in numbers[1:]]
        wait_until(lambda: len(together._waiting) == len(numbers) - 1, "the rest", every=0.001)
        doing.go_on.set()
        return [one.result(PATIENCE) for one in pending]


def test_one_call_is_carried_out_at_once() -> None:
    doing = Doing()
    assert GroupCommit(doing, for_all=Away)(21) == 42
    assert doing.batches == [[21]]


def test_calls_that_come_meanwhile_are_carried_out_as_one() -> None:
    doing = Doing()
    together = GroupCommit(doing, for_all=Away)
    assert call_at_once(together, doing, [*range(10)]) == [2 * number for number in range(10)]
    assert [len(batch) for batch in doing.batches] == [1, 9]


def test_a_batch_has_an_end() -> None:
    doing = Doing()
    together = GroupCommit(doing, for_all=Away)
    numbers = [*range(MOST_AT_ONCE + 50)]
    assert call_at_once(together, doing, numbers) == [2 * number for number in numbers]
    assert [len(batch) for batch in doing.batches] == [1, MOST_AT_ONCE, 49]


@searched(25)
@given(st.lists(st.sampled_from([1, 2, 3, -1, -2, -200]), min_size=1, max_size=8))
def test_everybody_gets_his_own_answer(numbers: list[int]) -> None:
    doing = Doing()
    answers = call_at_once(GroupCommit(doing, for_all=Away), doing, numbers)
    is_away = -200 in numbers[1:]
    for place, (number, answer) in enumerate(zip(numbers, answers, strict=True)):
        alone = Away if number == -200 else ValueError if number < 0 else 2 * number
        assert answer == (Away if place and is_away else alone)


def test_a_thread_that_is_ended_takes_nobody_along() -> None:
    def end(numbers: Sequence[int]) -> list[int]:
        if numbers == [0]:
            raise SystemExit
        return [2 * number for number in numbers]

    together = GroupCommit(end, for_all=Away)
    with pytest.raises(SystemExit):
        together(0)
    assert together(4) == 8
