"""Tokens of agents' records counted in three ways: every record, the first of each answer, ours."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.console import say, table
from ghapp.ingest.usage_files import read_usage
from ghapp.usage.answers import TokenCounts, UsageRecord, settled, total


def run(paths: Sequence[Path]) -> int:
    """Print the three totals beside each other."""
    records = [one for one in read_usage(paths) if isinstance(one, UsageRecord)]
    first: dict[object, UsageRecord] = {}
    for number, one in enumerate(records):
        first.setdefault((one.agent, one.message, one.request) if one.message else number, one)
    answers = settled(records)
    say(f"{len(records):,} records, {len(answers):,} answers")
    counted = {"every record": total(records), "first record": total(first.values())}
    rows = [_row(name, tokens) for name, tokens in (counted | {"ours": total(answers)}).items()]
    say(table(rows, ("counted", *TokenCounts.__struct_fields__)))
    return 0


def _row(name: str, tokens: TokenCounts) -> tuple[str, ...]:
    numbers = msgspec.structs.astuple(tokens)
    return (name, *("-" if one is None else f"{one:,}" for one in numbers))
