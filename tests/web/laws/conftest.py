"""The laws ask every route many times in a minute, so no limit may stop them."""

from collections.abc import Iterator

import pytest

from ghapp.web.limits import RATES, RateLimit, bearer


@pytest.fixture(scope="module", autouse=True)
def _without_limit() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RATES, "/api", RateLimit("1000000 per minute", bearer))
        yield
