"""Nobody's money is shown, and none can be told from what is."""

from hypothesis import given
from hypothesis import strategies as st

from ghapp.spend.cost import TokenCost
from ghapp.spend.shown import SpendPart, folded, may_be_shown, total
from ghapp.usage.counts import OTHERS

costs = st.one_of(
    st.integers(0, 100).map(lambda n: TokenCost(amount=n, priced_tokens=1)),
    st.just(TokenCost(amount=None, unpriced_tokens=1)),
)
people = st.dictionaries(st.integers(1, 12), costs, max_size=9)
groups = st.dictionaries(st.sampled_from([None, "", "a", "b", "c", "d"]), people, max_size=6)


def some(*amounts: int | None) -> dict[int, TokenCost]:
    return {
        person: TokenCost(amount=n, priced_tokens=n is not None, unpriced_tokens=n is None)
        for person, n in enumerate(amounts, 1)
    }


def test_five_people_are_shown_unless_one_makes_nearly_all_of_it() -> None:
    assert may_be_shown(some(1, 1, 1, 1, 1))
    assert not may_be_shown(some(1, 1, 1, 1))
    assert may_be_shown(some(80, 5, 5, 5, 5))
    assert not may_be_shown(some(81, 5, 5, 5, 4))
    assert may_be_shown(some(0, 0, 0, 0, 0))


def test_people_whose_amount_is_unknown_do_not_hide_others() -> None:
    assert not may_be_shown(some(1, 1, 1, 1, None))
    assert may_be_shown(some(None, None, None, None, None))
    assert not may_be_shown(some(None, None, None, None))


def test_a_small_group_joins_the_others_and_takes_the_smallest_with_it() -> None:
    one, two = (
        some(9, 9, 9, 9, 9, 9),
        {n + 20: TokenCost(amount=2, priced_tokens=1) for n in range(5)},
    )
    small = {50: TokenCost(amount=7, priced_tokens=1)}
    found = folded({"one": one, "two": two, "small": small})
    assert [row.name for row in found] == ["one", OTHERS]
    assert found[1].people == 6
    assert found[1].cost == total(two) + total(small)


def test_where_everything_is_one_person_s_nothing_is_shown() -> None:
    found = folded({"a": some(1000, 1, 1, 1, 1), "b": some(2, 1, 1, 1, 1)})
    assert found == (SpendPart(OTHERS, 5, None),)


def test_whoever_may_see_every_name_sees_every_group() -> None:
    found = folded({"a": some(1), None: some(3)}, least=0)
    assert [(row.name, row.cost and row.cost.amount) for row in found] == [("a", 1), (OTHERS, 3)]


@given(groups)
def test_what_is_hidden_cannot_be_told_from_the_total(
    told: dict[str | None, dict[int, TokenCost]],
) -> None:
    found = folded(told)
    shown = [row for row in found if row.cost is not None]
    assert not shown or len(shown) == len(found)
    everything = sum((total(own) for own in told.values()), TokenCost())
    if shown or not found:
        assert sum((row.cost for row in shown if row.cost), TokenCost()) == everything
    for row in shown:
        if row.name != OTHERS:
            assert may_be_shown(told[row.name])
