"""Calls of many threads are carried out together, a batch at a time. It knows no database."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Given = TypeVar("Given")
Got = TypeVar("Got")

MOST_AT_ONCE = 200
"""Calls in one batch: what comes last in it waits for all of them."""


class _Call(Generic[Given, Got]):
    """One thread's call, and what became of it."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.answers: list[Got] = []
        self.error: Exception | None = None
        self.is_over = False
        self.turn = threading.Event()
        """Set when the call is over, or when its thread has to carry out the next batch."""

    def answer(self) -> Got:
        """Return what was answered, or raise what went wrong."""
        if self.error is not None:
            raise self.error
        if not self.answers:
            raise RuntimeError("the thread that carried out this call was ended")
        return self.answers[0]


class GroupCommit(Generic[Given, Got]):
    """A function of many things at once, called by threads that have one each.

    The first call is carried out at once. Calls that come in meanwhile wait, and are then
    carried out as one by the first of them: so a disk that can keep only some hundred
    transactions a second keeps thousands of calls.
    """

    def __init__(
        self, do: Callable[[Sequence[Given]], Sequence[Got]], *, for_all: type[Exception]
    ) -> None:
        """``do`` answers everything that it is given, in order, or raises and has done nothing.

        An error of type ``for_all`` is every call's; after any other each is carried out alone,
        so that none suffers for another's fault.
        """
        self._do = do
        self._for_all = for_all
        self._lock = threading.Lock()
        self._waiting: list[_Call[Given, Got]] = []
        self._is_busy = False

    def __call__(self, given: Given) -> Got:
        """Return the answer to one thing; raises what ``do`` raised for it."""
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
        """Carry out what is waiting, then let the first that came meanwhile do the same."""
        with self._lock:
            batch = self._waiting[:MOST_AT_ONCE]
            del self._waiting[: len(batch)]
        try:
            self._carry_out(batch)
        finally:
            with self._lock:
                following = self._waiting[:1]
                self._is_busy = bool(following)
            for call in batch:
                call.is_over = True
            for call in (*following, *batch):
                call.turn.set()

    def _carry_out(self, batch: Sequence[_Call[Given, Got]]) -> None:
        try:
            answers = self._do([call.given for call in batch])
        except Exception as error:  # noqa: BLE001 - it is raised again, where the call was made
            if len(batch) == 1 or isinstance(error, self._for_all):
                for call in batch:
                    call.error = error
            else:
                for call in batch:
                    self._carry_out([call])
            return
        for call, answer in zip(batch, answers, strict=True):
            call.answers.append(answer)
