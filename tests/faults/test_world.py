"""What people and GitHub do to installations, repositories and pull requests."""

from datetime import timedelta

import pytest

from ghapp.demo.sandbox import Fault, FaultKind, HubPull
from ghapp.demo.sandbox.events import renamed, transferred
from ghapp.events.reconcile import cursor_of
from ghapp.github.answers import Headroom
from ghapp.publishers.publisher import UNSEEN
from ghapp.store import DeliveryEnd, Lane, Repository, WorkEnd, WorkKind, WorkRequest, WorkState
from tests.faults.place import SOON, Place

FILES = "/repos/{owner}/{repo}/pulls/{pull_number}/files"
PULL = "/repos/{owner}/{repo}/pulls/{pull_number}"
COMMENTS = "/repos/{owner}/{repo}/issues/{issue_number}/comments"


def audited(place: Place) -> HubPull:
    """Merge one pull request and audit it as far as possible."""
    place.agent_wrote()
    pull = place.merged()
    place.sandbox.deliver_closed(pull)
    place.work()
    return pull


# --- out of reach, and back -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (FaultKind.SUSPEND, "suspended"),
        (FaultKind.UNINSTALL, "uninstalled"),
        (FaultKind.DELETE_REPOSITORY, "removed"),
    ],
)
def test_what_is_out_of_reach_is_gone_by_name(place: Place, kind: FaultKind, word: str) -> None:
    place.sandbox.play(Fault(kind, route=FILES))
    pull = audited(place)
    item = place.last(pull)
    assert (item.outcome, word in str(item.why)) == (WorkEnd.GONE, True), item.why
    assert place.sandbox.writes() == []
    place.expect_good_manners()


def test_after_a_suspension_what_was_missed_is_made_up_for(place: Place) -> None:
    place.sandbox.play(Fault(FaultKind.SUSPEND, route=FILES))
    first = audited(place)
    second = place.merged()  # no webhook for this one
    place.sandbox.unsuspend(place.installation)
    place.sandbox.deliver_installation(place.installation, "unsuspend")
    place.work()
    place.expect_finished(first, second)
    place.expect_a_second_run_to_write_nothing()


def test_an_unsuspension_nobody_told_of_is_found_by_the_roll_call(place: Place) -> None:
    place.sandbox.play(Fault(FaultKind.SUSPEND, route=FILES))
    pull = audited(place)
    place.sandbox.unsuspend(place.installation)
    for _ in range(2):  # a roll call, then a round
        place.chores()
        place.work()
    place.expect_finished(pull)


def test_an_archived_repository_is_said_and_made_up_for(place: Place) -> None:
    place.sandbox.play(Fault(FaultKind.ARCHIVE, route=FILES))
    pull = audited(place)
    item = place.last(pull)
    assert item.outcome is WorkEnd.PARTIAL
    assert "archived" in str(item.why)
    place.repository.archived = False
    place.sandbox.deliver_repository(place.repository, "unarchived", "maintainer")
    place.work()
    place.expect_finished(pull)


def test_a_locked_conversation_is_said_in_the_check_run(place: Place) -> None:
    place.sandbox.play(Fault(FaultKind.LOCK, route=FILES))
    pull = audited(place)
    assert place.last(pull).outcome is WorkEnd.PARTIAL
    (run,) = place.sandbox.visible(pull).check_runs
    assert "locked" in str(run.summary)
    assert place.sandbox.visible(pull).comments == ()
    unconfirmed = place.store.publications.not_confirmed(place.clock() - SOON)
    assert "comment" in {one.publisher for one in unconfirmed}


def test_a_deleted_fork_is_no_obstacle(place: Place) -> None:
    place.agent_wrote()
    pull = place.merged(from_fork=True)
    place.sandbox.delete_forks(place.repository)
    place.sandbox.deliver_closed(pull)
    place.work()
    place.expect_finished(pull)


@pytest.mark.parametrize("told", [True, False], ids=["told", "not_told"])
@pytest.mark.parametrize("is_private", [True, False], ids=["private", "public"])
def test_a_renamed_repository_goes_on(place: Place, *, told: bool, is_private: bool) -> None:
    place.repository.private = is_private
    place.store.installations.repository_seen(
        Repository(
            id=place.repository.id,
            owner="acme",
            name="app",
            installation_id=place.installation.id,
            private=is_private,
        ),
        now=place.clock(),
    )
    first = audited(place)
    place.sandbox.rename_repository(place.repository, "application")
    if told:
        place.sandbox.deliver_repository(place.repository, "renamed", "maintainer", renamed("app"))
    second = place.merged()
    place.sandbox.deliver_closed(second)
    place.work()
    place.expect_finished(first, second)
    known = place.store.installations.repository(place.repository.id)
    assert known is not None
    assert known.full_name == "acme/application"
    assert known.private is place.repository.private is is_private


def test_a_transferred_repository_belongs_to_its_new_installation(place_on_each: Place) -> None:
    place = place_on_each
    first = audited(place)
    former = place.repository.owner
    place.sandbox.transfer_repository(place.repository, "globex")
    other = place.sandbox.install(place.registered.app, "globex")
    place.sandbox.deliver_repository(
        place.repository, "transferred", "maintainer", transferred(former)
    )
    second = place.merged()
    place.sandbox.deliver_closed(second)
    place.work()
    place.expect_finished(first, second)
    known = place.store.installations.repository(place.repository.id)
    assert known is not None
    assert known.installation_id == other.id


def test_a_transfer_out_of_reach_is_gone(place: Place) -> None:
    place.agent_wrote()
    pull = place.merged()
    place.sandbox.deliver_closed(pull)
    place.sandbox.transfer_repository(place.repository, "elsewhere")
    place.work()
    item = place.last(pull)
    assert (item.outcome, "removed" in str(item.why)) == (WorkEnd.GONE, True)


def test_added_repositories_are_looked_at_and_removed_ones_are_not(place: Place) -> None:
    added = place.sandbox.add_repository("acme", "web")
    place.sandbox.deliver_installation_repositories(place.installation, added=[added])
    assert [item.kind for item in place.open_items()] == [WorkKind.CONFIRM]
    place.work()
    looked_at = place.store.cursors.read(cursor_of(added.id))
    assert looked_at == place.clock().isoformat()
    place.sandbox.deliver_installation_repositories(place.installation, removed=[added])
    names = [one.full_name for one in place.store.installations.repositories()]
    assert names == ["acme/app"]


def test_who_installed_us_unheard_is_found(place: Place) -> None:
    place.sandbox.install(place.registered.app, "globex")
    web = place.sandbox.add_repository("globex", "web")
    place.chores()
    place.work()
    known = place.store.installations.repository(web.id)
    assert known is not None
    place.sandbox.uninstall(place.installation)
    place.chores()
    place.work()
    assert [one.account for one in place.store.installations.all()] == ["globex"]


# --- Redis and the database away ------------------------------------------------------------------


def test_without_a_database_github_is_told_and_the_sweep_makes_up_for_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.agent_wrote()
    pull = place.merged()
    engine = place.store.database.engine
    with monkeypatch.context() as broken:
        broken.setattr(place.store.database, "engine", _away(place))
        (delivery,) = place.sandbox.deliver_closed(pull)
    assert place.store.database.engine is engine
    assert delivery.status_code == 503
    place.chores()
    place.work()
    place.expect_finished(pull)
    kept = place.store.deliveries.one(delivery.guid)
    assert kept is not None
    assert kept.outcome is DeliveryEnd.SCHEDULED


def _away(place: Place) -> object:
    """Return the engine of a database whose folder is not there: only a migration makes one."""
    from ghapp.store import Database  # noqa: PLC0415 - only this test needs it

    data = place.services.settings.data_dir
    gone = Database(f"sqlite:///{data / 'gone' / 'x.sqlite3'}")
    return gone.engine


# --- windows, limits, people ----------------------------------------------------------------------


def test_the_window_s_end_makes_it_final_and_late_evidence_changes_it(place_on_each: Place) -> None:
    place = place_on_each
    pull = place.merged()
    place.sandbox.deliver_closed(pull)
    place.work()
    assert place.sandbox.visible(pull).label_names == ()
    place.agent_wrote(at=timedelta(hours=-2))
    place.work()
    place.expect_finished(pull)
    place.work(timedelta(days=3))
    latest = place.store.audits.latest(place.repository.id, pull.number)
    assert latest is not None
    assert latest.state == "final"
    place.expect_finished(pull)
    place.expect_a_second_run_to_write_nothing()


def test_evidence_that_comes_after_the_final_audit_is_followed_everywhere(
    place_on_each: Place,
) -> None:
    place = place_on_each
    pull = place.merged()
    place.sandbox.deliver_closed(pull)
    place.work(timedelta(days=3))
    first = place.store.audits.latest(place.repository.id, pull.number)
    assert first is not None
    assert (first.state, first.attributed) == ("final", 0)
    seen = place.sandbox.visible(pull)
    assert (seen.label_names, len(seen.comments), len(seen.check_runs)) == ((), 0, 1)
    place.agent_wrote(at=-timedelta(hours=2))
    place.work()
    second = place.store.audits.latest(place.repository.id, pull.number)
    assert second is not None
    assert (second.state, second.attributed, second.id > first.id) == ("final", 5, True)
    place.expect_finished(pull)
    assert place.sandbox.visible(pull).check_runs[0].id == seen.check_runs[0].id
    place.expect_a_second_run_to_write_nothing()


def test_evidence_that_reaches_no_window_brings_no_audit(place_on_each: Place) -> None:
    place = place_on_each
    pull = place.merged()
    place.sandbox.deliver_closed(pull)
    place.work(timedelta(days=5))
    writes, audits = len(place.sandbox.writes()), place.store.audits.all_of(place.repository.id)
    place.agent_wrote(at=timedelta(days=4))
    assert place.store.work.overdue(place.clock() + SOON) == ()
    place.work()
    assert place.store.audits.all_of(place.repository.id) == audits
    assert len(place.sandbox.writes()) == writes


def test_evidence_that_comes_between_reading_and_saving_is_not_lost(
    place_on_each: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_on_each
    pull = place.merged()
    place.clock.now += timedelta(days=3)  # so that the first audit is the final one
    save = place.store.audits.save

    def slow_save(*given: object, **more: object) -> object:
        monkeypatch.undo()
        place.agent_wrote(at=timedelta(hours=-2))
        return save(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(type(place.store.audits), "save", lambda _, *g, **m: slow_save(*g, **m))
    place.sandbox.deliver_closed(pull)
    place.work()
    place.expect_finished(pull)


def test_a_comment_that_a_person_deleted_stays_deleted(place: Place) -> None:
    place.sandbox.play(Fault(FaultKind.BAD_GATEWAY_AFTER, method="POST", route=COMMENTS))
    place.sandbox.play(
        Fault(FaultKind.SERVER_ERROR, method="GET", route=COMMENTS, status=502, after=1, times=3)
    )
    pull = audited(place)
    place.expect_finished(pull)
    pull.comments.clear()
    place.clock.now += UNSEEN
    before = len(place.sandbox.writes())
    place.again(pull)
    assert place.sandbox.visible(pull).comments == ()
    assert len(place.sandbox.writes()) == before


def test_a_limit_holds_up_one_installation_only(place: Place) -> None:
    place.agent_wrote()
    other = place.sandbox.install(place.registered.app, "globex")
    web = place.sandbox.add_repository("globex", "web")
    elsewhere = place.sandbox.open_pull(web, files={"b.py": "y = 2\n"})
    place.sandbox.merge(elsewhere)
    place.sandbox.play(Fault(FaultKind.PRIMARY_LIMIT, route=FILES, status=429, seconds=1800))
    pull = place.merged()
    place.sandbox.deliver_closed(pull)
    began = place.clock()
    place.work(horizon=timedelta(0))
    parked = place.services.pace.parked_until(place.installation.id)
    assert parked is not None
    assert parked - began >= timedelta(seconds=1700)
    assert place.services.pace.parked_until(other.id) is None
    place.sandbox.deliver_closed(elsewhere)
    place.work(horizon=timedelta(0))
    (item,) = [one for one in place.store.work.of(web.id, elsewhere.number) if one.outcome]
    assert item.outcome is WorkEnd.DONE
    place.work()
    place.expect_finished(pull)


def test_audits_of_the_past_leave_a_reserve(place: Place) -> None:
    place.agent_wrote()
    pull = place.merged()
    resets = place.clock() + timedelta(minutes=20)
    left = Headroom(limit=5_000, remaining=1_400, resets_at=resets)
    place.services.pace.note(place.installation.id, left)
    past = WorkRequest(
        kind=WorkKind.AUDIT,
        due_at=place.clock(),
        lane=Lane.REPLAY,
        installation_id=place.installation.id,
        repository_id=place.repository.id,
        pull_request=pull.number,
    )
    place.store.work.enqueue(past, now=place.clock())
    place.work(horizon=timedelta(0))
    (item,) = place.open_items()
    assert (item.state, item.attempts) == (WorkState.WAITING, 0)
    assert abs(item.due_at - resets) < timedelta(seconds=2)
    # A live event is not blocked by it, and takes the work item over.
    place.sandbox.deliver_closed(pull)
    place.work(horizon=timedelta(0))
    place.expect_finished(pull)


def test_a_fault_of_ours_becomes_a_dead_letter_that_can_be_retried(
    place_on_each: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = place_on_each

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a fault of ours")

    with monkeypatch.context() as faulty:
        faulty.setattr("ghapp.audit.attributed", broken)
        pull = audited(place)
    (parked,) = place.store.work.dead_letters()
    assert "tries" in str(parked.why)
    assert place.store.work.retry(parked.id, now=place.clock())
    place.work()
    place.expect_finished(pull)


def test_a_delivery_known_to_github_only_comes_back_after_a_lost_database(place: Place) -> None:
    pull = audited(place)
    (delivery,) = place.sandbox.deliver_closed(pull)
    assert delivery.status_code == 202
    with place.store.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM delivery")
        connection.exec_driver_sql("DELETE FROM work_item")
    place.chores()
    place.work()
    assert place.store.deliveries.one(delivery.guid) is not None
    place.expect_finished(pull)
