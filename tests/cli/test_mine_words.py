"""What `ghapp mine` says: unknown is a sign and a sentence, a part is a floor."""

from datetime import UTC, date, datetime

import pytest

from ghapp.cli.mine_words import LEGEND, SentWork, cells, headline, notes, rows_by_agent, sent_lines
from ghapp.cli.mine_words import rows_by_repository as rows
from ghapp.collector.state import CollectorState
from ghapp.mine.own_work import AgentWork, OwnWork, RepositoryWork, WorkCounts

NONE = WorkCounts(agent_sessions=0, edits=0, lines=0, merged=0, standing=0)


def counts(merged: int | None, standing: int | None) -> WorkCounts:
    return WorkCounts(agent_sessions=1, edits=2, lines=1_000, merged=merged, standing=standing)


def work(whole: WorkCounts, *parts: RepositoryWork) -> OwnWork:
    agent = AgentWork(agent="codex", model=None, counts=whole)
    return OwnWork(
        since=date(2026, 5, 1),
        until=date(2026, 5, 31),
        counts=whole,
        by_repository=parts,
        by_agent=(agent,),
        read=(),
        unread=(),
    )


def part(name: str | None, some: WorkCounts, unknown: str | None = None) -> RepositoryWork:
    return RepositoryWork(repository=name, branch=None, counts=some, unknown=unknown)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (work(NONE), "No line of an agent is recorded here in these days."),
        (work(counts(None, None), part(None, counts(None, None), "gone")), "is unknown"),
        (work(counts(7, 5), part("a", counts(7, 5))), "7 lines merged; 5 of them still stand."),
        (work(counts(7, None), part("a", counts(7, None))), "7 lines merged."),
        (
            work(counts(7, 5), part("a", counts(7, 5)), part(None, counts(None, None), "gone")),
            "At least 7 lines merged; 5 of them still stand.",
        ),
    ],
)
def test_the_headline_never_takes_unknown_for_none(found: OwnWork, said: str) -> None:
    first, second = headline(found)
    assert "from 2026-05-01 to 2026-05-31." in first
    assert said in second


def test_a_row_shows_what_is_unknown_as_such_and_a_note_says_why() -> None:
    found = work(counts(7, 5), part("acme/a", counts(7, 5)), part(None, counts(None, None), "gone"))
    assert cells(counts(None, None)) == ["1", "2", "1,000", "?", "?"]
    assert [name for name, _ in rows(found)] == ["acme/a", "(outside any clone)"]
    assert rows_by_agent(found)[0][0].startswith("Codex, model")
    assert notes(found) == [LEGEND, "(outside any clone): gone"]


def test_what_was_sent_is_said_with_when_and_what_waits() -> None:
    assert "not enrolled" in sent_lines(SentWork(None, CollectorState(), None))[0]
    state = CollectorState(
        sent=1_200, sent_at=datetime(2026, 5, 20, 12, tzinfo=UTC), problem="the app is away"
    )
    members = {"login": "ann", "queued": {"events": 3}, "paused": [1]}
    assert sent_lines(SentWork(members, state, "https://audits.example.com")) == [
        "as ann to https://audits.example.com",
        "1,200 edits as fingerprints, the last 2026-05-20 12:00 UTC",
        "not sent yet: 3 events",
        "some of it is paused",
        "problem: the app is away",
    ]
