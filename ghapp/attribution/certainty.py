"""When equal lines are no coincidence: the limits of weight and coverage, and nothing else.

Weight says how unlikely it is that two people type a line (`Codebook.weight`, lower for lines
that recur in the file). Coverage says how much of an agent's text is in the change. We chose
the numbers on generated truth and checked them on other seeds; docs/accuracy.md has the figures
and the commands.
"""

from typing import NamedTuple

DISTINCTIVE = 7.0
"""Weight that suffices if most of the edit, or half of its session, is in the change."""

CLEARLY_DISTINCTIVE = 50.0
"""Weight that suffices if half of the edit but little of its session is in the change."""

SPEAKS_FOR_ITSELF = 20.0
"""Weight times coverage that suffices whatever else is in the change."""

TELLS_ITS_PLACE = 10.0
"""Weight below which a run counts only in its place, between its edit's other lines."""

TELLS_ANYTHING = 4.0
"""The same for an edit that is there as a whole."""

PART = 0.1
"""Share of a whole-file write, by weight, that suffices if the file is new."""

HALF = 0.5
"""Coverage: half of the weight."""
MOST = 0.75
"""Coverage: three quarters of the weight."""


class EditCoverage(NamedTuple):
    """How much of an edit and of its agent session is in the change."""

    weight: float
    """Weight of the edit's own lines that are in the change."""
    of_edit: float
    """Share of the edit's weight, 0 to 1."""
    of_session: float
    """Share of the agent session's weight, 0 to 1."""
    is_whole: bool
    """Whether every own line of the edit is in a run."""
    is_new_file: bool = False
    """Whether the edit wrote the whole file and the change adds it: nothing else could be there."""


NOWHERE = EditCoverage(0.0, 0.0, 0.0, is_whole=False)


def is_no_chance(weight: float, standing: EditCoverage) -> bool:
    """Say whether a run of that weight is no coincidence, given its edit's coverage."""
    if weight * max(standing.of_edit, standing.of_session) >= SPEAKS_FOR_ITSELF:
        return True
    if standing.of_session >= HALF and standing.is_whole and weight >= TELLS_ANYTHING:
        return True
    if standing.is_new_file and standing.of_edit >= PART and standing.weight >= DISTINCTIVE:
        return True
    if weight < TELLS_ITS_PLACE:
        return False
    weight = max(weight, standing.weight)
    if standing.of_session >= HALF or standing.of_edit >= MOST:
        return weight >= DISTINCTIVE
    return standing.of_edit >= HALF and weight >= CLEARLY_DISTINCTIVE
