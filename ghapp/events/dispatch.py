"""What follows from an event: a pure table from its kind to the wishes it makes due.

It asks nobody. What an event says is a hint; whoever fulfills a wish asks GitHub again.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ghapp.attribution.model import Struct
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
"""A merged pull request can be told as closed only; that long after, GitHub knows better."""


SAID_MERGED = "told as merged"
"""The reason of a wish whose event told of a merge: GitHub's first "not merged" is not believed."""

COMMAND = re.compile(r"/attribution[ \t]+(audit|explain)[ \t]*", re.IGNORECASE)
"""The first line of a comment that commands something."""

AUDIT_AGAIN = "audit_again"
"""The kind of a person's wish: the check run has to answer even if nothing changed."""


class EventPlan(Struct, frozen=True, kw_only=True):
    """What follows from one event."""

    requests: tuple[WorkRequest, ...] = ()
    upkeep: bool = False
    """Whether what is known of installations and repositories has to follow the event."""
    why: str | None = None
    """Why nothing follows; ``None``: something does."""


def dispatch(event: WebhookEvent, *, app_id: int | None, now: datetime) -> EventPlan:
    """Return what follows from an event; ``app_id`` tells our check runs from other apps'."""
    rule = RULES.get(type(event))
    if rule is None:
        return EventPlan(why=f"{event.name}.{event.action or '-'}: nothing follows from it")
    return rule(event, app_id, now)


def command_in(comment: str) -> str | None:
    """Return the command that a comment's first line is: ``audit`` or ``explain``."""
    found = COMMAND.fullmatch(comment.lstrip().partition("\n")[0].rstrip("\r"))
    return found[1].lower() if found else None


def _closed(event: PullRequestClosed, app_id: int | None, now: datetime) -> EventPlan:
    del app_id
    at, why = (now, SAID_MERGED) if event.merged else (now + SECOND_LOOK, "told as not merged")
    request = _work_request(event, WorkKind.AUDIT, event.number, at=at, lane=Lane.LIVE)
    return EventPlan(requests=(msgspec.structs.replace(request, why=why),))


def _on_run(
    event: CheckRunRerequested | CheckRunRequestedAction, app_id: int | None, now: datetime
) -> EventPlan:
    if event.pull is None or (app_id is not None and event.app_id != app_id):
        return EventPlan(why="the check run is not ours")
    return EventPlan(requests=(_again(event, event.pull.number, now),))


def _on_suite(event: CheckSuiteRerequested, app_id: int | None, now: datetime) -> EventPlan:
    if app_id is not None and event.app_id != app_id:
        return EventPlan(why="the check suite is not ours")
    requests = tuple(_again(event, number, now) for number in event.numbers)
    # For a fork's pull request GitHub names no number here; its run has a button of its own.
    return EventPlan(requests=requests, why=None if requests else "GitHub names no pull request")


def _on_comment(event: IssueComment, app_id: int | None, now: datetime) -> EventPlan:
    """Look for a command only where a person wrote one; whether it holds is asked of GitHub."""
    del app_id
    if event.action != "created" or not event.on_pull_request or command_in(event.body) is None:
        return EventPlan(why="the comment holds no command")
    if event.author_is_bot or event.sender_is_bot or event.by_app_id is not None:
        return EventPlan(why="bots and apps do not command")
    return EventPlan(
        requests=(_work_request(event, WorkKind.COMMAND, event.number, at=now, lane=Lane.RERUN),)
    )


def _upkeep(event: WebhookEvent, app_id: int | None, now: datetime) -> EventPlan:
    del event, app_id, now
    return EventPlan(upkeep=True)


def _again(event: WebhookEvent, number: int, now: datetime) -> WorkRequest:
    return _work_request(event, AUDIT_AGAIN, number, at=now, lane=Lane.RERUN)


def _work_request(
    event: WebhookEvent, kind: str, number: int, *, at: datetime, lane: Lane
) -> WorkRequest:
    return WorkRequest(
        kind=kind,
        due_at=at,
        lane=lane,
        installation_id=event.installation_id,
        repository_id=event.repository.id if event.repository else None,
        pull_request=number,
        why=f"{event.name}.{event.action}",
    )


RULES: dict[type[WebhookEvent], Callable[[Any, int | None, datetime], EventPlan]] = {
    PullRequestClosed: _closed,
    CheckRunRerequested: _on_run,
    CheckRunRequestedAction: _on_run,
    CheckSuiteRerequested: _on_suite,
    IssueComment: _on_comment,
    InstallationEvent: _upkeep,
    InstallationRepositories: _upkeep,
    RepositoryEvent: _upkeep,
}
"""Kind of event → what follows; a kind that stands not here is recorded as ignored."""

FOLLOWED: dict[str, frozenset[str] | None] = {
    "pull_request": frozenset({"closed"}),
    "check_run": frozenset({"rerequested", "requested_action"}),
    "check_suite": frozenset({"rerequested"}),
    "issue_comment": frozenset({"created"}),
    "installation": None,
    "installation_repositories": None,
    "repository": None,
}
"""Event → the actions that something follows from; ``None``: all of them."""


def is_followed(event: str, action: str | None) -> bool:
    """Say whether anything can follow from an event, by its name alone."""
    actions = FOLLOWED.get(event, frozenset())
    return actions is None or action in actions
