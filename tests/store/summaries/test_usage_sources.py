"""How complete each source is, counted again from raw edits and raw rows of usage."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ghapp.store import EditSender, Installation, Repository, Store, UsageOrigin
from ghapp.store.summaries.usage_sources import SourceQuestions
from ghapp.usage.answers import TokenCounts
from ghapp.usage.days import NO_TOOL, UNNAMED_SESSION, DecisionDay, TokenDay, UsageRow
from ghapp.usage.decisions import EditDecision
from ghapp.usage.sources import IdentityKind, UsageIdentity, UsageSource
from tests.searching import searched
from tests.store.plain_usage import add
from tests.store.records import NOW, edit

DAYS = tuple(NOW.date() - timedelta(days=one) for one in range(3))
SESSIONS = ("s1", "s2", UNNAMED_SESSION)
AGENTS = ("claude-code", "codex")
numbers = itertools.count(9_000)

edits = st.tuples(
    *(st.integers(0, 1), st.sampled_from(DAYS), st.sampled_from(AGENTS), st.sampled_from(SESSIONS))
)
rows = st.tuples(
    *(st.integers(1, 3), st.sampled_from(UsageSource), st.sampled_from(["2.1.1", None])),
    *(st.sampled_from(DAYS), st.sampled_from(AGENTS), st.sampled_from(SESSIONS), st.booleans()),
)


def usage_row(day: date, agent: str, name: str, version: str | None, *, is_edit: bool) -> UsageRow:
    head: dict[str, Any] = {"agent": agent, "agent_session": name, "day": day}
    if is_edit:
        return DecisionDay(
            **head,
            tool=NO_TOOL,
            language=None,
            decision=EditDecision.ACCEPTED,
            decided_by=None,
            edits=0,
            lines=1,
            agent_version=version,
        )
    return TokenDay(**head, tokens=TokenCounts(output=1), answers=1, agent_version=version)


@given(
    edited=st.lists(edits, max_size=12),
    sent=st.lists(rows, max_size=12),
    places=st.sampled_from([(0,), (1,), (0, 1)]),
    span=st.sampled_from([(2, 0), (1, 0), (2, 1), (0, 0)]),
)
@searched(15)
def test_how_complete_a_source_is_is_that_of_a_recount(
    store: Store, edited: list[Any], sent: list[Any], places: tuple[int, ...], span: tuple[int, int]
) -> None:
    number = next(numbers)
    store.installations.seen(Installation(id=number, account=f"acme-{number}"), now=NOW)
    ids = (number * 10, number * 10 + 1)
    for place in ids:
        seen = Repository(id=place, owner=f"acme-{number}", name=str(place), installation_id=number)
        store.installations.repository_seen(seen, now=NOW)
    for place, day, agent, name in edited:
        at = datetime.combine(day, time(12), UTC)
        made = edit(f"{day}-{agent}-{name}", at=at, actor="ann", agent=agent, agent_session=name)
        store.evidence.add(ids[place], [made], now=NOW, sender=EditSender())
    for person, source, version, day, agent, name, is_edit in sent:
        who = UsageIdentity(IdentityKind.ACCOUNT, str(person))
        origin = UsageOrigin(number, source, who, login=f"p{person}")
        add(store, origin, [usage_row(day, agent, name, version, is_edit=is_edit)])
    store.usage.settle()

    since, until = (DAYS[one] for one in span)
    chosen = [ids[one] for one in places]
    found = SourceQuestions(store.database).coverage(number, chosen, since, until)

    asked = {
        (day, agent, name)
        for place, day, agent, name in edited
        if place in places and name and since <= day <= until
    }
    told = {
        source: {(day, agent, name) for _, one, _, day, agent, name, _ in sent if one is source}
        for source in UsageSource
    }
    assert found.agent_sessions == len(asked)
    assert found.covered == len(asked & set[Any]().union(*told.values()))
    own = {source: len(asked & told[source]) for source in UsageSource}
    assert found.by_source == {source: count for source, count in own.items() if count}
    assert {
        (source, one.agent, one.version) for source, all_ in found.versions.items() for one in all_
    } == {
        (source, agent, version)
        for _, source, version, day, agent, _, _ in sent
        if since <= day <= until
    }
