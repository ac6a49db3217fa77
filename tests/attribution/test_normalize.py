"""What is no difference between two lines, and which lines count."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.normalize import (
    QUOTES,
    is_effective,
    is_long,
    normalize,
    normalize_all,
    tokens,
)
from tests.searching import searched


@pytest.mark.parametrize("quote", QUOTES)
def test_every_quotation_mark_is_the_same(quote: str) -> None:
    assert normalize(f"say({quote}a{quote})") == "say('a')"


def test_forms_of_one_letter_are_the_same() -> None:
    assert normalize("cafe\u0301 = 1") == normalize("caf\u00e9 = 1")


LINES = st.lists(
    st.text(max_size=12)
    | st.text("aB \t\n\r\x0b\x0c\x1c\x1f\x85\xa0\"'`\u2019e\u0301", max_size=12),
    max_size=6,
)


@searched(400)
@given(LINES)
def test_many_lines_are_normalized_like_each_of_them(texts: list[str]) -> None:
    assert normalize_all(texts) == [normalize(text) for text in texts]


@searched(60)
@given(st.text(max_size=60))
def test_a_normalized_line_has_single_spaces_and_one_kind_of_quote(text: str) -> None:
    once = normalize(text)
    assert "  " not in once
    assert once == once.strip()
    assert not any(quote in once for quote in QUOTES if quote != "'")


@pytest.mark.parametrize(
    ("normalized", "counts"),
    [
        ("", False),
        ("end", False),
        ("else", True),
        ("});;", False),
        ("}; 1", True),
        ("\u4e2d\u6587\u5b57\u7b26", True),
        ("____", False),
    ],
)
def test_a_line_counts_from_four_characters_with_a_letter_or_digit(
    normalized: str,
    counts: bool,  # noqa: FBT001 (a column of the table)
) -> None:
    assert is_effective(normalized) is counts


def test_a_windows_line_end_makes_no_line_long() -> None:
    assert not is_long("x" * 1000 + "\r")
    assert is_long("x" * 1001)
    assert is_long("x" * 1000 + "\r\r")


@searched(60)
@given(st.text(max_size=60))
def test_tokens_lose_nothing(text: str) -> None:
    assert "".join(tokens(text)) == text
