"""What a webhook says; `test_webhooks` holds every event against GitHub's description."""

from typing import Any

import pytest

from ghapp.demo.sandbox.git_backend import ZERO
from ghapp.demo.sandbox.payloads import WebhookPayloads, still_open
from ghapp.demo.sandbox.state import Announcement
from tests.demo.sandbox.hub import Hub


@pytest.fixture
def payloads(hub: Hub) -> WebhookPayloads:
    return WebhookPayloads(hub.sandbox.world)


def told(hub: Hub, payloads: WebhookPayloads, event: str, **members: Any) -> dict[str, Any]:
    sender = hub.sandbox.user("dev")
    announcement = Announcement(event, members, hub.repository, sender)
    return payloads.of(announcement, hub.installation)


def test_an_event_says_where_it_happened_and_who_did_it(
    hub: Hub, payloads: WebhookPayloads
) -> None:
    found = told(hub, payloads, "pull_request", action="closed", pull=hub.pull)
    assert found["repository"]["full_name"] == "acme/app"
    assert found["organization"]["login"] == "acme"
    assert found["sender"]["login"] == "dev"
    assert found["installation"]["id"] == hub.installation.id
    assert (found["action"], found["number"]) == ("closed", hub.pull.number)


def test_a_persons_repository_has_no_organization(hub: Hub, payloads: WebhookPayloads) -> None:
    hub.repository.owner.kind = "User"
    assert "organization" not in told(hub, payloads, "repository", action="archived")


def test_a_push_lists_its_commits_and_their_files(hub: Hub, payloads: WebhookPayloads) -> None:
    before = hub.pull.merge_commit_sha
    first = hub.sandbox.commit(hub.repository, {"new.py": "n\n", "a.py": None})
    after = hub.sandbox.commit(hub.repository, {"new.py": "m\n"})
    found = told(hub, payloads, "push", ref="refs/heads/main", before=before, after=after)
    shown = [(one["id"], one["added"], one["removed"], one["modified"]) for one in found["commits"]]
    assert shown == [(first, ["new.py"], ["a.py"], []), (after, [], [], ["new.py"])]
    assert found["head_commit"]["id"] == after
    assert (found["created"], found["deleted"]) == (False, False)


def test_a_new_branch_and_one_that_goes_have_no_commits(
    hub: Hub, payloads: WebhookPayloads
) -> None:
    tip = hub.pull.merge_commit_sha
    new = told(hub, payloads, "push", ref="refs/heads/x", before=ZERO, after=tip)
    assert (new["created"], new["commits"], new["head_commit"]["id"]) == (True, [], tip)
    gone = told(hub, payloads, "push", ref="refs/heads/x", before=tip, after=ZERO)
    assert (gone["deleted"], gone["commits"], gone["head_commit"]) == (True, [], None)


def test_a_comment_is_of_an_issue_that_is_a_pull_request(
    hub: Hub, payloads: WebhookPayloads
) -> None:
    comment = hub.sandbox.add_comment(hub.pull, "dev", "hello")
    found = told(hub, payloads, "issue_comment", action="created", pull=hub.pull, comment=comment)
    assert found["issue"]["number"] == hub.pull.number
    assert found["issue"]["pull_request"]["url"].endswith(f"/pulls/{hub.pull.number}")
    assert found["comment"]["body"] == "hello"
    assert "pull_request" not in found


def test_a_stale_payload_says_open_and_changes_nothing_else(
    hub: Hub, payloads: WebhookPayloads
) -> None:
    merged = told(hub, payloads, "pull_request", action="closed", pull=hub.pull)
    stale = still_open(merged)
    assert (stale["pull_request"]["state"], stale["pull_request"]["merged"]) == ("open", False)
    changed = {
        name
        for name, value in merged["pull_request"].items()
        if stale["pull_request"][name] != value
    }
    assert changed == {"state", "merged", "merged_at", "closed_at", "merged_by", "merge_commit_sha"}
    assert merged["pull_request"]["merged"] is True
