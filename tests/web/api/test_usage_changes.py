"""Downloads of two periods: a row for each number of each part, and an empty cell for no number."""

import csv
import io
from typing import Any

import pytest

from ghapp.reports.tables import to_csv
from ghapp.spend.cost import TokenCost
from ghapp.spend.counts import AmountChange, SpendChange, SpendChanges
from ghapp.summaries.counts import MeasuredDifference
from ghapp.summaries.periods import DayPeriod, period_before
from ghapp.usage.counts import MeasuredRate, UsageChange, UsageChanges, UsageCounts
from ghapp.web.api.usage_changes import COLUMNS, spend_rows, usage_rows
from tests.web.conftest import NOW

DAYS = DayPeriod(NOW.date(), NOW.date())
UNKNOWN = MeasuredDifference(value=None, low=None, high=None)


def table(rows: Any, columns: tuple[str, ...]) -> list[dict[str, str]]:
    text = "".join(to_csv(columns, rows))
    return list(csv.DictReader(io.StringIO(text)))


def test_usage_has_a_row_for_each_number() -> None:
    told = UsageChange(
        name=None,
        now=UsageCounts(people=9, agent_sessions=20),
        before=UsageCounts(people=12),
        rate=MeasuredRate(at_least=0.5, at_most=0.75, low=0.4, high=0.8),
        rate_before=None,
        difference=UNKNOWN,
    )
    gone = UsageChange("codex", None, UsageCounts(people=6), None, None, UNKNOWN)
    changes = UsageChanges(DAYS, period_before(DAYS), told, (gone,), ())
    found = {(one["by"], one["measure"]): one for one in table(usage_rows(changes), COLUMNS)}
    assert len(found) == 12
    people = found["total", "people"]
    assert [people[name] for name in ("name", "now", "before", "difference")] == (
        ["all", "9", "12", "-3"]
    )
    assert (
        found["total", "agent_sessions"]["now"],
        found["total", "agent_sessions"]["before"],
    ) == (
        "20",
        "",
    )
    assert found["total", "agent_sessions"]["difference"] == ""
    assert (found["total", "accept_rate_from"]["now"], found["total", "accept_rate_to"]["now"]) == (
        "0.5",
        "0.75",
    )
    assert (found["tool", "people"]["now"], found["tool", "people"]["before"]) == ("", "6")


def test_spend_is_in_dollars_and_what_is_not_known_is_empty() -> None:
    cost = TokenCost(amount=2_500_000, priced_tokens=1)
    whole = SpendChange(None, cost, cost, 0)
    hidden = SpendChange("web", cost, None, None)
    changes = SpendChanges(
        period=DAYS,
        before=period_before(DAYS),
        spent=whole,
        unallocated=SpendChange(None, None, None, None),
        by_pull=AmountChange(now=5, before=7, difference=-2),
        by_line=AmountChange(None, None, None),
        agents=(),
        teams=(hidden,),
        repositories=(whole,),
    )
    rows = table(spend_rows(changes), COLUMNS[:-2])
    assert [float(rows[0][name]) for name in ("now", "before", "difference")] == (
        pytest.approx([2.5, 2.5, 0])
    )
    assert [rows[1][name] for name in ("now", "before", "difference")] == ["", "", ""]
    assert float(rows[2]["difference"]) == pytest.approx(-0.000002)
    assert [one["by"] for one in rows[4:]] == ["team", "repository"]
    assert (rows[4]["name"], rows[4]["before"]) == ("web", "")
