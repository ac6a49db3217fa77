"""An organization's week as Markdown: merged pull requests, agents, quiet spots. It reads no store.

It names no person, whatever the settings say: people forward such a message.
"""

from collections.abc import Iterator, Sequence
from datetime import date

from ghapp.attribution.model import Struct
from ghapp.reports.harmless import cell, code, plain
from ghapp.reports.pull_cost import BASIS_WORDS
from ghapp.reports.summary import percent
from ghapp.reports.words import agent_name, counted
from ghapp.spend.budgets import BudgetState
from ghapp.spend.cost import CostBasis
from ghapp.spend.counts import BudgetCheck, DividedCost
from ghapp.spend.money import for_people
from ghapp.summaries.counts import (
    OrganizationSummary,
    PullCounts,
    QuietReason,
    QuietSpot,
    RepositoryCounts,
)
from ghapp.summaries.selection import SMALLEST_GROUP
from ghapp.usage.counts import UsageCounts

MOST_ROWS = 10
QUIET_WORDS = {
    QuietReason.FELL: "the share of pull requests with agents fell by more than half",
    QuietReason.NEVER_STARTED: "there is evidence, but no pull request with an agent",
    QuietReason.NO_EVIDENCE: "no evidence has arrived",
}


ALARM_WORDS = {
    BudgetState.WILL_EXCEED: "the month's forecast is above it",
    BudgetState.EXCEEDED: "exceeded",
}


class WeekSpend(Struct, frozen=True):
    """What agents cost in a week, and what is to be said of budgets."""

    spent: DividedCost
    basis: CostBasis
    """Of the week's cost; a budget has its own."""
    alarms: tuple[BudgetCheck, ...] = ()


class WeekSummary(Struct, frozen=True):
    """The organization and the week of a weekly summary."""

    organization: str
    first: date
    """A Monday."""
    last: date
    """The Sunday after it."""
    address: str | None
    """URL of the organization's page; ``None``: the app's own URL is not known."""

    @property
    def name(self) -> str:
        """The week in ISO 8601 form, such as ``2026-W21``."""
        year, week, _ = self.first.isocalendar()
        return f"{year}-W{week:02}"


def weekly(
    week: WeekSummary,
    summary: OrganizationSummary,
    before: PullCounts,
    usage: UsageCounts | None = None,
    spend: WeekSpend | None = None,
) -> str:
    """Return the message; ``before`` holds the counts of the previous week."""
    return "\n".join(_lines(week, summary, before, usage, spend)) + "\n"


def _lines(
    week: WeekSummary,
    summary: OrganizationSummary,
    before: PullCounts,
    usage: UsageCounts | None,
    spend: WeekSpend | None,
) -> Iterator[str]:
    yield f"## {code(week.organization)}: {week.name} ({week.first} to {week.last})"
    yield ""
    if not summary.totals.pulls:
        yield "No pull requests were merged."
    else:
        yield from _totals(summary.totals, before)
        yield from _repositories(summary.repositories)
        yield from _agents(summary)
        yield from _other_branches(summary.other_branches)
    yield from _usage(usage)
    if spend is not None:
        yield from _spent(spend)
        yield from _alarms(spend.alarms)
    yield from _quiet(summary.quiet or ())
    yield ""
    yield "Every share is a floor: it includes only what is certain. Unknown is not zero."
    if week.address is not None:
        yield ""
        yield f"[See every number and the lines behind it]({week.address})"


def _totals(totals: PullCounts, before: PullCounts) -> Iterator[str]:
    yield f"- {counted(totals.pulls, 'merged pull request')}, {_change(totals.pulls, before.pulls)}"
    if totals.is_known:
        yield (
            f"- **{totals.assisted:,} with an agent**, at least "
            f"{percent(totals.assisted, totals.pulls)}"
            f"{_was(before.assisted, before.pulls if before.is_known else 0)}"
        )
    if totals.known_effective:
        yield (
            f"- **{totals.whole_attributed:,} of {counted(totals.whole_effective, 'line')} with an "
            f"agent**, at least {_share(totals)}"
            f"{_was(before.whole_attributed, before.known_effective and before.whole_effective)}"
        )
    if totals.no_evidence:
        yield f"- {counted(totals.no_evidence, 'pull request')} without evidence: unknown, not 0"
    if totals.provisional:
        yield f"- {counted(totals.provisional, 'audit')} provisional: the window is still open"
    if totals.incomplete:
        yield f"- {counted(totals.incomplete, 'audit')} incomplete: a part of the change is unread"


def _repositories(rows: Sequence[RepositoryCounts]) -> Iterator[str]:
    yield ""
    yield "| repository | merged | with an agent | lines | with an agent, at least |"
    yield "|---|---:|---:|---:|---:|"
    for row in rows[:MOST_ROWS]:
        counts = row.counts
        yield (
            f"| {cell(row.repository)} | {counts.pulls:,} | {_with(counts)} "
            f"| {counts.whole_effective:,} | {_share(counts)} |"
        )
    if len(rows) > MOST_ROWS:
        yield ""
        yield f"… and {len(rows) - MOST_ROWS:,} more."


def _agents(summary: OrganizationSummary) -> Iterator[str]:
    if summary.agents:
        yield ""
        parts = (
            f"{plain(agent_name(one.agent))} {counted(one.attributed, 'line')} in "
            f"{counted(one.pulls, 'pull request')}"
            for one in summary.agents
        )
        yield f"By agent: {'; '.join(parts)}."


def _usage(usage: UsageCounts | None) -> Iterator[str]:
    """Yield one line on usage; nothing of fewer than five people."""
    if usage is None or usage.people < SMALLEST_GROUP:
        return
    parts = [f"{usage.people:,} people"]
    if usage.agent_sessions is not None:
        parts.append(counted(usage.agent_sessions, "agent session"))
    if usage.tokens is not None:
        parts.append(counted(usage.tokens.output, "output token"))
    if usage.edits is not None and usage.edits.lines_accepted is not None:
        parts.append(f"{counted(usage.edits.lines_accepted, 'line')} accepted")
    yield ""
    yield f"Use of agents: {', '.join(parts)}."


def _spent(spend: WeekSpend) -> Iterator[str]:
    """Yield one line on money; nothing of few people, or nearly all of one."""
    cost = spend.spent.cost
    if cost is None or cost.amount is None or not cost.priced_tokens:
        return
    least = "at least " if cost.is_floor or cost.unpriced_tokens else ""
    line = f"Cost of agents: {least}{for_people(cost.amount)} {BASIS_WORDS[spend.basis]}"
    left = spend.spent.unallocated
    if left is not None and left.amount:
        line += f", {for_people(left.amount)} of that in no merged line"
    yield ""
    yield f"{line}. It is no bill."


def _alarms(checks: Sequence[BudgetCheck]) -> Iterator[str]:
    if not checks:
        return
    yield ""
    yield "Budgets:"
    yield ""
    for one in checks:
        of, spent = one.budget, "-" if one.spent is None else for_people(one.spent)
        name = "the organization" if of.name is None else f"{of.of} {code(of.name)}"
        yield (
            f"- {name}, {one.month:%B %Y}: **{ALARM_WORDS[one.state]}**, {spent} spent of "
            f"{for_people(of.monthly)} {BASIS_WORDS[of.basis]}"
        )


def _other_branches(count: int) -> Iterator[str]:
    if count:
        yield ""
        yield f"Not counted: {counted(count, 'pull request')} merged into another branch."


def _quiet(spots: Sequence[QuietSpot]) -> Iterator[str]:
    if spots:
        yield ""
        yield "Quiet spots in the last four weeks:"
        yield ""
        yield from (f"- {code(one.name)}: {QUIET_WORDS[one.rule]}" for one in spots[:MOST_ROWS])


def _with(counts: PullCounts) -> str:
    return f"{counts.assisted:,}" if counts.is_known else "-"


def _share(counts: PullCounts) -> str:
    """Return the share of lines as a floor, or ``-`` if there is no evidence for any of them."""
    return percent(counts.whole_attributed, counts.known_effective and counts.whole_effective)


def _change(now: int, before: int) -> str:
    return f"{before:,} the week before" if now != before else "as many as the week before"


def _was(part: int, whole: int) -> str:
    return f" ({percent(part, whole)} the week before)" if whole else ""
