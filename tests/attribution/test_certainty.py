"""The limits of weight and coverage, at each edge."""

import pytest

from ghapp.attribution.certainty import NOWHERE, EditCoverage, is_no_chance


def covered(
    edit: float, session: float, *, weight: float = 0.0, is_whole: bool = False
) -> EditCoverage:
    return EditCoverage(weight, edit, session, is_whole)


@pytest.mark.parametrize(
    ("weight", "standing", "sure"),
    [
        (1000.0, NOWHERE, False),
        # weight times coverage
        (100.0, covered(0.2, 0.0), True),
        (99.0, covered(0.2, 0.0), False),
        (100.0, covered(0.0, 0.2), True),
        # most of the edit, or half of the session
        (7.0, covered(0.75, 0.0), True),
        (6.9, covered(0.75, 0.0), False),
        (7.0, covered(0.0, 0.5), True),
        (7.0, covered(0.74, 0.49), False),
        # half of the edit alone
        (39.9, covered(0.5, 0.0), False),
        (40.0, covered(0.5, 0.0), True),
        # a light run, in its place only
        (4.0, covered(0.75, 0.0, weight=7.0), True),
        (3.9, covered(0.75, 0.0, weight=7.0), False),
        # a whole edit of a session that is in the change
        (0.5, covered(1.0, 0.5, is_whole=True), True),
        (0.5, covered(1.0, 0.49, is_whole=True), False),
        (0.5, covered(1.0, 0.5), False),
    ],
)
def test_what_is_no_coincidence(
    weight: float,
    standing: EditCoverage,
    sure: bool,  # noqa: FBT001 (a column of the table)
) -> None:
    assert is_no_chance(weight, standing) is sure
