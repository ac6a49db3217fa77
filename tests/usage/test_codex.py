"""Tokens in Codex's rollouts; the shapes of forks are those of ccusage#1349, #1371 and #1460."""

import json
from typing import Any

from ghapp.usage import codex
from ghapp.usage.answers import TokenCounts, settled, total


def line(kind: str, payload: dict[str, Any], at: str = "2026-06-25T10:00:00Z") -> bytes:
    return json.dumps({"timestamp": at, "type": kind, "payload": payload}).encode() + b"\n"


def meta(thread: str, **more: Any) -> bytes:
    return line("session_meta", {"id": thread, "cwd": "/home/ann/shop"} | more)


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


def tokens(*files: list[bytes]) -> TokenCounts:
    found = (one for lines in files for one in codex.read("rollout.jsonl", lines))
    return total(settled(found))


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
    fork_at = "2026-06-26T09:00:00Z"
    copied = [counted(100, 100, fork_at), counted(300, 200, fork_at)]
    fork = [meta("b", forked_from_id="a"), meta("a"), *copied, counted(600, 300, fork_at)]
    assert tokens(parent, fork).input == tokens(fork, parent).input == 300
    again = [meta("c", forked_from_id="b"), meta("b", forked_from_id="a"), meta("a"), *fork[2:]]
    assert tokens(parent, fork, [*again, counted(700, 100, fork_at)]).input == 350


def test_independent_threads_with_equal_counts_both_count() -> None:
    assert tokens([meta("a"), counted(100, 100)], [meta("b"), counted(100, 100)]).input == 100


def test_a_request_has_the_model_of_its_turn() -> None:
    other = line("turn_context", {"model": "gpt-5.5-mini"})
    found = codex.read("r", [meta("a"), MODEL, counted(1, 1), other, counted(2, 1)])
    assert [one.model for one in found] == ["gpt-5.5", "gpt-5.5-mini"]


def test_counts_that_do_not_fit_together_are_passed_over() -> None:
    usage = {"input_tokens": 5, "cached_input_tokens": 9, "output_tokens": 1}
    info = {"total_token_usage": usage, "last_token_usage": usage}
    assert tokens([meta("a"), line("event_msg", {"type": "token_count", "info": info})]).output == 0
