"""What each page has to show in numbers, recounted from the audit documents, one by one."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from math import floor, hypot, log2
from statistics import NormalDist
from statistics import median as middle
from typing import Any

import msgspec

from ghapp.attribution.document import to_document
from ghapp.attribution.model import Audit, FileVerdict, LineVerdict, Struct, Verdict
from ghapp.reports.ranges import ranges
from ghapp.reports.words import NOT_COUNTED_GROUP, agent_name, group, sentence
from ghapp.spend.allocation import split_cost
from ghapp.spend.cost import TokenCost
from ghapp.spend.money import for_people
from ghapp.spend.prices import packaged
from ghapp.spend.quotes import at_list, row_of
from ghapp.store import Replay, SavedAudit, StoredUsage
from ghapp.store.coverage import AFTER, BEFORE
from ghapp.summaries.counts import (
    AgentCounts,
    LineCounts,
    MeasuredFigure,
    ModelCounts,
    PersonCounts,
    PullCounts,
    PullOutcome,
    QuietReason,
    TeamCounts,
)
from ghapp.summaries.intervals import median, proportion, ratio
from ghapp.summaries.selection import (
    NamesShown,
    PersonNaming,
    PullOrder,
    PullSelection,
    RankBy,
    TimeGrain,
)
from ghapp.usage.answers import TokenCounts
from ghapp.usage.counts import OTHERS, UsageCounts
from ghapp.usage.days import TokenDay
from ghapp.web.pages.pull_request import why
from tests.store.plain_usage import between, parts, plain
from tests.store.summaries.slow_summaries import Pull, Slow
from tests.web.pages.figures import Figure

HOUR = timedelta(hours=1)


class Known(Struct, frozen=True):
    """All that pages are made from, as it was put in."""

    slow: Slow
    names: dict[int, str]
    """Full names of the repositories."""
    outcomes: dict[tuple[int, int], PullOutcome]
    reported: set[tuple[str, datetime]]
    """Whose machine reported in which week, by login."""
    today: date
    naming: PersonNaming = PersonNaming(names=NamesShown.TEAMS)
    usage: tuple[StoredUsage, ...] = ()
    """The rows of usage that count."""
    accounts: Mapping[str, int] = {}
    """Numbers of people's accounts."""
    teams: Mapping[str, str] = {}
    """People's teams."""
    deployments: Sequence[tuple[int, datetime, Collection[str]]] = ()
    """Repository, success and brought commits of the deployments to production."""
    incidents: Sequence[tuple[int, datetime, datetime | None]] = ()
    """Repository, beginning and end of the incidents."""

    def asked(self, *repository_ids: int, **filters: Any) -> PullSelection:
        """Return what a page asks for when its address says no more: the last twelve months."""
        since = self.today - timedelta(days=364)
        whole = PullSelection(repository_ids or tuple(self.names), since, self.today)
        return msgspec.structs.replace(whole, **filters)


# --- words for numbers ----------------------------------------------------------------------------


def n(count: int) -> str:
    return f"{count:,}"


def share(part: int, whole: int) -> str:
    """Write a floor: whole percent, rounded down."""
    if not whole:
        return "-"
    return "<1%" if 0 < part * 100 < whole else f"{floor(100 * part / whole + 1e-9)}%"


def many(count: int, noun: str) -> str:
    return f"{n(count)} {noun}{'' if count == 1 else 's'}"


def floor_of(counts: PullCounts) -> str:
    """Write the share of some counts; a dash where nothing is known."""
    known = counts.known_effective
    return share(counts.whole_attributed, counts.whole_effective) if known else "-"


def is_told(counts: PullCounts) -> bool:
    return counts.pulls > counts.no_evidence


def with_(counts: PullCounts, value: int) -> str:
    """Write what is with an agent; a dash where nothing is known."""
    return n(value) if is_told(counts) else "-"


def day(on: date) -> str:
    return f"{on.day} {on:%b %Y}"


def span(start: date, grain: TimeGrain) -> str:
    if grain is TimeGrain.MONTH:
        return f"{start:%B %Y}"
    return day(start) if grain is TimeGrain.DAY else f"Week of {day(start)}"


def minute(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def meter(where: str, row: str, name: str, part: int, whole: int) -> Iterator[Figure]:
    """Return the share of a bar, said twice: to who rests on it and to who cannot see it."""
    yield from [(where, row, "drawn", f"{name}: {share(part, whole)}")] * 2


def floor_meter(where: str, row: str, name: str, counts: PullCounts) -> Iterator[Figure]:
    """Return the bar beside a floor; there is none where nothing is known."""
    if counts.known_effective:
        yield from meter(where, row, name, counts.whole_attributed, counts.whole_effective)


# --- repository and organization ------------------------------------------------------------------


def repository(known: Known, asked: PullSelection, grain: TimeGrain) -> Iterator[Figure]:
    slow = known.slow
    yield from _head(known, asked)
    yield from _cost_line(known, asked)
    yield from _series(known, asked, grain)
    yield from _agents(slow.agents(asked), slow.totals(asked))
    yield from _lines("By language", slow.languages(asked))
    below = f" in {asked.path}" if asked.path else ""
    yield from _lines(f"By directory{below}", slow.directories(asked))
    largest = slow.listed(asked, PullOrder.EFFECTIVE, ascending=False)[:10]
    yield from _pulls("Largest pull requests", known, largest)


def organization(
    known: Known, asked: PullSelection, grain: TimeGrain, by: RankBy
) -> Iterator[Figure]:
    slow = known.slow
    yield from _readable(asked)
    yield from _head(known, asked)
    yield from _series(known, asked, grain)
    for one in asked.repository_ids:
        yield from _repository(known, msgspec.structs.replace(asked, repository_ids=(one,)))
    yield from _quiet(known, asked)
    for row in slow.team_rows(asked):
        yield from _team(row)
    yield from _board(slow.people(asked, known.naming), by, _used(known, asked))
    yield from _adoption(known, asked)
    yield from _agents(slow.agents(asked), slow.totals(asked))
    yield from _models(slow.models(asked), slow.totals(asked))
    yield from _lines("By language", slow.languages(asked))


def _readable(asked: PullSelection) -> Iterator[Figure]:
    yield "", f"{len(asked.repository_ids)} repositories that you may read"


def _head(known: Known, asked: PullSelection) -> Iterator[Figure]:
    counts = known.slow.totals(asked)
    yield from _days(asked)
    part = f", {share(counts.assisted, counts.pulls)}" if is_told(counts) else ""
    yield "", "PRs with an agent", with_(counts, counts.assisted)
    yield "", "PRs with an agent", f"of {many(counts.pulls, 'merged pull request')}{part}"
    yield "", "Lines of code with", with_(counts, counts.attributed)
    yield "", "Lines of code with", f"of {many(counts.effective, 'effective line')}"
    whole = floor_of(counts)
    yield "", "Share of lines", whole if whole == "-" else f"at least {whole}"
    if counts.known_effective:
        part = share(counts.whole_attributed, counts.known_effective)
        yield "", "Share of lines", f"{part} where evidence is known"
    yield "", "Without evidence", n(counts.no_evidence)
    yield "", "Provisional", n(counts.provisional)
    if counts.incomplete:
        yield "", "Provisional", f"can only gain; {n(counts.incomplete)} incomplete"
    yield from _heard_of(known, asked)


def _days(asked: PullSelection) -> Iterator[Figure]:
    assert asked.since is not None
    assert asked.until is not None
    yield "", f"merged {day(asked.since)} to {day(asked.until)}"


def _heard_of(known: Known, asked: PullSelection) -> Iterator[Figure]:
    """Say of how many pull requests nothing was heard of the author."""
    pulls = [one for one in known.slow.selected(asked) if one.about.author_id]
    if pulls:
        yield "", " ".join(_unknowns(known, pulls))
    other = known.slow.other_branches(asked)
    if other:
        verb = "is" if other == 1 else "are"
        merged = f"{many(other, 'pull request')} merged into other branches than the default one"
        why = "since their lines count when that branch is merged. Count every branch"
        yield "", f"{merged} {verb} not counted, {why}"


def _unknowns(known: Known, pulls: Sequence[Pull]) -> Iterator[str]:
    silent = [one for one in pulls if not _is_heard(known, one)]
    unknown = [one for one in pulls if one.audit.verdict is Verdict.NO_EVIDENCE]
    of = many(len(pulls), "pull request")
    if silent:
        said = f"For {len(silent)} of {of} the author's machine did not report"
        yield f"{said}, so agent use is unknown there."
    else:
        yield f"The author's machine reported for all {of}."
    others = [one for one in silent if one not in unknown]
    if others:
        has = "has" if len(others) == 1 else "have"
        yield f"{len(others)} of these {has} evidence of other people all the same."
    told = [one for one in unknown if one not in silent]
    if told:
        has = "has" if len(told) == 1 else "have"
        without = f"{many(len(told), 'pull request')} without evidence {has} an author whose"
        yield f"{without} machine did report: it had nothing to send."


def _is_heard(known: Known, pull: Pull) -> bool:
    first, last = pull.audit.merged_at - BEFORE, pull.audit.merged_at + AFTER
    edits = known.slow.edits.get(pull.repository_id, [])
    sent = any(one.actor == pull.author and first <= one.at <= last for one in edits)
    weeks = (week for login, week in known.reported if login == pull.author)
    return sent or any(first - timedelta(days=7) <= week <= last for week in weeks)


def _series(known: Known, asked: PullSelection, grain: TimeGrain) -> Iterator[Figure]:
    """Recount both charts: their tables, what resting on a step tells, what is read out."""
    points = known.slow.series(asked, grain)
    pulls, lines = "Merged pull requests", "Share of effective lines"
    sums: Counter[str] = Counter()
    for point in points:
        counts, name = point.counts, span(point.start, grain)
        values = {
            "With": counts.assisted,
            "Without": counts.not_assisted,
            "No evidence": counts.no_evidence,
        }
        sums.update(values)
        known = is_told(counts) or not counts.pulls
        told = [str(counts.assisted), str(counts.not_assisted)] if known else ["-", "-"]
        for head, value in zip(values, (*told, str(counts.no_evidence)), strict=True):
            yield pulls, name, head, value
        said = f"{name}: {told[0]} with, {told[1]} without, {counts.no_evidence} without evidence"
        yield pulls, "drawn", said
        yield lines, name, "Lines with", n(counts.attributed) if known else "-"
        yield lines, name, "Effective lines", n(counts.effective)
        yield lines, name, "Share, at least", floor_of(counts)
        whole = n(counts.whole_attributed) if known else "-"
        of = f"{whole} of {n(counts.whole_effective)} lines"
        yield lines, "drawn", f"{name}: at least {floor_of(counts)} ({of})"
    since = f"Since {day(points[0].start)}."
    with_, without, unknown = sums["With"], sums["Without"], sums["No evidence"]
    said = f"{with_} with an agent, {without} without, {unknown} without evidence."
    yield pulls, "drawn", f"{since} {said}"
    yield lines, "drawn", f"{since} The share is a floor: uncertain lines do not count."


def _models(models: Sequence[ModelCounts], counts: PullCounts) -> Iterator[Figure]:
    for row in models[:12]:
        name = row.model or "not recorded"
        yield "By model", name, "Agent", agent_name(row.agent)
        yield "By model", name, "PRs with", n(row.pulls)
        yield "By model", name, "Lines with", n(row.attributed)
        yield from meter("By model", name, name, row.attributed, counts.attributed)
    if len(models) > 12:
        yield "By model", f"and {n(len(models) - 12)} more with fewer lines"


def _agents(agents: Iterable[AgentCounts], counts: PullCounts) -> Iterator[Figure]:
    for row in agents:
        name = agent_name(row.agent)
        yield "By agent", name, "PRs with", n(row.pulls)
        yield "By agent", name, "Lines with", n(row.attributed)
        yield from meter("By agent", name, name, row.attributed, counts.attributed)


def _lines(title: str, rows: Iterable[LineCounts]) -> Iterator[Figure]:
    counted = [row for row in rows if row.effective]
    for row in counted[:12]:
        name = "files at the top" if row.name == "." else row.name
        is_known = row.known_effective or row.attributed
        yield title, name, "Lines with", n(row.attributed) if is_known else "-"
        yield title, name, "of", n(row.effective)
        yield title, name, "no evidence", n(row.whole_effective - row.known_effective)
        part = row.whole_attributed, row.whole_effective
        yield title, name, "at least", share(*part) if row.known_effective else "-"
        if row.known_effective:
            yield from meter(title, name, row.name, *part)
    if len(counted) > 12:
        yield title, f"and {len(counted) - 12} more with fewer lines"


def _repository(known: Known, asked: PullSelection) -> Iterator[Figure]:
    full_name, counts = known.names[asked.repository_ids[0]], known.slow.totals(asked)
    row = "Repositories", full_name.partition("/")[2]
    if not counts.pulls:
        return
    points = known.slow.series(asked, TimeGrain.MONTH)
    known_ones = [point for point in points if point.counts.known_effective]
    if known_ones:
        ends = (known_ones[0], known_ones[-1])
        said = (f"{floor_of(one.counts)} in {one.start:%B %Y}" for one in ends)
        yield *row, "drawn", f"Share of {full_name} by month: {', '.join(said)}"
    yield *row, "PRs with", with_(counts, counts.assisted)
    yield *row, "all", n(counts.pulls)
    yield *row, "Lines with", with_(counts, counts.attributed)
    yield *row, "of", n(counts.effective)
    yield *row, "at least", floor_of(counts)
    yield from floor_meter(*row, full_name, counts)
    yield *row, "No evidence", n(counts.no_evidence)


def _team(one: TeamCounts) -> Iterator[Figure]:
    row, counts = ("Teams", one.team or "others, and groups under five"), one.counts
    yield *row, "PRs with", with_(counts, counts.assisted)
    yield *row, "all", n(counts.pulls)
    yield *row, "no evidence", n(counts.no_evidence)
    yield *row, "at least", floor_of(counts)
    yield from floor_meter(*row, one.team or "others", counts)


class Spot(Struct, frozen=True):
    """A team or repository that is quiet, by which rule, and the counts that say so."""

    team: str
    """Empty: it is a repository."""
    repository: str
    rule: QuietReason
    now: PullCounts
    before: PullCounts


def _quiet(known: Known, asked: PullSelection) -> Iterator[Figure]:
    if not asked.is_plain:
        return
    assert asked.until is not None
    yield "Quiet spots", "the last 4 full weeks compared with the 12 before"
    for one, team in _spots_once(known, asked.until):
        names = [one.repository.partition("/")[2], f"team {team}" if team else ""]
        name = " and ".join(filter(None, names))
        since = _quiet_since(known, one, asked.until)
        yield "Quiet spots", name, "Since", day(since) if since else "16 weeks or more"
        for head, counts in (("PRs with, now", one.now), ("before", one.before)):
            of = f"{counts.assisted} of {counts.pulls}"
            yield "Quiet spots", name, head, of if is_told(counts) else "-"


def _spots_once(known: Known, last_day: date) -> Iterator[tuple[Spot, str]]:
    """Yield each spot with its team; a team that is the only one of a place comes with that."""
    spots = quiet_spots(known, last_day)
    of_teams = {(one.now, one.before): one.team for one in spots if one.team}
    of_places = {(one.now, one.before) for one in spots if not one.team}
    for one in spots:
        if not one.team:
            yield one, of_teams.get((one.now, one.before), "")
        elif (one.now, one.before) not in of_places:
            yield one, one.team


def _letter_spots(known: Known, last_day: date) -> Iterator[str]:
    words = {
        QuietReason.FELL: "the share of pull requests with agents fell by more than half",
        QuietReason.NEVER_STARTED: "there is evidence, but no pull request with an agent",
        QuietReason.NO_EVIDENCE: "no evidence has arrived",
    }
    for one, team in _spots_once(known, last_day):
        since = _quiet_since(known, one, last_day)
        ago = f"since {since}" if since else "for 16 weeks or more"
        and_ = " and team " if one.repository and team else ""
        names = f"`{one.repository}`" if one.repository else "", f"`{team}`" if team else ""
        yield f"- {and_.join(names)}: {words[one.rule]}, {ago}"


def _quiet_since(known: Known, spot: Spot, last_day: date) -> date | None:
    """Go back week by week from the last four as long as nothing says that it was not quiet."""
    after = min(last_day + timedelta(days=1), known.today)
    first = after - timedelta(days=after.weekday() + 28)
    ids = tuple(one for one, name in known.names.items() if spot.repository in {"", name})
    for weeks in range(12):
        monday = first - timedelta(days=7 * (weeks + 1))
        week = PullSelection(ids, monday, monday + timedelta(days=6), team=spot.team or None)
        counts = known.slow.totals(week)
        if not counts.pulls:
            continue
        if spot.rule is QuietReason.NO_EVIDENCE:
            is_quiet = not is_told(counts)
        else:
            then = spot.before.assisted / max(spot.before.pulls, 1)
            is_quiet = not counts.assisted or counts.assisted / counts.pulls < then / 2
        if not is_quiet:
            return monday + timedelta(days=7)
    return None


def quiet_spots(known: Known, last_day: date) -> list[Spot]:
    """Follow the three rules of docs/metrics.md over 4 whole weeks and the 12 before them."""
    after = min(last_day + timedelta(days=1), known.today)
    end = after - timedelta(days=after.weekday())
    spans = [(28, 1), (28 + 84, 28 + 1)]
    now, before = (
        PullSelection(tuple(known.names), end - timedelta(days=first), end - timedelta(days=last))
        for first, last in spans
    )
    earlier = {row.team: row.counts for row in known.slow.team_rows(before) if row.team}
    pairs = [
        (row.team, "", row.counts, earlier[row.team])
        for row in known.slow.team_rows(now)
        if row.team in earlier
    ]
    for one, name in known.names.items():
        new, old = (
            known.slow.totals(PullSelection((one,), span.since, span.until))
            for span in (now, before)
        )
        pairs.append(("", name, new, old))
    return [
        Spot(team or "", name, rule, new, old)
        for team, name, new, old in pairs
        if (rule := _rule(new, old)) is not None
    ]


def _rule(now: PullCounts, before: PullCounts) -> QuietReason | None:
    if now.pulls < 10:
        return None
    if now.no_evidence == now.pulls:
        return QuietReason.NO_EVIDENCE
    if now.assisted + before.assisted == 0:
        return QuietReason.NEVER_STARTED
    if before.pulls < 10:
        return None
    then, today = before.assisted / before.pulls, now.assisted / now.pulls
    return QuietReason.FELL if today < then / 2 and then - today >= 0.1 else None


def _cost_line(known: Known, asked: PullSelection) -> Iterator[Figure]:
    """Yield the line on spend, which is of days and has no other filter."""
    days = PullSelection(asked.repository_ids, asked.since, asked.until)
    assert asked.since is not None
    assert asked.until is not None
    rows = between(known.usage, asked.since, asked.until)
    cost = spent(one for one in rows if one.repository_id in asked.repository_ids)
    if asked == days and cost is not None and cost.amount is not None:
        amount = for_people(cost.amount) + "+" * cost.is_floor
        yield "", f"Agents cost {amount} here on these days. Estimate at list prices."


def _priced(rows: Iterable[StoredUsage]) -> list[tuple[StoredUsage, TokenCost]]:
    """Price rows; those that are alike but for what has no price are one, rounded once."""
    alike: dict[Any, tuple[StoredUsage, TokenCounts]] = {}
    for one in rows:
        row = one.row
        if isinstance(row, TokenDay):
            where = (one.person, one.repository_id, row.day, row.agent, row.agent_session)
            key = (where, row.model, row.variant, row.context)
            before = alike[key][1] if key in alike else TokenCounts()
            alike[key] = one, before + row.tokens
    found = []
    for one, tokens in alike.values():
        assert isinstance(one.row, TokenDay)
        row = msgspec.structs.replace(one.row, tokens=tokens)
        found.append((one, at_list(row_of(row), packaged()).cost))
    return found


def spent(rows: Iterable[StoredUsage]) -> TokenCost | None:
    """Return what rows cost together; ``None``: of too few people, or nearly all of one."""
    people: dict[int, TokenCost] = {}
    for one, priced in _priced(rows):
        people[one.person] = people.get(one.person, TokenCost()) + priced
    known = [one.amount for one in people.values() if one.amount is not None]
    if len(known) < 5 or max(known) * 100 > 80 * sum(known):
        return None
    return sum(people.values(), TokenCost())


def _sessions(pull: Pull) -> Counter[tuple[str, str]]:
    lines = (line for file in pull.audit.files for line in file.lines if line.attributed)
    return Counter((line.agent or "", line.agent_session or "") for line in lines)


def cost_of(known: Known, pull: Pull) -> Iterator[Figure]:
    """Yield what a pull request cost, allocated anew from all rows and all documents."""
    mine, weights = _sessions(pull), dict[Any, dict[tuple[int, int], int]]()
    for one in known.slow.pulls:
        for name, lines in _sessions(one).items():
            if name in mine:
                weights.setdefault(name, {})[one.repository_id, one.number] = lines
    alike: dict[Any, TokenCost] = {}
    for one, cost in _priced(known.usage):
        name = (one.row.agent, one.row.agent_session)
        if name in mine:
            assert isinstance(one.row, TokenDay)
            key = (name, one.row.model, one.row.day, one.person, one.repository_id)
            alike[key] = alike.get(key, TokenCost()) + cost
    models: dict[str, TokenCost] = {}
    for key, cost in alike.items():
        part = split_cost(cost, weights[key[0]])[pull.repository_id, pull.number]
        models[key[1]] = models.get(key[1], TokenCost()) + part
    whole, used = sum(models.values(), TokenCost()), {key[0] for key in alike}
    if used and whole.amount is not None:
        least = whole.is_floor or whole.unpriced_tokens
        amount = f"{'At least' if least else 'About'} {for_people(whole.amount)}"
        yield "Cost", f"{amount} at list prices."
        yield "Cost", "Usage until", day(max(key[2] for key in alike))
        yield "Cost", "Agent sessions", f"{len(used)} with usage"
        lines, covered = sum(mine.values()), sum(mine[name] for name in used)
        yield (
            "Cost",
            "Coverage",
            f"{100 * covered // lines}% of {many(lines, 'attributed line')} have usage",
        )
    for model, cost in models.items():
        yield "Cost", model, "Cost", for_people(cost.amount or 0) + "+" * cost.is_floor
        yield "Cost", model, "Tokens without a price", n(cost.unpriced_tokens)


def _used(known: Known, asked: PullSelection) -> dict[str, UsageCounts]:
    """Count the usage of each person, or of each team that has enough of them."""
    plain_days = asked.since, asked.until
    if not asked.is_of_edits or None in plain_days or known.naming.names is NamesShown.PSEUDONYMS:
        return {}
    assert asked.since is not None
    assert asked.until is not None
    logins = {number: login for login, number in known.accounts.items()}
    rows = [
        one
        for one in between(known.usage, asked.since, asked.until)
        if one.repository_id in {None, *asked.repository_ids}
        and asked.agent in {None, one.row.agent}
        and asked.team in {None, known.teams.get(logins.get(one.person, ""))}
    ]
    if known.naming.names is NamesShown.TEAMS:
        found = parts(rows, lambda one: known.teams.get(logins.get(one.person, "")), of_agents=True)
        return {name: counts for name, counts in found.items() if name != OTHERS}
    people = {one.person for one in rows} & logins.keys()
    return {
        logins[one]: plain([row for row in rows if row.person == one], least=1) for one in people
    }


def _usage_of(where: str, name: str, used: UsageCounts | None) -> Iterator[Figure]:
    counts = used or UsageCounts()
    tokens, edits = counts.tokens, counts.edits
    rate = edits.accept_rate if edits else None
    for head, value in (
        ("Agent sessions", counts.agent_sessions),
        ("Output tokens", tokens and tokens.output),
        ("Lines accepted", edits and edits.lines_accepted),
    ):
        yield where, name, head, "-" if value is None else n(value)
    if rate is None:
        shown = "-"
    elif rate.at_least == rate.at_most:
        shown = f"{100 * rate.at_least:.0f}%"
    else:
        shown = f"{100 * rate.at_least:.0f} to {100 * rate.at_most:.0f}%"
    yield where, name, "Accept rate", shown


def _board(
    people: Iterable[PersonCounts], by: RankBy, used: Mapping[str, UsageCounts]
) -> Iterator[Figure]:
    def rank(row: PersonCounts) -> tuple[int, ...]:
        pulls, lines = (row.pulls_with or 0, row.pulls), (row.lines_with or 0, row.lines)
        return (*pulls, *lines) if by is RankBy.PULLS else (*lines, *pulls)

    named = [row for row in people if row.name != "(others)"]
    for row in sorted(named, key=rank, reverse=True)[:10]:
        name = f"{row.name} {row.people} people" if row.people > 1 else row.name
        with_, lines_with = row.pulls_with, row.lines_with
        yield "Leaderboard", name, "PRs with", "-" if with_ is None else n(with_)
        yield "Leaderboard", name, "all PRs", n(row.pulls)
        yield "Leaderboard", name, "no evidence", n(row.no_evidence)
        yield "Leaderboard", name, "Lines with", "-" if lines_with is None else n(lines_with)
        yield "Leaderboard", name, "all lines", n(row.lines)
        yield from _usage_of("Leaderboard", name, used.get(row.name))


def _adoption(known: Known, asked: PullSelection) -> Iterator[Figure]:
    assert asked.since is not None
    assert asked.until is not None
    since = asked.until - timedelta(days=90)
    latest = msgspec.structs.replace(asked, since=max(since, asked.since))
    days = (known.slow.adoption(latest) or ())[-84:]
    if not days:
        return
    title = "Active developers by day"
    for one in days:
        yield title, day(one.day), "Active developers", str(one.developers)
        yield title, day(one.day), "Merged pull requests", str(one.pulls)
        per = f"{one.pulls / one.developers:.1f}" if one.developers else "-"
        yield title, day(one.day), "PRs per developer", per
    for one in days:
        yield "Agent sessions by day", day(one.day), "Agent sessions", str(one.agent_sessions)
    yield from _by_day(title, "active developer", [(one.day, one.developers) for one in days])
    found = [(one.day, one.agent_sessions) for one in days]
    yield from _by_day("Agent sessions by day", "agent session", found)


def _by_day(title: str, noun: str, days: Sequence[tuple[date, int]]) -> Iterator[Figure]:
    for on, value in days:
        yield title, "drawn", f"{day(on)}: {many(value, noun)}"
    most = many(max(value for _, value in days), noun)
    yield title, "drawn", f"{many(len(days), 'day')}, {most} on the busiest one."


# --- lists ----------------------------------------------------------------------------------------


def pulls(known: Known, asked: PullSelection) -> Iterator[Figure]:
    is_of_many = len(asked.repository_ids) > 1
    if is_of_many:
        yield from _readable(asked)
    yield from _days(asked)
    found = known.slow.listed(asked, PullOrder.MERGED, ascending=False)[:50]
    yield from _pulls("", known, found, sorted_by="Merged ↓", with_name=is_of_many)


def _pulls(
    where: str,
    known: Known,
    listed: Sequence[tuple[int, int]],
    *,
    sorted_by: str = "Merged",
    with_name: bool = False,
) -> Iterator[Figure]:
    of = {(one.repository_id, one.number): one for one in known.slow.pulls}
    for repository_id, number in listed:
        pull = of[repository_id, number]
        totals = pull.audit.totals
        name = known.names[repository_id].partition("/")[2] if with_name else ""
        row = f"{pull.about.title or 'Pull request'} {name}#{number}"
        is_known = totals.share is not None and pull.audit.verdict is not Verdict.NO_EVIDENCE
        if not known.slow.teams.get(pull.author):
            yield where, row, "Team", "-"
        is_told = pull.audit.verdict is not Verdict.NO_EVIDENCE
        yield where, row, "Lines with", n(totals.attributed) if is_told else "-"
        yield where, row, "of", n(totals.effective)
        floor_ = share(totals.attributed, totals.effective) if is_known else "-"
        yield where, row, "at least", floor_
        yield where, row, sorted_by, day(pull.audit.merged_at)


# --- outcomes -------------------------------------------------------------------------------------


def outcomes(known: Known, asked: PullSelection) -> Iterator[Figure]:
    if len(asked.repository_ids) > 1:
        yield from _readable(asked)
    yield from _days(asked)
    chosen = [
        one for one in known.slow.selected(asked) if one.audit.verdict is not Verdict.NO_EVIDENCE
    ]
    told = [
        (pull, known.outcomes[pull.repository_id, pull.number])
        for pull in chosen
        if (pull.repository_id, pull.number) in known.outcomes
    ]
    said = f"{n(len(told))} of {many(len(chosen), 'merged pull request')} in this period."
    how = (
        "A dot is the value; the line through it is its 95% interval. A difference is told between"
    )
    like = (
        "pull requests of one repository and about one size, and allows for how many are looked at:"
    )
    chance = "chance alone makes any of them appear on at most one page of twenty."
    yield "", f"Outcomes are known for {said} {how} {like} {chance}"
    beside = differences_of(told)
    for name, title, unit, estimate in MEASURES:
        groups = [
            [one for one in told if (one[0].audit.verdict is Verdict.ASSISTED) is is_assisted]
            for is_assisted in (True, False)
        ]
        estimates = [estimate(group, told, number) for number, group in enumerate(groups)]
        yield from _compared(name, title, unit, estimates, beside.get(name))
    yield from delivery(known, asked)


def delivery(known: Known, asked: PullSelection) -> Iterator[Figure]:
    """Recount the DORA metrics from what was put in; nothing is said of them under a filter."""
    if not asked.is_plain:
        return
    deployed = [one for one in known.deployments if one[0] in asked.repository_ids]
    incidents = [one for one in known.incidents if one[0] in asked.repository_ids]
    if not deployed:
        return
    assert asked.since
    assert asked.until
    inside = [one for one in deployed if asked.since <= one[1].date() <= asked.until]
    days = {one[1].date() for one in inside}
    merged = {
        (pull.repository_id, pull.audit.merge_commit): known.outcomes.get(
            (pull.repository_id, pull.number)
        )
        for pull in known.slow.pulls
    }
    reached: dict[tuple[int, str], datetime] = {}
    for place, at, commits in sorted(deployed, key=lambda one: one[1]):
        for sha in commits:
            if (place, sha) in merged:
                reached.setdefault((place, sha), at)
    changes = {key: at for key, at in reached.items() if asked.since <= at.date() <= asked.until}
    hours = [
        (at - found.first_commit_at) / HOUR
        for key, at in changes.items()
        if (found := merged[key]) is not None and found.first_commit_at is not None
    ]
    bad = set()
    for place, opened, _ in incidents:
        before = [at for where, at, _ in deployed if where == place and at < opened]
        bad |= {(place, max(before))} if before else set()
    failed = sum((place, at) in bad for place, at, _ in inside)
    ends = [
        (end - opened) / HOUR
        for _, opened, end in incidents
        if end is not None and asked.since <= end.date() <= asked.until
    ]
    opened = [one for one in incidents if asked.since <= one[1].date() <= asked.until]
    still = sum(end is None for _, _, end in opened)
    weeks, start = [], max(asked.since, min(at.date() for _, at, _ in deployed))
    while start + timedelta(days=6) <= asked.until:
        if start.weekday() == 0:
            weeks.append(sum(start + timedelta(days=n) in days for n in range(7)))
        start += timedelta(days=1)
    where = "Delivery"
    yield (
        where,
        (
            f"{many(len(inside), 'deployment')} to production on {many(len(days), 'day')} brought "
            f"{many(len(changes), 'pull request')}. {many(len(opened), 'incident')} opened, "
            f"of which {n(still)} {'is' if still == 1 else 'are'} still open."
        ),
    )
    for title, figure, unit in (
        ("Days with a deployment in a week, median", median(weeks), " days"),
        ("Lead time for changes, median", median(hours), " h"),
        ("Change failure rate", proportion(failed, len(inside)), "%"),
        ("Time to restore, median", median(ends), " h"),
    ):
        yield where, title, "Value", _estimate(figure, unit)
        yield where, title, "Based on", n(figure.count)


Told = Sequence[tuple[Pull, PullOutcome]]
Measure = Callable[[Told, Told, int], MeasuredFigure]
"""The figure of one group of pull requests, of all, and which of both groups it is."""


def _median(value: Callable[[Pull, PullOutcome], float | None]) -> Measure:
    def of(group: Told, told: Told, number: int) -> MeasuredFigure:
        del told, number
        values = [one for pair in group if (one := value(*pair)) is not None]
        found = median(values)
        assert found.value == (middle(values) if values else None)
        return found

    return of


def _proportion(value: Callable[[PullOutcome], bool | None]) -> Measure:
    def of(group: Told, told: Told, number: int) -> MeasuredFigure:
        del told, number
        values = [one for _, found in group if (one := value(found)) is not None]
        return proportion(sum(values), len(values))

    return of


def _standing(days: int) -> Measure:
    """Of lines, not of pull requests: attributed ones, and all others of the same ones."""

    def of(group: Told, told: Told, number: int) -> MeasuredFigure:
        del group
        kept, whole = (("attributed", "attributed_lines"), ("others", "other_lines"))[number]
        pairs = [(getattr(one, f"{kept}_after_{days}"), getattr(one, whole)) for _, one in told]
        return ratio([(part, count) for part, count in pairs if part is not None])

    return of


def _hours(since: datetime | None, until: datetime | None) -> float | None:
    return None if since is None or until is None else max((until - since) / HOUR, 0)


MEASURES: tuple[tuple[str, str, str, Measure], ...] = (
    (
        "hours to merge",
        "First commit to merge, median",
        " h",
        _median(lambda pull, one: _hours(one.first_commit_at, pull.audit.merged_at)),
    ),
    (
        "hours to review",
        "Opening to first review, median",
        " h",
        _median(lambda _, one: _hours(one.opened_at, one.first_review_at)),
    ),
    ("review rounds", "Review rounds, median", "", _median(lambda _, one: one.review_rounds)),
    ("review comments", "Review comments, median", "", _median(lambda _, one: one.review_comments)),
    (
        "unreviewed",
        "Merged without a review",
        "%",
        _proportion(lambda one: one.first_review_at is None),
    ),
    ("changed lines", "Changed lines, median", "", _median(lambda _, one: one.changed_lines)),
    ("reverted", "Reverted within 30 days", "%", _proportion(lambda one: one.reverted)),
    ("fixed up", "Followed by a fix-up within 30 days", "%", _proportion(lambda one: one.fixed_up)),
    ("survived 30", "Lines still there after 30 days", "%", _standing(30)),
    ("survived 90", "Lines still there after 90 days", "%", _standing(90)),
)
"""Name in the drawing, title, unit, and how it is found."""


def _compared(
    name: str, title: str, unit: str, estimates: Sequence[MeasuredFigure], beside: str | None
) -> Iterator[Figure]:
    drawn = []
    for row, one in zip(("Assisted", "Not assisted"), estimates, strict=True):
        value = _estimate(one, unit)
        yield title, row, "Value", value
        yield title, row, "Based on", n(one.count)
        if one.value is not None:
            drawn.append(f"{row}: {value}")
            yield title, "drawn", drawn[-1]
    if drawn:
        yield title, "drawn", ". ".join(drawn)
        yield title, "drawn", name
    if beside is not None:
        yield title, f"Assisted: {beside}."


PLAIN = {"changed lines", "unreviewed"}
"""Measures that are shown and not compared."""


def differences_of(told: Told) -> dict[str, str]:
    """Write each difference of the page within strata, found over all pairs."""
    found = {name: _over_pairs(told, name) for name, *_ in MEASURES if name not in PLAIN}
    known = sorted((one[2], name) for name, one in found.items() if one is not None)
    level, said, holds = 0.045, dict.fromkeys(found, "too few to tell"), True
    for place, (chance, name) in enumerate(known):
        holds = holds and chance <= level / (len(known) - place)
        value, error, _ = found[name] or (0, 0, 0)
        reach = NormalDist().inv_cdf(1 - level / len(known) / 2) * error
        ends = max(value - reach, 0), min(value + reach, 1)
        is_part = any(row[0] == name and row[2] == "%" for row in MEASURES)
        said[name] = _written(value, ends, is_told=holds, is_part=is_part)
    return said


def _over_pairs(told: Told, name: str) -> tuple[float, float, float] | None:
    """Return how often an assisted one has more, the error, and how likely chance does that."""
    if name.startswith("survived"):
        days = name.removeprefix("survived ")
        parts = [
            kept / one.attributed_lines - rest / one.other_lines
            for _, one in told
            if (kept := getattr(one, f"attributed_after_{days}")) is not None
            and (rest := getattr(one, f"others_after_{days}")) is not None
            and one.attributed_lines
            and one.other_lines
        ]
        if len(parts) < 10 or sum(map(bool, parts)) < 5:
            return None
        value, error = sum(parts) / len(parts), sum(x * x for x in parts) ** 0.5 / len(parts)
        return _chance((1 + value) / 2, error / 2)
    strata: dict[tuple[int, int], tuple[list[float], list[float]]] = {}
    for pull, one in told:
        of = pull.repository_id, int(2 * log2(one.changed_lines + 1))
        number = _number(name, pull, one)
        if number is not None:
            strata.setdefault(of, ([], []))[pull.audit.verdict is not Verdict.ASSISTED].append(
                number
            )
    both = [pair for pair in strata.values() if all(pair)]
    if min((sum(len(pair[arm]) for pair in both) for arm in (0, 1)), default=0) < 10:
        return None
    common = sum(len(a + b) - max(Counter(a + b).values()) for a, b in both)
    if common < 5:
        return None
    total = weights = variance = 0.0
    for a, b in both:
        whole = a + b
        weight = len(a) * len(b) / (len(whole) + 1)
        wins = sum((x > y) + (x == y) / 2 for x in a for y in b) / (len(a) * len(b))
        ranks = [sum(y < x for y in whole) + (whole.count(x) + 1) / 2 for x in whole]
        mean = (len(whole) + 1) / 2
        square = sum((rank - mean) ** 2 for rank in ranks) / (len(whole) - 1)
        spread = square / (len(a) * len(b)) / len(whole)
        total, weights = total + weight * wins, weights + weight
        variance += weight * weight * spread
    return _chance(total / weights, variance**0.5 / weights) if variance else None


def _chance(value: float, error: float) -> tuple[float, float, float]:
    return value, error, 2 * (1 - NormalDist().cdf(abs(value - 0.5) / error))


def _number(name: str, pull: Pull, one: PullOutcome) -> float | None:
    if name == "hours to merge":
        return _hours(one.first_commit_at, pull.audit.merged_at)
    if name == "hours to review":
        return _hours(one.opened_at, one.first_review_at)
    found = getattr(one, name.replace(" ", "_"))
    return None if found is None else float(found)


def _written(value: float, ends: tuple[float, float], *, is_told: bool, is_part: bool) -> str:
    scaled = [200 * x - 100 if is_part else 100 * x for x in (value, *ends)]
    low, high = map(_rounded, scaled[1:])
    if not is_told:
        chance = "no difference that can be told from chance"
        return (
            f"{chance} ({low} to {high} points)"
            if is_part
            else (f"{chance} (more in {low} to {high} of 100 pairs)")
        )
    if is_part:
        near, far = sorted(map(abs, scaled[1:]))
        way = "more" if value > 0.5 else "less"
        return f"{_rounded(abs(scaled[0]))} points {way} ({_rounded(near)} to {_rounded(far)})"
    if value > 0.5:
        return f"more in {_rounded(scaled[0])} of 100 pairs ({low} to {high})"
    turned = [_rounded(100 - one) for one in scaled]
    return f"less in {turned[0]} of 100 pairs ({turned[2]} to {turned[1]})"


def difference_of(one: MeasuredFigure, other: MeasuredFigure, scale: float, unit: str) -> str:
    """Write by how much one figure is more than another, and whether chance may have made it."""
    if one.value is None or other.value is None:
        return "-"
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return "too few to tell"
    value = (one.value - other.value) * scale
    low = value - scale * hypot(one.value - one.low, other.high - other.value)
    high = value + scale * hypot(one.high - one.value, other.value - other.low)
    if low <= 0 <= high:
        chance = "no difference that can be told from chance"
        return f"{chance} ({_rounded(low)} to {_rounded(high)}{unit})"
    ends = sorted((abs(low), abs(high)))
    way = "more" if value > 0 else "less"
    return f"{_rounded(abs(value))}{unit} {way} ({_rounded(ends[0])} to {_rounded(ends[1])})"


def _rounded(value: float) -> str:
    number = round(value, 1) if abs(value) < 10 else round(value)
    return f"{number:g}" if number else "0"


def _estimate(one: MeasuredFigure, unit: str) -> str:
    def short(value: float) -> str:
        value *= 100 if unit == "%" else 1
        return _rounded(value)

    if one.value is None:
        return "-"
    if one.low is None or one.high is None:
        return f"{short(one.value)}{unit}"
    return f"{short(one.value)}{unit} ({short(one.low)} to {short(one.high)})"


# --- one pull request -----------------------------------------------------------------------------


def pull_request(pull: Pull, audits: Sequence[SavedAudit]) -> Iterator[Figure]:
    """``audits`` are the pull request's, oldest first; what they record is held to the document."""
    audit, totals = pull.audit, pull.audit.totals
    saved, policy, rest = audits[-1], audit.policy, totals.effective - totals.attributed
    title = pull.about.title
    yield "", f"{title} #{pull.number}" if title else f"Pull request #{pull.number}"
    yield "", minute(audit.merged_at)
    yield from _said(pull)
    left_out = totals.added - totals.effective
    if totals.added and audit.verdict is not Verdict.NO_EVIDENCE:
        yield "", f"{n(totals.attributed)} attributed"
        yield "", f"{n(rest)} counted, not attributed"
        yield "", f"{n(left_out)} not counted"
        said = f"{n(totals.attributed)} attributed, {n(rest)} not attributed"
        yield from [("", "drawn", f"Added lines: {said}, {n(left_out)} not counted")] * 2
    first = audit.merged_at - timedelta(days=policy.window_before_days)
    last = audit.merged_at + timedelta(days=policy.window_after_days)
    if audit.state == "provisional":
        said = "Evidence that arrives before then can only add lines."
        yield "", f"The window is open until {minute(last)}. {said}"
    yield from _terms(pull)
    for reason, lines in totals.by_reason.items():
        if lines:
            yield "Reasons", reason, "Lines", n(lines)
    yield from _audits(audits)
    yield "Files", f"{many(len(audit.files), 'file')}, {many(totals.added, 'added line')}"
    for file in audit.files:
        yield from _file(file, is_known=audit.verdict is not Verdict.NO_EVIDENCE)
    record = "The record"
    yield record, "Policy", f"{policy.id}, {policy.digest}"
    yield record, "Window", f"{minute(first)} to {minute(last)}"
    limit = f"{100 * policy.rewrite_limit:.0f}%"
    yield record, "Rewrite limit", f"{limit}, counted in {audit.measure}"
    yield record, "Version", audit.engine
    yield record, "Merge commit", audit.merge_commit or ""
    yield record, "Digest of the change", audit.inputs.diff
    yield record, "Digest of the evidence", audit.inputs.evidence
    digest = f"sha256:{sha256(to_document(audit)).hexdigest()}"
    yield record, "Digest of the document", f"{digest} (the document)"
    yield record, "Chained to", saved.previous or ""


def _said(pull: Pull) -> Iterator[Figure]:
    """Return the sentences that hold numbers."""
    totals, inputs = pull.audit.totals, pull.audit.inputs
    if (left := inputs.edits_left_out) is not None:
        counts = {
            "outside the window": left.outside_window,
            "not applied": left.not_applied,
            "elsewhere": left.elsewhere,
        }
        named = [f"{n(count)} {words}" for words, count in counts.items() if count]
        *first, last = [f"{many(inputs.edits_considered, 'edit')} considered", *named]
        read = " and ".join(filter(None, [", ".join(first), last]))
        yield "", f"Evidence read: {read}."
    if totals.range and totals.range.at_least != totals.range.at_most:
        span = f"{n(totals.range.at_least)} to {n(totals.range.at_most)}"
        likely = n(totals.range.expected)
        yield "", f"Agents wrote {span} of these lines, most likely {likely}."
    is_one = totals.attributed == 1
    verb = "is" if is_one else "are"
    if inputs.missing:
        lines = many(totals.attributed, "line")
        said = "No share is given, because a percentage of half a change would be wrong."
        yield "", f"{said} In the files that were read, {lines} {verb} attributed."
    elif pull.audit.verdict is Verdict.NO_EVIDENCE:
        return
    elif totals.share is None:
        yield "", f"It has {many(totals.added, 'added line')}, and none of them counts."
    else:
        lines = f"{n(totals.attributed)} of {many(totals.effective, 'counted line')}"
        edits = many(inputs.edits_considered, "applied agent edit")
        said = "When in doubt, a line is not attributed."
        yield "", f"{lines} {verb} attributed, with {edits} considered. {said}"
        if 0 < totals.attributed < totals.effective:
            names = [agent_name(one) for one, lines in by_lines(totals.by_agent) if lines]
            agents = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
            part = share(totals.attributed, totals.effective)
            at_least = "A small part (under 1%)" if part == "<1%" else f"At least {part}"
            yield "", f"{at_least} of this pull request was written with {agents}."


def by_lines(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


def _terms(pull: Pull) -> Iterator[Figure]:
    totals, inputs, policy = pull.audit.totals, pull.audit.inputs, pull.audit.policy
    is_known = totals.share is not None and pull.audit.verdict is not Verdict.NO_EVIDENCE
    part = f"at least {share(totals.attributed, totals.effective)}"
    yield "", "Share of counted lines", part if is_known else "unknown"
    is_told = pull.audit.verdict is not Verdict.NO_EVIDENCE
    yield "", "Lines with an agent", n(totals.attributed) if is_told else "unknown"
    yield "", "Lines with an agent", f"of {many(totals.effective, 'counted line')}"
    agents = [one for one in by_lines(totals.by_agent) if one[1]]
    for number, (agent, lines) in enumerate(agents):
        first = f"{agent_name(agent)}, " if number else ""
        yield "", "Agents", f"{first}{many(lines, 'line')}"
    if not agents:
        yield "", "Agents", "none" if is_told else "unknown"
    yield "", "Agent edits considered", n(inputs.edits_considered)
    days = f"{policy.window_before_days} days before to {policy.window_after_days} after"
    yield "", "Agent edits considered", f"in this repository, {days} the merge"


def _audits(audits: Sequence[SavedAudit]) -> Iterator[Figure]:
    for before, one in zip([None, *audits], audits, strict=False):
        in_force = " in force" if one is audits[-1] else ""
        yield "Audits", f"Audit {one.number} {one.state}{in_force}"
        yield "Audits", minute(one.created_at)
        verdict = one.verdict.replace("_", " ").capitalize()
        lines = many(one.effective, "counted line")
        if one.verdict is not Verdict.NO_EVIDENCE:
            lines = f"{n(one.attributed)} of {lines}"
        yield "Audits", f"{' '.join(why(before, one))} {verdict}, {lines}."


def _file(file: FileVerdict, *, is_known: bool) -> Iterator[Figure]:
    if file.excluded is not None:
        yield file.path, file.path
        yield file.path, many(file.added, "line")
        return
    yield file.path, file.path
    yield file.path, f"{n(file.attributed) if is_known else '-'} of {n(file.effective)}"
    if is_known:
        said = f"{file.path}: {share(file.attributed, file.effective)}"
        yield from [(file.path, "drawn", said)] * 2
    for lines in ranges(file.lines, lambda line: (line.reason, line.edit)):
        first, last = lines[0], lines[-1]
        place = str(first.line) if first is last else _from_to(lines)
        if first.edit and first.edited_at:
            nearest = "" if first.attributed else " (nearest)"
            agent = agent_name(first.agent or "")
            yield file.path, place, "Agent edit", f"{agent}, {day(first.edited_at)}{nearest}"
        differences = [one.difference for one in lines if one.difference is not None]
        if differences:
            most = max(differences)
            yield file.path, place, "Differs", f"{100 * most:.0f}%" if most else "equal"


# --- one file -------------------------------------------------------------------------------------


def one_file(pull: Pull, name: str, audit: SavedAudit, file: FileVerdict) -> Iterator[Figure]:
    """``name`` is the repository's; where the document has the lines, they are what is counted."""
    yield "", file.path
    yield "", f"audit {audit.number} of {name} #{pull.number}"
    attributed, effective, added = file.attributed, file.effective, file.added
    if file.lines:
        attributed = sum(line.attributed for line in file.lines)
        effective = sum(group(line.reason) != NOT_COUNTED_GROUP for line in file.lines)
        added = len(file.lines)
    is_told = pull.audit.verdict is not Verdict.NO_EVIDENCE
    told = n(attributed) if is_told else "-"
    counted = f"{told} of {many(effective, 'counted line')} attributed"
    yield "", f"{counted}, {many(added, 'added line')}"
    if file.excluded is not None:
        said = f"The whole file is excluded by {file.excluded}: {sentence(file.excluded)}"
        yield "", said
    each = len(file.lines) <= 900
    for lines in ranges(file.lines, lambda line: (line.reason, line.edit)):
        place = str(lines[0].line) if each or len(lines) == 1 else _from_to(lines)
        yield "Added lines", place, "Agent edit", _edit(lines[0], pull.audit)
        if each:
            for line in lines:
                yield "Added lines", str(line.line), "Differs", _differs([line])
        else:
            yield "Added lines", place, "Differs", _differs(lines)


def _from_to(lines: Sequence[LineVerdict]) -> str:
    return f"{lines[0].line}\N{EN DASH}{lines[-1].line}"


def _edit(line: LineVerdict, audit: Audit) -> str:
    if not line.edit or not line.edited_at:
        return ""
    nearest = "" if line.attributed else "nearest "
    agent = agent_name(line.agent or "")
    made = (audit.edits or {}).get(line.edit)
    version = (made.agent_version if made else None) or "not recorded"
    model = (made.model if made else None) or "not recorded"
    edit = f"{agent}, {minute(line.edited_at)} {nearest}edit {line.edit}"
    return f"{edit} version {version}, model {model}"


def _differs(lines: Sequence[LineVerdict]) -> str:
    found = [line.difference for line in lines if line.difference is not None]
    if not found:
        return ""
    return f"{100 * max(found):.1f}%" if max(found) else "equal"


# --- replays --------------------------------------------------------------------------------------


class Replayed(Struct, frozen=True):
    """A replay and all that came of it: its documents, and what has none, by pull request."""

    replay: Replay
    audits: tuple[Audit, ...]
    failed: dict[int, str]
    waiting: int

    @property
    def audited(self) -> str:
        """How many are over, of all."""
        over = len(self.audits) + len(self.failed)
        return f"{n(over)} of {n(over + self.waiting)}"


def replays(every: Sequence[Replayed]) -> Iterator[Figure]:
    for one in every:
        row = "Replays", f"Replay {one.replay.id}"
        yield *row, "Started", minute(one.replay.created_at)
        policy = one.replay.policy
        yield *row, "Policy", policy.id if policy else "in force for each"
        yield *row, "Audited", one.audited
        if one.waiting:
            said = f"Replay {one.replay.id} is running; a repository can run one at a time."
            yield "Start a replay", said


def one_replay(one: Replayed) -> Iterator[Figure]:
    replay = one.replay
    where = f"Replay {replay.id} {replay.state}"
    half = {audit.pull_request: audit.inputs.missing for audit in one.audits}
    half = {number: missing for number, missing in half.items() if missing}
    said = [f"{one.audited} merged pull requests audited."]
    verb = "is" if len(half) == 1 else "are"
    said += [f"{len(half)} {verb} incomplete."] if half else []
    said += [f"{len(one.failed)} ended without a document."] if one.failed else []
    yield where, " ".join(said)
    yield where, "Pull requests audited", one.audited
    policy = replay.policy
    yield where, "Policy", policy.id if policy else "in force for each pull request"
    if replay.since and replay.until:
        yield where, "Merged", f"from {minute(replay.since)} up to {minute(replay.until)}"
    yield where, "Requested", f"{minute(replay.created_at)} by {replay.asked_by.partition(':')[2]}"
    if replay.finished_at:
        yield where, "Finished", minute(replay.finished_at)
    for number, missing in half.items():
        yield "Incomplete or failed", f"#{number}: {', '.join(missing)}"
    for number, why_not in one.failed.items():
        yield "Incomplete or failed", f"#{number}: {why_not}"


# --- the weekly summary ---------------------------------------------------------------------------


def letter(known: Known, organization: str) -> list[str]:
    """Return the lines of the last week whose windows are closed; rows may come in any order."""
    sunday = next(
        day for ago in range(3, 10) if (day := known.today - timedelta(days=ago)).weekday() == 6
    )
    monday, week = sunday - timedelta(days=6), timedelta(days=7)
    asked = PullSelection(tuple(known.names), monday, sunday)
    now = known.slow.totals(asked)
    was = known.slow.totals(PullSelection(tuple(known.names), monday - week, sunday - week))
    year, number, _ = monday.isocalendar()
    lines = f"{n(now.whole_attributed)} of {many(now.whole_effective, 'line')}"
    pulls_share = share(now.assisted, now.pulls), share(was.assisted, was.pulls)
    shares = [
        f"- **{said} with an agent**, at least {at_last} ({earlier} the week before)"
        for said, at_last, earlier in (
            (n(now.assisted), *pulls_share),
            (lines, floor_of(now), floor_of(was)),
        )
    ]
    unknown = many(now.no_evidence, "pull request")
    return [
        f"## `{organization}`: {year}-W{number:02} ({monday} to {sunday})",
        f"- {many(now.pulls, 'merged pull request')}, {was.pulls} the week before",
        *shares,
        *([f"- {unknown} without evidence: unknown, not 0"] if now.no_evidence else []),
        "| repository | merged | with an agent | lines | with an agent, at least |",
        "|---|---:|---:|---:|---:|",
        *_letter_rows(known, asked),
        f"By agent: {'; '.join(_letter_agents(known, asked))}.",
        *_letter_usage(known, monday, sunday),
        "Quiet spots in the last four weeks:",
        *_letter_spots(known, sunday),
        "Every share is a floor: it includes only what is certain. Unknown is not zero.",
    ]


def _letter_usage(known: Known, monday: date, sunday: date) -> Iterator[str]:
    rows = [one for one in between(known.usage, monday, sunday) if one.repository_id in known.names]
    counts = plain(rows)
    assert counts.tokens is not None
    assert counts.edits is not None
    said = (
        f"{n(counts.people)} people",
        many(counts.agent_sessions or 0, "agent session"),
        many(counts.tokens.output, "output token"),
        f"{many(counts.edits.lines_accepted or 0, 'line')} accepted",
    )
    yield f"Use of agents: {', '.join(said)}."
    cost = spent(rows)
    if cost is not None and cost.amount is not None:
        least = "at least " if cost.is_floor or cost.unpriced_tokens else ""
        yield f"Cost of agents: {least}{for_people(cost.amount)} at list prices. It is no bill."


def _letter_rows(known: Known, asked: PullSelection) -> Iterator[str]:
    for one, name in known.names.items():
        own = known.slow.totals(msgspec.structs.replace(asked, repository_ids=(one,)))
        if own.pulls:
            values = n(own.pulls), with_(own, own.assisted), n(own.whole_effective), floor_of(own)
            yield f"| {' | '.join((f'`{name}`', *values))} |"


def _letter_agents(known: Known, asked: PullSelection) -> Iterator[str]:
    for row in known.slow.agents(asked):
        lines = f"{agent_name(row.agent)} {many(row.attributed, 'line')}"
        yield f"{lines} in {many(row.pulls, 'pull request')}"
