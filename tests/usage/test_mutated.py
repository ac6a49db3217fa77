"""Records that something damaged: no reader of tokens stops, and none invents any.

``GHAPP_EXAMPLES_FACTOR`` sets how many records are tried (`tests.searching`).
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.ingest.usage_files import READERS
from ghapp.usage.answers import UsageRecord, settled, total
from ghapp.usage.believed import MOST_OF_ONE, Told
from ghapp.usage.days import misfits, token_days
from tests.evidence.test_mutated import changed, damaged
from tests.searching import searched
from tests.usage import test_claude_code, test_codex, test_gemini_cli, test_readers

Records = list[dict[str, Any]]

_CODEX = [
    test_codex.meta("a"),
    test_codex.MODEL,
    test_codex.counted(100, 100),
    test_codex.counted(300, 200, "2026-06-25T10:05:00Z"),
    test_codex.usage_record("r1"),
    test_codex.line("compacted", {"compaction_response_id": "r1"}),
]
_USAGE = {"inputOther": 100, "output": 20, "inputCacheRead": 60, "inputCacheCreation": 7}
_PI = {"role": "assistant", "model": "m", "usage": {"input": 100, "output": 20, "cacheRead": 60}}
_CLINE = {"inputTokens": 100, "outputTokens": 20, "cacheReadTokens": 60, "cacheWriteTokens": 7}
_QWEN = {"promptTokenCount": 100, "candidatesTokenCount": 20, "cachedContentTokenCount": 60}

CASES: dict[str, tuple[str, Records]] = {
    "claude_code": (
        "s1.jsonl",
        [
            json.loads(test_claude_code.line({"input_tokens": 3, "output_tokens": 850})),
            json.loads(
                test_claude_code.line(
                    {
                        "cache_creation_input_tokens": 9,
                        "cache_creation": {"ephemeral_1h_input_tokens": 9},
                        "output_tokens_details": {"thinking_tokens": 4},
                    },
                    requestId="req_2",
                )
            ),
        ],
    ),
    "codex": ("rollout-7.jsonl", [json.loads(one) for one in _CODEX]),
    "gemini_cli": (
        "session-1.jsonl",
        [
            {"sessionId": "s", "projectHash": "p"},
            test_gemini_cli.message(),
            {"$set": {"messages": [test_gemini_cli.message(id="m2")]}},
        ],
    ),
    "opencode": (
        "opencode.db",
        [test_readers.message(), test_readers.message(time={"created": 7})],
    ),
    "copilot": (
        "s1/events.jsonl",
        [
            test_readers.START,
            test_readers.ANSWER,
            test_readers.shutdown(),
            test_readers.shutdown("2026-05-21T12:00:00Z", 3, inputTokens=300),
        ],
    ),
    "qwen": (
        "s.jsonl",
        [
            {
                "type": "assistant",
                "uuid": "u",
                "sessionId": "s",
                "timestamp": test_readers.AT,
                "usageMetadata": _QWEN,
            }
        ],
    ),
    "pi": (
        "s.jsonl",
        [
            {"type": "session", "id": "s", "cwd": "/w", "version": 3, "timestamp": test_readers.AT},
            {"type": "message", "id": "a", "timestamp": test_readers.AT, "message": _PI},
        ],
    ),
    "kimi": (
        test_readers.WIRE,
        [
            {"type": "config.update", "cwd": "/w"},
            {"type": "usage.record", "model": "k", "usage": _USAGE, "time": test_readers.MS},
        ],
    ),
    "cline": (
        "s.messages.json",
        [
            {
                "version": 1,
                "sessionId": "s",
                "messages": [
                    {"role": "assistant", "ts": test_readers.MS, "metrics": _CLINE},
                    {"role": "assistant", "ts": test_readers.MS + 1, "metrics": _CLINE},
                ],
            }
        ],
    ),
}
SOURCES = sorted(CASES)


def lines(records: list[str]) -> list[bytes]:
    return [one.encode(errors="replace") + b"\n" for one in records]


def read(source: str, records: list[str]) -> list[Told]:
    return list(READERS[source](CASES[source][0], lines(records)))


def answers(found: list[Told]) -> list[UsageRecord]:
    return settled(one for one in found if isinstance(one, UsageRecord))


def whole(source: str) -> list[str]:
    return [json.dumps(one) for one in CASES[source][1]]


def can_be(one: UsageRecord) -> bool:
    """Return whether a record has counts that a row may hold, and a time."""
    numbers = (
        one.tokens.input,
        one.tokens.output,
        one.tokens.cache_read,
        one.tokens.cache_write_5m,
        one.tokens.cache_write_1h,
        one.tokens.reasoning or 0,
    )
    return all(0 <= number <= 2 * MOST_OF_ONE for number in numbers) and one.at.tzinfo is not None


def test_every_reader_has_a_case() -> None:
    assert set(CASES) == set(READERS)
    assert all(answers(read(source, whole(source))) for source in SOURCES)


@pytest.mark.parametrize("source", SOURCES)
@searched(60)
@given(data=st.data())
def test_records_lost_doubled_moved_or_cut_add_no_token(source: str, data: st.DataObject) -> None:
    before = whole(source)
    # A rollout begins with its thread, and what stands before that is of another one.
    start = before[:1] if source == "codex" else []
    after = start + damaged(before[len(start) :], data.draw)
    least, most = total(answers(read(source, after))), total(answers(read(source, before)))
    if source == "copilot":  # sums that come in another order begin anew
        most += most
    assert least.output <= most.output
    assert least.input <= most.input + most.cache_read
    assert least.cache_read <= most.cache_read


@pytest.mark.parametrize("source", SOURCES)
@searched(120)
@given(data=st.data())
def test_members_with_other_values_stop_no_reader(source: str, data: st.DataObject) -> None:
    records: Records = json.loads(json.dumps(CASES[source][1]))
    draw: Callable[[st.SearchStrategy[Any]], Any] = data.draw
    at = draw(st.integers(0, len(records) - 1))
    strange = [one if number != at else changed(one, draw) for number, one in enumerate(records)]
    found = read(source, [json.dumps(one) for one in strange])
    kept = answers(found)
    assert all(map(can_be, kept))
    rows = token_days(kept)
    assert sum(row.tokens.output for row in rows) == total(kept).output
    assert all(one.count > 0 for one in misfits(kept))
    assert total(kept).output <= total(answers(read(source, whole(source)))).output + 1


@pytest.mark.parametrize("source", SOURCES)
@searched(60)
@given(bytes_=st.lists(st.binary(max_size=80), max_size=6))
def test_bytes_that_are_no_records_stop_no_reader(source: str, bytes_: list[bytes]) -> None:
    signs = b'"usage" "assistant" "token_count" "usageMetadata" "session. "usage.record"'
    found = list(READERS[source](CASES[source][0], [signs + one + b"\n" for one in bytes_]))
    assert not any(isinstance(one, UsageRecord) for one in found)


def test_the_cases_are_of_days_that_can_be() -> None:
    kept = [one for source in SOURCES for one in answers(read(source, whole(source)))]
    assert {one.at.year for one in kept} <= {1970, 2026}
    assert all(one.at <= datetime(2027, 1, 1, tzinfo=UTC) for one in kept)
