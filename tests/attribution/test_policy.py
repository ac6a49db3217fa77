"""A policy's limits are exact, and its digest changes with each value."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from msgspec.structs import replace

from ghapp.attribution.policy import CLAUDE_CODE_V1, ID, POLICIES, Policy

MERGED = datetime(2026, 5, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(("told", "limit"), [(0.2, (1, 5)), (0.1, (1, 10)), (0.0, (0, 1))])
def test_the_limit_is_the_decimal_that_was_written(told: float, limit: tuple[int, int]) -> None:
    assert Policy(rewrite_limit=told).limit == Fraction(*limit)


def test_the_window_is_told_in_whole_days() -> None:
    first, last = Policy(window_before_days=3, window_after_days=0).window(MERGED)
    assert (first, last) == (MERGED - timedelta(days=3), MERGED)


def test_evidence_is_read_from_before_the_window_and_never_from_after_it() -> None:
    first, last = CLAUDE_CODE_V1.window(MERGED)
    assert CLAUDE_CODE_V1.evidence_span(MERGED) == (first - timedelta(days=30), last)


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "other"},
        {"window_before_days": 20},
        {"window_after_days": 3},
        {"rewrite_limit": 0.3},
        {"moved_blocks": True},
        {"exclude": ("docs/",)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_every_value_is_in_the_digest(changed: dict[str, object]) -> None:
    assert set(Policy.__struct_fields__) > changed.keys()
    assert replace(CLAUDE_CODE_V1, **changed).digest != CLAUDE_CODE_V1.digest
    assert CLAUDE_CODE_V1.used().digest == CLAUDE_CODE_V1.digest == Policy().digest


def test_published_policies_are_found_by_their_ids() -> None:
    assert set(POLICIES) == {"claude-code-v1", "claude-code-v1+moved"}
    assert all(ID.fullmatch(name) for name in POLICIES)


@pytest.mark.parametrize("name", ["", "-a", "A", "a b", "a\n", "x" * 65, "ü"])
def test_what_is_no_id(name: str) -> None:
    assert not ID.fullmatch(name)
