"""An organization's week as a letter: merged pull requests, agents, quiet spots. It reads no store.

It names no person, whatever the settings say: people forward such a message.
"""

from collections.abc import Iterator, Sequence
from datetime import date

from ghapp.attribution.model import Struct
from ghapp.reports.letter import LetterPart, LetterSpan, LetterTable, Line, WeeklyLetter
from ghapp.reports.pull_cost import BASIS_WORDS
from ghapp.reports.summary import percent
from ghapp.reports.words import AGENTS, counted
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
FLOOR = "Every share is a floor: it includes only what is certain. Unknown is not zero."
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
) -> WeeklyLetter:
    """Return the letter; ``before`` holds the counts of the previous week."""
    return WeeklyLetter(
        organization=week.organization,
        week=week.name,
        first=week.first,
        last=week.last,
        parts=tuple(_parts(summary, before, usage, spend)),
        address=week.address,
    )


def _parts(
    summary: OrganizationSummary,
    before: PullCounts,
    usage: UsageCounts | None,
    spend: WeekSpend | None,
) -> Iterator[LetterPart]:
    if not summary.totals.pulls:
        yield LetterPart(paragraphs=(_line("No pull requests were merged."),))
    else:
        yield LetterPart(
            items=tuple(_totals(summary.totals, before)),
            table=_repositories(summary.repositories),
            paragraphs=(*_agents(summary), *_other_branches(summary.other_branches)),
        )
    costs = () if spend is None else tuple(_spent(spend))
    told = (*_usage(usage), *costs)
    if told:
        yield LetterPart(paragraphs=told)
    if spend is not None and spend.alarms:
        yield LetterPart(title="Budgets", items=tuple(map(_alarm, spend.alarms)))
    if summary.quiet:
        quiet = (_quiet(one) for one in summary.quiet[:MOST_ROWS])
        yield LetterPart(title="Quiet spots in the last four weeks", items=tuple(quiet))
    yield LetterPart(paragraphs=(_line(FLOOR),))


def _line(*parts: str | LetterSpan) -> Line:
    return tuple(LetterSpan(one) if isinstance(one, str) else one for one in parts)


def _strong(text: str) -> LetterSpan:
    return LetterSpan(text, is_strong=True)


def _name(text: str) -> LetterSpan:
    return LetterSpan(text, is_name=True)


def _totals(totals: PullCounts, before: PullCounts) -> Iterator[Line]:
    merged = counted(totals.pulls, "merged pull request")
    yield _line(f"{merged}, {_change(totals.pulls, before.pulls)}")
    if totals.is_known:
        yield _line(
            _strong(f"{totals.assisted:,} with an agent"),
            f", at least {percent(totals.assisted, totals.pulls)}"
            f"{_was(before.assisted, before.pulls if before.is_known else 0)}",
        )
    if totals.known_effective:
        lines = counted(totals.whole_effective, "line")
        yield _line(
            _strong(f"{totals.whole_attributed:,} of {lines} with an agent"),
            f", at least {_share(totals)}"
            f"{_was(before.whole_attributed, before.known_effective and before.whole_effective)}",
        )
    if totals.no_evidence:
        without = counted(totals.no_evidence, "pull request")
        yield _line(f"{without} without evidence: unknown, not 0")
    if totals.provisional:
        audits = counted(totals.provisional, "audit")
        yield _line(f"{audits} provisional: the window is still open")
    if totals.incomplete:
        audits = counted(totals.incomplete, "audit")
        yield _line(f"{audits} incomplete: a part of the change is unread")


def _repositories(rows: Sequence[RepositoryCounts]) -> LetterTable:
    return LetterTable(
        heads=("repository", "merged", "with an agent", "lines", "with an agent, at least"),
        rows=tuple(
            (
                row.repository,
                f"{row.counts.pulls:,}",
                _with(row.counts),
                f"{row.counts.whole_effective:,}",
                _share(row.counts),
            )
            for row in rows[:MOST_ROWS]
        ),
        more=max(0, len(rows) - MOST_ROWS),
    )


def _agents(summary: OrganizationSummary) -> Iterator[Line]:
    if not summary.agents:
        return
    spans: list[str | LetterSpan] = ["By agent: "]
    for one in summary.agents:
        known = AGENTS.get(one.agent)
        lines, pulls = counted(one.attributed, "line"), counted(one.pulls, "pull request")
        end = "." if one is summary.agents[-1] else "; "
        spans += [_name(one.agent) if known is None else known, f" {lines} in {pulls}{end}"]
    yield _line(*spans)


def _usage(usage: UsageCounts | None) -> Iterator[Line]:
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
    yield _line(f"Use of agents: {', '.join(parts)}.")


def _spent(spend: WeekSpend) -> Iterator[Line]:
    """Yield one line on money; nothing of few people, or nearly all of one."""
    cost = spend.spent.cost
    if cost is None or cost.amount is None or not cost.priced_tokens:
        return
    least = "at least " if cost.is_floor or cost.unpriced_tokens else ""
    line = f"Cost of agents: {least}{for_people(cost.amount)} {BASIS_WORDS[spend.basis]}"
    left = spend.spent.unallocated
    if left is not None and left.amount:
        line += f", {for_people(left.amount)} of that in no merged line"
    yield _line(f"{line}. It is no bill.")


def _alarm(one: BudgetCheck) -> Line:
    of, spent = one.budget, "-" if one.spent is None else for_people(one.spent)
    name = ("the organization",) if of.name is None else (f"{of.of} ", _name(of.name))
    return _line(
        *name,
        f", {one.month:%B %Y}: ",
        _strong(ALARM_WORDS[one.state]),
        f", {spent} spent of {for_people(of.monthly)} {BASIS_WORDS[of.basis]}",
    )


def _other_branches(count: int) -> Iterator[Line]:
    if count:
        pulls = counted(count, "pull request")
        yield _line(f"Not counted: {pulls} merged into another branch.")


def _quiet(spot: QuietSpot) -> Line:
    since = f"since {spot.since}" if spot.since else "for 16 weeks or more"
    # A place is named once: the team of nobody else's repository stands beside it.
    team = (" and team ", _name(spot.team)) if spot.team else ()
    return _line(_name(spot.name), *team, f": {QUIET_WORDS[spot.rule]}, {since}")


def _with(counts: PullCounts) -> str:
    return f"{counts.assisted:,}" if counts.is_known else "-"


def _share(counts: PullCounts) -> str:
    """Return the share of lines as a floor, or ``-`` if there is no evidence for any of them."""
    return percent(counts.whole_attributed, counts.known_effective and counts.whole_effective)


def _change(now: int, before: int) -> str:
    return f"{before:,} the week before" if now != before else "as many as the week before"


def _was(part: int, whole: int) -> str:
    return f" ({percent(part, whole)} the week before)" if whole else ""
