"""The door by which a developer's machine is let in: a code that its person types at GitHub."""

from flask import Blueprint, Response

from ghapp.bootstrap import Services
from ghapp.github.device_flow import NotApproved
from ghapp.ingest.upload import UploadRefused
from ghapp.web.machines import answer, body, told, upload_token, uploaders
from ghapp.wire import EnrollmentAsked, EnrollmentPending


def enrollment(services: Services) -> Blueprint:
    """Return the routes ``/api/enroll``, ``/api/enroll/finish`` and ``/api/enrollment``."""
    blueprint = Blueprint("enrollment", __name__)

    @blueprint.post("/api/enroll")
    @told
    def begin() -> Response:
        try:
            return answer(uploaders(services).begin())
        except NotApproved as error:
            raise UploadRefused(403, str(error)) from error

    @blueprint.post("/api/enroll/finish")
    @told
    def finish() -> Response:
        asked = body(EnrollmentAsked)
        try:
            enrolled = uploaders(services).finish(asked.handle)
        except NotApproved as error:
            raise UploadRefused(403, str(error)) from error
        return answer(EnrollmentPending(), 202) if enrolled is None else answer(enrolled)

    @blueprint.get("/api/enrollment")
    @told
    def now() -> Response:
        token = upload_token(services)
        return answer(uploaders(services).enrollment(token))

    return blueprint
