"""Tokens of agents' records counted in three ways, and their edits with and without copies."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.console import say, table
from ghapp.ingest.usage_files import read_usage
from ghapp.usage.answers import TokenCounts, UsageRecord, settled, total
from ghapp.usage.decisions import DecidedEdit, EditDecision, decided_once


def run(paths: Sequence[Path]) -> int:
    """Print the totals beside each other."""
    records: list[UsageRecord] = []
    decisions: list[DecidedEdit] = []
    for one in read_usage(paths, datetime.now(UTC)):
        if isinstance(one, UsageRecord):
            records.append(one)
        elif isinstance(one, DecidedEdit):
            decisions.append(one)
    _tokens(records)
    _edits(decisions)
    return 0


def _tokens(records: Sequence[UsageRecord]) -> None:
    first: dict[object, UsageRecord] = {}
    for number, one in enumerate(records):
        first.setdefault((one.agent, one.message, one.request) if one.message else number, one)
    answers = settled(records)
    say(f"{len(records):,} records, {len(answers):,} answers")
    counted = {"every record": total(records), "first record": total(first.values())}
    rows = [_row(name, tokens) for name, tokens in (counted | {"ours": total(answers)}).items()]
    say(table(rows, ("counted", *TokenCounts.__struct_fields__)))


def _row(name: str, tokens: TokenCounts) -> tuple[str, ...]:
    numbers = msgspec.structs.astuple(tokens)
    return (name, *("-" if one is None else f"{one:,}" for one in numbers))


def _edits(decisions: Sequence[DecidedEdit]) -> None:
    once = decided_once(decisions)
    say(f"{len(decisions):,} records of decided edits, {len(once):,} edits")
    rows = [
        _decided(name, own) for name, own in (("every record", decisions), ("each edit once", once))
    ]
    heads = ("counted", *EditDecision, "by a person", "automatic", "not recorded", "lines accepted")
    say(table(rows, heads))


def _decided(name: str, decisions: Sequence[DecidedEdit]) -> tuple[str, ...]:
    became = Counter(one.decision for one in decisions)
    made = Counter(one.decided_by for one in decisions if one.decision is not EditDecision.FAILED)
    by = (made["person"], made["automatic"], made[None])
    accepted = [one for one in decisions if one.decision is EditDecision.ACCEPTED]
    lines = sum(one.lines or 0 for one in accepted)
    numbers = (*(became[one] for one in EditDecision), *by, lines)
    return (name, *(f"{one:,}" for one in numbers))
