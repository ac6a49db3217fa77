"""Every number of a page of usage, counted again from the rows that sources sent."""

import itertools
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ghapp.store import Installation, Repository, Store, StoredUsage, UsageOrigin
from ghapp.store.summaries.usage import UsageQuestions
from ghapp.store.tokens import NewToken, TokenKind
from ghapp.summaries.counts import MeasuredDifference
from ghapp.summaries.models import family_of
from ghapp.summaries.periods import DayPeriod, period_before
from ghapp.summaries.selection import SMALLEST_GROUP, NotShown, TimeGrain
from ghapp.summaries.teams import TeamMember, TeamSource
from ghapp.usage.answers import TokenCounts
from ghapp.usage.counts import (
    OTHERS,
    AdoptionCounts,
    EditCounts,
    PersonPart,
    SourceCounts,
    UsageChanges,
    UsageCounts,
    UsagePart,
    UsageSelection,
    counted,
    folded,
)
from ghapp.usage.days import NO_TOOL, UNNAMED_SESSION, DecisionDay, TokenDay
from ghapp.usage.decisions import AcceptRate, DecidedBy, EditDecision
from ghapp.usage.sources import IdentityKind, UsageIdentity, UsageSource
from tests.searching import searched
from tests.store.plain_usage import add, between, counting, parts, plain, without_told
from tests.store.records import NOW

FIRST, LAST = date(2026, 3, 2), date(2026, 5, 24)
PEOPLE = range(1, 13)
TEAMS = {"core": range(1, 7), "web": range(7, 10)}
"""Two teams: one has enough people to be shown."""
UNMAPPED = (11, 12)
"""Of these a source says a name only, and nobody mapped it."""
numbers = itertools.count(1)

some_tokens = st.builds(
    TokenCounts,
    input=st.integers(0, 9),
    output=st.integers(0, 9),
    cache_read=st.integers(0, 9),
    reasoning=st.none() | st.integers(0, 3),
)
heads = st.fixed_dictionaries(
    {
        "agent": st.sampled_from(["claude-code", "codex"]),
        "agent_session": st.sampled_from(["s1", "s2", "s3", UNNAMED_SESSION]),
        "day": st.dates(FIRST, LAST),
    }
)
token_rows = st.builds(
    lambda head, **own: TokenDay(**head, **own),
    heads,
    tokens=some_tokens,
    answers=st.none() | st.integers(0, 3),
    model=st.sampled_from([None, "claude-opus-4-5", "claude-opus-4-1", "gpt-5.1"]),
)
decision_rows = st.builds(
    lambda head, **own: DecisionDay(**head, **own),
    heads,
    tool=st.sampled_from(["Edit", "Write", NO_TOOL]),
    language=st.sampled_from([None, "Python", "Go"]),
    decision=st.sampled_from(EditDecision),
    decided_by=st.none() | st.sampled_from(DecidedBy),
    edits=st.integers(0, 5),
    lines=st.none() | st.integers(0, 9),
)
uploads = st.tuples(
    st.sampled_from(PEOPLE),
    st.sampled_from([None, 0, 1]),
    st.sampled_from(UsageSource),
    st.lists(token_rows, max_size=2),
    st.lists(decision_rows, max_size=2),
)
selections = st.fixed_dictionaries(
    {
        "since": st.dates(FIRST, date(2026, 4, 10)),
        "until": st.dates(date(2026, 4, 11), LAST),
        "agent": st.sampled_from([None, "codex"]),
        "team": st.sampled_from([None, None, "core"]),
        "has_unplaced": st.booleans(),
        "places": st.sampled_from([(0,), (0, 1)]),
    }
)


class Organization:
    """A generated organization, and the plain way to count its usage."""

    def __init__(self, store: Store, number: int, sent: Iterable[Any]) -> None:
        self.store, self.number = store, number
        account = f"acme-{number}"
        store.installations.seen(Installation(id=number, account=account), now=NOW)
        self.places = (number * 10, number * 10 + 1)
        for place in self.places:
            seen = Repository(id=place, owner=account, name=str(place), installation_id=number)
            store.installations.repository_seen(seen, now=NOW)
        members = [
            TeamMember(login=f"p{one}", team=team) for team, ones in TEAMS.items() for one in ones
        ]
        store.teams.replace(account, TeamSource.CSV, members)
        for person, place, source, tokens, decisions in sent:
            kind = IdentityKind.END_USER if person in UNMAPPED else IdentityKind.ACCOUNT
            origin = UsageOrigin(
                number,
                source,
                UsageIdentity(kind, str(person)),
                login=None if person in UNMAPPED else f"P{person}",
                repository_id=None if place is None else self.places[place],
            )
            add(store, origin, [*tokens, *decisions])
        store.usage.settle()

    def selection(self, places: tuple[int, ...], **asked: Any) -> UsageSelection:
        """Return a selection in some of the repositories."""
        chosen = tuple(self.places[one] for one in places)
        return UsageSelection(installation_id=self.number, repository_ids=chosen, **asked)

    def rows(self, asked: UsageSelection) -> list[StoredUsage]:
        """Return the rows that count and are selected, with those of days outside."""
        rows = counting(self.store.usage.rows(self.number))
        return [one for one in rows if self.is_asked(one, asked)]

    def others_are_few(self, asked: UsageSelection) -> bool:
        """Say whether the same question without its team would tell the others' numbers."""
        rows = self.rows(replace(asked, team=None)) if asked.team else []
        own = between(rows, asked.since, asked.until)
        others = [one for one in own if one.person not in TEAMS[str(asked.team)]]
        kinds = TokenDay, DecisionDay
        people = [{one.person for one in others if isinstance(one.row, kind)} for kind in kinds]
        return any(0 < len(some) < SMALLEST_GROUP for some in people)

    def is_asked(self, one: StoredUsage, asked: UsageSelection) -> bool:
        """Say whether a selection has a row, on whatever day it is."""
        is_there = (
            asked.has_unplaced
            if one.repository_id is None
            else one.repository_id in asked.repository_ids
        )
        is_theirs = asked.team is None or one.person in TEAMS[asked.team]
        return is_there and is_theirs and asked.agent in {None, one.row.agent}


@given(sent=st.lists(uploads, max_size=40), asked=selections, grain=st.sampled_from(TimeGrain))
@searched(25)
def test_every_number_is_that_of_a_recount(
    store: Store, sent: list[Any], asked: dict[str, Any], grain: TimeGrain
) -> None:
    made = Organization(store, next(numbers), sent)
    wanted = made.selection(**asked)
    if made.others_are_few(wanted):
        with pytest.raises(NotShown, match="are not in team core"):
            UsageQuestions(store.database).summary(wanted, grain)
        return
    found = UsageQuestions(store.database).summary(wanted, grain)
    everything = made.rows(wanted)
    rows = between(everything, wanted.since, wanted.until)

    assert found.totals == plain(rows)
    of_nobody = plain([one for one in rows if one.person < 0])
    assert (found.unmapped.people, found.unmapped.agent_sessions) == (
        (of_nobody.people, of_nobody.agent_sessions)
    )
    starts = [one.start for one in found.series]
    assert all(one == grain.start(one) for one in starts)
    periods = {
        one: between(rows, one, min(grain.next(one) - timedelta(days=1), wanted.until))
        for one in starts
    }
    # A period without anybody has no agent session; one whose sources name none has unknown.
    counts = {
        one: plain(own) if own else UsageCounts(agent_sessions=0) for one, own in periods.items()
    }
    assert {one.start: one.counts for one in found.series} == without_told(periods, counts)
    assert sum(len(between(rows, one, grain.next(one) - timedelta(days=1))) for one in starts) == (
        len(rows)
    )

    def shown(of: Iterable[UsagePart]) -> dict[str, UsageCounts]:
        return {one.name: one.counts for one in of}

    questions = UsageQuestions(store.database)
    assert questions.totals(wanted) == found.totals
    in_teams = {one.name: one.counts for one in found.teams if one.name != OTHERS}
    assert questions.by_team(wanted) == in_teams
    check_people(questions, wanted, rows)

    tokens = [one for one in rows if isinstance(one.row, TokenDay)]
    edits = [one for one in rows if isinstance(one.row, DecisionDay)]
    teams = {person: team for team, people in TEAMS.items() for person in people}
    assert shown(found.agents) == parts(rows, lambda one: one.row.agent, of_agents=True)
    assert shown(found.teams) == parts(rows, lambda one: teams.get(one.person), of_agents=True)
    assert shown(found.models) == parts(tokens, family, of_agents=False)
    assert shown(found.languages) == parts(edits, language, of_agents=False)

    of_edits = plain(edits).edits or EditCounts()
    assert found.funnel.suggested == of_edits.lines_suggested
    assert found.funnel.accepted == of_edits.lines_accepted
    check_adoption(found.adoption, everything, wanted.until)
    check_sources(found.sources, made, wanted)
    check_changes(found.changes, everything, wanted, made)


def check_changes(
    found: UsageChanges, rows: list[StoredUsage], asked: UsageSelection, made: Organization
) -> None:
    """Hold that both periods are those of a recount, and hide what their own pages hide."""
    teams = {person: team for team, people in TEAMS.items() for person in people}
    old = period_before(DayPeriod(asked.since, asked.until))
    assert old is not None
    assert found.before == old
    now, before = between(rows, asked.since, asked.until), between(rows, old.since, old.until)
    if made.others_are_few(replace(asked, since=old.since, until=old.until)):
        before = []
    assert (found.totals.now or UsageCounts()) == plain(now)
    assert found.totals.before == (plain(before) if before else None)
    for told, name in (
        (found.agents, lambda one: one.row.agent),
        (found.teams, lambda one: teams.get(one.person)),
    ):
        new, earlier = (parts(own, name, of_agents=True) for own in (now, before))
        assert {one.name for one in told} == {*new, *earlier} - {OTHERS}
        for one in told:
            assert (one.now, one.before) == (new.get(str(one.name)), earlier.get(str(one.name)))
    for one in (found.totals, *found.agents, *found.teams):
        for counts, rate in ((one.now, one.rate), (one.before, one.rate_before)):
            known = counts.edits.accept_rate if counts and counts.edits else None
            assert known == (None if rate is None else AcceptRate(rate.at_least, rate.at_most))
        if one.rate is None or one.rate_before is None:
            assert one.difference == MeasuredDifference(value=None, low=None, high=None)


def check_people(questions: UsageQuestions, asked: UsageSelection, rows: list[StoredUsage]) -> None:
    own: dict[str, list[StoredUsage]] = {}
    for one in rows:
        own.setdefault(f"p{one.person}" if one.person > 0 else OTHERS, []).append(one)
    expected = {name: plain(of, least=1) for name, of in own.items()}
    assert {one.name: one.counts for one in questions.people(asked)} == expected


def family(one: StoredUsage) -> str | None:
    assert isinstance(one.row, TokenDay)
    return family_of(one.row.model) if one.row.model else None


def language(one: StoredUsage) -> str | None:
    assert isinstance(one.row, DecisionDay)
    return one.row.language


def check_adoption(
    found: AdoptionCounts,
    rows: list[StoredUsage],
    last: date,
    enrolled: frozenset[int] = frozenset(),
) -> None:
    def days(person: int, week: int) -> int:
        first = last - timedelta(days=7 * (week + 1) - 1)
        own = between(rows, first, first + timedelta(days=6))
        return len({one.row.day for one in own if one.person == person})

    def told(count: int) -> int | None:
        return None if 0 < count < 5 else count

    people = {one.person for one in rows}
    now = {one: [days(one, week) for week in range(4)] for one in people}
    before = {one: [days(one, week) for week in range(4, 8)] for one in people}
    weekly = [one for one in enrolled if one in now and now[one][0]]
    is_told = told(len(enrolled) - len(weekly)) is not None
    if enrolled:
        assert found.enrolled == told(len(enrolled))
        assert found.weekly == (told(len(weekly)) if is_told else None)
    assert found.weekly is None or found.weekly_share is None or 0 <= found.weekly_share <= 1
    assert found.active == told(sum(any(of) for of in now.values()))
    assert found.power == told(sum(min(of) >= 3 for of in now.values()))
    stalled = [one for one in people if not any(now[one]) and sum(map(bool, before[one])) >= 2]
    assert found.stalled == told(len(stalled))


def check_sources(found: Iterable[SourceCounts], made: Organization, asked: UsageSelection) -> None:
    days: dict[tuple[UsageSource, bool], set[object]] = defaultdict(set)
    tokens: dict[tuple[UsageSource, bool], int] = defaultdict(int)
    rows = made.store.usage.rows(made.number)
    counts = counting(rows)
    for one in rows:
        is_asked = made.is_asked(one, asked) and asked.since <= one.row.day <= asked.until
        if is_asked:
            days[one.source, one in counts].add((one.person, one.row.day, one.row.agent))
            spent = one.row.tokens.total if isinstance(one.row, TokenDay) else 0
            tokens[one.source, one in counts] += spent
    assert {one.source for one in found} == {source.name.lower() for source, _ in days}
    for one_ in found:
        source = UsageSource[one_.source.upper()]
        shown, covered = (source, True), (source, False)
        assert (one_.days_shown, one_.days_covered) == (len(days[shown]), len(days[covered]))
        assert (one_.tokens_shown, one_.tokens_covered) == (tokens[shown], tokens[covered])


habits = st.lists(st.lists(st.sampled_from([0, 0, 2, 3, 4]), min_size=8, max_size=8), min_size=12)


@given(weeks=habits)
@searched(15)
def test_adoption_is_that_of_a_recount(sqlite_store: Store, weeks: list[list[int]]) -> None:
    """``weeks``: for each person, days of use in each of eight weeks, the last one first."""
    used = {
        person: [
            LAST - timedelta(days=7 * week + day) for week in range(8) for day in range(of[week])
        ]
        for person, of in zip(PEOPLE, weeks, strict=False)
    }
    sent = [
        (person, 0, UsageSource.TRANSCRIPTS, [on(day) for day in days], [])
        for person, days in used.items()
    ]
    made = Organization(sqlite_store, next(numbers), sent)
    enrolled = frozenset([*PEOPLE[:10], 901, 902, 903, 904, 905])
    for person in enrolled:
        token = NewToken(TokenKind.UPLOAD, f"p{person}", person, installations=(made.number,))
        sqlite_store.tokens.issue(token, f"{made.number} {person}", now=NOW)
    wanted = made.selection((0,), since=FIRST, until=LAST, has_unplaced=True)
    found = UsageQuestions(sqlite_store.database).summary(wanted, TimeGrain.WEEK).adoption
    check_adoption(found, made.rows(wanted), LAST, enrolled)


def on(day: date) -> TokenDay:
    return TokenDay(
        agent="codex", agent_session="s1", day=day, tokens=TokenCounts(output=1), answers=1
    )


shares = st.dictionaries(
    st.sampled_from("abcdef"),
    st.lists(st.tuples(st.integers(1, 12), st.booleans(), st.booleans()), min_size=1, max_size=9),
    max_size=6,
)


@given(made=shares)
def test_what_is_hidden_cannot_be_told_from_the_total(made: dict[str, Any]) -> None:
    own = {
        name: [
            PersonPart(
                person,
                tokens=TokenCounts(output=1) if has_tokens else None,
                edits=EditCounts(failed=1) if has_edits else None,
            )
            for person, has_tokens, has_edits in people
        ]
        for name, people in made.items()
    }
    rows = {one.name: one.counts for one in folded(own)}
    total = counted([one for people in own.values() for one in people])
    others = [one for name, people in own.items() if name not in rows for one in people]
    for kind in ("tokens", "edits"):
        if getattr(total, kind) is None:
            assert all(getattr(one, kind) is None for one in rows.values())
            continue
        hidden = {
            one.person
            for name, counts in rows.items()
            if getattr(counts, kind) is None
            for one in own.get(name, others)
            if getattr(one, kind) is not None
        }
        assert len(hidden) == 0 or len(hidden) >= 5


def test_a_small_team_is_not_shown(store: Store) -> None:
    made = Organization(store, next(numbers), [])
    wanted = made.selection((0,), since=FIRST, until=LAST, team="web")
    with pytest.raises(NotShown, match="fewer than 5"):
        UsageQuestions(store.database).summary(wanted, TimeGrain.WEEK)
