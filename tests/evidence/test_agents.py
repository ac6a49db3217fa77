"""One name for each agent."""

import pytest

from ghapp.evidence.agents import agent_name


@pytest.mark.parametrize(
    ("tool", "name"),
    [
        ("claude", "claude-code"),
        ("Claude Code", "claude-code"),
        ("GitHub Copilot CLI", "copilot"),
        ("codex_cli", "codex"),
        (" Gemini ", "gemini-cli"),
        ("House Agent 2", "house-agent-2"),
        ("a" * 39, "a" * 39),
    ],
)
def test_an_agent_has_its_own_name_in_our_documents(tool: str, name: str) -> None:
    assert agent_name(tool) == name


@pytest.mark.parametrize("tool", [None, 7, ["claude"], "", "--", "human", "Unknown", "a" * 40])
def test_what_names_no_agent(tool: object) -> None:
    assert agent_name(tool) is None
