"""Every name has one reader, and every sender's own names are known."""

import pytest

from ghapp.evidence.agents import agent_name
from ghapp.otlp.senders import claude_code, codex, copilot, gemini_cli, opencode
from ghapp.otlp.senders.registry import EVENTS, METRICS, full_name, is_known
from tests.cases import TOP

MODULES = (claude_code, opencode, codex, gemini_cli, copilot)
PAGE = (TOP / "docs" / "telemetry.md").read_text("utf-8")


def test_no_two_senders_read_the_same_name() -> None:
    assert len(METRICS) == sum(len(one.METRICS) for one in MODULES)
    assert len(EVENTS) == sum(len(one.EVENTS) for one in MODULES)


def test_every_name_is_known_and_stands_on_the_page() -> None:
    for name in (*METRICS, *EVENTS):
        assert is_known(name)
        assert name.partition(".")[2] in PAGE
    assert not is_known("http.server.duration")


def test_agents_have_the_names_of_our_documents() -> None:
    agents = {claude_code.AGENT, opencode.AGENT, codex.AGENT, copilot.AGENT}
    for agent in agents | set(gemini_cli.AGENTS.values()):
        assert agent_name(agent) == agent


@pytest.mark.parametrize(
    ("scope", "name", "full"),
    [
        ("com.anthropic.claude_code.events", "api_request", "claude_code.api_request"),
        ("com.anthropic.claude_code.events", "claude_code.api_request", "claude_code.api_request"),
        ("com.opencode", "api_request", "opencode.api_request"),
        ("com.opencode.telemetry.events", "opencode.tool_result", "opencode.tool_result"),
        ("gemini-cli", "gemini_cli.tool_call", "gemini_cli.tool_call"),
        ("elsewhere", "api_request", "api_request"),
    ],
)
def test_an_event_gets_its_sender_s_prefix(scope: str, name: str, full: str) -> None:
    assert full_name(scope, name) == full
