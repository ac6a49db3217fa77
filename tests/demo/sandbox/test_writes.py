"""What an app writes, and GitHub's limits on it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.demo.sandbox.hub import Hub, small_limits

NOTE = {
    "path": "b.py",
    "start_line": 1,
    "end_line": 1,
    "annotation_level": "notice",
    "message": "m",
}
ACTION = {"label": "Audit again", "description": "Audit it again", "identifier": "audit"}


def _create(hub: Hub, **members: Any) -> Any:
    body = {"name": "attribution", "head_sha": hub.pull.head_sha, **members}
    return hub.repo("POST", "/check-runs", body)


def _output(**members: Any) -> dict[str, Any]:
    return {"output": {"title": "t", "summary": "s", **members}}


@pytest.mark.parametrize(
    "members",
    [
        _output(summary="x" * 65_536),
        _output(text="x" * 65_536),
        _output(summary="ä" * 40_000),
        _output(annotations=[NOTE] * 51),
        _output(annotations=[{**NOTE, "annotation_level": "info"}]),
        _output(annotations=[{**NOTE, "end_line": 2, "start_column": 1}]),
        _output(annotations=[{**NOTE, "message": "x" * 65_537}]),
        _output(annotations=[{**NOTE, "start_line": 2}]),
        {"output": {"summary": "s"}},
        {"output": {"title": "t"}},
        {"actions": [ACTION] * 4},
        {"actions": [{**ACTION, "label": "x" * 21}]},
        {"actions": [{**ACTION, "description": "x" * 41}]},
        {"actions": [{**ACTION, "identifier": "x" * 21}]},
        {"status": "completed"},
        {"status": "done"},
        {"conclusion": "stale"},
        {"head_sha": "0" * 40},
        {"name": ""},
    ],
    ids=lambda members: str(members)[:40],
)
def test_a_check_run_beyond_the_limits_is_refused(hub: Hub, members: dict[str, Any]) -> None:
    answer = _create(hub, **members)
    assert answer.status_code == 422, answer.text[:200]
    assert hub.repository.check_runs == {}


def test_the_limits_themselves_are_allowed(hub: Hub) -> None:
    output = _output(summary="x" * 65_535, annotations=[NOTE] * 50)
    assert _create(hub, **output, actions=[ACTION] * 3, conclusion="neutral").status_code == 201


def test_a_conclusion_completes_and_annotations_are_added(hub: Hub) -> None:
    run = _create(hub, status="in_progress", **_output(annotations=[NOTE] * 50)).json()
    assert (run["status"], run["conclusion"]) == ("in_progress", None)
    changed = {"conclusion": "neutral", **_output(annotations=[NOTE])}
    done = hub.repo("PATCH", f"/check-runs/{run['id']}", changed).json()
    assert (done["status"], done["output"]["annotations_count"]) == ("completed", 51)
    second = hub.repo("GET", f"/check-runs/{run['id']}/annotations?per_page=50&page=2").json()
    assert len(second) == 1


def test_the_latest_run_of_a_name_is_listed(hub: Hub) -> None:
    numbers = [_create(hub, conclusion="neutral").json()["id"] for _ in range(2)]
    at = f"/commits/{hub.pull.head_sha}/check-runs?check_name=attribution"
    latest = hub.repo("GET", at).json()
    assert [one["id"] for one in latest["check_runs"]] == numbers[1:]
    assert hub.repo("GET", at + "&filter=all").json()["total_count"] == 2


def test_only_its_app_changes_a_run(hub: Hub) -> None:
    run = _create(hub, conclusion="neutral").json()
    next(iter(hub.repository.suites.values())).app = hub.sandbox.register_app("Another").app
    assert hub.repo("PATCH", f"/check-runs/{run['id']}", {"name": "x"}).status_code == 403


def test_a_rerequest_leaves_the_run_and_queues_the_suite(hub: Hub) -> None:
    answer = _create(hub, conclusion="neutral").json()
    run = hub.repository.check_runs[answer["id"]]
    hub.sandbox.deliver_rerequested(hub.repository, run, "dev")
    suite = f"/check-suites/{run.suite.id}"
    assert hub.repo("GET", f"/check-runs/{run.id}").json()["status"] == "completed"
    assert hub.repo("GET", suite).json()["status"] == "queued"
    hub.repo("PATCH", f"/check-runs/{run.id}", {"conclusion": "neutral"})
    assert hub.repo("GET", suite).json()["status"] == "completed"


def test_a_comment_bears_the_bot(hub: Hub) -> None:
    comment = hub.repo("POST", "/issues/1/comments", {"body": "x" * 65_536}).json()
    assert comment["user"]["login"] == "attribution-auditor[bot]"
    assert comment["performed_via_github_app"]["id"] == hub.app.id
    refused = hub.repo("POST", "/issues/1/comments", {"body": "x" * 65_537})
    assert refused.status_code == 422
    assert hub.repo("POST", "/issues/1/comments", {"body": " "}).status_code == 422
    assert hub.repo("POST", "/issues/9/comments", {"body": "x"}).status_code == 404


def test_a_comment_of_somebody_else_is_not_ours_to_change(hub: Hub) -> None:
    comment = hub.sandbox.add_comment(hub.pull, "dev", "mine")
    hub.repo("PATCH", f"/issues/comments/{comment.id}", {"body": "ours"})
    assert "belongs to dev" in hub.sandbox.violations[0].problem


def test_a_comment_that_was_deleted_is_gone(hub: Hub) -> None:
    made = hub.repo("POST", "/issues/1/comments", {"body": "x"}).json()
    hub.sandbox.delete_comment(hub.pull, hub.pull.comments[0])
    assert hub.repo("GET", f"/issues/comments/{made['id']}").status_code == 404


def test_a_pull_request_takes_so_many_comments_and_labels(hub: Hub) -> None:
    for number in range(2_500):
        hub.sandbox.add_comment(hub.pull, "dev", str(number))
    refused = hub.repo("POST", "/issues/1/comments", {"body": "x"})
    assert (refused.status_code, "2500 comments" in refused.text) == (403, True)
    names = [f"label {number}" for number in range(100)]
    assert hub.repo("POST", "/issues/1/labels", {"labels": names}).status_code == 200
    assert hub.repo("POST", "/issues/1/labels", {"labels": names[:1]}).status_code == 200
    refused = hub.repo("POST", "/issues/1/labels", {"labels": ["one more"]})
    assert (refused.status_code, "100 labels" in refused.text) == (422, True)
    assert "one more" not in hub.repository.labels


def test_a_label_cannot_be_renamed_to_what_is_taken_or_too_long(hub: Hub) -> None:
    for name in ("one", "other"):
        hub.repo("POST", "/labels", {"name": name})
    for taken in ("Other", "x" * 51, ""):
        assert hub.repo("PATCH", "/labels/one", {"new_name": taken}).status_code == 422
    assert hub.repo("PATCH", "/labels/one", {"new_name": "One"}).json()["name"] == "One"


def test_a_locked_conversation(hub: Hub) -> None:
    hub.sandbox.lock_pull(hub.pull)
    refused = hub.repo("POST", "/issues/1/comments", {"body": "x"})
    assert (refused.status_code, "locked" in refused.json()["message"]) == (403, True)


def test_labels_ignore_case_and_are_added_once(hub: Hub) -> None:
    for names in (["Claude"], ["claude"]):
        hub.repo("POST", "/issues/1/labels", {"labels": names})
    hub.repo("POST", "/issues/1/labels", ["as a list"])
    assert hub.sandbox.visible(hub.pull).label_names == ("Claude", "as a list")
    assert hub.repo("POST", "/labels", {"name": "CLAUDE"}).status_code == 422
    assert hub.repo("DELETE", "/issues/1/labels/as%20a%20list").status_code == 200
    gone = hub.repo("DELETE", "/issues/1/labels/as%20a%20list")
    assert (gone.status_code, gone.json()["message"]) == (404, "Label does not exist")
    assert hub.repo("GET", "/labels/none").status_code == 404
    long = {"name": "x", "description": "x" * 101}
    assert hub.repo("POST", "/labels", long).status_code == 422


def test_writes_are_told_apart_from_reads(hub: Hub) -> None:
    hub.repo("GET", "/pulls/1")
    hub.repo("POST", "/issues/1/comments", {"body": "x"})
    hub.repo("POST", "/issues/9/comments", {"body": "x"})
    assert [one.status for one in hub.sandbox.writes()] == [201]


def test_a_slim_record_keeps_writes_and_mishaps(tmp_path: Path) -> None:
    hub = Hub(tmp_path, slim_record=True)
    try:
        hub.repo("GET", "/pulls/1")
        hub.repo("GET", "/pulls/9")
        hub.repo("POST", "/issues/1/comments", {"body": "x"})
        kept = [(one.method, one.status, one.body) for one in hub.sandbox.exchanges]
        assert kept == [("POST", 201, b""), ("GET", 404, b""), ("POST", 201, b"")]
        assert hub.sandbox.exchanges[-1].number == 4
    finally:
        hub.close()


def test_the_content_limit_a_minute(tmp_path: Path) -> None:
    hub = Hub(tmp_path, limits=small_limits(content_writes_a_minute=2))
    try:
        answers = [hub.repo("POST", "/issues/1/comments", {"body": "x"}) for _ in range(3)]
        assert [one.status_code for one in answers] == [201, 201, 403]
        assert answers[2].headers["Retry-After"] == "60"
        hub.clock.now += timedelta(minutes=1)
        assert hub.repo("POST", "/issues/1/comments", {"body": "x"}).status_code == 201
    finally:
        hub.close()
