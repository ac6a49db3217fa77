"""A check run names its record, and what names none is not mistaken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.reports.markdown import CheckOutput
from ghapp.reports.record_line import NamedRecord, record_in, with_record

CHAIN = "sha256:" + "5b" * 32


@given(st.integers(1, 10**18 - 1), st.binary(min_size=32, max_size=32), st.text())
def test_what_was_written_is_read_back(position: int, digest: bytes, text: str) -> None:
    named = NamedRecord(position, f"sha256:{digest.hex()}")
    check = with_record(CheckOutput(title="t", summary="s", text=text), named)
    assert record_in(check.text) == named
    assert check.text.endswith(text)


@pytest.mark.parametrize(
    "text", ["", "x", f"x Record 1 of this repository, chain `{CHAIN}`", "Record"]
)
def test_other_texts_name_no_record(text: str) -> None:
    assert record_in(text) is None
