"""GitHub's JSON where it depends on something; `test_routes` holds it against the description."""

from datetime import UTC, datetime

import pytest

from ghapp.demo.sandbox.shapes import JsonShapes, node, suite_state, time
from ghapp.demo.sandbox.state import CheckSuite, HubCheckRun
from tests.demo.sandbox.hub import START, Hub


@pytest.fixture
def shapes(hub: Hub) -> JsonShapes:
    return JsonShapes(hub.sandbox.world)


@pytest.fixture
def suite(hub: Hub) -> CheckSuite:
    return CheckSuite(1, hub.app, hub.pull.head_sha, START, START)


def run(suite: CheckSuite, number: int, conclusion: str | None) -> HubCheckRun:
    status = "in_progress" if conclusion is None else "completed"
    made = HubCheckRun(number, suite, "attribution", suite.head_sha, START, START, status)
    made.conclusion = conclusion
    return made


def test_times_are_whole_seconds_in_utc() -> None:
    assert time(datetime(2026, 5, 20, 15, 30, 7, 999_999, tzinfo=UTC)) == "2026-05-20T15:30:07Z"
    assert time(None) is None


def test_a_node_id_tells_kinds_and_numbers_apart() -> None:
    assert len({node("Pull", 1), node("Pull", 2), node("Issue", 1)}) == 3


@pytest.mark.parametrize(
    ("conclusions", "rerequested", "state"),
    [
        ((), False, ("queued", None)),
        (("success",), True, ("queued", None)),
        (("success", None), False, ("in_progress", None)),
        (("success", "success"), False, ("completed", "success")),
        (("success", "failure", "neutral"), False, ("completed", "failure")),
    ],
)
def test_a_suites_state_follows_from_its_runs(
    suite: CheckSuite,
    conclusions: tuple[str | None, ...],
    rerequested: bool,  # noqa: FBT001 - a column of the table
    state: tuple[str, str | None],
) -> None:
    suite.rerequested = rerequested
    runs = [run(suite, number, word) for number, word in enumerate(conclusions)]
    assert suite_state(suite, runs) == state


def test_a_suite_counts_its_own_runs_alone(hub: Hub, shapes: JsonShapes, suite: CheckSuite) -> None:
    other = CheckSuite(2, hub.app, hub.pull.head_sha, START, START)
    hub.repository.check_runs |= {1: run(suite, 1, "success"), 2: run(other, 2, "failure")}
    shown = shapes.check_suite(hub.repository, suite)
    assert (shown["latest_check_runs_count"], shown["conclusion"]) == (1, "success")


def test_a_check_run_names_open_pull_requests_of_the_repository_alone(
    hub: Hub, shapes: JsonShapes, suite: CheckSuite
) -> None:
    def shown(sha: str) -> list[int]:
        suite.head_sha = sha
        found = shapes.check_run(hub.repository, run(suite, 1, "success"))
        return [one["number"] for one in found["pull_requests"]]

    fork = hub.sandbox.fork(hub.repository, "stranger")
    own = hub.sandbox.open_pull(hub.repository, files={"c.py": "c\n"})
    theirs = hub.sandbox.open_pull(hub.repository, files={"d.py": "d\n"}, fork=fork)
    assert [shown(pull.head_sha) for pull in (hub.pull, own, theirs)] == [[], [own.number], []]


@pytest.mark.parametrize(
    ("login", "permission", "word"),
    [
        ("acme", None, "OWNER"),
        ("boss", "admin", "OWNER"),
        ("ada", "write", "COLLABORATOR"),
        ("guest", "read", "CONTRIBUTOR"),
        ("stranger", None, "NONE"),
    ],
)
def test_an_accounts_association(
    hub: Hub, shapes: JsonShapes, login: str, permission: str | None, word: str
) -> None:
    if permission is not None:
        hub.sandbox.allow(hub.repository, login, permission)
    account = hub.sandbox.world.account(login)
    assert shapes.association(hub.repository, account) == word
    account.kind = "Bot"
    assert shapes.association(hub.repository, account) == "NONE"


def test_a_stale_pull_request_is_not_merged_yet(hub: Hub, shapes: JsonShapes) -> None:
    fresh = shapes.full_pull(hub.pull, api_version="2022-11-28")
    stale = shapes.full_pull(hub.pull, api_version="2022-11-28", stale=True)
    assert (fresh["merged"], fresh["state"], fresh["merged_by"]["login"]) == (
        True,
        "closed",
        "maintainer",
    )
    assert (stale["merged"], stale["state"], stale["merge_commit_sha"]) == (False, "open", None)
    assert fresh["changed_files"] == stale["changed_files"] == 2


def test_a_pull_request_without_changes_shows_none(hub: Hub, shapes: JsonShapes) -> None:
    same = hub.sandbox.open_pull(hub.repository, branch="same")
    shown = shapes.full_pull(same, api_version="2022-11-28")
    assert [shown[name] for name in ("commits", "additions", "changed_files")] == [0, 0, 0]
    assert hub.repo("GET", f"/pulls/{same.number}/files").json() == []
