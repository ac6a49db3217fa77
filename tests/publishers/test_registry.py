"""All publishers together: once, twice, and with every kind of trouble."""

import pytest

from ghapp.demo.sandbox.state import HubLabel
from ghapp.github.answers import GoneForGood, GoneReason, RateLimited, TemporaryFailure
from ghapp.publishers.plan import PublishingPlan, WriteKind, needs
from ghapp.publishers.publisher import NotReadBack, NotSeenYet
from ghapp.publishers.registry import NOT_WRITTEN, PUBLISHERS
from ghapp.store import MergeRate
from tests.publishers.desired import COMMENT, LABEL, Publisher, desired, of, outcomes

ALL_WRITTEN = dict.fromkeys(PUBLISHERS, "written")
ALL_UNCHANGED = dict.fromkeys(PUBLISHERS, "unchanged")


def summary(publisher: Publisher) -> str:
    (run,) = publisher.place.sandbox.visible(publisher.hosted).check_runs
    return run.summary or ""


def test_everything_is_written_and_read_back(publisher: Publisher) -> None:
    done = publisher.publish()
    assert outcomes(done) == ALL_WRITTEN
    assert all(one.confirmed for one in done.published)
    assert done.later is None
    seen = publisher.place.sandbox.visible(publisher.hosted)
    assert seen.label_names == (LABEL,)
    assert seen.comments[0].body.startswith(COMMENT)
    assert [run.name for run in seen.check_runs] == ["attribution"]
    assert NOT_WRITTEN not in summary(publisher)


def test_the_second_time_nothing_is_written(publisher: Publisher) -> None:
    publisher.publish()
    before = len(publisher.place.sandbox.writes())
    assert outcomes(publisher.publish()) == ALL_UNCHANGED
    publisher.forget()
    assert outcomes(publisher.publish()) == ALL_UNCHANGED
    assert len(publisher.place.sandbox.writes()) == before


def test_what_has_no_room_is_left_out_and_follows(publisher: Publisher) -> None:
    noted: list[tuple[WriteKind, int]] = []
    full = PublishingPlan(
        writes_an_hour=2,
        needed=lambda: needs(MergeRate(merged=2, assisted=2)),
        written=dict,
        note=lambda kind, count: noted.append((kind, count)),
    )
    done = publisher.publish(desired(is_assisted=True), plan=full)
    assert outcomes(done) == {"label": "written", "comment": "left_out", "check_run": "left_out"}
    assert (done.later, [one.problem for one in done.published]) == (None, [None] * 3)
    assert [kind for kind, _ in noted] == [WriteKind.LABEL]
    assert publisher.labels == (LABEL,)
    assert publisher.comments == []
    # Who asked for the check again waits for it, whatever the hour has room for.
    asked = publisher.publish(desired(asked_again=True, is_assisted=True), plan=full)
    assert outcomes(asked) == {"label": "unchanged", "comment": "written", "check_run": "written"}
    told = desired(comment="Other words.\n", is_assisted=True)
    second = publisher.publish(told, plan=full)
    assert outcomes(second)["comment"] == "left_out"
    assert of(second, "comment").external_id == of(asked, "comment").external_id
    assert outcomes(publisher.publish(told))["comment"] == "written"


def test_a_comment_that_nobody_wants_is_not_left_out(publisher: Publisher) -> None:
    full = PublishingPlan(
        writes_an_hour=1,
        needed=lambda: needs(MergeRate(merged=9, assisted=9)),
        written=dict,
        note=lambda _kind, _count: None,
    )
    done = publisher.publish(desired(comment=None), plan=full)
    assert outcomes(done)["comment"] == "unchanged"


def test_a_lost_memory_finds_its_own_again(publisher: Publisher) -> None:
    first = publisher.publish()
    publisher.forget()
    again = publisher.publish()
    for name in ("comment", "check_run"):
        assert of(again, name).external_id == of(first, name).external_id


@pytest.mark.parametrize("kind", ["bad_gateway_after", "cut_off_after"])
@pytest.mark.parametrize("route", ["*/comments", "*/check-runs", "*/labels"])
def test_an_answer_lost_after_the_deed_leaves_one_of_each(
    publisher: Publisher, kind: str, route: str
) -> None:
    publisher.place.play(kind, route, "POST", times=None)
    publisher.publish()
    publisher.place.sandbox.faults.clear()
    assert outcomes(publisher.publish())["check_run"] in {"written", "unchanged"}
    seen = publisher.place.sandbox.visible(publisher.hosted)
    assert (len(seen.comments), len(seen.check_runs), seen.label_names) == (1, 1, (LABEL,))
    assert NOT_WRITTEN not in summary(publisher)


@pytest.mark.parametrize("kind", ["bad_gateway_before", "cut_off_before"])
@pytest.mark.parametrize("route", ["*/comments", "*/check-runs", "*/labels"])
def test_a_deed_not_done_is_for_later(publisher: Publisher, kind: str, route: str) -> None:
    publisher.place.play(kind, route, "POST", times=None)
    done = publisher.publish()
    assert isinstance(done.later, TemporaryFailure)
    publisher.place.sandbox.faults.clear()
    publisher.time_passes()
    assert publisher.publish().later is None
    seen = publisher.place.sandbox.visible(publisher.hosted)
    assert (len(seen.comments), len(seen.check_runs), seen.label_names) == (1, 1, (LABEL,))
    assert NOT_WRITTEN not in summary(publisher)


LISTS = {
    "comment": "*/issues/{issue_number}/comments",
    "check_run": "*/commits/{ref}/check-runs",
}
READ_BACK = {
    "comment": "*/issues/comments/{comment_id}",
    "check_run": "*/check-runs/{check_run_id}",
}


@pytest.mark.parametrize("name", LISTS)
def test_a_death_after_the_deed_and_stale_lists_make_no_second_one(
    publisher: Publisher, name: str
) -> None:
    publisher.publish()
    publisher.forget()
    publisher.place.play("stale_read", LISTS[name], "GET", times=None, seconds=45)
    before = len(publisher.place.sandbox.writes())
    assert isinstance(publisher.publish().later, NotSeenYet)
    publisher.time_passes()
    done = publisher.publish()
    assert of(done, name).outcome.value == "unchanged"
    assert done.later is None
    assert NOT_WRITTEN not in summary(publisher)
    assert {one.method for one in publisher.place.sandbox.writes()[before:]} <= {"PATCH"}
    seen = publisher.place.sandbox.visible(publisher.hosted)
    assert (len(seen.comments), len(seen.check_runs)) == (1, 1)


@pytest.mark.parametrize("name", LISTS)
def test_a_death_before_the_deed_is_made_good(publisher: Publisher, name: str) -> None:
    publisher.noted = {name: publisher.place.clock()}
    assert isinstance(publisher.publish().later, NotSeenYet)
    publisher.time_passes()
    assert publisher.publish().later is None
    seen = publisher.place.sandbox.visible(publisher.hosted)
    assert (len(seen.comments), len(seen.check_runs)) == (1, 1)


@pytest.mark.parametrize("name", READ_BACK)
def test_what_is_written_and_not_seen_yet_is_looked_for_again(
    publisher: Publisher, name: str
) -> None:
    publisher.place.play("stale_read", READ_BACK[name], "GET")
    done = publisher.publish()
    assert isinstance(done.later, NotReadBack)
    assert "not seen yet" in (of(done, name).detail or "")
    again = publisher.publish()
    assert of(again, name).outcome.value == "unchanged"
    assert of(again, name).external_id == of(done, name).external_id


def test_what_is_never_seen_is_not_made_again_and_again(publisher: Publisher) -> None:
    for route in (LISTS["comment"], READ_BACK["comment"]):
        publisher.place.play("stale_read", route, "GET", times=None, seconds=10**6)
    publisher.publish()
    for _ in range(3):
        publisher.time_passes()
        done = of(publisher.publish(), "comment")
    assert done.by_choice
    assert len(publisher.comments) == 1


def test_what_fails_for_now_does_not_hold_up_the_rest(publisher: Publisher) -> None:
    publisher.place.play("server_error", "*/comments", "POST", status=500)
    done = publisher.publish()
    assert outcomes(done) == {"comment": "not_written", "label": "written", "check_run": "written"}
    assert NOT_WRITTEN in summary(publisher)
    assert "will be tried again" in summary(publisher)


def test_a_limit_stops_everything(publisher: Publisher) -> None:
    publisher.place.play("secondary_limit", "*/comments", "POST", retry_after=9)
    done = publisher.publish()
    assert isinstance(done.later, RateLimited)
    assert outcomes(done) == {"label": "written", "comment": "not_written"}
    assert not [one for one in publisher.place.sandbox.writes() if "label" not in one.path]


def test_a_missing_permission_is_said_in_the_check_run(publisher: Publisher) -> None:
    publisher.place.installation.permissions["pull_requests"] = "read"
    done = publisher.publish()
    assert outcomes(done) == {
        "comment": "not_written",
        "label": "not_written",
        "check_run": "written",
    }
    detail = of(done, "comment").detail or ""
    assert "permission pull_requests=write is missing" in detail
    assert done.later is None
    assert "pull&#95;requests&#61;write" in summary(publisher)


def test_without_the_permission_for_checks_the_rest_is_written(publisher: Publisher) -> None:
    publisher.place.installation.permissions.pop("checks")
    done = publisher.publish()
    assert outcomes(done) == {
        "comment": "written",
        "label": "written",
        "check_run": "not_written",
    }
    assert "permission checks=" in (of(done, "check_run").detail or "")


def test_a_locked_conversation_is_said_in_the_check_run(publisher: Publisher) -> None:
    publisher.place.sandbox.lock_pull(publisher.hosted)
    done = publisher.publish()
    assert outcomes(done)["comment"] == "not_written"
    assert outcomes(done)["check_run"] == "written"
    assert "locked" in summary(publisher)


def test_a_full_pull_request_is_said_in_the_check_run_and_not_tried_again(
    publisher: Publisher,
) -> None:
    for number in range(2_500):
        publisher.place.sandbox.add_comment(publisher.hosted, "dev", str(number))
    publisher.hosted.labels += [
        HubLabel(number, f"label {number}", "ededed", None) for number in range(100)
    ]
    done = publisher.publish()
    assert outcomes(done) == {
        "comment": "not_written",
        "label": "not_written",
        "check_run": "written",
    }
    assert "2500 comments" in summary(publisher)
    assert "100 labels" in summary(publisher)
    assert done.later is None


def test_an_archived_repository_takes_nothing(publisher: Publisher) -> None:
    publisher.place.sandbox.archive(publisher.place.repository)
    done = publisher.publish()
    assert outcomes(done) == dict.fromkeys(PUBLISHERS, "not_written")
    assert all("archived" in (one.detail or "") for one in done.published)
    assert done.later is None


@pytest.mark.parametrize(
    ("kind", "why"), [("suspend", GoneReason.SUSPENDED), ("uninstall", GoneReason.UNINSTALLED)]
)
def test_when_the_app_is_gone_the_job_ends(
    publisher: Publisher, kind: str, why: GoneReason
) -> None:
    publisher.place.play(kind, "*/comments", "POST")
    with pytest.raises(GoneForGood) as gone:
        publisher.publish()
    assert gone.value.why is why


def test_a_permission_granted_later_mends_everything(publisher: Publisher) -> None:
    publisher.place.installation.permissions["pull_requests"] = "read"
    publisher.publish()
    publisher.place.installation.permissions["pull_requests"] = "write"
    publisher.place.auth = publisher.place.new_auth()
    publisher.time_passes()
    assert outcomes(publisher.publish()) == ALL_WRITTEN
    assert NOT_WRITTEN not in summary(publisher)


def test_nothing_wanted_writes_a_check_run_only(publisher: Publisher) -> None:
    done = publisher.publish(desired(opens_comment=False, labels={}, annotations=()))
    assert outcomes(done) == {
        "comment": "unchanged",
        "label": "unchanged",
        "check_run": "written",
    }
    assert len(publisher.place.sandbox.writes()) == 1
