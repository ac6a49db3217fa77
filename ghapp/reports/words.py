"""One sentence for every reason, and the names people use for agents. It counts nothing.

docs/reasons.md repeats each sentence under an anchor of the same id; a test holds the two together.
"""

from collections.abc import Sequence

from ghapp.attribution.model import ATTRIBUTED, Reason

REASONS: dict[str, str] = {
    Reason.RUN: "In a run of lines, in the order of one agent edit.",
    Reason.LINE: "Equal to a distinctive line of an agent edit.",
    Reason.REWRAPPED: "An agent edit's lines, wrapped anew by a formatter.",
    Reason.EDITED: "An agent's line, changed within the rewrite limit.",
    Reason.NO_MATCH: "No agent edit in the window comes close to it.",
    Reason.REWRITTEN: "An agent's line, changed beyond the rewrite limit.",
    Reason.COMMON_LINE: "Also in an agent edit, but anyone would type it.",
    Reason.SCATTERED: "Also in agent edits of which little else is here.",
    Reason.CREDITED_ELSEWHERE: "Equal agent lines are all credited to other lines.",
    Reason.OUTSIDE_WINDOW: "Equal to an agent edit from outside the window.",
    Reason.NOT_APPLIED: "Equal only to an agent edit that was not applied.",
    Reason.TRIVIAL_LINE: "Blank, too short, or only brackets and punctuation.",
    Reason.LONG_LINE: "Longer than 1,000 characters.",
    Reason.LOCK_FILE: "In a package manager's lock file.",
    Reason.GENERATED: "In a generated file.",
    Reason.BUILD_DIRECTORY: "In a directory of build output or of packages.",
    Reason.TEST_FIXTURE: "In recorded test data: snapshots, cassettes, mocks.",
    Reason.BINARY: "In a binary file, which has no lines.",
    Reason.SUBMODULE: "A pointer to another repository's commit.",
    Reason.EXCLUDED_PATH: "In a path that this repository's policy leaves out.",
}
"""Reason → what it means, short enough for one row of a terminal."""

OWN_POLICY = "A reason of this repository's own policy."
"""Said of a reason that only a repository's own policy knows."""

ATTRIBUTED_GROUP = "attributed"
NOT_ATTRIBUTED_GROUP = "not attributed"
NOT_COUNTED_GROUP = "not counted"

_NOT_ATTRIBUTED = frozenset(
    {
        Reason.NO_MATCH,
        Reason.REWRITTEN,
        Reason.COMMON_LINE,
        Reason.SCATTERED,
        Reason.CREDITED_ELSEWHERE,
        Reason.OUTSIDE_WINDOW,
        Reason.NOT_APPLIED,
    }
)

CLAUDE_CODE = "claude-code"
"""The agent that the documented metric counts, and no other (rules.md 2.16)."""

AGENTS = {
    "aider": "Aider",
    CLAUDE_CODE: "Claude Code",
    "codex": "Codex",
    "copilot": "GitHub Copilot",
    "cursor": "Cursor",
    "gemini-cli": "Gemini CLI",
    "opencode": "OpenCode",
}
"""An agent's id in evidence → the name people know it by."""


def sentence(reason: str) -> str:
    """Return what a reason means."""
    return REASONS.get(reason, OWN_POLICY)


def group(reason: str) -> str:
    """Return which of the three groups a reason belongs to; an unknown one excludes."""
    if reason in ATTRIBUTED:
        return ATTRIBUTED_GROUP
    return NOT_ATTRIBUTED_GROUP if reason in _NOT_ATTRIBUTED else NOT_COUNTED_GROUP


def agent_name(agent: str) -> str:
    """Return an agent's name for people; an agent we do not know keeps its id."""
    return AGENTS.get(agent, agent)


def each_agents(lines: Sequence[tuple[str, int]], documented: int) -> str | None:
    """Say each agent's own count by its name; ``None``: Claude Code's is the only one.

    ``documented`` is Claude Code's, which is all that the documented metric counts.

    >>> each_agents([("Codex", 4), ("Claude Code", 1)], 1)
    'Of these, Codex wrote 4 lines and Claude Code 1; the documented metric counts 1.'
    """
    if not lines or (documented and len(lines) == 1):
        return None
    (first, most), *others = lines
    wrote = [f"{first} wrote {counted(most, 'line')}", *(f"{name} {n:,}" for name, n in others)]
    known = f"{documented:,}" if documented else "none: it knows Claude Code alone"
    return f"Of these, {listed(wrote)}; the documented metric counts {known}."


def named(trailers: Sequence[tuple[str, int]]) -> str | None:
    """Say which agents the commits name; ``None``: they name none.

    >>> named([("Claude Code", 3)])
    'Commits that name an agent: Claude Code 3. A name supports no line.'
    """
    if not trailers:
        return None
    agents = listed([f"{name} {count:,}" for name, count in trailers])
    return f"Commits that name an agent: {agents}. A name supports no line."


def listed(names: list[str]) -> str:
    """Join names as a sentence does: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([*([", ".join(names[:-1])] if names[1:] else []), *names[-1:]])


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: ``1 line``, ``1,200 lines``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
