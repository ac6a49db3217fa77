"""The outcome of a pull request, read from the sandbox and its git over HTTP."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ghapp.attribution.model import FileVerdict, LineVerdict, Reason
from ghapp.demo.sandbox import HubPull
from ghapp.store import Store
from ghapp.summaries.counts import PullOutcome
from ghapp.upkeep.outcomes import collect_outcomes, reverts, says_fix
from tests.github.place import START, Place, assert_good_manners
from tests.store.records import document

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MERGED = START + 3 * HOUR
ADDED = "one = 1\ntwo = 2\nthree = 3\nfour = 4\n"
ATTRIBUTED = {"src/a.py": (1, 2), "src/b.py": (1,)}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.close()
    assert_good_manners(made)


def merged(place: Place) -> HubPull:
    """Merge a pull request of two files, reviewed twice by another person."""
    sandbox, repository = place.sandbox, place.repository
    sandbox.commit(repository, {"README.md": "# App\n"}, at=START - DAY)
    sandbox.commit(
        repository,
        {"src/a.py": ADDED, "src/b.py": ADDED},
        branch="work",
        message="Add both",
        at=START - 2 * HOUR,
    )
    pull = sandbox.open_pull(repository, branch="work", author="dev", at=START)
    sandbox.add_review(pull, "dev", "COMMENTED", at=START + HOUR / 2)
    sandbox.add_review(pull, "other", "CHANGES_REQUESTED", at=START + HOUR)
    sandbox.add_review(pull, "other", "APPROVED", at=START + 2 * HOUR)
    sandbox.merge(pull, method="squash", at=MERGED)
    return pull


def keep(store: Store, place: Place, pull: HubPull) -> None:
    files = []
    for path, numbers in ATTRIBUTED.items():
        lines = tuple(
            LineVerdict(
                line=number,
                reason=Reason.RUN if number in numbers else Reason.NO_MATCH,
                attributed=number in numbers,
            )
            for number in (1, 2, 3, 4)
        )
        files.append(FileVerdict(path, None, 4, 4, len(numbers), None, lines))
    made = document(MERGED, pull_request=pull.number, files=tuple(files))
    store.audits.save(place.repository.id, pull.number, made, now=MERGED)


def look(store: Store, place: Place, pull: HubPull, now: datetime) -> datetime | None:
    place.clock.now = now
    return collect_outcomes(
        pull.number,
        github=place.github,
        store=store,
        git_cache=place.cache,
        now=now,
    )


def known(store: Store, place: Place, pull: HubPull) -> PullOutcome:
    found = store.outcomes.of(place.repository.id, pull.number)
    assert found is not None
    return found


def test_the_way_to_the_merge_and_what_stands_after(sqlite_store: Store, place: Place) -> None:
    pull = merged(place)
    keep(sqlite_store, place, pull)
    again = look(sqlite_store, place, pull, MERGED + 2 * DAY)
    assert again == MERGED + 30 * DAY + timedelta(minutes=1)
    first = known(sqlite_store, place, pull)
    assert (first.first_commit_at, first.opened_at) == (START - 2 * HOUR, START)
    assert (first.first_review_at, first.review_rounds) == (START + HOUR, 2)
    assert (first.changed_lines, first.attributed_lines, first.other_lines) == (8, 3, 5)
    assert (first.reverted, first.fixed_up, first.attributed_after_30) == (None, None, None)

    fixed = ADDED.replace("two = 2", "two = 22")
    change = {"src/a.py": fixed, "src/c.py": "x = 1\n"}
    place.sandbox.commit(place.repository, change, message="Fix two", at=MERGED + 5 * DAY)
    place.sandbox.commit(
        place.repository, {"src/b.py": None}, message="Drop b", at=MERGED + 40 * DAY
    )
    again = look(sqlite_store, place, pull, MERGED + 31 * DAY)
    assert again == MERGED + 90 * DAY + timedelta(minutes=1)
    month = known(sqlite_store, place, pull)
    assert (month.reverted, month.fixed_up) == (False, True)
    assert (month.attributed_after_30, month.others_after_30) == (2, 5)
    assert month.attributed_after_90 is None

    assert look(sqlite_store, place, pull, MERGED + 91 * DAY) is None
    quarter = known(sqlite_store, place, pull)
    assert (quarter.attributed_after_90, quarter.others_after_90) == (1, 2)
    assert (quarter.attributed_after_30, quarter.others_after_30) == (2, 5)


def test_a_revert_is_told_by_its_message(sqlite_store: Store, place: Place) -> None:
    pull = merged(place)
    keep(sqlite_store, place, pull)
    message = f'Revert "Add both"\n\nThis reverts commit {pull.merge_commit_sha}.'
    gone = {"src/a.py": None, "src/b.py": None}
    place.sandbox.commit(place.repository, gone, message=message, at=MERGED + DAY)
    look(sqlite_store, place, pull, MERGED + 31 * DAY)
    found = known(sqlite_store, place, pull)
    assert (found.reverted, found.fixed_up) == (True, False)
    assert (found.attributed_after_30, found.others_after_30) == (0, 0)


def test_nothing_is_kept_of_what_was_never_audited(sqlite_store: Store, place: Place) -> None:
    pull = merged(place)
    assert look(sqlite_store, place, pull, MERGED + DAY) is None
    assert sqlite_store.outcomes.of(place.repository.id, pull.number) is None


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ('Revert "One (#17)" (#18)', True),
        ('Revert "One"\n\nReverts acme/app#17', True),
        ('Revert "One"\n\nReverts acme/app#170', False),
        ("This reverts commit 0123456.", True),
        ("This reverts commit 7654321.", False),
        ('Revert "Revert "One (#17)"" (#19)', False),
        ("Improve #17", False),
    ],
)
def test_a_message_says_whether_it_reverts(message: str, *, found: bool) -> None:
    assert reverts(message, 17, {"0123456789" * 4}) is found


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("Fix the total", True),
        ("hotfix: round", True),
        ("bugfix", True),
        ("Prefix names", False),
        ("Add\n\nfix", False),
    ],
)
def test_a_subject_says_whether_it_fixes(message: str, *, found: bool) -> None:
    assert says_fix(message) is found
