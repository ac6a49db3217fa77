"""Usage of a period beside the one before it, as far as each may be shown. It queries nothing."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ghapp.attribution.model import Struct
from ghapp.summaries.counts import MeasuredDifference, MeasuredFigure
from ghapp.summaries.intervals import difference, ratio
from ghapp.usage.counts import (
    OTHERS,
    EditCounts,
    MeasuredRate,
    PersonPart,
    UsageChange,
    UsageCounts,
    counted,
    folded,
)
from ghapp.usage.decisions import accept_rate

Named = Mapping[str | None, Sequence[PersonPart]]
"""Name → what people add to it; ``None``: what has no name."""


class _Shown(Struct, frozen=True):
    """What is shown of some people in one period."""

    counts: UsageCounts
    rate: MeasuredRate | None


def whole_change(now: Sequence[PersonPart], before: Sequence[PersonPart] | None) -> UsageChange:
    """Return everybody's usage in both periods; ``None``: there is no period before."""
    old = _shown(before, counted(before)) if before else None
    return _change(None, _shown(now, counted(now)), old)


def part_changes(now: Named, before: Named) -> tuple[UsageChange, ...]:
    """Return the parts that either period shows by name, most people now first.

    Each period hides what its own page hides, so a difference tells nothing that the two do not.
    """
    new, old = dict(_parts(now)), dict(_parts(before))
    rows = [_change(name, new.get(name), old.get(name)) for name in {**new, **old}]
    return tuple(sorted(rows, key=_most_first))


def measured_rate(parts: Iterable[PersonPart]) -> MeasuredRate | None:
    """Return people's accept rate with its interval; ``None``: no decision of a person is known.

    What somebody accepts is much alike, so each person is one cluster of decisions.
    """
    people: defaultdict[int, list[EditCounts]] = defaultdict(list)
    for one in parts:
        if one.edits is not None:
            people[one.person].append(one.edits)
    found = [_decided(own) for own in people.values()]
    whole = accept_rate(*map(sum, zip(*found, strict=True))) if found else None
    if whole is None:
        return None
    least = ratio((taken, taken + refused + unsure) for taken, refused, _, unsure in found)
    most = ratio((taken + un, taken + un + refused) for taken, refused, un, _ in found)
    return MeasuredRate(whole.at_least, whole.at_most, low=least.low, high=most.high)


def _decided(edits: Sequence[EditCounts]) -> tuple[int, int, int, int]:
    """Return what people accepted and refused, then what may have been people's decisions."""
    return (
        sum(one.by_people.accepted for one in edits),
        sum(one.by_people.refused for one in edits),
        sum(one.unknown.accepted for one in edits),
        sum(one.unknown.refused for one in edits),
    )


def rate_difference(now: MeasuredRate | None, before: MeasuredRate | None) -> MeasuredDifference:
    """Return ``now`` less ``before``; its interval holds for whatever the ranges may hide."""
    if now is None or before is None:
        return MeasuredDifference(value=None, low=None, high=None)
    least = difference(_figure(now, now.at_least), _figure(before, before.at_most))
    most = difference(_figure(now, now.at_most), _figure(before, before.at_least))
    value = least.value if least.value == most.value else None
    return MeasuredDifference(value=value, low=least.low, high=most.high)


def _figure(rate: MeasuredRate, value: float) -> MeasuredFigure:
    return MeasuredFigure(count=0, value=value, low=rate.low, high=rate.high)


def _parts(groups: Named) -> Iterator[tuple[str, _Shown]]:
    for row in folded(groups):
        if row.name != OTHERS:
            yield row.name, _shown(groups[row.name], row.counts)


def _shown(parts: Iterable[PersonPart], counts: UsageCounts) -> _Shown:
    return _Shown(counts, measured_rate(parts) if counts.edits is not None else None)


def _change(name: str | None, now: _Shown | None, before: _Shown | None) -> UsageChange:
    rate, old = (None if one is None else one.rate for one in (now, before))
    return UsageChange(
        name=name,
        now=None if now is None else now.counts,
        before=None if before is None else before.counts,
        rate=rate,
        rate_before=old,
        difference=rate_difference(rate, old),
    )


def _most_first(row: UsageChange) -> tuple[int, int, str]:
    now, before = (0 if one is None else one.people for one in (row.now, row.before))
    return -now, -before, str(row.name)
