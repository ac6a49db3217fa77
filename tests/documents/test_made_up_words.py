"""Words become made-up ones of the same form, and nothing of them is left."""

import re
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from ghapp.attribution.codebook import COMMON_WORDS, Codebook
from ghapp.documents.made_up_words import MadeUpWords, Vocabulary
from tests.searching import searched

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZéüßñÄЖжяאת東京名前の"


def is_uncommon(word: str) -> bool:
    """Say whether a word is neither common nor, as ``StructA``, made of common ones."""
    lower = word.lower()
    if word[1:] == lower[1:]:
        return lower not in COMMON_WORDS
    return not any(common in lower for common in COMMON_WORDS if len(common) > 1)


WORD = st.text(LETTERS, min_size=3, max_size=12).filter(is_uncommon)


def made_up(*texts: str, seed: int = 0) -> list[str]:
    words = MadeUpWords(Vocabulary(texts), Random(seed))  # noqa: S311 - words, not secrets
    return [words.text(text) for text in texts]


def one(text: str) -> str:
    return made_up(text)[0]


# --- what stays ---------------------------------------------------------------------------------


def test_common_words_signs_and_white_space_stay() -> None:
    text = "\tfor item in  items: return None  # !?"
    assert one(text) == text


def test_single_letters_and_digits_stay() -> None:
    assert one("x = y + 3") == "x = y + 3"


def test_the_form_of_a_word_stays() -> None:
    made = one("MonthlyTotal MAX_SIZE getUserName utf8 1024")
    assert re.fullmatch(
        r"[A-Z][a-z]{6}[A-Z][a-z]{4} [A-Z]{3}_[A-Z]{4} get[A-Z][a-z]{3}Name [a-z]{3}8 \d{4}", made
    )


@pytest.mark.parametrize("text", ["größer", "Привет", "東京都", "Ελλάδα", "שלום"])
def test_letters_of_a_script_stay_letters_of_it(text: str) -> None:
    made = one(text)
    assert len(made) == len(text)
    assert made != text
    for old, new in zip(text, made, strict=True):
        assert (old.isascii(), old.isupper(), ord(old) // 0x400) == (
            new.isascii(),
            new.isupper(),
            ord(new) // 0x400,
        )


# --- what is the same stays the same ------------------------------------------------------------


def test_a_word_becomes_the_same_word_everywhere() -> None:
    call, name, again = made_up("load_invoice(invoice)", "Invoice", "INVOICE = 'invoice'")
    assert call.partition("(")[0].endswith("_" + name.lower())
    assert call.endswith(f"({name.lower()})")
    assert again == f"{name.upper()} = '{name.lower()}'"


def test_letter_case_makes_no_difference() -> None:
    camel, flat, loud = made_up("monthlyTotals()", "monthlytotals()", "MONTHLYTOTALS()")
    assert camel.lower() == flat == loud.lower()


def test_composed_and_decomposed_letters_are_one() -> None:
    composed, decomposed = made_up("gr\u00fc\u00dfe", "gru\u0308\u00dfe")
    assert composed == decomposed


def test_a_number_becomes_the_same_number_everywhere() -> None:
    first, second, other = made_up("1024", "1024", "1025")
    assert first == second != other


@pytest.mark.parametrize(
    ("word", "other"),
    [("total", "totals"), ("shipping", "shipped"), ("user", "users"), ("2024", "2025")],
)
def test_words_that_are_close_stay_as_close(word: str, other: str) -> None:
    made, near = made_up(word, other)
    assert Levenshtein.distance(made, near) == Levenshtein.distance(word, other)


def test_other_chances_give_other_words_and_the_same_chance_the_same() -> None:
    assert made_up("invoice") == made_up("invoice")
    assert made_up("invoice", seed=1) != made_up("invoice")


def test_a_made_up_word_does_not_follow_from_its_word() -> None:
    assert made_up("invoice tenant") == made_up("ledgers window")


# --- what is gone -------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["a1B2c3D4", "sk_live_4eC39HqLyjWDarjtT1zdp7dc", "0xDEADBEEF"])
def test_a_key_is_replaced_to_its_last_character(key: str) -> None:
    made = one(key)
    same = [old for old, new in zip(key, made, strict=True) if old == new and old != "_"]
    assert len(same) <= len(key) // 3
    parts = re.findall(r"[A-Za-z0-9]{2,}", key)
    assert not [part for part in parts if part in made]


def test_nobody_gets_an_invisible_character() -> None:
    assert one("if x\x1b[2;\u202e: \x0c\tend\r") == "if x\ufffd[2;\ufffd:  \tend\r"


@searched(60)
@given(st.lists(WORD, min_size=1, max_size=12), st.integers(0, 3))
def test_no_word_is_left(words: Sequence[str], seed: int) -> None:
    texts = [" ".join(words), *words, "_".join(words), f"{words[0]}({words[-1]}={words[0]})"]
    made = made_up(*texts, seed=seed)
    left = set(re.findall(r"\w+", " ".join(made).lower()))
    assert not left & {word.lower() for word in words}


@searched(60)
@given(st.lists(st.lists(WORD, min_size=1, max_size=4), min_size=2, max_size=8))
def test_lines_have_the_same_length_and_weight_and_are_equal_where_they_were(
    lines: list[list[str]],
) -> None:
    texts = [" = ".join(words) for words in lines]
    made = made_up(*texts)
    before, after = Codebook(), Codebook()
    numbers = before.numbers(texts), after.numbers(made)
    for old, new in zip(*numbers, strict=True):
        assert before.length(old) == after.length(new)
        assert before.weight(old) == after.weight(new)
    assert _pattern(numbers[0]) == _pattern(numbers[1])


def _pattern(numbers: list[int]) -> list[int]:
    """Return for each number where it occurs first."""
    return [numbers.index(number) for number in numbers]


def test_a_hundred_numbers_of_two_digits_are_replaced_too() -> None:
    texts = [f"{number:02}" for number in range(100)]
    assert not [old for old, new in zip(texts, made_up(*texts), strict=True) if old == new]
