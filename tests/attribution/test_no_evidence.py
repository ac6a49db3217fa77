"""Why there is no evidence: one cause for each way of knowing nothing, and none elsewhere."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ghapp.attribution.attribute import attribute
from ghapp.attribution.model import (
    Change,
    Edit,
    EditResult,
    EditsLeftOut,
    Evidence,
    NoEvidence,
    PassedOver,
    UnreadEvidence,
    Verdict,
)
from ghapp.attribution.no_evidence import why
from ghapp.attribution.policy import CLAUDE_CODE_V1
from tests.attribution.strategies import LATER, SUBJECT

HERE = Edit(
    id="e",
    agent="codex",
    agent_session="s",
    at=SUBJECT.merged_at - timedelta(days=1),
    path="/home/ann/shop/src/a.py",
)
TORN = UnreadEvidence(source="a.jsonl", line=3, problem="torn")
CALL = PassedOver(agent="codex", what="exec", count=1)
ROOTS = ("/home/ann/shop",)
LONG_AGO = replace(HERE, at=SUBJECT.merged_at - timedelta(days=40))
REFUSED = replace(HERE, outcome=EditResult.REFUSED)


@pytest.mark.parametrize(
    ("evidence", "cause"),
    [
        (Evidence(), NoEvidence.NOTHING_ARRIVED),
        (Evidence(passed_over=()), NoEvidence.NOTHING_ARRIVED),
        (Evidence(passed_over=(CALL,)), NoEvidence.NONE_READABLE),
        (Evidence(unread=(TORN,)), NoEvidence.NONE_READABLE),
        (Evidence(edits=(LONG_AGO,), roots=ROOTS), NoEvidence.NONE_IN_THE_WINDOW),
        (Evidence(edits=(REFUSED,), roots=ROOTS), NoEvidence.NONE_APPLIED),
        (
            Evidence(edits=(HERE,), roots=("/home/ann/other",), unread=(TORN,)),
            NoEvidence.NONE_IN_THIS_REPOSITORY,
        ),
        (Evidence(edits=(HERE,), roots=ROOTS), None),
    ],
)
def test_each_way_of_knowing_nothing_has_its_cause(
    evidence: Evidence, cause: NoEvidence | None
) -> None:
    audit = attribute(SUBJECT, Change(), evidence, CLAUDE_CODE_V1, at=LATER)
    assert audit.inputs.no_evidence is cause


counts = st.integers(min_value=0, max_value=2)


@given(
    st.sampled_from(Verdict),
    counts,
    st.none()
    | st.builds(EditsLeftOut, outside_window=counts, not_applied=counts, elsewhere=counts),
)
def test_there_is_a_cause_exactly_where_nothing_is_known(
    judged: Verdict, considered: int, left: EditsLeftOut | None
) -> None:
    inputs = attribute(SUBJECT, Change(), Evidence(), CLAUDE_CODE_V1, at=LATER).inputs
    inputs = replace(inputs, edits_considered=considered, edits_left_out=left)
    nothing = judged is Verdict.NO_EVIDENCE and not considered and left is not None
    assert (why(judged, inputs) is not None) == nothing
