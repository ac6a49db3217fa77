"""What is declared and what is measured, side by side; nothing is concluded from one of them."""

import pytest

from ghapp.attribution.model import AgentCommitCount, AgentDeclaration
from ghapp.reports.declared import beside, pushed

CLAUDE = AgentDeclaration(agent="claude-code", commits=2, forms=("co-authored-by",))
MEASURED = (("claude-code", "71%"),)


@pytest.mark.parametrize(
    ("declared", "measured", "said"),
    [
        ((CLAUDE,), MEASURED, "Declared: Claude (2 commits). Measured: 71% Claude Code."),
        ((), MEASURED, "Declared: no agent. Measured: 71% Claude Code."),
        ((CLAUDE,), (), "Declared: Claude (2 commits). Measured: no line."),
        ((CLAUDE,), None, "Declared: Claude (2 commits). Measured: unknown."),
        ((), (), None),
        ((), None, None),
        (None, MEASURED, None),
    ],
)
def test_both_halves_are_told_and_not_judged(
    declared: tuple[AgentDeclaration, ...] | None,
    measured: tuple[tuple[str, str], ...] | None,
    said: str | None,
) -> None:
    assert beside(declared, measured, str) == said


def test_agents_own_commits_are_told_or_that_nobody_asked() -> None:
    named = AgentDeclaration(agent="copilot", commits=1, forms=("author",))
    counts = (AgentCommitCount(agent="jules", proven=1, unproven=2),)
    assert pushed(counts, (), str) == (
        "Commits by agents' own accounts: Jules 1 proven and 2 by name or address alone."
    )
    assert "it was not asked" in (pushed(None, (named,), str) or "")
    assert [pushed(None, (CLAUDE,), str), pushed((), (named,), str), pushed(None, None, str)] == [
        None,
        None,
        None,
    ]
