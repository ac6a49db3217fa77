"""Rows of usage: every record in one, and only what looks like a name in it."""

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.usage.answers import TokenCounts, UsageRecord, total
from ghapp.usage.days import DecisionDay, TokenDay, decision_days, misfits, token_days
from ghapp.usage.decisions import DecidedEdit, EditDecision

AT = datetime(2026, 5, 20, 23, 59, 59, tzinfo=UTC)


def record(**changed: Any) -> UsageRecord:
    values = {"agent": "codex", "agent_session": "s", "at": AT, "model": "gpt-5.5"} | changed
    return UsageRecord(**({"tokens": TokenCounts(output=5)} | values))


def decision(**changed: Any) -> DecidedEdit:
    values = {"agent": "codex", "agent_session": "s", "at": AT, "call": "c", "tool": "Edit"}
    values |= {"path": "/w/a.py", "decision": EditDecision.ACCEPTED, "lines": 3} | changed
    return DecidedEdit(**values)


def test_answers_of_a_session_day_and_model_are_one_row() -> None:
    other = record(model="gpt-5.5-mini"), record(is_aside=True), record(version="0.147.0")
    rows = token_days([record(), record(), *other])
    assert [(row.answers, row.tokens.output) for row in rows] == [(2, 10), (1, 5), (1, 5), (1, 5)]
    assert rows[0].day == date(2026, 5, 20)


def test_sums_tell_no_context_and_perhaps_not_of_how_many_answers_they_are() -> None:
    of_some = [record(), *(record(answers=count) for count in (7, 8, None))]
    assert [(row.answers, row.context) for row in token_days(of_some[:3])] == [(1, 0), (15, None)]
    assert [(row.answers, row.context) for row in token_days(of_some)] == [(1, 0), (None, None)]


def test_answers_of_another_price_are_a_row_of_their_own() -> None:
    long = record(tokens=TokenCounts(cache_read=272_001, output=5))
    rows = token_days([record(), record(variant="fast"), long, record(variant="fast")])
    told = [(row.variant, row.context, row.answers) for row in rows]
    assert told == [("", 0, 1), ("fast", 0, 2), ("", 272, 1)]


def test_edits_of_a_tool_and_a_language_are_one_row() -> None:
    refused = decision(decision=EditDecision.REFUSED, lines=None)
    nameless = decision(path=None, lines=None)
    rows = decision_days([decision(), decision(path="/w/b.py"), refused, nameless])
    told = [(row.language, row.decision, row.edits, row.lines) for row in rows]
    assert told == [
        ("Python", "accepted", 2, 6),
        ("Python", "refused", 1, None),
        (None, "accepted", 1, None),
    ]


@pytest.mark.parametrize("name", ["", " ", "\n", "a b", "é", "m" * 101, "gpt-5.5\n", "\0"])
def test_what_does_not_look_like_a_name_is_unknown_and_counted(name: str) -> None:
    [row] = token_days([record(model=name, version=name)])
    assert (row.model, row.agent_version) == (None, None)
    [decided] = decision_days([decision(tool=name)])
    assert decided.tool == "other"
    counted = {one.what: one.count for one in misfits([record(model=name), decision(tool=name)])}
    assert counted == {"names of models that cannot be": 1, "names of tools that cannot be": 1}


@pytest.mark.parametrize("name", ["", "s" * 256, "a\nb", "\0"])
def test_an_agent_session_with_an_impossible_name_gets_one_made_of_it(name: str) -> None:
    [row], [again] = (
        token_days([record(agent_session=name)]),
        token_days([record(agent_session=name)]),
    )
    assert row.agent_session == again.agent_session != name
    assert [one.count for one in misfits([record(agent_session=name)])] == [1]


def test_names_that_fit_are_no_misfits() -> None:
    assert misfits([record(model=None), record(version="2.1.240"), decision()]) == ()


texts = st.none() | st.text(max_size=300)


@given(st.lists(st.builds(record, model=texts, version=texts, agent_session=st.text())))
def test_every_row_can_be_sent_and_they_add_up(records: list[UsageRecord]) -> None:
    rows = token_days(records)
    sent = msgspec.json.decode(msgspec.json.encode(rows), type=list[TokenDay])
    assert sent == rows
    assert sum((row.tokens for row in rows), TokenCounts()) == total(records)


@given(st.lists(st.builds(decision, tool=st.text(), version=texts, path=texts)))
def test_every_row_of_edits_can_be_sent(decisions: list[DecidedEdit]) -> None:
    rows = decision_days(decisions)
    sent = msgspec.json.decode(msgspec.json.encode(rows), type=list[DecisionDay])
    assert sent == rows
    assert sum(row.edits for row in rows) == len(decisions)
