"""How a pull request came to its merge, and what its base branch became."""

from datetime import timedelta

import pytest

import ghapp.github.timeline
from ghapp.demo.sandbox import HubPull
from ghapp.github.timeline import later_commits, read_timeline, removed_lines, tip_at
from tests.github.place import START, Place

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def pull(place: Place) -> HubPull:
    """Give an open pull request of two commits, the first of which is older."""
    sandbox, repository = place.sandbox, place.repository
    sandbox.commit(repository, {"a.py": "x\ny\n"}, branch="work", at=START - 2 * HOUR)
    made = sandbox.open_pull(repository, branch="work", author="dev", at=START)
    sandbox.push_to_pull(made, {"a.py": "x\nz\n"}, at=START + HOUR / 4)
    return made


def test_without_a_merge_there_is_none(place: Place, pull: HubPull) -> None:
    assert read_timeline(place.github, pull.number) is None


def test_it_says_when_what_happened(place: Place, pull: HubPull) -> None:
    for hours, author, state in (
        (0.5, "dev", "COMMENTED"),
        (1, "other", "CHANGES_REQUESTED"),
        (2, "third", "CHANGES_REQUESTED"),
        (2.5, "other", "APPROVED"),
    ):
        place.sandbox.add_review(pull, author, state, at=START + hours * HOUR)
    place.sandbox.merge(pull, at=START + 3 * HOUR)
    found = read_timeline(place.github, pull.number)
    assert found is not None
    assert (found.opened_at, found.merged_at) == (START, START + 3 * HOUR)
    assert found.first_commit_at == START - 2 * HOUR
    assert (found.first_review_at, found.review_rounds) == (START + HOUR, 3)
    assert (found.base_ref, found.head_sha) == ("main", pull.head_sha)
    assert (found.merge_commit, found.changed_lines) == (pull.merge_commit_sha, 2)
    assert len(found.commits) == 2
    assert found.commits[-1] == pull.head_sha


def test_the_authors_own_words_and_a_bots_are_no_review(place: Place, pull: HubPull) -> None:
    place.sandbox.add_review(pull, "dev", "COMMENTED")
    place.sandbox.add_review(pull, place.app.app.bot.login, "CHANGES_REQUESTED")
    place.sandbox.merge(pull)
    found = read_timeline(place.github, pull.number)
    assert found is not None
    assert (found.first_review_at, found.review_rounds) == (None, 0)


def test_later_commits_are_those_of_the_span(place: Place) -> None:
    for number in range(4):
        at = START + number * DAY
        place.sandbox.commit(place.repository, {"a.py": f"{number}\n"}, message=f"{number}", at=at)
    found = later_commits(place.github, "main", START + DAY, START + 2 * DAY)
    assert found is not None
    assert [one.message for one in found] == ["2", "1"]


def test_of_a_busy_branch_nothing_is_known(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ghapp.github.timeline, "MOST_LATER", 2)
    for number in range(3):
        at = START + number * HOUR
        place.sandbox.commit(place.repository, {"a.py": f"{number}\n"}, at=at)
    end = START + DAY
    assert later_commits(place.github, "main", START + HOUR, end) is not None
    assert later_commits(place.github, "main", START - HOUR, end) is None


def test_the_tip_is_the_latest_commit_before_a_time(place: Place) -> None:
    old = place.sandbox.commit(place.repository, {"a.py": "1\n"}, at=START + HOUR)
    new = place.sandbox.commit(place.repository, {"a.py": "2\n"}, at=START + 3 * HOUR)
    assert tip_at(place.github, "main", START + 2 * HOUR) == old
    assert tip_at(place.github, "main", START + 4 * HOUR) == new
    assert tip_at(place.github, "main", START - DAY) is None


def test_removed_lines_are_those_of_the_old_path(place: Place) -> None:
    text = "".join(f"line {number}\n" for number in range(20))
    place.sandbox.commit(place.repository, {"old.py": text, "gone.py": "g\n", "b": b"\0"})
    sha = place.sandbox.commit(
        place.repository,
        {"old.py": None, "new.py": text.replace("line 3\n", "3\n"), "gone.py": None, "b": b"\0\1"},
    )
    assert removed_lines(place.github, sha) == {"old.py": {"line 3"}, "gone.py": {"g"}, "b": set()}
