"""Edits whose outcome no record tells: where they count, and what their lines say."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.attribute import attribute
from ghapp.attribution.document import from_document, to_document
from ghapp.attribution.model import (
    AuditSubject,
    Change,
    Edit,
    EditHunk,
    EditLines,
    EditResult,
    Evidence,
    FileDiff,
    FileStatus,
    Hunk,
    HunkLine,
)
from ghapp.attribution.policy import CLAUDE_CODE_V1, CLAUDE_CODE_V1_MOVED, Policy
from ghapp.attribution.unrecorded import heaviest
from tests.attribution.strategies import LATER, MERGED
from tests.searching import searched

BODY = (
    "def monthly_totals(orders):",
    "    totals = defaultdict(Decimal)",
    "    for order in orders:",
    "        totals[order.month] += order.amount",
    "    return dict(totals)",
)


def edit(outcome: EditResult = EditResult.UNRECORDED, path: str = "totals.py") -> Edit:
    return Edit(
        id="cursor_1",
        agent="cursor",
        agent_session="a1",
        at=MERGED,
        path=path,
        outcome=outcome,
        lines=EditLines((EditHunk((), BODY, ()),)),
    )


def audit_of(one: Edit, policy: Policy = CLAUDE_CODE_V1, path: str = "totals.py") -> bytes:
    lines = tuple(HunkLine("+", text) for text in BODY)
    hunk = Hunk(old_start=0, old_lines=0, new_start=1, new_lines=len(BODY), lines=lines)
    change = Change(files=(FileDiff(path=path, status=FileStatus.ADDED, hunks=(hunk,)),))
    subject = AuditSubject(merged_at=MERGED)
    return to_document(attribute(subject, change, Evidence(edits=(one,)), policy, at=LATER))


def test_each_line_says_that_its_outcome_is_not_recorded() -> None:
    lines = from_document(audit_of(edit())).files[0].lines
    assert [(line.reason, line.outcome) for line in lines] == [("run", "unrecorded")] * 5


def test_no_other_line_says_anything_of_its_outcome() -> None:
    (file,) = msgspec.json.decode(audit_of(edit(EditResult.APPLIED)))["files"]
    assert all(line["attributed"] and "outcome" not in line for line in file["lines"])


def test_a_policy_that_does_not_count_them_treats_them_as_not_applied() -> None:
    policy = Policy(id="acme-v1", unrecorded_outcomes=False)
    audit = from_document(audit_of(edit(), policy))
    assert audit.totals.by_reason == {"not_applied": 5}
    assert audit.inputs.edits_considered == 0
    assert audit.policy.unrecorded_outcomes is False


@pytest.mark.parametrize("outcome", [EditResult.UNRECORDED, EditResult.APPLIED])
def test_a_moved_block_counts_only_if_its_outcome_is_recorded(outcome: EditResult) -> None:
    audit = from_document(audit_of(edit(outcome), CLAUDE_CODE_V1_MOVED, "other.py"))
    assert audit.totals.attributed == (5 if outcome is EditResult.APPLIED else 0)


@searched(200)
@given(
    st.lists(st.integers(0, 4), max_size=9),
    st.lists(st.integers(0, 4), max_size=9),
    st.lists(st.integers(1, 9), min_size=5, max_size=5),
)
def test_the_heaviest_common_subsequence_is_that_of_the_textbook(
    own: list[int], added: list[int], weights: list[int]
) -> None:
    best = [0] * (len(added) + 1)
    for code in own:
        row = [0]
        for at, there in enumerate(added):
            both = best[at] + weights[code] if code == there else 0
            row.append(max(row[at], best[at + 1], both))
        best = row
    assert heaviest(own, added, dict(enumerate(weights))) == best[-1]


def test_too_many_pairs_prove_nothing() -> None:
    assert heaviest([1] * 1001, [1] * 1000, {1: 1}) == 0
