"""How many examples a search draws: few in a plain run, sixteen times as many in the night."""

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings

FACTOR = int(os.environ.get("GHAPP_EXAMPLES_FACTOR", "1"))
"""Factor on the number of examples; above 1, each run tries new ones."""


def searched(examples: int) -> Callable[[Any], Any]:
    """Return the settings of a search: the number of examples, the same ones in each plain run."""
    return settings(
        max_examples=examples * FACTOR,
        derandomize=FACTOR == 1,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
