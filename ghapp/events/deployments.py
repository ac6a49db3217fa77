"""What GitHub's events say of deployments and incidents, as the store keeps it. It asks nothing."""

from datetime import datetime

from ghapp.github.webhooks import (
    DeploymentEvent,
    DeploymentStatus,
    IssueEvent,
    ReleasePublished,
    WorkflowRunCompleted,
)
from ghapp.store import DeploymentTold, IncidentTold, Store
from ghapp.summaries.dora import DeploymentSource, IncidentSource


def keep_deployment(event: DeploymentEvent, store: Store, now: datetime) -> None:
    """Store the result of a deployment; of a workflow's run only if the organization chose it."""
    del now
    if event.repository is None or event.succeeded is None:
        return
    if isinstance(event, WorkflowRunCompleted) and not _is_chosen(event, store):
        return
    told = DeploymentTold(
        source=_SOURCES[type(event)],
        external_id=str(event.deployment_id),
        environment=event.environment,
        is_production=event.is_production,
        revision=event.revision,
        succeeded_at=event.at if event.succeeded else None,
        failed_at=None if event.succeeded else event.at,
    )
    store.deployments.told(event.repository.id, told)


def keep_incident(event: IssueEvent, store: Store, now: datetime) -> None:
    """Store an issue that has one of the organization's labels of incidents, or lost it."""
    del now
    if event.repository is None or event.installation_id is None:
        return
    chosen = {one.lower() for one in store.deployments.choice(event.installation_id).labels}
    held = bool(chosen.intersection(map(str.lower, event.labels)))
    if not held and (event.lost_label or "").lower() not in chosen:
        return
    told = IncidentTold(
        source=IncidentSource.ISSUE,
        external_id=str(event.number),
        is_incident=held and not event.is_deleted,
        opened_at=event.opened_at,
        resolved_at=event.closed_at,
        told_at=event.updated_at,
    )
    store.deployments.told_incident(event.repository.id, told)


def _is_chosen(event: WorkflowRunCompleted, store: Store) -> bool:
    if event.installation_id is None:
        return False
    return event.environment in store.deployments.choice(event.installation_id).workflows


_SOURCES: dict[type[DeploymentEvent], DeploymentSource] = {
    DeploymentStatus: DeploymentSource.GITHUB,
    WorkflowRunCompleted: DeploymentSource.WORKFLOW,
    ReleasePublished: DeploymentSource.RELEASE,
}
