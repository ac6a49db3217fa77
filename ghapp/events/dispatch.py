"""One table says what follows from each event: work to enqueue, or upkeep of what is known.

It asks GitHub nothing. An event is a hint: the worker asks GitHub again.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ghapp.attribution.model import Struct
from ghapp.events.installations import (
    UpkeepStep,
    follow_installation,
    follow_repositories,
    follow_repository,
)
from ghapp.github.webhooks import (
    CheckRunRequestedAction,
    CheckRunRerequested,
    CheckSuiteRerequested,
    InstallationEvent,
    InstallationRepositories,
    IssueComment,
    PullRequestClosed,
    RepositoryEvent,
    WebhookEvent,
)
from ghapp.store.work_items import Lane, WorkKind, WorkRequest

SECOND_LOOK = timedelta(seconds=60)
"""An event may call a merged pull request just closed; after this time GitHub knows better."""

SAID_MERGED = "event said merged"
"""Why work was enqueued for an event that said "merged": then the worker does not believe GitHub's
first "not merged"."""

# /attribution audit
COMMAND = re.compile(r"/attribution[ \t]+(audit|explain)[ \t]*", re.IGNORECASE)
"""The first line of a comment that holds a command."""

AUDIT_AGAIN = "audit_again"
"""The kind of an audit that a person asked for: the check run answers even if nothing changed."""


class EventPlan(Struct, frozen=True, kw_only=True):
    """What follows from one event."""

    requests: tuple[WorkRequest, ...] = ()
    upkeep: UpkeepStep | None = None
    """Brings what is known of installations and repositories up to date; ``None``: no need."""
    why: str | None = None
    """Why nothing follows; ``None``: something does."""


class EventRule(Struct, frozen=True):
    """What follows from one type of event."""

    name: str
    """The ``X-GitHub-Event`` header."""
    actions: frozenset[str] | None = None
    """The actions that something follows from; ``None``: all of them."""
    plan: Callable[[Any, int | None, datetime], EventPlan] | None = None
    """The event, our app's id and the time → the work; ``None``: there is only upkeep."""
    upkeep: UpkeepStep | None = None


def dispatch(event: WebhookEvent, *, app_id: int | None, now: datetime) -> EventPlan:
    """Return what follows from an event; ``app_id`` tells our check runs from other apps'."""
    rule = RULES.get(type(event))
    if rule is None:
        return EventPlan(why=f"{event.name}.{event.action or '-'}: nothing follows from it")
    if rule.plan is None:
        return EventPlan(upkeep=rule.upkeep)
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
    at, why = (now, SAID_MERGED) if event.merged else (now + SECOND_LOOK, "event said not merged")
    request = _work_request(event, WorkKind.AUDIT, event.number, at, lane=Lane.LIVE)
    return EventPlan(requests=(msgspec.structs.replace(request, why=why),))


def _on_run(
    event: CheckRunRerequested | CheckRunRequestedAction, app_id: int | None, now: datetime
) -> EventPlan:
    if event.pull is None or (app_id is not None and event.app_id != app_id):
        return EventPlan(why="the check run is not ours")
    return EventPlan(requests=(_work_request(event, AUDIT_AGAIN, event.pull.number, now),))


def _on_suite(event: CheckSuiteRerequested, app_id: int | None, now: datetime) -> EventPlan:
    if app_id is not None and event.app_id != app_id:
        return EventPlan(why="the check suite is not ours")
    requests = tuple(_work_request(event, AUDIT_AGAIN, number, now) for number in event.numbers)
    # GitHub names no pull request of a fork here; the check run has a button of its own.
    # https://docs.github.com/en/webhooks/webhook-events-and-payloads#check_suite
    return EventPlan(requests=requests, why=None if requests else "GitHub names no pull request")


def _on_comment(event: IssueComment, app_id: int | None, now: datetime) -> EventPlan:
    """Enqueue a look at the comments where a person seems to command; the worker asks GitHub."""
    del app_id
    if event.action != "created" or not event.on_pull_request or command_in(event.body) is None:
        return EventPlan(why="the comment holds no command")
    if event.author_is_bot or event.sender_is_bot or event.by_app_id is not None:
        return EventPlan(why="bots and apps do not command")
    return EventPlan(requests=(_work_request(event, WorkKind.COMMAND, event.number, now),))


def _work_request(
    event: WebhookEvent, kind: str, number: int, at: datetime, *, lane: Lane = Lane.RERUN
) -> WorkRequest:
    pull = (event.installation_id, event.repository.id if event.repository else None, number)
    return WorkRequest.for_pull(kind, *pull, at=at, why=f"{event.name}.{event.action}", lane=lane)


RULES: dict[type[WebhookEvent], EventRule] = {
    PullRequestClosed: EventRule("pull_request", frozenset({"closed"}), _closed),
    CheckRunRerequested: EventRule("check_run", frozenset({"rerequested"}), _on_run),
    CheckRunRequestedAction: EventRule("check_run", frozenset({"requested_action"}), _on_run),
    CheckSuiteRerequested: EventRule("check_suite", frozenset({"rerequested"}), _on_suite),
    IssueComment: EventRule("issue_comment", frozenset({"created"}), _on_comment),
    InstallationEvent: EventRule("installation", upkeep=follow_installation),
    InstallationRepositories: EventRule("installation_repositories", upkeep=follow_repositories),
    RepositoryEvent: EventRule("repository", upkeep=follow_repository),
}
"""Type of event → what follows. A type that is not listed here is recorded as ignored."""
