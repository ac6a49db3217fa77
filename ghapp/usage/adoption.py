"""Who uses agents by week and group; where adoption stalled, since when and why. It reads nothing.

docs/adoption.md defines each word, with the sources of the definitions. Shares are told in tenths:
a finer one would say how many people they are.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum

from ghapp.attribution.model import Struct
from ghapp.summaries.segments import PeopleSegment, SegmentKind
from ghapp.summaries.selection import SMALLEST_GROUP, TimeGrain
from ghapp.usage.counts import OTHERS, AdoptionCounts
from ghapp.usage.segments import PersonKey, named

WEEK = timedelta(days=7)
MOST_WEEKS = 53
MEAN_WEEKS = 4
"""Weeks of a mean that one week cannot move far."""
BEST_WEEKS = 8
STALLED_BELOW = 0.1
"""How far below its own best weeks a group is stalled."""
ADOPTED_SHARE = 0.5
"""Weekly active share above which Faros counts a team as having adopted (2026)."""
ENROLLED_SHARE = 0.5
"""Below this share of enrolled people, agents were not rolled out in a group."""
COHORT_BLOCKS = 6


class AdoptionState(StrEnum):
    """Where a group is."""

    NOT_STARTED = "not_started"
    """Nobody used an agent in any of the weeks."""
    IN_USE = "in_use"
    ADOPTED = "adopted"
    """More than half of the people in a usual week of the last four."""
    STALLED = "stalled"
    """At least ten points below its own best eight weeks."""


class StallReason(StrEnum):
    """Why most of those who use none do not."""

    NOT_ROLLED_OUT = "not_rolled_out"
    """They never had a machine that sends, and never used an agent."""
    MACHINES_SILENT = "machines_silent"
    """Their machines sent nothing in the last four weeks: what they use is not known."""
    PEOPLE_STOPPED = "people_stopped"
    """Their machines send, or telemetry would, and they use none."""


class PersonWeeks(Struct, frozen=True):
    """One person, and when."""

    person: PersonKey
    group: str | None
    is_within: bool
    """Whether the filter takes this person."""
    weeks: frozenset[date]
    """Mondays of the weeks with any usage."""
    began: date | None = None
    """First day by the table of people; ``None``: always there."""
    enrolled: date | None = None
    """When the first machine was enrolled; ``None``: never."""
    heard: date | None = None
    """Monday of the last week in which a machine said anything; ``None``: never."""


class WeekShare(Struct, frozen=True):
    """How many of a group used agents in a usual week of the four up to one."""

    week: date
    """Its Monday."""
    share: float | None
    """In tenths; ``None``: of fewer than five people, not four weeks yet, or no source had sent any
    usage of anybody in the weeks up to then."""


class GroupAdoption(Struct, frozen=True):
    """The weeks of one group."""

    name: str
    people: int
    state: AdoptionState
    since: date | None
    """Monday of the first week of the stall; ``None``: it is not stalled."""
    reason: StallReason | None
    """``None``: it neither stalled nor failed to start, machines are not known, or fewer than five
    people use none."""
    weeks: tuple[WeekShare, ...]


class CohortShares(Struct, frozen=True):
    """People who enrolled a machine in the same months, and their weeks since."""

    first: date
    """First day of the first month."""
    last: date
    """First day of the last month: months of fewer than five people join others."""
    people: int
    shares: tuple[float | None, ...]
    """Share in a usual week of weeks 1 to 4, 5 to 8 and so on, in tenths; ``None``: not all have
    had these weeks, or fewer than five people used agents in them."""


class AdoptionStudy(Struct, frozen=True):
    """How the adoption of agents went."""

    by: SegmentKind
    within: PeopleSegment | None
    """Only these people are counted; ``None``: everybody."""
    until: date
    """The Sunday up to which weeks are whole."""
    counts: AdoptionCounts | None
    """Of everybody; ``None``: under a filter."""
    groups: tuple[GroupAdoption, ...]
    """Empty: nothing of this kind is known of anybody."""
    cohorts: tuple[CohortShares, ...] | None
    """``None``: for readers who are no owners, and under a filter."""


def mondays(since: date, until: date) -> tuple[date, ...]:
    """Return the Mondays of the whole weeks within some days, at most `MOST_WEEKS`, oldest first.

    >>> [one.day for one in mondays(date(2026, 11, 1), date(2026, 11, 30))]
    [2, 9, 16, 23]
    """
    week = TimeGrain.WEEK
    first = since if week.start(since) == since else week.next(week.start(since))
    last = week.start(until + timedelta(days=1)) - WEEK
    count = max((last - first) // WEEK + 1, 0)
    found = tuple(first + number * WEEK for number in range(count))
    return found[-MOST_WEEKS:]


def group_rows(
    people: Iterable[PersonWeeks], weeks: Sequence[date], *, has_machines: bool
) -> tuple[GroupAdoption, ...]:
    """Return the groups that may be named, most people first, and the others last.

    ``has_machines``: whether it is known who enrolled and whose machines send.
    """
    everybody = list(people)
    sizes = Counter(one.group for one in everybody if one.group and one.is_within)
    outside = Counter(one.group for one in everybody if one.group and not one.is_within)
    groups = _parted(everybody, named(sizes, outside))
    used = [week for one in everybody for week in one.weeks.intersection(weeks)]
    known_from = min(used, default=None)
    rows = [
        _group(name, own, weeks, known_from, has_machines=has_machines)
        for name, own in groups.items()
        if weeks
    ]
    return tuple(sorted(rows, key=lambda row: (row.name == OTHERS, -row.people, row.name)))


def _parted(people: Iterable[PersonWeeks], names: Iterable[str]) -> dict[str, list[PersonWeeks]]:
    """Return the people by group; those of other groups are `OTHERS`, which are not too few."""
    known, found = {*names}, defaultdict[str, list[PersonWeeks]](list)
    for one in people:
        found[one.group if one.group in known else OTHERS].append(one)
    rest = found.pop(OTHERS, [])
    for name in sorted(found, key=lambda name: (_inside(found[name]), name)):
        if not _is_few(rest):
            break
        rest += found.pop(name)
    if rest and not _is_few(rest) and _inside(rest):
        found[OTHERS] = rest
    return dict(found)


def _inside(people: Iterable[PersonWeeks]) -> int:
    return sum(one.is_within for one in people)


def _is_few(people: Collection[PersonWeeks]) -> bool:
    inside = _inside(people)
    return any(0 < count < SMALLEST_GROUP for count in (inside, len(people) - inside))


def _group(
    name: str,
    own: Sequence[PersonWeeks],
    weeks: Sequence[date],
    known_from: date | None,
    *,
    has_machines: bool,
) -> GroupAdoption:
    inside = [one for one in own if one.is_within]
    means = [_mean(inside, weeks[max(at - MEAN_WEEKS + 1, 0) : at + 1]) for at in range(len(weeks))]
    since = stalled_since(inside, weeks)
    state = _state(inside, means[-1], since, weeks)
    lacks = state in {AdoptionState.STALLED, AdoptionState.NOT_STARTED}
    return GroupAdoption(
        name=name,
        people=len(inside),
        state=state,
        since=since,
        reason=stall_reason(inside, weeks) if lacks and has_machines else None,
        weeks=tuple(
            WeekShare(week, _told(own, weeks[at - MEAN_WEEKS + 1 : at + 1], means[at]))
            if at >= MEAN_WEEKS - 1 and known_from is not None and known_from <= week
            else WeekShare(week, None)
            for at, week in enumerate(weeks)
        ),
    )


def _state(
    people: Sequence[PersonWeeks], mean: float | None, since: date | None, weeks: Sequence[date]
) -> AdoptionState:
    if not any(one.weeks & {*weeks} for one in people):
        return AdoptionState.NOT_STARTED
    if since is not None:
        return AdoptionState.STALLED
    is_most = mean is not None and mean > ADOPTED_SHARE
    return AdoptionState.ADOPTED if is_most else AdoptionState.IN_USE


def _mean(people: Sequence[PersonWeeks], weeks: Sequence[date]) -> float | None:
    """Return the share of a usual one of these weeks; ``None``: nobody was there."""
    there = active = 0
    for one in people:
        own = [week for week in weeks if one.began is None or one.began < week + WEEK]
        there += len(own)
        active += len(one.weeks.intersection(own))
    return active / there if there else None


def _told(
    people: Iterable[PersonWeeks], weeks: Collection[date], share: float | None
) -> float | None:
    """Return a share in tenths; ``None``: it is that of few people, or would tell that of few."""
    active = [one for one in people if one.weeks & {*weeks}]
    return None if share is None or _is_few(active) else round(share, 1)


def stalled_since(people: Sequence[PersonWeeks], weeks: Sequence[date]) -> date | None:
    """Return the first week of the stall that lasts until the last week; ``None``: there is none.

    A week is stalled if the mean of the four weeks up to it is at least `STALLED_BELOW` below the
    best mean of eight weeks until then.
    """
    best, since = 0.0, None
    for at in range(len(weeks)):
        if at + 1 >= BEST_WEEKS:
            best = max(best, _mean(people, weeks[at + 1 - BEST_WEEKS : at + 1]) or 0.0)
        mean = _mean(people, weeks[max(at + 1 - MEAN_WEEKS, 0) : at + 1])
        # Sums of shares are not exact: ten points below are ten points below.
        is_below = mean is not None and best - mean > STALLED_BELOW - 1e-9
        since = (since or weeks[at]) if is_below else None
    return since


def stall_reason(people: Iterable[PersonWeeks], weeks: Sequence[date]) -> StallReason | None:
    """Return what most of those who used no agent in the last four weeks have in common.

    ``None``: they are fewer than five, and it would tell of them.
    """
    latest = {*weeks[-MEAN_WEEKS:]}
    idle = [one for one in people if not one.weeks & latest]
    if len(idle) < SMALLEST_GROUP:
        return None
    found = Counter(_why(one, weeks) for one in idle)
    order = list(StallReason)
    return max(found, key=lambda reason: (found[reason], -order.index(reason)), default=None)


def _why(one: PersonWeeks, weeks: Sequence[date]) -> StallReason:
    is_enrolled = one.enrolled is not None and one.enrolled < weeks[-1] + WEEK
    if not is_enrolled and not one.weeks:
        return StallReason.NOT_ROLLED_OUT
    is_heard = one.heard is not None and one.heard >= weeks[-MEAN_WEEKS:][0]
    silent = is_enrolled and not is_heard
    return StallReason.MACHINES_SILENT if silent else StallReason.PEOPLE_STOPPED


# --- cohorts --------------------------------------------------------------------------------------


def cohort_rows(people: Iterable[PersonWeeks], until: date) -> tuple[CohortShares, ...]:
    """Return the cohorts up to a Sunday, oldest first; a few people are no cohort."""
    months = defaultdict[date, list[PersonWeeks]](list)
    for one in people:
        if one.enrolled is not None and one.enrolled <= until:
            months[one.enrolled.replace(day=1)].append(one)
    return tuple(_cohort(own, span, until) for span, own in _joined(months))


def _joined(
    months: Mapping[date, list[PersonWeeks]],
) -> Iterator[tuple[tuple[date, date], list[PersonWeeks]]]:
    """Yield the first and last month of each cohort with its people: months of few join others."""
    found: list[tuple[tuple[date, date], list[PersonWeeks]]] = []
    for month in sorted(months):
        (first, _), own = (
            found.pop() if found and len(found[-1][1]) < SMALLEST_GROUP else ((month, month), [])
        )
        found.append(((first, month), [*own, *months[month]]))
    if len(found) > 1 and len(found[-1][1]) < SMALLEST_GROUP:
        (_, last), few = found.pop()
        (first, _), own = found.pop()
        found.append(((first, last), own + few))
    yield from (one for one in found if len(one[1]) >= SMALLEST_GROUP)


def _cohort(people: list[PersonWeeks], span: tuple[date, date], until: date) -> CohortShares:
    shares = (_block(people, block, until) for block in range(COHORT_BLOCKS))
    return CohortShares(*span, len(people), tuple(shares))


def _block(people: list[PersonWeeks], block: int, until: date) -> float | None:
    active, users = 0, 0
    for one in people:
        if one.enrolled is None:
            continue
        begin = TimeGrain.WEEK.start(one.enrolled) + block * MEAN_WEEKS * WEEK
        own = [begin + number * WEEK for number in range(MEAN_WEEKS)]
        if own[-1] + WEEK > until + timedelta(days=1):
            return None
        count = len(one.weeks.intersection(own))
        active += count
        users += bool(count)
    is_few = 0 < users < SMALLEST_GROUP
    return None if is_few else round(active / (MEAN_WEEKS * len(people)), 1)
