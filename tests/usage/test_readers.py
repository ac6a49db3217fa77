"""Tokens of the agents with one record for each answer, in the shapes of published records."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from ghapp.usage import cline, copilot, kimi, opencode, pi, qwen
from ghapp.usage.answers import TokenCounts, UsageRecord, settled, total
from ghapp.usage.believed import IMPOSSIBLE, UNTIMED, Told, left_out

AT = "2026-05-20T12:00:00Z"
MS = 1779278400000
READ = Callable[[str, Iterable[bytes]], Iterator[Told]]


def lines(*records: object) -> list[bytes]:
    return [json.dumps(one).encode() + b"\n" for one in records]


def told(read: READ, name: str, *records: object) -> list[UsageRecord]:
    found = list(read(name, lines(*records)))
    assert all(isinstance(one, UsageRecord) for one in found), found
    return [one for one in found if isinstance(one, UsageRecord)]


def place(one: UsageRecord) -> tuple[Any, ...]:
    return one.agent_session, one.model, one.project, one.version, one.at.isoformat()


# --- OpenCode -----------------------------------------------------------------------------------

TOKENS = {"input": 100, "output": 20, "reasoning": 5, "cache": {"read": 60, "write": 7}}
OF_TOKENS = TokenCounts(input=100, output=25, cache_read=60, cache_write_5m=7, reasoning=5)


def message(**changed: Any) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "sessionID": "ses_1",
        "role": "assistant",
        "modelID": "glm-5",
        "providerID": "zai",
        "path": {"cwd": "/w", "root": "/w"},
        "time": {"created": MS, "completed": MS + 9},
        "cost": 0.01,
        "tokens": TOKENS,
    } | changed


def test_opencode_s_message_row_and_export_are_the_same_answer() -> None:
    row = message(directory="/w", version="1.2.20", path=None)
    newer = message(id="msg_9", modelID=None, model={"id": "glm-5", "providerID": "zai"})
    export = {"info": {"id": "ses_1", "directory": "/w"}, "messages": [{"info": message()}]}
    found = [
        *told(opencode.read, "msg_1.json", message()),
        *told(opencode.read, "opencode.db", row, newer),
        *told(opencode.read, "ses_1.json", export),
    ]
    assert len(found) == 4
    assert {one.model for one in found} == {"glm-5"}
    assert {one.project for one in found} == {"/w"}
    [one] = settled(found)
    assert one.tokens == OF_TOKENS


def test_opencode_s_fork_counts_in_the_first_agent_session() -> None:
    fork = message(id="msg_7", sessionID="ses_2")
    own = message(id="msg_8", sessionID="ses_2", time={"created": MS + 99})
    found = settled(told(opencode.read, "opencode.db", fork, own, message()))
    assert [one.agent_session for one in found] == ["ses_1", "ses_2"]


def test_opencode_s_rows_that_cannot_be_read_are_named() -> None:
    broken = opencode.read("opencode.db", [b"{broken", b"\n"])
    assert {one.what for one in broken if not isinstance(one, UsageRecord)} == {opencode.UNREADABLE}


def test_opencode_s_messages_without_tokens_are_no_answers() -> None:
    nothing = TOKENS | {"input": 0, "output": 0, "reasoning": 0, "cache": {}}
    user = {"id": "msg_0", "sessionID": "ses_1", "role": "user", "time": {"created": MS}}
    assert told(opencode.read, "opencode.db", user, message(tokens=nothing)) == []


# --- Copilot ------------------------------------------------------------------------------------


def shutdown(at: str = AT, requests: int = 1, **usage: int) -> dict[str, Any]:
    counts = {"inputTokens": 100, "outputTokens": 20, "cacheReadTokens": 60} | usage
    metrics = {"gpt-5.4": {"requests": {"count": requests, "cost": 1}, "usage": counts}}
    return {"type": "session.shutdown", "timestamp": at, "data": {"modelMetrics": metrics}}


START = {
    "type": "session.start",
    "timestamp": AT,
    "data": {"sessionId": "s1", "copilotVersion": "1.0.12", "context": {"cwd": "/w"}},
}
ANSWER = {"type": "assistant.message", "timestamp": AT, "data": {"content": "hi"}}


def test_copilot_s_sums_count_what_each_shutdown_adds() -> None:
    later = shutdown("2026-05-21T12:00:00Z", 3, inputTokens=300, outputTokens=50)
    first, added = told(copilot.read, "s1/events.jsonl", START, ANSWER, shutdown(), ANSWER, later)
    assert first.tokens == TokenCounts(input=40, output=20, cache_read=60, reasoning=0)
    assert added.tokens == TokenCounts(input=200, output=30, reasoning=0)
    assert place(added) == ("s1", "gpt-5.4", "/w", "1.0.12", "2026-05-21T12:00:00+00:00")
    assert (first.answers, added.answers) == (1, 2)


def test_copilot_s_sums_that_begin_anew_count_whole() -> None:
    again = shutdown("2026-05-21T12:00:00Z", inputTokens=70, cacheReadTokens=0, outputTokens=9)
    found = told(copilot.read, "s1/events.jsonl", START, shutdown(), again)
    assert total(found) == TokenCounts(input=110, output=29, cache_read=60, reasoning=0)


def test_copilot_s_shutdown_that_is_told_twice_counts_once() -> None:
    assert len(told(copilot.read, "s1/events.jsonl", START, shutdown(), shutdown())) == 1
    copies = [*told(copilot.read, "a/events.jsonl", START, shutdown())] * 2
    assert len(settled(copies)) == 1


def test_copilot_s_open_session_is_named() -> None:
    found = copilot.read("s1/events.jsonl", lines(START, ANSWER))
    assert list(found) == [left_out("copilot", copilot.OPEN)]


# --- the others ---------------------------------------------------------------------------------


def test_qwen_counts_thoughts_once_whichever_way_a_model_counts_them() -> None:
    usage = {"promptTokenCount": 100, "candidatesTokenCount": 20, "thoughtsTokenCount": 5}
    usage |= {"cachedContentTokenCount": 60}
    record = {"type": "assistant", "uuid": "u1", "sessionId": "s", "timestamp": AT, "cwd": "/w"}
    record |= {"version": "0.9.1", "model": "qwen3-coder"}
    [beside] = told(
        qwen.read, "s.jsonl", record | {"usageMetadata": usage | {"totalTokenCount": 125}}
    )
    [inside] = told(
        qwen.read, "s.jsonl", record | {"usageMetadata": usage | {"totalTokenCount": 120}}
    )
    assert beside.tokens == TokenCounts(input=40, output=25, cache_read=60, reasoning=5)
    assert inside.tokens == TokenCounts(input=40, output=20, cache_read=60, reasoning=5)
    assert place(inside) == ("s", "qwen3-coder", "/w", "0.9.1", "2026-05-20T12:00:00+00:00")
    assert len(settled([beside, beside])) == 1


def test_pi_counts_each_answer_and_a_fork_s_copies_once() -> None:
    usage = {"input": 100, "output": 20, "cacheRead": 60, "cacheWrite": 7, "totalTokens": 187}
    answer = {"role": "assistant", "model": "glm-5", "usage": usage}
    entry = {"type": "message", "id": "a1b2c3d4", "timestamp": AT, "message": answer}
    first = {"type": "session", "id": "s1", "timestamp": AT, "cwd": "/w"}
    [found] = told(pi.read, "s1.jsonl", first, entry)
    assert found.tokens == TokenCounts(input=100, output=20, cache_read=60, cache_write_5m=7)
    assert place(found)[:3] == ("s1", "glm-5", "/w")
    [copy] = told(pi.read, "s2.jsonl", first | {"id": "s2"}, entry)
    [one] = settled([copy, found])
    assert one.agent_session == "s1"


WIRE = "sessions/ws/0a1b/agents/main/wire.jsonl"


def test_kimi_s_turns_count_and_its_sums_do_not() -> None:
    usage = {"inputOther": 100, "output": 20, "inputCacheRead": 60, "inputCacheCreation": 7}
    record = {"type": "usage.record", "model": "kimi-k3", "usage": usage, "time": MS}
    config = {"type": "config.update", "cwd": "/w"}
    turn, whole = record | {"usageScope": "turn"}, record | {"usageScope": "session"}
    [found] = told(kimi.read, WIRE, config, turn, whole)
    assert found.tokens == TokenCounts(input=100, output=20, cache_read=60, cache_write_5m=7)
    assert place(found)[:3] == ("0a1b-main", "kimi-k3", "/w")


def test_kimi_s_older_status_tells_seconds() -> None:
    usage = {"input_other": 100, "output": 20, "input_cache_read": 60, "input_cache_creation": 0}
    status = {"type": "StatusUpdate", "payload": {"token_usage": usage, "message_id": "m"}}
    [found] = told(kimi.read, WIRE, {"timestamp": MS / 1000, "message": status})
    assert found.tokens == TokenCounts(input=100, output=20, cache_read=60)
    assert found.at.isoformat() == "2026-05-20T12:00:00+00:00"


def test_cline_s_command_line_tells_tokens() -> None:
    metrics = {"inputTokens": 100, "outputTokens": 20, "cacheReadTokens": 60, "cost": 0.1}
    answer = {"role": "assistant", "ts": MS, "modelInfo": {"id": "glm-5"}, "metrics": metrics}
    document = {"version": 1, "sessionId": "s1", "messages": [{"role": "user"}, answer, 7]}
    [found] = told(cline.read, "s1.messages.json", document)
    assert found.tokens == TokenCounts(input=100, output=20, cache_read=60)
    assert place(found)[:2] == ("s1", "glm-5")


def test_the_tasks_of_editors_are_named_by_their_agent() -> None:
    name = "globalStorage/rooveterinaryinc.roo-cline/tasks/7/api_conversation_history.json"
    found = list(cline.read(name, lines([{"role": "assistant", "content": "hi", "ts": MS}])))
    assert found == [left_out("roo-code", cline.ELSEWHERE)]


# --- what cannot be -----------------------------------------------------------------------------

ONE: dict[str, tuple[READ, str, Callable[[object, object], list[object]]]] = {
    "opencode": (
        opencode.read,
        "opencode.db",
        lambda count, at: [message(tokens=TOKENS | {"output": count}, time={"created": at})],
    ),
    "copilot": (
        copilot.read,
        "s1/events.jsonl",
        lambda count, at: [shutdown(at, outputTokens=count)],  # type: ignore[arg-type]
    ),
    "qwen-code": (
        qwen.read,
        "s.jsonl",
        lambda count, at: [
            {
                "type": "assistant",
                "sessionId": "s",
                "timestamp": at,
                "usageMetadata": {"candidatesTokenCount": count},
            }
        ],
    ),
    "pi": (
        pi.read,
        "s.jsonl",
        lambda count, at: [
            {
                "type": "message",
                "id": "a",
                "timestamp": at,
                "message": {"role": "assistant", "usage": {"output": count}},
            }
        ],
    ),
    "kimi": (
        kimi.read,
        WIRE,
        lambda count, at: [{"type": "usage.record", "usage": {"output": count}, "time": at}],
    ),
    "cline": (
        cline.read,
        "s.messages.json",
        lambda count, at: [
            {"messages": [{"role": "assistant", "ts": at, "metrics": {"outputTokens": count}}]}
        ],
    ),
}


@pytest.mark.parametrize("agent", sorted(ONE))
@pytest.mark.parametrize("count", [-1, "7", 2**63, 10**40, 0.5, True, []], ids=str)
def test_counts_that_cannot_be_are_named(agent: str, count: object) -> None:
    read, name, made = ONE[agent]
    at = MS if agent in ("opencode", "kimi", "cline") else AT
    assert list(read(name, lines(*made(count, at)))) == [left_out(agent, IMPOSSIBLE)]


@pytest.mark.parametrize("agent", sorted(ONE))
@pytest.mark.parametrize("at", [None, "soon", [], {}, 1e308], ids=str)
def test_times_that_cannot_be_are_named(agent: str, at: object) -> None:
    read, name, made = ONE[agent]
    assert list(read(name, lines(*made(7, at)))) == [left_out(agent, UNTIMED)]
