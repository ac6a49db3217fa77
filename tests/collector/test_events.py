"""Reads Claude Code's hook events as edits; the cases are in fixtures/collector."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.collector.events import EventError, to_edits, to_event
from tests.cases import cases, names
from tests.collector.renew import as_text, read_case

CASES = cases("collector")


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_an_event_is_read_as_expected(case: Path) -> None:
    assert as_text(read_case(case)) == (case / "expected.json").read_text("utf-8")


@given(line=st.binary())
def test_a_line_that_is_none_is_refused(line: bytes) -> None:
    with pytest.raises(EventError):
        list(to_edits(to_event(line)))


@given(time=st.integers(), text=st.binary(max_size=40))
def test_whatever_follows_a_time_is_refused_or_brings_nothing(time: int, text: bytes) -> None:
    with contextlib.suppress(EventError):
        assert list(to_edits(to_event(b"%d " % time + text))) == []
