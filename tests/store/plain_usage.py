"""Rows of usage as sources send them, and which of them count, in the plainest way."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from msgspec.structs import replace

from ghapp.store import AddedUsage, Store, StoredUsage, UsageOrigin
from ghapp.usage.answers import TokenCounts
from ghapp.usage.counts import OTHERS, DecidedCounts, EditCounts, UsageCounts
from ghapp.usage.days import NO_TOOL, UNNAMED_SESSION, DecisionDay, TokenDay, UsageRow
from ghapp.usage.decisions import DecidedBy, EditDecision
from ghapp.usage.sources import UsageSource
from tests.store.records import NOW


def add(store: Store, origin: UsageOrigin, rows: Sequence[UsageRow]) -> None:
    """Add rows in a transaction of their own."""
    with store.database.write() as connection:
        store.usage.lock(connection, origin.installation_id)
        store.usage.add(connection, [AddedUsage(origin, rows)], now=NOW)


def counting(rows: Iterable[StoredUsage]) -> list[StoredUsage]:
    """Return the rows of the first source of each person's day with an agent."""
    found = list(rows)
    first: dict[object, UsageSource] = {}
    for one in found:
        first[key(one)] = min(first.get(key(one), one.source), one.source)
    return [one for one in found if one.source == first[key(one)]]


def key(one: StoredUsage) -> object:
    return one.person, one.row.day, one.row.agent


def plain(
    rows: list[StoredUsage], *, has_agent_sessions: bool = True, least: int = 5
) -> UsageCounts:
    """Count rows in the plainest way, with what fewer than ``least`` people did left out."""
    tokens = [(one.person, one.row) for one in rows if isinstance(one.row, TokenDay)]
    edits = [(one.person, one.row) for one in rows if isinstance(one.row, DecisionDay)]
    agent_sessions = {
        (one.person, one.row.agent, one.row.agent_session)
        for one in rows
        if one.row.agent_session != UNNAMED_SESSION
    }
    counts: dict[str, Any] = {
        "people": len({one.person for one in rows}),
        "agent_sessions": len(agent_sessions) or None if has_agent_sessions else None,
    }
    if tokens and len({person for person, _ in tokens}) >= least:
        counts["tokens"] = sum((row.tokens for _, row in tokens), TokenCounts())
        known = [row.answers for _, row in tokens if row.answers is not None]
        counts["answers"] = sum(known) if known else None
    if edits and len({person for person, _ in edits}) >= least:
        counts["edits"] = decided(row for _, row in edits)
    return UsageCounts(**counts)


def decided(rows: Iterable[DecisionDay]) -> EditCounts:
    """Count decided edits in the plainest way."""
    found = list(rows)

    def edits(decision: EditDecision, by: DecidedBy | None) -> int:
        return sum(one.edits for one in found if (one.decision, one.decided_by) == (decision, by))

    def of(by: DecidedBy | None) -> DecidedCounts:
        return DecidedCounts(edits(EditDecision.ACCEPTED, by), edits(EditDecision.REFUSED, by))

    def lines(*rows: DecisionDay, of: tuple[EditDecision, ...]) -> int | None:
        known = [one.lines for one in rows if one.decision in of and one.lines is not None]
        return sum(known) if known else None

    return EditCounts(
        by_people=of(DecidedBy.PERSON),
        automatic=of(DecidedBy.AUTOMATIC),
        unknown=of(None),
        failed=sum(one.edits for one in found if one.decision is EditDecision.FAILED),
        lines_suggested=lines(
            *(one for one in found if one.tool != NO_TOOL),
            of=(EditDecision.ACCEPTED, EditDecision.REFUSED),
        ),
        lines_accepted=lines(*found, of=(EditDecision.ACCEPTED,)),
    )


def between(rows: Iterable[StoredUsage], first: date, last: date) -> list[StoredUsage]:
    return [one for one in rows if first <= one.row.day <= last]


def parts(
    rows: Iterable[StoredUsage], name: Callable[[StoredUsage], str | None], *, of_agents: bool
) -> dict[str, UsageCounts]:
    """Count rows by name; small ones, and the smallest while the rest is small, are the rest."""
    found: dict[str, list[StoredUsage]] = {}
    rest: list[StoredUsage] = []
    for one in rows:
        own = name(one)
        (found.setdefault(own, []) if own else rest).append(one)

    def people(of: list[StoredUsage]) -> int:
        return len({one.person for one in of})

    for own in sorted(found, key=lambda own: (people(found[own]), own)):
        if people(found[own]) < 5 or 0 < people(rest) < 5:
            rest += found.pop(own)
    if rest:
        found[OTHERS] = rest
    counts = {own: plain(of, has_agent_sessions=of_agents) for own, of in found.items()}
    return without_told(found, counts)


def without_told(
    rows: Mapping[Any, list[StoredUsage]], counts: Mapping[Any, UsageCounts]
) -> dict[Any, UsageCounts]:
    """Leave out what is needed to tell a hidden part from the total, in the plainest way."""
    found = dict(counts)
    for kind, nothing in (
        (TokenDay, {"tokens": None, "answers": None}),
        (DecisionDay, {"edits": None}),
    ):
        people = {
            part: {one.person for one in own if isinstance(one.row, kind)}
            for part, own in rows.items()
        }
        by_size = sorted((part for part in people), key=lambda part: (len(people[part]), str(part)))
        few = [part for part in by_size if 0 < len(people[part]) < 5]
        for part in by_size:
            together = set().union(*(people[one] for one in few))
            if 0 < len(together) < 5 and len(people[part]) >= 5:
                few.append(part)
        for part in few:
            found[part] = replace(found[part], **nothing)
    return found
