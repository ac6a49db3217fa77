"""What the routes of developers' machines share: the token, the body, and error answers.

A body is the JSON of a struct of `ghapp.wire`, and may be compressed with gzip.
"""

import fcntl
import os
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import NoReturn, TypeVar

import msgspec
import structlog
from flask import Response, abort, request
from werkzeug.exceptions import RequestEntityTooLarge

from ghapp import wire
from ghapp.github.answers import GitHubError
from ghapp.github.user_access import GitHubAway
from ghapp.ingest.upload import UploadIntake, UploadRefused
from ghapp.people.uploaders import EvidenceUploaders
from ghapp.store import NOBODY, AccessToken, StoreError, TokenKind
from ghapp.web.current import services
from ghapp.web.limits import shown_token, wait

Kind = TypeVar("Kind")

SMALL = 64 * 1024
"""Bytes that a body other than a batch may have."""
SOON, LATER = 1, 30
"""Seconds to wait before a retry: another upload is in progress; a service is away."""
# Expected `str`, got `int` - at `$.edits[0].path`
_FIELD = re.compile(r" - at `\$\.?(?P<field>[^`]*)`$")

NOT_SET_UP = (
    "this server accepts no evidence from developers' machines: its operator must set "
    "GITHUB_CLIENT_ID and tick 'Enable Device Flow' in the app's settings on GitHub"
)

log = structlog.get_logger()


def uploaders() -> EvidenceUploaders:
    """Return the check of who may send evidence; 404 if nobody can enroll here."""
    return services.uploaders or refuse(404, NOT_SET_UP)


def upload() -> UploadIntake:
    """Return the intake of batches."""
    return UploadIntake(services.store, services.keys, uploaders(), services.auth)


def upload_token() -> AccessToken:
    """Return the valid upload token of this request; 401 if there is none."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        refuse(401, "send the upload token: Authorization: Bearer TOKEN")
    now = services.clock()
    token = services.store.tokens.check(secret.strip(), TokenKind.UPLOAD, now=now)
    if token is None:
        refuse(401, "this upload token is unknown: enroll again", code="unknown_token")
    if not token.is_valid(now):
        refuse(401, "this token was revoked or has expired: enroll again", code="revoked")
    return token


def ingest_token() -> AccessToken:
    """Return the valid ingest token of this request, an organization's own; 401 or 403 if not."""
    token = shown_token()
    if token is None or token.kind is not TokenKind.INGEST:
        refuse(401, "send an organization's ingest token: Authorization: Bearer TOKEN")
    if not token.is_valid(services.clock()) or not token.installations:
        refuse(401, "this token was revoked or has expired: ask an owner for another")
    if token.user_id != NOBODY:
        refuse(
            403, "this token is of one person's telemetry: ask an owner for one without a person"
        )
    return token


def body(kind: type[Kind], most: int = SMALL) -> Kind:
    """Return the request's JSON as ``kind``.

    Answers 413 if it has more than ``most`` bytes, 400 if it is not JSON, and 422 with the name
    of a field that does not fit.
    """
    raw = _unpacked(most)
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        text = str(error)
        found = _FIELD.search(text)
        refuse(
            422, text if found is None else text[: found.start()], field=found and found["field"]
        )
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        refuse(400, f"the body is not JSON: {error}")


def answer(made: msgspec.Struct, status: int = 200) -> Response:
    """Return a struct as JSON."""
    return Response(msgspec.json.encode(made), status=status, content_type="application/json")


def told(route: Callable[[], Response]) -> Callable[[], Response]:
    """Answer a route's exceptions as `wire.WireProblem`."""

    @wraps(route)
    def answered() -> Response:
        try:
            return route()
        except UploadRefused as error:
            return _problem(error.status, str(error), code=error.code, field=error.field)
        except (GitHubAway, GitHubError, StoreError) as error:
            # Nothing was stored, and the machine keeps its queue, so nothing is lost.
            return _away(str(error))

    return answered


@contextmanager
def turn(directory: Path, most: int) -> Iterator[None]:
    """Run as one of at most ``most`` uploads at a time on this machine; answer 429 to any more.

    Processes share file locks, which the system releases when their process ends.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number in range(most):
        file = os.open(directory / f"{number}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if _is_free(file):
                yield
                return
        finally:
            os.close(file)
    refuse(429, "other uploads are in progress; send it again", seconds=SOON)


def _is_free(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unpacked(most: int) -> bytes:
    too_large = f"the body has more than {most} bytes: send fewer edits at a time"
    request.max_content_length = most
    try:
        raw = request.get_data(cache=False)
    except RequestEntityTooLarge:
        refuse(413, too_large, code="too_large")
    coding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if coding == "identity":
        return raw
    if coding != "gzip":
        refuse(415, "send the body uncompressed, or with Content-Encoding: gzip")
    unpacked = _inflated(raw, most)
    if unpacked is None:
        refuse(413, too_large, code="too_large")
    return unpacked


def _inflated(raw: bytes, most: int) -> bytes | None:
    """Return a gzip body unpacked; ``None``: it has more than ``most`` bytes."""
    unpacking = zlib.decompressobj(wbits=31)
    with suppress(zlib.error):
        unpacked = unpacking.decompress(raw, most)
        if unpacking.eof:
            return unpacked
        if unpacking.unconsumed_tail:
            return None
    return refuse(400, "the body is not gzip, or it is damaged")


def _away(error: str) -> Response:
    log.warning("upload_put_off", problem=error)
    return _problem(
        503, "this is not possible now; nothing is lost, so send it again", seconds=LATER
    )


def _problem(
    status: int, error: str, *, seconds: int | None = None, **more: str | None
) -> Response:
    """Return a `wire.WireProblem`; ``more`` are its ``code`` and ``field``."""
    response = answer(wire.WireProblem(error=error, **more), status)
    if seconds is not None:
        wait(seconds)
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="uploads"'
    return response


def refuse(status: int, error: str, *, seconds: int | None = None, **more: str | None) -> NoReturn:
    """Answer with a `wire.WireProblem`; ``more`` are its ``code`` and ``field``."""
    abort(_problem(status, error, seconds=seconds, **more))
