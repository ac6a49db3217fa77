"""What Copilot tells from VS Code, in the shapes of its extension."""

from typing import Any

import pytest

from ghapp.otlp.refusals import RefusalReason
from ghapp.otlp.senders.copilot import language_of
from ghapp.summaries.languages import OTHER
from ghapp.summaries.languages import language_of as language_of_path
from ghapp.usage.answers import TokenCounts
from ghapp.usage.decisions import EditDecision
from tests.otlp.sent import bucketed, logs, metric, metrics, point, read_metrics, record, told

COPILOT = {"service.name": "copilot-chat", "service.version": "0.42.0", "session.id": "window-1"}
TOKENS = "gen_ai.client.token.usage"
ANSWER = "gen_ai.client.inference.operation.details"


def event(name: str, resource: dict[str, object] = COPILOT, **more: Any) -> Any:
    sent = record(name, more)
    sent["attributes"] = [one for one in sent["attributes"] if one["key"] != "session.id"]
    return told(logs(sent, resource=resource, scope=str(resource["service.name"])))


def histogram(service: str = "copilot-chat") -> Any:
    about = {"gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024-08-06"}
    points = [
        bucketed(number, about | {"gen_ai.token.type": kind})
        for kind, number in (("input", 12_500), ("output", 3_200))
    ]
    resource = COPILOT | {"service.name": service}
    return told(metrics(metric(points, TOKENS, "histogram"), resource=resource, scope=service))


@pytest.mark.parametrize("service", ["copilot-chat", "github-copilot"])
def test_a_histogram_is_told_by_its_sums(service: str) -> None:
    (found,) = histogram(service).told.tokens
    assert found.tokens == TokenCounts(input=12_500, output=3_200)
    assert (found.model, found.teller.agent) == ("gpt-4o-2024-08-06", "copilot")
    assert (found.teller.agent_version, found.teller.agent_session) == ("0.42.0", "window-1")


@pytest.mark.parametrize(
    ("service", "refused"),
    [("gemini-cli", {}), ("qwen-code", {}), ("shop-backend", {RefusalReason.UNKNOWN_SENDER: 1})],
)
def test_the_same_name_of_another_sender_is_not_copilot_s(
    service: str, refused: dict[RefusalReason, int]
) -> None:
    assert histogram(service).told.tokens == []
    resource: dict[str, object] = {"service.name": service}
    meaning = event(ANSWER, resource, **{"gen_ai.usage.output_tokens": 5})
    assert (meaning.told.tokens, meaning.refused) == ([], refused)


def test_an_unknown_kind_of_token_is_refused() -> None:
    points = [bucketed(5, {"gen_ai.token.type": "guessed"})]
    sent = metrics(metric(points, TOKENS, "histogram"), resource=COPILOT)
    assert read_metrics(sent).refused == {RefusalReason.INCOMPLETE: 1}


def test_an_answer_is_told_with_its_id() -> None:
    about = {
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.id": "b6f2",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
    }
    (found,) = event(ANSWER, **about).told.tokens
    assert (found.tokens, found.key) == (TokenCounts(input=100, output=20), "b6f2")
    assert (found.model, found.answers) == ("gpt-4o", 1)
    assert event(ANSWER, **{"error.type": "timeout"}).told.tokens == []


@pytest.mark.parametrize(
    ("name", "about", "tool", "decided", "lines"),
    [
        ("edit.feedback", {"outcome": "accepted"}, "chat_editing", EditDecision.ACCEPTED, None),
        (
            "edit.hunk.action",
            {"outcome": "accepted", "lines_added": 7},
            "chat_editing_hunk",
            EditDecision.ACCEPTED,
            7,
        ),
        (
            "edit.hunk.action",
            {"outcome": "rejected", "lines_added": 7},
            "chat_editing_hunk",
            EditDecision.REFUSED,
            None,
        ),
        ("inline.done", {"accepted": False}, "inline_chat", EditDecision.REFUSED, None),
        ("inline.done", {"accepted": True}, "inline_chat", EditDecision.ACCEPTED, None),
    ],
)
def test_a_person_s_action_is_a_decision(
    name: str, about: dict[str, object], tool: str, decided: EditDecision, lines: int | None
) -> None:
    about = about | {"language_id": "typescript", "request_id": "r1"}
    (found,) = event(f"copilot_chat.{name}", **about).told.decisions
    assert (found.tool, found.decision, found.lines) == (tool, decided, lines)
    # Several edits of one request are decided at once, and VS Code may do so by itself.
    assert (found.language, found.key, found.decided_by) == ("TypeScript", None, None)


@pytest.mark.parametrize("outcome", ["saved", "unknown"])
def test_what_decides_nothing_is_left_out(outcome: str) -> None:
    assert event("copilot_chat.edit.feedback", outcome=outcome).told.decisions == []
    about = {"copilot_chat.edit.outcome": outcome, "copilot_chat.edit.source": "chat_editing"}
    sent = metric([point(1, about=about)], "copilot_chat.edit.acceptance.count")
    assert told(metrics(sent, resource=COPILOT)).told.decisions == []


def test_counters_are_told() -> None:
    edit = {
        "copilot_chat.edit.source": "inline_chat",
        "copilot_chat.edit.outcome": "rejected",
        "copilot_chat.language_id": "python",
    }
    lines = [
        point(12, about={"type": "added", "copilot_chat.language_id": "go"}),
        point(3, about={"type": "removed"}),
    ]
    found = told(
        metrics(
            metric([point(2, about=edit)], "copilot_chat.edit.acceptance.count"),
            metric(lines, "copilot_chat.lines_of_code.count"),
            metric([point(1)], "copilot_chat.session.count"),
            resource=COPILOT,
            scope="copilot-chat",
        )
    ).told
    assert [(one.tool, one.decision, one.language, one.edits) for one in found.decisions] == [
        ("inline_chat", EditDecision.REFUSED, "Python", 2)
    ]
    assert [(one.added, one.language) for one in found.lines] == [(12, "Go")]
    assert [one.started for one in found.agent_sessions] == [1]


def test_an_edit_without_a_tool_is_refused() -> None:
    about = {"copilot_chat.edit.outcome": "accepted"}
    sent = metric([point(1, about=about)], "copilot_chat.edit.acceptance.count")
    assert told(metrics(sent, resource=COPILOT)).told.decisions == []


@pytest.mark.parametrize(
    ("identifier", "path"),
    [
        ("typescriptreact", "a.tsx"),
        ("csharp", "a.cs"),
        ("shellscript", "a.sh"),
        ("cpp", "a.cpp"),
        ("plaintext", "a.txt"),
        ("dockerfile", "Dockerfile"),
    ],
)
def test_languages_have_the_names_that_files_give_them(identifier: str, path: str) -> None:
    assert language_of(identifier) == language_of_path(path) != OTHER
    assert language_of("brainfuck") is language_of(None) is None
