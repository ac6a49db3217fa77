"""Python's cycle collector, held while an audit builds its values. It frees nothing itself."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_held() -> Iterator[None]:
    """Hold the cycle collector: an audit makes no cycles, but a million small values.

    The collector would walk them again and again; held, a large audit takes about a fifth
    less time. What is no longer used is freed all the same, by reference count.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
