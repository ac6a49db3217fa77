"""Costs of one machine's answers."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ghapp.spend.cost import TokenCost
from ghapp.spend.own_costs import OwnCosts
from ghapp.spend.prices import packaged
from ghapp.usage.answers import TokenCounts, UsageRecord
from ghapp.usage.parts import NAMES

AT = datetime(2026, 11, 3, 23, tzinfo=UTC)
answers = st.lists(
    st.builds(
        UsageRecord,
        agent=st.sampled_from(["claude-code", "codex"]),
        agent_session=st.sampled_from("st"),
        at=st.sampled_from([AT, AT + timedelta(hours=2)]),
        model=st.sampled_from([None, "claude-haiku-5-5", "gpt-5", "made-up"]),
        tokens=st.builds(TokenCounts, input=st.integers(0, 300_000), output=st.integers(0, 99)),
        project=st.sampled_from([None, "/a", "/b"]),
    ),
    max_size=9,
)


@given(answers, st.sampled_from(sorted(NAMES)))
def test_parts_sum_to_the_whole(told: list[UsageRecord], by: str) -> None:
    found = OwnCosts(told, packaged())
    assert sum(found.parted(by).values(), TokenCost()) == found.whole
    assert set(found.parted(by)) == {NAMES[by](one) for one in told}
    tokens = found.whole.priced_tokens + found.whole.unpriced_tokens
    assert tokens == sum(one.tokens.total for one in told)


def test_a_long_prompt_has_its_own_price() -> None:
    def one(tokens: int) -> UsageRecord:
        return UsageRecord(
            agent="claude-code",
            agent_session="s",
            at=AT,
            model="claude-haiku-5-5",
            tokens=TokenCounts(input=tokens),
        )

    found = OwnCosts([one(100_000), one(100_001)], packaged())
    assert found.whole.amount == 10_000 + 50_000 + 0  # 0.1 and 0.5 dollars for a million
