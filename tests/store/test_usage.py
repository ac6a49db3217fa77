"""For a person, a day and an agent one source counts, whatever was sent, mapped or removed.

Random histories are compared with a plain list of rows.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import Table, func, select, text

from ghapp.store import IdentityMapping, Store, StoredUsage, UsageOrigin
from ghapp.store.schema import (
    agent_session_day,
    agent_session_sum,
    agent_session_total,
    decision_sum,
    decision_total,
    source_day,
    source_total,
    token_sum,
    token_total,
    usage_place,
)
from ghapp.store.summaries.tally import day_number
from ghapp.store.usage_sums import lock_sums
from ghapp.summaries.selection import TimeGrain
from ghapp.usage.answers import TokenCounts
from ghapp.usage.days import UNNAMED_SESSION, DecisionDay, TokenDay
from ghapp.usage.decisions import DecidedBy, EditDecision
from ghapp.usage.sources import IdentityKind, UsageIdentity, UsageSource
from tests.searching import searched
from tests.store.plain_usage import add, counting
from tests.store.records import NOW
from tests.waiting import wait_until

DAY = date(2026, 5, 20)
ORG = 7
ANN = UsageIdentity(IdentityKind.ACCOUNT, "11")
MAIL = UsageIdentity(IdentityKind.EMAIL, "ann@example.com")
TOOL = UsageIdentity(IdentityKind.TOOL_INSTALLATION, "9f2c")
SENT = UsageOrigin(ORG, UsageSource.TRANSCRIPTS, ANN, login="ann", machine="a" * 32)
EVENTS = UsageOrigin(ORG, UsageSource.EVENTS, MAIL)
METRICS = UsageOrigin(ORG, UsageSource.METRICS, MAIL)
VENDOR = UsageOrigin(ORG, UsageSource.VENDOR, MAIL, machine="cursor:admin")


def tokens(output: int = 10, **changed: Any) -> TokenDay:
    values = {"agent": "claude-code", "agent_session": "s1", "day": DAY, "answers": 1} | changed
    return TokenDay(tokens=TokenCounts(output=output), **values)


def decision(edits: int = 1, **changed: Any) -> DecisionDay:
    values = {
        "agent": "claude-code",
        "agent_session": "s1",
        "day": DAY,
        "tool": "Edit",
        "language": "Python",
        "decision": EditDecision.ACCEPTED,
        "decided_by": DecidedBy.PERSON,
        "lines": 3,
    } | changed
    return DecisionDay(edits=edits, **values)


def counted(store: Store) -> int:
    """Return the output tokens that count."""
    store.usage.settle()
    columns = token_sum.c
    query = select(func.sum(columns.output)).where(
        columns.installation_id == ORG, columns.grain == TimeGrain.DAY.value
    )
    return int(store.database.value(query) or 0)


def test_a_report_sent_again_changes_nothing(store: Store) -> None:
    for _ in range(2):
        store.usage.replace(SENT, [tokens()], [decision()], now=NOW)
    assert [one.row for one in store.usage.rows(ORG)] == [tokens(), decision()]


def test_a_later_report_replaces_the_days_that_it_names_and_no_other(store: Store) -> None:
    later = DAY + timedelta(days=1)
    store.usage.replace(SENT, [tokens(), tokens(day=later)], [], now=NOW)
    store.usage.replace(SENT, [tokens(25)], [], now=NOW)
    store.usage.replace(replace(SENT, machine="b" * 32), [tokens(100)], [], now=NOW)
    assert counted(store) == 25 + 10 + 100


def test_telemetry_adds_to_what_it_told(store: Store) -> None:
    add(store, METRICS, [tokens(answers=None), decision(lines=None)])
    add(store, METRICS, [tokens(5, answers=None), decision(2)])
    found = [one.row for one in store.usage.rows(ORG)]
    assert found == [tokens(15, answers=None), decision(3)]


def test_two_sources_are_never_added(store: Store) -> None:
    store.usage.map(ORG, [IdentityMapping(MAIL, 11, "ann")], by="owner", now=NOW)
    add(store, METRICS, [tokens(7)])
    assert counted(store) == 7
    add(store, EVENTS, [tokens(8)])
    assert counted(store) == 8
    store.usage.replace(SENT, [tokens(9)], [], now=NOW)
    assert counted(store) == 9
    store.usage.remove(ORG, UsageSource.TRANSCRIPTS)
    assert counted(store) == 8


def test_an_identity_that_is_mapped_later_brings_its_days_along(store: Store) -> None:
    store.usage.replace(SENT, [tokens(9)], [], now=NOW)
    add(store, EVENTS, [tokens(8), tokens(3, agent="codex")])
    assert counted(store) == 9 + 8 + 3
    store.usage.map(ORG, [IdentityMapping(MAIL, 11, "ann")], by="owner", now=NOW)
    assert counted(store) == 9 + 3
    store.usage.map(ORG, [IdentityMapping(MAIL, None, None)], by="owner", now=NOW)
    assert counted(store) == 9 + 8 + 3


def test_a_table_of_identities_is_stored_whole_or_not_at_all(store: Store) -> None:
    whose = [IdentityMapping(MAIL, 11, "ann"), IdentityMapping(ANN, 12, "bob")]
    with pytest.raises(ValueError, match="already"):
        store.usage.map(ORG, whose, by="owner", now=NOW)
    assert store.usage.identities(ORG) == ()


def test_a_verified_address_is_mapped_where_nobody_has_mapped_it(store: Store) -> None:
    other = UsageIdentity(IdentityKind.EMAIL, "ann@example.org")
    add(store, EVENTS, [tokens()])
    add(store, replace(EVENTS, identity=other), [tokens()])
    store.usage.map(ORG, [IdentityMapping(other, 12, "bob")], by="owner", now=NOW)
    later = NOW + timedelta(days=3)
    store.usage.map_emails(11, "ann", (MAIL.value, other.value, "else@example.com"), now=later)
    found = {one.value: one for one in store.usage.identities(ORG)}
    assert {value: (one.login, one.mapped_by) for value, one in found.items()} == {
        MAIL.value: ("ann", "(sign-in)"),
        other.value: ("bob", "owner"),
    }
    # Who maps an identity has not seen its usage.
    assert found[MAIL.value].seen_at == NOW
    assert {one.person for one in store.usage.rows(ORG)} == {11, 12}


def test_an_account_is_a_person_already(store: Store) -> None:
    with pytest.raises(ValueError, match="already"):
        store.usage.map(ORG, [IdentityMapping(ANN, 12, "bob")], by="owner", now=NOW)


def test_who_is_not_mapped_is_listed_first(store: Store) -> None:
    add(store, EVENTS, [tokens()])
    store.usage.replace(SENT, [tokens()], [], now=NOW)
    found = store.usage.identities(ORG)
    assert [(one.value, one.login) for one in found] == [(MAIL.value, None), ("11", "ann")]
    assert [one.person for one in found] == [-found[0].id, 11]


def test_what_a_person_did_in_a_repository_is_forgotten_with_it(store: Store) -> None:
    store.usage.map(ORG, [IdentityMapping(MAIL, 11, "ann")], by="owner", now=NOW)
    here, there = replace(SENT, repository_id=5), replace(SENT, repository_id=6)
    store.usage.replace(here, [tokens(1)], [decision()], now=NOW)
    store.usage.replace(there, [tokens(2)], [], now=NOW)
    add(store, replace(EVENTS, repository_id=5), [tokens(4, agent="codex")])
    add(store, EVENTS, [tokens(8, agent="codex")])
    bob = UsageIdentity(IdentityKind.ACCOUNT, "12")
    add(store, replace(here, identity=bob, login="bob"), [tokens(16)])
    assert counted(store) == 1 + 2 + 4 + 8 + 16
    assert store.usage.forget_in(11, "Ann", [5]) == 3
    assert counted(store) == 2 + 8 + 16


def test_a_person_who_is_forgotten_leaves_nothing(store: Store) -> None:
    store.usage.map(ORG, [IdentityMapping(MAIL, 11, "ann")], by="owner", now=NOW)
    add(store, EVENTS, [tokens(), decision()])
    store.usage.replace(SENT, [tokens()], [decision()], now=NOW)
    add(store, replace(EVENTS, identity=TOOL), [tokens()])
    assert store.usage.forget(11, "Ann", now=NOW) == 4
    assert [one.value for one in store.usage.identities(ORG)] == [TOOL.value]
    assert len(store.usage.rows(ORG)) == 1


def test_who_is_forgotten_while_sums_are_made_waits_for_their_end(postgresql_store: Store) -> None:
    # Otherwise what is being summed of the person is stored after the person has gone.
    store = postgresql_store
    store.usage.replace(SENT, [tokens()], [], now=NOW)
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")

    def is_waiting() -> bool:
        with store.database.read() as connection:
            return bool(connection.execute(waiting).scalar())

    with ThreadPoolExecutor(1) as pool:
        with store.database.write() as connection:
            lock_sums(connection, store.database)
            gone = pool.submit(store.usage.forget, 11, "ann", now=NOW)
            wait_until(is_waiting, "the deletion's wait")
        assert gone.result() == 1


def test_old_days_expire(store: Store) -> None:
    store.usage.replace(SENT, [tokens(), tokens(day=DAY - timedelta(days=1))], [], now=NOW)
    assert store.usage.expire(DAY) == 1
    assert [one.row.day for one in store.usage.rows(ORG)] == [DAY]


# --- random histories -----------------------------------------------------------------------------

names = st.sampled_from(["s1", "s2", UNNAMED_SESSION])
agents = st.sampled_from(["claude-code", "codex"])
days = st.sampled_from([DAY, DAY + timedelta(days=1)])
token_rows = st.builds(
    tokens,
    st.integers(0, 5),
    agent=agents,
    agent_session=names,
    day=days,
    answers=st.none() | st.integers(0, 3),
    model=st.sampled_from([None, "opus"]),
)
decision_rows = st.builds(
    decision,
    st.integers(0, 5),
    decision=st.sampled_from(EditDecision),
    agent=agents,
    agent_session=names,
    day=days,
    lines=st.none() | st.integers(0, 3),
    language=st.sampled_from([None, "Python"]),
)
origins = st.sampled_from(
    [
        SENT,
        replace(SENT, machine="b" * 32),
        replace(SENT, identity=UsageIdentity(IdentityKind.ACCOUNT, "12"), login="bob"),
        replace(SENT, repository_id=5),
        EVENTS,
        METRICS,
        replace(METRICS, identity=TOOL),
        VENDOR,
    ]
)
sent = st.tuples(
    st.just("send"),
    origins,
    st.lists(token_rows, max_size=3),
    st.lists(decision_rows, max_size=2),
)
mapped = st.tuples(st.just("map"), st.sampled_from([MAIL, TOOL]), st.sampled_from([None, 11, 12]))
removed = st.tuples(st.just("remove"), st.sampled_from(UsageSource))


class Ledger:
    """What the table should hold, kept in the plainest way."""

    def __init__(self) -> None:
        self.rows: dict[tuple[UsageOrigin, tuple[object, ...]], TokenDay | DecisionDay] = {}
        self.accounts: dict[UsageIdentity, int] = {}

    def send(
        self, origin: UsageOrigin, given: list[TokenDay | DecisionDay], *, replaces: bool
    ) -> None:
        """Keep rows as `UsageTable.replace` or `UsageTable.add` do."""
        if replaces:
            said = {(one.day, one.agent, one.agent_session) for one in given}
            self.rows = {
                (whose, key): row
                for (whose, key), row in self.rows.items()
                if whose != origin or (row.day, row.agent, row.agent_session) not in said
            }
        for row in given:
            key = (origin, without_amounts(row))
            self.rows[key] = added(self.rows.get(key), row)

    def person(self, who: UsageIdentity) -> object:
        """Return who an identity is."""
        return int(who.value) if who.kind is IdentityKind.ACCOUNT else self.accounts.get(who, who)

    def counting(self) -> list[tuple[UsageSource, str]]:
        """Return every row with its source, as far as it counts."""
        first: dict[tuple[object, ...], UsageSource] = {}
        keyed = [
            ((self.person(origin.identity), row.day, row.agent), origin.source, row)
            for (origin, _), row in self.rows.items()
        ]
        for key, source, _ in keyed:
            first[key] = min(first.get(key, source), source)
        return sorted((source, repr(row)) for key, source, row in keyed if first[key] == source)


def without_amounts(row: TokenDay | DecisionDay) -> tuple[object, ...]:
    none = {"tokens": None, "answers": None} if isinstance(row, TokenDay) else {}
    blank = none or {"edits": None, "lines": None}
    return (type(row), repr(replace(row, **blank)))


def added(old: Any, new: Any) -> Any:
    if old is None:
        return new
    if isinstance(new, TokenDay):
        return replace(new, tokens=old.tokens + new.tokens, answers=plus(old.answers, new.answers))
    return replace(new, edits=old.edits + new.edits, lines=plus(old.lines, new.lines))


def plus(one: int | None, other: int | None) -> int | None:
    known = [each for each in (one, other) if each is not None]
    return sum(known) if known else None


organizations = itertools.count(100)


@given(history=st.lists(sent | mapped | removed, max_size=8))
@searched(30)
def test_any_history_ends_like_a_plain_ledger(store: Store, history: list[Any]) -> None:
    check(store, next(organizations), history)


def check(store: Store, number: int, history: list[Any]) -> None:
    ledger = Ledger()
    for what, *given_ in history:
        if what == "send":
            origin, some, others = given_
            is_whole = origin.source is UsageSource.TRANSCRIPTS
            whose = replace(origin, installation_id=number)
            if is_whole:
                store.usage.replace(whose, some, others, now=NOW)
            else:
                add(store, whose, [*some, *others])
            ledger.send(origin, [*some, *others], replaces=is_whole)
        elif what == "map":
            who, account = given_
            store.usage.map(
                number, [IdentityMapping(who, account, account and "x")], by="owner", now=NOW
            )
            ledger.accounts.pop(who, None)
            if account is not None:
                ledger.accounts[who] = account
        else:
            (source,) = given_
            store.usage.remove(number, source)
            ledger.rows = {key: row for key, row in ledger.rows.items() if key[0].source != source}
    check_sums(store, number)
    found = store.usage.rows(number)
    assert len(found) == len(ledger.rows)
    assert sorted((one.source, repr(one.row)) for one in counting(found)) == ledger.counting()
    assert store.usage.stale(number) == 0


def check_sums(store: Store, number: int) -> None:
    """Hold that the sums are those of the rows that count, and that no others are there."""
    store.usage.settle()
    rows = store.usage.rows(number)
    counts = counting(rows)
    places = defaultdict(set)
    said: Counter[tuple[object, ...]] = Counter()
    for one in rows:
        where = (one.person, one.row.agent, one.repository_id or 0)
        spent = one.row.tokens.total if isinstance(one.row, TokenDay) else 0
        said[day_number(one.row.day), *where, one.source.value, one in counts] += spent
        if one in counts:
            places[one.person, one.row.agent, one.row.agent_session].add((one.row.day, where[2]))
    with store.database.read() as connection:

        def held(table: Table, *names: str) -> list[tuple[object, ...]]:
            query = select(*(table.c[name] for name in names))
            query = query.where(table.c.installation_id == number)
            return sorted(tuple(row) for row in connection.execute(query))

        key = ("grain", "start", "person", "agent", "repository_id")
        tokens, edits, active = expected(counts, places)
        assert held(token_sum, *key, "model", "output") == flat(tokens)
        of_edits = ("language", "people_accepted", "failed", "lines_accepted")
        assert held(decision_sum, *key, *of_edits) == edits
        assert held(agent_session_sum, *key, "singles") == flat(active)
        of_day = ("day", "person", "agent", "repository_id", "source", "counts", "tokens")
        assert held(source_day, *of_day) == flat(said)
        everywhere = ("grain", "start", "person", "agent")
        nowhere = [replace(one, repository_id=None) for one in counts]
        tokens, edits, _ = expected(nowhere, {})
        assert held(token_total, *everywhere, "model", "output") == unplaced(flat(tokens))
        assert held(decision_total, *everywhere, *of_edits) == unplaced(edits)
        singles: Counter[tuple[object, ...]] = Counter()
        for (*of_person, _), count in active.items():
            singles[tuple(of_person)] += count
        assert held(agent_session_total, *everywhere, "singles") == flat(singles)
        days_of: Counter[tuple[object, ...]] = Counter()
        for (day, person, agent, _, source, does_count), spent in said.items():
            days_of[day, person, agent, source, does_count] += spent
        is_day = source_total.c.grain == "day"
        names = ("start", "person", "agent", "source", "counts", "tokens")
        query = select(*(source_total.c[name] for name in names), source_total.c.days).where(
            source_total.c.installation_id == number, is_day
        )
        assert sorted(map(tuple, connection.execute(query))) == sorted(
            (*one, spent, 1) for one, spent in days_of.items()
        )
        known = {place for (place,) in held(usage_place, "repository_id")}
        assert {place for (_, _, _, place, _, _) in said} <= known
        days = [
            (
                *(day_number(day), person, agent, place, agent_session),
                len(found) == 1 or agent_session == UNNAMED_SESSION,
            )
            for (person, agent, agent_session), found in places.items()
            for day, place in found
        ]
        of_session = ("day", "person", "agent", "repository_id", "agent_session", "is_single")
        assert held(agent_session_day, *of_session) == sorted(days)


def expected(counts: Iterable[StoredUsage], places: Mapping[Any, set[Any]]) -> Any:
    """Return the sums of tokens, decided edits and agent sessions by day, week and month."""
    tokens: Counter[tuple[object, ...]] = Counter()
    edits: defaultdict[tuple[object, ...], list[DecisionDay]] = defaultdict(list)
    for one, grain in itertools.product(counts, TimeGrain):
        start = day_number(grain.start(one.row.day))
        key = (grain.value, start, one.person, one.row.agent, one.repository_id or 0)
        if isinstance(one.row, TokenDay):
            tokens[*key, one.row.model or ""] += one.row.tokens.output
        else:
            edits[*key, one.row.language or ""].append(one.row)
    active: Counter[tuple[object, ...]] = Counter()
    for ((person, agent, name), found), grain in itertools.product(places.items(), TimeGrain):
        for day, place in found:
            start = day_number(grain.start(day))
            is_single = len(found) == 1 and name != UNNAMED_SESSION
            active[grain.value, start, person, agent, place] += is_single
    return tokens, sorted((*key, *amounts(rows)) for key, rows in edits.items()), active


def amounts(rows: Iterable[DecisionDay]) -> tuple[int, int, int | None]:
    found = list(rows)
    accepted = [one for one in found if one.decision is EditDecision.ACCEPTED]
    lines = [one.lines for one in accepted if one.lines is not None]
    return (
        sum(one.edits for one in accepted if one.decided_by is DecidedBy.PERSON),
        sum(one.edits for one in found if one.decision is EditDecision.FAILED),
        sum(lines) if lines else None,
    )


def unplaced(rows: Iterable[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Return rows of no repository without it."""
    return [(*row[:4], *row[5:]) for row in rows]


def flat(counts: Counter[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return sorted((*key, count) for key, count in counts.items())
