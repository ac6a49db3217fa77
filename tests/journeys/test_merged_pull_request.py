"""A merged pull request from the signed webhook to what people see, through real processes."""

import uuid
from datetime import timedelta
from functools import partial

import pytest
import requests

from ghapp.attribution.model import AuditState, Verdict
from ghapp.demo.sandbox import Fault, FaultKind, HubPull
from ghapp.events.dispatch import AUDIT_AGAIN
from ghapp.github.webhooks import sign
from ghapp.store import WorkEnd
from tests.journeys.running import Place
from tests.waiting import wait_until

FILES = "/repos/{owner}/{repo}/pulls/{pull_number}/files"
COMMENTS = "/repos/{owner}/{repo}/issues/{issue_number}/comments"


def expect_one_of_each(place: Place, pull: HubPull) -> None:
    """Require exactly one check run, one comment, the label, and no violation."""
    seen = place.sandbox.visible(pull)
    assert [(run.name, run.status) for run in seen.check_runs] == [("attribution", "completed")]
    assert len(seen.comments) == 1
    assert seen.label_names == ("claude-code-assisted",)
    assert place.sandbox.violations == []


def test_a_webhook_brings_one_check_run_one_comment_and_one_label(live: Place) -> None:
    live.agent_wrote()
    pull = live.merged()
    live.sandbox.deliver_closed(pull)
    assert live.wait_until_settled(pull).outcome is WorkEnd.DONE
    expect_one_of_each(live, pull)

    audit = live.store.audits.latest(live.repository.id, pull.number)
    assert audit is not None
    assert (audit.verdict, audit.state) == (Verdict.ASSISTED, AuditState.PROVISIONAL)
    assert (audit.attributed, audit.effective) == (5, 5)
    published = {one.publisher: one for one in live.store.publications.of(audit)}
    assert set(published) == {"check_run", "comment", "label"}
    assert all(one.read_back_ok for one in published.values())

    # The audit after the end of the window is due from the first minute on.
    final = next(item for item in live.items(pull) if item.kind == "finalize")
    assert final.due_at - audit.merged_at >= timedelta(days=2)


def test_the_same_again_writes_nothing(live: Place) -> None:
    live.agent_wrote()
    pull = live.merged()
    (first,) = live.sandbox.deliver_closed(pull)
    live.wait_until_settled(pull)
    before = live.write_count()

    # GitHub's redelivery has the same GUID, so the web process ignores it.
    url = live.registered.app.webhook_url
    repeat = requests.post(str(url), data=first.body, headers=first.request_headers, timeout=60)
    assert (repeat.status_code, repeat.json()["outcome"]) == (202, "already accepted")
    # The app handles another event of the same pull request, and finds everything in place.
    live.sandbox.deliver_closed(pull)
    wait_until(
        lambda: sum(item.outcome is not None for item in live.items(pull)) == 2, "the second item"
    )
    assert live.write_count() == before
    expect_one_of_each(live, pull)
    delivery = live.store.deliveries.one(first.guid)
    assert delivery is not None
    assert delivery.attempts == 2
    assert len(live.store.audits.all_of(live.repository.id)) == 1


@pytest.mark.parametrize(
    ("method", "route"), [("GET", FILES), ("POST", COMMENTS)], ids=["fetching", "commenting"]
)
def test_a_worker_that_is_killed_loses_nothing(live: Place, method: str, route: str) -> None:
    live.agent_wrote()
    live.hold(method, route)
    pull = live.merged()
    live.sandbox.deliver_closed(pull)
    live.wait_until_held()
    live.app.kill("worker-live")
    # GitHub still creates the comment, although nobody receives the answer.
    live.let_go()
    live.lose_leases()
    live.app.start("worker-live")

    # An abandoned item is taken again. `test_worker` says that this takes less than a minute.
    item = live.wait_until_settled(pull)
    assert item.outcome is WorkEnd.DONE
    assert item.taken == 2
    expect_one_of_each(live, pull)
    assert len(live.store.audits.all_of(live.repository.id)) == 1


def test_every_button_of_a_merged_pull_request_audits_it_again(live: Place) -> None:
    live.agent_wrote()
    pull = live.merged()
    live.sandbox.deliver_closed(pull)
    live.wait_until_settled(pull)
    live.app.start("worker-rerun")
    (run,) = live.sandbox.visible(pull).check_runs
    buttons = {
        "Re-run": lambda: live.sandbox.deliver_rerequested(live.repository, run, "dev"),
        "Re-run all checks": lambda: live.sandbox.deliver_suite(live.repository, run.suite, "dev"),
        **{
            action["label"]: partial(
                live.sandbox.deliver_requested_action,
                *(live.repository, run, action["identifier"], "dev"),
            )
            for action in run.actions
        },
    }
    assert {"Audit again", "Explain"} < buttons.keys()
    for pressed, (button, press) in enumerate(buttons.items(), start=1):
        run.suite.rerequested = True
        press()
        wait_until(lambda pressed=pressed: _audited_again(live, pull) == pressed, button)
        assert not run.suite.rerequested, f"{button}: GitHub shows the suite as queued for good"
    expect_one_of_each(live, pull)


def _audited_again(place: Place, pull: HubPull) -> int:
    ended = (item for item in place.items(pull) if item.outcome is WorkEnd.DONE)
    return sum(item.kind == AUDIT_AGAIN for item in ended)


def test_a_wrong_signature_is_refused_and_nothing_is_kept(live: Place) -> None:
    pull = live.merged()
    body = b'{"action": "closed", "number": %d}' % pull.number
    guid = str(uuid.uuid4())
    answer = requests.post(
        f"{live.app.environment['GHAPP_PUBLIC_URL']}/webhooks/github",
        data=body,
        headers={
            "Content-Type": "application/json",
            "X-GitHub-Event": "pull_request",
            "X-GitHub-Delivery": guid,
            "X-Hub-Signature-256": sign(body, "not the secret of this app"),
        },
        timeout=60,
    )
    assert answer.status_code == 401
    assert live.store.deliveries.one(guid) is None
    assert live.items(pull) == ()


def test_without_redis_a_delivery_is_kept_and_done_later(live: Place) -> None:
    live.app.kill("worker-live")
    live.app.kill("valkey")
    live.agent_wrote()
    pull = live.merged()
    (delivery,) = live.sandbox.deliver_closed(pull)
    assert delivery.status_code == 202
    assert [item.outcome for item in live.items(pull)] == [None]

    live.app.start("valkey", "worker-live")
    assert live.wait_until_settled(pull).outcome is WorkEnd.DONE
    expect_one_of_each(live, pull)


def test_a_limit_parks_the_installation_and_ends(live: Place) -> None:
    live.agent_wrote()
    live.sandbox.play(
        Fault(FaultKind.SECONDARY_LIMIT, method="GET", route=FILES, status=429, retry_after=2)
    )
    pull = live.merged()
    live.sandbox.deliver_closed(pull)
    item = live.wait_until_settled(pull)
    assert (item.outcome, item.attempts, item.taken) == (WorkEnd.DONE, 1, 2)
    expect_one_of_each(live, pull)


def test_a_closed_pull_request_that_was_not_merged_is_looked_at_once_more(live: Place) -> None:
    pull = live.sandbox.open_pull(live.repository, files={"a.txt": "x\n"}, title="Dropped")
    live.sandbox.close_pull(pull)
    live.sandbox.deliver_closed(pull)
    (item,) = wait_until(lambda: live.items(pull), "the item")
    assert item.due_at - item.created_at >= timedelta(seconds=60)
    assert live.write_count() == 0
