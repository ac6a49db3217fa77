"""What a vendor reports of one of its days: people's usage and amounts of money. It asks nobody."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated

from msgspec import Meta

from ghapp.attribution.model import Struct
from ghapp.usage.amounts import MOST_MICROS, VendorAmount
from ghapp.usage.answers import TokenCounts
from ghapp.usage.days import (
    NO_TOOL,
    UNNAMED_SESSION,
    DecisionDay,
    TokenDay,
    UsageRow,
    fitting_model,
)
from ghapp.usage.decisions import EditDecision
from ghapp.usage.sources import UsageIdentity
from ghapp.vendors.refusals import WrongAnswer

MICROS_OF_A_CENT = 10_000
LONGEST_NAME = 255

Money = Annotated[Decimal, Meta(description="a decimal number, as JSON number or string")]
ShortText = Annotated[str, Meta(max_length=LONGEST_NAME)]
WhoseName = Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]
"""What names a person or a key."""


class PersonDay(Struct, frozen=True):
    """What a report says of one person, or program, and one agent on one day."""

    identity: UsageIdentity
    agent: str
    rows: tuple[UsageRow, ...] = ()
    agent_sessions: int | None = None
    """``None``: the report does not count them."""
    login: str | None = None
    """Login of an identity that is a GitHub account; ``None``: it is none."""


class ReportedDay(Struct, frozen=True):
    """Everything that one report says of one day."""

    people: tuple[PersonDay, ...] = ()
    amounts: tuple[VendorAmount, ...] = ()


def tokens_of(
    agent: str, day: date, counts: TokenCounts, *, model: str | None, answers: int | None = None
) -> TokenDay:
    """Return tokens of an agent session that nobody names."""
    return TokenDay(
        agent=agent,
        agent_session=UNNAMED_SESSION,
        day=day,
        tokens=counts,
        answers=answers,
        model=fitting_model(model),
    )


def decisions_of(
    agent: str, day: date, decided: Mapping[tuple[str, EditDecision], int]
) -> tuple[DecisionDay, ...]:
    """Return how many edits by each tool were accepted or refused; by whom no vendor says."""
    return tuple(
        DecisionDay(
            agent=agent,
            agent_session=UNNAMED_SESSION,
            day=day,
            tool=tool,
            language=None,
            decision=decision,
            decided_by=None,
            edits=edits,
            lines=None,
        )
        for (tool, decision), edits in decided.items()
        if edits
    )


def lines_of(agent: str, day: date, lines: int) -> tuple[DecisionDay, ...]:
    """Return lines that accepted edits added, whichever edits they were."""
    if not lines:
        return ()
    counted = DecisionDay(
        agent=agent,
        agent_session=UNNAMED_SESSION,
        day=day,
        tool=NO_TOOL,
        language=None,
        decision=EditDecision.ACCEPTED,
        decided_by=None,
        edits=0,
        lines=lines,
    )
    return (counted,)


def micros(cents: Decimal, where: str) -> int:
    """Return cents, whole or not, as micro-dollars; half a micro-dollar goes to the even one.

    Raises `WrongAnswer`, which says ``where``, for what is no amount of money.

    >>> micros(Decimal("88.4125"), "cost"), micros(Decimal("0.00005"), "cost")
    (884125, 0)
    """
    if not cents.is_finite() or cents < 0 or cents > MOST_MICROS // MICROS_OF_A_CENT:
        raise WrongAnswer(f"{where} is no amount of money")
    return int((cents * MICROS_OF_A_CENT).to_integral_value())
