"""The hand-worked examples of docs/spend.md and their kin, to the micro-dollar, by two ways."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.spend.allocation import MergedLines, pull_request_cost
from ghapp.spend.closed_months import ClosedMonth, PriceVersions, month_of, versions_for
from ghapp.spend.cost import CostBasis, TokenCost
from ghapp.spend.money import for_machines
from ghapp.spend.prices import PriceList, read_table
from ghapp.spend.quotes import PricedRow, estimated
from ghapp.spend.rate_card import RateCard, read_rate_card
from ghapp.usage.answers import TokenCounts
from tests.cases import FIXTURES, TOP, cases, names
from tests.spend.oracle import AFTER, BEFORE, Case, answered
from tests.spend.plain_allocation import CostRow, allocated, parts_of

CASES = cases("spend")
FILES = sorted((FIXTURES / "spend").glob("prices-*.json"))
LISTS = {one.version: PriceList(one) for one in (read_table(path.read_bytes()) for path in FILES)}
TABLES = {
    told["version"]: told["rows"] for told in (json.loads(path.read_bytes()) for path in FILES)
}


def case_of(folder: Path) -> tuple[Case, str | None]:
    """Return a case, and its rate card if it has one."""
    card = folder / "rate_card.toml"
    case: Case = json.loads((folder / "case.json").read_text("utf-8"))
    return case, card.read_text("utf-8") if card.exists() else None


def by_ghapp(case: Case, card: str | None) -> dict[str, Any]:
    """Return what the program makes of a case, by basis."""
    found = {"list": _by_basis(case, None)}
    if card is not None:
        found["contract"] = _by_basis(case, read_rate_card(card))
    return found


def _by_basis(case: Case, card: RateCard | None) -> dict[str, Any]:
    rows, months = [], _months(case)
    basis = CostBasis.LIST if card is None else CostBasis.CONTRACT
    for told in case["usage"]:
        day = date.fromisoformat(told["day"])
        row = PricedRow(
            model=told["model"],
            day=day,
            tokens=TokenCounts(**told["tokens"]),
            variant=told.get("variant", ""),
            context=told.get("context", 0),
        )
        versions = versions_for(day, months, PriceVersions(case["current"]["prices"]))
        one = estimated(row, card, LISTS[versions.prices])
        month = months.get(month_of(day))
        rows.append(
            CostRow(
                agent_session=told["agent_session"],
                cost=one.cost,
                day=day,
                is_repriced=month is not None and month.is_repriced,
            )
        )
    return {
        "agent_sessions": {
            name: msgspec.to_builtins(
                sum((r.cost for r in rows if r.agent_session == name), TokenCost())
            )
            for name in sorted({told["agent_session"] for told in case["usage"]})
        },
        "pull_requests": {
            key: _pull_request(case, key, rows, basis) for key in case["pull_requests"]
        },
        "unallocated": msgspec.to_builtins(allocated(rows, case["matched"]).unallocated),
    }


def _pull_request(case: Case, key: str, rows: list[CostRow], basis: CostBasis) -> dict[str, Any]:
    told = case["pull_requests"][key]
    one = MergedLines(
        merged_at=datetime.fromisoformat(told["merged_at"]),
        attributed_lines=told["attributed_lines"],
        before=BEFORE,
        after=AFTER,
    )
    now = datetime.fromisoformat(case["now"])
    found = pull_request_cost(one, parts_of(key, rows, case["matched"]), basis, now)
    plain: dict[str, Any] = msgspec.to_builtins(found)
    assert plain.pop("method") == "matched_lines"
    assert plain.pop("basis") == basis
    return plain.pop("cost") | plain | {"amount": found.amount}


def _months(case: Case) -> dict[date, ClosedMonth]:
    return {
        date.fromisoformat(month): ClosedMonth(
            month=date.fromisoformat(month),
            versions=PriceVersions(told["prices"]),
            closed_on=date(2026, 6, 30),
            before=PriceVersions(told["before"]) if "before" in told else None,
        )
        for month, told in case["closed"].items()
    }


@pytest.mark.parametrize("folder", CASES, ids=names(CASES))
def test_a_case_comes_to_what_is_expected(folder: Path) -> None:
    expected = json.loads((folder / "expected.json").read_text("utf-8"))
    case, card = case_of(folder)
    assert by_ghapp(case, card) == expected
    assert answered(case, TABLES, card) == expected


@pytest.mark.parametrize("folder", CASES, ids=names(CASES))
def test_pull_requests_and_unallocated_sum_to_the_agent_sessions(folder: Path) -> None:
    for found in json.loads((folder / "expected.json").read_text("utf-8")).values():
        parts = [*found["pull_requests"].values(), found["unallocated"]]
        for name in ("amount", "priced_tokens", "unpriced_tokens"):
            whole = sum(one[name] or 0 for one in found["agent_sessions"].values())
            assert sum(one[name] or 0 for one in parts) == whole


ON_THE_PAGE = (
    "three_agent_sessions",
    "rate_card",
    "unknown_model",
    "closed_month",
    "closed_month_priced_again",
    "late_agent_session",
)


def test_the_page_has_the_examples_amounts() -> None:
    page = (TOP / "docs" / "spend.md").read_text("utf-8").replace(",", "")
    for name in ON_THE_PAGE:
        expected = json.loads((FIXTURES / "spend" / name / "expected.json").read_text("utf-8"))
        for found in expected.values():
            for one in [*found["pull_requests"].values(), found["unallocated"]]:
                if one["amount"]:
                    assert for_machines(one["amount"]) in page, name


# --- the same over made-up cases ----------------------------------------------------------------

count = st.integers(0, 10**7)
usage = st.builds(
    lambda session, model, day, variant, context, tokens: {
        "agent_session": session,
        "model": model,
        "day": day.isoformat(),
        "variant": variant,
        "context": context,
        "tokens": tokens,
    },
    st.sampled_from("abcde"),
    st.sampled_from(["claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-5-5", "made-up"]),
    st.dates(date(2026, 4, 20), date(2026, 6, 10)),
    st.sampled_from(["", "", "fast"]),
    st.sampled_from([0, 32, 100, 272]),
    st.dictionaries(
        st.sampled_from([kind for kind in TokenCounts.__struct_fields__ if kind != "reasoning"]),
        count,
    ),
)
pull_requests = st.dictionaries(
    st.sampled_from(["web#1", "web#2", "web#3"]),
    st.builds(
        lambda at, lines: {"merged_at": at.isoformat(), "attributed_lines": lines},
        st.datetimes(datetime(2026, 4, 20), datetime(2026, 6, 10), timezones=st.just(UTC)),  # noqa: DTZ001
        st.integers(0, 200),
    ),
    min_size=1,
)


@st.composite
def made_up(draw: st.DrawFn) -> Case:
    """Draw a case."""
    requests = draw(pull_requests)
    lines = st.dictionaries(st.sampled_from(sorted(requests)), st.integers(0, 40))
    return {
        "now": draw(
            st.datetimes(datetime(2026, 4, 20), datetime(2026, 8, 1), timezones=st.just(UTC))  # noqa: DTZ001
        ).isoformat(),
        "current": {"prices": draw(st.sampled_from(sorted(TABLES)))},
        "closed": draw(
            st.dictionaries(
                st.sampled_from(["2026-04-01", "2026-05-01"]),
                st.sampled_from(
                    [{"prices": "2026-05"}, {"prices": "2026-07", "before": "2026-05"}]
                ),
            )
        ),
        "usage": draw(st.lists(usage, max_size=10)),
        "matched": draw(st.dictionaries(st.sampled_from("abcde"), lines)),
        "pull_requests": requests,
    }


CARD = (FIXTURES / "spend" / "rate_card" / "rate_card.toml").read_text("utf-8")


@given(made_up(), st.sampled_from([None, CARD]))
def test_both_ways_agree_over_made_up_cases(case: Case, card: str | None) -> None:
    found = by_ghapp(case, card)
    assert found == answered(case, TABLES, card)
    for one in found.values():
        parts = [*one["pull_requests"].values(), one["unallocated"]]
        for name in ("amount", "priced_tokens", "unpriced_tokens"):
            whole = sum(told[name] or 0 for told in one["agent_sessions"].values())
            assert sum(told[name] or 0 for told in parts) == whole
