"""The check run: one for a pull request, never red, whole within GitHub's limits."""

import json

import pytest

from ghapp.demo.sandbox import HubCheckRun
from ghapp.github.external_id import ExternalId
from ghapp.publishers.check_run import ACTIONS, MOST_ANNOTATIONS, within
from ghapp.publishers.publisher import MOST_TEXT_BYTES, Conclusion
from ghapp.reports.markdown import CheckOutput
from tests.publishers.desired import Publisher, desired, note, of


def runs(publisher: Publisher) -> tuple[HubCheckRun, ...]:
    return publisher.place.sandbox.visible(publisher.hosted).check_runs


def lines(run: HubCheckRun) -> list[int]:
    return [annotation["start_line"] for annotation in run.annotations]


def test_it_stands_on_the_head_and_says_whose_it_is(publisher: Publisher) -> None:
    publisher.publish(desired(details_url="https://auditor.example/a/1"))
    (run,) = runs(publisher)
    head = publisher.hosted.head_sha
    external_id = ExternalId(publisher.place.repository.id, publisher.hosted.number, head)
    assert (run.head_sha, run.external_id) == (head, external_id.text)
    assert (run.status, run.conclusion) == ("completed", "success")
    assert run.details_url == "https://auditor.example/a/1"
    assert [action["label"] for action in run.actions] == ["Audit again", "Explain"]


def test_a_new_audit_changes_the_same_run(publisher: Publisher) -> None:
    publisher.publish()
    check = CheckOutput(title="All", summary="All of it.", text="")
    done = publisher.publish(desired(check=check, conclusion=Conclusion.NEUTRAL))
    (run,) = runs(publisher)
    assert (run.title, run.summary, run.conclusion) == ("All", "All of it.", "neutral")
    assert of(done, "check_run").confirmed
    assert lines(run) == [1]


@pytest.mark.parametrize("count", [50, 51, 120, MOST_ANNOTATIONS, MOST_ANNOTATIONS + 50])
def test_annotations_go_in_fifties(publisher: Publisher, count: int) -> None:
    wanted = desired(annotations=tuple(note(line) for line in range(1, count + 1)))
    publisher.publish(wanted)
    (run,) = runs(publisher)
    kept = min(count, MOST_ANNOTATIONS)
    assert lines(run) == list(range(1, kept + 1))
    requests = [one for one in publisher.place.sandbox.writes() if "/check-runs" in one.path]
    assert len(requests) == -(-kept // 50)
    before = len(publisher.place.sandbox.writes())
    publisher.publish(wanted)
    assert len(publisher.place.sandbox.writes()) == before


def test_annotations_lost_on_the_way_are_added(publisher: Publisher) -> None:
    wanted = desired(annotations=tuple(note(line) for line in range(1, 121)))
    publisher.place.play("bad_gateway_before", "*/check-runs/{check_run_id}", "PATCH", after=1)
    assert publisher.publish(wanted).later is not None
    publisher.place.sandbox.faults.clear()
    publisher.publish(wanted)
    (run,) = runs(publisher)
    assert lines(run) == list(range(1, 121))


def test_new_annotations_are_added_to_the_old(publisher: Publisher) -> None:
    publisher.publish(desired(annotations=(note(1), note(2))))
    publisher.publish(desired(annotations=(note(2), note(3))))
    (run,) = runs(publisher)
    assert lines(run) == [1, 2, 3]


def test_asked_again_it_answers_even_if_nothing_changed(publisher: Publisher) -> None:
    publisher.publish()
    before = len(publisher.place.sandbox.writes())
    done = publisher.publish(desired(asked_again=True))
    assert of(done, "check_run").outcome.value == "written"
    assert len(publisher.place.sandbox.writes()) == before + 1
    assert lines(runs(publisher)[0]) == [1]


def test_duplicates_are_all_kept_up_to_date(publisher: Publisher) -> None:
    publisher.publish()
    (oldest,) = runs(publisher)
    body = {
        "name": "attribution",
        "head_sha": oldest.head_sha,
        "external_id": oldest.external_id,
        "status": "in_progress",
    }
    publisher.place.github.post("check-runs", body, object)
    done = publisher.publish(desired(conclusion=Conclusion.NEUTRAL))
    assert of(done, "check_run").external_id == str(oldest.id)
    assert [run.conclusion for run in runs(publisher)] == ["neutral", "neutral"]


def test_another_pull_requests_run_on_the_same_commit_is_left_alone(publisher: Publisher) -> None:
    head = publisher.hosted.head_sha
    other = ExternalId(publisher.place.repository.id, 99, head).text
    body = {"name": "attribution", "head_sha": head, "external_id": other, "status": "queued"}
    publisher.place.github.post("check-runs", body, object)
    publisher.publish()
    assert [run.status for run in runs(publisher)] == ["queued", "completed"]


def test_long_texts_are_cut_and_not_written_again(publisher: Publisher) -> None:
    text = "| `é` | 1 |\n" * 9000
    wanted = desired(check=CheckOutput(title="t", summary=text, text=text))
    publisher.publish(wanted)
    (run,) = runs(publisher)
    assert len((run.summary or "").encode()) <= MOST_TEXT_BYTES
    before = len(publisher.place.sandbox.writes())
    publisher.publish(wanted)
    assert len(publisher.place.sandbox.writes()) == before


@pytest.mark.parametrize("text", ["", "short", "é" * 40_000, "a\n" * 40_000, "x" * MOST_TEXT_BYTES])
def test_within_never_exceeds(text: str) -> None:
    kept = within(text)
    assert len(kept.encode()) <= MOST_TEXT_BYTES
    assert kept == text or kept.endswith("(cut: it was longer than GitHub accepts)\n")


def test_actions_fit() -> None:
    assert len(ACTIONS) <= 3
    for action in ACTIONS:
        lengths = [len(action[name]) for name in ("label", "description", "identifier")]
        assert all(length <= most for length, most in zip(lengths, (20, 40, 20), strict=True)), (
            action
        )


def test_it_concludes_nothing_that_blocks_but_failure() -> None:
    assert {one.value for one in Conclusion} == {"failure", "neutral", "success"}


def test_what_is_sent_has_no_member_that_github_does_not_know(publisher: Publisher) -> None:
    publisher.publish()
    sent = json.loads(publisher.place.sent("POST", "/check-runs")[0].request_body)
    assert set(sent) == {
        "name", "head_sha", "external_id", "status", "conclusion", "output", "actions",
    }  # fmt: skip
