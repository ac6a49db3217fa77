"""The Flask application: it passes every request to git, to a page, or to the API."""

import socket
from collections.abc import Callable, Mapping

from flask import Flask, Response, request

from ghapp.demo.sandbox.dispatch import WireAnswer, WireRequest
from ghapp.demo.sandbox.git_http import GitDoor, GitRequest

METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]


Api = Callable[[WireRequest], WireAnswer]
Pages = Callable[[WireRequest, Mapping[str, str]], WireAnswer | None]
"""Answers a request and its form with a page; ``None``: no page has that address."""


def create_app(api: Api, git: GitDoor, pages: Pages, prefix: str) -> Flask:
    """Return the application; ``prefix`` is the API's base path, such as ``/api/v3``."""
    app = Flask("ghapp.demo.sandbox", static_folder=None)

    def answer(path: str = "") -> Response:  # noqa: ARG001 - Flask names it; the raw path counts
        incoming = _incoming()
        wanted = GitRequest.from_path(incoming.path)
        if wanted is not None:
            return _response(git.answer(incoming, wanted))
        page = pages(incoming, request.form)
        if page is not None:
            return _response(page)
        return _response(api(_without(prefix, incoming)))

    app.add_url_rule("/", "root", answer, methods=METHODS)
    app.add_url_rule("/<path:path>", "any", answer, methods=METHODS)
    return app


def _incoming() -> WireRequest:
    raw = request.environ.get("RAW_URI") or request.full_path
    path, _, query = str(raw).partition("?")
    # Read the bytes first: parsing the form consumes the stream.
    body = request.get_data(cache=True)
    return WireRequest(request.method, path, query, request.headers, body)


def _without(prefix: str, incoming: WireRequest) -> WireRequest:
    """Remove the API's prefix; no route matches a path without it."""
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
