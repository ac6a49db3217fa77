"""Two groups compared within strata, and which of many differences can be told from chance.

It knows no database and no page. Within a stratum, such as a repository and a band of sizes, the
members of both groups are taken for exchangeable if there is no effect: the test is van Elteren's,
stratified ranks with their variance over all permutations, ties and all. What differs between
strata, such as that large changes take longer, is then no difference of the groups.
https://doi.org/10.1080/01621459.1960.10482047 (van Elteren's weights: Lehmann, Nonparametrics, 3.3)
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import groupby
from math import erfc, sqrt
from statistics import NormalDist
from typing import TypeVar

from ghapp.attribution.model import Struct

LEAST = 10
"""Members of each group; with fewer, nothing is told."""
LEAST_EVENTS = 5
"""Members of both groups together that differ from the most frequent value."""

KeyT = TypeVar("KeyT", bound=Hashable)
Stratum = Hashable
Arm = Mapping[Stratum, Sequence[float]]
"""Stratum → the values of a group there."""


class SuperiorityEstimate(Struct, frozen=True):
    """How often a member of one group has more than one of the other, in the same stratum."""

    value: float
    """0 to 1, equal values counted half; 0.5: no difference. Of values 0 and 1 the proportions
    differ by twice the value less 1."""
    error: float
    """Standard error if there is no difference."""
    ones: int
    """Members of the group that have somebody to be compared with."""
    others: int
    strata: int

    @property
    def chance(self) -> float:
        """How likely chance alone makes a difference as large: the two-sided p-value."""
        return erfc(abs(self.value - 0.5) / self.error / sqrt(2))


class ToldDifference(Struct, frozen=True):
    """A difference of two groups, with an interval that allows for the others on the page."""

    value: float | None
    """As `SuperiorityEstimate`; ``None``: there are too few to compare."""
    low: float | None
    """Ends of the interval: with 95 % confidence, all intervals of the page hold at once."""
    high: float | None
    is_told: bool | None
    """Whether it can be told from chance; ``None``: there are too few."""
    ones: int
    others: int
    strata: int


def superiority(ones: Arm, others: Arm) -> SuperiorityEstimate | None:
    """Compare two groups; ``None``: too few have somebody to be compared with.

    >>> found = superiority({"a": [2.0] * 10}, {"a": [1.0] * 10, "b": [9.0]})
    >>> found.value, found.ones, found.others, found.strata
    (1.0, 10, 10, 1)
    """
    total = weights = variance = 0.0
    counts, events, strata = [0, 0], 0, 0
    for stratum in ones:
        of_one, of_other = ones[stratum], others.get(stratum, ())
        if not of_one or not of_other:
            continue
        more, spread = _in_stratum(of_one, of_other)
        one, other = len(of_one), len(of_other)
        # Van Elteren's weights: the best ones if the difference is alike in all strata.
        weight = one * other / (one + other + 1)
        total += weight * more
        weights += weight
        variance += weight * weight * spread
        strata += 1
        counts[0] += one
        counts[1] += other
        events += _events(of_one, of_other)
    if min(counts) < LEAST or events < LEAST_EVENTS or variance <= 0:
        return None
    return SuperiorityEstimate(
        total / weights, sqrt(variance) / weights, counts[0], counts[1], strata
    )


def paired(differences: Iterable[tuple[float, int, int]]) -> SuperiorityEstimate | None:
    """Compare two parts of the same things, such as attributed and other lines of pull requests.

    Each is the difference of the two parts, from -1 to 1, and how many members each has. Without an
    effect each difference might as well have the other sign.
    """
    known = list(differences)
    moved = [one for one, _, _ in known if one]
    if len(known) < LEAST or len(moved) < LEAST_EVENTS:
        return None
    value = sum(moved) / len(known)
    error = sqrt(sum(one * one for one in moved)) / len(known)
    counts = (sum(ones for _, ones, _ in known), sum(others for _, _, others in known))
    return SuperiorityEstimate((1 + value) / 2, error / 2, *counts, len(known))


def told(found: Mapping[KeyT, SuperiorityEstimate | None], level: float) -> dict[KeyT, bool]:
    """Say which of a family of differences can be told from chance.

    By Holm's rule: that any of those without an effect is taken for one has at most the
    probability ``level``. https://www.jstor.org/stable/4615733
    """
    known = sorted((one.chance, str(name), name) for name, one in found.items() if one is not None)
    answers: dict[KeyT, bool] = {}
    holds = True
    for place, (chance, _, name) in enumerate(known):
        holds = holds and chance <= level / (len(known) - place)
        answers[name] = holds
    return answers


def differences(
    found: Mapping[KeyT, SuperiorityEstimate | None], level: float
) -> dict[KeyT, ToldDifference]:
    """Return the differences of a family with intervals that hold at once."""
    answers = told(found, level)
    return {
        name: NOTHING
        if one is None
        else _with_interval(one, level / len(answers), is_told=answers[name])
        for name, one in found.items()
    }


NOTHING = ToldDifference(value=None, low=None, high=None, is_told=None, ones=0, others=0, strata=0)


def strata_of(values: Iterable[tuple[Stratum, float | None]]) -> dict[Stratum, list[float]]:
    """Return values by stratum, without the unknown ones."""
    made: defaultdict[Stratum, list[float]] = defaultdict(list)
    for stratum, value in values:
        if value is not None:
            made[stratum].append(value)
    return made


def _in_stratum(ones: Sequence[float], others: Sequence[float]) -> tuple[float, float]:
    """Return how often one has more than another, and the variance of that over permutations."""
    one, other = len(ones), len(others)
    whole = one + other
    ranked = sorted([*((value, True) for value in ones), *((value, False) for value in others)])
    place, ranks, ties = 0, 0.0, 0
    for _, tied in groupby(ranked, key=lambda pair: pair[0]):
        members = [is_one for _, is_one in tied]
        size = len(members)
        ranks += sum(members) * (place + (size + 1) / 2)
        ties += size**3 - size
        place += size
    more = (ranks - one * (one + 1) / 2) / (one * other)
    spread = (whole + 1 - ties / (whole * (whole - 1))) / (12 * one * other)
    return more, spread


def _events(ones: Sequence[float], others: Sequence[float]) -> int:
    values = sorted([*ones, *others])
    return len(values) - max(len(list(tied)) for _, tied in groupby(values))


def _with_interval(one: SuperiorityEstimate, level: float, *, is_told: bool) -> ToldDifference:
    reach = NormalDist().inv_cdf(1 - level / 2) * one.error
    # Holm may tell a little more than intervals that hold at once: one may just reach 0.5.
    low, high = max(one.value - reach, 0.0), min(one.value + reach, 1.0)
    return ToldDifference(
        value=one.value,
        low=low,
        high=high,
        is_told=is_told,
        ones=one.ones,
        others=one.others,
        strata=one.strata,
    )
