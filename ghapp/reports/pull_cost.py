"""What a pull request cost, in words: for its page and its comment. It computes nothing."""

from ghapp.reports.words import counted
from ghapp.spend.allocation import AllocationState, CostGap, PullRequestCost
from ghapp.spend.cost import CostBasis
from ghapp.spend.money import for_people

BASIS_WORDS = {
    CostBasis.LIST: "at list prices",
    CostBasis.CONTRACT: "at the rates of whoever runs this app",
}
"""What an estimate means."""
GAP_WORDS = {
    CostGap.NO_LINES: "Unknown: none of its lines is attributed to an agent session",
    CostGap.NO_USAGE: "Unknown: no usage of the agent sessions behind its lines has arrived",
    CostGap.NO_PRICE: "Unknown: none of the tokens that the agent sessions used has a price",
}
STATE_WORDS = {
    AllocationState.OPEN: "open: late usage and later merges can still change it",
    AllocationState.FINAL: "final",
}


def about(one: PullRequestCost) -> str:
    """Return an amount with what it means; why there is none, if there is none.

    >>> from ghapp.spend.cost import TokenCost
    >>> about(PullRequestCost(TokenCost(1_467_135, 9, 1), CostBasis.LIST, AllocationState.OPEN,
    ...       data_through=None, agent_sessions=1, attributed_lines=40, covered_lines=30))
    'At least $1.47 at list prices'
    """
    if one.gap is not None:
        return GAP_WORDS[one.gap]
    # What has no price costs something too.
    is_floor = one.cost.is_floor or one.cost.unpriced_tokens > 0
    amount = for_people(one.amount or 0)
    return f"{'At least' if is_floor else 'About'} {amount} {BASIS_WORDS[one.basis]}"


def coverage(one: PullRequestCost) -> str | None:
    """Return the share of the lines that the amount is about; ``None``: there are none.

    It is rounded down: all lines have usage only where all have.
    """
    if not one.attributed_lines:
        return None
    percent = 100 * one.covered_lines // one.attributed_lines
    return f"{percent}% of {counted(one.attributed_lines, 'attributed line')} have usage"


def cost_line(one: PullRequestCost) -> str | None:
    """Return a comment's line about the cost; ``None``: nothing is known, so nothing is said.

    A comment is written once or twice in a pull request's life, so an open amount says "so far".
    """
    if one.gap is not None:
        return None
    so_far = " so far" if one.state is AllocationState.OPEN else ""
    return f"Cost: {about(one).lower()}{so_far}, allocated by matched lines ({coverage(one)})."
