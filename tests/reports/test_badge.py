"""The badge: what it says, and that its text is escaped."""

from xml.etree import ElementTree as ET

import pytest

from ghapp.reports.badge import badge, drawn
from ghapp.summaries.counts import PullCounts

KNOWN = PullCounts(
    pulls=4, assisted=2, known_effective=90, whole_effective=200, whole_attributed=61
)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (PullCounts(), "no audits yet"),
        (PullCounts(pulls=3, no_evidence=3, whole_effective=40), "no evidence"),
        (KNOWN, "at least 30%"),
    ],
)
def test_it_says_a_floor_and_unknown_is_not_zero(counts: PullCounts, said: str) -> None:
    picture = ET.fromstring(badge(counts))  # noqa: S314 - our own text
    assert picture.get("aria-label") == f"agent-assisted lines: {said}"


def test_what_it_is_given_stays_text() -> None:
    text = drawn("<script>", "a&b", "#000")
    assert "<script>" not in text
    assert ET.fromstring(text).get("aria-label") == "<script>: a&b"  # noqa: S314
