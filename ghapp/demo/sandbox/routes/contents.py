"""Routes on git data: files, blobs, trees, commits and comparisons."""

import base64
from datetime import datetime
from urllib.parse import quote

from ghapp.demo.sandbox.call import ErrorAnswer, HubAnswer, HubCall, existing
from ghapp.demo.sandbox.git_backend import CommitInfo, TreeEntry
from ghapp.demo.sandbox.limits import PAGE
from ghapp.demo.sandbox.routes.pulls import shown_files
from ghapp.demo.sandbox.routing import RouteTable, listed
from ghapp.demo.sandbox.shapes import node
from ghapp.demo.sandbox.state import Json

ROUTES = RouteTable()
READ = "contents:read"
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""Git's id of the empty tree: the old side of a first commit."""
COMMIT_FILES = 300
"""Most files of a commit on one page."""


def _commit_at(call: HubCall, name: str) -> CommitInfo:
    """Return the commit that a branch, tag or SHA names; 422 if there is none."""
    sha = call.repo.git.resolve(name)
    if sha is None:
        raise ErrorAnswer(422, f"No commit found for SHA: {name}")
    return call.repo.git.commit_info(sha)


@ROUTES("GET", "/repos/{owner}/{repo}/commits", READ, paged=True, query="sha since until")
def commits(call: HubCall) -> HubAnswer:
    """List the commits of a branch, the newest first."""
    tip = existing(call.repo.git.resolve(call.query.get("sha") or call.repo.default_branch))
    since, until = (_instant(call.query.get(name)) for name in ("since", "until"))
    history = call.repo.git.history(tip, since, until)
    return listed(call, history, lambda one: call.shapes.commit(call.repo, one))


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


# --- files ------------------------------------------------------------------------------------


@ROUTES("GET", "/repos/{owner}/{repo}/contents/{path}", READ, query="ref")
def contents(call: HubCall) -> HubAnswer:
    """Answer with a file or a directory on the default branch or at ``ref``."""
    ref = call.query.get("ref") or call.repo.default_branch
    sha = call.repo.git.resolve(ref)
    if sha is None:
        raise ErrorAnswer(404, f"No commit found for the ref {ref}")
    path = call.params["path"].strip("/")
    entry = existing(call.repo.git.entry(sha, path))
    if entry.kind == "tree":
        children = call.repo.git.tree(entry.sha)
        return HubAnswer([_entry(call, child, f"{path}/{child.path}", ref) for child in children])
    if entry.kind == "commit":
        shown = _entry(call, entry, path, ref)
        return HubAnswer(shown | {"type": "submodule", "submodule_git_url": None})
    return _file(call, entry, path, ref)


def _file(call: HubCall, entry: TreeEntry, path: str, ref: str) -> HubAnswer:
    content = call.repo.git.blob(entry.sha) or b""
    if len(content) > call.world.limits.raw_bytes:
        errors = [{"resource": "Blob", "field": "data", "code": "too_large"}]
        raise ErrorAnswer(403, "This API returns blobs up to 100 MB in size.", errors=errors)
    if call.accepts("raw"):
        return HubAnswer(content, media_type="application/vnd.github.raw+json; charset=utf-8")
    large = len(content) > call.world.limits.contents_bytes
    shown = _entry(call, entry, path, ref) | {
        "encoding": "none" if large else "base64",
        "content": "" if large else base64.encodebytes(content).decode(),
    }
    return HubAnswer(shown)


def _entry(call: HubCall, entry: TreeEntry, path: str, ref: str) -> Json:
    links, name, escaped = call.world.links, call.repo.full_name, quote(path)
    url = f"{links.api}/repos/{name}/contents/{escaped}?ref={quote(ref, safe='')}"
    html = f"{links.web}/{name}/blob/{ref}/{escaped}"
    git = f"{links.api}/repos/{name}/git/blobs/{entry.sha}"
    return {
        "type": _kind(entry),
        "size": entry.size or 0,
        "name": path.rsplit("/", 1)[-1],
        "path": path,
        "sha": entry.sha,
        "url": url,
        "git_url": git,
        "html_url": html,
        "download_url": f"{links.web}/{name}/raw/{ref}/{escaped}" if entry.size else None,
        "_links": {"self": url, "git": git, "html": html},
    }


def _kind(entry: TreeEntry) -> str:
    if entry.mode == "120000":
        return "symlink"
    # For old clients, GitHub lists a submodule as a file:
    # https://docs.github.com/en/rest/repos/contents#get-repository-content
    return {"tree": "dir"}.get(entry.kind, "file")


@ROUTES("GET", "/repos/{owner}/{repo}/git/blobs/{file_sha}", READ)
def blob(call: HubCall) -> HubAnswer:
    """Answer with a blob, as base64 or raw."""
    sha = call.params["file_sha"]
    content = existing(call.repo.git.blob(sha))
    if call.accepts("raw"):
        return HubAnswer(content, media_type="application/vnd.github.raw+json; charset=utf-8")
    shown = {
        "sha": sha,
        "node_id": node("Blob", sha),
        "size": len(content),
        "url": f"{call.world.links.api}/repos/{call.repo.full_name}/git/blobs/{sha}",
        "content": base64.encodebytes(content).decode(),
        "encoding": "base64",
    }
    return HubAnswer(shown)


@ROUTES("GET", "/repos/{owner}/{repo}/git/trees/{tree_sha}", READ, query="recursive")
def tree(call: HubCall) -> HubAnswer:
    """Answer with a tree; with ``recursive``, also with everything below it."""
    sha = existing(call.repo.git.resolve(call.params["tree_sha"], "tree"))
    entries = call.repo.git.tree(sha, recursive="recursive" in call.query)
    url = f"{call.world.links.api}/repos/{call.repo.full_name}/git"
    shown = {"sha": sha, "url": f"{url}/trees/{sha}", "truncated": False}
    return HubAnswer(shown | {"tree": [_tree_entry(entry, url) for entry in entries]})


def _tree_entry(entry: TreeEntry, url: str) -> Json:
    shown: Json = {
        "path": entry.path,
        "mode": entry.mode,
        "type": entry.kind,
        "sha": entry.sha,
    }
    if entry.kind != "commit":
        shown["url"] = f"{url}/{entry.kind}s/{entry.sha}"
    if entry.size is not None:
        shown["size"] = entry.size
    return shown


# --- commits ----------------------------------------------------------------------------------


@ROUTES("GET", "/repos/{owner}/{repo}/commits/{ref}", READ, paged=True)
def commit(call: HubCall) -> HubAnswer:
    """Answer with a commit and its files, 300 on a page, or with its diff."""
    found = _commit_at(call, call.params["ref"])
    git = call.repo.git
    base = found.parents[0] if found.parents else EMPTY_TREE
    if call.accepts("diff"):
        return HubAnswer(git.patch(base, found.sha), media_type="application/vnd.github.diff")
    if call.accepts("sha"):
        return HubAnswer(found.sha.encode(), media_type="application/vnd.github.sha")
    changes = git.changes(base, found.sha)[: call.world.limits.pull_files]
    number = int(call.query.get("page", "1")) - 1
    size = min(int(call.query.get("per_page", str(COMMIT_FILES))), COMMIT_FILES)
    page = changes[number * size : (number + 1) * size]
    added, deleted = (sum(getattr(c, n) for c in changes) for n in ("additions", "deletions"))
    shown = call.shapes.commit(call.repo, found) | {
        "stats": {"additions": added, "deletions": deleted, "total": added + deleted},
        "files": shown_files(call, page, found.sha),
    }
    return HubAnswer(shown)


@ROUTES("GET", "/repos/{owner}/{repo}/compare/{basehead}", READ, paged=True)
def compare(call: HubCall) -> HubAnswer:
    """Answer with the commits and files between two commits, from their merge base on."""
    base, head = _two_ends(call)
    git, limits = call.repo.git, call.world.limits
    merge_base = git.merge_base(base.sha, head.sha)
    if merge_base is None:
        message = f"No common ancestor between {base.sha} and {head.sha}."
        raise ErrorAnswer(404, message)
    if call.accepts("diff"):
        return HubAnswer(git.patch(merge_base, head.sha), media_type="application/vnd.github.diff")
    commits = git.commits(base.sha, head.sha)
    number = int(call.query.get("page", "1"))
    asked = call.query.get("per_page")
    size = limits.compare_commits if asked is None else min(int(asked), PAGE)
    changes = git.changes(merge_base, head.sha)[: limits.compare_files] if number == 1 else ()
    shapes = call.shapes
    shown = _compare_links(call) | {
        "base_commit": shapes.commit(call.repo, base),
        "merge_base_commit": shapes.commit(call.repo, git.commit_info(merge_base)),
        **_distance(len(commits), git.count(head.sha, base.sha)),
        "total_commits": len(commits),
        "commits": [
            shapes.commit(call.repo, one) for one in commits[(number - 1) * size : number * size]
        ],
        "files": shown_files(call, changes, head.sha),
    }
    return HubAnswer(shown)


def _two_ends(call: HubCall) -> tuple[CommitInfo, CommitInfo]:
    base, dots, head = call.params["basehead"].partition("...")
    git, names = call.repo.git, (base, head if dots else "")
    # A name may bear its owner: ``main...octocat:change``.
    found = (existing(git.resolve(name.rsplit(":", 1)[-1])) for name in names)
    one, other = (git.commit_info(sha) for sha in found)
    return one, other


def _compare_links(call: HubCall) -> Json:
    name, ends = call.repo.full_name, call.params["basehead"]
    web = f"{call.world.links.web}/{name}/compare/{ends}"
    return {
        "url": f"{call.world.links.api}/repos/{name}/compare/{ends}",
        "html_url": web,
        "permalink_url": web,
        "diff_url": web + ".diff",
        "patch_url": web + ".patch",
    }


def _distance(ahead: int, behind: int) -> Json:
    words = {(True, True): "diverged", (True, False): "ahead", (False, True): "behind"}
    status = words.get((ahead > 0, behind > 0), "identical")
    return {"status": status, "ahead_by": ahead, "behind_by": behind}
