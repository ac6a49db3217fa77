"""The policy of an audit: window, limits and switches, with an id and a digest. It applies none."""

import hashlib
import re
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

import msgspec

from ghapp.attribution.model import SEEN_BY_HOOK, EditResult, PolicyUsed, Struct

FILE = ".github/attribution.yml"
"""Path of a repository's own policy; `ghapp.policy.file` defines its format."""

LONGEST_WINDOW = 366
"""Most days on one side of a merge: an edit over a year old says nothing about a line's origin."""

LARGEST_REWRITE = 0.5
"""Largest rewrite limit: a line of which more than half differs is another line."""

ID = re.compile(r"[a-z0-9][a-z0-9+._-]{0,63}")  # claude-code-v1+moved
"""A policy's id."""

LOOK_BACK = timedelta(days=30)
"""How long before the window an edit may be and still give the reason ``outside_window``."""


class AgentCommits(StrEnum):
    """What becomes of lines that agents in the cloud pushed themselves (rules.md 2.21)."""

    COUNT = "count"
    """They count as the agent's own, in its label and in the documented metric's number."""
    APART = "apart"
    """They count for an agent in the cloud, with a label of its own."""
    OFF = "off"


class Policy(Struct, frozen=True):
    """All limits and switches of an audit. A changed value needs a new id."""

    id: str = "claude-code-v1"
    window_before_days: int = 21
    window_after_days: int = 2
    rewrite_limit: float = 0.2
    """Largest difference that is still attributed, 0 to 1, inclusive (rules.md 2.3)."""
    moved_blocks: bool = False
    """Whether a block that an agent wrote in one file counts in another added file."""
    unrecorded_outcomes: bool = True
    """Whether an edit whose outcome no record tells may count (rules.md 2.17)."""
    substitutions: bool = True
    """Whether lines count that a command of an agent rewrote (rules.md 2.19)."""
    shell_text: bool = True
    """Whether lines count that stand in a command of an agent, and what commands moved
    (rules.md 2.20)."""
    agent_commits: AgentCommits = AgentCommits.APART
    """Whether lines count that an agent's own account pushed, and as whose (rules.md 2.21)."""
    command_changed: bool = True
    """Whether lines count that the collector's hook saw a command write (rules.md 2.22)."""
    exclude: tuple[str, ...] = ()
    """The repository's own excluded paths, as gitignore patterns; reason ``excluded_path``."""

    def may_count(self, outcome: EditResult) -> bool:
        """Return whether edits with that outcome may be credited."""
        if outcome in SEEN_BY_HOOK:
            is_observed = outcome is EditResult.OBSERVED
            return self.command_changed if is_observed else self.substitutions
        return outcome is EditResult.APPLIED or (
            outcome is EditResult.UNRECORDED and self.unrecorded_outcomes
        )

    @property
    def limit(self) -> Fraction:
        """The rewrite limit as an exact fraction: 0.2 is one fifth."""
        return Fraction(str(self.rewrite_limit))

    @property
    def digest(self) -> str:
        """``sha256:`` and the digest of the policy's canonical JSON."""
        return "sha256:" + hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()

    def window(self, merged_at: datetime) -> tuple[datetime, datetime]:
        """Return the first and the last instant of the window; both belong to it."""
        return (
            merged_at - timedelta(days=self.window_before_days),
            merged_at + timedelta(days=self.window_after_days),
        )

    def evidence_span(self, merged_at: datetime) -> tuple[datetime, datetime]:
        """Return the first and the last instant of the edits that an audit reads, both inclusive.

        Edits before the window give no credit, but explain why a line has none. Edits after it
        are not read, because they must not change a final audit.
        """
        since, until = self.window(merged_at)
        return since - LOOK_BACK, until

    def used(self) -> PolicyUsed:
        """Return the policy as the audit document names it."""
        return PolicyUsed(
            id=self.id,
            digest=self.digest,
            window_before_days=self.window_before_days,
            window_after_days=self.window_after_days,
            rewrite_limit=self.rewrite_limit,
            moved_blocks=self.moved_blocks,
            unrecorded_outcomes=self.unrecorded_outcomes,
            substitutions=self.substitutions,
            shell_text=self.shell_text,
            agent_commits=self.agent_commits,
            command_changed=self.command_changed,
        )


CLAUDE_CODE_V1 = Policy()
CLAUDE_CODE_V1_MOVED = Policy(id="claude-code-v1+moved", moved_blocks=True)

POLICIES = {policy.id: policy for policy in (CLAUDE_CODE_V1, CLAUDE_CODE_V1_MOVED)}
