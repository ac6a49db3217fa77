"""Deployments and incidents: late, twice or out of order, the same rows."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select

from ghapp.store import DeploymentChoice, DeploymentTold, IncidentTold, Store
from ghapp.store.deployments import deployed_pulls, figures
from ghapp.store.schema import deployed_commit, deployment, incident
from ghapp.summaries.dora import DeploymentSource, IncidentSource
from tests.searching import searched
from tests.store.records import NOW, document
from tests.store.test_outcomes import an_outcome

HOUR = timedelta(hours=1)
LINE = [f"{number:040x}" for number in range(20)]
"""The commits of a branch, oldest first."""
TABLES = (deployment, deployed_commit, incident)


def told(number: int, hour: int, commit: int, **changed: Any) -> DeploymentTold:
    values = {
        "source": DeploymentSource.GITHUB,
        "external_id": str(number),
        "environment": "production",
        "is_production": True,
        "revision": LINE[commit],
        "succeeded_at": NOW + hour * HOUR,
    } | changed
    return DeploymentTold(**values)


def read(store: Store) -> None:
    """Do what the worker does: `LINE` is what GitHub would list."""
    for step in store.deployments.unread(42):
        before, after = LINE.index(step.before), LINE.index(step.revision)
        store.deployments.keep_commits(42, step, LINE[before + 1 : after + 1])
    assert store.deployments.unread(42) == ()


def test_a_pull_request_is_found_by_its_merge_commit(store: Store) -> None:
    for number, commit in ((1, 2), (2, 5), (3, 9)):
        made = document(pull_request=number, merge_commit=LINE[commit], repository="acme/app")
        store.audits.save(42, number, made, now=NOW)
        store.outcomes.keep(42, number, an_outcome(first_commit_at=NOW - number * HOUR))
    for one in (told(1, 0, 2), told(2, 1, 5), told(3, 2, 7)):
        store.deployments.told(42, one)
    staging = told(4, 3, 9, environment="staging", is_production=False)
    store.deployments.told(42, staging)
    store.deployments.told(42, told(5, 4, 9, succeeded_at=None, failed_at=NOW + 4 * HOUR))
    read(store)
    with store.database.read() as connection:
        # The first deployment brought what was before our time, and the third is not in production.
        assert deployed_pulls(connection, (42, 43)) == {(42, 2): NOW + HOUR}
        found = figures(connection, (42, 43), NOW.date(), NOW.date() + timedelta(days=1))
    assert (found.deployments, found.changes, found.lead_time.value) == (3, 1, 3.0)
    # It is tried again, and works: then the third is there.
    store.deployments.told(42, told(5, 6, 9))
    read(store)
    with store.database.read() as connection:
        assert deployed_pulls(connection, (42,)) == {(42, 2): NOW + HOUR, (42, 3): NOW + 6 * HOUR}


def test_a_repository_uses_the_first_source_that_tells_of_production(sqlite_store: Store) -> None:
    store = sqlite_store
    release = told(1, 0, 2, source=DeploymentSource.RELEASE)
    store.deployments.told(42, release)
    window = NOW.date(), NOW.date() + timedelta(days=1)
    for more, count in ((told(2, 1, 3), 1), (told(3, 2, 4), 2)):
        store.deployments.told(42, more)
        with store.database.read() as connection:
            assert figures(connection, (42,), *window).deployments == count


WORDS: list[DeploymentTold | IncidentTold] = [
    *(told(number, hour, commit) for number, hour, commit in ((1, 0, 2), (2, 5, 5), (3, 9, 9))),
    # A second success of the second one, earlier than the first: the row changes its order.
    told(2, -1, 5),
    told(3, 0, 9, succeeded_at=None, failed_at=NOW + 8 * HOUR),
    *(
        IncidentTold(
            source=IncidentSource.ISSUE,
            external_id="7",
            is_incident=held,
            opened_at=NOW,
            resolved_at=None if end is None else NOW + end * HOUR,
            told_at=NOW + at * HOUR,
        )
        for held, end, at in ((True, None, 0), (True, 3, 3), (True, None, 4), (False, 6, 6))
    ),
]


def tell(store: Store, word: DeploymentTold | IncidentTold) -> None:
    if isinstance(word, DeploymentTold):
        store.deployments.told(42, word)
    else:
        store.deployments.told_incident(42, word)


def state(store: Store) -> tuple[Any, ...]:
    rows = [sorted(map(tuple, store.database.rows(select(table)))) for table in TABLES[2:]]
    found = deployment.c
    told = select(found.external_id, found.succeeded_at, found.failed_at, found.revision)
    with store.database.read() as connection:
        reached = deployed_pulls(connection, (42,))
        counted = figures(connection, (42,), NOW.date(), NOW.date() + timedelta(days=2))
    return rows, sorted(map(tuple, store.database.rows(told))), reached, counted


@searched(12)
@given(st.permutations(WORDS), st.permutations(WORDS))
def test_what_comes_late_twice_or_out_of_order_changes_nothing(
    sqlite_store: Store, once: list[Any], again: list[Any]
) -> None:
    store = sqlite_store
    for number, commit in ((1, 2), (2, 5), (3, 9)):
        made = document(pull_request=number, merge_commit=LINE[commit])
        store.audits.save(42, number, made, now=NOW)
    ends = []
    for words in (WORDS, [*once, *again[:5]]):
        with store.database.write() as connection:
            for table in TABLES:
                connection.execute(delete(table))
        for word in words:
            tell(store, word)
            read(store)
        ends.append(state(store))
    assert ends[0] == ends[1]


def test_an_organization_chooses_workflows_and_labels(sqlite_store: Store) -> None:
    table = sqlite_store.deployments
    assert table.choice(1) == DeploymentChoice((), ("incident",))
    for chosen in (
        DeploymentChoice(("Deploy",), ()),
        DeploymentChoice(("Ship it", "x"), ("sev1",)),
    ):
        table.choose(1, chosen, by="ann", now=NOW)
        assert table.choice(1) == chosen
    assert table.choice(2) == DeploymentChoice()
