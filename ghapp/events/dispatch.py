"""One table says what follows from each event: work to enqueue, or upkeep of what is known.

It asks GitHub nothing. An event is a hint: the worker asks GitHub again.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ghapp.attribution.model import Struct
from ghapp.events.deployments import keep_deployment, keep_incident
from ghapp.events.installations import (
    UpkeepStep,
    close_installation,
    close_repositories,
    close_repository,
)
from ghapp.github.webhooks import (
    CheckRunRequestedAction,
    CheckRunRerequested,
    CheckSuiteRerequested,
    DeploymentEvent,
    DeploymentStatus,
    InstallationEvent,
    InstallationRepositories,
    IssueComment,
    IssueEvent,
    PullRequestClosed,
    ReleasePublished,
    RepositoryEvent,
    WebhookEvent,
    WorkflowRunCompleted,
)
from ghapp.store.work_items import MERGED, Lane, WorkKind, WorkRequest

SECOND_LOOK = timedelta(seconds=60)
"""An event may call a merged pull request just closed; after this time GitHub knows better."""

# /attribution audit
COMMAND = re.compile(r"/attribution[ \t]+(audit|explain)[ \t]*", re.IGNORECASE)
"""The first line of a comment that holds a command."""

AUDIT_AGAIN = "audit_again"
"""The kind of an audit that a person asked for: the check run answers even if nothing changed."""


BACK = frozenset({"created", "unsuspend", "new_permissions_accepted", "unarchived", "transferred"})
"""Actions after which repositories may have missed pull requests, or writes to them."""
RETURNS = "returns"
"""What a question to GitHub is about after such an action."""


class EventPlan(Struct, frozen=True, kw_only=True):
    """What follows from one event."""

    requests: tuple[WorkRequest, ...] = ()
    upkeep: UpkeepStep | None = None
    """Stores what the event closes or tells; ``None``: there is no such thing."""
    why: str | None = None
    """Why nothing follows; ``None``: something does."""


class EventRule(Struct, frozen=True):
    """What follows from one type of event."""

    name: str
    """The ``X-GitHub-Event`` header."""
    actions: frozenset[str] | None
    """The actions that something follows from; ``None``: all of them."""
    plan: Callable[[Any, int | None, datetime], EventPlan]
    """The event, our app's id and the time → the work."""


def dispatch(event: WebhookEvent, *, app_id: int | None, now: datetime) -> EventPlan:
    """Return what follows from an event; ``app_id`` tells our check runs from other apps'."""
    rule = RULES.get(type(event))
    if rule is None:
        return EventPlan(why=f"{event.name}.{event.action or '-'}: nothing follows from it")
    return rule.plan(event, app_id, now)


def is_followed(event: str, action: str | None) -> bool:
    """Say whether anything can follow from an event, by its name and action alone."""
    rules = (rule for rule in RULES.values() if rule.name == event)
    return any(rule.actions is None or action in rule.actions for rule in rules)


def command_in(comment: str) -> str | None:
    """Return the command in a comment's first line: ``audit`` or ``explain``; ``None``: none."""
    found = COMMAND.fullmatch(comment.lstrip().partition("\n")[0].rstrip("\r"))
    return found[1].lower() if found else None


def _closed(event: PullRequestClosed, app_id: int | None, now: datetime) -> EventPlan:
    del app_id
    at, about = (now, MERGED) if event.merged else (now + SECOND_LOOK, None)
    request = _work_request(event, WorkKind.AUDIT, event.number, at, lane=Lane.LIVE)
    return EventPlan(requests=(msgspec.structs.replace(request, about=about),))


def _on_run(
    event: CheckRunRerequested | CheckRunRequestedAction, app_id: int | None, now: datetime
) -> EventPlan:
    if event.pull is None or (app_id is not None and event.app_id != app_id):
        return EventPlan(why="the check run is not ours")
    return EventPlan(requests=(_work_request(event, AUDIT_AGAIN, event.pull.number, now),))


def _on_suite(event: CheckSuiteRerequested, app_id: int | None, now: datetime) -> EventPlan:
    """Look for our runs on the head.

    GitHub names only open pull requests here, and none of a fork; ours are merged.
    https://docs.github.com/en/webhooks/webhook-events-and-payloads#check_suite
    """
    if app_id is not None and event.app_id != app_id:
        return EventPlan(why="the check suite is not ours")
    request = _work_request(event, WorkKind.SUITE, None, now)
    return EventPlan(requests=(msgspec.structs.replace(request, about=event.head_sha),))


def _on_comment(event: IssueComment, app_id: int | None, now: datetime) -> EventPlan:
    """Enqueue a look at the comments where a person seems to command; the worker asks GitHub."""
    del app_id
    if event.action != "created" or not event.on_pull_request or command_in(event.body) is None:
        return EventPlan(why="the comment holds no command")
    if event.author_is_bot or event.sender_is_bot or event.by_app_id is not None:
        return EventPlan(why="bots and apps do not command")
    return EventPlan(requests=(_work_request(event, WorkKind.COMMAND, event.number, now),))


def _on_installation(event: InstallationEvent, app_id: int | None, now: datetime) -> EventPlan:
    del app_id
    closes = event.action in {"deleted", "suspend"}
    return _confirmed(event, None, now, close_installation if closes else None)


def _on_repositories(
    event: InstallationRepositories, app_id: int | None, now: datetime
) -> EventPlan:
    del app_id
    return _confirmed(event, None, now, close_repositories if event.removed else None)


def _on_repository(event: RepositoryEvent, app_id: int | None, now: datetime) -> EventPlan:
    del app_id
    repository = event.repository
    if repository is None:
        return EventPlan(why="the event names no repository")
    closes = event.action == "deleted" or repository.private
    return _confirmed(event, repository.id, now, close_repository if closes else None)


def _on_deployment(event: DeploymentEvent, app_id: int | None, now: datetime) -> EventPlan:
    """Keep what is told, and ask GitHub which commits the deployment brought."""
    del app_id
    is_trial = isinstance(event, WorkflowRunCompleted) and event.by_pull_request
    if event.succeeded is None or is_trial:
        return EventPlan(why="it tells of no deployment that succeeded or failed")
    request = _work_request(event, WorkKind.DEPLOYMENTS, None, now, lane=Lane.REPLAY)
    return EventPlan(requests=(request,), upkeep=keep_deployment)


def _on_issue(event: IssueEvent, app_id: int | None, now: datetime) -> EventPlan:
    """Keep an issue that has a label, or just lost one: only the store knows which one counts."""
    del app_id, now
    if not event.labels and event.lost_label is None:
        return EventPlan(why="the issue has no label")
    return EventPlan(upkeep=keep_incident)


def _confirmed(
    event: WebhookEvent, repository_id: int | None, now: datetime, upkeep: UpkeepStep | None
) -> EventPlan:
    """Ask GitHub about what the event tells; until then only what it closes is believed."""
    if event.installation_id is None:
        return EventPlan(upkeep=upkeep, why=None if upkeep else "no installation of ours")
    pull = (event.installation_id, repository_id, None)
    about = RETURNS if event.action in BACK else None
    why = f"{event.name}.{event.action}"
    request = WorkRequest.for_pull(
        *(WorkKind.CONFIRM, *pull), at=now, why=why, lane=Lane.LIVE, about=about
    )
    return EventPlan(requests=(request,), upkeep=upkeep)


def _work_request(
    event: WebhookEvent, kind: str, number: int | None, at: datetime, *, lane: Lane = Lane.RERUN
) -> WorkRequest:
    pull = (event.installation_id, event.repository.id if event.repository else None, number)
    return WorkRequest.for_pull(kind, *pull, at=at, why=f"{event.name}.{event.action}", lane=lane)


RULES: dict[type[WebhookEvent], EventRule] = {
    PullRequestClosed: EventRule("pull_request", frozenset({"closed"}), _closed),
    CheckRunRerequested: EventRule("check_run", frozenset({"rerequested"}), _on_run),
    CheckRunRequestedAction: EventRule("check_run", frozenset({"requested_action"}), _on_run),
    CheckSuiteRerequested: EventRule("check_suite", frozenset({"rerequested"}), _on_suite),
    IssueComment: EventRule("issue_comment", frozenset({"created"}), _on_comment),
    InstallationEvent: EventRule("installation", None, _on_installation),
    InstallationRepositories: EventRule("installation_repositories", None, _on_repositories),
    RepositoryEvent: EventRule("repository", None, _on_repository),
    DeploymentStatus: EventRule("deployment_status", frozenset({"created"}), _on_deployment),
    ReleasePublished: EventRule("release", frozenset({"published"}), _on_deployment),
    WorkflowRunCompleted: EventRule("workflow_run", frozenset({"completed"}), _on_deployment),
    IssueEvent: EventRule("issues", None, _on_issue),
}
"""Type of event → what follows. A type that is not listed here is recorded as ignored."""
