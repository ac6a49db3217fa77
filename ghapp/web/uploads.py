"""The routes of developers' machines: store evidence or usage, or remove what was sent."""

from contextlib import AbstractContextManager

from flask import Blueprint, Response

from ghapp.web.api.operation import UPLOAD, ApiOperation, describe
from ghapp.web.current import services
from ghapp.web.machines import answer, body, told, turn, upload, upload_token
from ghapp.wire import (
    MOST_BYTES,
    BatchReceipt,
    EditBatch,
    ForgetReceipt,
    ForgetRequest,
    UsageReceipt,
    UsageReport,
)

TURNS = "uploads"
"""Directory below the data directory whose lock files count the uploads in progress."""

uploads = Blueprint("uploads", __name__)


@uploads.post("/api/evidence")
@describe(
    ApiOperation(
        id="sendEvidence",
        about="Send edits of one repository; a batch is stored whole or not at all, and only once.",
        token=UPLOAD,
        body=EditBatch,
        answers={200: BatchReceipt},
        refusals=(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
    )
)
@told
def take() -> Response:
    """Store a batch."""
    token = upload_token()
    batch = body(EditBatch, MOST_BYTES)
    with _turn():
        return answer(upload().take(batch, token, now=services.clock()))


@uploads.put("/api/usage")
@describe(
    ApiOperation(
        id="sendUsage",
        about="Send the usage of agents in one repository; it replaces what was sent of its days.",
        token=UPLOAD,
        body=UsageReport,
        answers={200: UsageReceipt},
        refusals=(400, 401, 403, 404, 413, 415, 422, 429, 503),
    )
)
@told
def take_usage() -> Response:
    """Store a report."""
    token = upload_token()
    report = body(UsageReport, MOST_BYTES)
    with _turn():
        return answer(upload().take_usage(report, token, now=services.clock()))


@uploads.delete("/api/evidence")
@describe(
    ApiOperation(
        id="forgetEvidence",
        about="Remove evidence that this token's person has sent: all of it, or what is named.",
        token=UPLOAD,
        body=ForgetRequest,
        answers={200: ForgetReceipt},
        refusals=(400, 401, 404, 413, 415, 422, 429, 503),
    )
)
@told
def forget() -> Response:
    """Remove evidence."""
    token = upload_token()
    request = body(ForgetRequest)
    return answer(upload().forget(request, token, now=services.clock()))


def _turn() -> AbstractContextManager[None]:
    settings = services.settings
    return turn(settings.data_dir / TURNS, settings.uploads_at_once)
