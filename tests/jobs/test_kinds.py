"""What each kind of work item is about, and what it says where that is missing or out of reach."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from ghapp.audit import AuditRequest
from ghapp.ending import ChoreDone, Ending, NothingToDo, OutOfReach, TryLater
from ghapp.events.dispatch import AUDIT_AGAIN
from ghapp.github.answers import GoneForGood, GoneReason
from ghapp.ingest.compliance import ComplianceError, PullResult
from ghapp.jobs.kinds import KINDS, MOST_WEEKLY_TRIES, RECURRING
from ghapp.store import (
    MERGED,
    Installation,
    Lane,
    Repository,
    Store,
    WorkItem,
    WorkKind,
    WorkRequest,
)
from ghapp.upkeep.outgoing import NotSent
from tests.jobs.doing import NOW, Doing, Unpaced

ON_PULLS = (
    WorkKind.AUDIT,
    WorkKind.FINALIZE,
    AUDIT_AGAIN,
    WorkKind.COMMAND,
    WorkKind.OUTCOMES,
)
ON_REPOSITORIES = (WorkKind.RECONCILE, WorkKind.REPLAY, WorkKind.SUITE, WorkKind.DEPLOYMENTS)
DONE = NothingToDo("as the test says")

Due = Callable[..., WorkItem]


@pytest.fixture
def due(sqlite_store: Store) -> Due:
    """Enqueue something about pull request 17 of repository 42, and return the item."""

    def made(kind: str = WorkKind.AUDIT, **more: object) -> WorkItem:
        about = {"installation_id": 5, "repository_id": 42, "pull_request": 17, **more}
        sqlite_store.work.enqueue(WorkRequest(kind=kind, due_at=NOW, **about), now=NOW)  # type: ignore[arg-type]
        return sqlite_store.work.open()[-1]

    return made


def ending(item: WorkItem, doing: Doing) -> Ending:
    return KINDS[item.kind](item, doing)  # type: ignore[arg-type]


def test_every_kind_that_is_enqueued_can_be_done() -> None:
    assert set(KINDS) == {*WorkKind, AUDIT_AGAIN}
    assert set(KINDS) >= RECURRING


# --- whom it is about -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ON_PULLS)
def test_without_a_pull_request_there_is_nothing_to_audit(
    kind: str, due: Due, sqlite_store: Store
) -> None:
    found = ending(due(kind, pull_request=None), Doing(sqlite_store, DONE))
    assert found == NothingToDo("it names no pull request")


@pytest.mark.parametrize("kind", [*ON_PULLS, *ON_REPOSITORIES])
def test_without_a_repository_there_is_nothing_to_do(
    kind: str, due: Due, sqlite_store: Store
) -> None:
    found = ending(due(kind, repository_id=None), Doing(sqlite_store, DONE))
    assert found == NothingToDo("it names no repository")


@pytest.mark.parametrize("kind", [*ON_PULLS, *ON_REPOSITORIES, WorkKind.TEAMS])
def test_where_no_installation_reaches_the_repository_it_is_gone(
    kind: str, due: Due, sqlite_store: Store
) -> None:
    found = ending(due(kind, installation_id=None), Doing(sqlite_store, DONE))
    assert isinstance(found, OutOfReach)
    assert found.reason is GoneReason.REMOVED


def test_a_letter_is_about_an_installation(due: Due, sqlite_store: Store) -> None:
    item = due(WorkKind.WEEKLY_SUMMARY, installation_id=None)
    assert ending(item, Doing(sqlite_store, DONE)) == NothingToDo("it names no installation")


@pytest.mark.parametrize("missing", ["installation_id", "about"])
def test_a_vendor_is_one_of_an_installation(missing: str, due: Due, sqlite_store: Store) -> None:
    item = due(WorkKind.VENDOR_PULL, **{"about": "cursor", missing: None})
    found = ending(item, Doing(sqlite_store, DONE))
    assert found == NothingToDo("it names no vendor of an installation")


def test_teams_of_an_installation_that_is_not_known_are_not_asked_for(
    due: Due, sqlite_store: Store
) -> None:
    item = due(WorkKind.TEAMS, repository_id=None, pull_request=None)
    found = ending(item, Doing(sqlite_store, DONE))
    assert found == NothingToDo("installation 5 is not known")


def test_a_repository_that_moved_is_asked_through_its_new_installation(
    due: Due, sqlite_store: Store
) -> None:
    for number in (5, 6):
        sqlite_store.installations.seen(Installation(id=number, account=f"a{number}"), now=NOW)
    moved = Repository(id=42, owner="a6", name="app", installation_id=6)
    sqlite_store.installations.repository_seen(moved, now=NOW)
    # That the former one is gone is no obstacle.
    sqlite_store.installations.removed(5, now=NOW)
    doing = Doing(sqlite_store, DONE)
    assert ending(due(), doing) == DONE
    assert [one.installation_id for one in doing.asked] == [6]
    assert doing.pace.asked == [(6, False)]


@pytest.mark.parametrize(
    ("heard", "reached"),
    [("nothing", 6), ("it_is_back", 6), ("it_is_gone_too", 5)],
)
def test_an_installation_that_an_event_names_wins_over_one_that_is_gone(
    heard: str, reached: int, due: Due, sqlite_store: Store
) -> None:
    known = sqlite_store.installations
    known.seen(Installation(id=5, account="acme"), now=NOW)
    there = Repository(id=42, owner="acme", name="app", installation_id=5)
    known.repository_seen(there, now=NOW)
    known.removed(5, now=NOW)
    if heard != "nothing":
        known.seen(Installation(id=6, account="acme"), now=NOW)
    if heard == "it_is_gone_too":
        known.removed(6, now=NOW)
    doing = Doing(sqlite_store, DONE)
    ending(due(installation_id=6), doing)
    assert [one.installation_id for one in doing.asked] == ([6] if reached == 6 else [])


@pytest.mark.parametrize("reason", [GoneReason.SUSPENDED, GoneReason.UNINSTALLED])
def test_who_was_reached_gets_the_blame(reason: GoneReason, due: Due, sqlite_store: Store) -> None:
    doing = Doing(sqlite_store, GoneForGood(reason, "a token"))
    found = ending(due(), doing)
    assert isinstance(found, OutOfReach)
    assert (found.reason, found.installation_id) == (reason, 5)


@pytest.mark.parametrize("reason", [GoneReason.SUSPENDED, GoneReason.UNINSTALLED])
def test_an_installation_that_may_not_be_used_is_not_asked(
    reason: GoneReason, due: Due, sqlite_store: Store
) -> None:
    sqlite_store.installations.seen(Installation(id=5, account="acme"), now=NOW)
    if reason is GoneReason.SUSPENDED:
        sqlite_store.installations.suspended(5, now=NOW)
    else:
        sqlite_store.installations.removed(5, now=NOW)
    doing = Doing(sqlite_store, DONE)
    assert ending(due(), doing) == OutOfReach(f"installation 5: {reason}", reason)
    assert doing.asked == []


def test_an_installation_nobody_told_of_is_asked(due: Due, sqlite_store: Store) -> None:
    doing = Doing(sqlite_store, DONE)
    assert ending(due(), doing) == DONE
    assert [one.installation_id for one in doing.asked] == [5]


def test_a_parked_installation_is_not_asked_and_that_is_no_try(
    due: Due, sqlite_store: Store
) -> None:
    ready = NOW + timedelta(minutes=3)
    doing = Doing(sqlite_store, DONE, pace=Unpaced(ready))
    expected = TryLater(at=ready, why="a rate limit of GitHub's", counts=False)
    assert ending(due(), doing) == expected
    assert doing.asked == []


# --- audits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, {}),
        ({"kind": WorkKind.FINALIZE}, {"is_merged": True}),
        ({"kind": AUDIT_AGAIN}, {"asked_again": True, "is_merged": True}),
        ({"about": MERGED}, {"is_merged": True}),
        ({"lane": Lane.REPLAY}, {"background": True}),
    ],
    ids=["audit", "finalize", "a_person_asks", "an_event_said_merged", "of_the_past"],
)
def test_an_audit_knows_why_it_is_made(
    more: dict[str, str], expected: dict[str, bool], due: Due, sqlite_store: Store
) -> None:
    doing = Doing(sqlite_store, DONE)
    assert ending(due(**more), doing) == DONE
    more_expected = {"tries": 0, **expected}
    about = AuditRequest(installation_id=5, repository_id=42, number=17, **more_expected)
    assert doing.asked == [about]
    assert doing.pace.asked == [(5, about.background)]


@pytest.mark.parametrize("number", [None, 17], ids=["listing", "auditing"])
def test_a_step_of_a_replay_that_is_over_is_nothing(
    number: int | None, due: Due, sqlite_store: Store
) -> None:
    found = ending(due(WorkKind.REPLAY, pull_request=number), Doing(sqlite_store, DONE))
    assert found == NothingToDo("its replay is over")


# --- sessions and letters -------------------------------------------------------------------------


def pulled(*, is_whole: bool, edits: int = 3) -> PullResult:
    return PullResult(agent_sessions=2, edits=edits, elsewhere=0, unread=0, is_whole=is_whole)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (None, NothingToDo("no key of the Compliance API is set")),
        (pulled(is_whole=True), ChoreDone(3, "3 edits of 2 sessions")),
        (pulled(is_whole=False), TryLater(at=NOW, why="more sessions to pull", counts=False)),
        (ComplianceError("no answer"), TryLater(at=NOW, why="no answer", counts=True)),
    ],
    ids=["without_key", "whole", "more_to_come", "away"],
)
def test_a_pull_of_sessions_says_what_came_of_it(
    result: object, expected: Ending, due: Due, sqlite_store: Store
) -> None:
    item = due(WorkKind.COMPLIANCE, installation_id=None, repository_id=None, pull_request=None)
    assert ending(item, Doing(sqlite_store, result)) == expected


def test_a_letter_that_cannot_be_sent_is_given_up_after_a_day(
    due: Due, sqlite_store: Store
) -> None:
    refused = NotSent("the server refuses")
    doing = Doing(sqlite_store, refused)
    item = due(WorkKind.WEEKLY_SUMMARY, repository_id=None, pull_request=None)
    with pytest.raises(NotSent):
        ending(item, doing)
    for _ in range(MOST_WEEKLY_TRIES):
        leased = sqlite_store.work.lease(item.id, NOW, "test", timedelta(0))
        assert leased is not None
    found = ending(leased, doing)
    assert isinstance(found, ChoreDone)
    assert (found.found, "the server refuses" in found.why) == (0, True)
