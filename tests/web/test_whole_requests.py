"""Slow connections take no thread, and what is wrong on the wire ends in 4xx: under gunicorn."""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ghapp.serve.programs import listen
from ghapp.web.framing import LARGEST_BODY
from tests.cases import TOP

PATIENCE = 60.0
"""Seconds that an answer may take on a busy machine; nothing waits so long."""
MANY = 48
"""More connections than all threads of a process."""
FILES = 260
"""Open files of a process that has few; it keeps 200 of them for other things."""
FEWER = 'ulimit -n "$0" && exec "$@"'
POST = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s"
CHUNKED = b"POST /webhooks/github HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

Address = tuple[str, int]


@contextlib.contextmanager
def serving(application: str, folder: Path, files: int | None = None) -> Iterator[Address]:
    """Yield the address of one web process, started as the app starts its own.

    ``files``: how many it may have open.
    """
    with listen("127.0.0.1", 0) as door:
        command = (sys.executable, "-m", "gunicorn", "--config", "python:ghapp.web.serving")
        bound = ("--bind", f"fd://{door.fileno()}", application)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*(("sh", "-c", FEWER, str(files)) if files else ()), *command, *bound],
                cwd=TOP,
                env={"WEB_CONCURRENCY": "1", "PYTHONPATH": str(TOP)},
                pass_fds=(door.fileno(),),
                stderr=log,
            )
            try:
                yield door.getsockname()
            finally:
                process.kill()
                process.wait()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("web")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[Address]:
    with serving("tests.web.plain:answering", folder) as found:
        yield found


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    with serving("tests.web.plain:hurry()", tmp_path_factory.mktemp("web")) as found:
        yield found


def connected(address: Address, sent: bytes) -> socket.socket:
    client = socket.create_connection(address, timeout=PATIENCE)
    client.sendall(sent)
    return client


def answer(client: socket.socket) -> tuple[int, bytes]:
    """Return the status and the body of the next answer; 0: the connection was closed."""
    with client.makefile("rb") as file:
        line, length = file.readline(), 0
        while (header := file.readline()) not in {b"\r\n", b""}:
            name, _, value = header.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        return (int(line.split()[1]) if line else 0), file.read(length)


def asked(address: Address, sent: bytes) -> tuple[int, bytes]:
    with connected(address, sent) as client:
        return answer(client)


def is_open(address: Address) -> None:
    """Fail unless deliveries and health checks are answered."""
    assert asked(address, POST % (b"/webhooks/github", 3, b"abc")) == (200, b"abc")
    assert asked(address, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n") == (200, b"")


@pytest.mark.parametrize(
    "sent",
    [
        b"G",
        b"POST /webhooks/github HTTP/1.1\r\nHost: a\r\n",
        POST % (b"/webhooks/github", 10, b"abc"),
        CHUNKED + b"3\r\nab",
        b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /late HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    ids=["line", "head", "body", "chunks", "reads_no_answer", "keeps_a_thread"],
)
def test_whatever_slow_connections_do_deliveries_are_taken(tmp_path: Path, sent: bytes) -> None:
    with serving("tests.web.plain:answering", tmp_path) as address, ExitStack() as stack:
        for _ in range(MANY):
            stack.enter_context(connected(address, sent))
        is_open(address)


@pytest.mark.parametrize("sent", [b"", b"G", POST % (b"/", 10, b"abc")])
def test_more_connections_than_files_stop_nobody(tmp_path: Path, sent: bytes) -> None:
    with (
        serving("tests.web.plain:answering", tmp_path, FILES) as address,
        ExitStack() as stack,
    ):
        for _ in range(FILES):
            stack.enter_context(connected(address, sent))
        is_open(address)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"G", 408),
        (POST % (b"/", 10, b"abc"), 408),
        (CHUNKED + b"3\r\nab", 408),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET", 200),
    ],
    ids=["head", "body", "chunks", "second_request"],
)
def test_there_is_a_time_for_each_part_of_a_request(
    hurried: Address, sent: bytes, status: int
) -> None:
    with connected(hurried, sent) as client:
        assert answer(client)[0] == status
        rest = b"".join(iter(lambda: client.recv(4096), b""))
        assert (b" 408 " in rest) is (status == 200)


def test_there_is_a_time_for_taking_an_answer(hurried: Address) -> None:
    with ExitStack() as stack:
        for _ in range(MANY):
            stack.enter_context(connected(hurried, b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n"))
        assert asked(hurried, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") == (200, b"")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (CHUNKED + b"zz\r\nabc\r\n0\r\n\r\n", 400),
        (CHUNKED + b"3\r\nabcd\r\n0\r\n\r\n", 400),
        (CHUNKED + b"3;\x00\r\nabc\r\n0\r\n\r\n", 400),
        (CHUNKED + b"-1\r\n\r\n", 400),
        (CHUNKED + b"3\r\nabc\r\n0\r\nno trailer\r\n\r\n", 400),
        (CHUNKED + b"%x\r\n" % (LARGEST_BODY + 1), 413),
        (CHUNKED + b"f" * 17 + b"\r\n", 413),
        (b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"a" * 70_000, 431),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (b"GET / HTTP/9.9\r\nHost: a\r\n\r\n", 400),
        (b"\x00\r\n\r\n", 400),
    ],
)
def test_what_is_wrong_on_the_wire_is_refused_without_a_line(
    address: Address, folder: Path, sent: bytes, status: int
) -> None:
    assert asked(address, sent)[0] == status
    is_open(address)
    assert (folder / "log").read_bytes() == b""


BEHIND = b"GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"
"""A request that a proxy in front of us would take for a body."""


@pytest.mark.parametrize(
    "sent",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
        b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: +0\r\n\r\n",
        b"Content-Length: 0, 0\r\n\r\n",
        b"Content-Length: 0_0\r\n\r\n",
        b"Content-Length : 0\r\n\r\n",
        b"A: b\nContent-Length: 0\r\n\r\n",
        b"A: b\rContent-Length: 0\r\n\r\n",
        b" Content-Length: 0\r\n\r\n",
        b"A\x00: b\r\n\r\n",
    ],
)
def test_no_second_request_is_hidden_behind_the_first(address: Address, sent: bytes) -> None:
    """Where we and a proxy could disagree about the end, nothing after it is answered."""
    with connected(address, b"POST /first HTTP/1.1\r\nHost: a\r\n" + sent + BEHIND) as client:
        client.shutdown(socket.SHUT_WR)
        told = b"".join(iter(lambda: client.recv(4096), b""))
    assert told.startswith((b"HTTP/1.1 4", b"HTTP/1.1 501")), told[:80]
    assert told.count(b"HTTP/1.1") == 1
    is_open(address)


def test_a_connection_is_kept_and_requests_may_come_together(address: Address) -> None:
    one = POST % (b"/a", 3, b"one")
    two = CHUNKED + b"2\r\ntw\r\n1\r\no\r\n0\r\n\r\n"
    with connected(address, one + two) as client:
        with client.makefile("rb") as file:
            both = b""
            while both.count(b"HTTP/1.1 200") < 2 or not both.endswith(b"two"):
                both += file.read1()
        client.sendall(one)
        assert answer(client) == (200, b"one")


def test_who_waits_to_be_told_is_told(address: Address) -> None:
    head = b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    with connected(address, head) as client:
        assert answer(client)[0] == 100
        client.sendall(b"ok")
        status, body = answer(client)
        assert (status, body) in {(200, b"ok"), (100, b"")}
