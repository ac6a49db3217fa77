"""The fault plan: each kind as a client sees it."""

import threading

import pytest
import requests

from ghapp.demo.sandbox import Fault, FaultError, FaultKind
from ghapp.demo.sandbox.faults import FaultPlan
from tests.demo.sandbox.hub import Hub

COMMENTS = "*/issues/{issue_number}/comments"


def _comment(hub: Hub) -> requests.Response:
    return hub.repo("POST", "/issues/1/comments", {"body": "x"})


@pytest.mark.parametrize(("kind", "written"), [("before", 0), ("after", 1)])
def test_a_bad_gateway(hub: Hub, kind: str, written: int) -> None:
    hub.sandbox.play({"kind": f"bad_gateway_{kind}", "method": "POST", "route": COMMENTS})
    assert _comment(hub).status_code == 502
    assert len(hub.pull.comments) == len(hub.sandbox.writes()) == written
    assert _comment(hub).status_code == 201


@pytest.mark.parametrize(("kind", "written"), [("before", 0), ("after", 1)])
def test_a_cut_connection(hub: Hub, kind: str, written: int) -> None:
    hub.sandbox.play({"kind": f"cut_off_{kind}", "method": "POST", "route": COMMENTS})
    with pytest.raises(requests.ConnectionError):
        _comment(hub)
    assert len(hub.pull.comments) == written


@pytest.mark.parametrize("status", [403, 429])
def test_limits_of_every_kind(hub: Hub, status: int) -> None:
    hub.sandbox.play(
        Fault(FaultKind.PRIMARY_LIMIT, route="*/pulls", status=status, seconds=120),
        Fault(FaultKind.SECONDARY_LIMIT, route="*/labels", status=status),
        Fault(FaultKind.SECONDARY_LIMIT, route="*/comments", status=status, retry_after=7),
    )
    primary = hub.repo("GET", "/pulls")
    assert primary.status_code == status
    assert primary.headers["X-RateLimit-Remaining"] == "0"
    reset = int(primary.headers["X-RateLimit-Reset"])
    assert reset == int(hub.clock().timestamp()) + 120
    without = hub.repo("GET", "/labels")
    assert (without.status_code, "Retry-After" in without.headers) == (status, False)
    assert "secondary" in without.json()["message"]
    assert hub.repo("GET", "/issues/1/comments").headers["Retry-After"] == "7"


def test_after_times_and_not_found(hub: Hub) -> None:
    hub.sandbox.play(Fault(FaultKind.NOT_FOUND, route="*/pulls/{pull_number}", after=1, times=2))
    found = [hub.repo("GET", "/pulls/1").status_code for _ in range(4)]
    assert found == [200, 404, 404, 200]


def test_a_stale_replica(hub: Hub) -> None:
    _comment(hub)
    hub.repo("POST", "/issues/1/labels", {"labels": ["new"]})
    hub.sandbox.play(Fault(FaultKind.STALE_READ, method="GET", times=3))
    assert hub.repo("GET", "/pulls/1").json()["merged"] is False
    assert hub.repo("GET", "/issues/1/comments").json() == []
    assert hub.repo("GET", "/issues/1/labels").json() == []
    assert hub.repo("GET", "/pulls/1").json()["merged"] is True


def test_a_token_that_ends_in_mid_job(hub: Hub) -> None:
    hub.repo("GET", "/pulls/1")
    hub.sandbox.play(Fault(FaultKind.TOKEN_EXPIRED, method="POST"))
    assert _comment(hub).status_code == 401
    assert _comment(hub).status_code == 401
    assert hub.repo("GET", token=hub.token()).status_code == 200


def test_the_world_changes_in_mid_job(hub: Hub) -> None:
    assert _comment(hub).status_code == 201
    hub.sandbox.play({"kind": "lock", "method": "POST"})
    assert "locked" in _comment(hub).json()["message"]
    hub.sandbox.play({"kind": "archive", "method": "POST"})
    assert "archived" in _comment(hub).json()["message"]
    hub.sandbox.play({"kind": "suspend"})
    assert "suspended" in hub.repo("GET").json()["message"]
    hub.sandbox.unsuspend(hub.installation)
    hub.sandbox.play({"kind": "delete_repository"})
    assert hub.repo("GET").status_code == 404
    hub.sandbox.play({"kind": "uninstall"})
    assert hub.repo("GET").status_code == 401


def test_slow_answers_hold_up_nobody_else(hub: Hub) -> None:
    hub.repo("GET")
    hub.sandbox.play(Fault(FaultKind.SLOW, route="*/pulls", seconds=1.0))
    asleep, over = threading.Event(), threading.Event()

    def sleep(seconds: float) -> None:
        assert seconds == 1.0
        asleep.set()
        over.wait(60)

    hub.sandbox.faults.sleep = sleep  # type: ignore[method-assign]
    slow = threading.Thread(target=hub.repo, args=("GET", "/pulls"))
    slow.start()
    assert asleep.wait(60)
    hub.repo("GET", "/labels")
    over.set()
    slow.join()
    answered = [one.template for one in hub.sandbox.exchanges[-2:]]
    assert answered == ["/repos/{owner}/{repo}/labels", "/repos/{owner}/{repo}/pulls"]


def test_closing_ends_every_wait(hub: Hub) -> None:
    hub.repo("GET")
    hub.sandbox.play(Fault(FaultKind.SLOW, route="*/pulls", seconds=3600))
    slow = threading.Thread(target=hub.repo, args=("GET", "/pulls"))
    slow.start()
    hub.sandbox.faults.close()
    slow.join(60)
    assert not slow.is_alive()


def test_deliveries_go_wrong(hub: Hub) -> None:
    hub.sandbox.play(
        *({"kind": kind, "event": "pull_request.closed"} for kind in
          ("duplicate", "failed", "timed_out", "lost", "closed_says_open", "held")),
    )  # fmt: skip
    sent = [hub.sandbox.deliver_closed(hub.pull)[0] for _ in range(6)]
    hub.sandbox.deliver_ping(hub.app)
    guids = [one.headers["x-github-delivery"] for one in hub.receiver.received]
    duplicate, failed, timed_out, lost, says_open, held = sent
    assert guids[:2] == [duplicate.guid, duplicate.guid]
    assert (failed.status_code, timed_out.status_code) == (502, 0)
    assert lost.id not in hub.sandbox.world.deliveries
    assert guids[2] == says_open.guid
    assert b'"merged": false' in hub.receiver.received[2].body
    assert hub.receiver.events[-2:] == ["ping", "pull_request.closed"]
    assert guids[-1] == held.guid


def test_a_fault_says_what_it_does_not_know() -> None:
    with pytest.raises(FaultError, match="unknown members"):
        Fault.from_mapping({"kind": "slow", "rout": "*"})
    with pytest.raises(FaultError, match="is not one of"):
        Fault.from_mapping({"kind": "sloow"})


def test_chance_repeats_with_its_seed() -> None:
    def struck(seed: int) -> list[bool]:
        plan = FaultPlan([Fault(FaultKind.SLOW, chance=0.3, times=None)], seed=seed)
        return [plan.for_request("GET", "/app") is not None for _ in range(200)]

    assert struck(1) == struck(1) != struck(2)
    assert 30 < sum(struck(1)) < 90
