"""Every refused or failed request as one answer: JSON, or a page. It decides no status."""

import structlog
from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from ghapp.store import DatabaseUnavailable

FOR_PROGRAMS = ("/api/", "/webhooks/")
"""Below these nobody reads a page, whatever a request says that it accepts."""

HEADLINES = {
    401: "Please sign in",
    403: "This is not yours to see",
    404: "There is no such page",
    429: "Too many requests",
    503: "Not available just now",
}
"""Status → what a page says first; others are named as HTTP names them."""

log = structlog.get_logger()


def add_error_answers(app: Flask) -> None:
    """Answer every HTTP error and every failure of ours."""
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(DatabaseUnavailable, _away)
    app.register_error_handler(Exception, _failed)


def problem(status: int, error: str, **more: object) -> Response:
    """Return what was wrong: ``error`` for a person, ``more`` for a program."""
    response = jsonify({"error": error, **more})
    response.status_code = status
    return response


def told(status: int, error: str, name: str = "Something went wrong") -> Response:
    """Return what was wrong as whoever asked reads it: a page for a browser, else JSON."""
    if not _is_browser():
        return problem(status, error)
    page = render_template("error.html", headline=HEADLINES.get(status, name), error=error)
    return make_response(page, status)


def _is_browser() -> bool:
    wanted = request.accept_mimetypes.best_match(["application/json", "text/html"])
    return wanted == "text/html" and not request.path.startswith(FOR_PROGRAMS)


def _refused(error: HTTPException) -> Response:
    if isinstance(error.response, Response):
        return error.response
    response = told(error.code or 500, error.description or error.name, error.name)
    if getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))  # type: ignore[attr-defined]
    return response


def _away(error: Exception) -> Response:
    log.warning("database_away", path=request.path, exc_info=error)
    return told(503, "the database does not answer; nothing is lost, try again in a minute")


def _failed(error: Exception) -> Response:
    # The message stays in the log: it may name a host, a path or a person.
    log.error("request_failed", path=request.path, exc_info=error)
    return told(500, "something failed on our side; the log has it")
