"""What GitHub knows and we do not: merged pull requests nobody told us of, and who installed us.

It makes due what is missing and audits nothing itself.
"""

from datetime import datetime, timedelta

import structlog

from ghapp.github.answers import GoneForGood
from ghapp.github.app_auth import AppAuth, ListedRepository
from ghapp.github.client import GitHub
from ghapp.github.pull_requests import MergedPull, recently_merged
from ghapp.store import (
    Installation,
    Lane,
    Repository,
    Store,
    WorkEnd,
    WorkKind,
    WorkRequest,
    WorkState,
)

FIRST_LOOK = timedelta(days=1)
"""How far back a repository is looked at that never was: the app may have come with it."""
CATCH_UP = timedelta(days=7)
"""How far back after the app was kept out for a time: suspended, archived, without permission."""
OVERLAP = timedelta(minutes=10)
"""GitHub's lists may lag behind what they list."""

log = structlog.get_logger()


def cursor_of(repository_id: int) -> str:
    """Return the name of a repository's bookmark."""
    return f"reconcile:{repository_id}"


def reconcile(github: GitHub, store: Store, now: datetime) -> int:
    """Make due what was merged since the last look and has no good end here; return how many.

    Raises the errors of `answers`; then the bookmark stays where it was.
    """
    repository_id = github.repository_id
    last = store.cursors.read(cursor_of(repository_id))
    since = now - FIRST_LOOK if last is None else datetime.fromisoformat(last) - OVERLAP
    missing = [
        pull for pull in recently_merged(github, since) if not _is_settled(pull, github, store)
    ]
    requests = [_work_request(pull, github, now) for pull in missing]
    store.work.enqueue_all(requests, now=now)
    store.cursors.move(cursor_of(repository_id), now.isoformat(), now=now)
    if missing:
        numbers = [pull.number for pull in missing]
        log.warning("merged_and_not_told", repository_id=repository_id, pull_requests=numbers)
    return len(missing)


def look_back(repository_id: int, store: Store, now: datetime) -> None:
    """Set a repository's bookmark back, for everything that was out of reach for a time."""
    since = now - CATCH_UP
    last = store.cursors.read(cursor_of(repository_id))
    if last is not None and datetime.fromisoformat(last) > since:
        store.cursors.move(cursor_of(repository_id), since.isoformat(), now=now)


def reconcile_request(
    repository_id: int, installation_id: int | None, at: datetime, why: str
) -> WorkRequest:
    """Return the wish to look at a repository at a time."""
    return WorkRequest(
        kind=WorkKind.RECONCILE,
        due_at=at,
        lane=Lane.RERUN,
        installation_id=installation_id,
        repository_id=repository_id,
        why=why,
    )


def _is_settled(pull: MergedPull, github: GitHub, store: Store) -> bool:
    """Say whether a pull request came to a good end, or is on its way to one.

    One that was refused, gone or partial is audited once more: what was in its way may be over,
    and where it is not, nothing is written twice.
    """
    items = store.work.of(github.repository_id, pull.number)
    if any(item.state is not WorkState.DONE for item in items if item.kind != WorkKind.FINALIZE):
        return True
    ended = [item for item in items if item.state is WorkState.DONE]
    if ended:
        return ended[-1].outcome is WorkEnd.DONE
    return store.audits.latest(github.repository_id, pull.number) is not None


def _work_request(pull: MergedPull, github: GitHub, now: datetime) -> WorkRequest:
    return WorkRequest(
        kind=WorkKind.AUDIT,
        due_at=now,
        lane=Lane.LIVE,
        installation_id=github.installation_id,
        repository_id=github.repository_id,
        pull_request=pull.number,
        why="found among the merged pull requests",
    )


# --- who installed us -----------------------------------------------------------------------------


def call_roll(auth: AppAuth, store: Store, now: datetime) -> int:
    """Bring what is known of installations and repositories up to GitHub's lists.

    Returns how many installations there are. For events that were lost: an installation, a
    suspension and its end, repositories added and removed. Raises the errors of `answers`.
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
    store.installations.repositories_seen((_known(one, installation_id) for one in listed), now=now)
    store.installations.repositories_removed(before - {one.id for one in listed}, now=now)


def _known(listed: ListedRepository, installation_id: int) -> Repository:
    owner, _, name = listed.full_name.partition("/")
    return Repository(
        id=listed.id,
        owner=owner,
        name=name,
        installation_id=installation_id,
        private=listed.private,
        archived=listed.archived,
    )
