"""Draws lines at random for people to judge, and computes the score of their answers.

It draws from strata (by reason, agent, share), so that rare kinds are judged, too; each stratum's
answers weigh as much as its lines. It opens no file.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random

from ghapp.attribution.model import Audit, LineVerdict, Struct

LEAST = 5
"""Lines to draw from each stratum at least, if it has so many."""

Z = 1.959964
"""Quantile of the normal distribution for 95 %."""

STRATA = ("reason", "agent", "share")
"""What strata can be made by."""


class SampledLine(Struct, frozen=True):
    """One added line, and the stratum that it was drawn from."""

    stratum: str
    """Such as ``run`` or ``run/claude-code``."""
    stratum_lines: int
    """Number of lines in the stratum."""
    repository: str | None
    pull_request: int | None
    merge_commit: str | None
    path: str
    verdict: LineVerdict


class SampleAnswer(Struct, frozen=True):
    """A person's answer about one line."""

    stratum: str
    stratum_lines: int
    attributed: bool
    """The audit's verdict."""
    agrees: bool | None
    """Whether the person agrees with it; ``None``: no answer, or unsure."""


class SampleScore(Struct, frozen=True):
    """The estimate for all lines of a kind."""

    answers: int
    lines: int
    """Lines of the strata that have answers."""
    unknown: int
    """Lines of strata without any answer; the estimate does not cover them."""
    estimate: float
    """Share of lines whose verdict is right."""
    low: float
    high: float
    """The interval that holds the true share with 95 % confidence (Wilson)."""


# --- drawing ------------------------------------------------------------------------------------


class SamplingFrame:
    """The lines that may be drawn, counted by stratum in a first pass over all audits."""

    def __init__(self, by: Sequence[str], *, counted: bool = False) -> None:
        """``by`` are some of `STRATA`; ``counted`` includes lines that are not attributed."""
        self._by = by
        self._counted = counted
        self.sizes: Counter[str] = Counter()

    def count(self, audit: Audit) -> None:
        """Count an audit's lines."""
        self.sizes.update(stratum for stratum, _, _ in self._lines(audit))

    def draw(self, size: int, random: Random) -> dict[str, frozenset[int]]:
        """Return the lines to draw from each stratum, by their index in the pass."""
        sizes = allocation(self.sizes, size)
        return {
            stratum: frozenset(random.sample(range(self.sizes[stratum]), sizes[stratum]))
            for stratum in sorted(self.sizes)
        }

    def picked(
        self, audits: Iterable[Audit], drawn: Mapping[str, frozenset[int]]
    ) -> Iterator[SampledLine]:
        """Yield the drawn lines, in a second pass over the same audits."""
        seen: Counter[str] = Counter()
        for audit in audits:
            for stratum, path, line in self._lines(audit):
                if seen[stratum] in drawn[stratum]:
                    yield SampledLine(
                        stratum=stratum,
                        stratum_lines=self.sizes[stratum],
                        repository=audit.repository,
                        pull_request=audit.pull_request,
                        merge_commit=audit.merge_commit,
                        path=path,
                        verdict=line,
                    )
                seen[stratum] += 1

    def _lines(self, audit: Audit) -> Iterator[tuple[str, str, LineVerdict]]:
        share = _band(audit.totals.share)
        for file in audit.files:
            for line in file.lines:
                if line.attributed or (self._counted and _is_counted(line, file.excluded)):
                    yield self._stratum(line, share), file.path, line

    def _stratum(self, line: LineVerdict, share: str) -> str:
        names = {"reason": line.reason, "agent": line.agent or "no-agent", "share": share}
        return "/".join(names[name] for name in self._by)


_NOT_COUNTED = frozenset({"trivial_line", "long_line"})


def _is_counted(line: LineVerdict, excluded: str | None) -> bool:
    return excluded is None and line.reason not in _NOT_COUNTED


def _band(share: float | None) -> str:
    """Return the quarter that a share is in, such as ``25-50%``."""
    if share is None:
        return "no-share"
    start = min(int(share * 4), 3) * 25
    return f"{start}-{start + 25}%"


def allocation(sizes: Mapping[str, int], size: int) -> dict[str, int]:
    """Return how many lines to draw from each stratum: in proportion, but a few of each.

    >>> allocation({"run": 900, "line": 90, "edited": 3}, 100)
    {'edited': 3, 'line': 13, 'run': 84}
    """
    drawn = {name: min(sizes[name], LEAST) for name in sorted(sizes)}
    room = sum(sizes.values()) - sum(drawn.values())
    rest = min(max(size - sum(drawn.values()), 0), room)
    # Lines left over by rounding go to the strata that lost most.
    cut = {name: divmod(rest * (sizes[name] - drawn[name]), room or 1) for name in drawn}
    by_cut = sorted(drawn, key=lambda name: (-cut[name][1], name))
    left = rest - sum(whole for whole, _ in cut.values())
    for name in drawn:
        drawn[name] += cut[name][0] + (name in by_cut[:left])
    return drawn


# --- scoring ------------------------------------------------------------------------------------


def score(answers: Iterable[SampleAnswer]) -> SampleScore | None:
    """Return the estimate for all lines of the answered strata; ``None``: no answers."""
    sizes: dict[str, int] = {}
    given: Counter[str] = Counter()
    agreed: Counter[str] = Counter()
    for answer in answers:
        sizes[answer.stratum] = answer.stratum_lines
        given[answer.stratum] += answer.agrees is not None
        agreed[answer.stratum] += answer.agrees is True
    known = [name for name in sizes if given[name]]
    if not known:
        return None
    lines = sum(sizes[name] for name in known)
    weights = {name: sizes[name] / lines for name in known}
    estimate = sum(weights[name] * agreed[name] / given[name] for name in known)
    # The number of draws without strata that would have the same variance.
    plain = 1 / sum(weights[name] ** 2 / given[name] for name in known)
    low, high = wilson(estimate, plain)
    return SampleScore(
        answers=sum(given.values()),
        lines=lines,
        unknown=sum(sizes.values()) - lines,
        estimate=estimate,
        low=low,
        high=high,
    )


def wilson(share: float, draws: float) -> tuple[float, float]:
    """Return Wilson's interval of a share, 95 %.

    https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval#Wilson_score_interval

    >>> [round(end, 3) for end in wilson(1.0, 100)]
    [0.963, 1.0]
    """
    middle = share + Z**2 / (2 * draws)
    spread = Z * math.sqrt(share * (1 - share) / draws + Z**2 / (4 * draws**2))
    whole = 1 + Z**2 / draws
    return max((middle - spread) / whole, 0.0), min((middle + spread) / whole, 1.0)
