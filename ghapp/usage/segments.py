"""What people merged and used, by segments, as far as it may be shown. It reads nothing.

Of each number it knows who is behind it in each month. A row shows a number only if nobody can
tell that of fewer than five people from it: not by itself, not from the total, not from the same
question a day or a month longer, nor from the one without its filter (docs/adoption.md).
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Generic, TypeVar

from ghapp.attribution.model import Struct
from ghapp.summaries.counts import PullCounts
from ghapp.summaries.periods import ONE_DAY, DayPeriod
from ghapp.summaries.segments import PeopleSegment, SegmentKind
from ghapp.summaries.selection import SMALLEST_GROUP, TimeGrain
from ghapp.usage.answers import TokenCounts, total_tokens
from ghapp.usage.counts import OTHERS, EditCounts, total_edits

PersonKey = int | str
"""An account's id, or what else tells a person from others."""
ValueT = TypeVar("ValueT")
DROPPED = 3
"""Months at either end that are left out at most: each has to show one group more."""


class ReviewedCounts(Struct, frozen=True):
    """What became of merged pull requests whose outcome is known."""

    pulls: int = 0
    reverted: int = 0
    fixed_up: int = 0
    """Followed by a repair within the days that docs/outcomes.md names."""

    def __add__(self, other: "ReviewedCounts") -> "ReviewedCounts":
        return ReviewedCounts(
            self.pulls + other.pulls,
            self.reverted + other.reverted,
            self.fixed_up + other.fixed_up,
        )


EVERYBODY_AND_OTHERS = 2
"""Rows that are no group."""


class SegmentRow(Struct, frozen=True):
    """The numbers of one group; ``None``: unknown, or they would tell those of few people."""

    name: str
    """`OTHERS`: groups that are not shown, and who is in none."""
    people: int | None
    """Who is in the group on the last day, by the table of people; ``None``: of `OTHERS`."""
    authors: int | None = None
    """Who merged anything."""
    pulls: PullCounts | None = None
    outcomes: ReviewedCounts | None = None
    users: int | None = None
    """Who used an agent."""
    tokens: TokenCounts | None = None
    edits: EditCounts | None = None


class CountedMonths(Struct, frozen=True):
    """Which months each number counts: at both ends enough people took part; ``None``: none."""

    pulls: DayPeriod | None
    outcomes: DayPeriod | None
    users: DayPeriod | None
    tokens: DayPeriod | None
    edits: DayPeriod | None


class SegmentTable(Struct, frozen=True):
    """The numbers of all groups of one kind."""

    by: SegmentKind
    within: PeopleSegment | None
    """Only these people are counted; ``None``: everybody."""
    period: DayPeriod
    """The whole months of the days that were asked for."""
    months: CountedMonths
    total: SegmentRow
    rows: tuple[SegmentRow, ...]
    """Empty: nothing of this kind is known of anybody."""


class PersonMonth(Struct, Generic[ValueT], frozen=True):
    """What one person, under one login or name, adds to a number in a month."""

    month: date
    """Its first day."""
    person: PersonKey | None
    """``None``: no person, such as a bot."""
    group: str | None
    is_within: bool
    """Whether the filter takes this person."""
    value: ValueT


class ShownNumber(Struct, Generic[ValueT], frozen=True):
    """A number that may be shown."""

    people: int
    value: ValueT


class ShownNumbers(Struct, Generic[ValueT], frozen=True):
    """One number of everybody and of groups, as far as it may be shown."""

    of: dict[str | None, ShownNumber[ValueT]]
    """By group; ``None``: of everybody."""
    period: DayPeriod | None
    """The months that it counts."""

    def people(self, name: str | None) -> int | None:
        """Return how many people are behind the number of a group."""
        return self.of[name].people if name in self.of else None

    def value(self, name: str | None) -> ValueT | None:
        """Return the number of a group."""
        return self.of[name].value if name in self.of else None


class MonthlyNumber(Struct, Generic[ValueT], frozen=True):
    """One number of everybody, with who is behind it in each month."""

    parts: tuple[PersonMonth[ValueT], ...]

    def shown(
        self, names: Collection[str], add: Callable[[Iterable[ValueT]], ValueT]
    ) -> ShownNumbers[ValueT]:
        """Return the numbers of the groups that may be shown.

        The first and the last month of everybody, and of each group, are ones with enough people.
        What that leaves out of a group counts among the others.
        """
        found = dict[str | None, list[PersonMonth[ValueT]]]()
        best = 0
        for dropped, everybody in self._spans():
            if len(names) + EVERYBODY_AND_OTHERS - dropped <= best:
                break
            tried = self._within(names, everybody)
            if len(tried) - dropped > best:
                found, best = tried, len(tried) - dropped
        shown = {
            name: ShownNumber(len(_people(inside)), add(one.value for one in inside))
            for name, own in found.items()
            if (inside := [one for one in own if one.is_within])
        }
        return ShownNumbers(shown, _period(found.get(None, ())))

    def _spans(self) -> Iterator[tuple[int, list[PersonMonth[ValueT]]]]:
        """Yield how many months are left out, and everybody's others; first those of the fewest."""
        months = sorted({one.month for one in self.parts})
        ends = [(first, last) for first in range(DROPPED + 1) for last in range(DROPPED + 1)]
        for first, last in sorted(ends, key=sum):
            some = {*months[first : len(months) - last]}
            if some:
                yield first + last, _trimmed(one for one in self.parts if one.month in some)

    def _within(
        self, names: Collection[str], everybody: list[PersonMonth[ValueT]]
    ) -> dict[str | None, list[PersonMonth[ValueT]]]:
        """Return the parts of everybody's months by group that may be shown."""
        groups, rest = self._grouped(names, everybody)
        for name in sorted(groups, key=lambda name: (len(_people(groups[name])), name)):
            if _is_enough(rest, everybody):
                break
            rest += groups.pop(name)
        return {None: everybody, **groups, OTHERS: rest}

    def _grouped(
        self, names: Collection[str], everybody: Sequence[PersonMonth[ValueT]]
    ) -> tuple[dict[str | None, list[PersonMonth[ValueT]]], list[PersonMonth[ValueT]]]:
        """Return the months that may be shown by group, and all that is left of everybody's."""
        whole = defaultdict[str | None, list[PersonMonth[ValueT]]](list)
        rest: list[PersonMonth[ValueT]] = []
        for one in everybody:
            (whole[one.group] if one.group in names else rest).append(one)
        groups: dict[str | None, list[PersonMonth[ValueT]]] = {}
        for name, own in whole.items():
            kept = _trimmed(own)
            first, last = (kept[0].month, kept[-1].month) if kept else (date.max, date.min)
            rest += [one for one in own if not first <= one.month <= last]
            if kept:
                groups[name] = kept
        return groups, rest


def _period(parts: Sequence[PersonMonth[ValueT]]) -> DayPeriod | None:
    if not parts:
        return None
    return DayPeriod(parts[0].month, TimeGrain.MONTH.next(parts[-1].month) - ONE_DAY)


def _trimmed(parts: Iterable[PersonMonth[ValueT]]) -> list[PersonMonth[ValueT]]:
    """Return the parts between the first and the last month with enough people, oldest first.

    Nothing if they all are too few, or those outside of the filter are.
    """
    found = sorted(parts, key=lambda one: one.month)
    months = defaultdict[date, list[PersonMonth[ValueT]]](list)
    for one in found:
        months[one.month].append(one)
    ends = [month for month, own in months.items() if _inside(own) and not _is_few(own)]
    kept = [one for one in found if ends and ends[0] <= one.month <= ends[-1]]
    return [] if _is_few(kept) else kept


def _is_enough(
    rest: Sequence[PersonMonth[ValueT]], everybody: Sequence[PersonMonth[ValueT]]
) -> bool:
    """Return whether what is left is of nobody, or of enough: in all, and at both ends."""
    if not everybody or not rest:
        return True
    ends = (everybody[0].month, everybody[-1].month)
    return not any(
        _is_few(part)
        for part in (rest, *([one for one in rest if one.month == end] for end in ends))
    )


def _is_few(parts: Iterable[PersonMonth[ValueT]]) -> bool:
    """Return whether few people are behind these parts, inside or outside of the filter."""
    found = list(parts)
    return any(
        0 < len(_people(one for one in found if one.is_within is side)) < SMALLEST_GROUP
        for side in (True, False)
    )


def _inside(parts: Iterable[PersonMonth[ValueT]]) -> bool:
    return bool(_people(one for one in parts if one.is_within))


def _people(parts: Iterable[PersonMonth[ValueT]]) -> set[PersonKey]:
    return {one.person for one in parts if one.person is not None}


class SegmentFacts(Struct, frozen=True):
    """What is counted, before anything is kept back."""

    sizes: Mapping[str, int]
    """People of each group who are within the filter, by the table of people."""
    outside: Mapping[str, int]
    """The others of each group."""
    pulls: MonthlyNumber[PullCounts]
    outcomes: MonthlyNumber[ReviewedCounts]
    users: MonthlyNumber[None]
    tokens: MonthlyNumber[TokenCounts]
    edits: MonthlyNumber[EditCounts]


def named(sizes: Mapping[str, int], outside: Mapping[str, int]) -> list[str]:
    """Return the groups that may be named: of enough people, on both sides of the filter.

    >>> named({"a": 9, "b": 4, "c": 7}, {"c": 2})
    ['a']
    """
    return sorted(
        name
        for name, size in sizes.items()
        if size >= SMALLEST_GROUP and not 0 < outside.get(name, 0) < SMALLEST_GROUP
    )


def segment_rows(
    facts: SegmentFacts,
) -> tuple[CountedMonths, SegmentRow, tuple[SegmentRow, ...]]:
    """Return the months, the row of everybody, and those of the groups, most people first."""
    names = named(facts.sizes, facts.outside)
    pulls = facts.pulls.shown(names, _total_pulls)
    outcomes = facts.outcomes.shown(names, _total_outcomes)
    users = facts.users.shown(names, lambda _: None)
    tokens = facts.tokens.shown(names, total_tokens)
    edits = facts.edits.shown(names, total_edits)

    def row(key: str | None, people: int | None) -> SegmentRow:
        return SegmentRow(
            name=key or "",
            people=people,
            authors=pulls.people(key),
            pulls=pulls.value(key),
            outcomes=outcomes.value(key),
            users=users.people(key),
            tokens=tokens.value(key),
            edits=edits.value(key),
        )

    rows = [row(name, facts.sizes[name]) for name in names]
    rows.sort(key=lambda one: (-(one.people or 0), one.name))
    every = (pulls, outcomes, users, tokens, edits)
    if any(OTHERS in one.of for one in every):
        rows.append(row(OTHERS, None))
    return CountedMonths(*(one.period for one in every)), row(None, None), tuple(rows)


def _total_pulls(values: Iterable[PullCounts]) -> PullCounts:
    return sum(values, PullCounts())


def _total_outcomes(values: Iterable[ReviewedCounts]) -> ReviewedCounts:
    return sum(values, ReviewedCounts())
