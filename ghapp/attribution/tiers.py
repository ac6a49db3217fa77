"""How often each reason is right, measured, and the honest range of a change. It decides no line.

A reason is a tier. `MEASURED` comes from ``python3 run.py bench truth`` with this engine, on seeds
that nobody used to choose a limit; docs/accuracy.md says which, and how to measure it again.
"""

from collections.abc import Mapping
from math import floor, sqrt
from typing import NamedTuple

from ghapp.attribution.model import ATTRIBUTED, LineRange, Reason

SURE = 0.995
"""Measured precision of a tier whose lines count for the lower end of a range."""

_Z = 1.96
"""Standard deviations on both sides that hold 95 % of a normal distribution."""


class TierRecord(NamedTuple):
    """What the truth bench counted for one reason."""

    agents: int
    """Lines with this reason that an agent wrote."""
    lines: int
    """Lines with this reason whose author is known."""

    @property
    def share(self) -> float:
        """The share that an agent wrote, 0 to 1: for an attributed line, its precision."""
        return self.agents / self.lines

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval of the share, 95 %.

        https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval
        """
        n, p = self.lines, self.share
        middle = (p + _Z * _Z / (2 * n)) / (1 + _Z * _Z / n)
        reach = _Z / (1 + _Z * _Z / n) * sqrt(p * (1 - p) / n + _Z * _Z / (4 * n * n))
        return max(0.0, middle - reach), min(1.0, middle + reach)


MEASURED: dict[Reason, TierRecord] = {
    Reason.RUN: TierRecord(23_582, 23_639),
    Reason.LINE: TierRecord(1_473, 1_476),
    Reason.REWRAPPED: TierRecord(757, 766),
    Reason.EDITED: TierRecord(940, 945),
    Reason.SUBSTITUTED: TierRecord(4_725, 4_725),
    Reason.SHELL_TEXT: TierRecord(12_774, 12_774),
    Reason.AGENT_COMMIT: TierRecord(13_700, 13_701),
    Reason.COMMAND_CHANGED: TierRecord(9_119, 9_125),
    Reason.COMMON_LINE: TierRecord(104, 1_147),
    Reason.SCATTERED: TierRecord(99, 447),
    Reason.REWRITTEN: TierRecord(12, 1_362),
}
"""Each attributed reason, and each other one whose lines may be an agent's.

`SHELL_TEXT` is from seeds 502 and 503 of ``bench truth --shells``, `SUBSTITUTED` from these and
from seeds 402 and 403, which have renames by commands; `AGENT_COMMIT` is from
``python3 run.py bench pushed``, seeds 505 and 506, and `COMMAND_CHANGED` from ``bench looks``,
seeds 541 to 543.
"""


def honest_range(by_reason: Mapping[str, int]) -> LineRange:
    """Return how many lines an agent wrote: surely, probably, and at the most.

    ``by_reason`` counts the lines of a change. The lower end holds the tiers that are right in at
    least `SURE` of all cases, the upper end all that a tier could be.
    """
    counts = {reason: by_reason.get(reason, 0) for reason in MEASURED}
    at_least = sum(
        count
        for reason, count in counts.items()
        if reason in ATTRIBUTED and MEASURED[reason].share >= SURE
    )
    at_most = sum(counts.values())
    expected = floor(sum(MEASURED[one].share * count for one, count in counts.items()) + 0.5)
    return LineRange(
        at_least=at_least, expected=min(max(expected, at_least), at_most), at_most=at_most
    )
