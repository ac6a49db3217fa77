"""What Codex's events and metrics tell, in the shapes of codex-rs/otel."""

from typing import Any

import pytest

from ghapp.otlp.refusals import RefusalReason
from ghapp.otlp.told import ToldDecision
from ghapp.usage.answers import TokenCounts
from ghapp.usage.decisions import DecidedBy, EditDecision
from tests.otlp.sent import AT, bucketed, logs, metric, metrics, point, record, told

CODEX = {"service.name": "codex_cli_rs", "service.version": "0.153.4", "env": "prod"}
THREAD = "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000"
ABOUT = {
    "conversation.id": THREAD,
    "app.version": "0.153.4",
    "user.account_id": "acct-example",
    "user.email": "grace.example@example.com",
    "model": "gpt-5.3-codex",
}
ANSWER = {
    "event.kind": "response.completed",
    "input_token_count": "24000",
    "output_token_count": "610",
    "cached_token_count": 22000,
    "reasoning_token_count": 180,
    "tool_token_count": "24610",
}


def sent(name: str, **more: Any) -> Any:
    return told(logs(record(name, ABOUT | more), resource=CODEX, scope="codex_otel.log_only"))


def decisions(name: str = "codex.tool_decision", **more: Any) -> list[ToldDecision]:
    about = {"tool_name": "apply_patch", "call_id": "call_1", "arguments": "*** Begin Patch"}
    found: list[ToldDecision] = sent(name, **(about | more)).told.decisions
    return found


def test_an_answer_s_input_is_without_its_cache() -> None:
    (found,) = sent("codex.sse_event", **ANSWER).told.tokens
    assert found.tokens == TokenCounts(input=2_000, output=610, cache_read=22_000, reasoning=180)
    assert (found.model, found.answers) == ("gpt-5.3-codex", 1)
    assert found.key == f"{THREAD}/{AT}"
    teller = found.teller
    assert (teller.agent, teller.agent_version, teller.agent_session) == (
        "codex",
        "0.153.4",
        THREAD,
    )
    assert (teller.claims.email, teller.claims.account) == (
        "grace.example@example.com",
        "acct-example",
    )


def test_counts_that_are_not_sent_are_unknown_or_nothing() -> None:
    about = {key: ANSWER[key] for key in ("event.kind", "input_token_count", "output_token_count")}
    (found,) = sent("codex.sse_event", **about).told.tokens
    assert found.tokens == TokenCounts(input=24_000, output=610, reasoning=None)


@pytest.mark.parametrize(
    "about", [{"event.kind": "response.created"}, {"event.kind": "response.completed"}]
)
def test_other_events_of_the_stream_tell_nothing(about: dict[str, object]) -> None:
    meaning = sent("codex.sse_event", **about)
    assert (meaning.told.tokens, meaning.refused) == ([], {})


@pytest.mark.parametrize("about", [{"cached_token_count": 24_001}, {"reasoning_token_count": 611}])
def test_a_part_larger_than_its_whole_is_refused(about: dict[str, object]) -> None:
    meaning = sent("codex.sse_event", **(ANSWER | about))
    assert meaning.refused == {RefusalReason.DOES_NOT_ADD_UP: 1}


@pytest.mark.parametrize(
    ("word", "source", "decided", "by"),
    [
        ("approved", "Config", EditDecision.ACCEPTED, DecidedBy.AUTOMATIC),
        ("approvedforsession", "User", EditDecision.ACCEPTED, DecidedBy.PERSON),
        ("approved_for_session", "user", EditDecision.ACCEPTED, DecidedBy.PERSON),
        ("approved", "AutomatedReviewer", EditDecision.ACCEPTED, DecidedBy.AUTOMATIC),
        ("approved", "automated_reviewer", EditDecision.ACCEPTED, DecidedBy.AUTOMATIC),
        ("denied", "User", EditDecision.REFUSED, DecidedBy.PERSON),
        ("abort", "User", EditDecision.REFUSED, DecidedBy.PERSON),
        ("approved", "Oracle", EditDecision.ACCEPTED, None),
    ],
)
def test_a_decision_says_who_decided(
    word: str, source: str, decided: EditDecision, by: DecidedBy | None
) -> None:
    (found,) = decisions(decision=word, source=source)
    assert (found.decision, found.decided_by, found.key) == (decided, by, "call_1")
    assert (found.tool, found.language) == ("apply_patch", None)


def test_what_nobody_decided_is_no_decision() -> None:
    assert decisions(decision="timed_out", source="User") == []
    assert decisions(decision="approved", tool_name="shell") == []


def test_an_unknown_decision_is_refused() -> None:
    about = {"tool_name": "apply_patch", "decision": "postponed"}
    assert sent("codex.tool_decision", **about).refused == {RefusalReason.INCOMPLETE: 1}


def test_an_edit_that_failed_is_told() -> None:
    (failed,) = decisions("codex.tool_result", success="false")
    assert (failed.decision, failed.key) == (EditDecision.FAILED, "failed:call_1")
    assert decisions("codex.tool_result", success="true") == []


def turn(**counts: int) -> list[dict[str, Any]]:
    about = {"model": "gpt-5.3-codex", "app.version": "0.153.4"}
    return [bucketed(number, about | {"token_type": kind}) for kind, number in counts.items()]


def test_a_turn_s_histogram_is_told_by_its_sums() -> None:
    points = turn(total=24_610, input=24_000, cached_input=22_000, output=610, reasoning_output=180)
    request = metrics(
        metric(points, "codex.turn.token_usage", "histogram"), resource=CODEX, scope="codex"
    )
    (found,) = told(request).told.tokens
    assert found.tokens == TokenCounts(input=2_000, output=610, cache_read=22_000, reasoning=180)
    assert (found.teller.agent_session, found.answers) == (None, None)


def test_a_cache_without_its_input_is_refused() -> None:
    points = turn(cached_input=22_000, output=610)
    request = metrics(
        metric([*points, *turn(input=5)], "codex.turn.token_usage", "histogram"), resource=CODEX
    )
    meaning = told(request)
    assert (meaning.told.tokens, meaning.refused) == ([], {RefusalReason.DOES_NOT_ADD_UP: 3})


def test_threads_are_agent_sessions() -> None:
    request = metrics(metric([point(2)], "codex.thread.started"), resource=CODEX, scope="codex")
    assert [one.started for one in told(request).told.agent_sessions] == [2]
