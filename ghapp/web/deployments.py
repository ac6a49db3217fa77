"""The routes by which an organization's own systems tell of deployments and incidents."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, TypeVar

import msgspec
from flask import Blueprint, Response

from ghapp import wire
from ghapp.attribution.model import Struct
from ghapp.github.webhooks import FIRST_TIME, LAST_TIME, PRODUCTION
from ghapp.store import DeploymentTold, IncidentTold, Repository
from ghapp.summaries.dora import DeploymentSource, IncidentSource
from ghapp.upkeep.deployments import deployments_request
from ghapp.web.api.operation import INGEST, ApiOperation, describe
from ghapp.web.current import services
from ghapp.web.machines import body, ingest_token, refuse, told

REFUSALS = (400, 401, 403, 404, 413, 415, 422, 429, 503)
NO_REPOSITORY = "there is no such repository in this token's organization"

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
At = Annotated[datetime, msgspec.Meta(tz=True)]

deployments = Blueprint("deployments", __name__)


class DeploymentResult(StrEnum):
    """How a deployment ended."""

    SUCCESS = "success"
    FAILURE = "failure"


class SentDeployment(Struct, frozen=True, forbid_unknown_fields=True):
    """A deployment that ended. Sent again, it changes nothing."""

    repository: wire.Name
    """``owner/name``."""
    id: Name
    """Its name where it was made, unique in the repository."""
    revision: Name
    """Commit that was deployed, or name of a tag."""
    result: DeploymentResult
    finished_at: At
    environment: Name = "production"
    """One whose name contains "prod" is production; only those count."""

    def __post_init__(self) -> None:
        _check_times(finished_at=self.finished_at)


class SentIncident(Struct, frozen=True, forbid_unknown_fields=True):
    """An incident as it stands; the one with the latest ``updated_at`` counts."""

    repository: wire.Name
    """``owner/name`` of the repository whose deployment it followed."""
    id: Name
    opened_at: At
    resolved_at: At | None = None
    """``None``: it is open."""
    updated_at: At | None = None
    """As of when this holds; by default when it was resolved, or opened."""

    def __post_init__(self) -> None:
        _check_times(
            opened_at=self.opened_at, resolved_at=self.resolved_at, updated_at=self.updated_at
        )
        if self.resolved_at is not None and self.resolved_at < self.opened_at:
            raise ValueError("resolved_at is before opened_at")


@deployments.post("/api/deployments")
@describe(
    ApiOperation(
        id="sendDeployment",
        about="Tell of a deployment that ended; sent twice or late it changes nothing else.",
        token=INGEST,
        body=SentDeployment,
        answers={204: None},
        refusals=REFUSALS,
    )
)
@told
def take_deployment() -> Response:
    """Store a deployment."""
    repository, sent = _sent(SentDeployment)
    at, now = sent.finished_at.astimezone(UTC), services.clock()
    is_success = sent.result is DeploymentResult.SUCCESS
    services.store.deployments.told(
        repository.id,
        DeploymentTold(
            source=DeploymentSource.API,
            external_id=sent.id,
            environment=sent.environment,
            is_production=PRODUCTION.search(sent.environment) is not None,
            revision=sent.revision,
            succeeded_at=at if is_success else None,
            failed_at=None if is_success else at,
        ),
    )
    request = deployments_request(repository.installation_id, repository.id, now)
    services.store.work.enqueue(request, now=now)
    return Response(status=204)


@deployments.post("/api/incidents")
@describe(
    ApiOperation(
        id="sendIncident",
        about="Tell of an incident in production: that it opened, that it was resolved.",
        token=INGEST,
        body=SentIncident,
        answers={204: None},
        refusals=REFUSALS,
    )
)
@told
def take_incident() -> Response:
    """Store an incident."""
    repository, sent = _sent(SentIncident)
    resolved = None if sent.resolved_at is None else sent.resolved_at.astimezone(UTC)
    held = sent.updated_at or sent.resolved_at or sent.opened_at
    services.store.deployments.told_incident(
        repository.id,
        IncidentTold(
            source=IncidentSource.API,
            external_id=sent.id,
            opened_at=sent.opened_at.astimezone(UTC),
            resolved_at=resolved,
            told_at=held.astimezone(UTC),
        ),
    )
    return Response(status=204)


SentT = TypeVar("SentT", SentDeployment, SentIncident)


def _sent(kind: type[SentT]) -> tuple[Repository, SentT]:
    """Return what was sent and its repository, of the token's organization; 404 if it is none."""
    token = ingest_token()
    sent = body(kind)
    found = services.store.installations.find(sent.repository)
    if found is None or found.installation_id not in (token.installations or ()):
        refuse(404, NO_REPOSITORY)
    return found, sent


def _check_times(**times: datetime | None) -> None:
    for name, at in times.items():
        if at is not None and not FIRST_TIME <= at < LAST_TIME:
            raise ValueError(f"{name} is before {FIRST_TIME.year} or after {LAST_TIME.year}")
