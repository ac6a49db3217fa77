"""What came of pull requests by the part that agents wrote, like compared with like.

A pull request with attributed lines is compared with those without any of the same repository and
the same size. It draws no conclusion on causes, and queries no database.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from enum import StrEnum
from math import log2

from ghapp.attribution.model import Struct
from ghapp.summaries.counts import OutcomeComparison, OutcomeMeasure
from ghapp.summaries.selection import SMALLEST_GROUP
from ghapp.summaries.strata import (
    SuperiorityEstimate,
    ToldDifference,
    differences,
    paired,
    strata_of,
    superiority,
)

MAIN_LEVEL, FINER_LEVEL = 0.045, 0.005
"""At most how likely chance alone makes any difference of a page look real: 5 % together. The finer
ones are many, so nearly all of it belongs to pull requests with an agent beside those without."""


class FinerBy(StrEnum):
    """By what pull requests with attributed lines are told apart."""

    SHARE = "share"
    AGENT = "agent"
    MODEL = "model"
    """Agent and model's family, with a space between."""
    PEOPLE = "people"
    """The same people: an author's pull requests with an agent beside that author's without."""


class ShareGroup(StrEnum):
    """How much of a pull request's effective lines is attributed."""

    SOME = "some"
    """Less than half."""
    MOST = "most"
    """At least half, less than 90 %."""
    NEARLY_ALL = "nearly_all"


class ComparedPull(Struct, frozen=True):
    """What is compared of one pull request with evidence."""

    repository_id: int
    author: str | None
    changed_lines: int
    attributed: int
    effective: int
    values: Mapping[OutcomeMeasure, float]
    """Without those that are not known."""
    agents: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    paired: Mapping[OutcomeMeasure, tuple[float, int, int]] = {}
    """Of lines that stand: the part of the attributed ones less that of the others, and how many
    there are of each; only where there are both."""

    @property
    def is_assisted(self) -> bool:
        """Whether any line is attributed."""
        return self.attributed > 0

    @property
    def stratum(self) -> tuple[int, int]:
        """Repository, and size: within a band, sizes differ by less than a half."""
        return self.repository_id, int(2 * log2(self.changed_lines + 1))

    @property
    def share(self) -> ShareGroup | None:
        """How much of it is attributed; ``None``: nothing."""
        if not self.attributed:
            return None
        if self.attributed * 10 >= self.effective * 9:
            return ShareGroup.NEARLY_ALL
        is_most = self.attributed * 2 >= self.effective
        return ShareGroup.MOST if is_most else ShareGroup.SOME


class OutcomeDifference(Struct, frozen=True):
    """One measure of pull requests with an agent beside those without."""

    measured: OutcomeMeasure
    difference: ToldDifference


class FinerDifference(Struct, frozen=True):
    """One measure of a part of them beside those without."""

    by: FinerBy
    name: str
    """A `ShareGroup`, an agent, a model; empty: the same people."""
    measured: OutcomeMeasure
    difference: ToldDifference


FinerKey = tuple[FinerBy, str, OutcomeMeasure]

MEASURES = (
    OutcomeMeasure.HOURS_TO_MERGE,
    OutcomeMeasure.HOURS_TO_REVIEW,
    OutcomeMeasure.REVIEW_ROUNDS,
    OutcomeMeasure.REVIEW_COMMENTS,
    OutcomeMeasure.REVERTED,
    OutcomeMeasure.FIXED_UP,
)
"""Compared by pull request. Changed lines are not: they make the strata."""
STANDING = (OutcomeMeasure.SURVIVED_30, OutcomeMeasure.SURVIVED_90)
"""Of lines: as one family with the others, attributed beside other lines of the same ones; by part,
the share of all of a pull request's lines that stand."""


def compared(pulls: Sequence[ComparedPull]) -> tuple[OutcomeDifference, ...]:
    """Compare pull requests with attributed lines with those without, measure by measure."""
    ones = [one for one in pulls if one.is_assisted]
    others = [one for one in pulls if not one.is_assisted]
    found: dict[OutcomeMeasure, SuperiorityEstimate | None] = {
        measured: _beside(ones, others, measured) for measured in MEASURES
    }
    for measured in STANDING:
        found[measured] = paired(one.paired[measured] for one in pulls if measured in one.paired)
    made = differences(found, MAIN_LEVEL)
    return tuple(OutcomeDifference(one, made[one]) for one in (*MEASURES, *STANDING))


def finer(pulls: Sequence[ComparedPull]) -> tuple[FinerDifference, ...]:
    """Compare parts of the pull requests with attributed lines with those without.

    Measures of which too little is known are left out.
    """
    others = [one for one in pulls if not one.is_assisted]
    found: dict[FinerKey, SuperiorityEstimate | None] = {}
    for (by, name), ones in _parts(pulls).items():
        for measured in (*MEASURES, *STANDING):
            found[by, name, measured] = _beside(ones, others, measured)
    found |= _same_people(pulls)
    made = differences(found, FINER_LEVEL)
    return tuple(
        FinerDifference(by, name, measured, difference)
        for (by, name, measured), difference in made.items()
        if difference.value is not None
    )


def _parts(
    pulls: Iterable[ComparedPull],
) -> dict[tuple[FinerBy, str], list[ComparedPull]]:
    parts: defaultdict[tuple[FinerBy, str], list[ComparedPull]] = defaultdict(list)
    for pull in pulls:
        if pull.share is not None:
            parts[FinerBy.SHARE, pull.share.value].append(pull)
        for agent in pull.agents:
            parts[FinerBy.AGENT, agent].append(pull)
        for model in pull.models:
            parts[FinerBy.MODEL, model].append(pull)
    order = list(FinerBy)
    return {key: parts[key] for key in sorted(parts, key=lambda key: (order.index(key[0]), key))}


def _same_people(pulls: Sequence[ComparedPull]) -> dict[FinerKey, SuperiorityEstimate | None]:
    """Compare within authors; nothing, if fewer than a group of them have both."""
    both: defaultdict[str, set[bool]] = defaultdict(set)
    for pull in pulls:
        if pull.author is not None:
            both[pull.author.lower()].add(pull.is_assisted)
    people = {author for author, kinds in both.items() if len(kinds) == 2}
    if len(people) < SMALLEST_GROUP:
        return {}
    theirs = [one for one in pulls if (one.author or "").lower() in people]
    ones = [one for one in theirs if one.is_assisted]
    others = [one for one in theirs if not one.is_assisted]
    return {
        (FinerBy.PEOPLE, "", measured): _beside(ones, others, measured, _of_author)
        for measured in (*MEASURES, *STANDING)
    }


def _of_author(pull: ComparedPull) -> Hashable:
    return (pull.author or "").lower(), *pull.stratum


def _of_size(pull: ComparedPull) -> Hashable:
    return pull.stratum


def _beside(
    ones: Iterable[ComparedPull],
    others: Iterable[ComparedPull],
    measured: OutcomeMeasure,
    stratum: Callable[[ComparedPull], Hashable] = _of_size,
) -> SuperiorityEstimate | None:
    arms = (
        strata_of((stratum(one), one.values.get(measured)) for one in group)
        for group in (ones, others)
    )
    return superiority(*arms)


class OutcomeSummary(Struct, frozen=True):
    """The outcomes of pull requests, compared. They show no cause and rank nobody."""

    comparisons: tuple[OutcomeComparison, ...]
    differences: tuple[OutcomeDifference, ...]
    """Of pull requests with an agent beside those without, within repository and size."""
    finer: tuple[FinerDifference, ...]
    """Of a part of them beside those without, where enough is known."""
    collected: int
    """Pull requests with a known outcome."""
    pulls: int
    """Pull requests in total."""
    is_comparable: bool
    """Whether there are outcomes of both groups."""
    caveat: str = (
        "These figures stand beside each other; they show no cause. People choose what they give "
        "to an agent, so the two groups differ in more than that: the kind of work, who does and "
        "who reviews it, and when. Repository and size are held equal where a difference is told. "
        "Not assisted means that no "
        "line was surely attributed, and pull requests without evidence are in neither group."
    )
