"""One sentence for each reason, and the display names of agents. It counts nothing.

docs/reasons.md repeats each sentence under an anchor with the same id; a test compares the two.
"""

from collections.abc import Sequence

from ghapp.attribution.model import ATTRIBUTED, EditSource, LineRange, Reason

REASONS: dict[str, str] = {
    Reason.RUN: "Part of a run of lines that matches one agent edit.",
    Reason.LINE: "Equals a distinctive line of an agent edit.",
    Reason.REWRAPPED: "Agent lines that a formatter wrapped differently.",
    Reason.EDITED: "An agent's line, changed within the rewrite limit.",
    Reason.SUBSTITUTED: "Made from the removed line by an agent's command.",
    Reason.SHELL_TEXT: "Stands in a script that an agent ran.",
    Reason.AGENT_COMMIT: "In a commit that an agent's own account pushed.",
    Reason.COMMAND_CHANGED: "Written by an agent's command, as the hook saw.",
    Reason.NO_MATCH: "No agent edit in the window comes close to it.",
    Reason.REWRITTEN: "An agent's line, changed beyond the rewrite limit.",
    Reason.COMMON_LINE: "Also in an agent edit, but anyone might type it.",
    Reason.SCATTERED: "Also in an agent edit, most of which is not here.",
    Reason.CREDITED_ELSEWHERE: "All equal agent lines are credited to other lines.",
    Reason.MERGED_BEFORE: "The agent's line near it was merged before.",
    Reason.OUTSIDE_WINDOW: "Equals a line of an agent edit outside the window.",
    Reason.NOT_APPLIED: "Found only in agent edits that were not applied.",
    Reason.TRIVIAL_LINE: "Blank, too short, or only brackets and punctuation.",
    Reason.LONG_LINE: "Longer than 1,000 characters.",
    Reason.LOCK_FILE: "In a package manager's lock file.",
    Reason.GENERATED: "In a generated file.",
    Reason.BUILD_DIRECTORY: "In a directory of build output or packages.",
    Reason.TEST_FIXTURE: "In recorded test data: snapshots, cassettes, mocks.",
    Reason.BINARY: "In a binary file, which has no lines.",
    Reason.SUBMODULE: "A pointer to another repository's commit.",
    Reason.SYMBOLIC_LINK: "A symbolic link, which only names another path.",
    Reason.LFS_POINTER: "A Git LFS pointer, which stands for another file.",
    Reason.EXCLUDED_PATH: "In a path that this repository's policy excludes.",
}
"""Reason → what it means, at most 52 characters, so that it fits one row of a terminal."""

NOT_RECORDED = "outcome not recorded"
"""Said beside an edit of whose outcome no record tells (rules.md 2.17)."""

OWN_POLICY = "Defined by this repository's own policy."
"""The sentence for a reason that is not in `REASONS`."""

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
        Reason.MERGED_BEFORE,
        Reason.OUTSIDE_WINDOW,
        Reason.NOT_APPLIED,
    }
)

CLAUDE_CODE = "claude-code"
"""The only agent that Anthropic's documented metric counts (rules.md 2.16)."""

AGENTS = {
    "aider": "Aider",
    "antigravity": "Antigravity",
    CLAUDE_CODE: "Claude Code",
    "claude-code-cloud": "Claude Code in the cloud",
    "cline": "Cline",
    "codex": "Codex",
    "codex-cloud": "Codex in the cloud",
    "copilot": "GitHub Copilot",
    "copilot-cloud": "GitHub Copilot in the cloud",
    "cursor": "Cursor",
    "cursor-cloud": "Cursor in the cloud",
    "devin": "Devin",
    "droid": "Droid",
    "gemini-cli": "Gemini CLI",
    "jules": "Jules",
    "kilo-code": "Kilo Code",
    "kimi": "Kimi Code",
    "opencode": "OpenCode",
    "pi": "Pi",
    "qwen-code": "Qwen Code",
    "roo-code": "Roo Code",
}
"""An agent's id in evidence → its display name."""


def sentence(reason: str) -> str:
    """Return what a reason means."""
    return REASONS.get(reason, OWN_POLICY)


def group(reason: str) -> str:
    """Return a reason's group; an unknown reason is an exclusion."""
    if reason in ATTRIBUTED:
        return ATTRIBUTED_GROUP
    return NOT_ATTRIBUTED_GROUP if reason in _NOT_ATTRIBUTED else NOT_COUNTED_GROUP


def how_sure(span: LineRange) -> str:
    """Return a range in words; the headline is its own floor.

    >>> how_sure(LineRange(at_least=60, expected=71, at_most=78))
    'Agents wrote 60 to 78 of these lines, most likely 71.'
    """
    return (
        f"Agents wrote {span.at_least:,} to {span.at_most:,} of these lines, "
        f"most likely {span.expected:,}."
    )


def agent_name(agent: str) -> str:
    """Return an agent's display name, or its id if we do not know the agent."""
    return AGENTS.get(agent, agent)


NOT_NAMED = "not recorded"
"""Stands for a version or a model that no record names. It is a value: unknown is not zero."""


def made_by(source: EditSource | None) -> str:
    """Return which version and model made an edit; ``None``: the audit does not say.

    >>> made_by(EditSource(agent_version="0.151.0", model=None))
    'version 0.151.0, model not recorded'
    """
    version = (source and source.agent_version) or NOT_NAMED
    return f"version {version}, model {(source and source.model) or NOT_NAMED}"


def each_agents(lines: Sequence[tuple[str, int]], documented: int) -> str | None:
    """Return a sentence with each agent's count; ``None`` if only Claude Code has lines.

    ``documented`` is Claude Code's count, the only one in Anthropic's documented metric.

    >>> each_agents([("Codex", 4), ("Claude Code", 1)], 1)  # doctest: +ELLIPSIS
    "Of these, Codex wrote 4 lines and Claude Code 1. ... would count 1 (Claude Code only)."
    """
    if not lines or (len(lines) == 1 and documented == lines[0][1]):
        return None
    (first, most), *others = lines
    wrote = [f"{first} wrote {counted(most, 'line')}", *(f"{name} {n:,}" for name, n in others)]
    known = f"{documented:,}" if documented else "none"
    return (
        f"Of these, {listed(wrote)}. Anthropic's own metric would count {known} (Claude Code only)."
    )


def listed(names: list[str]) -> str:
    """Join names into a phrase: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([*([", ".join(names[:-1])] if names[1:] else []), *names[-1:]])


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 line``, ``1,200 lines``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
