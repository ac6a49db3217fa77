"""The routes that enroll a developer's machine, with a code that its person types at GitHub.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
"""

from flask import Blueprint, Response

from ghapp.github.device_flow import NotApproved
from ghapp.ingest.upload import UploadRefused
from ghapp.web.api.operation import UPLOAD, ApiOperation, describe
from ghapp.web.machines import answer, body, told, upload_token, uploaders
from ghapp.wire import (
    EnrollmentAsked,
    EnrollmentPending,
    EnrollmentStarted,
    MachineEnrolled,
    MachineEnrollment,
)

enrollment = Blueprint("enrollment", __name__)


@enrollment.post("/api/enroll")
@describe(
    ApiOperation(
        id="beginEnrollment",
        about="Begin to enroll a machine: a person types the code at the address.",
        answers={200: EnrollmentStarted},
        refusals=(403, 404, 429, 503),
    )
)
@told
def begin() -> Response:
    """Begin to enroll a machine."""
    try:
        return answer(uploaders().begin())
    except NotApproved as error:
        raise UploadRefused(403, str(error)) from error


@enrollment.post("/api/enroll/finish")
@describe(
    ApiOperation(
        id="finishEnrollment",
        about="Ask whether the code was typed; the token is shown this once.",
        body=EnrollmentAsked,
        answers={200: MachineEnrolled, 202: EnrollmentPending},
        refusals=(400, 403, 404, 413, 415, 422, 429, 503),
    )
)
@told
def finish() -> Response:
    """Answer with the upload token, or 202 while the code is not typed yet."""
    asked = body(EnrollmentAsked)
    try:
        enrolled = uploaders().finish(asked.handle)
    except NotApproved as error:
        raise UploadRefused(403, str(error)) from error
    return answer(EnrollmentPending(), 202) if enrolled is None else answer(enrolled)


@enrollment.get("/api/enrollment")
@describe(
    ApiOperation(
        id="readEnrollment",
        about="Read where this token's evidence goes, with the keys of its fingerprints.",
        token=UPLOAD,
        answers={200: MachineEnrollment},
        refusals=(401, 404, 429, 503),
    )
)
@told
def now() -> Response:
    """Answer with the enrollment of this token."""
    token = upload_token()
    return answer(uploaders().enrollment(token))
