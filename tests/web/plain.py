"""Two applications behind the real worker of gunicorn: one that answers, one in a hurry."""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from ghapp.web import whole_requests

LARGE = 16 * 1024 * 1024
"""Bytes of an answer that no buffer between two processes holds."""

Start = Callable[[str, list[tuple[str, str]]], Any]


def answering(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    """Answer with the body that came; ``/large`` with much, ``/late`` never."""
    body = environ["wsgi.input"].read()
    if environ["PATH_INFO"] == "/large":
        body = bytes(LARGE)
    if environ["PATH_INFO"] == "/late":
        threading.Event().wait()
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def hurried(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    """Answer the same; importing it gives nobody time."""
    return answering(environ, start)


def hurry() -> Callable[[dict[str, Any], Start], Iterable[bytes]]:
    """Return the application in a hurry."""
    whole_requests.HEAD_SECONDS = whole_requests.BODY_SECONDS = 0.3
    whole_requests.ANSWER_SECONDS = whole_requests.LINGER_SECONDS = 0.3
    whole_requests.SLOWEST = 1024 * 1024 * 1024
    return hurried
