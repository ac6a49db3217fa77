"""Turns nouns into GitHub's JSON. It decides nothing and changes nothing.

The shapes follow https://github.com/github/rest-api-description.
"""

import base64
from datetime import datetime
from typing import Any
from urllib.parse import quote

from ghapp.demo.sandbox.git_backend import CommitInfo, FileChange, GitPerson
from ghapp.demo.sandbox.state import (
    CheckSuite,
    HubAccount,
    HubApp,
    HubCheckRun,
    HubComment,
    HubDelivery,
    HubInstallation,
    HubLabel,
    HubPull,
    HubRepository,
    HubReview,
    HubTeam,
    HubToken,
    Json,
    World,
)

STATUS_WORDS = {
    "A": "added",
    "D": "removed",
    "M": "modified",
    "R": "renamed",
    "C": "copied",
    "T": "changed",
}
"""Git's status letter → the API's word."""

ORGANIZATION_LINKS = {
    "repos_url": "/repos",
    "events_url": "/events",
    "hooks_url": "/hooks",
    "issues_url": "/issues",
    "members_url": "/members{/member}",
    "public_members_url": "/public_members{/member}",
}

REPOSITORY_LINKS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}
USER_LINKS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}


def time(value: datetime | None) -> str | None:
    """Return a time in the API's format, such as ``2026-05-20T15:30:00Z``."""
    return None if value is None else value.strftime("%Y-%m-%dT%H:%M:%SZ")


def node(kind: str, number: object) -> str:
    """Return a node id, which is opaque to clients."""
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


class JsonShapes:
    """Builds JSON; it needs the world for addresses, accounts and the repositories of a token."""

    def __init__(self, world: World) -> None:
        self._world = world

    def _api(self, path: str) -> str:
        return self._world.links.api + path

    def _web(self, path: str) -> str:
        return f"{self._world.links.web}/{path}"

    def _repo(self, repository: HubRepository, path: str = "") -> str:
        return self._api(f"/repos/{repository.full_name}{path}")

    # --- accounts and apps --------------------------------------------------------------------

    def account(self, account: HubAccount | None) -> Json | None:
        """Return a user, organization or bot; ``None`` for a deleted account."""
        return self.user(account) if account else None

    def user(self, account: HubAccount) -> Json:
        """Return a user, organization or bot."""
        url = self._api(f"/users/{quote(account.login)}")
        page = (
            f"apps/{account.login.removesuffix('[bot]')}"
            if account.kind == "Bot"
            else account.login
        )
        return {
            "login": account.login,
            "id": account.id,
            "node_id": node("User", account.id),
            "avatar_url": self._web(f"avatars/{account.id}"),
            "gravatar_id": "",
            "url": url,
            "html_url": self._web(page),
            **{name: url + rest for name, rest in USER_LINKS.items()},
            "type": account.kind,
            "site_admin": False,
        }

    def private_user(self, account: HubAccount) -> Json:
        """Return a user as ``GET /user`` shows them."""
        created = time(self._world.now())
        return {
            **self.user(account),
            "name": account.login,
            "company": None,
            "blog": None,
            "location": None,
            "email": None,
            "hireable": None,
            "bio": None,
            "public_repos": 0,
            "public_gists": 0,
            "followers": 0,
            "following": 0,
            "created_at": created,
            "updated_at": created,
        }

    def emails(self, account: HubAccount) -> list[Json]:
        """Return a person's e-mail addresses, the primary one first."""
        own = account.emails or {account.person.email: True}
        return [
            {"email": one, "primary": not at, "verified": verified, "visibility": None}
            for at, (one, verified) in enumerate(own.items())
        ]

    def membership(self, organization: HubAccount, account: HubAccount, role: str) -> Json:
        """Return a membership; the role ``pending`` means that the person is invited."""
        url = self._api(f"/orgs/{quote(organization.login)}")
        return {
            "url": f"{url}/memberships/{quote(account.login)}",
            "state": "pending" if role == "pending" else "active",
            "role": "member" if role == "pending" else role,
            "organization_url": url,
            "organization": self.organization(organization),
            "user": self.user(account),
        }

    def organization(self, account: HubAccount) -> Json:
        """Return an organization as memberships and webhooks show it."""
        url = self._api(f"/orgs/{quote(account.login)}")
        return {
            "login": account.login,
            "id": account.id,
            "node_id": node("Organization", account.id),
            "url": url,
            **{name: url + rest for name, rest in ORGANIZATION_LINKS.items()},
            "avatar_url": self._web(f"avatars/{account.id}"),
            "description": None,
        }

    def team(self, organization: HubAccount, team: HubTeam) -> Json:
        """Return a team as lists show it; the stand-in has no nested teams."""
        url = self._api(f"/organizations/{organization.id}/team/{team.id}")
        web = self._web(f"orgs/{quote(organization.login)}/teams/{quote(team.slug)}")
        return {
            "id": team.id,
            "node_id": node("Team", team.id),
            "name": team.name,
            "slug": team.slug,
            "description": None,
            "privacy": team.privacy,
            "notification_setting": "notifications_enabled",
            "permission": "pull",
            "type": "organization",
            "organization_id": organization.id,
            "url": url,
            "html_url": web,
            "members_url": url + "/members{/member}",
            "repositories_url": url + "/repos",
            "parent": None,
        }

    def app(self, app: HubApp) -> Json:
        """Return an app as anyone sees it."""
        return {
            "id": app.id,
            "slug": app.slug,
            "node_id": node("App", app.id),
            "client_id": app.client_id,
            "owner": self.user(app.owner),
            "name": app.name,
            "description": None,
            "external_url": app.external_url,
            "html_url": self._web(f"apps/{app.slug}"),
            "created_at": time(app.created_at),
            "updated_at": time(app.created_at),
            "permissions": dict(app.permissions),
            "events": list(app.events),
        }

    def installation(self, installation: HubInstallation) -> Json:
        """Return an installation."""
        at = f"/app/installations/{installation.id}"
        suspended = installation.suspended_at
        return {
            "id": installation.id,
            "client_id": installation.app.client_id,
            "account": self.user(installation.account),
            "repository_selection": installation.selection,
            "access_tokens_url": self._api(at + "/access_tokens"),
            "repositories_url": self._api("/installation/repositories"),
            "html_url": self._web(f"settings/installations/{installation.id}"),
            "app_id": installation.app.id,
            "app_slug": installation.app.slug,
            "target_id": installation.account.id,
            "target_type": installation.account.kind,
            "permissions": dict(installation.permissions),
            "events": list(installation.events),
            "created_at": time(installation.created_at),
            "updated_at": time(installation.created_at),
            "single_file_name": None,
            "has_multiple_single_files": False,
            "single_file_paths": [],
            "suspended_by": self.user(installation.account) if suspended else None,
            "suspended_at": time(suspended),
        }

    def token(self, token: HubToken) -> Json:
        """Return a new installation token."""
        narrowed = token.repository_ids is not None
        shown: Json = {
            "token": token.value,
            "expires_at": time(token.expires_at),
            "permissions": dict(token.permissions),
            "repository_selection": "selected" if narrowed else token.installation.selection,
        }
        if token.repository_ids is not None:
            reached = (self._world.repositories[number] for number in sorted(token.repository_ids))
            shown["repositories"] = [self.repository(repository) for repository in reached]
        return shown

    # --- repositories -------------------------------------------------------------------------

    def repository(self, repository: HubRepository) -> Json:
        """Return a repository as lists and pull requests show it."""
        url, web = self._repo(repository), self._web(repository.full_name)
        return {
            "id": repository.id,
            "node_id": node("Repository", repository.id),
            "name": repository.name,
            "full_name": repository.full_name,
            "private": repository.private,
            "owner": self.user(repository.owner),
            "html_url": web,
            "description": None,
            "fork": repository.fork_of is not None,
            "url": url,
            **{name: url + rest for name, rest in REPOSITORY_LINKS.items()},
            "git_url": web.replace("http:", "git:") + ".git",
            "ssh_url": f"git@localhost:{repository.full_name}.git",
            "clone_url": web + ".git",
            "svn_url": web,
            "mirror_url": None,
            "homepage": None,
            "language": None,
            "license": None,
            "default_branch": repository.default_branch,
            "visibility": "private" if repository.private else "public",
            "archived": repository.archived,
            "disabled": False,
            "created_at": time(repository.created_at),
            "updated_at": time(repository.pushed_at),
            "pushed_at": time(repository.pushed_at),
            **_repository_counts(repository),
        }

    def full_repository(self, repository: HubRepository) -> Json:
        """Return a repository as its own address shows it."""
        shown = self.repository(repository)
        shown |= {"subscribers_count": 0, "network_count": 0}
        if repository.fork_of is not None:
            parent = self.repository(repository.fork_of)
            shown |= {"parent": parent, "source": parent}
        return shown

    # --- pull requests ------------------------------------------------------------------------

    def pull(self, pull: HubPull, *, api_version: str, stale: bool = False) -> Json:
        """Return a pull request as lists show it. ``stale``: its state before the merge."""
        repository = pull.repository
        closed_at = None if stale else pull.closed_at
        shown = {
            **self._pull_links(pull),
            "id": pull.id,
            "node_id": node("PullRequest", pull.id),
            "number": pull.number,
            "state": "closed" if closed_at else "open",
            "locked": pull.locked,
            "title": pull.title,
            "user": self.user(pull.author),
            "body": pull.body,
            "labels": [self.label(repository, label) for label in pull.labels],
            "milestone": None,
            "active_lock_reason": None,
            "created_at": time(pull.created_at),
            "updated_at": time(pull.created_at if stale else pull.updated_at),
            "closed_at": time(closed_at),
            "merged_at": None if stale else time(pull.merged_at),
            "merge_commit_sha": None if stale else pull.merge_commit_sha,
            "assignee": None,
            "assignees": [],
            "requested_reviewers": [],
            "requested_teams": [],
            "head": self._side(pull.head_owner, pull.head_ref, pull.head_sha, pull.head_repository),
            "base": self._side(repository.owner, pull.base_ref, pull.base_sha, repository),
            "author_association": "CONTRIBUTOR",
            "auto_merge": None,
            "draft": False,
        }
        if api_version >= "2026-03-10":
            del shown["merge_commit_sha"], shown["assignee"]
        return shown

    def full_pull(self, pull: HubPull, *, api_version: str, stale: bool = False) -> Json:
        """Return a pull request as its own address shows it."""
        changes = pull.repository.git.changes(pull.merge_base, pull.head_sha)
        merged = pull.merged_at is not None and not stale
        return {
            **self.pull(pull, api_version=api_version, stale=stale),
            "merged": merged,
            "mergeable": None if merged else True,
            "rebaseable": None if merged else True,
            "mergeable_state": "unknown" if merged else "clean",
            "merged_by": self.account(pull.merged_by) if merged else None,
            "comments": len(pull.comments),
            "review_comments": 0,
            "maintainer_can_modify": False,
            "commits": pull.repository.git.count(pull.merge_base, pull.head_sha),
            "additions": sum(change.additions for change in changes),
            "deletions": sum(change.deletions for change in changes),
            "changed_files": len(changes),
        }

    def _pull_links(self, pull: HubPull) -> Json:
        url = self._repo(pull.repository, f"/pulls/{pull.number}")
        issue = self._repo(pull.repository, f"/issues/{pull.number}")
        web = self._web(f"{pull.repository.full_name}/pull/{pull.number}")
        links = {
            "self": url,
            "html": web,
            "issue": issue,
            "comments": issue + "/comments",
            "review_comments": url + "/comments",
            "review_comment": self._repo(pull.repository, "/pulls/comments{/number}"),
            "commits": url + "/commits",
            "statuses": self._repo(pull.repository, f"/statuses/{pull.head_sha}"),
        }
        named = {f"{name}_url": url for name, url in links.items() if name not in {"self", "html"}}
        return {
            "url": url,
            "html_url": web,
            "diff_url": web + ".diff",
            "patch_url": web + ".patch",
            **named,
            "_links": {name: {"href": href} for name, href in links.items()},
        }

    def _side(
        self, owner: HubAccount, ref: str, sha: str, repository: HubRepository | None
    ) -> Json:
        return {
            "label": f"{owner.login}:{ref}",
            "ref": ref,
            "sha": sha,
            "user": self.user(owner),
            "repo": self.repository(repository) if repository else None,
        }

    def minimal_pull(self, pull: HubPull) -> Json:
        """Return a pull request as check runs refer to it."""
        return {
            "id": pull.id,
            "number": pull.number,
            "url": self._repo(pull.repository, f"/pulls/{pull.number}"),
            "head": self._minimal_side(pull.head_ref, pull.head_sha, pull.repository),
            "base": self._minimal_side(pull.base_ref, pull.base_sha, pull.repository),
        }

    def _minimal_side(self, ref: str, sha: str, repository: HubRepository) -> Json:
        shown = {"id": repository.id, "url": self._repo(repository), "name": repository.name}
        return {"ref": ref, "sha": sha, "repo": shown}

    # --- git ----------------------------------------------------------------------------------

    def file(
        self, repository: HubRepository, change: FileChange, ref: str, patch: str | None
    ) -> Json:
        """Return one file of a diff; omit ``patch`` if there is none to show."""
        web, path = self._web(repository.full_name), quote(change.path)
        shown: Json = {
            "sha": change.sha,
            "filename": change.path,
            "status": STATUS_WORDS[change.status],
            "additions": change.additions,
            "deletions": change.deletions,
            "changes": change.additions + change.deletions,
            "blob_url": None if change.submodule else f"{web}/blob/{ref}/{path}",
            "raw_url": None if change.submodule else f"{web}/raw/{ref}/{path}",
            "contents_url": self._repo(repository, f"/contents/{path}?ref={ref}"),
        }
        if patch is not None:
            shown["patch"] = patch
        if change.previous_path is not None:
            shown["previous_filename"] = change.previous_path
        return shown

    def commit(self, repository: HubRepository, commit: CommitInfo) -> Json:
        """Return a commit as lists show it."""
        url = self._repo(repository, f"/commits/{commit.sha}")
        web = self._web(f"{repository.full_name}/commit/")
        parents = [
            {"sha": sha, "url": self._repo(repository, f"/commits/{sha}"), "html_url": web + sha}
            for sha in commit.parents
        ]
        return {
            "sha": commit.sha,
            "node_id": node("Commit", commit.sha),
            "commit": self._git_commit(repository, commit),
            "url": url,
            "html_url": web + commit.sha,
            "comments_url": url + "/comments",
            "author": self.account(self._world.account_of(commit.author)),
            "committer": self.account(self._world.account_of(commit.committer)),
            "parents": parents,
        }

    def _git_commit(self, repository: HubRepository, commit: CommitInfo) -> Json:
        tree = self._repo(repository, f"/git/trees/{commit.tree}")
        return {
            "author": {**named(commit.author), "date": time(commit.authored_at)},
            "committer": {**named(commit.committer), "date": time(commit.committed_at)},
            "message": commit.message,
            "tree": {"sha": commit.tree, "url": tree},
            "url": self._repo(repository, f"/git/commits/{commit.sha}"),
            "comment_count": 0,
            "verification": self._verification(commit),
        }

    def _verification(self, commit: CommitInfo) -> Json:
        is_verified = commit.sha in self._world.verified
        return {
            "verified": is_verified,
            "reason": "valid" if is_verified else "unsigned",
            "signature": "-----BEGIN PGP SIGNATURE-----\n..." if is_verified else None,
            "payload": f"tree {commit.tree}\n..." if is_verified else None,
            "verified_at": time(commit.committed_at) if is_verified else None,
        }

    def simple_commit(self, commit: CommitInfo) -> Json:
        """Return a commit as check suites and webhooks show it."""
        return {
            "id": commit.sha,
            "tree_id": commit.tree,
            "message": commit.message,
            "timestamp": time(commit.committed_at),
            "author": named(commit.author),
            "committer": named(commit.committer),
        }

    # --- labels, comments, checks -------------------------------------------------------------

    def label(self, repository: HubRepository, label: HubLabel) -> Json:
        """Return a label."""
        return {
            "id": label.id,
            "node_id": node("Label", label.id),
            "url": self._repo(repository, f"/labels/{quote(label.name, safe='')}"),
            "name": label.name,
            "description": label.description,
            "color": label.color,
            "default": False,
        }

    def comment(self, pull: HubPull, comment: HubComment) -> Json:
        """Return a comment."""
        repository = pull.repository
        url = self._repo(repository, f"/issues/comments/{comment.id}")
        issue = self._repo(repository, f"/issues/{pull.number}")
        web = self._web(f"{repository.full_name}/pull/{pull.number}")
        return {
            "id": comment.id,
            "node_id": node("IssueComment", comment.id),
            "url": url,
            "html_url": f"{web}#issuecomment-{comment.id}",
            "issue_url": issue,
            "user": self.user(comment.author),
            "created_at": time(comment.created_at),
            "updated_at": time(comment.updated_at),
            "body": comment.body,
            "author_association": self.association(repository, comment.author),
            "performed_via_github_app": self.app(comment.app) if comment.app else None,
            "reactions": reactions(url),
        }

    def review(self, pull: HubPull, review: HubReview) -> Json:
        """Return a review as lists show it."""
        url = self._repo(pull.repository, f"/pulls/{pull.number}")
        web = self._web(f"{pull.repository.full_name}/pull/{pull.number}")
        page = f"{web}#pullrequestreview-{review.id}"
        return {
            "id": review.id,
            "node_id": node("PullRequestReview", review.id),
            "user": self.user(review.author),
            "body": review.body,
            "state": review.state,
            "html_url": page,
            "pull_request_url": url,
            "author_association": self.association(pull.repository, review.author),
            "_links": {"html": {"href": page}, "pull_request": {"href": url}},
            "submitted_at": time(review.submitted_at),
            "commit_id": review.commit_sha,
        }

    def association(self, repository: HubRepository, account: HubAccount) -> str:
        """Return an account's association with a repository, in the API's words."""
        if account.kind == "Bot":
            return "NONE"
        words = {"admin": "OWNER", "write": "COLLABORATOR", "read": "CONTRIBUTOR", "none": "NONE"}
        return words[repository.permission_of(account.login)]

    def check_run(self, repository: HubRepository, run: HubCheckRun) -> Json:
        """Return a check run. ``pull_requests`` is empty for heads that live in forks."""
        url = self._repo(repository, f"/check-runs/{run.id}")
        web = self._web(f"{repository.full_name}/runs/{run.id}")
        return {
            "id": run.id,
            "node_id": node("CheckRun", run.id),
            "name": run.name,
            "head_sha": run.head_sha,
            "external_id": run.external_id,
            "url": url,
            "html_url": web,
            "details_url": run.details_url or web,
            "status": run.status,
            "conclusion": run.conclusion,
            "started_at": time(run.started_at),
            "completed_at": time(run.completed_at),
            "output": {
                "title": run.title,
                "summary": run.summary,
                "text": run.text,
                "annotations_count": len(run.annotations),
                "annotations_url": url + "/annotations",
            },
            "check_suite": {"id": run.suite.id},
            "app": self.app(run.suite.app),
            "pull_requests": self._open_pulls_at(repository, run.head_sha),
        }

    def _open_pulls_at(self, repository: HubRepository, sha: str) -> list[Json]:
        return [
            self.minimal_pull(pull)
            for pull in repository.pulls.values()
            if pull.head_sha == sha and pull.head_repository is repository and not pull.closed_at
        ]

    def check_suite(self, repository: HubRepository, suite: CheckSuite) -> Json:
        """Return a check suite."""
        runs = [run for run in repository.check_runs.values() if run.suite is suite]
        url = self._repo(repository, f"/check-suites/{suite.id}")
        status, conclusion = suite_state(suite, runs)
        commit = repository.git.commit_info(suite.head_sha)
        return {
            "id": suite.id,
            "node_id": node("CheckSuite", suite.id),
            "head_branch": self._branch_of(repository, suite.head_sha),
            "head_sha": suite.head_sha,
            "status": status,
            "conclusion": conclusion,
            "url": url,
            "before": commit.parents[0] if commit.parents else None,
            "after": suite.head_sha,
            "pull_requests": self._open_pulls_at(repository, suite.head_sha),
            "app": self.app(suite.app),
            "created_at": time(suite.created_at),
            "updated_at": time(suite.updated_at),
            "rerequestable": True,
            "runs_rerequestable": True,
            "latest_check_runs_count": len(runs),
            "check_runs_url": url + "/check-runs",
            "head_commit": self.simple_commit(commit),
            "repository": self.repository(repository),
        }

    def _branch_of(self, repository: HubRepository, sha: str) -> str | None:
        for pull in repository.pulls.values():
            if pull.head_sha == sha and pull.head_repository is repository:
                return pull.head_ref
        return None

    def annotation(self, repository: HubRepository, run: HubCheckRun, members: Json) -> Json:
        """Return an annotation as lists show it."""
        blob = self._web(f"{repository.full_name}/blob/{run.head_sha}/{quote(members['path'])}")
        return {
            "path": members["path"],
            "start_line": members["start_line"],
            "end_line": members["end_line"],
            "start_column": members.get("start_column"),
            "end_column": members.get("end_column"),
            "annotation_level": members["annotation_level"],
            "title": members.get("title"),
            "message": members["message"],
            "raw_details": members.get("raw_details"),
            "blob_href": blob,
        }

    # --- deliveries ---------------------------------------------------------------------------

    def delivery(self, delivery: HubDelivery) -> Json:
        """Return a delivery as lists show it."""
        return {
            "id": delivery.id,
            "guid": delivery.guid,
            "delivered_at": time(delivery.delivered_at),
            "redelivery": delivery.redelivery,
            "duration": delivery.duration,
            "status": delivery.status,
            "status_code": delivery.status_code,
            "event": delivery.event,
            "action": delivery.action,
            "installation_id": delivery.installation_id,
            "repository_id": delivery.repository_id,
            "throttled_at": None,
        }

    def full_delivery(self, delivery: HubDelivery, payload: Any) -> Json:
        """Return a delivery with its request and response."""
        return {
            **self.delivery(delivery),
            "url": delivery.app.webhook_url or "",
            "request": {"headers": delivery.request_headers, "payload": payload},
            "response": {"headers": delivery.response_headers, "payload": delivery.response_body},
        }


def suite_state(suite: CheckSuite, runs: list[HubCheckRun]) -> tuple[str, str | None]:
    """Return a suite's status and conclusion, from its runs; after a re-request, queued."""
    if suite.rerequested or not runs:
        return "queued", None
    if any(run.status != "completed" for run in runs):
        return "in_progress", None
    words = {run.conclusion for run in runs}
    return "completed", "failure" if "failure" in words else max(word or "" for word in words)


def _repository_counts(repository: HubRepository) -> Json:
    waiting = sum(1 for pull in repository.pulls.values() if pull.closed_at is None)
    return {
        "size": 0,
        "forks": 0,
        "forks_count": 0,
        "open_issues": waiting,
        "open_issues_count": waiting,
        "stargazers_count": 0,
        "watchers": 0,
        "watchers_count": 0,
        "has_issues": True,
        "has_projects": True,
        "has_wiki": False,
        "has_pages": False,
        "has_downloads": False,
        "has_discussions": False,
        "allow_forking": True,
        "is_template": False,
        "topics": [],
        "web_commit_signoff_required": False,
    }


def named(person: GitPerson) -> Json:
    """Return a person as git names them."""
    return {"name": person.name, "email": person.email}


def reactions(url: str) -> Json:
    """Return the reactions at ``url``, all zero."""
    words = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")
    return {"url": url + "/reactions", "total_count": 0, **dict.fromkeys(words, 0)}
