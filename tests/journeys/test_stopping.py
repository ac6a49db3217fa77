"""SIGTERM to each process: it finishes its work or releases it at once; nothing waits."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ghapp.demo.sandbox import HubPull
from ghapp.github.webhooks import sign
from ghapp.jobs.perform import GIVEN_BACK
from ghapp.serve.programs import ChildProgram, WatchedChild
from ghapp.store import WorkEnd, WorkState
from tests.journeys.running import Place
from tests.waiting import START_SECONDS

FILES = "/repos/{owner}/{repo}/pulls/{pull_number}/files"


@pytest.fixture
def live(app_place: Place) -> Place:
    """Return a place whose app runs, but for the worker: each test has one of its own."""
    app_place.move_on()
    app_place.app.start("valkey", "web", "scheduler")
    return app_place


def worker(place: Place, *, finish_within: float) -> subprocess.Popen[bytes]:
    """Start the live worker, with another time for what it has begun when it is asked to stop.

    The usual 6 seconds are either too long to wait for, or too short for a busy machine.
    """
    script = (
        "import sys\nimport workers.__main__ as worker\n"
        f"worker.FINISH_WITHIN = {finish_within}\nsys.exit(worker.main(['live']))"
    )
    program = ChildProgram("worker-live", (sys.executable, "-c", script))
    place.app.children["worker-live"].stop(time.monotonic())
    child = place.app.children["worker-live"] = WatchedChild(program, place.app.environment)
    child.start(time.monotonic())
    assert child.process is not None
    return child.process


def in_work(place: Place) -> HubPull:
    """Start the audit of a pull request whose files GitHub does not list yet."""
    place.agent_wrote()
    place.hold("GET", FILES)
    pull = place.merged()
    place.sandbox.deliver_closed(pull)
    place.wait_until_held()
    return pull


def test_a_worker_finishes_what_it_can(live: Place) -> None:
    process = worker(live, finish_within=600)
    pull = in_work(live)
    process.terminate()
    live.let_go()
    process.wait(START_SECONDS)
    (item,) = (one for one in live.items(pull) if one.kind == "audit")
    assert (item.outcome, item.taken) == (WorkEnd.DONE, 1)


def test_a_signal_to_the_worker_and_its_fork_at_once_lets_it_finish(live: Place) -> None:
    process = worker(live, finish_within=600)
    pull = in_work(live)
    (fork,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for pid in (int(fork), process.pid):
        os.kill(pid, signal.SIGTERM)  # as systemd does
    live.let_go()
    process.wait(START_SECONDS)
    (item,) = (one for one in live.items(pull) if one.kind == "audit")
    assert (item.outcome, item.taken) == (WorkEnd.DONE, 1)


def test_a_worker_gives_back_what_it_cannot_finish(live: Place) -> None:
    process = worker(live, finish_within=0.2)
    pull = in_work(live)
    process.terminate()
    process.wait(START_SECONDS)
    (item,) = live.items(pull)
    assert (item.state, item.attempts, item.why) == (WorkState.WAITING, 0, GIVEN_BACK)
    live.let_go()
    worker(live, finish_within=600)
    item = live.wait_until_settled(pull)
    assert (item.outcome, item.taken) == (WorkEnd.DONE, 2)
    seen = live.sandbox.visible(pull)
    assert (len(seen.check_runs), len(seen.comments)) == (1, 1)


def test_the_web_door_answers_whoever_is_in_it(live: Place) -> None:
    body = b'{"zen": "Keep it logically awesome."}'
    address = urlsplit(live.app.environment["GHAPP_PUBLIC_URL"])
    head = (
        "POST /webhooks/github HTTP/1.1\r\nHost: app\r\nContent-Type: application/json\r\n"
        "Expect: 100-continue\r\n"
        "Connection: close\r\n"
        f"Content-Length: {len(body)}\r\nX-GitHub-Event: ping\r\nX-GitHub-Delivery: guid-ping\r\n"
        f"X-Hub-Signature-256: {sign(body, str(live.registered.app.webhook_secret))}\r\n\r\n"
    )
    with socket.create_connection(
        (str(address.hostname), address.port or 80), START_SECONDS
    ) as client:
        client.sendall(head.encode())
        # It says so as soon as it has read the head.
        assert client.recv(200).startswith(b"HTTP/1.1 100 ")
        client.sendall(body[:10])
        web = live.app.children["web"]
        web.ask_to_stop()
        # Nothing shows when the signal has arrived; if it is late, this test only asks less.
        time.sleep(0.2)
        client.sendall(body[10:])
        answer = b""
        while new := client.recv(4096):
            answer += new
    # It may say once more that it waits for the body.
    assert re.search(rb"^HTTP/1\.1 202 ", answer, re.MULTILINE)
    assert web.process is not None
    web.process.wait(START_SECONDS)
    assert live.store.deliveries.one("guid-ping") is not None


def test_the_scheduler_ends_between_two_looks(live: Place) -> None:
    scheduler = live.app.children["scheduler"]
    scheduler.ask_to_stop()
    assert scheduler.process is not None
    assert scheduler.process.wait(START_SECONDS) == 0
