"""The limits of weight and coverage, at each edge."""

import pytest

from ghapp.attribution.certainty import NOWHERE, EditCoverage, is_no_chance


def covered(
    edit: float,
    session: float,
    *,
    weight: float = 0.0,
    is_whole: bool = False,
    is_new_file: bool = False,
) -> EditCoverage:
    return EditCoverage(weight, edit, session, is_whole, is_new_file)


@pytest.mark.parametrize(
    ("weight", "standing", "sure"),
    [
        (1000.0, NOWHERE, False),
        # weight times coverage
        (100.0, covered(0.2, 0.0), True),
        (99.0, covered(0.2, 0.0), False),
        (100.0, covered(0.0, 0.2), True),
        # most of the edit, or half of the session
        (10.0, covered(0.75, 0.0), True),
        (10.0, covered(0.0, 0.5), True),
        (10.0, covered(0.74, 0.49), False),
        # half of the edit alone
        (39.9, covered(0.5, 0.0), False),
        (40.0, covered(0.5, 0.0), True),
        # a light run, in its place only
        (9.9, covered(0.75, 0.0, weight=70.0), False),
        # a whole edit of a session that is in the change
        (4.0, covered(1.0, 0.5, is_whole=True), True),
        (3.9, covered(1.0, 0.5, is_whole=True), False),
        (4.0, covered(1.0, 0.49, is_whole=True), False),
        (4.0, covered(1.0, 0.5), False),
        # a write of a whole new file
        (0.5, covered(0.1, 0.0, weight=7.0, is_new_file=True), True),
        (0.5, covered(0.09, 0.0, weight=7.0, is_new_file=True), False),
        (0.5, covered(0.1, 0.0, weight=6.9, is_new_file=True), False),
    ],
)
def test_what_is_no_coincidence(
    weight: float,
    standing: EditCoverage,
    sure: bool,  # noqa: FBT001 (a column of the table)
) -> None:
    assert is_no_chance(weight, standing) is sure
