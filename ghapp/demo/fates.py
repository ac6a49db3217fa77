"""Invented outcomes of the demo's pull requests, alike with and without an agent.

The demo shows how to read the page; it must not suggest anything about agents.
"""

from datetime import datetime, timedelta
from random import Random

from ghapp.summaries.counts import PullOutcome

A_MONTH, THREE_MONTHS = timedelta(days=30), timedelta(days=90)


def fate(
    random: Random, merged_at: datetime, until: datetime, *, attributed: int, others: int
) -> PullOutcome:
    """Return the outcome of a pull request as known at ``until``."""
    opened_at = merged_at - _hours(random, 16)
    reviewed_at = opened_at + _hours(random, 3.5)
    is_reviewed = reviewed_at < merged_at
    rounds = 1 + min(int(random.expovariate(1.1)), 5)
    old, oldest = until - merged_at >= A_MONTH, until - merged_at >= THREE_MONTHS
    return PullOutcome(
        collected_at=until,
        first_commit_at=opened_at - _hours(random, 7),
        opened_at=opened_at,
        first_review_at=reviewed_at if is_reviewed else None,
        review_rounds=rounds if is_reviewed else 0,
        review_comments=int(random.expovariate(0.35)) if is_reviewed else 0,
        changed_lines=attributed + others + int(random.expovariate(0.04)),
        attributed_lines=attributed,
        other_lines=others,
        reverted=random.random() < 0.02 if old else None,
        fixed_up=random.random() < 0.11 if old else None,
        attributed_after_30=_standing(random, attributed, 0.93) if old else None,
        others_after_30=_standing(random, others, 0.93) if old else None,
        attributed_after_90=_standing(random, attributed, 0.86) if oldest else None,
        others_after_90=_standing(random, others, 0.86) if oldest else None,
    )


def _hours(random: Random, middle: float) -> timedelta:
    """Return a random time with the median ``middle`` hours and a few very long values."""
    return timedelta(hours=min(middle * random.lognormvariate(0, 0.8), 24 * 12))


def _standing(random: Random, lines: int, part: float) -> int:
    """Return how many lines remain: most pull requests stay whole, some lose a lot."""
    lost = random.random() * 2 if random.random() < (1 - part) * 2.2 else (1 - part) * 0.2
    return max(0, round(lines * (1 - min(lost * 0.45, 1.0))))
