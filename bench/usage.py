"""Tokens of agents' records counted in three ways, their cost, and edits without copies."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench.console import say, table
from ghapp.ingest.usage_files import read_usage
from ghapp.spend.cost import TokenCost
from ghapp.spend.money import for_people
from ghapp.spend.prices import packaged
from ghapp.spend.quotes import at_list, row_of
from ghapp.usage.answers import TokenCounts, UsageRecord, settled, total
from ghapp.usage.days import token_days
from ghapp.usage.decisions import DecidedEdit, EditDecision, decided_once
from ghapp.usage.parts import UNKNOWN


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
    _costs({"every record": records, "first record": list(first.values()), "ours": answers})


def _costs(counted: dict[str, list[UsageRecord]]) -> None:
    """Print what each way of counting comes to, and what has no price."""
    ours = counted["ours"]
    counted["ours, all writes as for 5 minutes"] = [_as_for_5_minutes(one) for one in ours]
    costs = {name: _cost(records) for name, records in counted.items()}
    rows = [
        (name, "-" if one.amount is None else for_people(one.amount), f"{one.unpriced_tokens:,}")
        for name, one in costs.items()
    ]
    say(f"list prices of {packaged().version}")
    say(table(rows, ("counted", "cost", "tokens without a price")))
    unpriced = sorted({one.model or UNKNOWN for one in ours if not _cost([one]).priced_tokens})
    share = costs["ours"].priced_share
    if share is not None:
        say(
            f"{share:.2%} of our tokens have a price; of no answer of: {', '.join(unpriced) or '-'}"
        )


def _cost(records: Sequence[UsageRecord]) -> TokenCost:
    rows = token_days(records)
    return sum((at_list(row_of(one), packaged()).cost for one in rows), TokenCost())


def _as_for_5_minutes(one: UsageRecord) -> UsageRecord:
    told = one.tokens
    changed = msgspec.structs.replace(told, cache_write_5m=told.cache_write, cache_write_1h=0)
    return msgspec.structs.replace(one, tokens=changed)


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
