"""Tokens in Gemini CLI's chats, as one document and as lines."""

import json
from typing import Any

from ghapp.usage import gemini_cli
from ghapp.usage.answers import TokenCounts, settled, total

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
    return total(settled(gemini_cli.read("session-1.json", lines)))


def test_a_document_s_messages_count() -> None:
    chat = {"sessionId": "s", "projectHash": "p", "messages": [message(), {"type": "user"}]}
    text = json.dumps(chat, indent=1).encode()
    assert tokens(*text.splitlines(keepends=True)) == EXPECTED


def test_a_message_that_is_written_again_counts_once() -> None:
    first = json.dumps({"sessionId": "s", "projectHash": "p"}).encode()
    grown = message(tokens=COUNTS | {"output": 40})
    lines = [json.dumps(one).encode() + b"\n" for one in (message(), grown)]
    assert tokens(first + b"\n", *lines).output == 45


def test_damaged_counts_are_passed_over() -> None:
    assert tokens(json.dumps(message(tokens={"input": -1})).encode()) == TokenCounts()
    assert tokens(b"{", b"\0") == TokenCounts()
