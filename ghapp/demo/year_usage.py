"""The usage of the demo's year: tokens and decided edits beside the edits of its developers.

It follows from the edits and their seed, so the same year has the same usage.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from random import Random

from msgspec.structs import replace

from ghapp.attribution.model import Edit, EditResult, Struct
from ghapp.demo.cast import USER_IDS
from ghapp.store import AddedUsage, Store, UsageOrigin
from ghapp.store.usage_arrivals import ArrivalNotes
from ghapp.summaries.languages import language_of
from ghapp.usage.answers import TokenCounts
from ghapp.usage.days import DecisionDay, TokenDay
from ghapp.usage.decisions import DecidedBy, EditDecision
from ghapp.usage.sources import IdentityKind, UsageIdentity, UsageSource

TELLING = frozenset({"claude-code", "codex", "gemini-cli"})
"""Agents whose records name tokens."""
VERSIONS = {"claude-code": "2.1.283", "codex": "0.151.0"}
"""Versions whose telemetry counts once."""
ASKS_NOBODY = 0.7
"""Part of the edits that a mode accepts without asking."""


class AgentDay(Struct, frozen=True):
    """One agent session of a person on one day."""

    login: str
    agent: str
    agent_session: str
    day: date


def use(
    store: Store, installation_id: int, repository_id: int, edits: Iterable[Edit], random: Random
) -> None:
    """Store the usage behind the edits of one repository, as machines and telemetry send it."""
    edits = list(edits)
    by_day: defaultdict[AgentDay, list[Edit]] = defaultdict(list)
    for one in edits:
        key = AgentDay(one.actor or "", one.agent, one.agent_session, one.at.date())
        by_day[key].append(one)
    people: defaultdict[str, list[TokenDay | DecisionDay]] = defaultdict(list)
    for key, own in sorted(by_day.items(), key=lambda item: repr(item[0])):
        people[key.login] += _day(key, own, random)
    sent = []
    for login, rows in people.items():
        origin = UsageOrigin(
            installation_id,
            UsageSource.TRANSCRIPTS,
            UsageIdentity(IdentityKind.ACCOUNT, str(USER_IDS[login])),
            login=login,
            repository_id=repository_id,
            machine=f"{login}-1",
        )
        sent.append(AddedUsage(origin, rows))
        tokens = [one for one in rows if isinstance(one, TokenDay)]
        # Some also send telemetry: it says less, so it does not count where their machines do.
        if USER_IDS[login] % 3 == 0:
            metrics = UsageOrigin(
                installation_id, UsageSource.METRICS, origin.identity, login=login
            )
            sent.append(AddedUsage(metrics, tokens[::2]))
        if USER_IDS[login] % 5 == 0:
            sent.append(_contractor(installation_id, USER_IDS[login], tokens[::3]))
    with store.database.write() as connection:
        store.usage.lock(connection, installation_id)
        store.usage.add(connection, sent, now=max(one.at for one in edits))
        last = {one.at.date(): one.at for one in sorted(edits, key=lambda one: one.at)}
        for (source, day), kept in _by_day(sent).items():
            notes = ArrivalNotes(connection, store.database, installation_id, source, last[day])
            notes.came(kept)
            if source is UsageSource.METRICS and day.weekday() == 0:
                notes.refused({"unknown_metric": len(kept)})


def _contractor(installation_id: int, number: int, tokens: Iterable[TokenDay]) -> AddedUsage:
    """Return the usage of somebody whom telemetry names and nobody mapped, like these rows."""
    kind = (IdentityKind.EMAIL, IdentityKind.TOOL_INSTALLATION)[number % 2]
    name = f"contractor-{number}"
    ending = "@example.com" if kind is IdentityKind.EMAIL else "-laptop"
    who = UsageIdentity(kind, name + ending)
    rows = [replace(one, agent_session=f"{name}-{one.agent_session}") for one in tokens]
    return AddedUsage(UsageOrigin(installation_id, UsageSource.EVENTS, who), rows)


def _by_day(sent: Iterable[AddedUsage]) -> dict[tuple[UsageSource, date], Counter[str]]:
    """Return how many rows of each agent a source tells of each day."""
    found: defaultdict[tuple[UsageSource, date], Counter[str]] = defaultdict(Counter)
    for one in sent:
        for row in one.rows:
            found[one.origin.source, row.day][row.agent] += 1
    return found


def _day(key: AgentDay, edits: list[Edit], random: Random) -> Iterator[TokenDay | DecisionDay]:
    """Yield the rows of one agent session's day; some of its sessions only read."""
    model = next((one.model for one in edits if one.model), None)
    if key.agent in TELLING:
        answers = len(edits) * random.randint(3, 9)
        for is_aside in (False, True)[: random.randint(1, 2)]:
            yield TokenDay(
                agent=key.agent,
                agent_session=key.agent_session,
                day=key.day,
                tokens=_tokens(answers, random),
                answers=answers,
                model=model,
                agent_version=VERSIONS.get(key.agent),
                is_aside=is_aside,
            )
    decided: defaultdict[tuple[str, EditDecision, DecidedBy], list[Edit]] = defaultdict(list)
    for one in edits:
        is_refused = one.outcome is EditResult.REFUSED
        decision = EditDecision.REFUSED if is_refused else EditDecision.ACCEPTED
        is_asked = random.random() >= ASKS_NOBODY or is_refused
        by = DecidedBy.PERSON if is_asked else DecidedBy.AUTOMATIC
        decided[language_of(one.path), decision, by].append(one)
    for (language, decision, by), own in decided.items():
        yield DecisionDay(
            agent=key.agent,
            agent_session=key.agent_session,
            day=key.day,
            tool=own[0].tool,
            language=language,
            decision=decision,
            decided_by=by,
            edits=len(own),
            lines=sum(len(hunk.own) for one in own for hunk in one.lines.hunks),
            agent_version=VERSIONS.get(key.agent),
        )


def _tokens(answers: int, random: Random) -> TokenCounts:
    return TokenCounts(
        input=answers * random.randint(4, 60),
        output=answers * random.randint(150, 900),
        cache_read=answers * random.randint(20_000, 90_000),
        cache_write_5m=answers * random.randint(0, 300),
        cache_write_1h=answers * random.randint(500, 4_000),
    )
