"""The commits that a deployment brought, read from the sandbox: squashed, rebased and merged."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ghapp.store import DeploymentTold, Store
from ghapp.store.deployments import deployed_pulls
from ghapp.summaries.counts import PullFacts
from ghapp.summaries.dora import DeploymentSource
from ghapp.upkeep.deployments import read_deployments
from tests.github.place import START, Place, assert_good_manners
from tests.store.records import document

HOUR = timedelta(hours=1)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.close()
    assert_good_manners(made)


def test_each_way_to_merge_is_found(place: Place, sqlite_store: Store) -> None:
    sandbox, repository, store = place.sandbox, place.repository, sqlite_store
    first = sandbox.commit(repository, {"README.md": "# App\n"}, at=START - HOUR)
    ends, github = [first], place.github
    for number, method in enumerate(("squash", "rebase", "merge"), 1):
        for part in ("a", "b"):
            files = {f"src/{method}_{part}.py": "one = 1\n"}
            sandbox.commit(repository, files, branch=method, at=START + number * HOUR)
        pull = sandbox.open_pull(repository, branch=method, author="dev", at=START + number * HOUR)
        sandbox.merge(pull, method=method, at=START + number * HOUR)
        assert pull.merge_commit_sha is not None
        ends.append(pull.merge_commit_sha)
        made = document(pull_request=pull.number, merge_commit=pull.merge_commit_sha)
        about = PullFacts(base_ref="main", default_branch="main")
        store.audits.save(repository.id, pull.number, made, now=START, about=about)
    for number in (0, 2, 3, 1):  # the last one is told late
        told = DeploymentTold(
            source=DeploymentSource.GITHUB,
            external_id=str(number),
            environment="production",
            is_production=True,
            revision=ends[number],
            succeeded_at=START + (number + 9) * HOUR,
        )
        store.deployments.told(repository.id, told)
        read_deployments(github, store)
    with store.database.read() as connection:
        found = deployed_pulls(connection, (repository.id,))
    assert sorted(found.values()) == [START + n * HOUR for n in (10, 11, 12)]
    # A commit that is gone brings nothing, and nothing is asked twice.
    gone = DeploymentTold(
        source=DeploymentSource.GITHUB,
        external_id="9",
        environment="production",
        is_production=True,
        revision="f" * 40,
        succeeded_at=START + 20 * HOUR,
    )
    store.deployments.told(repository.id, gone)
    assert (read_deployments(github, store), read_deployments(github, store)) == (1, 0)
