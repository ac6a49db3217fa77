"""The stand-in's HTTP server: threaded, on loopback, by default on a free port."""

import selectors
import socket
import threading
from typing import TYPE_CHECKING

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class _Quiet(WSGIRequestHandler):
    """Handles requests without a log, because the stand-in records them itself."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Log nothing."""


class HubServer:
    """A running server; `close` stops it."""

    def __init__(self, app: "WSGIApplication", *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._server: BaseWSGIServer = make_server(
            host, port, app, threaded=True, request_handler=_Quiet
        )
        self._server.timeout = 0  # `_serve` waits, and for more than a request
        self.host, self.port = host, self._server.server_port
        self._alarm, self._awake = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name="sandbox-server", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._server, selectors.EVENT_READ)
            waiting.register(self._awake, selectors.EVENT_READ)
            while all(found.fileobj is self._server for found, _ in waiting.select()):
                self._server.handle_request()

    @property
    def url(self) -> str:
        """Return the server's address, without a final slash."""
        return f"http://{self.host}:{self.port}"

    def close(self) -> None:
        """Stop serving and free the port."""
        self._alarm.close()
        self._thread.join(timeout=5)
        self._awake.close()
        self._server.server_close()
