"""Which version and model made the edits that lines name, and how lines count by model."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ghapp.attribution.attribute import attribute
from ghapp.attribution.model import (
    Audit,
    Change,
    Edit,
    EditHunk,
    EditLines,
    EditResult,
    EditSource,
    Evidence,
)
from ghapp.attribution.policy import CLAUDE_CODE_V1
from ghapp.attribution.unified_diff import parse_diff
from tests.attribution.strategies import LATER, SUBJECT

FIRST = ["total = collect_by_month(orders)", "return total.sorted_by(order_month)"]
SECOND = ["rates = read_exchange_rates(today)", "publish_rates(rates, to=subscribers)"]
CHANGE = Change(
    files=parse_diff(
        "\n".join(
            ["--- a/src/a.py", "+++ b/src/a.py", "@@ -0,0 +1,4 @@"]
            + [f"+{line}" for line in (*FIRST, *SECOND)]
            + [""]
        ).encode()
    )
)


def edit(number: int, lines: list[str], version: str | None, model: str | None) -> Edit:
    return Edit(
        id=f"e{number}",
        agent="codex",
        agent_session="s",
        at=SUBJECT.merged_at,
        path="src/a.py",
        agent_version=version,
        model=model,
        lines=EditLines(hunks=(EditHunk((), tuple(lines), ()),)),
    )


def audited(*edits: Edit) -> Audit:
    return attribute(SUBJECT, CHANGE, Evidence(edits=edits), CLAUDE_CODE_V1, at=LATER)


def test_lines_count_by_model_and_unknown_is_one_of_them() -> None:
    audit = audited(edit(1, FIRST, "0.151.0", "gpt-5.1-codex"), edit(2, SECOND, None, None))
    assert audit.totals.by_model == {"codex": {"gpt-5.1-codex": 2, "": 2}}
    assert audit.edits == {
        "e1": EditSource(agent_version="0.151.0", model="gpt-5.1-codex"),
        "e2": EditSource(agent_version=None, model=None),
    }


def test_the_nearest_edit_of_a_line_without_credit_is_named_too() -> None:
    refused = replace(edit(1, FIRST, "1", "m"), outcome=EditResult.REFUSED)
    audit = audited(refused)
    assert audit.totals.by_model == {}
    assert audit.edits == {"e1": EditSource(agent_version="1", model="m")}


models = st.none() | st.sampled_from(["gpt-5", "claude-opus-4-5"])


@given(models, models)
def test_models_add_up_to_the_agent_and_change_no_line(one: str | None, other: str | None) -> None:
    audit = audited(edit(1, FIRST, None, one), edit(2, SECOND, None, other))
    plain = audited(edit(1, FIRST, None, None), edit(2, SECOND, None, None))
    assert audit.files == plain.files
    assert audit.totals.by_model is not None
    assert {
        agent: sum(counts.values()) for agent, counts in audit.totals.by_model.items()
    } == audit.totals.by_agent
