"""How many merges an hour may bring: the most of three that are known, and audits that are due."""

from datetime import timedelta

from ghapp.attribution.model import Verdict
from ghapp.store import Installation, MergeRate, Repository, Store, WorkKind, WorkRequest
from tests.store.records import DAY, MINUTE, NOW, document

OURS, OTHERS = 7, 8


def found(store: Store) -> None:
    """Let two installations have a repository each: 42 and 43."""
    for installation, repository in ((OURS, 42), (OTHERS, 43)):
        store.installations.seen(Installation(id=installation, account=f"a{installation}"), now=NOW)
        known = Repository(
            id=repository, owner=f"a{installation}", name="shop", installation_id=installation
        )
        store.installations.repository_seen(known, now=NOW)


def merged(store: Store, number: int, ago: timedelta, verdict: Verdict, *, where: int = 42) -> None:
    """Store an audit of a pull request that was merged some time ago."""
    made = document(pull_request=number, merged_at=NOW - ago, verdict=verdict)
    store.audits.save(where, number, made, now=NOW)


def test_an_hour_to_come_is_the_most_of_three_that_are_known(store: Store) -> None:
    found(store)
    assert store.merge_rates.expected(OURS, NOW) == MergeRate(merged=0, assisted=0)
    for number in range(3):
        merged(store, number, 40 * MINUTE, Verdict.ASSISTED)
    assert store.merge_rates.expected(OURS, NOW) == MergeRate(merged=3, assisted=3)
    merged(store, 3, 10 * MINUTE, Verdict.NOT_ASSISTED)
    merged(store, 4, 11 * MINUTE, Verdict.NO_EVIDENCE)
    # Two in a quarter of an hour: eight in an hour.
    assert store.merge_rates.expected(OURS, NOW) == MergeRate(merged=8, assisted=3)
    for number in range(5, 15):
        merged(store, number, DAY - 30 * MINUTE, Verdict.ASSISTED)
    assert store.merge_rates.expected(OURS, NOW) == MergeRate(merged=10, assisted=10)
    merged(store, 99, 5 * MINUTE, Verdict.ASSISTED, where=43)
    assert store.merge_rates.expected(OTHERS, NOW) == MergeRate(merged=4, assisted=4)


def test_audits_that_are_due_are_expected_with_the_share_of_the_day(sqlite_store: Store) -> None:
    found(sqlite_store)
    merged(sqlite_store, 1, 5 * 60 * MINUTE, Verdict.ASSISTED)
    merged(sqlite_store, 2, 5 * 60 * MINUTE, Verdict.NOT_ASSISTED)
    requests = [
        WorkRequest.for_pull(WorkKind.AUDIT, OURS, 42, number, at=NOW - MINUTE, why="merged")
        for number in range(10, 15)
    ]
    sqlite_store.work.enqueue_all(requests, now=NOW - MINUTE)
    assert sqlite_store.merge_rates.expected(OURS, NOW) == MergeRate(merged=5, assisted=3)
