"""Turns every refused or failed request into one kind of answer: JSON, or a page."""

import structlog
from flask import Flask, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from ghapp.store import DatabaseUnavailable

FOR_PROGRAMS = ("/api/", "/v1/", "/webhooks/")
"""Paths that always answer in JSON, whatever the request accepts."""

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

HEADLINES = {
    401: "Please sign in",
    403: "You may not see this",
    404: "Page not found",
    429: "Too many requests",
    503: "Temporarily unavailable",
}
"""Status → headline of its page; any other status has HTTP's own phrase."""

log = structlog.get_logger()


def add_error_answers(app: Flask) -> None:
    """Answer every HTTP error and every unexpected exception."""
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(DatabaseUnavailable, _away)
    app.register_error_handler(Exception, _failed)


def problem(status: int, error: str, **more: object) -> Response:
    """Return an error as JSON: ``error`` is for a person, ``more`` for a program."""
    response = jsonify({"error": error, **more})
    response.status_code = status
    return response


def told(
    status: int, error: str, name: str = "Something went wrong", *, page: str = "error.html"
) -> Response:
    """Return an error as a page for a browser, else as JSON; ``page`` is its template."""
    if not _is_browser():
        return problem(status, error)
    shown = render_template(page, headline=HEADLINES.get(status, name), error=error)
    return make_response(shown, status)


def _is_browser() -> bool:
    if request.path.startswith(FOR_PROGRAMS):
        return False
    wanted = request.accept_mimetypes.best_match(["application/json", "text/html"])
    # Whoever sends a form sees the answer in a browser, whatever stands between.
    return wanted == "text/html" or request.mimetype in FORMS


def _refused(error: HTTPException) -> Response:
    if isinstance(error.response, Response):
        return error.response
    response = told(error.code or 500, error.description or error.name, error.name)
    if getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))  # type: ignore[attr-defined]
    return response


def _away(error: Exception) -> Response:
    log.warning("database_away", path=request.path, exc_info=error)
    return told(503, "the database does not answer; nothing is lost, so try again in a minute")


def _failed(error: Exception) -> Response:
    # The message goes to the log only: it may name a host, a path or a person.
    log.error("request_failed", path=request.path, exc_info=error)
    return told(500, "something failed on our side; the log has the details")
