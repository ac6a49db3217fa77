"""Answers and decided edits added up, by day, model, agent, agent session or project."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC

from ghapp.attribution.model import Struct
from ghapp.usage.answers import TokenCounts, UsageRecord, known_sum, total
from ghapp.usage.counts import DecidedCounts, EditCounts
from ghapp.usage.decisions import DecidedBy, DecidedEdit, EditDecision

UNKNOWN = "(unknown)"
"""Stands for the name of a model or project that the records do not name."""

NAMES: dict[str, Callable[[UsageRecord | DecidedEdit], str]] = {
    "day": lambda one: one.at.astimezone(UTC).date().isoformat(),
    "model": lambda one: one.model or UNKNOWN,
    "agent": lambda one: one.agent,
    "agent_session": lambda one: one.agent_session,
    "project": lambda one: one.project or UNKNOWN,
}
"""What usage can be parted by → the name of a record's part."""


class OwnPart(Struct, frozen=True):
    """A part of the usage: all of it, a day's, a model's."""

    answers: int
    """Answers of models, as far as the records count them."""
    tokens: TokenCounts
    edits: EditCounts


def whole(answers: Iterable[UsageRecord], decisions: Iterable[DecidedEdit]) -> OwnPart:
    """Return all in one part."""
    own = list(answers)
    return OwnPart(
        answers=sum(one.answers or 0 for one in own), tokens=total(own), edits=_edits(decisions)
    )


def parted(
    answers: Iterable[UsageRecord], decisions: Iterable[DecidedEdit], by: str
) -> dict[str, OwnPart]:
    """Return the parts by their names, in their order; ``by`` is a key of `NAMES`."""
    name = NAMES[by]
    found: dict[str, tuple[list[UsageRecord], list[DecidedEdit]]] = {}
    for answer in answers:
        found.setdefault(name(answer), ([], []))[0].append(answer)
    for decision in decisions:
        found.setdefault(name(decision), ([], []))[1].append(decision)
    return {key: whole(*found[key]) for key in sorted(found)}


def _edits(decisions: Iterable[DecidedEdit]) -> EditCounts:
    counts: Counter[tuple[EditDecision, DecidedBy | None]] = Counter()
    lines: dict[EditDecision, int | None] = {}
    for one in decisions:
        counts[one.decision, one.decided_by] += 1
        lines[one.decision] = known_sum((lines.get(one.decision), one.lines))
    accepted, refused = EditDecision.ACCEPTED, EditDecision.REFUSED

    def decided(by: DecidedBy | None) -> DecidedCounts:
        return DecidedCounts(accepted=counts[accepted, by], refused=counts[refused, by])

    return EditCounts(
        by_people=decided(DecidedBy.PERSON),
        automatic=decided(DecidedBy.AUTOMATIC),
        unknown=decided(None),
        failed=sum(n for (decision, _), n in counts.items() if decision is EditDecision.FAILED),
        lines_suggested=known_sum((lines.get(accepted), lines.get(refused))),
        lines_accepted=lines.get(accepted),
    )
