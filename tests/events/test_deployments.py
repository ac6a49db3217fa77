"""Deployments and incidents that GitHub tells of: what is kept of each event."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from ghapp.events.dispatch import dispatch
from ghapp.github.webhooks import WebhookEvent, sign
from ghapp.store import DeploymentChoice, Store, WorkKind
from ghapp.store.schema import deployment, incident
from tests.cases import FIXTURES
from tests.events.heard import NOW


def heard(case: str, **changed: Any) -> WebhookEvent:
    body = json.loads((FIXTURES / "webhooks" / case / "body.json").read_text())
    for path, value in changed.items():
        part, _, name = path.partition("__")
        body[part][name] = value
    sent = json.dumps(body).encode()
    headers = json.loads((FIXTURES / "webhooks" / case / "headers.json").read_text())
    headers |= {"X-Hub-Signature-256": sign(sent, "x"), "Content-Type": "application/json"}
    return WebhookEvent.from_http(headers, sent, secrets=("x",), app_id=None)


def follow(event: WebhookEvent, store: Store) -> bool:
    """Do what follows; say whether anything does."""
    plan = dispatch(event, app_id=1, now=NOW)
    if plan.upkeep is not None:
        plan.upkeep(event, store, NOW)
    wanted = [WorkKind.DEPLOYMENTS] if event.name != "issues" and plan.upkeep else []
    assert [one.kind for one in plan.requests] == wanted
    return plan.upkeep is not None


def kept(store: Store) -> list[tuple[Any, ...]]:
    columns = deployment.c
    query = select(columns.source, columns.external_id, columns.is_production)
    return [
        (*row[:3], row[3] is not None)
        for row in store.database.rows(query.add_columns(columns.succeeded_at))
    ]


def test_results_are_kept_and_other_statuses_are_not(sqlite_store: Store) -> None:
    store = sqlite_store
    assert follow(heard("deployment_status_created"), store)
    assert not follow(heard("deployment_status_inactive"), store)
    assert follow(heard("release_published"), store)
    assert kept(store) == [("github", "71", True, True), ("release", "5", True, True)]


def test_only_chosen_workflows_deploy_and_none_of_a_pull_request(sqlite_store: Store) -> None:
    store, run = sqlite_store, {"workflow_run__conclusion": "success"}
    assert follow(heard("workflow_run_completed", **run), store)
    assert kept(store) == []
    store.deployments.choose(61001, DeploymentChoice(workflows=("Deploy",)), by="ann", now=NOW)
    assert not follow(
        heard("workflow_run_completed", **run, workflow_run__event="pull_request"), store
    )
    assert follow(heard("workflow_run_completed", **run), store)
    assert kept(store) == [("workflow", "8", True, True)]


@pytest.mark.parametrize("order", [1, -1])
def test_an_issue_is_an_incident_while_it_has_the_label(sqlite_store: Store, order: int) -> None:
    assert not follow(heard("issues_labeled", issue__labels=[]), sqlite_store)
    other = [{"name": "question"}]
    assert follow(heard("issues_labeled", issue__labels=other), sqlite_store)
    assert sqlite_store.database.rows(select(incident)) == []
    for case in ("issues_labeled", "issues_unlabeled")[::order]:
        follow(heard(case), sqlite_store)
    (row,) = sqlite_store.database.rows(select(incident))
    assert (row.is_incident, row.resolved_at is not None) == (False, True)
