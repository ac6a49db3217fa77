"""SIGTERM to each process: it finishes its work or releases it at once; nothing waits."""

import os
import re
import signal
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

from ghapp.demo.sandbox import Fault, FaultKind, HubPull
from ghapp.github.webhooks import sign
from ghapp.jobs.perform import GIVEN_BACK
from ghapp.serve import GRACE
from ghapp.store import WorkEnd, WorkState
from tests.journeys.running import Place, wait_for

PULL = "/repos/{owner}/{repo}/pulls/{pull_number}"
FILES = "/repos/{owner}/{repo}/pulls/{pull_number}/files"


def in_work(place: Place, *, seconds: float) -> HubPull:
    """Start the audit of a pull request whose files GitHub lists this slowly."""
    place.agent_wrote()
    place.sandbox.play(Fault(FaultKind.SLOW, method="GET", route=FILES, seconds=seconds))
    pull = place.merged()
    place.sandbox.deliver_closed(pull)
    wait_for(lambda: PULL in {one.template for one in place.sandbox.exchanges}, "the audit's start")
    return pull


def stop(place: Place, name: str) -> None:
    """Ask a process to stop; fail if it would have to be killed."""
    child = place.app.children[name]
    assert child.process is not None
    child.ask_to_stop()
    child.process.wait(GRACE)


def test_a_worker_finishes_what_it_can(live: Place) -> None:
    pull = in_work(live, seconds=0.5)
    stop(live, "worker-live")
    (item,) = (one for one in live.items(pull) if one.kind == "audit")
    assert (item.outcome, item.taken) == (WorkEnd.DONE, 1)


def test_a_signal_to_the_worker_and_its_fork_at_once_lets_it_finish(live: Place) -> None:
    pull = in_work(live, seconds=2)
    worker = live.app.children["worker-live"].process
    assert worker is not None
    (fork,) = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
    for pid in (int(fork), worker.pid):
        os.kill(pid, signal.SIGTERM)  # as systemd does
    worker.wait(GRACE)
    (item,) = (one for one in live.items(pull) if one.kind == "audit")
    assert (item.outcome, item.taken) == (WorkEnd.DONE, 1)


def test_a_worker_gives_back_what_it_cannot_finish(live: Place) -> None:
    pull = in_work(live, seconds=15)
    stop(live, "worker-live")
    (item,) = live.items(pull)
    assert (item.state, item.attempts, item.why) == (WorkState.WAITING, 0, GIVEN_BACK)
    live.app.start("worker-live")
    item = live.wait_until_settled(pull)
    assert (item.outcome, item.taken) == (WorkEnd.DONE, 2)
    seen = live.sandbox.visible(pull)
    assert (len(seen.check_runs), len(seen.comments)) == (1, 1)


def test_the_web_door_answers_whoever_is_in_it(live: Place) -> None:
    body = b'{"zen": "Keep it logically awesome."}'
    address = urlsplit(live.app.environment["GHAPP_PUBLIC_URL"])
    head = (
        "POST /webhooks/github HTTP/1.1\r\nHost: app\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nX-GitHub-Event: ping\r\nX-GitHub-Delivery: guid-ping\r\n"
        f"X-Hub-Signature-256: {sign(body, str(live.registered.app.webhook_secret))}\r\n\r\n"
    )
    with socket.create_connection((str(address.hostname), address.port or 80), 10) as client:
        client.sendall(head.encode() + body[:10])
        time.sleep(0.5)
        web = live.app.children["web"]
        web.ask_to_stop()
        time.sleep(0.5)
        client.sendall(body[10:])
        answer = client.recv(200).decode()
    assert re.match(r"HTTP/1\.1 202 ", answer)
    assert web.process is not None
    web.process.wait(GRACE)
    assert live.store.deliveries.one("guid-ping") is not None


def test_the_scheduler_ends_between_two_looks(live: Place) -> None:
    stop(live, "scheduler")
