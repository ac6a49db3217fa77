"""The page that compares agents: rows that only usage or only pull requests have."""

from ghapp.spend.cost import TokenCost
from ghapp.spend.shown import SpendPart
from ghapp.summaries.counts import AgentCounts, ModelCounts
from ghapp.usage.counts import OTHERS, UsageCounts, UsagePart
from ghapp.web.pages.agents import _agents, _models


def test_an_agent_is_listed_whoever_names_it_and_what_is_kept_back_comes_last() -> None:
    used = [
        UsagePart(OTHERS, UsageCounts(people=5)),
        UsagePart("codex", UsageCounts(people=7)),
    ]
    costs = [SpendPart("cursor", 6, TokenCost(amount=5)), SpendPart(OTHERS, 5, None)]
    rows = _agents([AgentCounts("claude-code", 2, 9)], [], used, costs)
    assert [
        (one.name, one.pulls, one.used.people, one.cost and one.cost.amount) for one in rows
    ] == [
        ("claude-code", 2, 0, None),
        ("codex", None, 7, None),
        ("cursor", None, 0, 5),
        (OTHERS, None, 5, None),
    ]
    assert {one.reverted for one in rows} == {"-"}


def test_a_model_counts_once_in_the_hands_of_two_agents() -> None:
    models = [
        ModelCounts("claude-code", "claude-opus", 3, 7),
        ModelCounts("cursor", "claude-opus", 1, 4),
        ModelCounts("cursor", None, 1, 20),
    ]
    rows = _models(models, [], [SpendPart("gpt-codex", 5, TokenCost(amount=1))])
    assert [(one.name, one.agents, one.attributed) for one in rows] == [
        ("", "Cursor", 20),
        ("claude-opus", "Claude Code, Cursor", 11),
        ("gpt-codex", "", None),
    ]
