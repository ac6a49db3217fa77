"""Credits lines of commits that agents' own accounts pushed (rules.md 2.21). It compares no texts.

Whose a commit is, and which merged lines are its own, was found out before: by GitHub and by git.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from ghapp.attribution.matching import FileMatching, LineCredit
from ghapp.attribution.model import AgentCommit, AgentCommitCount, Edit, FileDiff, Reason
from ghapp.attribution.policy import AgentCommits, Policy
from ghapp.attribution.sides import EditSide, side_without_lines

TOOL = "agent_commit"


class CommittedEdit(NamedTuple):
    """A proven commit that counts, and the edit that stands for it in verdicts."""

    commit: AgentCommit
    edit: Edit


def that_count(
    commits: Iterable[AgentCommit], policy: Policy, first: datetime, last: datetime
) -> list[CommittedEdit]:
    """Return the commits that count by the policy, written between two instants, each included."""
    if policy.agent_commits is AgentCommits.OFF:
        return []
    proven = (one for one in commits if one.is_proven and first <= one.at <= last)
    in_order = sorted(proven, key=lambda one: (one.at, one.sha))
    return [CommittedEdit(one, _as_edit(one, policy)) for one in in_order]


def _as_edit(commit: AgentCommit, policy: Policy) -> Edit:
    """Return a commit as an edit without lines: who did it and when."""
    is_apart = policy.agent_commits is AgentCommits.APART
    return Edit(
        id=f"{TOOL}:{commit.sha}",
        agent=commit.agent if is_apart else commit.counted_as,
        agent_session=commit.sha,
        at=commit.at,
        path="",
        tool=TOOL,
    )


def credit_committed(
    files: Sequence[FileMatching | None],
    diffs: Sequence[FileDiff],
    commits: Iterable[CommittedEdit],
) -> None:
    """Credit the uncredited lines of some files that a commit wrote.

    A file that does not count is ``None``.
    """
    owners: dict[str, dict[int, EditSide]] = {}
    for commit, edit in commits:
        side = side_without_lines(edit)
        for lines in commit.lines:
            owners.setdefault(lines.path, {}).update(dict.fromkeys(lines.numbers, side))
    for matching, file in zip(files, diffs, strict=True):
        mine = owners.get(file.path)
        if matching is None or mine is None:
            continue
        for at, number in enumerate(matching.file.numbers):
            owner = mine.get(number)
            if matching.credits[at] is None and owner is not None:
                matching.credits[at] = LineCredit(Reason.AGENT_COMMIT, owner, -1, 0.0)


def counted(commits: Sequence[AgentCommit] | None) -> tuple[AgentCommitCount, ...] | None:
    """Return how many commits are whose, by agent; ``None``: nobody asked."""
    if commits is None:
        return None
    found = Counter((one.agent, one.is_proven) for one in commits)
    return tuple(
        AgentCommitCount(agent=agent, proven=found[agent, True], unproven=found[agent, False])
        for agent in sorted({agent for agent, _ in found})
    )
