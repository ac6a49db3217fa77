"""Find merged pull requests that no event told of, and enqueue their audits. It audits none."""

from datetime import datetime, timedelta

import structlog

from ghapp.github.client import GitHub
from ghapp.github.pull_requests import MergedPull, recently_merged
from ghapp.store import AUDITING, Lane, Store, WorkEnd, WorkKind, WorkRequest, WorkState

FIRST_LOOK = timedelta(days=1)
"""How far back the first look at a repository goes: the app may just have been installed."""
CATCH_UP = timedelta(days=7)
"""How far back a look goes after the app had no access: suspended, archived, no permission."""
OVERLAP = timedelta(minutes=10)
"""GitHub's lists may lag behind; each look starts this much before the last one."""

LASTING = frozenset({WorkEnd.DONE, WorkEnd.PARTIAL, WorkEnd.REFUSED})
"""Ends that another try would only repeat."""

log = structlog.get_logger()


def cursor_of(repository_id: int) -> str:
    """Return the name of a repository's bookmark."""
    return f"reconcile:{repository_id}"


def reconcile(github: GitHub, store: Store, now: datetime) -> int:
    """Enqueue an audit of each pull request merged since the last look that has no good end.

    Returns how many. Raises the errors of `answers`; then the bookmark stays where it was.
    """
    repository_id = github.repository_id
    last = store.cursors.read(cursor_of(repository_id))
    since = now - FIRST_LOOK if last is None else datetime.fromisoformat(last) - OVERLAP
    missing = [
        pull.number
        for pull in recently_merged(github, since)
        if not _is_settled(pull, github, store)
    ]
    why = "found among the merged pull requests"
    requests = [
        WorkRequest.for_pull(
            *(WorkKind.AUDIT, github.installation_id, repository_id, number),
            at=now,
            why=why,
            lane=Lane.LIVE,
        )
        for number in missing
    ]
    store.work.enqueue_all(requests, now=now)
    store.cursors.move(cursor_of(repository_id), now.isoformat(), now=now)
    if missing:
        log.warning("merged_and_not_told", repository_id=repository_id, pull_requests=missing)
    return len(missing)


def look_back(repository_id: int, store: Store, now: datetime) -> None:
    """Make up for a time without access or permissions, however long it was.

    The bookmark moves back, so that the next look covers merges that nobody told of. Audits that
    were refused, gone or partial are enqueued again.
    """
    ended = store.work.without_a_good_end(repository_id)
    requests = [
        WorkRequest.for_pull(
            *(WorkKind.AUDIT, item.installation_id, repository_id, item.pull_request),
            at=now,
            why=f"access is back; before: {item.outcome}",
            about=item.about,
        )
        for item in ended
    ]
    store.work.enqueue_all(requests, now=now)
    since = now - CATCH_UP
    last = store.cursors.read(cursor_of(repository_id))
    if last is not None and datetime.fromisoformat(last) > since:
        store.cursors.move(cursor_of(repository_id), since.isoformat(), now=now)


def reconcile_request(
    repository_id: int, installation_id: int | None, at: datetime, why: str
) -> WorkRequest:
    """Return the request to reconcile a repository at a time."""
    pull = (installation_id, repository_id, None)
    return WorkRequest.for_pull(WorkKind.RECONCILE, *pull, at=at, why=why)


def _is_settled(pull: MergedPull, github: GitHub, store: Store) -> bool:
    """Say whether a pull request had an end that lasts, or has work under way.

    What was refused or partial runs again when `look_back` hears of access or permissions, and not
    at every look. "Gone" and "nothing to do" do not fit a merged pull request that we can list.
    """
    items = store.work.of(github.repository_id, pull.number)
    audits = [item for item in items if item.kind in AUDITING]
    if any(item.state is not WorkState.DONE for item in audits if item.kind != WorkKind.FINALIZE):
        return True
    ended = [item for item in audits if item.state is WorkState.DONE]
    if ended:
        return ended[-1].outcome in LASTING
    return store.audits.latest(github.repository_id, pull.number) is not None
