"""Blocks that an agent wrote in one file and that are in an added file, if a policy asks."""

import pytest

from ghapp.attribution.attribute import attribute
from ghapp.attribution.model import Audit, Change, EditHunk, EditLines, Evidence
from ghapp.attribution.policy import CLAUDE_CODE_V1, CLAUDE_CODE_V1_MOVED, Policy
from tests.attribution.strategies import LATER, ROOT, SUBJECT, diff_of, replaced
from tests.attribution.test_candidates import edit
from tests.attribution.test_matching import INVOICE, LEDGER, TENANT

BLOCK = (INVOICE, LEDGER, TENANT)


def audit(
    added: tuple[str, ...], old: tuple[str, ...] = (), policy: Policy = CLAUDE_CODE_V1_MOVED
) -> Audit:
    """Return the audit of one file, where the agent wrote the block in another."""
    lines = EditLines((EditHunk((), BLOCK, ()),))
    evidence = Evidence(
        edits=(replaced(edit("one", path="src/far.py"), lines=lines),), roots=(ROOT,)
    )
    diff = diff_of("src/near.py", list(old), [*old, *added])
    return attribute(SUBJECT, Change(files=(diff,)), evidence, policy, at=LATER)


def test_a_block_in_an_added_file_is_credited() -> None:
    assert audit(BLOCK).totals.by_reason == {"run": 3}


@pytest.mark.parametrize(
    ("added", "old", "policy"),
    [
        (BLOCK[:2], (), CLAUDE_CODE_V1_MOVED),
        ((INVOICE, "human_line = of_somebody()", LEDGER, TENANT), (), CLAUDE_CODE_V1_MOVED),
        (BLOCK, ("it was there",), CLAUDE_CODE_V1_MOVED),
        (BLOCK, (), CLAUDE_CODE_V1),
    ],
    ids=["too short", "interrupted", "file not added", "another policy"],
)
def test_anything_less_is_not(added: tuple[str, ...], old: tuple[str, ...], policy: Policy) -> None:
    assert audit(added, old, policy).totals.attributed == 0
