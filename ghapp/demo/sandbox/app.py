"""The Flask application: every request goes to the API, to git, or to a page; no more."""

import socket
from collections.abc import Mapping
from typing import Protocol

from flask import Flask, Response, request

from ghapp.demo.sandbox.dispatch import WireAnswer, WireRequest
from ghapp.demo.sandbox.git_http import GitDoor, GitRequest

METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]


class ApiServer(Protocol):
    """What answers requests of the API."""

    def answer(self, request: WireRequest) -> WireAnswer:
        """Answer and record one request; it does what follows from it."""
        ...


class PageServer(Protocol):
    """What answers a person's browser."""

    def answer(self, request: WireRequest, form: Mapping[str, str]) -> WireAnswer | None:
        """Answer with a page; ``None``: there is no such page."""
        ...


def create_app(api: ApiServer, git: GitDoor, pages: PageServer, prefix: str) -> Flask:
    """Return the application; ``prefix`` is the API's base path, such as ``/api/v3``."""
    app = Flask("ghapp.demo.sandbox", static_folder=None)

    def answer(path: str = "") -> Response:  # noqa: ARG001 - Flask names it; the raw path counts
        incoming = _incoming()
        wanted = GitRequest.from_path(incoming.path)
        if wanted is not None:
            return _response(git.answer(incoming, wanted))
        page = pages.answer(incoming, request.form)
        if page is not None:
            return _response(page)
        return _response(api.answer(_without(prefix, incoming)))

    app.add_url_rule("/", "root", answer, methods=METHODS)
    app.add_url_rule("/<path:path>", "any", answer, methods=METHODS)
    return app


def _incoming() -> WireRequest:
    raw = request.environ.get("RAW_URI") or request.full_path
    path, _, query = str(raw).partition("?")
    # Read the bytes first: the form would otherwise swallow them.
    body = request.get_data(cache=True)
    return WireRequest(request.method, path, query, request.headers, body)


def _without(prefix: str, incoming: WireRequest) -> WireRequest:
    """Take the API's prefix off; a path without it keeps its form and is refused."""
    if not prefix:
        return incoming
    path = incoming.path
    rest = path.removeprefix(prefix) if path.startswith(prefix + "/") else "/outside" + path
    return WireRequest(incoming.method, rest, incoming.query, incoming.headers, incoming.body)


def _response(outgoing: WireAnswer) -> Response:
    if outgoing.cut_off:
        connection = request.environ.get("werkzeug.socket")
        if isinstance(connection, socket.socket):
            connection.shutdown(socket.SHUT_RDWR)
    response = Response(outgoing.body, status=outgoing.status)
    response.headers.remove("Content-Type")
    for name, value in outgoing.headers.items():
        response.headers[name] = value
    return response
