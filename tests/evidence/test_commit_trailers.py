"""Agents that commits name, counted and never credited."""

import pytest

from ghapp.evidence.commit_trailers import agents, count, read
from tests.evidence.commits import commit

CLAUDE = "Fix\n\nCo-Authored-By: Claude <noreply@anthropic.com>\n"


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"message": CLAUDE}, {"claude-code"}),
        ({"author": "copilot-swe-agent[bot] <1+Copilot@users.noreply.github.com>"}, {"copilot"}),
        ({"committer": "Ann (aider) <ann@example.com>"}, {"aider"}),
        ({"message": "Fix\n\nAmp-Thread-ID: T-1"}, {"amp"}),
        ({"message": CLAUDE + "Made-with: Cursor"}, {"claude-code", "cursor"}),
        ({"message": "Ask Claude. See the Claude-Session: note"}, set()),
        ({"author": "Claude <claude@example.com>"}, set()),
    ],
)  # fmt: skip
def test_addresses_and_trailers_name_agents_and_prose_does_not(
    changed: dict[str, str], named: set[str]
) -> None:
    assert agents(commit(**changed)) == named


def test_a_commit_counts_once_for_each_agent() -> None:
    some = [commit(message=CLAUDE * 2), commit(message=CLAUDE + "Made-with: Cursor"), commit()]
    assert count(some) == {"claude-code": 2, "cursor": 1}
    assert count([]) == {}


def test_a_name_proves_no_line() -> None:
    assert list(read(commit(message=CLAUDE), [])) == []
