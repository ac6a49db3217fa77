"""How many examples a search draws: few in a plain run, sixteen times as many in the night."""

import os

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
