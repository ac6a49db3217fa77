"""The rulebook: every reason leads to its paragraphs, and they are those of the documentation."""

import pytest

from ghapp.attribution.model import Reason
from ghapp.rulebook import PAGES, RULE_OF, of_reason, sections
from tests.test_docs import decisions


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_explained(reason: Reason) -> None:
    found = of_reason(reason)
    assert found[0].page == "reasons"
    assert found[0].text
    assert len(found) == 1 + (reason in RULE_OF)
    assert [section.anchor for section in found[1:]] == [RULE_OF[reason] for _ in found[1:]]


def test_a_reason_of_a_repository_of_its_own_is_not_explained_here() -> None:
    assert of_reason("our_own_exclusion") == ()


def test_decisions_are_quoted_whole_but_for_their_cases() -> None:
    for name, text in decisions().items():
        assert sections("rules")[name].text == text.partition("Cases:")[0].strip()


def test_an_anchor_means_one_section_on_all_pages_together() -> None:
    anchors = [one.id for page in PAGES for one in sections(page).values()]
    assert len(anchors) == len(set(anchors))
