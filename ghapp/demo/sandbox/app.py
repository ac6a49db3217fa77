"""The web application: it passes every request to git, to a page, or to the API.

It is WSGI without a framework: the stand-in has its own routes, and a test sends it many requests.
"""

import socket
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from ghapp.demo.sandbox.dispatch import WireAnswer, WireRequest
from ghapp.demo.sandbox.git_http import GitDoor, GitRequest

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Api = Callable[[WireRequest], WireAnswer]
Pages = Callable[[WireRequest, Mapping[str, str]], WireAnswer | None]
"""Answers a request and its form with a page; ``None``: no page has that address."""


def create_app(api: Api, git: GitDoor, pages: Pages, prefix: str) -> "WSGIApplication":
    """Return the application; ``prefix`` is the API's base path, such as ``/api/v3``."""

    @Request.application
    def answer(request: Request) -> Response:
        incoming = _incoming(request)
        wanted = GitRequest.from_path(incoming.path)
        if wanted is not None:
            return _response(request, git.answer(incoming, wanted))
        page = pages(incoming, request.form)
        if page is not None:
            return _response(request, page)
        return _response(request, api(_without(prefix, incoming)))

    return answer


def _incoming(request: Request) -> WireRequest:
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


def _response(request: Request, outgoing: WireAnswer) -> Response:
    if outgoing.cut_off:
        connection = request.environ.get("werkzeug.socket")
        if isinstance(connection, socket.socket):
            connection.shutdown(socket.SHUT_RDWR)
    response = Response(outgoing.body, status=outgoing.status)
    response.headers.remove("Content-Type")
    for name, value in outgoing.headers.items():
        response.headers[name] = value
    return response
