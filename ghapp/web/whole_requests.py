"""gunicorn's worker that gives a thread only to a request that is here from first to last byte.

Its loop reads all connections without waiting for any, and has a time for each: for the head, for
the body, for the answer. Deliveries have threads of their own. It parses nothing: gunicorn does.
Decision 25 in docs/decisions says why, and what it costs.

It builds on the insides of gunicorn's ``gthread``, so pyproject.toml names the versions it fits.
"""

import errno
import io
import logging
import socket
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from selectors import EVENT_READ
from typing import Any

from gunicorn.http.errors import NoMoreData
from gunicorn.http.parser import RequestParser
from gunicorn.workers.gthread import TConn, ThreadWorker

from ghapp.web.framing import LARGEST_BODY, RequestFrame, TooLargeError

HEAD_SECONDS = 10.0
"""For the request line and the headers, from the first look at the connection."""
BODY_SECONDS = 20.0
"""For the body; each second more takes `SLOWEST` bytes."""
ANSWER_SECONDS = 20.0
"""For the answer to be taken; each second more takes `SLOWEST` bytes."""
SLOWEST = 8 * 1024
"""Bytes per second."""
LEAST_SECONDS = 0.001
"""For each part of an answer, also when its time is over: zero would mean not to wait at all."""
LINGER_SECONDS = 2.0
"""For the other side to close after the last answer, so that the answer is not lost.

https://www.rfc-editor.org/rfc/rfc9112#section-9.6
"""
MOST_DRAINED = 1024 * 1024
"""Bytes read and dropped meanwhile."""
MOST_HELD = 256 * 1024 * 1024
"""Bytes of unfinished and waiting requests; above, the largest unfinished one is dropped."""
MOST_WAITING = 512
"""Whole requests that wait for a thread; deliveries and health checks are not counted."""
AT_ONCE = 256 * 1024
"""Bytes that one look at a connection reads."""
LOOK_EVERY = 0.25
"""Seconds between two looks for connections whose time is over."""
FIRST = frozenset({b"/webhooks/github", b"/healthz", b"/readyz"})
"""Paths with threads of their own, whatever all other requests do."""

_GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"
_FULL = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_NOBODY_THERE = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED})


class TimedSocket(socket.socket):
    """A connection on which an answer has to be taken within a time."""

    until: float | None = None
    """On the monotonic clock; ``None``: no answer has begun."""

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send everything; end the connection if the other side takes too long.

        Raises `ConnectionResetError`, which gunicorn takes for a client that left.
        """
        now = time.monotonic()
        self.until = self.until or now + ANSWER_SECONDS
        try:
            self.settimeout(max(self.until - now, LEAST_SECONDS))
            super().sendall(data, flags)
        except TimeoutError as error:
            raise ConnectionResetError(errno.ECONNRESET, "the answer was not taken") from error
        self.until += len(data) / SLOWEST


class WaitingConnection(TConn):  # type: ignore[misc] # gunicorn has no types
    """A connection with what was read of its next request."""

    def __init__(self, cfg: Any, sock: TimedSocket, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client, server)
        self.frame = RequestFrame(LARGEST_BODY)
        self.initialized = self.data_ready = True
        self.until = 0.0
        """When it is dropped, on the monotonic clock."""
        self.body_since: float | None = None
        self.is_first = self.is_cut = False
        self.held = self.drained = 0

    def begin(self, now: float) -> None:
        """Begin to read the next request."""
        self.until = now + HEAD_SECONDS
        self.body_since = None

    def feed(self, data: bytes, now: float) -> None:
        """Add bytes, and the time that they earn. Raises `TooLargeError`."""
        self.frame.feed(data)
        if self.frame.head is None:
            return
        if self.body_since is None:
            self.body_since = now
            if self.frame.waits_for_us:
                self.sock.send(_GO_ON)
        received = len(self.frame) - len(self.frame.head)
        self.until = self.body_since + BODY_SECONDS + received / SLOWEST

    def ready(self) -> None:
        """Make ready for a thread: gunicorn's parser over this one request."""
        self.is_first = self.frame.target in FIRST
        self.is_cut = self.frame.is_cut
        self.sock.until = None
        whole = self.frame.take()
        self.parser = RequestParser(self.cfg, iter((whole,)), self.client)


class WholeRequestWorker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """gunicorn's ``gthread``, which reads in its loop instead of in its threads."""

    def init_process(self) -> None:
        """Make what a process has, and run."""
        self.reading: dict[WaitingConnection, None] = {}
        """Connections without a whole request, the oldest first."""
        self.leaving: dict[WaitingConnection, None] = {}
        """Connections whose last answer was sent."""
        self.held = self.waiting = 0
        self.next_look = 0.0
        self.first_pool = ThreadPoolExecutor(self.cfg.threads)
        self.log.error_log.addFilter(_is_worth_a_line)
        super().init_process()

    # --- reading --------------------------------------------------------------------------------

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection and begin to read; the oldest unfinished one makes room."""
        try:
            given, client = listener.accept()
        except OSError as error:
            if error.errno in _FULL:
                self._drop_oldest()
            elif error.errno not in _NOBODY_THERE:
                raise
            return
        while self.nr_conns >= self.worker_connections - 1 and self._drop_oldest():
            pass
        sock = TimedSocket(fileno=given.detach())
        self.nr_conns += 1
        self._read(WaitingConnection(self.cfg, sock, client, listener.getsockname()))

    def _drop_oldest(self) -> bool:
        """End the connection that waits longest; false: every one is being answered."""
        oldest = next(iter(self.leaving), None) or next(iter(self.reading), None)
        if oldest is None and self.keepalived_conns:
            oldest = self.keepalived_conns.popleft()
        if oldest is None:
            return False
        self._drop(oldest)
        return True

    def _read(self, conn: WaitingConnection) -> None:
        conn.begin(time.monotonic())
        if conn.frame.is_whole:
            self.enqueue_req(conn)
            return
        self.reading[conn] = None
        self._watch(conn, self._on_readable)

    def _watch(self, conn: WaitingConnection, look: Callable[[WaitingConnection], None]) -> None:
        def called(sock: socket.socket) -> None:
            del sock
            look(conn)

        self.poller.register(conn.sock, EVENT_READ, called)

    def _unwatch(self, conn: WaitingConnection) -> None:
        try:
            self.poller.unregister(conn.sock)
        except (OSError, KeyError, ValueError):
            return

    def on_client_socket_readable(self, conn: WaitingConnection, client: socket.socket) -> None:
        """Read the next request of a kept connection."""
        del client
        self._unwatch(conn)
        self.keepalived_conns.remove(conn)
        self._read(conn)

    def _on_readable(self, conn: WaitingConnection) -> None:
        try:
            data = conn.sock.recv(AT_ONCE)
            if data:
                conn.feed(data, time.monotonic())
        except BlockingIOError:
            return
        except TooLargeError:
            self._refuse(conn, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
            return
        except OSError:
            data = b""
        if not data:
            self._drop(conn)
            return
        self._hold(conn, len(data))
        if conn.frame.is_whole and conn in self.reading:
            del self.reading[conn]
            self._unwatch(conn)
            self.enqueue_req(conn)

    def _hold(self, conn: WaitingConnection, count: int) -> None:
        """Count bytes; if they are too many, drop the largest request that is not whole."""
        conn.held += count
        self.held += count
        while self.held > MOST_HELD and self.reading:
            self._drop(max(self.reading, key=lambda one: one.held))

    # --- handing over ---------------------------------------------------------------------------

    def enqueue_req(self, conn: WaitingConnection) -> None:
        """Give a whole request to a thread: to one of those for deliveries, or of the others."""
        conn.ready()
        if not conn.is_first:
            if self.waiting >= MOST_WAITING:
                self._refuse(conn, HTTPStatus.SERVICE_UNAVAILABLE)
                return
            self.waiting += 1
        pool = self.first_pool if conn.is_first else self.tpool
        handled = pool.submit(self.handle, conn)
        handled.add_done_callback(partial(self.method_queue.defer, self.finish_request, conn))

    def handle_request(self, req: Any, conn: WaitingConnection) -> bool:
        """Read the body before the app runs, so that what is wrong with it is refused with 400."""
        if not conn.is_cut:
            req.body = io.BytesIO(req.body.read())
        elif req.headers and any(name == "TRANSFER-ENCODING" for name, _ in req.headers):
            _read_cut(req)
            conn.sock.sendall(_answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
            return False
        is_open = super().handle_request(req, conn)
        return bool(is_open) and not conn.is_cut

    def finish_request(self, conn: WaitingConnection, handled: "Future[Any]") -> None:
        """Go on with a connection after its answer, or end it."""
        if not conn.is_first:
            self.waiting -= 1
        self._let_go(conn)
        is_open = not handled.cancelled() and not handled.exception() and handled.result()
        conn.sock.settimeout(0)
        if not is_open:
            self._leave(conn)
        elif len(conn.frame):
            self._hold(conn, len(conn.frame))
            self._read(conn)
        else:
            self._keep(conn)

    def _keep(self, conn: WaitingConnection) -> None:
        conn.set_timeout()
        if not self.alive:
            conn.timeout = min(conn.timeout, time.monotonic() + LINGER_SECONDS)
        self.keepalived_conns.append(conn)
        self._watch(conn, lambda conn: self.on_client_socket_readable(conn, conn.sock))

    # --- ending ---------------------------------------------------------------------------------

    def murder_pending(self) -> None:
        """End the connections whose time is over."""
        now = time.monotonic()
        if now < self.next_look:
            return
        self.next_look = now + LOOK_EVERY
        for conn in [one for one in self.reading if one.until <= now]:
            self._refuse(conn, HTTPStatus.REQUEST_TIMEOUT)
        for conn in [one for one in self.leaving if one.until <= now]:
            self._drop(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        super()._cap_keepalive(deadline)
        for conn in self.reading:
            conn.until = min(conn.until, deadline)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Stop at once."""
        self.first_pool.shutdown(wait=False)
        super().handle_quit(sig, frame)

    def run(self) -> None:
        """Run until it is asked to stop."""
        super().run()
        self.first_pool.shutdown(wait=False)

    def _refuse(self, conn: WaitingConnection, status: HTTPStatus) -> None:
        """Say why as far as the other side takes it at once, and end the connection."""
        try:
            conn.sock.send(_answer(status))
        except OSError:
            self._drop(conn)
            return
        self._let_go(conn)
        self.reading.pop(conn, None)
        self._unwatch(conn)
        self._leave(conn)

    def _leave(self, conn: WaitingConnection) -> None:
        """Close our side, and wait a moment for the other: gunicorn's loop would stand still."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(conn)
            return
        conn.until = time.monotonic() + LINGER_SECONDS
        self.leaving[conn] = None
        self._watch(conn, self._on_leaving)

    def _on_leaving(self, conn: WaitingConnection) -> None:
        try:
            data = conn.sock.recv(AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        conn.drained += len(data)
        if not data or conn.drained > MOST_DRAINED:
            self._drop(conn)

    def _drop(self, conn: WaitingConnection) -> None:
        self._let_go(conn)
        self.reading.pop(conn, None)
        self.leaving.pop(conn, None)
        self._unwatch(conn)
        self.nr_conns -= 1
        conn.close()

    def _let_go(self, conn: WaitingConnection) -> None:
        self.held -= conn.held
        conn.held = 0


def _is_worth_a_line(line: logging.LogRecord) -> bool:
    """Leave out what strangers send: they could fill the disk with it."""
    return not str(line.msg).startswith("Invalid request from ip=")


def _read_cut(req: Any) -> None:
    """Read what is there of a body that was cut: gunicorn refuses it if it is wrong."""
    try:
        req.body.read()
    except NoMoreData:
        return


def _answer(status: HTTPStatus) -> bytes:
    """Return an answer without a body that ends the connection."""
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\nContent-Length: 0\r\n"
    return f"{head}\r\n".encode()
