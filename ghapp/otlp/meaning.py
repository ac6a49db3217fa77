"""What the deltas and events of a request tell. It counts nothing twice and adds no two sources."""

from collections.abc import Iterable

from ghapp.attribution.model import Struct
from ghapp.otlp.nouns import SECOND, LogEvent, MetricPoint, to_datetime
from ghapp.otlp.refusals import RefusalReason, Refusals
from ghapp.otlp.senders.registry import EVENTS
from ghapp.otlp.told import (
    Counted,
    RowHead,
    ToldAgentSessions,
    ToldDecision,
    ToldLines,
    ToldTokens,
    ToldUsage,
)
from ghapp.usage.answers import MOST, TokenCounts
from ghapp.usage.decisions import EditDecision

_DAY = 24 * 3600 * SECOND


class RequestMeaning(Struct, frozen=True):
    """What a request tells, and what of it cannot be believed."""

    told: ToldUsage
    refused: Refusals


class _Sum:
    """What the points of one head and day count."""

    __slots__ = ("at", "counts", "points")

    def __init__(self, at: int) -> None:
        self.at = at
        self.points = 0
        self.counts: dict[Counted, int] = {}

    def add(self, other: "_Sum") -> None:
        """Add what another one counts."""
        self.at = max(self.at, other.at)
        self.points += other.points
        for counted, value in other.counts.items():
            self.counts[counted] = self.counts.get(counted, 0) + value


def told_by_points(deltas: Iterable[MetricPoint]) -> RequestMeaning:
    """Return what deltas tell, those of one agent session, model and UTC day together.

    Together, because a sender whose input includes its cache counts both under the same name, at
    the same time: neither means anything alone.
    """
    heads: dict[int, RowHead] = {}
    sums: dict[tuple[int, int], _Sum] = {}
    for series, _, at, value in deltas:
        measure = series.measure
        head, counted = measure.head, measure.counted
        # Equal heads are nearly always the same object, and that is quicker to compare.
        key = id(head), at // _DAY
        found = sums.get(key)
        if found is None:
            heads[key[0]] = head
            found = sums[key] = _Sum(at)
        elif at > found.at:
            found.at = at
        counts = found.counts
        counts[counted] = counts[counted] + value if counted in counts else value
        found.points += 1
    meaning = RequestMeaning(told=_nothing(), refused=Refusals())
    for head, one in _merged(heads, sums):
        _tell(head, one, meaning)
    return meaning


def _merged(
    heads: dict[int, RowHead], sums: dict[tuple[int, int], _Sum]
) -> list[tuple[RowHead, _Sum]]:
    """Return the sums by head and day, of equal heads together."""
    found = [(heads[which], day, one) for (which, day), one in sums.items()]
    rough = {(head.teller.agent_session, head.model, day) for head, day, _ in found}
    if len(rough) == len(found):
        return [(head, one) for head, _, one in found]
    whole: dict[tuple[RowHead, int], _Sum] = {}
    for head, day, one in found:
        known = whole.setdefault((head, day), one)
        if known is not one:
            known.add(one)
    return [(head, one) for (head, _), one in whole.items()]


def _tell(head: RowHead, one: _Sum, meaning: RequestMeaning) -> None:
    if max(one.counts.values()) > MOST:
        meaning.refused[RefusalReason.TOO_LARGE] += one.points
        return
    told, at, counts = meaning.told, to_datetime(one.at), one.counts
    teller, model = head.teller, head.model
    if "agent_sessions" in counts:
        told.agent_sessions.append(
            ToldAgentSessions(teller=teller, at=at, started=counts["agent_sessions"])
        )
    if "lines" in counts:
        added, language = counts["lines"], head.language
        told.lines.append(
            ToldLines(teller=teller, at=at, model=model, language=language, added=added)
        )
    if "edits" in counts and head.tool and head.decision:
        told.decisions.append(_decision(head, head.tool, head.decision, one))
    if counts.keys() <= _OTHERS:
        return
    tokens = _tokens(counts)
    if tokens is None:
        meaning.refused[RefusalReason.DOES_NOT_ADD_UP] += one.points
        return
    told.tokens.append(
        ToldTokens(
            teller=teller,
            at=at,
            model=model,
            tokens=tokens,
            answers=None,
            is_aside=head.is_aside,
            variant=head.variant,
        )
    )


_OTHERS = frozenset({"edits", "lines", "agent_sessions"})


def _decision(head: RowHead, tool: str, decision: EditDecision, one: _Sum) -> ToldDecision:
    return ToldDecision(
        teller=head.teller,
        at=to_datetime(one.at),
        tool=tool,
        language=head.language,
        decision=decision,
        decided_by=head.decided_by,
        edits=one.counts["edits"],
    )


def _tokens(counts: dict[Counted, int]) -> TokenCounts | None:
    """Return counts in our words; ``None``: a part is larger than its whole."""
    with_cache, cached = counts.get("input_with_cache"), counts.get("cache_read", 0)
    beside = counts.get("reasoning_beside_output")
    inside = counts.get("reasoning_in_output")
    written = counts.get("output", 0)
    # A sender's input either includes its cache or does not.
    fresh = 0 if with_cache is None else with_cache - cached
    if fresh < 0 or (inside or 0) > written:
        return None
    return TokenCounts(
        input=counts.get("input", 0) + fresh,
        output=written + (beside or 0),
        cache_read=cached,
        cache_write_unsplit=counts.get("cache_write", 0),
        reasoning=beside if inside is None else inside,
    )


def told_by_events(events: Iterable[LogEvent]) -> RequestMeaning:
    """Return what events tell."""
    meaning = RequestMeaning(told=_nothing(), refused=Refusals())
    for event in events:
        found = EVENTS[event.name](event)
        if isinstance(found, ToldTokens):
            meaning.told.tokens.append(found)
        elif isinstance(found, ToldDecision):
            meaning.told.decisions.append(found)
        elif isinstance(found, RefusalReason):
            meaning.refused[found] += 1
    return meaning


def _nothing() -> ToldUsage:
    return ToldUsage(tokens=[], decisions=[], lines=[], agent_sessions=[])
