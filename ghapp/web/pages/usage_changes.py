"""Rows that set usage and spend beside those of the period before. It compares nothing."""

from ghapp.attribution.model import Struct
from ghapp.reports.figures import difference_words, rate_words
from ghapp.spend.cost import TokenCost
from ghapp.spend.counts import AmountChange, SpendChange, SpendChanges
from ghapp.spend.money import for_people
from ghapp.usage.counts import UsageChange, UsageCounts
from ghapp.web.frame import cost


class ComparedRow(Struct, frozen=True):
    """One number in both periods; a dash: not known, or not shown."""

    name: str
    now: str
    before: str
    difference: str


class UsedRow(Struct, frozen=True):
    """One tool or team in both periods."""

    name: str
    people: str
    people_before: str
    output: str
    output_before: str
    rate: str
    rate_before: str
    difference: str


def usage_rows(change: UsageChange) -> list[ComparedRow]:
    """Return everybody's usage, number by number."""
    now, before = change.now or UsageCounts(), change.before
    rate = ComparedRow(
        "Accept rate",
        rate_words(change.rate),
        rate_words(change.rate_before),
        difference_words(change.difference),
    )
    return [
        _counts("People", now.people, before.people if before else None),
        _counts("Agent sessions", now.agent_sessions, before.agent_sessions if before else None),
        rate,
        _counts("Lines accepted", _accepted(now), _accepted(before)),
        _counts("Output tokens", _output(now), _output(before)),
    ]


def used_row(change: UsageChange) -> UsedRow:
    """Return one tool or team."""
    now, before = change.now, change.before
    return UsedRow(
        name=str(change.name),
        people=_number(now.people if now else None),
        people_before=_number(before.people if before else None),
        output=_number(_output(now)),
        output_before=_number(_output(before)),
        rate=rate_words(change.rate),
        rate_before=rate_words(change.rate_before),
        difference=difference_words(change.difference),
    )


def spend_rows(changes: SpendChanges) -> list[ComparedRow]:
    """Return what everything costs, amount by amount."""
    return [
        _cost("Spent", changes.spent),
        _cost("Unallocated", changes.unallocated),
        _amount("By merged pull request", changes.by_pull),
        _amount("By shipped line", changes.by_line),
    ]


def spent_row(change: SpendChange) -> ComparedRow:
    """Return one tool, team or repository."""
    return _cost(str(change.name), change)


def count_difference(now: int | None, before: int | None) -> str:
    """Write a difference of counts, with its share of the earlier one.

    >>> count_difference(1300, 1000), count_difference(0, 40), count_difference(7, 7)
    ('300 more (+30%)', '40 fewer (-100%)', 'equal')
    """
    if now is None or before is None:
        return "-"
    found = now - before
    if not found:
        return "equal"
    return f"{abs(found):,} {'more' if found > 0 else 'fewer'}{_grown(found, before)}"


def amount_difference(found: int | None, before: int | None) -> str:
    """Write a difference of amounts in micro-dollars, with its share of the earlier one."""
    if found is None:
        return "-"
    if not found:
        return "equal"
    return f"{for_people(abs(found))} {'more' if found > 0 else 'less'}{_grown(found, before)}"


def _grown(found: int, before: int | None) -> str:
    return f" ({100 * found / before:+,.0f}%)" if before else ""


def _counts(name: str, now: int | None, before: int | None) -> ComparedRow:
    return ComparedRow(name, _number(now), _number(before), count_difference(now, before))


def _cost(name: str, change: SpendChange) -> ComparedRow:
    before = change.before.amount if change.before else None
    words = amount_difference(change.difference, before)
    if change.difference is not None and not (_is_whole(change.now) and _is_whole(change.before)):
        words = f"about {words}"
    return ComparedRow(name, cost(change.now), cost(change.before), words)


def _is_whole(one: TokenCost | None) -> bool:
    return one is not None and not one.is_floor and not one.unpriced_tokens


def _amount(name: str, change: AmountChange) -> ComparedRow:
    now, before = ("-" if one is None else for_people(one) for one in (change.now, change.before))
    return ComparedRow(name, now, before, amount_difference(change.difference, change.before))


def _number(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"


def _accepted(counts: UsageCounts | None) -> int | None:
    return counts.edits.lines_accepted if counts and counts.edits else None


def _output(counts: UsageCounts | None) -> int | None:
    return counts.tokens.output if counts and counts.tokens else None
