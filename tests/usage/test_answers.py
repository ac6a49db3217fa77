"""Each answer counts once, over all files and in any order."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ghapp.usage.answers import TokenCounts, UsageRecord, by_part, settled, total

AT = datetime(2026, 5, 20, 12, tzinfo=UTC)


def record(message: str | None = "m1", output: int = 8, **changed: Any) -> UsageRecord:
    values = {"agent": "claude-code", "agent_session": "s", "at": AT, "model": "opus"} | changed
    return UsageRecord(message=message, tokens=TokenCounts(output=output), **values)


def test_the_largest_output_of_an_answer_counts() -> None:
    (one,) = settled([record(output=8), record(output=850), record(output=8)])
    assert one.tokens.output == 850


def test_an_answer_is_known_by_message_and_request() -> None:
    assert len(settled([record(request="a"), record(request="b"), record("m2")])) == 3


def test_a_record_without_a_message_is_an_answer_of_its_own() -> None:
    assert len(settled([record(None), record(None)])) == 2


def test_a_side_conversation_s_copy_loses_to_its_parent() -> None:
    copied = record(request="b", output=900, is_aside=True)
    (one,) = settled([copied, record(request="a", output=850)])
    assert one.tokens.output == 850


def test_a_subagent_s_own_answers_count() -> None:
    assert total(settled([record(), record("m2", is_aside=True)])).output == 16


def test_reasoning_is_unknown_unless_a_record_says_it() -> None:
    told = TokenCounts(output=5, reasoning=3)
    assert (TokenCounts() + TokenCounts()).reasoning is None
    assert (TokenCounts() + told).reasoning == 3
    assert (told + told) == TokenCounts(output=10, reasoning=6)


records = st.lists(
    st.builds(
        record,
        st.sampled_from(["m1", "m2", "m3"]),
        st.integers(0, 5),
        request=st.sampled_from(["a", "b"]),
        is_aside=st.booleans(),
    ),
    max_size=12,
)


@given(records, st.randoms())
def test_copies_and_order_change_nothing(found: list[UsageRecord], random: Any) -> None:
    shuffled = [*found, *found]
    random.shuffle(shuffled)
    assert total(settled(shuffled)) == total(settled(found))


@given(records)
def test_parts_add_up_to_the_whole(found: list[UsageRecord]) -> None:
    answers = settled(found)
    parts = by_part(answers, [one.request or "" for one in answers])
    assert sum((total(own) for own in parts.values()), TokenCounts()) == total(answers)
