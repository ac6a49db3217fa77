"""Differences within strata, beside a slow count over all pairs and all permutations."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.summaries import strata
from ghapp.summaries.strata import SuperiorityEstimate, differences, paired, superiority, told
from tests.searching import searched

values = st.lists(st.integers(0, 3).map(float), min_size=1, max_size=4)


def pairs(ones: list[float], others: list[float]) -> float:
    wins = sum((one > other) + (one == other) / 2 for one in ones for other in others)
    return wins / (len(ones) * len(others))


@searched(25)
@given(st.lists(st.tuples(values, values), min_size=1, max_size=3))
def test_all_pairs_and_all_permutations_give_value_and_error(
    made: list[tuple[list[float], list[float]]],
) -> None:
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(strata, "LEAST", 1)
        changed.setattr(strata, "LEAST_EVENTS", 1)
        found = superiority(*({n: pair[arm] for n, pair in enumerate(made)} for arm in (0, 1)))
    weights = [len(one) * len(other) / (len(one) + len(other) + 1) for one, other in made]
    value = sum(weight * pairs(*pair) for weight, pair in zip(weights, made, strict=True))
    variance = 0.0
    for weight, (ones, others) in zip(weights, made, strict=True):
        whole = [*ones, *others]
        drawn = [
            pairs(
                [whole[n] for n in chosen], [whole[n] for n in range(len(whole)) if n not in chosen]
            )
            for chosen in combinations(range(len(whole)), len(ones))
        ]
        variance += weight**2 * sum((one - 0.5) ** 2 for one in drawn) / len(drawn)
    if found is None:
        assert variance == pytest.approx(0)
        return
    assert found.value == pytest.approx(value / sum(weights))
    assert found.error == pytest.approx(variance**0.5 / sum(weights))


def test_strata_with_one_group_only_and_few_members_tell_nothing() -> None:
    assert superiority({"a": [1.0] * 20}, {"b": [0.0] * 20}) is None
    assert superiority({"a": [1.0] * 9}, {"a": [0.0] * 20}) is None
    assert superiority({"a": [1.0, *[0.0] * 20]}, {"a": [0.0] * 20}) is None
    assert paired([(0.1, 5, 5)] * 9) is None
    found = paired([(0.5, 1, 2)] * 10)
    assert found is not None
    assert (found.value, found.ones, found.others) == (0.75, 10, 20)


def test_holm_tells_the_smallest_first_and_stops() -> None:
    def of(errors: float) -> SuperiorityEstimate:
        return SuperiorityEstimate(0.5 + errors * 0.01, 0.01, 50, 50, 1)

    # Two-sided p-values of 0.0027, 0.021, 0.046 and 0.32.
    found = {"a": of(3.0), "b": of(2.31), "c": of(2.0), "d": of(1.0), "e": None}
    assert told(found, 0.05) == {"a": True, "b": False, "c": False, "d": False}
    assert told({"b": of(2.31)}, 0.05) == {"b": True}
    made = differences(found, 0.05)
    assert (made["e"].value, made["e"].is_told) == (None, None)
    assert made["a"].low is not None
    assert made["a"].low > 0.5
