"""What Gemini CLI and Qwen Code tell, in the shapes of their telemetry modules."""

from typing import Any

import pytest

from ghapp.otlp.refusals import RefusalReason
from ghapp.otlp.told import ToldDecision
from ghapp.usage.answers import TokenCounts
from ghapp.usage.decisions import DecidedBy, EditDecision
from tests.otlp.sent import CUMULATIVE, logs, metric, metrics, point, record, told

GEMINI = {"service.name": "gemini-cli", "service.version": "v22.19.0"}
QWEN = {"service.name": "qwen-code", "service.version": "0.9.1"}
WHO = {"installation.id": "5c0d", "user.email": "ada.example@example.com"}
ANSWER = {
    "model": "gemini-3-pro",
    "input_token_count": 9_000,
    "output_token_count": 400,
    "cached_content_token_count": 7_000,
    "thoughts_token_count": 150,
    "tool_token_count": 20,
    "total_token_count": 9_570,
    "response_text": "never kept",
}


def gemini(name: str, **more: Any) -> Any:
    event = record(f"gemini_cli.{name}", WHO | more, body={"stringValue": "API response from x."})
    return told(logs(event, resource=GEMINI, scope="gemini-cli"))


def qwen(name: str, **more: Any) -> Any:
    return told(logs(record(f"qwen-code.{name}", more), resource=QWEN, scope="qwen-code"))


def test_an_answer_is_told_in_our_words() -> None:
    (found,) = gemini("api_response", **ANSWER).told.tokens
    assert found.tokens == TokenCounts(
        input=2_020, output=550, cache_read=7_000, cache_write_5m=0, reasoning=150
    )
    assert found.teller.agent == "gemini-cli"
    assert found.teller.claims.installation == "5c0d"


def test_the_version_of_node_js_is_not_the_agent_s() -> None:
    (found,) = gemini("api_response", **ANSWER).told.tokens
    assert found.teller.agent_version is None
    (other,) = qwen("api_response", **ANSWER).told.tokens
    assert (other.teller.agent, other.teller.agent_version) == ("qwen-code", "0.9.1")


@pytest.mark.parametrize(
    ("total", "output"),
    [(9_550, 550), (9_400, 400), (0, 400), (None, 400)],
)
def test_thoughts_are_inside_output_or_beside_it_as_the_total_says(
    total: int | None, output: int
) -> None:
    about = ANSWER | {"tool_token_count": 0, "total_token_count": total, "response_id": "chat-1"}
    about = {key: one for key, one in about.items() if one is not None}
    (found,) = qwen("api_response", **about).told.tokens
    assert (found.tokens.output, found.tokens.reasoning) == (output, 150)
    assert found.key == "chat-1"


@pytest.mark.parametrize(
    "about",
    [
        {"cached_content_token_count": 9_001},
        {"thoughts_token_count": 401, "total_token_count": 9_400},
    ],
)
def test_a_part_larger_than_its_whole_is_refused(about: dict[str, int]) -> None:
    meaning = gemini("api_response", **(ANSWER | about))
    assert meaning.refused == {RefusalReason.DOES_NOT_ADD_UP: 1}


def test_an_answer_without_a_count_is_refused() -> None:
    assert gemini("api_response", model="m").refused == {RefusalReason.INCOMPLETE: 1}


def call(**more: Any) -> list[ToldDecision]:
    found: list[ToldDecision] = gemini(
        "tool_call", **({"function_name": "replace"} | more)
    ).told.decisions
    return found


@pytest.mark.parametrize(
    ("about", "decided", "by"),
    [
        ({"decision": "accept", "success": True}, EditDecision.ACCEPTED, DecidedBy.PERSON),
        ({"decision": "modify", "success": True}, EditDecision.ACCEPTED, DecidedBy.PERSON),
        ({"decision": "auto_accept", "success": True}, EditDecision.ACCEPTED, DecidedBy.AUTOMATIC),
        ({"decision": "reject", "success": False}, EditDecision.REFUSED, DecidedBy.PERSON),
        ({"decision": "accept", "success": False}, EditDecision.FAILED, None),
        ({"success": True}, EditDecision.ACCEPTED, None),
        ({"success": False}, EditDecision.FAILED, None),
    ],
)
def test_a_call_is_decided_or_failed(
    about: dict[str, object], decided: EditDecision, by: DecidedBy | None
) -> None:
    (found,) = call(**about)
    assert (found.decision, found.decided_by) == (decided, by)
    # Two calls may end in the same millisecond.
    assert (found.tool, found.key) == ("replace", None)


def test_a_call_that_edits_nothing_decides_nothing() -> None:
    assert call(function_name="read_file", decision="accept") == []


def test_a_call_without_an_outcome_is_refused() -> None:
    assert gemini("tool_call", function_name="replace").refused == {RefusalReason.INCOMPLETE: 1}


def usage(prefix: str, **counts: int) -> dict[str, Any]:
    points = [point(number, about={"type": kind}) for kind, number in counts.items()]
    return metric(points, f"{prefix}.token.usage", temporality=CUMULATIVE)


def test_counters_of_an_export_are_put_together() -> None:
    counts = {"input": 9_000, "output": 400, "cache": 7_000, "thought": 150}
    gemini_usage = usage("gemini_cli", **counts, tool=20)
    (found,) = told(metrics(gemini_usage, resource=GEMINI, scope="gemini-cli")).told.tokens
    assert found.tokens == TokenCounts(input=2_020, output=550, cache_read=7_000, reasoning=150)
    qwen_usage = usage("qwen-code", **counts)
    (other,) = told(metrics(qwen_usage, resource=QWEN, scope="qwen-code")).told.tokens
    assert other.tokens == TokenCounts(input=2_000, output=400, cache_read=7_000, reasoning=150)


def test_an_unknown_kind_of_token_is_refused() -> None:
    request = metrics(usage("gemini_cli", unheard_of=3), resource=GEMINI)
    assert told(request).told.tokens == []


def test_lines_and_agent_sessions_are_told() -> None:
    lines = [point(30, about={"type": "added"}), point(9, about={"type": "removed"})]
    found = told(
        metrics(
            metric(lines, "gemini_cli.lines.changed"),
            metric([point(1)], "gemini_cli.session.count"),
            resource=GEMINI,
        )
    ).told
    assert ([one.added for one in found.lines], found.agent_sessions[0].started) == ([30], 1)
