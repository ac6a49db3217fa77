"""Buttons of check runs: each finds the merged pull request that it is about, and no other."""

import pytest

from ghapp.demo.sandbox import Fault, FaultKind, HubPull
from tests.faults.place import Place

RUNS = "/repos/{owner}/{repo}/commits/{ref}/check-runs"


def audited(place: Place, *, from_fork: bool = False) -> HubPull:
    place.agent_wrote()
    pull = place.merged(from_fork=from_fork)
    place.sandbox.deliver_closed(pull)
    place.work()
    return pull


def again(place: Place) -> dict[int, int]:
    """Return how often each pull request was audited again."""
    found: dict[int, int] = {}
    for number in place.repository.pulls:
        items = place.store.work.of(place.repository.id, number)
        found[number] = sum(item.kind == "audit_again" for item in items)
    return found


@pytest.mark.parametrize("from_fork", [False, True], ids=["own", "fork"])
def test_all_checks_of_a_merged_pull_request_run_again(
    place_on_each: Place, *, from_fork: bool
) -> None:
    place = place_on_each
    pull = audited(place, from_fork=from_fork)
    (run,) = place.sandbox.visible(pull).check_runs
    # GitHub would name this one: it is open and has the same head.
    other = place.sandbox.open_pull(place.repository, branch="copy")
    other.head_sha = pull.head_sha
    (told,) = place.sandbox.deliver_suite(place.repository, run.suite, "dev")
    assert b'"number":2' in told.body.replace(b" ", b""), "the stand-in names the open one"
    place.work()
    assert again(place) == {pull.number: 1, other.number: 0}
    assert not run.suite.rerequested
    place.expect_finished(pull)


def test_two_merged_pull_requests_of_one_head_both_run_again(place: Place) -> None:
    first = audited(place)
    second = place.sandbox.open_pull(place.repository, branch="copy")
    second.head_sha = first.head_sha
    place.sandbox.merge(second)
    place.pulls.append(second)
    place.sandbox.deliver_closed(second)
    place.work()
    runs = place.sandbox.visible(first).check_runs
    assert len(runs) == 2
    place.sandbox.deliver_suite(place.repository, runs[0].suite, "dev")
    place.work()
    assert again(place) == {first.number: 1, second.number: 1}


def test_a_list_of_runs_that_fails_is_asked_again(place: Place) -> None:
    pull = audited(place)
    (run,) = place.sandbox.visible(pull).check_runs
    place.sandbox.play(Fault(FaultKind.SERVER_ERROR, route=RUNS, status=502, times=7))
    place.sandbox.deliver_suite(place.repository, run.suite, "dev")
    place.work()
    assert again(place) == {pull.number: 1}
    place.expect_good_manners()
