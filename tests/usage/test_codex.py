"""Tokens in Codex's rollouts; the shapes of forks are those of ccusage#1349, #1371 and #1460."""

import json
from typing import Any

import pytest

from ghapp.usage import codex
from ghapp.usage.answers import TokenCounts, UsageRecord, settled, total
from ghapp.usage.believed import IMPOSSIBLE, left_out


def line(kind: str, payload: dict[str, Any], at: str = "2026-06-25T10:00:00Z") -> bytes:
    return json.dumps({"timestamp": at, "type": kind, "payload": payload}).encode() + b"\n"


AT = "2026-06-25T10:00:00Z"
FORKED, ANSWERED = "2026-06-26T09:00:00Z", "2026-06-26T09:00:07Z"


def meta(thread: str, at: str = AT, **more: Any) -> bytes:
    return line("session_meta", {"id": thread, "cwd": "/home/ann/shop"} | more, at)


def counted(total_input: int, last_input: int, at: str = "2026-06-25T10:00:00Z") -> bytes:
    usage = [
        {
            "input_tokens": count,
            "cached_input_tokens": count // 2,
            "output_tokens": 10,
            "reasoning_output_tokens": 4,
            "total_tokens": count + 10,
        }
        for count in (total_input, last_input)
    ]
    info = {"total_token_usage": usage[0], "last_token_usage": usage[1]}
    return line("event_msg", {"type": "token_count", "info": info}, at)


MODEL = line("turn_context", {"model": "gpt-5.5", "cwd": "/home/ann/shop"})


def of(*files: list[bytes]) -> list[UsageRecord]:
    found = (one for lines in files for one in codex.read("rollout.jsonl", lines))
    return [one for one in found if isinstance(one, UsageRecord)]


def tokens(*files: list[bytes]) -> TokenCounts:
    return total(settled(of(*files)))


def test_the_last_request_counts_and_not_the_running_total() -> None:
    lines = [meta("a"), MODEL, counted(100, 100), counted(300, 200)]
    assert tokens(lines) == TokenCounts(input=150, output=20, cache_read=150, reasoning=8)


def test_an_event_that_only_repeats_the_totals_counts_once() -> None:
    assert tokens([meta("a"), counted(100, 100), counted(100, 100)]).input == 50


def test_a_limit_without_tokens_is_passed_over() -> None:
    limits = line("event_msg", {"type": "token_count", "info": None, "rate_limits": {}})
    assert tokens([meta("a"), limits, counted(100, 100)]).input == 50


def test_a_fork_s_copied_history_counts_in_its_parent_alone() -> None:
    parent = [meta("a"), MODEL, counted(100, 100), counted(300, 200)]
    copied = [counted(100, 100, FORKED), counted(300, 200, FORKED)]
    start = [meta("b", FORKED, forked_from_id="a"), meta("a", FORKED)]
    fork = [*start, *copied, counted(600, 300, ANSWERED)]
    assert tokens(parent, fork).input == tokens(fork, parent).input == 300
    assert tokens(fork).input == 150
    again = [meta("c", FORKED, forked_from_id="b"), *start, *copied, counted(600, 300, FORKED)]
    assert tokens(parent, fork, [*again, counted(700, 100, ANSWERED)]).input == 350


def test_a_copy_that_keeps_its_times_counts_in_its_parent() -> None:
    later = "2026-06-25T10:05:00Z"
    parent = [meta("a"), MODEL, counted(100, 100), counted(300, 200, later)]
    fork = [meta("b", ANSWERED, forked_from_id="a"), meta("a"), *parent[2:]]
    both = settled(of(fork, parent))
    assert total(both).input == 150
    assert {one.agent_session for one in both} == {"a"}


def test_a_subagent_names_its_parent_in_its_source() -> None:
    source = {"subagent": {"thread_spawn": {"parent_thread_id": "a", "depth": 1}}}
    [found] = of([meta("b", source=source), counted(100, 100)])
    assert (found.is_aside, found.agent_session) == (True, "b")


def test_early_versions_tell_the_totals_alone() -> None:
    def totals(count: int) -> bytes:
        usage = {"input_tokens": count, "output_tokens": count // 10}
        info = {"total_token_usage": usage}
        return line("event_msg", {"type": "token_count", "info": info})

    assert tokens([meta("a"), totals(100), totals(100), totals(300)]).input == 300


def usage_record(id_: str) -> bytes:
    return line("token_usage_record", {"response_id": id_, "usage": {"input_tokens": 7}})


def test_a_compaction_s_own_request_counts_unless_an_event_counts_it() -> None:
    compacted = line("compacted", {"message": "", "compaction_response_id": "r1"})
    request, other = usage_record("r1"), usage_record("r2")
    assert tokens([meta("a"), other, request, compacted, compacted]).input == 7
    assert tokens([meta("a"), compacted, request]).input == 7
    assert tokens([meta("a"), other]).input == 0
    usage = {"input_tokens": 7}
    info = {"total_token_usage": usage, "last_token_usage": usage}
    counted_too = line("event_msg", {"type": "token_count", "info": info})
    assert tokens([meta("a"), request, counted_too, compacted]).input == 7


def test_independent_threads_with_equal_counts_both_count() -> None:
    assert tokens([meta("a"), counted(100, 100)], [meta("b"), counted(100, 100)]).input == 100


def test_a_request_has_the_model_of_its_turn() -> None:
    other = line("turn_context", {"model": "gpt-5.5-mini"})
    found = of([meta("a"), MODEL, counted(1, 1), other, counted(2, 1)])
    assert [one.model for one in found] == ["gpt-5.5", "gpt-5.5-mini"]


@pytest.mark.parametrize(
    "usage",
    [
        {"input_tokens": 5, "cached_input_tokens": 9, "output_tokens": 1},
        {"input_tokens": -5},
        {"output_tokens": 2**63},
        [5],
    ],
    ids=str,
)
def test_counts_that_cannot_be_are_named(usage: object) -> None:
    info = {"total_token_usage": {}, "last_token_usage": usage}
    event = line("event_msg", {"type": "token_count", "info": info})
    assert list(codex.read("r", [meta("a"), event])) == [left_out("codex", IMPOSSIBLE)]
