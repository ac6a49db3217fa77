"""Each answer counts once, over all files and in any order."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ghapp.usage.answers import AnswerSettling, TokenCounts, UsageRecord, settled, total

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
        request=st.sampled_from(["a", "b", None]),
        agent_session=st.sampled_from("st"),
        at=st.sampled_from([AT, AT + timedelta(seconds=1)]),
        model=st.sampled_from([None, "", "opus"]),
        is_aside=st.booleans(),
    ),
    max_size=12,
)


@given(records, st.randoms())
def test_copies_and_order_change_nothing(found: list[UsageRecord], random: Any) -> None:
    shuffled = [*found, *found]
    random.shuffle(shuffled)
    assert sorted(map(str, settled(shuffled))) == sorted(map(str, settled(found)))


def test_the_first_agent_session_keeps_an_answer_that_others_repeat() -> None:
    first = record(agent_session="b", request="r")
    same = record(agent_session="a", request="r")
    later = record(agent_session="0", request="r", at=AT + timedelta(seconds=1))
    for order in ([first, same, later], [later, same, first]):
        [one] = settled(order)
        assert one.agent_session == "a"


def test_a_gateway_s_ids_name_an_answer_within_its_agent_session_alone() -> None:
    """https://github.com/ccusage/ccusage: gateways number their messages anew."""
    other = record(agent_session="t")
    asked = UsageRecord(
        message="m1",
        tokens=TokenCounts(input=7),
        agent="claude-code",
        agent_session="s",
        at=AT,
        model="opus",
    )
    assert len(settled([record(), record(output=9), other, asked])) == 3


def test_an_id_that_was_drawn_names_an_answer_without_a_request() -> None:
    drawn = "msg_01A09q90qw90lq917835lq9q"
    assert len(settled([record(drawn), record(drawn, agent_session="t")])) == 1


def test_a_side_conversation_s_copy_loses_to_a_parent_that_is_only_noticed() -> None:
    settling = AnswerSettling()
    settling.add(record(request="b", is_aside=True))
    settling.add(record("m2", is_aside=True))
    settling.note(record(request="a", at=AT - timedelta(days=90)))
    assert [one.message for one in settling.answers()] == ["m2"]
