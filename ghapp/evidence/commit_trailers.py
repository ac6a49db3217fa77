"""Agents that a commit's message, author or committer names. They never support a line.

A name does not tell which lines: squashed commits collect names, and agents' work that a person
commits has none. An audit shows the names only for comparison.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from ghapp.evidence.carried import CarriedCommit, CommitAttachment
from ghapp.evidence.source import Found

NAME = "commit_trailers"

_SIGNS: dict[str, str] = {
    "claude-code": r"<noreply@anthropic\.com>|claude\[bot\]|^Claude-Session: ",
    "codex": r"<(?:codex|noreply)@openai\.com>|chatgpt-codex-connector\[bot\]",
    "copilot": r"\+Copilot@users\.noreply\.github\.com|copilot-swe-agent\[bot\]|^Copilot-Session: ",
    "cursor": r"<cursoragent@cursor\.com>|cursor\[bot\]|^Made-with: Cursor",
    "gemini-cli": r"gemini-cli\[bot\]|gemini-code-assist\[bot\]",
    "aider": r"<(?:aider|noreply)@aider\.chat>|\(aider\) <",
    "amp": r"<amp@ampcode\.com>|^Amp-Thread-ID: ",
    "devin": r"devin-ai-integration\[bot\]",
    "droid": r"factory-droid\[bot\]",
    "jules": r"google-labs-jules\[bot\]",
    "opencode": r"opencode-agent\[bot\]",
}
"""Agent → what names it: ``Co-Authored-By: Claude <noreply@anthropic.com>``.

Email addresses and numbers are stable; displayed names are not.
"""

_COMPILED = {agent: re.compile(sign, re.MULTILINE) for agent, sign in _SIGNS.items()}


def agents(commit: CarriedCommit) -> frozenset[str]:
    """Return the agents that a commit names."""
    text = "\n".join((commit.author, commit.committer, commit.message))
    return frozenset(agent for agent, sign in _COMPILED.items() if sign.search(text))


def count(commits: Iterable[CarriedCommit]) -> dict[str, int]:
    """Return, by agent, how many of some commits name it."""
    named = Counter(agent for commit in commits for agent in agents(commit))
    return dict(sorted(named.items()))


def read(commit: CarriedCommit, attached: Sequence[CommitAttachment]) -> Iterator[Found]:
    """Yield nothing: a name proves no line."""
    del commit, attached
    yield from ()
