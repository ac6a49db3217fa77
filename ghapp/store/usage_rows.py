"""Rows of usage on their way into and out of the database. It queries nothing."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row

from ghapp.attribution.model import Struct
from ghapp.store.rows import clean, struct_of
from ghapp.store.summaries.conditions import to_day
from ghapp.store.summaries.tally import day_number
from ghapp.usage.answers import TOKEN_KINDS, TokenCounts
from ghapp.usage.days import DecisionDay, TokenDay, UsageRow
from ghapp.usage.decisions import DecidedBy, EditDecision
from ghapp.usage.sources import IdentityKind, UsageIdentity, UsageSource

NOWHERE = 0
"""Repository of usage whose source names none."""
UNKNOWN_CONTEXT = -1
"""Context of a sum: it is part of a key, which holds no null."""


SIGN_IN = "(sign-in)"
"""Who mapped an e-mail address that GitHub verified. No login looks like this."""


class UsageOrigin(Struct, frozen=True):
    """Where rows of usage come from."""

    installation_id: int
    source: UsageSource
    identity: UsageIdentity
    login: str | None = None
    """Login of an identity that is a GitHub account; ``None``: not known."""
    repository_id: int | None = None
    """``None``: the source names none, or one where the app is not installed."""
    machine: str = ""
    """The collector's number of the machine, or a vendor and its report; empty: the source names
    none."""


class AddedUsage(Struct, frozen=True):
    """Rows of one origin that are added to what it said before."""

    origin: UsageOrigin
    rows: Sequence[UsageRow]


class KnownIdentity(Struct, frozen=True):
    """Somebody whom a source named, and who that is."""

    id: int
    installation_id: int
    kind: IdentityKind
    value: str
    account_id: int | None
    """Number of a GitHub account; ``None``: not mapped."""
    login: str | None
    mapped_by: str | None
    """Who mapped it: a login, or `SIGN_IN`; ``None``: not mapped, or an account by itself."""
    seen_at: datetime
    person: int
    """The same number for all identities of a person; negative: nobody mapped it."""


class IdentityMapping(Struct, frozen=True):
    """Whose an identity is."""

    identity: UsageIdentity
    account_id: int | None
    """``None``: nobody's, or nobody's again; then there is no login either."""
    login: str | None


class UnmappedUsage(Struct, frozen=True):
    """How much usage an identity has that nobody mapped: no tokens, no edits."""

    days: int
    """Days with any usage."""
    last_day: date


class StoredUsage(Struct, frozen=True):
    """One row as it is stored, with its origin."""

    person: int
    """`KnownIdentity.person`."""
    source: UsageSource
    repository_id: int | None
    row: UsageRow


def columns_of(origin: UsageOrigin, identity: int, person: int, now: datetime) -> dict[str, Any]:
    """Return the columns that all rows of an origin share."""
    return {
        "installation_id": origin.installation_id,
        "identity_id": identity,
        "person": person,
        "source": origin.source.value,
        "repository_id": origin.repository_id or NOWHERE,
        "machine": clean(origin.machine),
        "read_at": now,
    }


def identity_digest(installation_id: int, kind: str, value: str) -> bytes:
    """Return what stands for an identity that was erased: it names nobody by itself."""
    return hashlib.sha256(f"{installation_id}:{kind}:{clean(value)}".encode()).digest()


def token_row(head: Mapping[str, Any], one: TokenDay) -> dict[str, Any]:
    """Return a row of ``usage_tokens``; ``head``: `columns_of` its origin."""
    return {
        **head,
        **_of_row(one),
        "model": clean(one.model) or "",
        "is_aside": one.is_aside,
        "variant": clean(one.variant),
        "context": UNKNOWN_CONTEXT if one.context is None else one.context,
        "answers": one.answers,
        **{kind: getattr(one.tokens, kind) for kind in TOKEN_KINDS},
    }


def decision_row(head: Mapping[str, Any], one: DecisionDay) -> dict[str, Any]:
    """Return a row of ``usage_decisions``; ``head``: `columns_of` its origin."""
    return {
        **head,
        **_of_row(one),
        "tool": clean(one.tool),
        "language": clean(one.language) or "",
        "decision": one.decision.value,
        "decided_by": one.decided_by.value if one.decided_by else "",
        "edits": one.edits,
        "lines": one.lines,
    }


def _of_row(one: UsageRow) -> dict[str, Any]:
    return {
        "day": day_number(one.day),
        "agent": clean(one.agent),
        "agent_session": clean(one.agent_session),
        "agent_version": clean(one.agent_version) or "",
    }


def stored(row: Row[Any], usage: UsageRow) -> StoredUsage:
    """Return a row with its origin."""
    return StoredUsage(
        person=row.person,
        source=UsageSource(row.source),
        repository_id=row.repository_id or None,
        row=usage,
    )


def token_day(row: Row[Any]) -> TokenDay:
    """Return a row of ``usage_tokens``."""
    return TokenDay(
        agent=row.agent,
        agent_session=row.agent_session,
        day=to_day(row.day),
        tokens=struct_of(TokenCounts, row),
        answers=row.answers,
        model=row.model or None,
        agent_version=row.agent_version or None,
        is_aside=row.is_aside,
        variant=row.variant,
        context=None if row.context == UNKNOWN_CONTEXT else row.context,
    )


def decision_day(row: Row[Any]) -> DecisionDay:
    """Return a row of ``usage_decisions``."""
    return DecisionDay(
        agent=row.agent,
        agent_session=row.agent_session,
        day=to_day(row.day),
        tool=row.tool,
        language=row.language or None,
        decision=EditDecision(row.decision),
        decided_by=DecidedBy(row.decided_by) if row.decided_by else None,
        edits=row.edits,
        lines=row.lines,
        agent_version=row.agent_version or None,
    )
