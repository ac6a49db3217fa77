"""A policy file in the live app: which one is in force, what it changes, what a broken one does."""

import json

import pytest

from ghapp.attribution.policy import FILE
from ghapp.demo.sandbox import HubPull
from ghapp.demo.sandbox.state import HubCheckRun
from ghapp.store import Repository
from tests.faults.place import WRITTEN, Place

LABEL = ("claude-code-assisted",)


def told(place: Place, text: str) -> None:
    """Commit a policy file to the base branch."""
    place.sandbox.commit(place.repository, {FILE: text})


def audited(place: Place) -> HubPull:
    """Merge a pull request with only an agent's lines, and audit it."""
    place.agent_wrote()
    pull = place.merged()
    place.sandbox.deliver_closed(pull)
    place.work()
    return pull


def run_of(place: Place, pull: HubPull) -> HubCheckRun:
    (run,) = place.sandbox.visible(pull).check_runs
    return run


def policy_of(place: Place, pull: HubPull) -> dict[str, object]:
    saved = place.store.audits.latest(place.repository.id, pull.number)
    assert saved is not None
    found: dict[str, object] = json.loads(place.store.audits.document(saved.id) or b"")["policy"]
    return found


def in_the_organization(place: Place, text: str) -> None:
    """Give the organization a policy file, in a repository that the app reaches."""
    shared = place.sandbox.add_repository("acme", ".github", files={FILE: text})
    known = Repository(
        id=shared.id, owner="acme", name=".github", installation_id=place.installation.id
    )
    place.store.installations.repository_seen(known, now=place.clock())


def test_it_is_applied_and_named_in_the_audit(place: Place) -> None:
    told(place, "id: acme-v1\nwindow_before_days: 0\nwindow_after_days: 0\n")
    pull = audited(place)  # the edits are an hour older than the merge
    used = policy_of(place, pull)
    assert (used["id"], used["window_before_days"]) == ("acme-v1", 0)
    assert place.sandbox.visible(pull).label_names == ()
    assert place.last(pull).outcome == "done"
    place.expect_good_manners()


def test_paths_can_be_excluded(place: Place) -> None:
    told(place, "exclude: [src/]")
    run = run_of(place, audited(place))
    assert "excluded_path" in f"{run.summary}{run.text}"


def test_comment_and_label_can_be_turned_off_and_on(place: Place) -> None:
    told(place, "comment: false\nlabel: false\n")
    pull = audited(place)
    seen = place.sandbox.visible(pull)
    assert (seen.comments, seen.label_names) == ((), ())
    assert run_of(place, pull).conclusion == "success"
    place.expect_a_second_run_to_write_nothing()
    told(place, "comment: true\n")
    second = audited(place)
    place.expect_finished(second)


@pytest.mark.parametrize(("limit", "conclusion"), [("0.99", "failure"), ("1", "success")])
def test_a_share_above_the_limit_fails_the_check(place: Place, limit: str, conclusion: str) -> None:
    told(place, f"share_limit: {limit}")
    pull = audited(place)
    run = run_of(place, pull)
    assert run.conclusion == conclusion
    assert ("Above this repository's limit" in str(run.summary)) == (conclusion == "failure")
    place.expect_finished(pull)
    place.expect_a_second_run_to_write_nothing()


def test_a_pull_request_is_not_audited_by_its_own_change(place: Place) -> None:
    place.agent_wrote()
    pull = place.sandbox.open_pull(
        place.repository, files={FILE: "exclude: ['*']", "src/m0.py": "\n".join(WRITTEN)}
    )
    place.sandbox.merge(pull, method="squash")
    place.sandbox.deliver_closed(pull)
    place.work()
    assert policy_of(place, pull)["id"] == "claude-code-v1"
    assert place.sandbox.visible(pull).label_names == LABEL


# --- the organization's ---------------------------------------------------------------------------


def test_the_organizations_holds_where_a_repository_has_none(place: Place) -> None:
    in_the_organization(place, "id: acme-wide\ncomment: false\n")
    pull = audited(place)
    assert policy_of(place, pull)["id"] == "acme-wide"
    assert place.sandbox.visible(pull).comments == ()
    told(place, "id: own\n")
    assert policy_of(place, audited(place))["id"] == "own"
    place.expect_good_manners()


def test_an_organization_that_is_out_of_reach_is_none(place: Place) -> None:
    in_the_organization(place, "id: acme-wide")
    shared = next(r for r in place.sandbox.world.repositories.values() if r.name == ".github")
    place.sandbox.delete_repository(shared)
    assert policy_of(place, audited(place))["id"] == "claude-code-v1"


# --- broken ---------------------------------------------------------------------------------------


def test_a_broken_file_is_told_with_its_line_and_the_last_good_one_holds(place: Place) -> None:
    told(place, "id: good\ncomment: false\n")
    assert policy_of(place, audited(place))["id"] == "good"
    told(place, "id: bad\n\nwindow: 3 @everyone\n")
    pull = audited(place)
    run = run_of(place, pull)
    assert policy_of(place, pull)["id"] == "good"
    assert run.conclusion == "neutral"
    assert "line 3" in str(run.summary).replace("&#32;", " ")
    assert place.sandbox.visible(pull).comments == ()
    told(place, "id: mended\n")
    mended = audited(place)
    assert (policy_of(place, mended)["id"], run_of(place, mended).conclusion) == (
        "mended",
        "success",
    )
    place.expect_good_manners()


def test_without_a_good_one_the_organizations_holds_or_the_apps_own(place: Place) -> None:
    told(place, "- no policy")
    first = audited(place)
    assert policy_of(place, first)["id"] == "claude-code-v1"
    assert run_of(place, first).conclusion == "neutral"
    in_the_organization(place, "id: acme-wide")
    assert policy_of(place, audited(place))["id"] == "acme-wide"


def test_an_audit_of_the_past_does_not_bring_an_old_file_back(place: Place) -> None:
    told(place, "id: old\n")
    first = audited(place)
    told(place, "id: new\n")
    audited(place)
    place.again(first)
    assert policy_of(place, first)["id"] == "old"
    told(place, "broken")
    assert policy_of(place, audited(place))["id"] == "new"
