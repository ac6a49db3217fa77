"""A pull request's cost in words: what an amount means, and why there is none."""

from datetime import date

import pytest

from ghapp.reports.pull_cost import GAP_WORDS, STATE_WORDS, about, cost_line, coverage
from ghapp.spend.allocation import AllocationState, CostGap, PullRequestCost
from ghapp.spend.cost import CostBasis, TokenCost


def cost_of(
    amount: int | None = 1_467_135,
    *,
    unpriced: int = 0,
    is_floor: bool = False,
    basis: CostBasis = CostBasis.LIST,
    state: AllocationState = AllocationState.OPEN,
    agent_sessions: int = 2,
    lines: tuple[int, int] = (30, 40),
) -> PullRequestCost:
    return PullRequestCost(
        cost=TokenCost(amount, 0 if amount is None else 9, unpriced, is_floor),
        basis=basis,
        state=state,
        data_through=date(2026, 5, 7),
        agent_sessions=agent_sessions,
        attributed_lines=lines[1],
        covered_lines=lines[0],
    )


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (cost_of(), "About $1.47 at list prices"),
        (cost_of(is_floor=True), "At least $1.47 at list prices"),
        (cost_of(unpriced=1), "At least $1.47 at list prices"),
        (cost_of(0), "About $0.00 at list prices"),
        (
            cost_of(basis=CostBasis.CONTRACT),
            "About $1.47 at the rates of whoever runs this app",
        ),
        (cost_of(None, unpriced=7), GAP_WORDS[CostGap.NO_PRICE]),
        (cost_of(0, agent_sessions=0, lines=(0, 40)), GAP_WORDS[CostGap.NO_USAGE]),
        (cost_of(0, agent_sessions=0, lines=(0, 0)), GAP_WORDS[CostGap.NO_LINES]),
    ],
)
def test_an_amount_says_what_it_means_and_its_absence_why(one: PullRequestCost, said: str) -> None:
    assert about(one) == said


def test_all_lines_have_usage_only_where_all_have() -> None:
    assert coverage(cost_of(lines=(999, 1000))) == "99% of 1,000 attributed lines have usage"
    assert coverage(cost_of(lines=(1, 1))) == "100% of 1 attributed line have usage"
    assert coverage(cost_of(lines=(0, 0))) is None


def test_a_comment_says_so_far_until_the_cost_is_final_and_nothing_where_nothing_is_known() -> None:
    assert cost_line(cost_of()) == (
        "Cost: about $1.47 at list prices so far, allocated by matched lines "
        "(75% of 40 attributed lines have usage)."
    )
    final = cost_line(cost_of(state=AllocationState.FINAL))
    assert final is not None
    assert "so far" not in final
    assert cost_line(cost_of(None, unpriced=7)) is None


def test_each_state_and_each_gap_has_words() -> None:
    assert STATE_WORDS.keys() == set(AllocationState)
    assert GAP_WORDS.keys() == set(CostGap)
