"""Requests every route once over HTTP; every answer matches GitHub's description."""

from pathlib import Path
from typing import Any

import requests

from ghapp.demo.sandbox.call import HubRoute
from ghapp.demo.sandbox.routes import ALL
from ghapp.demo.sandbox.state import PendingManifest
from tests.demo.sandbox.hub import Hub

REPO = "/repos/{owner}/{repo}"
RUN = {
    "name": "attribution",
    "status": "completed",
    "conclusion": "neutral",
    "external_id": "700001:1:abc",
    "output": {
        "title": "61 of 90",
        "summary": "A *summary*.",
        "text": "More.",
        "annotations": [
            {
                "path": "b.py",
                "start_line": 1,
                "end_line": 1,
                "annotation_level": "notice",
                "message": "attributed",
            }
        ],
    },
    "actions": [{"label": "Audit again", "description": "Audit again", "identifier": "audit"}],
}


def _prepared(hub: Hub) -> dict[str, str]:
    """Create what the reading routes need, and return their parameters."""
    run = hub.repo("POST", "/check-runs", {**RUN, "head_sha": hub.pull.head_sha}).json()
    comment = hub.repo("POST", "/issues/1/comments", {"body": "Hello"}).json()
    hub.repo("POST", "/issues/1/labels", {"labels": ["claude-code-assisted"]})
    hub.sandbox.add_review(hub.pull, "reviewer", "CHANGES_REQUESTED")
    delivery = hub.sandbox.deliver_closed(hub.pull)[0]
    hub.sandbox.allow(hub.repository, "dev", "write")
    manifest = {"name": "Another App", "url": "https://example.test", "default_events": []}
    account = hub.sandbox.organization("acme")
    hub.sandbox.world.manifests["code"] = PendingManifest(manifest, account, hub.clock())
    blob = hub.repository.git.entry(hub.pull.head_sha, "b.py")
    assert blob is not None
    return {
        "owner": "acme",
        "repo": "app",
        "check_run_id": run["id"],
        "check_suite_id": run["check_suite"]["id"],
        "comment_id": comment["id"],
        "issue_number": "1",
        "pull_number": "1",
        "commit_sha": hub.pull.head_sha,
        "ref": hub.pull.head_sha,
        "basehead": f"{hub.pull.base_sha}...{hub.pull.head_sha}",
        "path": "a.py",
        "file_sha": blob.sha,
        "tree_sha": "main",
        "name": "claude-code-assisted",
        "username": "dev",
        "installation_id": str(hub.installation.id),
        "delivery_id": str(delivery.id),
        "code": "code",
        "org": "acme",
        "team_slug": "web",
    }


BODIES: dict[tuple[str, str], Any] = {
    ("POST", f"{REPO}/check-runs"): {"name": "other", "status": "in_progress"},
    ("PATCH", f"{REPO}/check-runs/{{check_run_id}}"): {"conclusion": "success"},
    ("POST", f"{REPO}/issues/{{issue_number}}/comments"): {"body": "Second"},
    ("PATCH", f"{REPO}/issues/comments/{{comment_id}}"): {"body": "Changed"},
    ("POST", f"{REPO}/issues/{{issue_number}}/labels"): {"labels": ["new one"]},
    ("POST", f"{REPO}/labels"): {"name": "third", "color": "00ff00", "description": "A third"},
    ("PATCH", f"{REPO}/labels/{{name}}"): {"new_name": "renamed", "color": "ff0000"},
    ("POST", "/app/installations/{installation_id}/access_tokens"): {"repositories": ["app"]},
}


def _order(route: HubRoute) -> int:
    """Sort routes: updates and deletions come late, the token's revocation last."""
    if route.template == "/installation/token":
        return 3
    return {"PATCH": 1, "DELETE": 2}.get(route.method, 0)


def test_every_route_answers_as_described(hub: Hub) -> None:
    params, login = _prepared(hub), hub.sandbox.user_token("dev")
    hub.sandbox.add_member("acme", "dev")
    hub.sandbox.set_team("acme", "Web", "dev", "reviewer")
    hub.installation.permissions["members"] = "read"
    reads_members = hub.token(permissions={"members": "read"})
    asked = 0
    for route in sorted(ALL, key=_order):
        if route.template == f"{REPO}/labels/{{name}}" and route.method == "PATCH":
            params = {**params, "name": "third"}
        tokens = {"app": hub.jwt(), "user": login, "anyone": hub.own_token}
        if "members:read" in route.needs:
            tokens["installation"] = reads_members
        body = BODIES.get((route.method, route.template))
        if route.template.endswith("/check-runs") and route.method == "POST":
            body = {**(body or {}), "head_sha": hub.pull.head_sha}
        name = "claude-code-assisted" if "issues" in route.template else params["name"]
        path = route.template.format(**{**params, "name": name})
        answer = hub.ask(route.method, path, body, token=tokens.get(route.sender, hub.own_token))
        assert answer.status_code < 300, f"{route.method} {path}: {answer.text[:300]}"
        asked += 1
    assert asked == len(ALL)
    assert hub.sandbox.violations == []


def test_the_same_repository_by_its_number(hub: Hub) -> None:
    answer = hub.ask("GET", f"/repositories/{hub.repository.id}/pulls/1/files?per_page=1")
    assert [one["filename"] for one in answer.json()] == ["a.py"]
    following = answer.links["next"]["url"]
    assert f"/repositories/{hub.repository.id}/pulls/1/files" in following
    assert hub.ask("GET", following.removeprefix(hub.sandbox.api_url)).json()[0]["additions"] == 1


def test_a_former_name_redirects(hub: Hub) -> None:
    hub.sandbox.rename_repository(hub.repository, "renamed")
    answer = hub.repo("GET", "/pulls/1")
    assert answer.status_code == 301
    assert answer.headers["Location"].endswith(f"/repositories/{hub.repository.id}/pulls/1")


def test_an_unknown_route_is_a_violation(hub: Hub) -> None:
    assert hub.repo("PUT", "/issues/1/labels", {"labels": []}).status_code == 404
    assert [one.where for one in hub.sandbox.violations] == ["PUT /repos/acme/app/issues/1/labels"]


def test_an_unknown_member_is_a_violation(hub: Hub) -> None:
    hub.repo("GET", "/pulls?sate=closed")
    hub.repo("POST", "/labels", {"name": "a", "colour": "ff0000"})
    problems = [one.problem for one in hub.sandbox.violations]
    assert problems == [
        "unknown query parameter 'sate'",
        "unknown member 'colour' in the request body",
    ]
    hub.sandbox.world.exchanges.clear()


def test_an_etag_saves_the_budget(hub: Hub) -> None:
    first = hub.repo("GET", "/pulls/1")
    second = hub.repo("GET", "/pulls/1", headers={"If-None-Match": first.headers["ETag"]})
    assert second.status_code == 304
    other = hub.repo(
        "GET", "/pulls/1", headers={"If-None-Match": first.headers["ETag"]}, token=hub.token()
    )
    assert other.status_code == 200


def test_the_new_api_version_has_no_merge_commit(hub: Hub) -> None:
    pinned = hub.repo("GET", "/pulls/1", headers={"X-GitHub-Api-Version": "2022-11-28"}).json()
    assert pinned["merge_commit_sha"] == hub.pull.merge_commit_sha
    newer = hub.repo("GET", "/pulls/1", headers={"X-GitHub-Api-Version": "2026-03-10"})
    assert "merge_commit_sha" not in newer.json()
    hub.sandbox.world.exchanges.pop()


def test_an_enterprise_server_has_a_path(tmp_path: Path) -> None:
    hub = Hub(tmp_path, prefix="/api/v3", classic_tokens=True)
    try:
        assert hub.own_token.startswith("ghs_0")
        found = hub.repo("GET", "/pulls/1").json()
        assert found["url"] == f"{hub.sandbox.web_url}/api/v3/repos/acme/app/pulls/1"
        outside = requests.get(f"{hub.sandbox.web_url}/repos/acme/app", timeout=60)
        assert outside.status_code == 404
        assert len(hub.sandbox.violations) == 1
    finally:
        hub.close()


def test_teams_need_a_permission_and_are_the_installation_s_own(hub: Hub) -> None:
    path = "/orgs/acme/teams"
    refused = hub.ask("GET", path)
    assert refused.status_code == 403
    assert refused.headers["X-Accepted-GitHub-Permissions"] == "members=read"
    hub.installation.permissions["members"] = "read"
    hub.sandbox.set_team("acme", "Web Pages", "ann", "bob", "cid")
    hub.sandbox.set_team("other", "Web", "dan")
    token = hub.token(permissions={"members": "read"})
    assert [one["slug"] for one in hub.ask("GET", path, token=token).json()] == ["web-pages"]
    assert hub.ask("GET", "/orgs/other/teams", token=token).status_code == 404
    page = hub.ask("GET", f"{path}/web-pages/members?per_page=2", token=token)
    assert [one["login"] for one in page.json()] == ["ann", "bob"]
    following = page.links["next"]["url"].removeprefix(hub.sandbox.api_url)
    assert [one["login"] for one in hub.ask("GET", following, token=token).json()] == ["cid"]
    assert hub.ask("GET", f"{path}/none/members", token=token).status_code == 404
    assert hub.sandbox.violations == []
