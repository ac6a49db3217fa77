"""What is known of installations and repositories, kept up by events and by a roll call.

The roll call reads GitHub's own lists, so that a lost event does no lasting harm. Nothing here
audits or enqueues.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import structlog

from ghapp.events.reconcile import look_back
from ghapp.github.answers import GoneForGood
from ghapp.github.app_auth import AppAuth, ListedRepository
from ghapp.github.webhooks import (
    EventRepository,
    InstallationEvent,
    InstallationRepositories,
    RepositoryEvent,
)
from ghapp.store import Installation, Repository, Store

BACK = frozenset({"created", "unsuspend", "new_permissions_accepted"})
"""Actions after which an installation's repositories may have missed pull requests."""

UpkeepStep = Callable[[Any, Store, datetime], Iterable[int]]
"""Stores what an event changes; returns the ids of repositories that are back within reach."""

log = structlog.get_logger()


# --- events -------------------------------------------------------------------------------------


def follow_installation(event: InstallationEvent, store: Store, now: datetime) -> Iterable[int]:
    """Store what an event says of an installation; return its repositories if it is back."""
    known, number = store.installations, event.installation_id
    if number is None:
        return ()
    if event.action == "deleted":
        known.removed(number, now=now)
        return ()
    heard = Installation(id=number, account=event.account or "", permissions=event.permissions)
    known.seen(heard, now=now)
    if event.action == "suspend":
        known.suspended(number, now=now)
    elif event.action == "unsuspend":
        known.unsuspended(number)
    _seen(event.repositories, number, store, now)
    return [one.id for one in known.repositories(number)] if event.action in BACK else ()


def follow_repositories(
    event: InstallationRepositories, store: Store, now: datetime
) -> Iterable[int]:
    """Store which repositories an installation gained and lost; return those it gained."""
    store.installations.repositories_removed((one.id for one in event.removed), now=now)
    if event.installation_id is None:
        return ()
    _seen(event.added, event.installation_id, store, now)
    return [one.id for one in event.added]


def follow_repository(event: RepositoryEvent, store: Store, now: datetime) -> Iterable[int]:
    """Store what an event says of a repository; return it if it is back within reach."""
    if event.repository is None:
        return ()
    if event.action == "deleted":
        store.installations.repositories_removed((event.repository.id,), now=now)
        return ()
    if event.installation_id is None:
        return ()
    _seen((event.repository,), event.installation_id, store, now)
    return (event.repository.id,) if event.action in {"transferred", "unarchived"} else ()


# --- the roll call ------------------------------------------------------------------------------


def call_roll(auth: AppAuth, store: Store, now: datetime) -> int:
    """Make what is known of installations and repositories agree with GitHub's lists.

    Returns the number of installations. It repairs what lost events left behind: installations,
    suspensions and their end, repositories added and removed. Raises the errors of `answers`.
    """
    known = {one.id: one for one in store.installations.all()}
    listed = {one.id: one for one in auth.installations()}
    for number in known.keys() - listed.keys():
        log.warning("installation_gone", installation_id=number)
        store.installations.removed(number, now=now)
    for one in listed.values():
        before = store.installations.installation(one.id)
        heard = Installation(id=one.id, account=one.account, permissions=one.permissions)
        store.installations.seen(heard, now=now)
        if one.suspended_at is not None:
            store.installations.suspended(one.id, now=one.suspended_at)
            continue
        store.installations.unsuspended(one.id)
        _call_repositories(one.id, auth, store, now)
        if before is not None and not before.is_active:
            for repository in store.installations.repositories(one.id):
                look_back(repository.id, store, now)
    return len(listed)


def _call_repositories(installation_id: int, auth: AppAuth, store: Store, now: datetime) -> None:
    before = {one.id for one in store.installations.repositories(installation_id)}
    try:
        listed = tuple(auth.repositories(installation_id))
    except GoneForGood as gone:
        log.warning("installation_gone", installation_id=installation_id, problem=str(gone))
        return
    _seen(listed, installation_id, store, now)
    store.installations.repositories_removed(before - {one.id for one in listed}, now=now)


def _seen(
    repositories: Iterable[EventRepository | ListedRepository],
    installation_id: int,
    store: Store,
    now: datetime,
) -> None:
    rows = (
        Repository(
            id=one.id,
            owner=one.full_name.partition("/")[0],
            name=one.full_name.partition("/")[2],
            installation_id=installation_id,
            private=one.private,
            archived=one.archived,
        )
        for one in repositories
    )
    store.installations.repositories_seen(rows, now=now)
