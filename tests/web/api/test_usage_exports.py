"""Every cell of an export of usage is that of a recount; no name is a formula in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.store import UsageOrigin
from ghapp.summaries.selection import TimeGrain
from ghapp.usage.answers import TOKEN_KINDS, TokenCounts
from ghapp.usage.counts import UsageCounts
from ghapp.usage.days import DecisionDay, TokenDay
from ghapp.usage.decisions import DecidedBy, EditDecision
from ghapp.usage.sources import IdentityKind, UsageIdentity, UsageSource
from ghapp.web.api.usage_exports import AMOUNTS, UsageBy
from tests.searching import searched
from tests.store.plain_usage import add, between, counting, parts, plain, without_told
from tests.web.conftest import NOW
from tests.web.place import Place

CSV = "/api/organizations/acme/usage.csv"
LAST = NOW.date()
FIRST = LAST - timedelta(days=40)
PEOPLE = range(1, 12)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, without_limits: None) -> Iterator[Place]:
    del without_limits
    made = Place(tmp_path_factory.mktemp("exports"), GHAPP_NAMES="people")
    for person in PEOPLE:
        origin = UsageOrigin(
            made.installed.id,
            UsageSource.TRANSCRIPTS,
            UsageIdentity(IdentityKind.ACCOUNT, str(person)),
            login=f"p{person}",
            repository_id=made.repositories["app" if person % 2 else "open"].id,
        )
        add(made.store, origin, [*used(person)])
    made.store.usage.settle()
    yield made
    made.close()


def used(person: int) -> Iterator[TokenDay | DecisionDay]:
    for day in (FIRST, FIRST + timedelta(days=person), LAST - timedelta(days=person % 3)):
        head: dict[str, Any] = {
            "agent": "codex" if person > 5 else "claude-code",
            "agent_session": f"{person}-{day}" if person != 3 else "",
            "day": day,
        }
        yield TokenDay(
            **head,
            tokens=TokenCounts(input=person, output=7, cache_read=day.day),
            answers=None if person == 4 else person,
            model="=1+1" if person < 7 else None,
        )
        yield DecisionDay(
            **head,
            tool="Edit",
            language="Python" if person > 2 else None,
            decision=EditDecision.REFUSED if person == 5 else EditDecision.ACCEPTED,
            decided_by=None if person == 6 else DecidedBy.PERSON,
            edits=person,
            lines=3,
        )


def cells(counts: UsageCounts) -> list[str]:
    """Return the cells of a row as a spreadsheet shows them; unknown ones are empty."""
    tokens, edits = counts.tokens, counts.edits
    found: list[object] = [counts.people, counts.agent_sessions, counts.answers]
    found += [getattr(tokens, kind) if tokens else None for kind in TOKEN_KINDS]
    if edits is None:
        found += [None] * (len(AMOUNTS) - len(found))
    else:
        rate = edits.accept_rate
        for one in (edits.by_people, edits.automatic, edits.unknown):
            found += [one.accepted, one.refused]
        found += [edits.failed, edits.lines_suggested, edits.lines_accepted]
        found += [rate.at_least, rate.at_most] if rate else [None, None]
    return ["" if one is None else str(one) for one in found]


@given(
    since=st.dates(FIRST - timedelta(days=3), LAST),
    until=st.dates(LAST - timedelta(days=2), LAST),
    by=st.sampled_from(UsageBy),
    agent=st.sampled_from([None, "codex", "claude-code"]),
)
@searched(30)
def test_every_cell_is_that_of_a_recount(
    place: Place, since: date, until: date, by: UsageBy, agent: str | None
) -> None:
    since = min(since, until)
    asked = {"since": since.isoformat(), "until": until.isoformat(), "by": by.value}
    answer = place.signed_in("admin").get(
        CSV, query_string=asked | ({"agent": agent} if agent else {})
    )
    assert answer.status_code == 200, answer.text
    head, *rows = csv.reader(io.StringIO(answer.text, newline=""))
    assert head == [by.value, *AMOUNTS]
    every = counting(place.store.usage.rows(place.installed.id))
    found = [one for one in between(every, since, until) if agent in {None, one.row.agent}]
    assert {row[0]: row[1:] for row in rows} == dict(expected(found, by, since, until))


def expected(
    rows: list[Any], by: UsageBy, since: date, until: date
) -> Iterable[tuple[str, list[str]]]:
    tokens = [one for one in rows if isinstance(one.row, TokenDay)]
    edits = [one for one in rows if isinstance(one.row, DecisionDay)]
    if by is UsageBy.PERSON:
        for person in {one.person for one in rows}:
            own = [one for one in rows if one.person == person]
            yield f"p{person}", cells(plain(own, least=1))
    elif by is UsageBy.TOOL:
        yield from shown(parts(rows, lambda one: one.row.agent, of_agents=True))
    elif by is UsageBy.MODEL:
        named = parts(tokens, lambda one: one.row.model, of_agents=False)  # type: ignore[union-attr]
        yield from shown({"'" + name if name[0] == "=" else name: of for name, of in named.items()})
    elif by is UsageBy.LANGUAGE:
        yield from shown(parts(edits, lambda one: one.row.language, of_agents=False))  # type: ignore[union-attr]
    elif by is not UsageBy.TEAM:
        grain = TimeGrain(by.value)
        start = grain.start(since)
        periods = {}
        while rows and start <= until:
            periods[start] = between(rows, start, grain.next(start) - timedelta(days=1))
            start = grain.next(start)
        counts = {
            one: plain(own) if own else UsageCounts(agent_sessions=0)
            for one, own in periods.items()
        }
        for one, own_counts in without_told(periods, counts).items():
            yield one.isoformat(), cells(own_counts)


def shown(of: dict[str, UsageCounts]) -> Iterator[tuple[str, list[str]]]:
    for name, counts in of.items():
        yield name, cells(counts)


def test_a_repository_exports_its_own_usage(place: Place) -> None:
    answer = place.signed_in("reader").get("/api/repositories/acme/app/usage.csv?by=person")
    people = {row[0] for row in csv.reader(io.StringIO(answer.text))}
    assert people == {"person", *(f"p{one}" for one in PEOPLE if one % 2)}
    assert answer.headers["Content-Disposition"] == 'attachment; filename="usage-by-person.csv"'


@pytest.mark.parametrize("query", ["by=year", "verdict=assisted", "grain=week", "since=never"])
def test_what_usage_has_not_is_refused(place: Place, query: str) -> None:
    answer = place.signed_in("admin").get(f"{CSV}?{query}")
    assert answer.status_code == 400
    assert "invalid query" in answer.text


def test_names_to_be_mapped_are_for_owners(place: Place) -> None:
    who = UsageIdentity(IdentityKind.END_USER, "@SUM(1)")
    add(place.store, UsageOrigin(place.installed.id, UsageSource.EVENTS, who), [])
    path = "/api/organizations/acme/usage/identities.csv"
    assert place.signed_in("member").get(path).status_code == 403
    text = place.signed_in("admin").get(path).text
    assert text == "kind,value,login\r\nend_user,'@SUM(1),\r\n"
