"""What is known of installations and repositories: closed by events, opened by GitHub's answers.

An event may be late, replayed, or never come. So what it closes is closed at once, and what it
opens waits until GitHub was asked; GitHub is asked in both cases. The roll call asks about
everything, so that a lost event does no lasting harm. Nothing here audits.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import structlog

from ghapp.events.reconcile import look_back
from ghapp.github.answers import GoneForGood, GoneReason
from ghapp.github.app_auth import AppAuth, ListedInstallation, ListedRepository
from ghapp.github.webhooks import InstallationEvent, InstallationRepositories, RepositoryEvent
from ghapp.store import Installation, Repository, Store

UpkeepStep = Callable[[Any, Store, datetime], None]
"""Stores what an event closes."""

log = structlog.get_logger()


# --- what an event closes -------------------------------------------------------------------------


def close_installation(event: InstallationEvent, store: Store, now: datetime) -> None:
    """Store the end or the suspension that an event tells of."""
    if event.installation_id is not None and event.action == "deleted":
        store.installations.removed(event.installation_id, now=now)
    elif event.installation_id is not None and event.action == "suspend":
        store.installations.suspended(event.installation_id, now=now)


def close_repositories(event: InstallationRepositories, store: Store, now: datetime) -> None:
    """Store which repositories an installation lost, unless another one reaches them."""
    lost = (one.id for one in event.removed)
    store.installations.repositories_removed(lost, now=now, of=event.installation_id)


def close_repository(event: RepositoryEvent, store: Store, now: datetime) -> None:
    """Store that a repository was deleted, or that it is private."""
    if event.repository is None:
        return
    if event.action == "deleted":
        store.installations.repositories_removed((event.repository.id,), now=now)
    elif event.repository.private:
        store.installations.made_private(event.repository.id, now=now)


# --- what GitHub answers --------------------------------------------------------------------------


def confirm_installation(
    installation_id: int, auth: AppAuth, store: Store, now: datetime
) -> tuple[int, ...]:
    """Ask GitHub about an installation and store the answer; return repositories that are back.

    Raises the errors of `answers`.
    """
    listed = auth.installation(installation_id)
    if listed is None:
        store.installations.removed(installation_id, now=now)
        return ()
    return _store_installation(listed, auth, store, now)


def confirm_repository(
    installation_id: int, repository_id: int, auth: AppAuth, store: Store, now: datetime
) -> bool:
    """Ask GitHub about a repository and store the answer; say whether it is back within reach.

    Raises the errors of `answers`.
    """
    known = store.installations
    try:
        found = auth.repository(installation_id, repository_id)
    except GoneForGood as gone:
        if gone.why is GoneReason.SUSPENDED:
            known.suspended(installation_id, now=now)
        elif gone.why is GoneReason.UNINSTALLED:
            known.removed(installation_id, now=now)
        return False
    if found is None:
        known.repositories_removed((repository_id,), now=now, of=installation_id)
        return False
    before = known.repository(repository_id)
    _store_repositories((found,), installation_id, store, now)
    return _is_back(found, before, installation_id)


def call_roll(auth: AppAuth, store: Store, now: datetime) -> int:
    """Make what is known of installations and repositories agree with GitHub's lists.

    Returns the number of installations. It repairs what lost events left behind: installations,
    suspensions and their end, permissions, repositories added and removed. Raises the errors of
    `answers`.
    """
    known = {one.id for one in store.installations.all()}
    listed = {one.id: one for one in auth.installations()}
    for number in known - listed.keys():
        log.warning("installation_gone", installation_id=number)
        store.installations.removed(number, now=now)
    for one in listed.values():
        make_up(one.id, _store_installation(one, auth, store, now), auth, store, now)
    return len(listed)


def make_up(
    installation_id: int, back: Iterable[int], auth: AppAuth, store: Store, now: datetime
) -> None:
    """Make up for what repositories missed that are back within reach, with new tokens."""
    for repository_id in back:
        auth.forget(installation_id, repository_id)
        look_back(repository_id, store, now)


def _store_installation(
    listed: ListedInstallation, auth: AppAuth, store: Store, now: datetime
) -> tuple[int, ...]:
    """Store an installation with its repositories; return those that are back within reach."""
    known, number = store.installations, listed.id
    before = known.installation(number)
    heard = Installation(id=number, account=listed.account, permissions=listed.permissions)
    known.seen(heard, now=now)
    if listed.suspended_at is not None:
        known.suspended(number, now=listed.suspended_at)
        return ()
    known.unsuspended(number, now=now)
    back = _call_repositories(number, auth, store, now)
    granted = before is not None and before.permissions not in ({}, listed.permissions)
    if granted or (before is not None and not before.is_active):
        return tuple(one.id for one in known.repositories(number))
    return back


def _call_repositories(
    installation_id: int, auth: AppAuth, store: Store, now: datetime
) -> tuple[int, ...]:
    """Store an installation's repositories; return those that are back within reach."""
    try:
        listed = tuple(auth.repositories(installation_id))
    except GoneForGood as gone:
        log.warning("installation_gone", installation_id=installation_id, problem=str(gone))
        return ()
    known = store.installations
    before = {one.id: known.repository(one.id) for one in listed}
    former = {one.id for one in known.repositories(installation_id)}
    _store_repositories(listed, installation_id, store, now)
    lost = former - before.keys()
    known.repositories_removed(lost, now=now, of=installation_id)
    return tuple(one.id for one in listed if _is_back(one, before[one.id], installation_id))


def _is_back(found: ListedRepository, before: Repository | None, installation_id: int) -> bool:
    """Say whether a repository may have missed pull requests, or writes to them."""
    if before is None or before.removed_at is not None:
        return True
    is_unarchived = before.archived and not found.archived
    return is_unarchived or before.installation_id != installation_id


def _store_repositories(
    listed: Iterable[ListedRepository], installation_id: int, store: Store, now: datetime
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
        for one in listed
    )
    store.installations.repositories_seen(rows, now=now)
