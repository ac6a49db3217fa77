"""What Claude Code's metrics and events tell, in the shapes of its documentation."""

from typing import Any

import pytest

from ghapp.otlp.refusals import RefusalReason
from ghapp.otlp.senders.claude_code import counts_once
from ghapp.otlp.told import IdentityClaims, TelemetrySource, ToldDecision, ToldTokens
from ghapp.usage.answers import TokenCounts
from ghapp.usage.decisions import DecidedBy, EditDecision
from tests.otlp.sent import (
    AGENT_SESSION,
    CLAUDE,
    logs,
    metric,
    metrics,
    point,
    read_metrics,
    record,
    told,
)

WHO = {
    "user.id": "1c5f0e2b9d7a4c3e8f6a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4",
    "user.email": "Ada.Example@example.com",
    "user.account_uuid": "0b9c8d7e-6f5a-4b3c-9d2e-1f0a9b8c7d6e",
    "user.account_id": "user_01EXAMPLE",
    "enduser.id": "ada",
    "vcs.repository.url.full": "https://github.com/Acme/app",
}
ANSWER = {
    "model": "claude-sonnet-5",
    "input_tokens": "12",
    "output_tokens": 850,
    "cache_read_tokens": "92000",
    "cache_creation_tokens": 3650.0,
    "request_id": "req_011",
    "query_source": "repl_main_thread",
}


def answer(**more: Any) -> ToldTokens:
    (found,) = told(logs(record("api_request", WHO | ANSWER | more))).told.tokens
    return found


def decision(name: str = "tool_decision", **more: Any) -> list[ToldDecision]:
    about = {"tool_name": "Edit", "tool_use_id": "toolu_01", "decision": "accept"}
    return told(logs(record(name, about | more))).told.decisions


def test_an_answer_is_told_with_its_request() -> None:
    found = answer()
    assert found.tokens == TokenCounts(
        input=12, output=850, cache_read=92_000, cache_write_unsplit=3_650
    )
    assert (found.model, found.answers, found.key) == ("claude-sonnet-5", 1, "req_011")
    assert found.at.isoformat() == "2026-11-30T09:00:00+00:00"
    assert not found.is_aside


def test_who_told_it_is_what_the_sender_claims() -> None:
    teller = answer().teller
    assert (teller.source, teller.agent) == (TelemetrySource.EVENTS, "claude-code")
    assert (teller.agent_version, teller.agent_session) == ("2.1.274", AGENT_SESSION)
    assert teller.repository == "github.com/acme/app"
    assert teller.claims == IdentityClaims(
        email="ada.example@example.com",
        account="0b9c8d7e-6f5a-4b3c-9d2e-1f0a9b8c7d6e",
        installation=WHO["user.id"],
        person="ada",
    )


def test_an_api_key_names_an_installation_only() -> None:
    about = {"user.id": WHO["user.id"]}
    (found,) = told(logs(record("api_request", ANSWER | about))).told.tokens
    assert found.teller.claims == IdentityClaims(installation=WHO["user.id"])


def test_the_resource_stands_in_for_what_an_event_lacks() -> None:
    resource = CLAUDE | {"enduser.id": "grace", "github.login": "grace-example"}
    (found,) = told(logs(record("api_request", ANSWER), resource=resource)).told.tokens
    assert found.teller.claims == IdentityClaims(person="grace", login="grace-example")


@pytest.mark.parametrize("source", ["agent:builtin:Explore", "subagent"])
def test_a_subagent_s_answer_is_aside(source: str) -> None:
    assert answer(query_source=source).is_aside


def test_fast_mode_has_another_price() -> None:
    assert [answer(speed=one).variant for one in ("fast", "standard")] == ["fast", ""]


def test_an_answer_without_a_request_is_known_by_its_place() -> None:
    about = {key: one for key, one in ANSWER.items() if key != "request_id"}
    numbered = record("api_request", about | {"event.sequence": 4})
    found = told(logs(numbered, record("api_request", about))).told.tokens
    assert [one.key for one in found] == [f"{AGENT_SESSION}/4/1796029200000000000", None]


@pytest.mark.parametrize("lacking", ["input_tokens", "output_tokens"])
def test_an_answer_without_a_count_is_refused(lacking: str) -> None:
    about = {key: one for key, one in ANSWER.items() if key != lacking}
    meaning = told(logs(record("api_request", about)))
    assert (meaning.told.tokens, meaning.refused) == ([], {RefusalReason.INCOMPLETE: 1})


@pytest.mark.parametrize(
    ("version", "once"),
    [("2.1.213", False), ("1.0.99", False), ("2.1.214", True), ("2.2.0", True), ("dev", True)],
)
def test_versions_that_counted_twice_are_not_comparable(version: str, once: bool) -> None:  # noqa: FBT001 - a parameter
    assert counts_once(version) is once


@pytest.mark.parametrize(
    ("word", "source", "decided", "by"),
    [
        ("accept", "config", EditDecision.ACCEPTED, DecidedBy.AUTOMATIC),
        ("accept", "hook", EditDecision.ACCEPTED, DecidedBy.AUTOMATIC),
        ("accept", "user_temporary", EditDecision.ACCEPTED, DecidedBy.PERSON),
        ("accept", "user_permanent", EditDecision.ACCEPTED, DecidedBy.PERSON),
        ("reject", "user_reject", EditDecision.REFUSED, DecidedBy.PERSON),
        ("reject", "user_abort", EditDecision.REFUSED, DecidedBy.PERSON),
        ("accept", "something_new", EditDecision.ACCEPTED, None),
    ],
)
def test_a_decision_says_who_decided(
    word: str, source: str, decided: EditDecision, by: DecidedBy | None
) -> None:
    (event,) = decision(decision=word, source=source)
    about = {"tool_name": "Edit", "decision": word, "source": source, "language": "Python"}
    name = "claude_code.code_edit_tool.decision"
    (counted,) = told(metrics(metric([point(3, about=about)], name))).told.decisions
    assert (event.decision, event.decided_by, event.edits) == (decided, by, 1)
    assert (counted.decision, counted.decided_by, counted.edits) == (decided, by, 3)
    assert (event.tool, event.key, event.language) == ("Edit", "toolu_01", None)
    assert (counted.tool, counted.key, counted.language) == ("Edit", None, "Python")


def test_a_tool_that_edits_nothing_decides_nothing() -> None:
    assert decision(tool_name="Bash") == []


def test_an_edit_that_failed_is_told_apart_from_its_decision() -> None:
    assert decision("tool_result", success="true") == []
    for success in ("false", False):
        (failed,) = decision("tool_result", success=success)
        assert (failed.decision, failed.decided_by) == (EditDecision.FAILED, None)
        assert failed.key == "failed:toolu_01"


def test_an_unknown_decision_is_refused() -> None:
    meaning = told(logs(record("tool_decision", {"tool_name": "Edit", "decision": "perhaps"})))
    assert meaning.refused == {RefusalReason.INCOMPLETE: 1}


def test_agent_sessions_that_only_look_are_left_out() -> None:
    starts = [point(1, about={"start_type": one}) for one in ("fresh", "resume", "agents_view")]
    found = told(metrics(metric(starts, "claude_code.session.count"))).told.agent_sessions
    assert sum(one.started for one in found) == 2


def test_added_lines_are_told_and_removed_ones_are_not() -> None:
    points = [point(42, about={"type": "added"}), point(7, about={"type": "removed"})]
    (found,) = told(metrics(metric(points, "claude_code.lines_of_code.count"))).told.lines
    assert (found.added, found.model) == (42, "claude-opus-5")


def test_a_series_without_its_kind_is_refused() -> None:
    wrong = [
        metric([point(1, about={"type": "thoughts"})]),
        metric([point(1, about={"tool_name": "Edit"})], "claude_code.code_edit_tool.decision"),
        metric([point(1, about={"decision": "accept"})], "claude_code.code_edit_tool.decision"),
    ]
    assert read_metrics(metrics(*wrong)).refused == {RefusalReason.INCOMPLETE: 3}


def test_an_unknown_language_is_none() -> None:
    about = {"tool_name": "Write", "decision": "accept", "language": "unknown"}
    name = "claude_code.code_edit_tool.decision"
    (found,) = told(metrics(metric([point(1, about=about)], name))).told.decisions
    assert found.language is None


@pytest.mark.parametrize(
    ("resource", "scope"),
    [
        ({"service.name": "my-dashboard"}, "com.anthropic.claude_code"),
        ({"service.name": "claude-code"}, "prometheus-relay"),
    ],
)
def test_another_program_s_copy_is_refused(resource: dict[str, object], scope: str) -> None:
    meaning = told(logs(record("claude_code.api_request", ANSWER), resource=resource, scope=scope))
    assert meaning.refused == {RefusalReason.UNKNOWN_SENDER: 1}
    assert told(metrics(metric([point(1)]), resource=resource, scope=scope)).told.tokens == []


def test_the_desktop_app_is_claude_code() -> None:
    resource = {"service.name": "claude-code-desktop"}
    assert told(metrics(metric([point(1)]), resource=resource)).told.tokens[0].model
