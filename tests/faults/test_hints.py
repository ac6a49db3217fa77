"""Events that are late, replayed or lost: GitHub is asked before anything is opened again."""

from datetime import timedelta

import pytest

from ghapp.demo.sandbox import Fault, FaultKind
from ghapp.store import Repository, WorkEnd
from tests.faults.place import Place

PULL = "/repos/{owner}/{repo}/pulls/{pull_number}"
COMMENTS = "/repos/{owner}/{repo}/issues/{issue_number}/comments"
TOKENS = "/app/installations/{installation_id}/access_tokens"


def stored(place: Place) -> Repository:
    found = place.store.installations.repository(place.repository.id)
    assert found is not None
    return found


def test_a_late_publicized_opens_nothing(place_on_each: Place) -> None:
    place = place_on_each
    place.repository.private = False
    place.sandbox.deliver_repository(place.repository, "publicized", "maintainer")
    place.work()
    assert not stored(place).private
    (late,) = place.sandbox.deliver_repository(place.repository, "publicized", "maintainer")
    place.repository.private = True
    place.sandbox.deliver_repository(place.repository, "privatized", "maintainer")
    assert stored(place).private
    place.sandbox.deliver_raw(place.registered.app, "repository", late.body)
    assert stored(place).private
    place.work()
    assert stored(place).private
    place.expect_good_manners()


def test_while_github_cannot_be_asked_nothing_opens_and_everything_closes(place: Place) -> None:
    place.sandbox.play(Fault(FaultKind.SERVER_ERROR, route=TOKENS, status=503, times=3))
    place.repository.private = False
    place.sandbox.deliver_repository(place.repository, "publicized", "maintainer")
    place.work(horizon=timedelta(0))
    assert stored(place).private
    place.work()
    assert not stored(place).private


def test_a_replayed_end_of_an_installation_is_taken_back(place_on_each: Place) -> None:
    place = place_on_each
    place.sandbox.deliver_installation(place.installation, "deleted")
    assert place.store.installations.find("acme/app") is None
    place.work()
    assert place.store.installations.find("acme/app") is not None
    place.agent_wrote()
    pull = place.merged()
    place.sandbox.deliver_closed(pull)
    place.work()
    place.expect_finished(pull)


@pytest.mark.parametrize("action", ["created", "unsuspend", "new_permissions_accepted"])
def test_a_replayed_event_does_not_bring_an_installation_back(place: Place, action: str) -> None:
    place.sandbox.uninstall(place.installation)
    place.sandbox.deliver_installation(place.installation, "deleted")
    place.work()
    place.sandbox.deliver_installation(place.installation, action)
    place.work()
    assert place.store.installations.all() == ()
    assert place.store.installations.find("acme/app") is None


@pytest.mark.parametrize("told", ["nothing", "the_end_last", "the_end_first"])
def test_an_installation_that_was_installed_again_goes_on(place_on_each: Place, told: str) -> None:
    place = place_on_each
    place.agent_wrote()
    place.chores()
    place.work()
    old = place.installation
    place.sandbox.uninstall(old)
    place.installation = place.sandbox.install(place.registered.app, "acme")
    if told == "the_end_first":
        place.sandbox.deliver_installation(old, "deleted")
    pull = place.merged()
    place.sandbox.deliver_closed(pull)
    place.work()
    if told == "the_end_last":
        place.sandbox.deliver_installation(old, "deleted")
        place.work()
    for _ in range(2):
        place.chores()
        place.work()
    place.expect_finished(pull)
    active = [one.id for one in place.store.installations.all() if one.is_active]
    assert active == [place.installation.id]
    assert stored(place).removed_at is None
    assert stored(place).installation_id == place.installation.id


def test_repositories_that_an_old_event_takes_away_stay_with_the_new_installation(
    place: Place,
) -> None:
    old = place.installation
    place.sandbox.uninstall(old)
    place.installation = place.sandbox.install(place.registered.app, "acme")
    place.chores()
    place.work()
    place.sandbox.deliver_installation_repositories(old, removed=[place.repository])
    assert stored(place).removed_at is None
    place.work()
    assert stored(place).removed_at is None


def test_permissions_that_were_granted_bring_back_what_was_refused_long_ago(place: Place) -> None:
    place.agent_wrote()
    pull = place.merged()
    place.sandbox.deliver_closed(pull)
    place.installation.permissions = {"metadata": "read", "contents": "read", "checks": "write"}
    place.work()
    assert place.last(pull).outcome is WorkEnd.REFUSED
    for _ in range(20):
        place.chores(passing=timedelta(days=1))
        place.work()
    before = len(place.store.work.of(place.repository.id, pull.number))
    assert before == 1, "it is not looked at again at every round"
    place.installation.permissions["pull_requests"] = "write"
    place.sandbox.deliver_installation(place.installation, "new_permissions_accepted")
    place.work()
    place.expect_finished(pull)


def test_a_refusal_is_told_as_github_tells_it(place: Place) -> None:
    sign_on = "https://github.com/orgs/acme/sso?authorization_request=A1"
    saml = "Resource protected by organization SAML enforcement."
    place.sandbox.play(
        Fault(FaultKind.ANSWER, route=PULL, times=None, status=403, text=saml, sign_on=sign_on)
    )
    pull = place.merged()
    place.sandbox.deliver_closed(pull)
    place.work(horizon=timedelta(minutes=5))
    (item,) = [one for one in place.open_items() if one.pull_request == pull.number]
    asked = [one for one in place.sandbox.exchanges if one.status == 403][-1]
    # The answer names the permissions that the route accepts, and none of them is missing.
    assert "x-accepted-github-permissions" in {name.lower() for name in asked.headers}
    for part in (saml, sign_on, asked.headers["X-GitHub-Request-Id"]):
        assert part in str(item.why)
    assert "is missing" not in str(item.why)


def test_what_people_read_is_the_same_for_each_try(place: Place) -> None:
    place.agent_wrote()
    place.sandbox.play(
        Fault(
            FaultKind.ANSWER, method="POST", route=COMMENTS, times=4, status=403, text="An IP list"
        )
    )
    pull = place.merged()
    place.sandbox.deliver_closed(pull)
    place.work(horizon=timedelta(minutes=1))
    (run,) = place.sandbox.visible(pull).check_runs
    assert "An IP list" in str(run.summary)
    assert "it will be tried again" in str(run.summary)
    assert "SAND:" not in str(run.summary)
    runs = [one for one in place.sandbox.writes() if "/check-runs" in one.path]
    assert len(runs) == 1
    (failed, *_) = place.store.publications.not_confirmed(place.clock() - timedelta(hours=1))
    assert "SAND:" in str(failed.detail), "the operator's page shows GitHub's request"
    place.work()
    place.expect_finished(pull)
