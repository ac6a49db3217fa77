"""Every refused or failed request as one JSON shape. It decides no status itself."""

import structlog
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

log = structlog.get_logger()


def add_error_answers(app: Flask) -> None:
    """Answer every HTTP error and every failure of ours as JSON."""
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _failed)


def problem(status: int, error: str, **more: object) -> Response:
    """Return what was wrong: ``error`` for a person, ``more`` for a program."""
    response = jsonify({"error": error, **more})
    response.status_code = status
    return response


def _refused(error: HTTPException) -> Response:
    response = problem(error.code or 500, error.description or error.name)
    if getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))  # type: ignore[attr-defined]
    return response


def _failed(error: Exception) -> Response:
    # The message stays in the log: it may name a host, a path or a person.
    log.error("request_failed", path=request.path, exc_info=error)
    return problem(500, "something failed on our side; the log has it")
