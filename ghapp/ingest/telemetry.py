"""Telemetry on one page: a request becomes rows of usage, stored whole or not at all, and once.

The web handler answers. A token bound to a person says whose usage it is; of an organization's own
token the claims of the sender do, which are names that its owners may map to people.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import structlog
from msgspec.structs import astuple, replace

from ghapp.git.remotes import on_host
from ghapp.otlp.bodies import MediaType, RequestRefusedError, request_digest
from ghapp.otlp.counters import SeriesState, cumulative, deltas
from ghapp.otlp.meaning import RequestMeaning, told_by_events, told_by_points
from ghapp.otlp.nouns import SECOND, MetricPoint
from ghapp.otlp.reading import SeriesMemory
from ghapp.otlp.refusals import RefusalReason, Refusals
from ghapp.otlp.requests import decode_logs, decode_metrics, drop_traces
from ghapp.otlp.told import (
    IdentityClaims,
    TelemetryTeller,
    ToldDecision,
    ToldLines,
    ToldTokens,
    ToldUsage,
)
from ghapp.store import NOBODY, AccessToken, AddedUsage, Store, StoreError, UsageOrigin
from ghapp.store.telemetry import SERIES_KEPT, SeriesPoint, TakenRequest
from ghapp.usage.answers import MOST, TokenCounts, known_sum
from ghapp.usage.days import NO_TOOL, UNNAMED_SESSION, DecisionDay, TokenDay, UsageRow
from ghapp.usage.decisions import EditDecision
from ghapp.usage.price_class import context_of
from ghapp.usage.sources import IdentityKind, UsageIdentity, UsageSource

log = structlog.get_logger()

ToldEvent = ToldTokens | ToldDecision


class TelemetryIntake:
    """Takes requests; one for each process.

    Its methods raise `RequestRefusedError` if nothing of a request can be kept, `SenderEndedError`,
    and `StoreError`.
    """

    def __init__(self, store: Store, host: str) -> None:
        """``host``: GitHub's host name as in git remotes."""
        self._store = store
        self._host = host
        self._memory = SeriesMemory()

    def take_metrics(
        self,
        body: bytes,
        media: MediaType,
        encoding: str | None,
        token: AccessToken,
        *,
        now: datetime,
    ) -> Refusals:
        """Store a request to ``/v1/metrics``; return what of it was refused."""
        source, (installation_id,) = UsageSource.METRICS, _installations(token)
        with _Noting(self._store, token, source, now):
            read = decode_metrics(body, media, encoding, now, self._memory)
        refused = Refusals(read.refused)
        points = _named_points(read.points, token, refused)
        with self._store.telemetry.taking(
            installation_id, _digest("metrics", body), now=now, token_id=token.id
        ) as taken:
            if taken is None:
                return refused
            meaning, kept = _counted(taken, points, token.user_id, refused, now)
            places = self._places(taken, (one[0].measure.head.teller for one in points))
            taken.add(_usage(meaning.told, installation_id, token, places))
            taken.note(source, kept, _reasons(refused))
        log.info("telemetry_kept", installation=installation_id, points=kept.total())
        return refused

    def take_logs(
        self,
        body: bytes,
        media: MediaType,
        encoding: str | None,
        token: AccessToken,
        *,
        now: datetime,
    ) -> Refusals:
        """Store a request to ``/v1/logs``; return what of it was refused."""
        source, (installation_id,) = UsageSource.EVENTS, _installations(token)
        with _Noting(self._store, token, source, now):
            read = decode_logs(body, media, encoding, now)
        meaning = told_by_events(read.events)
        refused = read.refused + meaning.refused
        told = _named_events(meaning.told, token, refused)
        with self._store.telemetry.taking(
            installation_id, _digest("logs", body), now=now, token_id=token.id
        ) as taken:
            if taken is None:
                return refused
            new = _new(taken, told)
            kept = Counter(one.teller.agent for one in new)
            places = self._places(taken, (one.teller for one in new))
            taken.add(_usage(_told(new), installation_id, token, places))
            taken.note(source, kept, _reasons(refused))
        log.info("telemetry_kept", installation=installation_id, events=kept.total())
        return refused

    def take_traces(self, body: bytes, encoding: str | None) -> None:
        """Take a request to ``/v1/traces`` and keep nothing of it."""
        drop_traces(body, encoding)

    def _places(self, taken: TakenRequest, tellers: Iterable[TelemetryTeller]) -> dict[str, int]:
        """Return the ids of the repositories that are named and that the installation has."""
        named = {one.repository for one in tellers if one.repository}
        found = {}
        for address in named:
            for name in on_host([address], self._host):
                if (known := taken.repository(name)) is not None:
                    found[address] = known
        return found


class _Noting:
    """Counts a request that is refused whole, for the page that shows what came."""

    def __init__(
        self, store: Store, token: AccessToken, source: UsageSource, now: datetime
    ) -> None:
        (installation_id,) = _installations(token)

        def note(reason: str) -> None:
            store.telemetry.require_sender(installation_id, token.id)
            store.arrivals.note_refused(installation_id, source, reason, now=now)

        self._note = note

    def __enter__(self) -> None:
        """Begin to read."""

    def __exit__(self, kind: object, error: BaseException | None, where: object) -> None:
        if isinstance(error, RequestRefusedError):
            try:
                self._note(f"request_{error.status}")
            except StoreError as away:
                # The sender shall hear what is wrong with the request, whatever the count says.
                log.warning("refusal_not_counted", problem=str(away))


def _installations(token: AccessToken) -> tuple[int]:
    if token.installations is None or len(token.installations) != 1:
        raise ValueError(f"ingest token {token.id} is not for one installation: make another")
    return (token.installations[0],)


def _reasons(refused: Refusals) -> dict[str, int]:
    return {reason.value: count for reason, count in refused.items()}


def _digest(signal: str, body: bytes) -> bytes:
    return request_digest(signal.encode() + b"\0" + body)


# --- metrics --------------------------------------------------------------------------------------


def _named_points(
    points: list[MetricPoint], token: AccessToken, refused: Refusals
) -> list[MetricPoint]:
    """Return the points that say whose they are."""
    if token.user_id != NOBODY:
        return points
    # Many points have one head.
    heads = {id(head := one[0].measure.head): head for one in points}
    unnamed = {which for which, head in heads.items() if _named(head.teller.claims) is None}
    if not unnamed:
        return points
    named = [one for one in points if id(one[0].measure.head) not in unnamed]
    refused[RefusalReason.NOBODY] += len(points) - len(named)
    return named


def _counted(
    taken: TakenRequest, points: list[MetricPoint], owner: int, refused: Refusals, now: datetime
) -> tuple[RequestMeaning, Counter[str]]:
    """Return what points tell since the last ones, and how many were kept by agent."""
    # Noted with the first request, whatever it holds: a series may begin right after it.
    contact = taken.first_contact()
    states: dict[bytes, SeriesState] = {}
    if known := cumulative(points):
        found = taken.states(owner, known)
        states = {key: SeriesState(*one) for key, one in found.items()}
    since = max(contact, now - SERIES_KEPT)
    step = deltas(points, states, int(since.timestamp()) * SECOND)
    taken.keep_states(owner, {key: SeriesPoint(*astuple(one)) for key, one in step.states.items()})
    meaning = told_by_points(step.points)
    refused.update(step.refused)
    refused.update(meaning.refused)
    return meaning, Counter(one[0].measure.head.teller.agent for one in step.points)


# --- events ---------------------------------------------------------------------------------------


def _named_events(told: ToldUsage, token: AccessToken, refused: Refusals) -> list[ToldEvent]:
    """Return the events that say whose they are."""
    events: list[ToldEvent] = [*told.tokens, *told.decisions]
    if token.user_id != NOBODY:
        return events
    named = [one for one in events if _named(one.teller.claims) is not None]
    if len(named) < len(events):
        refused[RefusalReason.NOBODY] += len(events) - len(named)
    return named


def _new(taken: TakenRequest, told: list[ToldEvent]) -> list[ToldEvent]:
    """Return the events that were not told before, each once."""
    keys = [_key(one) for one in told]
    new = taken.new_events(key for key in keys if key is not None)
    found = []
    for one, key in zip(told, keys, strict=True):
        if key is None:
            found.append(one)
        elif key in new:
            new.discard(key)
            found.append(one)
    return found


def _key(one: ToldEvent) -> str | None:
    kind = "answer" if isinstance(one, ToldTokens) else "decision"
    return one.key and f"{one.teller.agent}/{kind}/{one.key}"


def _told(events: Iterable[ToldEvent]) -> ToldUsage:
    told = ToldUsage(tokens=[], decisions=[], lines=[], agent_sessions=[])
    for one in events:
        if isinstance(one, ToldTokens):
            told.tokens.append(one)
        else:
            told.decisions.append(one)
    return told


# --- rows -----------------------------------------------------------------------------------------


def _named(claims: IdentityClaims) -> UsageIdentity | None:
    """Return the first name that a sender gives; ``None``: it names nobody.

    None of them is trusted as an account of GitHub: anybody can claim a login.
    """
    for kind, value in (
        (IdentityKind.EMAIL, claims.email),
        (IdentityKind.ACCOUNT_UUID, claims.account),
        (IdentityKind.END_USER, claims.person or claims.login),
        (IdentityKind.TOOL_INSTALLATION, claims.installation),
    ):
        if value:
            return UsageIdentity(kind, value)
    return None


def _usage(
    told: ToldUsage, installation_id: int, token: AccessToken, places: dict[str, int]
) -> list[AddedUsage]:
    """Return what is told as rows, by who told it and where."""
    found: dict[UsageOrigin, dict[Any, UsageRow]] = {}
    origins: dict[TelemetryTeller, UsageOrigin] = {}
    for teller, row in _rows(told):
        if teller not in origins:
            origins[teller] = _origin(teller, installation_id, token, places)
        rows = found.setdefault(origins[teller], {})
        key = _head(row)
        rows[key] = _added(rows[key], row) if key in rows else row
    return [AddedUsage(origin, list(rows.values())) for origin, rows in found.items()]


def _origin(
    teller: TelemetryTeller, installation_id: int, token: AccessToken, places: dict[str, int]
) -> UsageOrigin:
    is_bound = token.user_id != NOBODY
    account = UsageIdentity(IdentityKind.ACCOUNT, str(token.user_id))
    claimed = None if is_bound else _named(teller.claims)
    return UsageOrigin(
        installation_id=installation_id,
        source=UsageSource[teller.source.name],
        identity=claimed or account,
        login=token.login if is_bound else None,
        repository_id=places.get(teller.repository or ""),
    )


def _rows(told: ToldUsage) -> Iterable[tuple[TelemetryTeller, UsageRow]]:
    for one in told.tokens:
        yield (
            one.teller,
            TokenDay(
                **_about(one.teller, one.at),
                tokens=one.tokens,
                answers=one.answers,
                model=one.model,
                is_aside=one.is_aside,
                variant=one.variant,
                context=context_of(one.model, one.tokens) if one.answers == 1 else None,
            ),
        )
    for decision in told.decisions:
        yield (
            decision.teller,
            DecisionDay(
                **_about(decision.teller, decision.at),
                tool=decision.tool,
                language=decision.language,
                decision=decision.decision,
                decided_by=decision.decided_by,
                edits=decision.edits,
                lines=decision.lines,
            ),
        )
    for lines in told.lines:
        yield lines.teller, _lines(lines)
    for started in told.agent_sessions:
        # One that began and did nothing yet; those that nobody names cannot be told apart.
        if started.teller.agent_session is not None:
            about = _about(started.teller, started.at)
            yield started.teller, TokenDay(**about, tokens=TokenCounts(), answers=None)


def _lines(told: ToldLines) -> DecisionDay:
    return DecisionDay(
        **_about(told.teller, told.at),
        tool=NO_TOOL,
        language=told.language,
        decision=EditDecision.ACCEPTED,
        decided_by=None,
        edits=0,
        lines=told.added,
    )


def _about(teller: TelemetryTeller, at: datetime) -> dict[str, Any]:
    return {
        "agent": teller.agent,
        "agent_session": teller.agent_session or UNNAMED_SESSION,
        "agent_version": teller.agent_version,
        "day": at.astimezone(UTC).date(),
    }


def _head(row: UsageRow) -> tuple[object, ...]:
    """Return what rows that are added up have in common."""
    about = row.agent, row.agent_session, row.agent_version, row.day
    if isinstance(row, TokenDay):
        return (*about, row.model, row.is_aside, row.variant, row.context)
    return (*about, row.tool, row.language, row.decision, row.decided_by)


def _added(one: UsageRow, other: UsageRow) -> UsageRow:
    if isinstance(one, TokenDay) and isinstance(other, TokenDay):
        tokens: Any = map(_capped, astuple(one.tokens + other.tokens))
        answers = _capped(known_sum((one.answers, other.answers)))
        return replace(one, tokens=TokenCounts(*tokens), answers=answers)
    assert isinstance(one, DecisionDay)  # noqa: S101 - rows with one head are of one kind
    assert isinstance(other, DecisionDay)  # noqa: S101
    lines = _capped(known_sum((one.lines, other.lines)))
    return replace(one, edits=_capped(one.edits + other.edits), lines=lines)


def _capped(amount: int | None) -> int | None:
    """Return an amount as far as a row may hold it."""
    return None if amount is None else min(amount, MOST)
