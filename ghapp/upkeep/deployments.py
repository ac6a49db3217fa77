"""Reads from GitHub which commits each deployment to production brought. It measures nothing."""

from collections.abc import Iterator
from datetime import datetime

import structlog

from ghapp.attribution.model import Struct
from ghapp.git.names import segment
from ghapp.github.answers import NotFound
from ghapp.github.client import GitHub
from ghapp.store import Lane, Store, WorkKind, WorkRequest
from ghapp.store.deployments import DeploymentStep

MOST_COMMITS = 5_000
"""Of one deployment: of a larger one, such as the first after a year, no commit is known."""
A_PAGE = 100

log = structlog.get_logger()


class _Commit(Struct, frozen=True):
    sha: str


class _Comparison(Struct, frozen=True):
    total_commits: int
    commits: tuple[_Commit, ...]


def deployments_request(
    installation_id: int | None, repository_id: int, at: datetime
) -> WorkRequest:
    """Return the request to read the commits of a repository's new deployments."""
    return WorkRequest.for_pull(
        *(WorkKind.DEPLOYMENTS, installation_id, repository_id, None),
        at=at,
        why="a deployment was told",
        lane=Lane.REPLAY,
    )


def read_deployments(github: GitHub, store: Store) -> int:
    """Read and store the commits of a repository's deployments; return of how many.

    A commit that GitHub no longer has brings nothing. Raises the errors of `answers`.
    """
    steps = store.deployments.unread(github.repository_id)
    for step in steps:
        store.deployments.keep_commits(github.repository_id, step, brought(github, step))
    return len(steps)


def brought(github: GitHub, step: DeploymentStep) -> tuple[str, ...]:
    """Return the commits that a deployment has and the one before it had not.

    Over three dots GitHub lists what the second reaches and the first does not:
    https://docs.github.com/en/rest/commits/commits#compare-two-commits
    """
    try:
        found = tuple(_listed(github, step))
    except NotFound:
        found = ()
    if not found:
        log.info("deployment_brought_nothing", deployment=step.external_id)
    return found


def _listed(github: GitHub, step: DeploymentStep) -> Iterator[str]:
    path = f"compare/{segment(step.before)}...{segment(step.revision)}"
    number, seen = 0, 0
    while True:
        number += 1
        page = github.get(path, _Comparison, per_page=A_PAGE, page=number)
        if page.total_commits > MOST_COMMITS:
            return
        yield from (one.sha for one in page.commits)
        seen += len(page.commits)
        if not page.commits or seen >= page.total_commits:
            return
