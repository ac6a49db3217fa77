"""Ids that identify something, and those that were blanked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.evidence.ids import _BLANKED, known_id, made_id
from tests.searching import searched


@pytest.mark.parametrize("id_", ["call_1", "toolu_01Ab", "0", "7", "日本", "xy", "a-b"])
def test_an_id_is_taken_as_it_is(id_: str) -> None:
    assert known_id(id_) == id_


@pytest.mark.parametrize(
    "id_",
    [
        *("", " ", "REDACTED", "call_REDACTED", "<redacted>", "***", "toolu_***", "xxxx", "..."),
        *("00000000-0000-0000-0000-000000000000", None, 7, {}, []),
    ],
)
def test_a_blanked_id_identifies_nothing(id_: object) -> None:
    assert known_id(id_) is None


@searched(400)
@given(st.text("xXa0-_* redacted", max_size=12) | st.text(max_size=8))
def test_an_id_is_blanked_as_the_expression_says(id_: str) -> None:
    assert (known_id(id_) is None) == bool(_BLANKED.fullmatch(id_))


def test_an_id_is_made_of_what_an_edit_is() -> None:
    assert made_id("codex", "s", 1) == made_id("codex", "s", "1") != made_id("codex", "s1")
    assert made_id("codex", "s").startswith("codex_")
