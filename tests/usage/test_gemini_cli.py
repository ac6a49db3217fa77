"""Tokens in Gemini CLI's chats, as one document and as lines."""

import json
from typing import Any

import pytest

from ghapp.usage import gemini_cli
from ghapp.usage.answers import TokenCounts, UsageRecord, settled, total
from ghapp.usage.believed import IMPOSSIBLE, left_out

COUNTS = {"input": 100, "output": 20, "cached": 60, "thoughts": 5, "tool": 2, "total": 127}
EXPECTED = TokenCounts(input=42, output=25, cache_read=60, reasoning=5)


def message(**changed: Any) -> dict[str, Any]:
    return {
        "id": "m1",
        "timestamp": "2026-05-20T12:00:00Z",
        "type": "gemini",
        "model": "gemini-3-pro",
        "tokens": COUNTS,
    } | changed


def tokens(*lines: bytes) -> TokenCounts:
    found = gemini_cli.read("session-1.json", lines)
    return total(settled(one for one in found if isinstance(one, UsageRecord)))


def test_a_document_s_messages_count() -> None:
    chat = {"sessionId": "s", "projectHash": "p", "messages": [message(), {"type": "user"}]}
    text = json.dumps(chat, indent=1).encode()
    assert tokens(*text.splitlines(keepends=True)) == EXPECTED


def test_a_message_that_is_written_again_counts_once() -> None:
    first = json.dumps({"sessionId": "s", "projectHash": "p"}).encode()
    grown = message(tokens=COUNTS | {"output": 40})
    lines = [json.dumps(one).encode() + b"\n" for one in (message(), grown)]
    assert tokens(first + b"\n", *lines).output == 45


def test_messages_that_a_later_line_writes_again_count_once() -> None:
    first = json.dumps({"sessionId": "s", "projectHash": "p"}).encode()
    again = json.dumps({"$set": {"messages": [message(), message(id="m2")]}}).encode()
    whole = tokens(first, json.dumps(message()).encode(), again)
    assert whole == EXPECTED + EXPECTED


@pytest.mark.parametrize(
    ("told", "fresh"),
    [
        (COUNTS, 42),
        (COUNTS | {"total": 187}, 102),
        (COUNTS | {"cached": 300, "total": None}, 102),
    ],
)
def test_what_was_cached_is_no_input_wherever_a_version_counts_it(
    told: dict[str, int], fresh: int
) -> None:
    assert tokens(json.dumps(message(tokens=told)).encode()).input == fresh


def test_damaged_counts_are_named() -> None:
    line = json.dumps(message(tokens={"input": -1})).encode()
    assert list(gemini_cli.read("s", [line])) == [left_out("gemini-cli", IMPOSSIBLE)]
    assert tokens(b"{", b"\0") == TokenCounts()
