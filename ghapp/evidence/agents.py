"""One name for each agent, whatever other programs call the agent. It reads no evidence."""

import re

_NAMES = {
    "claude": "claude-code",
    "claude-code": "claude-code",
    "codex-cli": "codex",
    "codex-cloud": "codex",
    "copilot-agent": "copilot",
    "copilot-chat": "copilot",
    "copilot-cli": "copilot",
    "copilot-cloud-agent": "copilot",
    "copilot-coding-agent": "copilot",
    "cursor-agent": "cursor",
    "cursor-cli": "cursor",
    "devin-ai": "devin",
    "factory-ai-droid": "droid",
    "factory-droid": "droid",
    "gemini": "gemini-cli",
    "gemini-code-assist": "gemini-cli",
    "github-copilot": "copilot",
    "github-copilot-chat": "copilot",
    "github-copilot-cli": "copilot",
    "kilo": "kilo-code",
    "kimi-cli": "kimi",
    "kimi-code": "kimi",
    "google-jules": "jules",
    "open-code": "opencode",
    "openai-codex": "codex",
    "qwen": "qwen-code",
    "roo": "roo-code",
}
"""Names that other programs use → names in our documents."""

_NOBODY = frozenset({"human", "none", "unknown"})

# claude-code
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,38}")
_BETWEEN_WORDS = re.compile(r"[^a-z0-9]+")


def agent_name(tool: object) -> str | None:
    """Return an agent's name in audit documents; ``None``: the value names no agent.

    >>> agent_name("claude"), agent_name("GitHub Copilot"), agent_name("droid"), agent_name(7)
    ('claude-code', 'copilot', 'droid', None)
    """
    if not isinstance(tool, str):
        return None
    plain = _BETWEEN_WORDS.sub("-", tool.lower()).strip("-")
    name = _NAMES.get(plain, plain)
    return name if _NAME.fullmatch(name) and name not in _NOBODY else None
