"""How sure each reason is, and the range of a change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.attribution.model import ATTRIBUTED, LineRange, Reason
from ghapp.attribution.tiers import MEASURED, SURE, TierRecord, honest_range

COUNTS = st.dictionaries(st.sampled_from([*Reason]), st.integers(0, 10_000))


def test_each_attributed_reason_is_a_tier_with_enough_lines() -> None:
    assert set(MEASURED) >= ATTRIBUTED
    assert all(record.lines >= 200 for record in MEASURED.values())


def test_wilsons_interval() -> None:
    low, high = TierRecord(90, 100).interval
    assert (low, high) == (pytest.approx(0.8256, abs=1e-4), pytest.approx(0.9448, abs=1e-4))
    assert TierRecord(100, 100).interval[1] == pytest.approx(1.0)


@given(COUNTS)
def test_the_ends_of_a_range_are_in_order(counts: dict[Reason, int]) -> None:
    found = honest_range({str(reason): count for reason, count in counts.items()})
    assert 0 <= found.at_least <= found.expected <= found.at_most


def test_only_sure_tiers_are_at_the_lower_end() -> None:
    sure = [reason for reason in ATTRIBUTED if MEASURED[reason].share >= SURE]
    assert Reason.RUN in sure
    counts = {str(reason): 100 for reason in MEASURED} | {"no_match": 100}
    found = honest_range(counts)
    assert (found.at_least, found.at_most) == (100 * len(sure), 100 * len(MEASURED))


def test_nothing_doubtful_is_no_range() -> None:
    found = honest_range({"run": 12, "no_match": 5})
    assert found == LineRange(at_least=12, expected=12, at_most=12)
