"""Lines of agents' own commits count where nothing else explains them, and as the policy says."""

from datetime import timedelta

import pytest
from hypothesis import given

from ghapp.attribution.attribute import attribute
from ghapp.attribution.model import (
    AgentCommit,
    AgentCommitCount,
    Audit,
    Change,
    CommittedLines,
    Evidence,
    Verdict,
)
from ghapp.attribution.policy import CLAUDE_CODE_V1, AgentCommits, Policy
from tests.attribution.strategies import LATER, MERGED, SUBJECT, Case, cases, diff_of
from tests.searching import searched

FILE = diff_of("a.py", [], ["import os", "", "value = os.environ['HOME']", "print(value)"])
OFF = Policy(id="acme-v1", agent_commits=AgentCommits.OFF)


def commit(*numbers: int, minutes: int = -60, is_proven: bool = True) -> AgentCommit:
    return AgentCommit(
        sha="c" * 40,
        agent="claude-code-cloud",
        counted_as="claude-code",
        at=MERGED + timedelta(minutes=minutes),
        is_proven=is_proven,
        lines=(CommittedLines(path="a.py", numbers=numbers),),
    )


def audit_of(*commits: AgentCommit, policy: Policy = CLAUDE_CODE_V1) -> Audit:
    evidence = Evidence(agent_commits=commits)
    return attribute(SUBJECT, Change(files=(FILE,)), evidence, policy, at=LATER)


@pytest.mark.parametrize(
    ("how", "by_agent"),
    [
        (AgentCommits.APART, {"claude-code-cloud": 2}),
        (AgentCommits.COUNT, {"claude-code": 2}),
        (AgentCommits.OFF, {}),
    ],
)
def test_the_policy_names_the_agent(how: AgentCommits, by_agent: dict[str, int]) -> None:
    # A number that is no added line, and a line that does not count, give nothing.
    audit = audit_of(commit(1, 2, 4, 99), policy=Policy(id="acme-v1", agent_commits=how))
    assert audit.totals.by_agent == by_agent
    assert audit.inputs.agent_commits == (
        AgentCommitCount(agent="claude-code-cloud", proven=1, unproven=0),
    )
    named = {line.edit for line in audit.files[0].lines if line.attributed}
    assert named == ({f"agent_commit:{'c' * 40}"} if by_agent else set())
    assert set(audit.edits or ()) == named


def test_only_proven_commits_inside_the_window_count() -> None:
    others = [commit(1, is_proven=False), commit(1, minutes=-22 * 1440)]
    for other in others:
        audit = audit_of(other)
        assert (audit.totals.attributed, audit.inputs.edits_considered) == (0, 0)
        assert audit.verdict is Verdict.NO_EVIDENCE
        assert audit.inputs.evidence == audit_of().inputs.evidence
    elsewhere = audit_of(commit())
    assert (elsewhere.verdict, elsewhere.totals.share) == (Verdict.NOT_ASSISTED, 0)
    assert elsewhere.inputs.evidence != audit_of(commit(1)).inputs.evidence


ASKED_LATER = ("shell_text", "command_changed")
"""Reasons that are looked for after commits."""


@searched(75)
@given(cases())
def test_commits_only_give_lines_that_nothing_else_explains(case: Case) -> None:
    with_, without = (
        attribute(SUBJECT, case.change, case.evidence, policy, at=LATER)
        for policy in (CLAUDE_CODE_V1, OFF)
    )
    for file, before in zip(with_.files, without.files, strict=True):
        for one, other in zip(file.lines, before.lines, strict=True):
            is_free = not other.attributed or other.reason in ASKED_LATER
            assert one == other or (one.reason == "agent_commit" and is_free)
