"""Every reason has a sentence that fits a terminal row, and an anchor in the documentation."""

import re

import pytest

from ghapp.attribution.model import ATTRIBUTED, Reason
from ghapp.reports import words
from tests.cases import TOP

DOCS = (TOP / "docs" / "reasons.md").read_text(encoding="utf-8")


def test_every_reason_has_a_sentence() -> None:
    assert set(words.REASONS) == set(Reason)


def test_the_documentation_has_one_anchor_per_reason() -> None:
    assert re.findall(r"^### (\w+)$", DOCS, re.MULTILINE) == list(words.REASONS)


@pytest.mark.parametrize("reason", words.REASONS)
def test_the_documentation_says_the_same_sentence(reason: str) -> None:
    section = re.split(rf"^### {reason}$", DOCS, flags=re.MULTILINE)[1].split("\n### ")[0]
    assert section.strip().startswith(words.REASONS[reason])


@pytest.mark.parametrize("reason", words.REASONS)
def test_a_sentence_fits_its_row(reason: str) -> None:
    assert len(words.REASONS[reason]) <= 52


def test_groups() -> None:
    assert {reason for reason in Reason if words.group(reason) == "attributed"} == ATTRIBUTED
    assert words.group("no_match") == "not attributed"
    assert words.group("a_rule_of_their_own") == "not counted"


def test_listed_and_counted() -> None:
    assert words.listed([]) == ""
    assert words.listed(["a"]) == "a"
    assert words.listed(["a", "b", "c"]) == "a, b and c"
    assert (words.counted(1, "line"), words.counted(1200, "line")) == ("1 line", "1,200 lines")
