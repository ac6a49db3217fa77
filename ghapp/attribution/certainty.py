"""When equal lines are no chance: the limits of weight and coverage, and nothing else.

Weight says how unlikely a line is to be typed twice (`Codebook.weight`, less for lines that
recur in the file); coverage says how much of what was written stands in the change. The
numbers were chosen on generated truth and checked on other seeds; docs/accuracy.md has the
figures and the commands.
"""

from typing import NamedTuple

DISTINCTIVE = 7.0
"""Weight of lines that two people would hardly type by chance, where much else stands too."""

CLEARLY_DISTINCTIVE = 50.0
"""Weight asked of an edit's standing lines where half of it stands and little of its session."""

SPEAKS_FOR_ITSELF = 20.0
"""Weight times coverage from which a run is no chance, however little else stands."""

TELLS_ITS_PLACE = 4.0
"""Weight of a run below which it counts only in its place, between its edit's other lines."""

HALF = 0.5
MOST = 0.75


class EditCoverage(NamedTuple):
    """How much of an edit and of its agent session stands in the change, 0 to 1 by weight."""

    weight: float
    """Weight of the edit's own lines that stand."""
    of_edit: float
    of_session: float
    is_whole: bool
    """Whether each own line of the edit stands in a run."""


NOWHERE = EditCoverage(0.0, 0.0, 0.0, is_whole=False)


def is_no_chance(weight: float, standing: EditCoverage) -> bool:
    """Say whether a run of that weight, of an edit that stands so far, is no chance."""
    if weight * max(standing.of_edit, standing.of_session) >= SPEAKS_FOR_ITSELF:
        return True
    if standing.of_session >= HALF and standing.is_whole:
        return True
    if weight < TELLS_ITS_PLACE:
        return False
    weight = max(weight, standing.weight)
    if standing.of_session >= HALF or standing.of_edit >= MOST:
        return weight >= DISTINCTIVE
    return standing.of_edit >= HALF and weight >= CLEARLY_DISTINCTIVE
