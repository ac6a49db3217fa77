"""Runs the calls of many threads together, one batch at a time. It knows no database."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Given = TypeVar("Given")
Got = TypeVar("Got")

MOST_AT_ONCE = 200
"""Calls in one batch: the last of them waits for all others."""


class _Call(Generic[Given, Got]):
    """One thread's call and its result."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.answers: list[Got] = []
        self.error: Exception | None = None
        self.is_over = False
        self.turn = threading.Event()
        """Set when the call is over, or when its thread has to run the next batch."""

    def answer(self) -> Got:
        """Return the answer, or raise the error."""
        if self.error is not None:
            raise self.error
        if not self.answers:
            raise RuntimeError("the thread that ran this call was killed")
        return self.answers[0]


class GroupCommit(Generic[Given, Got]):
    """A function that takes many arguments at once, for threads that have one argument each.

    The first call runs at once. Calls that arrive meanwhile wait, and the first of them runs
    them all as one. So a disk that commits some hundred transactions a second commits thousands
    of calls.
    """

    def __init__(
        self, do: Callable[[Sequence[Given]], Sequence[Got]], *, for_all: type[Exception]
    ) -> None:
        """``do`` returns an answer for each argument, in order, or raises and has done nothing.

        An error of type ``for_all`` is raised for every call. After any other error each call
        runs alone, so that one bad argument fails only its own call.
        """
        self._do = do
        self._for_all = for_all
        self._lock = threading.Lock()
        self._waiting: list[_Call[Given, Got]] = []
        self._is_busy = False

    def __call__(self, given: Given) -> Got:
        """Return the answer for one argument; raise what ``do`` raised for it."""
        call: _Call[Given, Got] = _Call(given)
        with self._lock:
            self._waiting.append(call)
            leads = not self._is_busy
            self._is_busy = True
        if not leads:
            call.turn.wait()
        if not call.is_over:
            self._lead()
        return call.answer()

    def _lead(self) -> None:
        """Run the waiting calls, then let the first call that arrived meanwhile do the same."""
        with self._lock:
            batch = self._waiting[:MOST_AT_ONCE]
            del self._waiting[: len(batch)]
        try:
            self._run(batch)
        finally:
            with self._lock:
                following = self._waiting[:1]
                self._is_busy = bool(following)
            for call in batch:
                call.is_over = True
            for call in (*following, *batch):
                call.turn.set()

    def _run(self, batch: Sequence[_Call[Given, Got]]) -> None:
        try:
            answers = self._do([call.given for call in batch])
        except Exception as error:  # noqa: BLE001 - `answer` raises it in the thread of the call
            if len(batch) == 1 or isinstance(error, self._for_all):
                for call in batch:
                    call.error = error
            else:
                for call in batch:
                    self._run([call])
            return
        for call, answer in zip(batch, answers, strict=True):
            call.answers.append(answer)
