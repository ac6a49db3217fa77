"""How a test waits for what another process or thread does; no test says how fast that is."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

START_SECONDS = 120.0
"""Seconds that anything may take on a machine whose cores are busy; nothing waits so long."""


def wait_until(
    ask: Callable[[], Found],
    what: str | Callable[[], str],
    seconds: float = START_SECONDS,
    every: float = 0.05,
) -> Found:
    """Return the first answer of ``ask`` that is not empty; fail after ``seconds``.

    ``what`` names what did not come, or is asked what to say then: a log, for example.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = ask()
        if found:
            return found
        if time.monotonic() >= deadline:
            said = what if isinstance(what, str) else what()
            raise AssertionError(f"not within {seconds:.0f} s: {said}")
        time.sleep(every)
