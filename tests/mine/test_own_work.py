"""A developer's own work: each edit once, lines that were merged and stand, and what is unknown."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ghapp.mine.own_work import NO_CLONE, OwnWork, WorkCounts, days_before, own_work
from tests.mine.day import CODE, OwnDay, transcript

NOW = datetime(2026, 5, 25, tzinfo=UTC)
MAY = date(2026, 5, 1), date(2026, 5, 31)


@pytest.fixture
def day(tmp_path: Path) -> OwnDay:
    return OwnDay(tmp_path)


def work(day: OwnDay, since: date = MAY[0], until: date = MAY[1]) -> OwnWork:
    said: list[str] = []
    found, usage = own_work([day.records], since, until, NOW, said.append)
    assert said
    assert len(usage.answers) == found.counts.agent_sessions
    return found


def test_lines_are_merged_and_stand_until_somebody_removes_them(day: OwnDay) -> None:
    counted = WorkCounts(agent_sessions=1, edits=1, lines=5, merged=4, standing=4)
    found = work(day)
    assert found.counts == counted
    (repository,) = found.by_repository
    assert (repository.repository, repository.branch) == ("github.com/acme/shop", "main")
    assert (repository.counts, repository.unknown) == (counted, None)
    (agent,) = found.by_agent
    assert (agent.agent, agent.model) == ("claude-code", "claude-opus-4-5")
    assert agent.counts == counted
    changed = CODE.replace("def total(prices):", "def entirely_other_things(x, y, z):")
    day.shop.commit({"src/totals.py": changed}, "By hand (#2)")
    assert (work(day).counts.merged, work(day).counts.standing) == (4, 3)
    day.shop.git("rm", "-q", "src/totals.py")
    day.shop.commit({}, "Remove it (#3)")
    assert work(day).counts.standing == 0


def test_copies_count_once_and_days_select(day: OwnDay) -> None:
    shutil.copytree(day.records / "-shop", day.records / "-copy")
    assert work(day).counts.edits == 1
    none = work(day, date(2026, 5, 21), date(2026, 5, 22)).counts
    assert (none.agent_sessions, none.edits, none.lines) == (0, 0, 0)


def test_without_a_clone_merged_lines_are_unknown_and_not_none(day: OwnDay) -> None:
    shutil.rmtree(day.shop.path)
    found = work(day)
    (repository,) = found.by_repository
    assert (repository.repository, repository.unknown) == (None, NO_CLONE)
    counts = (found.counts.lines, found.counts.merged, found.counts.standing)
    assert counts == (5, None, None)


def test_an_agents_lines_are_unknown_where_all_of_its_edits_are_outside(day: OwnDay) -> None:
    gone = transcript(day.records / "-gone", Path("/home/ann/gone/a.py"), session="1" * 8)
    gone.write_text(gone.read_text().replace("opus", "sonnet"))
    found, _ = own_work([day.records], *MAY, NOW, lambda _: None)
    merged = {one.model: one.counts.merged for one in found.by_agent}
    assert merged == {"claude-opus-4-5": 4, "claude-sonnet-4-5": None}
    assert [one.repository for one in found.by_repository] == ["github.com/acme/shop", None]


def test_what_is_read_and_not_is_said_by_agent(day: OwnDay) -> None:
    day.transcript.write_text(day.transcript.read_text() + '{"type":"user", torn\n')
    found = work(day)
    (agent,) = found.read
    assert (agent.agent, agent.files, agent.edits, agent.unread) == ("claude-code", 1, 1, 1)
    assert len(found.unread) == 1


def test_some_days_end_with_their_last() -> None:
    assert days_before(date(2026, 5, 31), 31) == date(2026, 5, 1)
