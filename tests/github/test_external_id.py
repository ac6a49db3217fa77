"""External ids of check runs: written and read back, and what is not ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.github.external_id import ExternalId
from tests.searching import searched


@searched(25)
@given(
    st.integers(1, 10**18),
    st.integers(1, 10**9),
    st.text("0123456789abcdef", min_size=40, max_size=40),
)
def test_what_is_written_is_read_back(repository_id: int, number: int, sha: str) -> None:
    external_id = ExternalId(repository_id, number, sha)
    assert ExternalId.from_text(external_id.text) == external_id


@pytest.mark.parametrize("text", [None, "", "1:2", "1:2:xyz", "a:2:" + "0" * 40, "1:2:" + "0" * 41])
def test_others_are_not_ours(text: str | None) -> None:
    assert ExternalId.from_text(text) is None
