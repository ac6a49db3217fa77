"""What the pages that compare have to show in numbers: changes, the board, agents, the unknown."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from math import ceil, floor

from msgspec.structs import replace

from ghapp.attribution.model import Verdict
from ghapp.reports.no_evidence import ADVICE, SENTENCES
from ghapp.reports.words import agent_name
from ghapp.spend.money import for_people
from ghapp.summaries.counts import MeasuredFigure, PullCounts
from ghapp.summaries.intervals import proportion, ratio
from ghapp.summaries.models import family_of
from ghapp.summaries.selection import PullSelection, TimeGrain
from ghapp.usage.counts import OTHERS, UsageCounts
from ghapp.usage.days import TokenDay
from tests.store.plain_usage import between, parts, plain
from tests.store.summaries.slow_summaries import Pull
from tests.web.pages.figures import Figure
from tests.web.pages.recounted import (
    Known,
    _days,
    _estimate,
    _heard_of,
    _readable,
    _usage_of,
    day,
    difference_of,
    floor_of,
    is_told,
    many,
    n,
    share,
    spent,
    with_,
)

NOTHING = MeasuredFigure(count=0, value=None, low=None, high=None)
POINTS = 100, " points"


def lines_of(pulls: Sequence[Pull], *, known: bool = False) -> MeasuredFigure:
    """Return the share of some pull requests' lines; ``known``: of those with evidence."""
    told = [one for one in pulls if one.audit.verdict is not Verdict.NO_EVIDENCE]
    chosen = [one for one in (told if known else pulls) if one.audit.inputs.change_complete]
    if not any(one.audit.totals.effective for one in chosen if one in told):
        return NOTHING
    return ratio((one.audit.totals.attributed, one.audit.totals.effective) for one in chosen)


def floored(one: MeasuredFigure) -> str:
    if one.value is None:
        return "-"
    value = "<1" if 0 < one.value < 0.01 else floor(100 * one.value + 1e-9)
    if one.low is None or one.high is None:
        return f"{value}%"
    return f"{value}% ({floor(100 * one.low + 1e-9)} to {ceil(100 * one.high - 1e-9)})"


def changes(known: Known, asked: PullSelection, before: tuple[date, date]) -> Iterator[Figure]:
    """Recount both periods by themselves; ``before`` is the earlier one."""
    assert asked.since is not None
    assert asked.until is not None
    if len(asked.repository_ids) > 1:
        yield from _readable(asked)
    yield from _days(asked)
    old = replace(asked, since=before[0], until=before[1])
    title, spans = "What changed", (asked, old)
    days = [f"{day(one.since)} to {day(one.until)}" for one in spans if one.since and one.until]
    if known.slow.selected(old):
        yield title, f"{days[0]}, beside {days[1]}."
    else:
        why = "Then, nothing of this selection was merged, or by fewer than five people"
        yield title, f"{days[0]}, beside {days[1]}. {why}: there is nothing to compare with."
    yield title, "in brackets: the 95% interval"
    counts = [known.slow.totals(one) for one in spans]
    row = "Merged pull requests"
    yield title, row, "Now", n(counts[0].pulls)
    yield title, row, "Before", n(counts[1].pulls) if counts[1].pulls else "-"
    for name, now, then, write in _measures(known, spans, counts):
        yield title, name, "Now", write(now)
        yield title, name, "Before", write(then)
        yield title, name, "Difference", difference_of(now, then, *POINTS)
    if counts[0].provisional:
        verb = "is" if counts[0].provisional == 1 else "are"
        of = many(counts[0].provisional, "pull request")
        yield title, f"{of} of this period {verb} still provisional and can only gain."
    yield from _teams(known, spans)
    if len(asked.repository_ids) > 1:
        yield from _repositories(known, spans)
    yield from _makers(known, spans)


def _measures(
    known: Known, spans: Sequence[PullSelection], counts: Sequence[PullCounts]
) -> Iterator[tuple[str, MeasuredFigure, MeasuredFigure, Callable[[MeasuredFigure], str]]]:
    pulls = [known.slow.selected(one) for one in spans]
    yield "Share of lines, at least", lines_of(pulls[0]), lines_of(pulls[1]), floored
    told = [lines_of(one, known=True) for one in pulls]
    yield "Share where evidence is known", told[0], told[1], floored
    assisted = [
        proportion(one.assisted, one.pulls) if is_told(one) or not one.pulls else NOTHING
        for one in counts
    ]
    yield "PRs with an agent", assisted[0], assisted[1], floored
    evidence = [proportion(one.no_evidence, one.pulls) for one in counts]
    yield "PRs without evidence", evidence[0], evidence[1], lambda one: _estimate(one, "%")


def _teams(known: Known, spans: Sequence[PullSelection]) -> Iterator[Figure]:
    found = [{row.team: row.counts for row in known.slow.team_rows(one)} for one in spans]
    names = {team for one in found for team in one if team}
    if names:
        yield "By team", "in brackets: the 95% interval"
    for team in names:
        of_team = [
            [
                one
                for one in known.slow.selected(span)
                if known.slow.teams.get(one.author.lower()) == team
            ]
            if team in shown
            else None
            for span, shown in zip(spans, found, strict=True)
        ]
        yield from _part("By team", team, [one.get(team) for one in found], of_team)


def _repositories(known: Known, spans: Sequence[PullSelection]) -> Iterator[Figure]:
    yield "By repository", "in brackets: the 95% interval"
    for one in spans[0].repository_ids:
        own = [replace(span, repository_ids=(one,)) for span in spans]
        pulls = [known.slow.selected(span) or None for span in own]
        counts = [known.slow.totals(span) if known.slow.selected(span) else None for span in own]
        if any(counts):
            yield from _part("By repository", known.names[one].partition("/")[2], counts, pulls)


def _part(
    title: str,
    name: str,
    counts: Sequence[PullCounts | None],
    pulls: Sequence[Sequence[Pull] | None],
) -> Iterator[Figure]:
    now, then = (NOTHING if one is None else lines_of(one) for one in pulls)
    heads = ("PRs", "before"), ("no evidence", "no evidence before")
    for head, one in zip(heads[0], counts, strict=True):
        yield title, name, head, "-" if one is None else n(one.pulls)
    for head, one in zip(heads[1], counts, strict=True):
        yield title, name, head, "-" if one is None else n(one.no_evidence)
    yield title, name, "At least", floored(now)
    yield title, name, "at least before", "-" if counts[1] is None else floor_of(counts[1])
    yield title, name, "Difference", difference_of(now, then, *POINTS)


def _makers(known: Known, spans: Sequence[PullSelection]) -> Iterator[Figure]:
    heads = (("PRs with", "PRs before"), ("Lines with", "lines before"))
    agents = [{row.agent: row for row in known.slow.agents(one)} for one in spans]
    for agent in {**agents[0], **agents[1]}:
        of = [one.get(agent) for one in agents]
        for number, one in enumerate(of):
            yield "By agent", agent_name(agent), heads[0][number], n(one.pulls if one else 0)
            yield "By agent", agent_name(agent), heads[1][number], n(one.attributed if one else 0)
    models = [{(row.agent, row.model): row for row in known.slow.models(one)} for one in spans]
    for agent, model in {**models[0], **models[1]}:
        name = model or "not recorded"
        for number, one in enumerate(each.get((agent, model)) for each in models):
            yield "By model", name, heads[0][number], n(one.pulls if one else 0)
            yield "By model", name, heads[1][number], n(one.attributed if one else 0)


# --- what is not known ----------------------------------------------------------------------------


def unknown(known: Known, asked: PullSelection) -> Iterator[Figure]:
    counts = known.slow.totals(asked)
    yield from _readable(asked)
    yield from _days(asked)
    yield from _heard_of(known, asked)
    title = "What is not known, and why"
    yield title, f"of {many(counts.pulls, 'merged pull request')}"
    causes = Counter(
        one.audit.inputs.no_evidence
        for one in known.slow.selected(asked)
        if one.audit.verdict is Verdict.NO_EVIDENCE
    )
    for cause, pulls in causes.items():
        name = SENTENCES[cause] if cause else "The audit was made before audits said why"
        yield title, name, "PRs", n(pulls)
        yield title, name, "What to do", ADVICE[cause].replace("`", "") if cause else ""
    yield title, "Provisional: evidence may still arrive", "PRs", n(counts.provisional)
    yield title, "The change was not read completely", "PRs", n(counts.incomplete)
    for row in known.slow.team_rows(asked):
        yield from _place("By team", row.team or "others, and groups under five", row.counts)
    for one in asked.repository_ids:
        of = known.slow.totals(replace(asked, repository_ids=(one,)))
        if of.pulls:
            yield from _place("By repository", known.names[one].partition("/")[2], of)


def _place(title: str, name: str, counts: PullCounts) -> Iterator[Figure]:
    yield title, name, "No evidence", n(counts.no_evidence)
    yield title, name, "of", n(counts.pulls)
    yield title, name, "Provisional", n(counts.provisional)
    yield title, name, "Incomplete", n(counts.incomplete)


# --- agents and models ----------------------------------------------------------------------------


def agents(known: Known, asked: PullSelection) -> Iterator[Figure]:
    """Recount what each agent and model shipped, was used for, and cost, where all may be shown."""
    assert asked.since is not None
    assert asked.until is not None
    yield from _readable(asked)
    yield from _days(asked)
    yield "Agents compared", "in brackets: the 95% interval"
    rows = between(known.usage, asked.since, asked.until)
    used = parts(rows, lambda one: one.row.agent, of_agents=True)
    shipped = {row.agent: row for row in known.slow.agents(asked)}
    assert OTHERS not in used
    for agent in {**shipped, **used}:
        name, row = agent_name(agent), shipped.get(agent)
        yield "Agents compared", name, "PRs with", n(row.pulls) if row else "-"
        yield "Agents compared", name, "Lines with", n(row.attributed) if row else "-"
        came_of = [
            known.outcomes[one.repository_id, one.number]
            for one in known.slow.selected(asked)
            if one.audit.totals.by_agent.get(agent)
            and (one.repository_id, one.number) in known.outcomes
        ]
        for head, values in (
            ("Reverted", [one.reverted for one in came_of if one.reverted is not None]),
            ("Fixed up", [one.fixed_up for one in came_of if one.fixed_up is not None]),
        ):
            figure = proportion(sum(values), len(values))
            yield "Agents compared", name, head, _estimate(figure, "%")
        counts = used.get(agent, UsageCounts())
        yield "Agents compared", name, "People", n(counts.people) if counts.people else "-"
        for *where, head, value in _usage_of("Agents compared", name, counts):
            if head != "Lines accepted":
                yield *where, head, value
        own = [one for one in rows if one.row.agent == agent]
        yield "Agents compared", name, "Cost", _money(own)
    note = (
        "Reverted and fixed up: of the pull requests with a line of the agent, within 30 days. "
        "People choose what they give to which agent, so this ranks none. Estimate at list prices. "
        "A dash: nothing is known, or of too few people."
    )
    yield "Agents compared", note
    yield from _models_compared(known, asked)


def _models_compared(known: Known, asked: PullSelection) -> Iterator[Figure]:
    assert asked.since is not None
    assert asked.until is not None
    title, lines = "Models compared", Counter[str]()
    for row in known.slow.models(asked):
        lines[row.model or ""] += row.attributed
    tokens = defaultdict(list)
    for one in between(known.usage, asked.since, asked.until):
        if isinstance(one.row, TokenDay):
            tokens[family_of(one.row.model) if one.row.model else ""].append(one)
    assert all(len({one.person for one in rows}) >= 5 for rows in tokens.values())
    for family in {**lines, **tokens}:
        name = family or "not recorded"
        yield title, name, "Lines with", n(lines[family]) if family in lines else "-"
        counts = plain(tokens.get(family, []))
        yield title, name, "Output tokens", n(counts.tokens.output) if counts.tokens else "-"
        yield title, name, "Cost", _money(tokens.get(family, []))
        if family not in lines:
            yield title, name, "Agent", "-"


def _money(rows: Sequence[object]) -> str:
    cost = spent(rows)  # type: ignore[arg-type]
    if cost is None or cost.amount is None:
        return "-"
    return for_people(cost.amount) + "+" * cost.is_floor


# --- the board ------------------------------------------------------------------------------------


def board(known: Known, asked: PullSelection, before: tuple[date, date]) -> Iterator[Figure]:
    assert asked.since is not None
    assert asked.until is not None
    counts, pulls = known.slow.totals(asked), known.slow.selected(asked)
    old = replace(asked, since=before[0], until=before[1])
    name = f"{asked.since.year}-Q{(asked.since.month + 2) // 3}"
    yield "", f"acme: agents in merged code, {name}"
    yield "", f"merged {day(asked.since)} to {day(asked.until)}, as known on {day(known.today)}"
    yield "", f"{before[0].year}-Q{(before[0].month + 2) // 3}"
    yield "", "Share of lines", f"at least {floor_of(counts)}"
    yield "", "Share of lines", f"of {many(counts.whole_effective, 'effective line')}"
    yield "", "PRs with an agent", with_(counts, counts.assisted)
    part = share(counts.assisted, counts.pulls)
    yield "", "PRs with an agent", f"of {many(counts.pulls, 'merged pull request')}, {part}"
    rows = between(known.usage, asked.since, asked.until)
    yield "", "People who used agents", n(len({one.person for one in rows}))
    yield "", "Cost of agents", _money(rows)
    merged = many(counts.pulls, "merged pull request")
    wrote = f"Agents wrote at least {floored(lines_of(pulls))} of the lines that were merged"
    yield "", f"{wrote}, and had a part in {n(counts.assisted)} of {merged}."
    told = [
        (one.audit.verdict is Verdict.ASSISTED, found.reverted)
        for one in pulls
        if one.audit.verdict is not Verdict.NO_EVIDENCE
        and (found := known.outcomes.get((one.repository_id, one.number))) is not None
        and found.reverted is not None
    ]
    groups = [[is_so for assisted, is_so in told if assisted is of] for of in (True, False)]
    one, other = (proportion(sum(group), len(group)) for group in groups)
    if told:
        said = f"Of assisted pull requests {_estimate(one, '%')} were reverted within 30 days, "
        rest = f"of the others {_estimate(other, '%')}: {difference_of(one, other, *POINTS)}."
        yield "", said + rest
    yield from _months(known, asked)
    for *where, head, value in _teams(known, (asked, old)):
        if where and where[0] == "By team" and len(where) == 2:
            heads = {"no evidence": head, "At least": head, "PRs": "all"}
            heads["Difference"] = "Compared with the quarter before"
            if head in heads:
                yield "Teams", where[1], heads[head], value
    for row in known.slow.team_rows(asked):
        if row.team:
            yield "Teams", row.team, "PRs with", with_(row.counts, row.counts.assisted)
    known_ = n(counts.pulls - counts.no_evidence)
    of = f"There is evidence for {known_} of {many(counts.pulls, 'pull request')}"
    provisional = f" Provisional, so that it can only gain: {n(counts.provisional)}."
    said = f"How sure. {of}; for the others agent use is unknown, not zero."
    said += provisional if counts.provisional else ""
    yield "", f"{said} Every share is a floor. In brackets stand 95% intervals."
    method = (
        "Method. A line counts for an agent only if it matches an edit that the agent's own "
        "records show in this repository before the merge; what anyone might type, generated "
        "files and copies count for nobody. Each line's reason, and every rule: http://localhost/method."
    )
    yield "", f"{method} This page: http://localhost/organizations/acme/board?quarter={name}."


def _months(known: Known, asked: PullSelection) -> Iterator[Figure]:
    assert asked.until is not None
    title = "Share of lines by month, at least"
    until = asked.until
    first = (until - timedelta(days=340)).replace(day=1)
    year = replace(asked, since=first, until=until)
    points = known.slow.series(year, TimeGrain.MONTH)
    while not points[0].counts.pulls:
        first, points = points[1].start, points[1:]
    for point in points:
        counts, name = point.counts, f"{point.start:%B %Y}"
        told = is_told(counts) or not counts.pulls
        yield title, name, "Lines with", n(counts.attributed) if told else "-"
        yield title, name, "Effective lines", n(counts.effective)
        yield title, name, "Share, at least", floor_of(counts)
        of = f"{n(counts.whole_attributed) if told else '-'} of {n(counts.whole_effective)} lines"
        yield title, "drawn", f"{name}: at least {floor_of(counts)} ({of})"
    yield title, "drawn", f"Since {day(first)}. The share is a floor: uncertain lines do not count."
