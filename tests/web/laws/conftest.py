"""The laws ask every route many times in a minute, so no limit may stop them."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def _without_limit(without_limits: None) -> None:
    """Lift the limits for every law."""
    del without_limits
