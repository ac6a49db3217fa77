"""Each kind of fault once: in the end everything exists exactly once.

The faults of a request are GitHub's, so one database serves; `test_machine` plays them on both.
Deaths and deliveries are tried on both, because there a transaction or a constraint decides.
"""

from functools import partial
from typing import Any

import pytest

from ghapp.demo.sandbox import Fault, FaultKind
from ghapp.jobs.perform import LEASE
from ghapp.store import WorkEnd
from tests.faults.place import LAG, Place, WorkerDied

PULL = "/repos/{owner}/{repo}/pulls/{pull_number}"
FILES = "/repos/{owner}/{repo}/pulls/{pull_number}/files"
COMMENTS = "/repos/{owner}/{repo}/issues/{issue_number}/comments"
LABELS = "/repos/{owner}/{repo}/issues/{issue_number}/labels"
RUNS = "/repos/{owner}/{repo}/check-runs"
LIST_RUNS = "/repos/{owner}/{repo}/commits/{ref}/check-runs"
TOKENS = "/app/installations/{installation_id}/access_tokens"

WRITES = {"comment": COMMENTS, "label": LABELS, "check_run": RUNS}


def _of_writes() -> dict[str, tuple[Fault, ...]]:
    kinds = (
        FaultKind.BAD_GATEWAY_BEFORE,
        FaultKind.BAD_GATEWAY_AFTER,
        FaultKind.CUT_OFF_BEFORE,
        FaultKind.CUT_OFF_AFTER,
    )
    return {
        f"{kind.value}-{name}": (Fault(kind, method="POST", route=route),)
        for kind in kinds
        for name, route in WRITES.items()
    }


def _limit(kind: FaultKind, method: str, route: str, **members: Any) -> tuple[Fault, ...]:
    return (Fault(kind, method=method, route=route, **members),)


REQUESTS: dict[str, tuple[Fault, ...]] = {
    **_of_writes(),
    "twice-502-after-comment": (
        Fault(FaultKind.BAD_GATEWAY_AFTER, method="POST", route=COMMENTS),
        Fault(FaultKind.SERVER_ERROR, method="GET", route=COMMENTS, status=502, after=1, times=3),
    ),
    "stale-list-after-502": (
        Fault(FaultKind.BAD_GATEWAY_AFTER, method="POST", route=COMMENTS),
        Fault(FaultKind.STALE_READ, method="GET", route=COMMENTS, after=1, times=1, seconds=LAG),
    ),
    "500-files": (Fault(FaultKind.SERVER_ERROR, route=FILES, status=500, times=5),),
    "503-pull": (Fault(FaultKind.SERVER_ERROR, route=PULL, status=503, times=2),),
    "502-token": (Fault(FaultKind.BAD_GATEWAY_BEFORE, route=TOKENS),),
    "primary-403": _limit(FaultKind.PRIMARY_LIMIT, "GET", FILES, status=403, seconds=900),
    "primary-429": _limit(FaultKind.PRIMARY_LIMIT, "GET", FILES, status=429, seconds=900),
    "secondary-403": _limit(FaultKind.SECONDARY_LIMIT, "GET", PULL, status=403),
    "secondary-429": _limit(FaultKind.SECONDARY_LIMIT, "GET", PULL, status=429),
    "secondary-403-retry-after": _limit(
        FaultKind.SECONDARY_LIMIT, "POST", COMMENTS, status=403, retry_after=30
    ),
    "secondary-429-retry-after": _limit(
        FaultKind.SECONDARY_LIMIT, "POST", RUNS, status=429, retry_after=30
    ),
    "limit-of-the-app": _limit(
        FaultKind.SECONDARY_LIMIT, "POST", TOKENS, status=403, retry_after=5
    ),
    "404-after-the-event": (Fault(FaultKind.NOT_FOUND, route=PULL, times=2),),
    "stale-pull": (Fault(FaultKind.STALE_READ, route=PULL, times=2, seconds=LAG),),
    "token-expires-reading": (Fault(FaultKind.TOKEN_EXPIRED, route=FILES),),
    "token-expires-writing": (Fault(FaultKind.TOKEN_EXPIRED, method="POST", route=COMMENTS),),
    "token-expires-for-good": (Fault(FaultKind.TOKEN_EXPIRED, method="POST", route=RUNS, times=3),),
    "slow": (Fault(FaultKind.SLOW, route=FILES, seconds=0.2),),
    "cut-off-reading": (Fault(FaultKind.CUT_OFF_BEFORE, method="GET", route=LIST_RUNS, times=4),),
}
"""Case → what goes wrong during the audit of one pull request."""


@pytest.mark.parametrize("case", REQUESTS)
def test_a_fault_of_a_request_leaves_everything_once(place: Place, case: str) -> None:
    place.agent_wrote()
    place.sandbox.play(*REQUESTS[case])
    pull = place.merged()
    place.sandbox.deliver_closed(pull)
    place.work()
    assert place.open_items() == []
    assert place.last(pull).outcome is WorkEnd.DONE
    place.expect_finished()
    place.sandbox.faults.clear()
    place.expect_a_second_run_to_write_nothing()


def test_a_death_before_the_ledger_and_stale_lists_leave_everything_once(
    place_on_each: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_on_each

    def dies(*_: object) -> None:
        raise WorkerDied

    place.agent_wrote()
    pull = place.merged()
    place.sandbox.deliver_closed(pull)
    with monkeypatch.context() as dying:
        dying.setattr("ghapp.publishers.ledger.record", dies)
        with pytest.raises(WorkerDied):
            place.work()
    stale = partial(Fault, FaultKind.STALE_READ, method="GET", times=None, seconds=LAG)
    place.sandbox.play(stale(route=COMMENTS), stale(route=LIST_RUNS))
    place.clock.now += LEASE
    place.work()
    assert place.last(pull).outcome is WorkEnd.DONE
    place.expect_finished()


DELIVERIES: dict[str, FaultKind] = {
    kind.value: kind
    for kind in (
        FaultKind.DUPLICATE,
        FaultKind.HELD,
        FaultKind.FAILED,
        FaultKind.TIMED_OUT,
        FaultKind.LOST,
        FaultKind.CLOSED_SAYS_OPEN,
    )
}


@pytest.mark.parametrize("case", DELIVERIES)
def test_a_fault_of_a_delivery_loses_nothing(place_on_each: Place, case: str) -> None:
    place = place_on_each
    place.agent_wrote()
    place.chores()
    place.work()
    place.sandbox.play(Fault(DELIVERIES[case], event="pull_request.closed", times=1))
    for pull in (place.merged(), place.merged()):
        place.sandbox.deliver_closed(pull)
    place.work()
    place.chores()
    place.work()
    assert place.open_items() == []
    place.expect_finished()
    assert len(place.store.audits.all_of(place.repository.id)) == 2
    place.expect_a_second_run_to_write_nothing()
