"""What is counted of one pull request, and what a number means where nothing is known."""

import itertools
from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.model import AuditState, Verdict
from ghapp.summaries.counts import AdoptionDay, PullCounts, PullFacts, PullSummary
from tests.searching import searched
from tests.store.records import NOW

some_counts = st.builds(PullCounts, *[st.integers(0, 99)] * len(PullCounts.__struct_fields__))


def _pull(
    verdict: Verdict = Verdict.ASSISTED,
    state: AuditState = AuditState.FINAL,
    *,
    complete: bool = True,
) -> PullSummary:
    return PullSummary(
        repository_id=42,
        pull_request=17,
        audit_number=1,
        merged_at=NOW,
        verdict=verdict,
        state=state,
        change_complete=complete,
        evidence_complete=True,
        added=9,
        effective=8,
        attributed=2,
        share=0.25,
        about=PullFacts(),
        agents={},
        models={},
        lines={},
        agent_sessions={},
    )


def _other_than_none(counts: PullCounts) -> dict[str, int]:
    return {name: value for name, value in msgspec.structs.asdict(counts).items() if value}


LINES = {"added": 9, "effective": 8, "attributed": 2}
WHOLE = {"whole_effective": 8, "whole_attributed": 2}
KNOWN = {"known_effective": 8}
OPEN = {"provisional_effective": 8, "provisional_attributed": 2}


@pytest.mark.parametrize(
    ("pull", "counted"),
    [
        (_pull(), {"assisted": 1} | WHOLE | KNOWN),
        (_pull(Verdict.NOT_ASSISTED), {"not_assisted": 1} | WHOLE | KNOWN),
        (_pull(Verdict.NO_EVIDENCE), {"no_evidence": 1} | WHOLE),
        (
            _pull(state=AuditState.PROVISIONAL),
            {"assisted": 1, "provisional": 1} | WHOLE | KNOWN | OPEN,
        ),
        (_pull(complete=False), {"assisted": 1, "incomplete": 1}),
        (
            _pull(state=AuditState.PROVISIONAL, complete=False),
            {"assisted": 1, "provisional": 1, "incomplete": 1},
        ),
    ],
)
def test_a_pull_request_counts_by_its_verdict_and_what_was_read(
    pull: PullSummary, counted: dict[str, int]
) -> None:
    assert _other_than_none(PullCounts.of(pull)) == {"pulls": 1} | LINES | counted


def test_every_pull_request_has_one_verdict() -> None:
    everything = [
        PullCounts.of(_pull(verdict, state, complete=complete))
        for verdict, state, complete in itertools.product(Verdict, AuditState, (True, False))
    ]
    total = sum(everything, PullCounts())
    assert total.pulls == total.assisted + total.not_assisted + total.no_evidence == 12
    assert total.without == 8


@searched(25)
@given(some_counts, some_counts)
def test_what_is_added_can_be_taken_away_again(one: PullCounts, other: PullCounts) -> None:
    assert one + other == other + one
    assert one + other - other == one + PullCounts() == one


def test_without_lines_or_people_there_is_no_share() -> None:
    nothing = PullCounts()
    assert (nothing.share, nothing.known_share, nothing.pulls_share) == (None, None, None)
    unread = PullCounts.of(_pull(complete=False))
    assert (unread.share, unread.known_share, unread.pulls_share) == (None, None, 1.0)
    silent = PullCounts.of(_pull(Verdict.NO_EVIDENCE))
    assert (silent.share, silent.known_share, silent.pulls_share) == (None, None, None)
    day = AdoptionDay(day=date(2026, 5, 20), developers=0, agent_sessions=0, pulls=3)
    assert day.pulls_per_developer is None
    assert msgspec.structs.replace(day, developers=2).pulls_per_developer == 1.5


def test_the_known_share_leaves_out_pull_requests_without_evidence() -> None:
    known, silent = PullCounts.of(_pull()), PullCounts.of(_pull(Verdict.NO_EVIDENCE))
    both = known + msgspec.structs.replace(silent, attributed=0, whole_attributed=0)
    assert (both.share, both.known_share) == (0.125, 0.25)
