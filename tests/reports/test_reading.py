"""One line about what was read and passed over, and what is said where nothing is known."""

import pytest

from ghapp.attribution.model import AuditInputs, EditsLeftOut, NoEvidence, PassedOver
from ghapp.reports import no_evidence
from ghapp.reports.reading import SHOWN, passed_over_line, read_line, silent_agent


def test_the_most_frequent_come_first_and_the_rest_is_counted() -> None:
    many = [PassedOver(agent="codex", what=f"tool{n}", count=n) for n in range(1, SHOWN + 3)]
    said = passed_over_line(many)
    assert said is not None
    assert said.startswith(f"Passed over, not read as edits: Codex tool{SHOWN + 2} ({SHOWN + 2}), ")
    assert said.endswith(" and 2 more kinds.")


@pytest.mark.parametrize("passed", [None, ()])
def test_nothing_is_said_of_nothing(passed: tuple[PassedOver, ...] | None) -> None:
    assert passed_over_line(passed) is None


def test_what_was_left_out_is_named_and_zeros_are_not() -> None:
    inputs = AuditInputs(
        diff="", evidence="", edits_considered=1_200, change_complete=True, edits_left_out=None
    )
    assert read_line(inputs) is None
    left = EditsLeftOut(outside_window=2, not_applied=0, elsewhere=7)
    told = AuditInputs(
        diff="", evidence="", edits_considered=1_200, change_complete=True, edits_left_out=left
    )
    assert read_line(told) == (
        "Evidence read: 1,200 edits considered, 2 outside the window and 7 elsewhere."
    )


def test_an_agent_without_version_and_without_any_edit() -> None:
    said = "amp (version not recorded): 1 machine sent agent sessions, no edit ever"
    assert silent_agent("amp", None, 1, None) == said


@pytest.mark.parametrize("cause", NoEvidence)
def test_every_cause_has_a_sentence_and_a_command_that_tells_more(cause: NoEvidence) -> None:
    assert no_evidence.sentence(cause).endswith("Unknown is not zero.")
    assert "`ghapp " in no_evidence.ADVICE[cause]
    assert no_evidence.ADVICE[cause].count("`") % 2 == 0
