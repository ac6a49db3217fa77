"""The engine and the independently written oracle agree on every line."""

from collections import Counter

import pytest
from hypothesis import given

from ghapp.attribution.attribute import attribute
from ghapp.attribution.model import ATTRIBUTED, FileVerdict
from ghapp.attribution.policy import CLAUDE_CODE_V1
from tests.attribution import oracle
from tests.attribution.oracle import Reasoned
from tests.attribution.strategies import LATER, MERGED, SUBJECT, Case, cases, stories
from tests.searching import searched

FEWEST = {
    "run": 500,
    "no_match": 150,
    "trivial_line": 150,
    "outside_window": 100,
    "line": 100,
    "not_applied": 75,
    "credited_elsewhere": 30,
    "common_line": 30,
    "agent_commit": 15,
    "command_changed": 30,
    "edited": 15,
    "rewrapped": 10,
    "substituted": 10,
    "shell_text": 10,
    "scattered": 7,
    "merged_before": 5,
    "rewritten": 5,
    "long_line": 2,
}
"""Minimum number of occurrences of each reason in 350 stories of one seed."""


def verdicts(case: Case) -> tuple[FileVerdict, ...]:
    return attribute(SUBJECT, case.change, case.evidence, CLAUDE_CODE_V1, at=LATER).files


def by_engine(case: Case) -> dict[str, dict[int, Reasoned]]:
    return {
        file.path: {
            line.line: Reasoned(str(line.reason), line.edit, line.difference) for line in file.lines
        }
        for file in verdicts(case)
    }


def by_oracle(case: Case) -> dict[str, dict[int, Reasoned]]:
    return oracle.reasons(MERGED, case.change, case.evidence, CLAUDE_CODE_V1)


@searched(600)
@given(cases())
def test_engine_and_oracle_agree(case: Case) -> None:
    assert by_engine(case) == by_oracle(case)


def test_stories_reach_every_reason() -> None:
    """Comparing stories in which nothing happens would prove nothing."""
    found = Counter(
        line.reason
        for case in stories(seed=20261201, count=350)
        for lines in by_oracle(case).values()
        for line in lines.values()
    )
    assert {reason: found[reason] for reason in FEWEST if found[reason] < FEWEST[reason]} == {}
    assert set(found) == set(FEWEST)
    assert set(FEWEST) >= set(ATTRIBUTED)


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("ab", "ba", 2), ("x", "xyz", 2)],
)
def test_the_oracle_knows_the_textbook_distances(one: str, other: str, distance: int) -> None:
    assert oracle.distance(one, other) == oracle.distance(other, one) == distance


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("  Return\t\tNone  \r", "return none"),
        ("print(\u201cHi\u201d, `a`, \u00ab\u2039b\u203a\u00bb)", "print('hi', 'a', ''b'')"),
        ("cafe\u0301 \u00a0 X\u2003Y", "caf\u00e9 x y"),
        ("\u2032\u2033\u00b4\uff02\uff07", "'''''"),
    ],
)
def test_the_oracle_normalizes_as_the_rules_say(text: str, canonical: str) -> None:
    assert oracle.canonical(text) == canonical
