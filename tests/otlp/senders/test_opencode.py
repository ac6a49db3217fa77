"""OpenCode's plugins are told apart from Claude Code, whose names they copy."""

import pytest

from ghapp.usage.answers import TokenCounts
from ghapp.usage.decisions import EditDecision
from tests.otlp.sent import CLAUDE, CLAUDE_SCOPE, logs, metric, metrics, point, record, told

OWN = {"session.id": "ses_4a7be1fffeRcZ"}
OPENCODE = {"service.name": "opencode", "app.version": "1.2.0"}


@pytest.mark.parametrize(
    ("name", "resource", "scope", "about"),
    [
        ("opencode.token.usage", OPENCODE, "com.opencode", OWN),
        ("claude_code.token.usage", OPENCODE, "com.opencode", {}),
        ("claude_code.token.usage", OPENCODE, CLAUDE_SCOPE, {}),
        ("claude_code.token.usage", CLAUDE, CLAUDE_SCOPE, OWN),
    ],
)
def test_a_plugin_is_opencode_whatever_it_calls_itself(
    name: str, resource: dict[str, object], scope: str, about: dict[str, object]
) -> None:
    request = metrics(metric([point(5, about=about)], name), resource=resource, scope=scope)
    (found,) = told(request).told.tokens
    # The version is the plugin's.
    assert (found.teller.agent, found.teller.agent_version) == ("opencode", None)


def test_an_answer_has_reasoning_beside_output() -> None:
    about = {"input_tokens": 5, "output_tokens": 100, "reasoning_tokens": 30, "model": "m"}
    event = record("api_request", OWN | about, body={"stringValue": "api_request"})
    (found,) = told(logs(event, resource=OPENCODE, scope="com.opencode")).told.tokens
    assert found.tokens == TokenCounts(input=5, output=130, reasoning=30)
    points = [
        point(number, about=OWN | {"type": kind})
        for kind, number in (("input", 5), ("output", 100), ("reasoning", 30))
    ]
    (counted,) = told(
        metrics(metric(points, "opencode.token.usage"), resource=OPENCODE, scope="com.opencode")
    ).told.tokens
    assert counted.tokens == found.tokens


def test_a_decision_is_told() -> None:
    about = {"tool_name": "edit", "decision": "reject", "source": "reject"}
    event = record("tool_decision", OWN | about)
    (found,) = told(logs(event, resource=OPENCODE, scope="com.opencode")).told.decisions
    assert (found.decision, found.decided_by) == (EditDecision.REFUSED, None)


def test_events_of_a_plugin_that_poses_are_opencode_s() -> None:
    about = OWN | {"input_tokens": 5, "output_tokens": 100}
    (found,) = told(logs(record("api_request", about))).told.tokens
    assert found.teller.agent == "opencode"
