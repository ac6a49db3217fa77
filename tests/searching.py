"""How much a search tries: little in a plain run, sixteen times as much in the night."""

import os
from collections.abc import Sequence
from typing import TypeVar

from hypothesis import HealthCheck, settings

FACTOR = int(os.environ.get("GHAPP_EXAMPLES_FACTOR", "1"))
"""Factor on the number of examples; above 1, each run tries new ones."""


def searched(examples: int) -> settings:
    """Return the settings of a search: how many examples, the same ones in each plain run.

    A machine under load is no reason to fail.
    """
    return settings(
        max_examples=examples * FACTOR,
        derandomize=FACTOR == 1,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


Tried = TypeVar("Tried")


def sampled(tried: Sequence[Tried], of: int, turn: int) -> Sequence[Tried]:
    """Return one in ``of`` of what a law tries, in the night all of it.

    ``turn`` says which: who counts it up over what else the law goes through tries everything
    somewhere, also in a plain run.
    """
    return tried if FACTOR > 1 else tried[turn % of :: of]
