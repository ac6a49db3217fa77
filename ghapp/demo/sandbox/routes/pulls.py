"""Routes on pull requests: the list, one of them, its files, commits and reviews.

https://docs.github.com/en/rest/pulls/pulls
"""

from ghapp.demo.sandbox.call import ErrorAnswer, HubAnswer, HubCall, existing
from ghapp.demo.sandbox.git_backend import FileChange
from ghapp.demo.sandbox.routing import RouteTable, listed
from ghapp.demo.sandbox.state import HubPull, Json, World

ROUTES = RouteTable()
READ = "pull_requests:read"
SORTS = {"created": "created_at", "updated": "updated_at"}


def pull_of(call: HubCall, name: str) -> HubPull:
    """Return the pull request that a parameter names; 404 if there is none."""
    return existing(call.repo.pulls.get(call.number(name)))


@ROUTES(
    "GET", "/repos/{owner}/{repo}/pulls", READ,
    paged=True, query="state head base sort direction",
)  # fmt: skip
def pulls(call: HubCall) -> HubAnswer:
    """List pull requests, by default the newest first."""
    found = [pull for pull in call.repo.pulls.values() if _wanted(call, pull)]
    sort = SORTS.get(call.query.get("sort", "created"))
    if sort is None:
        raise ErrorAnswer(422, "Invalid request.\n\nsort is created or updated in the stand-in.")
    descending = call.query.get("direction", "desc" if "sort" not in call.query else "asc")
    if sort == "updated_at":
        descending = call.query.get("direction", "asc")
    found.sort(key=lambda pull: (getattr(pull, sort), pull.number), reverse=descending == "desc")
    return _listed(call, found)


def _wanted(call: HubCall, pull: HubPull) -> bool:
    state = call.query.get("state", "open")
    if state not in {"all", "open" if pull.closed_at is None else "closed"}:
        return False
    if call.query.get("base", pull.base_ref) != pull.base_ref:
        return False
    label = f"{pull.head_owner.login}:{pull.head_ref}"
    return call.query.get("head", label) == label


@ROUTES("GET", "/repos/{owner}/{repo}/pulls/{pull_number}", READ)
def pull(call: HubCall) -> HubAnswer:
    """Answer with one pull request, as JSON or as a diff."""
    found = pull_of(call, "pull_number")
    if call.accepts("diff"):
        return _diff(call, found)
    if found.closed_at is None and found.merge_commit_sha is None:
        found.merge_commit_sha = _test_merge(call, found)
    version = call.api_version()
    stale = call.hides(found.merged_at)
    return HubAnswer(call.shapes.full_pull(found, api_version=version, stale=stale))


def _test_merge(call: HubCall, found: HubPull) -> str:
    """Return the test merge that GitHub makes of every open pull request, on no branch."""
    git = found.repository.git
    tree = git.merge_trees(found.merge_base, found.base_sha, found.head_sha)
    return git.write_commit(
        f"refs/pull/{found.number}/merge",
        {},
        parents=(found.base_sha, found.head_sha),
        author=found.author.person,
        at=call.world.now(),
        message=f"Merge {found.head_sha} into {found.base_sha}",
        tree=tree,
    )


def _diff(call: HubCall, found: HubPull) -> HubAnswer:
    limits, git = call.world.limits, found.repository.git
    changes = git.changes(found.merge_base, found.head_sha)
    if len(changes) > limits.diff_files:
        raise _too_large(f"the diff exceeded the maximum number of files ({limits.diff_files})")
    text = git.patch(found.merge_base, found.head_sha)
    if text.count(b"\n") > limits.diff_lines:
        raise _too_large(f"the diff exceeded the maximum number of lines ({limits.diff_lines})")
    return HubAnswer(text, media_type="application/vnd.github.v3.diff; charset=utf-8")


def _too_large(reason: str) -> ErrorAnswer:
    message = f"Sorry, {reason}. Consider using 'List pull requests files' API instead."
    errors = [{"resource": "PullRequest", "field": "diff", "code": "too_large"}]
    return ErrorAnswer(406, message, errors=errors)


@ROUTES("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/files", READ, paged=True)
def files(call: HubCall) -> HubAnswer:
    """List the files of a pull request, at most 3,000, large ones without a patch."""
    found = pull_of(call, "pull_number")
    changes = found.repository.git.changes(found.merge_base, found.head_sha)
    shown = shown_files(call, changes[: call.world.limits.pull_files], found.head_sha)
    return listed(call, shown, lambda file: file)


def shown_files(call: HubCall, changes: tuple[FileChange, ...], ref: str) -> list[Json]:
    """Return files as a diff endpoint lists them, without the patches that are too large."""
    left = call.world.limits.diff_bytes
    shown = []
    for change in changes:
        patch = _shown_patch(call.world, change)
        size = len(patch.encode()) if patch else 0
        left -= size
        shown.append(call.shapes.file(call.repo, change, ref, patch if left >= 0 else None))
    return shown


def _shown_patch(world: World, change: FileChange) -> str | None:
    limits = world.limits
    if change.patch is None or change.patch.count("\n") > limits.patch_lines:
        return None
    return change.patch if len(change.patch.encode()) <= limits.patch_bytes else None


@ROUTES("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/commits", READ, paged=True)
def commits(call: HubCall) -> HubAnswer:
    """List the commits of a pull request, the oldest first, at most 250."""
    found = pull_of(call, "pull_number")
    all_of_them = found.repository.git.commits(found.merge_base, found.head_sha)
    first = all_of_them[: call.world.limits.pull_commits]
    return listed(call, first, lambda commit: call.shapes.commit(call.repo, commit))


@ROUTES("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/reviews", READ, paged=True)
def reviews(call: HubCall) -> HubAnswer:
    """List the reviews of a pull request in the order in which people submitted them."""
    found = pull_of(call, "pull_number")
    return listed(call, found.reviews, lambda review: call.shapes.review(found, review))


@ROUTES("GET", "/repos/{owner}/{repo}/commits/{commit_sha}/pulls", READ, paged=True)
def pulls_of_commit(call: HubCall) -> HubAnswer:
    """List the pull requests of a commit; like GitHub, find none for a fork's head."""
    sha = call.params["commit_sha"]
    found = [
        pull
        for pull in call.repo.pulls.values()
        if sha == pull.merge_commit_sha
        or (sha == pull.head_sha and pull.head_repository is call.repo)
    ]
    return _listed(call, found)


def _listed(call: HubCall, found: list[HubPull]) -> HubAnswer:
    version = call.api_version()
    return listed(call, found, lambda pull: call.shapes.pull(pull, api_version=version))
