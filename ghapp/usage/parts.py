"""Answers and decided edits added up, by day, model, agent, agent session or project."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC

from ghapp.attribution.model import Struct
from ghapp.usage.answers import TokenCounts, UsageRecord, total
from ghapp.usage.decisions import AcceptRate, DecidedBy, DecidedEdit, EditDecision, accept_rate

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


class Deciders(Struct, frozen=True):
    """Edits by who decided on them."""

    person: int = 0
    automatic: int = 0
    unknown: int = 0

    @property
    def all(self) -> int:
        """All of them."""
        return self.person + self.automatic + self.unknown


class EditCounts(Struct, frozen=True):
    """What became of edits."""

    accepted: Deciders = Deciders()
    refused: Deciders = Deciders()
    failed: int = 0
    lines: int = 0
    """Lines that the accepted edits added."""

    @property
    def people_accept_rate(self) -> AcceptRate | None:
        """People's accept rate; ``None``: no record names a decision of a person."""
        accepted, refused = self.accepted, self.refused
        return accept_rate(accepted.person, refused.person, accepted.unknown, refused.unknown)


class UsagePart(Struct, frozen=True):
    """A part of the usage: all of it, a day's, a model's."""

    answers: int
    """Answers of models, as far as the records count them."""
    tokens: TokenCounts
    edits: EditCounts


def whole(answers: Iterable[UsageRecord], decisions: Iterable[DecidedEdit]) -> UsagePart:
    """Return all in one part."""
    own = list(answers)
    return UsagePart(
        answers=sum(one.answers or 0 for one in own), tokens=total(own), edits=_edits(decisions)
    )


def parted(
    answers: Iterable[UsageRecord], decisions: Iterable[DecidedEdit], by: str
) -> dict[str, UsagePart]:
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
    lines = 0
    for one in decisions:
        counts[one.decision, one.decided_by] += 1
        lines += one.lines or 0
    accepted, refused = (
        Deciders(
            person=counts[decision, DecidedBy.PERSON],
            automatic=counts[decision, DecidedBy.AUTOMATIC],
            unknown=counts[decision, None],
        )
        for decision in (EditDecision.ACCEPTED, EditDecision.REFUSED)
    )
    failed = sum(n for (decision, _), n in counts.items() if decision is EditDecision.FAILED)
    return EditCounts(accepted=accepted, refused=refused, failed=failed, lines=lines)
