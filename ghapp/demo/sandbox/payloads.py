"""Builds the payloads of webhooks as GitHub does. It sends nothing.

https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from typing import Any

from ghapp.demo.sandbox.git_backend import ZERO, CommitInfo
from ghapp.demo.sandbox.shapes import JsonShapes, named, reactions, time
from ghapp.demo.sandbox.state import (
    Announcement,
    HubAccount,
    HubApp,
    HubCheckRun,
    HubInstallation,
    HubLabel,
    HubPull,
    HubRepository,
    Json,
    World,
)

API_VERSION = "2022-11-28"
"""Payloads have no version; they keep the shape of this one."""

ISSUE_MEMBERS = (
    "user", "title", "body", "labels", "locked", "state", "milestone", "assignee", "assignees",
    "created_at", "updated_at", "closed_at", "author_association", "active_lock_reason",
    "number", "html_url", "draft",
)  # fmt: skip
"""Members that an issue shares with its pull request."""


class WebhookPayloads:
    """Turns an announcement's nouns into the JSON for an installation."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._shapes = JsonShapes(world)

    def of(self, told: Announcement, installation: HubInstallation) -> Json:
        """Return the payload of an event of a repository."""
        members = dict(told.members)
        action = {"action": members.pop("action")} if "action" in members else {}
        own = self._own_members(told.event, members, told.repository)
        repository = told.repository
        return {
            **action,
            **own,
            "repository": own.get("repository") or self.repository(repository),
            **self._organization(repository.owner),
            "sender": self._shapes.user(told.sender),
            "installation": {"id": installation.id, "node_id": f"inst{installation.id}"},
        }

    def _own_members(self, event: str, members: dict[str, Any], repository: HubRepository) -> Json:
        return {name: self._member(event, name, value, repository) for name, value in
                self._expanded(event, members, repository).items()}  # fmt: skip

    def _expanded(self, event: str, members: dict[str, Any], repository: HubRepository) -> Json:
        """Replace the stand-in's nouns with GitHub's members."""
        pull = members.pop("pull", None)
        if event == "pull_request" and pull is not None:
            return {"number": pull.number, "pull_request": self.pull(pull), **members}
        if event == "issue_comment" and pull is not None:
            members["comment"] = self._shapes.comment(pull, members["comment"])
            return {"issue": self._issue(pull), **members}
        if event == "push":
            return self._push(repository, **members)
        return members

    def _member(self, event: str, name: str, value: Any, repository: HubRepository) -> Any:
        if isinstance(value, HubLabel):
            return self._shapes.label(repository, value)
        if isinstance(value, HubCheckRun):
            return self._check_run(repository, value)
        if isinstance(value, HubAccount):
            return self._shapes.user(value)
        if name == "check_suite" and event == "check_suite":
            return self._check_suite(repository, value)
        return value

    # --- nouns --------------------------------------------------------------------------------

    def repository(self, repository: HubRepository) -> Json:
        """Return a repository as webhooks show it."""
        return self._shapes.repository(repository) | {"custom_properties": {}}

    def pull(self, pull: HubPull) -> Json:
        """Return a pull request as webhooks show it."""
        return self._shapes.full_pull(pull, api_version=API_VERSION)

    def _organization(self, owner: HubAccount) -> Json:
        if owner.kind != "Organization":
            return {}
        return {"organization": self._shapes.organization(owner)}

    def _issue(self, pull: HubPull) -> Json:
        shown = self._shapes.pull(pull, api_version=API_VERSION)
        url = shown["issue_url"]
        comments = f"{url}/comments"
        return {name: shown[name] for name in ISSUE_MEMBERS} | {
            "id": pull.id + 500_000_000,
            "node_id": f"issue{pull.id}",
            "url": url,
            "repository_url": f"{self._world.links.api}/repos/{pull.repository.full_name}",
            "labels_url": url + "/labels{/name}",
            "comments_url": comments,
            "events_url": url + "/events",
            "timeline_url": url + "/timeline",
            "comments": len(pull.comments),
            "state_reason": None,
            "performed_via_github_app": None,
            "reactions": reactions(url),
            "pull_request": {
                "url": shown["url"],
                "html_url": shown["html_url"],
                "diff_url": shown["diff_url"],
                "patch_url": shown["patch_url"],
                "merged_at": shown["merged_at"],
            },
        }

    def _check_run(self, repository: HubRepository, run: HubCheckRun) -> Json:
        suite = self._shapes.check_suite(repository, run.suite)
        kept = ("id", "node_id", "head_branch", "head_sha", "status", "conclusion", "url",
                "before", "after", "pull_requests", "app", "created_at", "updated_at")  # fmt: skip
        shown = self._shapes.check_run(repository, run)
        shown["check_suite"] = {name: suite[name] for name in kept}
        return shown

    def _check_suite(self, repository: HubRepository, suite: Any) -> Json:
        shown = self._shapes.check_suite(repository, suite)
        del shown["repository"]
        return shown

    # --- push ---------------------------------------------------------------------------------

    def _push(self, repository: HubRepository, *, ref: str, before: str, after: str) -> Json:
        git = repository.git
        commits = () if ZERO in {before, after} else git.commits(before, after)
        head = git.commit_info(after) if after != ZERO else None
        web = f"{self._world.links.web}/{repository.full_name}"
        return {
            "ref": ref,
            "before": before,
            "after": after,
            "base_ref": None,
            "created": before == ZERO,
            "deleted": after == ZERO,
            "forced": False,
            "compare": f"{web}/compare/{before[:12]}...{after[:12]}",
            "commits": [self._pushed(repository, commit) for commit in commits],
            "head_commit": self._pushed(repository, head) if head else None,
            "pusher": {"name": repository.owner.login, "email": repository.owner.person.email},
            "repository": self._pushed_repository(repository),
        }

    def _pushed(self, repository: HubRepository, commit: CommitInfo) -> Json:
        base = commit.parents[0] if commit.parents else None
        changes = repository.git.changes(base, commit.sha) if base else ()
        url = f"{self._world.links.web}/{repository.full_name}/commit/{commit.sha}"
        shown = self._shapes.simple_commit(commit)
        for role, person in (("author", commit.author), ("committer", commit.committer)):
            shown[role] = named(person) | {"username": person.name}
        return {
            **shown,
            "distinct": True,
            "url": url,
            "added": [change.path for change in changes if change.status == "A"],
            "removed": [change.path for change in changes if change.status == "D"],
            "modified": [change.path for change in changes if change.status not in "AD"],
        }

    def _pushed_repository(self, repository: HubRepository) -> Json:
        """Return a repository as push events show it: its times as numbers."""
        return self.repository(repository) | {
            "created_at": int(repository.created_at.timestamp()),
            "pushed_at": int(repository.pushed_at.timestamp()),
            "stargazers": 0,
            "master_branch": repository.default_branch,
        }

    # --- events without a repository ----------------------------------------------------------

    def installation(
        self, installation: HubInstallation, members: Json, sender: HubAccount
    ) -> Json:
        """Return the payload of an event of an installation."""
        return {
            **members,
            "installation": self._shapes.installation(installation),
            **self._organization(installation.account),
            "sender": self._shapes.user(sender),
        }

    def listed(self, repositories: list[HubRepository]) -> list[Json]:
        """Return repositories as installation events list them."""
        names = ("id", "node_id", "name", "full_name", "private")
        return [
            {name: self._shapes.repository(repository)[name] for name in names}
            for repository in repositories
        ]

    def ping(self, app: HubApp) -> Json:
        """Return the payload of ``ping``; it has neither action nor installation."""
        hook = {
            "type": "App",
            "id": app.hook_id,
            "name": "web",
            "active": True,
            "events": list(app.events),
            "app_id": app.id,
            "config": {
                "content_type": "json",
                "insecure_ssl": "0",
                "secret": "********",
                "url": app.webhook_url or "",
            },
            "created_at": time(app.created_at),
            "updated_at": time(app.created_at),
            "deliveries_url": f"{self._world.links.api}/app/hook/deliveries",
        }
        return {"zen": "Keep it logically awesome.", "hook_id": app.hook_id, "hook": hook}


def still_open(payload: Json) -> Json:
    """Return the payload of a merged pull request as sometimes seen: open and not merged."""
    pull = payload["pull_request"] | {
        "state": "open",
        "merged": False,
        "merged_at": None,
        "closed_at": None,
        "merged_by": None,
        "merge_commit_sha": None,
    }
    return payload | {"pull_request": pull}
