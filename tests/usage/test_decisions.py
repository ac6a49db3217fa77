"""What became of edits: each once, with who decided where it is known."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.model import Edit, EditHunk, EditLines, EditResult
from ghapp.usage.decisions import (
    DecidedBy,
    DecidedEdit,
    EditDecision,
    accept_rate,
    decided,
    decided_once,
)

AT = datetime(2026, 5, 20, 12, tzinfo=UTC)
DRAWN = "toolu_01A09q90qw90lq917835lq9q"


def edit(outcome: EditResult = EditResult.APPLIED, **changed: Any) -> Edit:
    lines = EditLines(hunks=(EditHunk((), ("a", "b"), ()), EditHunk((), ("c",), ())))
    values = {"id": "c1", "agent": "codex", "agent_session": "s", "at": AT, "path": "/w/a.py"}
    return Edit(outcome=outcome, lines=lines, **(values | changed))


def decision(call: str | None = "c1", **changed: Any) -> DecidedEdit:
    values = {"agent": "codex", "agent_session": "s", "at": AT, "path": "/w/a.py", "tool": "Edit"}
    values |= {"decision": EditDecision.ACCEPTED} | changed
    return DecidedEdit(call=call, **values)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (EditResult.APPLIED, ("accepted", "person", 3)),
        (EditResult.REFUSED, ("refused", "person", 3)),
        (EditResult.FAILED, ("failed", None, None)),
        (EditResult.INTERRUPTED, None),
        (EditResult.UNANSWERED, None),
        (EditResult.UNRECORDED, None),
    ],
)
def test_what_became_of_an_edit(outcome: EditResult, expected: tuple[Any, ...] | None) -> None:
    one = decided(edit(outcome), DecidedBy.PERSON)
    assert (one and (one.decision, one.decided_by, one.lines)) == expected


@pytest.mark.parametrize("tool", ["Bash", "PowerShell", "mcp__claude__bash"])
def test_nobody_decided_on_what_a_shell_wrote(tool: str) -> None:
    assert decided(edit(tool=tool), None) is None


def test_the_first_agent_session_keeps_a_call_that_others_repeat() -> None:
    copies = [decision(agent_session=name) for name in ("b", "a", "c")]
    [one] = decided_once(copies)
    assert one.agent_session == "a"


def test_an_id_that_repeats_is_another_call_at_another_time() -> None:
    later = AT + timedelta(seconds=1)
    assert len(decided_once([decision(), decision(at=later)])) == 2
    assert len(decided_once([decision(DRAWN), decision(DRAWN, at=later)])) == 1
    assert len(decided_once([decision(), decision(path="/w/b.py")])) == 2
    assert len(decided_once([decision(None), decision(None)])) == 2


def test_a_copy_that_says_who_decided_counts() -> None:
    [one] = decided_once([decision(), decision(decided_by=DecidedBy.AUTOMATIC)])
    assert one.decided_by is DecidedBy.AUTOMATIC


decisions = st.lists(
    st.builds(
        decision,
        st.sampled_from(["c1", "c2", DRAWN]),
        agent_session=st.sampled_from("ab"),
        at=st.sampled_from([AT, AT + timedelta(seconds=1)]),
        path=st.sampled_from(["/w/a.py", None]),
        decision=st.sampled_from(EditDecision),
        decided_by=st.sampled_from([None, *DecidedBy]),
        lines=st.none() | st.integers(0, 3),
    ),
    max_size=8,
)


@given(decisions, st.randoms())
def test_copies_and_order_change_nothing(found: list[DecidedEdit], random: Any) -> None:
    shuffled = [*found, *found]
    random.shuffle(shuffled)
    assert decided_once(shuffled) == decided_once(found)


counts = st.integers(0, 50)


@given(counts, counts, counts, counts, st.data())
def test_the_range_holds_the_rate_whoever_decided_the_unknown_ones(
    accepted: int, refused: int, unknown: int, unknown_refused: int, data: st.DataObject
) -> None:
    found = accept_rate(accepted, refused, unknown, unknown_refused)
    if not accepted + refused:
        assert found is None
        return
    assert found is not None
    yes = accepted + data.draw(st.integers(0, unknown))
    no = refused + data.draw(st.integers(0, unknown_refused))
    assert found.at_least - 1e-9 <= yes / (yes + no) <= found.at_most + 1e-9
