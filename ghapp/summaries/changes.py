"""One period beside the one before it: what is compared, and what an answer says of it.

It queries no database. docs/metrics.md (Changes) defines each measure.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from ghapp.attribution.model import Struct
from ghapp.summaries.counts import ClusterSums, MeasuredDifference, MeasuredFigure, PullCounts
from ghapp.summaries.intervals import difference, proportion, ratio_of
from ghapp.summaries.periods import DayPeriod

NOTHING = MeasuredFigure(count=0, value=None, low=None, high=None)


class ChangeMeasure(StrEnum):
    """What is compared."""

    SHARE = "share"
    """Attributed lines of all effective ones: a floor."""
    KNOWN_SHARE = "known_share"
    """The same over pull requests with evidence."""
    PULLS_SHARE = "pulls_share"
    """Pull requests with an agent, of all."""
    NO_EVIDENCE = "no_evidence"
    """Pull requests without evidence, of all."""


class MeasuredCounts(Struct, frozen=True):
    """The counts of some pull requests, and the sums that intervals of their lines need."""

    counts: PullCounts = PullCounts()
    lines: ClusterSums = ClusterSums()
    """Attributed of effective lines, of pull requests read completely."""
    known_lines: ClusterSums = ClusterSums()
    """Of those with evidence."""

    def __add__(self, other: "MeasuredCounts") -> "MeasuredCounts":
        return MeasuredCounts(
            self.counts + other.counts,
            self.lines + other.lines,
            self.known_lines + other.known_lines,
        )

    def figure(self, measured: ChangeMeasure) -> MeasuredFigure:
        """Return one measure with its interval."""
        counts = self.counts
        if measured is ChangeMeasure.NO_EVIDENCE:
            return proportion(counts.no_evidence, counts.pulls)
        if measured is ChangeMeasure.PULLS_SHARE:
            return proportion(counts.assisted, counts.pulls) if counts.is_known else NOTHING
        if measured is ChangeMeasure.KNOWN_SHARE:
            return ratio_of(self.known_lines)
        return ratio_of(self.lines) if counts.known_effective else NOTHING


class MeasuredChange(Struct, frozen=True):
    """One measure now and before, with the 95 % interval of the difference."""

    measured: ChangeMeasure
    now: MeasuredFigure
    before: MeasuredFigure
    difference: MeasuredDifference
    """``now`` less ``before``."""


class PartChange(Struct, frozen=True):
    """One team or repository in both periods."""

    name: str
    now: PullCounts | None
    """``None``: nothing was merged, or by too few people to be shown."""
    before: PullCounts | None
    share: MeasuredChange


class MakerChange(Struct, frozen=True):
    """The lines of an agent, or of a model in its hands, in both periods."""

    agent: str
    model: str | None
    """Its family; ``None``: no record names it, or all models of the agent are meant."""
    pulls: int
    pulls_before: int
    attributed: int
    attributed_before: int


class PeriodChanges(Struct, frozen=True):
    """A period beside the one before it, from one state of the database."""

    period: DayPeriod
    before: DayPeriod | None
    """``None``: no days before it can be selected."""
    totals: PullCounts
    totals_before: PullCounts | None
    """``None``: there is no period before, or then nothing was merged, or by too few people."""
    measures: tuple[MeasuredChange, ...]
    teams: tuple[PartChange, ...]
    repositories: tuple[PartChange, ...]
    """Empty for a single repository."""
    agents: tuple[MakerChange, ...]
    models: tuple[MakerChange, ...]

    def measure(self, measured: ChangeMeasure) -> MeasuredChange:
        """Return one of the measures."""
        return next(one for one in self.measures if one.measured is measured)


def changed(
    measured: ChangeMeasure, now: MeasuredCounts | None, before: MeasuredCounts | None
) -> MeasuredChange:
    """Return one measure of both periods; ``None``: nothing is known or shown of one."""
    one, other = (NOTHING if it is None else it.figure(measured) for it in (now, before))
    return MeasuredChange(measured, one, other, difference(one, other))


def part_changes(
    now: Mapping[str, MeasuredCounts], before: Mapping[str, MeasuredCounts]
) -> tuple[PartChange, ...]:
    """Return the parts that either period has, most pull requests now first."""
    pairs = ((name, now.get(name), before.get(name)) for name in {**now, **before})
    rows = [
        PartChange(
            name=name,
            now=None if one is None else one.counts,
            before=None if other is None else other.counts,
            share=changed(ChangeMeasure.SHARE, one, other),
        )
        for name, one, other in pairs
    ]
    return tuple(sorted(rows, key=_most_first))


def _most_first(row: PartChange) -> tuple[int, int, str]:
    now, before = (0 if it is None else it.pulls for it in (row.now, row.before))
    return -now, -before, row.name


Maker = tuple[str, str | None]
"""An agent and a model's family."""


def maker_changes(
    now: Iterable[tuple[Maker, int, int]], before: Iterable[tuple[Maker, int, int]]
) -> tuple[MakerChange, ...]:
    """Return the makers that either period has, with pull requests and lines of each."""
    new, old = ({maker: counts for maker, *counts in rows} for rows in (now, before))
    rows = []
    for maker in {**new, **old}:
        (pulls, lines), (pulls_before, before_) = new.get(maker, (0, 0)), old.get(maker, (0, 0))
        rows.append(MakerChange(*maker, pulls, pulls_before, lines, before_))
    return tuple(
        sorted(
            rows,
            key=lambda row: (-row.attributed, -row.attributed_before, row.agent, row.model or ""),
        )
    )
