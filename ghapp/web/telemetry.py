"""The routes of OpenTelemetry: a request to ``/v1/…`` is stored before it is answered.

They answer as OTLP/HTTP says, in the encoding of the request, so that a sender knows what to send
again: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from urllib.parse import urlsplit

import structlog
from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from ghapp.ingest.telemetry import TelemetryIntake
from ghapp.otlp.bodies import MOST_BYTES, MediaType, RequestRefusedError, media_of, too_large
from ghapp.otlp.refusals import Refusals, sentence
from ghapp.otlp.responses import TelemetrySignal, failure, success
from ghapp.store import AccessToken, StoreError, TokenKind
from ghapp.store.telemetry import SenderEndedError
from ghapp.web.access import authorization
from ghapp.web.current import services
from ghapp.web.limits import shown_token, wait

LATER = 30
"""Seconds to wait before a retry while the database is away."""
NO_TOKEN = "send an ingest token: Authorization: Bearer TOKEN"  # noqa: S105 - no secret
WRONG_TOKEN = "this ingest token is unknown, revoked or expired: ask an owner for another"  # noqa: S105
AWAY = "the database does not answer; nothing of the request was kept: send it again"

_INTAKE = "ghapp.telemetry"

telemetry = Blueprint("telemetry", __name__, url_prefix="/v1")

log = structlog.get_logger()


class _Refused(Exception):  # noqa: N818 - an answer, not a failure
    """A request is refused before its body is read."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _told(route: Callable[[], Response]) -> Callable[[], Response]:
    """Answer what a route raises in OTLP's words."""

    @wraps(route)
    def answered() -> Response:
        try:
            return _checked(route)
        except (RequestRefusedError, _Refused) as error:
            return _problem(error.status, str(error))
        except SenderEndedError:
            return _problem(401, WRONG_TOKEN)
        except StoreError as error:
            log.warning("telemetry_put_off", problem=str(error))
            wait(LATER)
            return _problem(503, AWAY)

    return answered


def _checked(route: Callable[[], Response]) -> Response:
    """Answer, and tell who may not send any more nothing else than that."""
    try:
        return route()
    except RequestRefusedError:
        # What is wrong with the request is known even if the database is away.
        with suppress(StoreError):
            _require_sender()
        raise


@telemetry.post("/metrics")
@_told
def metrics() -> Response:
    """Store data points."""
    return _stored(TelemetryIntake.take_metrics, TelemetrySignal.METRICS, "data points")


@telemetry.post("/logs")
@_told
def logs() -> Response:
    """Store events."""
    return _stored(TelemetryIntake.take_logs, TelemetrySignal.LOGS, "log records")


@telemetry.post("/traces")
@_told
def traces() -> Response:
    """Take spans and drop them."""
    _require_sender()
    media = _media()
    _intake().take_traces(_body(), request.headers.get("Content-Encoding"))
    return _success(media, TelemetrySignal.TRACES, Refusals(), "spans")


@telemetry.errorhandler(HTTPException)
def refused(error: HTTPException) -> Response:
    """Answer a refusal of the app, such as that of a rate limit."""
    return _problem(error.code or 500, error.description or error.name)


def _stored(take: Callable[..., Refusals], signal: TelemetrySignal, what: str) -> Response:
    token, media = _token(), _media()
    encoding = request.headers.get("Content-Encoding")
    refused = take(_intake(), _body(), media, encoding, token, now=services.clock())
    return _success(media, signal, refused, what)


def _intake() -> TelemetryIntake:
    """Return the intake of this process: it remembers what series mean."""
    found = current_app.extensions.get(_INTAKE)
    if found is None:
        host = (urlsplit(services.settings.web_url).hostname or "").lower()
        found = TelemetryIntake(services.store, host)
        current_app.extensions[_INTAKE] = found
    intake: TelemetryIntake = found
    return intake


def _token() -> AccessToken:
    """Return the ingest token of this request; it may have ended since it was remembered.

    What stores something asks again in the same transaction, and so need not ask twice.
    """
    token = shown_token()
    if token is None or token.kind is not TokenKind.INGEST:
        raise _Refused(401, WRONG_TOKEN if authorization() else NO_TOKEN)
    if not token.is_valid(services.clock()) or not token.installations:
        raise _Refused(401, WRONG_TOKEN)
    return token


def _require_sender() -> None:
    """Refuse who may not send any more, where nothing is stored."""
    token = _token()
    (installation_id,) = token.installations or ()
    services.store.telemetry.require_sender(installation_id, token.id)


def _media() -> MediaType:
    return media_of(request.headers.get("Content-Type"))


def _body() -> bytes:
    """Return the body as it was sent."""
    request.max_content_length = MOST_BYTES
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise too_large() from None


def _success(media: MediaType, signal: TelemetrySignal, refused: Refusals, what: str) -> Response:
    body = success(media, signal, refused.total(), sentence(refused, what))
    return Response(body, content_type=media.value)


def _problem(status: int, message: str) -> Response:
    try:
        media = _media()
    except RequestRefusedError:
        media = MediaType.JSON
    response = Response(failure(media, status, message), status, content_type=media.value)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="telemetry"'
    return response
