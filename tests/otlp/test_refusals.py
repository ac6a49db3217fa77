"""What is refused is told in one sentence."""

import re

from ghapp.otlp.refusals import WORDS, RefusalReason, Refusals, sentence
from tests.cases import TOP


def test_every_reason_has_words() -> None:
    assert WORDS.keys() == set(RefusalReason)
    assert len(set(WORDS.values())) == len(RefusalReason)


def test_nothing_refused_says_nothing() -> None:
    assert sentence(Refusals(), "data points") == ""
    assert sentence(Refusals({RefusalReason.NEGATIVE: 0}), "data points") == ""


def test_reasons_are_counted() -> None:
    refused = Refusals({RefusalReason.NEGATIVE: 2, RefusalReason.WRONG_TIME: 1})
    said = sentence(refused, "log records")
    assert said.startswith("3 log records were refused: 2 negative; 1 before 2024")
    assert said.endswith("The rest was kept.")


def test_the_page_has_the_same_reasons() -> None:
    page = (TOP / "docs" / "telemetry.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|$", page, re.MULTILINE)
    assert rows == [(why.value, words) for why, words in WORDS.items()]
