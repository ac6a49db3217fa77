"""Tokens in Claude Code's records, in the shapes that its versions write."""

import json
from typing import Any

import pytest

from ghapp.usage import claude_code
from ghapp.usage.answers import TokenCounts, UsageRecord, settled, total
from ghapp.usage.believed import IMPOSSIBLE, UNTIMED, left_out


def line(usage: dict[str, Any] | None = None, **changed: Any) -> bytes:
    message = {"id": "msg_1", "role": "assistant", "model": "claude-sonnet-5", "usage": usage or {}}
    message |= changed.pop("message", {})
    record = {
        "type": "assistant",
        "timestamp": "2026-05-20T12:00:00Z",
        "requestId": "req_1",
        "sessionId": "s1",
        "version": "2.1.240",
        "cwd": "/home/ann/shop",
        "message": message,
    }
    return json.dumps(record | changed).encode() + b"\n"


def of(name: str, *lines: bytes) -> list[UsageRecord]:
    found = list(claude_code.read(name, lines))
    assert all(isinstance(one, UsageRecord) for one in found)
    return [one for one in found if isinstance(one, UsageRecord)]


def tokens(*lines: bytes) -> TokenCounts:
    return total(settled(of("s1.jsonl", *lines)))


def test_an_answer_over_three_lines_counts_once_with_its_last_output() -> None:
    written = {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 3650}
    usage = {
        "input_tokens": 3,
        "cache_creation_input_tokens": 3650,
        "cache_read_input_tokens": 92000,
        "cache_creation": written,
    }
    outputs = [line(usage | {"output_tokens": output}) for output in (8, 8, 850)]
    assert tokens(*outputs) == TokenCounts(
        input=3, output=850, cache_read=92000, cache_write_1h=3650
    )


@pytest.mark.parametrize(
    ("usage", "minutes", "hour"),
    [
        ({"cache_creation_input_tokens": 7}, 7, 0),
        ({"cache_creation_input_tokens": 7, "cache_creation": None}, 7, 0),
        ({"cache_creation": {"ephemeral_5m_input_tokens": 4}}, 4, 0),
        (
            {
                "cache_creation_input_tokens": 9,
                "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 5},
            },
            4,
            5,
        ),
    ],
)
def test_writes_to_the_cache_are_told_apart(usage: dict[str, Any], minutes: int, hour: int) -> None:
    found = tokens(line(usage))
    assert (found.cache_write_5m, found.cache_write_1h) == (minutes, hour)


def test_thinking_is_told_where_it_is_recorded() -> None:
    assert tokens(line({"output_tokens_details": {"thinking_tokens": 5}})).reasoning == 5
    assert tokens(line({"output_tokens": 5})).reasoning is None


@pytest.mark.parametrize(
    "changed",
    [
        {"message": {"model": "<synthetic>"}},
        {"isApiErrorMessage": True},
        {"type": "user"},
        {"message": {"usage": None}},
    ],
    ids=str,
)
def test_what_used_no_tokens_is_no_answer(changed: dict[str, Any]) -> None:
    assert list(claude_code.read("s1.jsonl", [line({"output_tokens": 5}, **changed)])) == []


@pytest.mark.parametrize("value", [-1, "many", 2**63, 10**40, 1e308, 0.5, True, [], {}], ids=str)
@pytest.mark.parametrize("name", ["input_tokens", "output_tokens", "cache_read_input_tokens"])
def test_counts_that_cannot_be_are_named_and_nothing_is_counted(name: str, value: object) -> None:
    [found] = claude_code.read("s1.jsonl", [line({"output_tokens": 5} | {name: value})])
    assert found == left_out("claude-code", IMPOSSIBLE)


def test_an_answer_without_a_time_is_named() -> None:
    [found] = claude_code.read("s1.jsonl", [line({"output_tokens": 5}, timestamp="soon")])
    assert found == left_out("claude-code", UNTIMED)


def test_two_records_on_a_line_both_count() -> None:
    other = line({"output_tokens": 7}, message={"id": "msg_2"})
    assert tokens(line({"output_tokens": 5}).rstrip() + b"\0" + other).output == 12


def test_the_shape_of_the_published_sample() -> None:
    """An answer on three lines, one of a side conversation, and an error without tokens."""
    shared = {"input_tokens": 4, "cache_read_input_tokens": 70, "cache_creation_input_tokens": 20}
    shared |= {"cache_creation": {"ephemeral_1h_input_tokens": 20}}
    main = [line(shared | {"output_tokens": output}) for output in (6, 6, 740)]
    aside = line({"output_tokens": 160}, requestId="req_2", isSidechain=True, message={"id": "m2"})
    error = line({"output_tokens": 9}, isApiErrorMessage=True, message={"model": "<synthetic>"})
    assert tokens(*main, aside, error) == TokenCounts(
        input=4, output=900, cache_read=70, cache_write_1h=20
    )


def test_a_record_says_who_where_and_with_what() -> None:
    (found,) = of("s1.jsonl", line({"output_tokens": 5}, isSidechain=True))
    assert (found.agent_session, found.project, found.version) == (
        "s1",
        "/home/ann/shop",
        "2.1.240",
    )
    assert (found.model, found.is_aside) == ("claude-sonnet-5", True)


def test_fast_mode_the_batch_api_and_a_region_have_other_prices() -> None:
    said = {"speed": "fast", "service_tier": "batch", "inference_geo": "us"}
    plain = {"speed": "standard", "service_tier": "standard", "inference_geo": "not_available"}
    found = [*of("s1.jsonl", line(said)), *of("s1.jsonl", line(plain)), *of("s1.jsonl", line({}))]
    assert [one.variant for one in found] == ["batch,fast,us", "", ""]


def test_damaged_lines_never_stop_the_reading() -> None:
    good = line({"output_tokens": 5})
    assert tokens(b"\0\0", b'{"usage" "assistant"', good[:40], good, b"[]\n").output == 5
