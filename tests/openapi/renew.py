"""Cuts GitHub's OpenAPI descriptions down to what the stand-in serves and sends; run by hand.

    python tests/openapi/renew.py

It fetches two npm packages with the npm command and its configuration, keeps the operations and
webhooks named below with all that they refer to, and writes ``api.json``, ``webhooks.json`` and
the packages' license notice beside this file. What an app may ask for at registration (all
permissions with their levels, all events with the permission that each needs) goes to
``ghapp/demo/sandbox/permissions.json``, because the stand-in refuses everything else.
"""

import json
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
REGISTRATION = HERE.parents[1] / "ghapp" / "demo" / "sandbox" / "permissions.json"
API_PACKAGE = "@octokit/openapi@23.0.2"
WEBHOOKS_PACKAGE = "@octokit/openapi-webhooks@12.1.0"
DESCRIPTION = "package/generated/api.github.com.json"
METHODS = {"get", "post", "patch", "put", "delete"}
REPOSITORY = "/repos/{owner}/{repo}"
OPERATIONS = """
GET /app
GET /app/hook/config
GET /app/hook/deliveries
GET /app/hook/deliveries/{delivery_id}
POST /app/hook/deliveries/{delivery_id}/attempts
GET /app/installations
GET /app/installations/{installation_id}
POST /app/installations/{installation_id}/access_tokens
POST /app-manifests/{code}/conversions
GET /installation/repositories
DELETE /installation/token
GET /meta
GET /orgs/{org}/copilot/metrics/reports/users-1-day
GET /orgs/{org}/teams
GET /orgs/{org}/teams/{team_slug}/members
GET /rate_limit
GET /user
GET /user/emails
GET /user/installations
GET /user/installations/{installation_id}/repositories
GET /user/memberships/orgs/{org}
GET /repos/{owner}/{repo}
POST /repos/{owner}/{repo}/check-runs
GET /repos/{owner}/{repo}/check-runs/{check_run_id}
PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}
GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations
GET /repos/{owner}/{repo}/check-suites/{check_suite_id}
GET /repos/{owner}/{repo}/check-suites/{check_suite_id}/check-runs
GET /repos/{owner}/{repo}/collaborators/{username}/permission
GET /repos/{owner}/{repo}/commits
GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls
GET /repos/{owner}/{repo}/commits/{ref}
GET /repos/{owner}/{repo}/commits/{ref}/check-runs
GET /repos/{owner}/{repo}/compare/{basehead}
GET /repos/{owner}/{repo}/contents/{path}
GET /repos/{owner}/{repo}/git/blobs/{file_sha}
GET /repos/{owner}/{repo}/git/trees/{tree_sha}
GET /repos/{owner}/{repo}/installation
GET /repos/{owner}/{repo}/issues/comments/{comment_id}
PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}
DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}
GET /repos/{owner}/{repo}/issues/{issue_number}/comments
POST /repos/{owner}/{repo}/issues/{issue_number}/comments
GET /repos/{owner}/{repo}/issues/{issue_number}/labels
POST /repos/{owner}/{repo}/issues/{issue_number}/labels
DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}
GET /repos/{owner}/{repo}/labels
POST /repos/{owner}/{repo}/labels
GET /repos/{owner}/{repo}/labels/{name}
PATCH /repos/{owner}/{repo}/labels/{name}
GET /repos/{owner}/{repo}/pulls
GET /repos/{owner}/{repo}/pulls/{pull_number}
GET /repos/{owner}/{repo}/pulls/{pull_number}/commits
GET /repos/{owner}/{repo}/pulls/{pull_number}/files
GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews
"""
WEBHOOKS = """
check-run-completed check-run-created check-run-requested-action check-run-rerequested
check-suite-completed check-suite-requested check-suite-rerequested
installation-created installation-deleted installation-new-permissions-accepted
installation-suspend installation-unsuspend
installation-repositories-added installation-repositories-removed
issue-comment-created issue-comment-deleted issue-comment-edited
label-created label-deleted label-edited ping push
pull-request-closed pull-request-edited pull-request-labeled pull-request-opened
pull-request-reopened pull-request-synchronize pull-request-unlabeled
repository-archived repository-created repository-deleted repository-renamed
repository-transferred repository-unarchived
"""
# To subscribe to this event, a GitHub App must have at least read-level access for the "Issues"
# or "Pull requests" repository permissions. (Of packages: "To install this event on ...".)
_NEEDS = re.compile(
    r"event(?: on a GitHub App)?, (?:a GitHub App|the app) must have at least read-level access "
    r"for the (?P<labels>[^.]*?)(?P<where>repository or organization|repository|organization|app)? "
    r"permissions?"
)
RENAMED = {
    ("Administration", "organization"): "organization_administration",
    ("Commit statuses", "repository"): "statuses",
    ("Custom properties", "organization"): "organization_custom_properties",
    ("Dependabot alerts", "repository"): "vulnerability_alerts",
    ("Personal access token requests", "organization"): (
        "organization_personal_access_token_requests"
    ),
    ("Projects", "organization"): "organization_projects",
    ("Projects", "repository"): "repository_projects",
    ("Code scanning alerts", "repository"): "security_events",
}
"""Label and place of a permission on GitHub's pages → its name in the API, where it is not just the
label in lower case."""
DROPPED = {"description", "summary", "example", "examples", "externalDocs", "x-github", "title"}
"""Members that validate nothing; without them the files are much smaller."""


def main() -> None:
    """Fetch, cut and write."""
    with tempfile.TemporaryDirectory() as scratch:
        api, license_text = _package(API_PACKAGE, Path(scratch))
        webhooks, _ = _package(WEBHOOKS_PACKAGE, Path(scratch))
    _write("api.json", _slim_api(api))
    _write("webhooks.json", _slim_webhooks(webhooks))
    text = json.dumps(_registration(api, webhooks), sort_keys=True, indent=1)
    REGISTRATION.write_text(text + "\n", encoding="utf-8")
    notice = f"api.json is cut from {API_PACKAGE}, webhooks.json from {WEBHOOKS_PACKAGE},\n"
    notice += "both under this license:\n\n"
    (HERE / "LICENSE").write_text(notice + license_text, encoding="utf-8")


def _package(name: str, scratch: Path) -> tuple[dict[str, Any], str]:
    """Return a package's description of the API and its license."""
    packed = subprocess.run(
        ["npm", "pack", "--silent", name], cwd=scratch, capture_output=True, text=True, check=True
    )
    with tarfile.open(scratch / packed.stdout.split()[-1]) as archive:
        description = archive.extractfile(DESCRIPTION)
        license_text = archive.extractfile("package/LICENSE")
        assert description is not None, f"{name} has no {DESCRIPTION}"
        assert license_text is not None, f"{name} has no license"
        return json.load(description), license_text.read().decode()


def _slim_api(whole: dict[str, Any]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for line in OPERATIONS.split("\n"):
        if line:
            method, path = line.split(" ")
            paths.setdefault(path, {})[method.lower()] = whole["paths"][path][method.lower()]
    kept = {"openapi": whole["openapi"], "info": _info(whole), "paths": _stripped(paths)}
    return kept | {"components": _components(whole, kept)}


def _slim_webhooks(whole: dict[str, Any]) -> dict[str, Any]:
    kept = {
        name: whole["webhooks"][name]["post"]["requestBody"]["content"]["application/json"][
            "schema"
        ]
        for name in WEBHOOKS.split()
    }
    slim = {"openapi": whole["openapi"], "info": _info(whole), "webhooks": _stripped(kept)}
    return slim | {"components": _components(whole, slim)}


def _registration(api: dict[str, Any], webhooks: dict[str, Any]) -> dict[str, Any]:
    """Return all permissions with their levels, and all events with the permissions they need.

    One of an event's permissions is enough. An event without any cannot be subscribed to: GitHub
    sends it to every app, or to none.
    """
    known = api["components"]["schemas"]["app-permissions"]["properties"]
    levels = {name: shown["enum"] for name, shown in known.items()}
    events: dict[str, list[str]] = {}
    for webhook in webhooks["webhooks"].values():
        post = webhook["post"]
        name = post["x-github"]["subcategory"].replace("-", "_")
        found = _NEEDS.search(" ".join(post["summary"].split()))
        needed = _needed(found, levels) if found else []
        events[name] = sorted({*events.get(name, ()), *needed})
    return {"permissions": levels, "events": events}


def _needed(found: re.Match[str], levels: dict[str, Any]) -> list[str]:
    """Return the names of the permissions that GitHub's sentence names by their labels."""
    places = (found["where"] or "repository").split(" or ")
    labels = re.findall(r'"([^"]+)"', found["labels"])
    pairs = [(label, place) for label in labels for place in places]
    names = [RENAMED.get(pair, pair[0].lower().replace(" ", "_")) for pair in pairs]
    # "Meta" is the app's own webhook, and security advisories have no name in the API yet.
    return [name for name in names if name in levels]


def _info(whole: dict[str, Any]) -> dict[str, Any]:
    return {name: whole["info"][name] for name in ("title", "version")}


def _components(whole: dict[str, Any], kept: dict[str, Any]) -> dict[str, Any]:
    """Return every component that is referred to, directly or not."""
    found: dict[str, Any] = {}
    waiting = sorted(set(_references(kept)))
    while waiting:
        _, _, kind, name = waiting.pop().split("/", 3)
        if name in found.setdefault(kind, {}):
            continue
        found[kind][name] = _stripped(whole["components"][kind][name])
        waiting += sorted(set(_references(found[kind][name])))
    return found


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        yield from _all_references(value.values())
    elif isinstance(value, list):
        yield from _all_references(value)


def _all_references(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        yield from _references(value)


def _stripped(value: Any, *, names: bool = False) -> Any:
    """Remove what validates nothing; the members of ``properties`` are names, not keywords."""
    if isinstance(value, list):
        return [_stripped(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _stripped(item, names=name == "properties" and not names)
        for name, item in value.items()
        if names or name not in DROPPED
    }


def _write(name: str, description: dict[str, Any]) -> None:
    # Compact: nobody reads these files, and this command renews them.
    text = json.dumps(description, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    (HERE / name).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
