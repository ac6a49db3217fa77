"""Fetch a merged pull request whole: what it adds, and the commit it became. It judges nothing.

The added lines come from GitHub's list of files if every patch is there and complete, else from
git for all files. If git fails too, the change holds what could be read and names the rest.
"""

import base64
import binascii
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

from ghapp.attribution.model import Change, FileDiff, FileStatus, Struct
from ghapp.attribution.policy import FILE as POLICY_FILE
from ghapp.attribution.unified_diff import DiffError, parse_diff, parse_patch
from ghapp.git.names import in_path, quoted, segment
from ghapp.git.repository import WHOLE_HISTORY, GitError, fetch_commits
from ghapp.git.repository import fetch as fetch_objects
from ghapp.github.answers import (
    AccessRefused,
    GitHubError,
    GoneForGood,
    GoneReason,
    NotFound,
    RequestRejected,
    TemporaryFailure,
)
from ghapp.github.client import GitHub
from ghapp.github.transport import PER_PAGE

MOST_LISTED_FILES = 3_000
"""GitHub lists no more files of a pull request, and does not say that there are more.
https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files"""
ATTRIBUTES = ".gitattributes"
CODEOWNERS_FILES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""In GitHub's order: the first file that exists counts.
https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners"""
ASKED_ONE_BY_ONE = 20
"""Up to this many attribute files are read one by one; for more, the whole tree is listed first."""
EMPTY_BLOBS = frozenset(
    {
        "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
        "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
    }
)
"""The object ids of an empty file, in SHA-1 and in SHA-256 repositories."""


NEXT_WAY = (NotFound, AccessRefused, RequestRejected, TemporaryFailure)
"""What makes a question worth another way of asking it."""


class NotMerged(Exception):  # noqa: N818 - what was found, not a fault
    """GitHub says that the pull request is not merged. Right after a merge that may be stale."""

    def __init__(self, number: int, state: str) -> None:
        super().__init__(f"pull request {number} is {state} and not merged: look again later")
        self.state = state
        """``open`` is certainly stale right after an event that the pull request was closed."""


class ChangeSource(StrEnum):
    """Where a change's added lines come from."""

    FILES = "files"
    GIT = "git"
    PARTIAL = "partial"
    """Some files could not be read; the change names them."""


class PullRequest(Struct, frozen=True, kw_only=True):
    """A merged pull request and what it adds."""

    repository_id: int
    repository: str
    number: int
    title: str
    text: str = ""
    """What its author wrote below the title."""
    author: str | None
    """Login; ``None``: the account was deleted."""
    author_id: int | None = None
    author_type: str | None = None
    """GitHub's word for the account, such as ``User`` or ``Bot``; ``None``: not known."""
    merged_at: datetime
    merge_commit: str | None
    """The commit that the merge put on the base branch; ``None``: GitHub no longer knows."""
    base_sha: str
    base_ref: str
    default_branch: str | None = None
    """The repository's default branch now; ``None``: not known."""
    head_sha: str
    head_ref: str
    from_fork: bool
    """Whether its head is in another repository, or was in one that is deleted."""
    fork: str | None = None
    """The name of that other repository; ``None``: there is none, or it was deleted."""
    labels: frozenset[str]
    change: Change
    source: ChangeSource
    commit_count: int = 0
    """How many commits GitHub counts; its list may have fewer."""
    problem: str | None = None
    """Why the change could not be read completely; ``None``: it was."""
    policy_text: str | None = None
    """The repository's policy file on the base; ``None``: it has none."""


class MergedPull(Struct, frozen=True, kw_only=True):
    """A merged pull request as GitHub's lists show it."""

    number: int
    created_at: datetime
    updated_at: datetime
    merged_at: datetime
    head_sha: str
    base_sha: str
    merge_commit: str | None


# --- GitHub's answers: the members that are read --------------------------------------------------


class _User(Struct, frozen=True):
    login: str
    id: int
    type: str | None = None


class _Repository(Struct, frozen=True):
    id: int
    full_name: str
    default_branch: str | None = None


class _Side(Struct, frozen=True):
    sha: str
    ref: str
    repo: _Repository | None = None


class _Label(Struct, frozen=True):
    name: str


class _Pull(Struct, frozen=True):
    number: int
    title: str
    state: str
    head: _Side
    base: _Side
    additions: int
    changed_files: int
    commits: int
    user: _User | None = None
    merged_at: datetime | None = None
    merge_commit_sha: str | None = None
    labels: tuple[_Label, ...] = ()
    body: str | None = None


def _fork(head: _Side, repository_id: int) -> str | None:
    is_other = head.repo is not None and head.repo.id != repository_id
    return head.repo.full_name if head.repo and is_other else None


class _ListedPull(Struct, frozen=True):
    number: int
    created_at: datetime
    updated_at: datetime
    head: _Side
    base: _Side
    merged_at: datetime | None = None
    merge_commit_sha: str | None = None


class _File(Struct, frozen=True):
    filename: str
    status: str
    additions: int
    changes: int
    sha: str | None = None
    patch: str | None = None
    previous_filename: str | None = None


class _Commit(Struct, frozen=True):
    sha: str


class _Comparison(Struct, frozen=True):
    merge_base_commit: _Commit


class _Content(Struct, frozen=True):
    type: str
    content: str | None = None
    encoding: str | None = None


class _TreeEntry(Struct, frozen=True):
    path: str


class _Tree(Struct, frozen=True):
    tree: tuple[_TreeEntry, ...]
    truncated: bool


class _IssueEvent(Struct, frozen=True):
    event: str | None = None
    commit_id: str | None = None


# --- fetching -----------------------------------------------------------------------------------


def fetch(github: GitHub, number: int, git_cache: Path) -> PullRequest:
    """Fetch a merged pull request. ``git_cache`` is a directory for bare repositories.

    Raises `NotMerged`, `NotFound` (right after an event: look again), `GoneForGood` if the
    installation no longer reaches the repository, and the other errors of `answers`.
    """
    pull = _pull(github, number)
    if pull.merged_at is None:
        raise NotMerged(number, pull.state)
    change, source, problem = _change(github, pull, git_cache)
    paths = [file.path for file in change.files]
    attributes = _gitattributes(github, pull.base.sha, paths)
    return PullRequest(
        repository_id=github.repository_id,
        repository=pull.base.repo.full_name if pull.base.repo else github.full_name,
        number=number,
        title=pull.title,
        text=pull.body or "",
        author=pull.user.login if pull.user else None,
        author_id=pull.user.id if pull.user else None,
        author_type=pull.user.type if pull.user else None,
        merged_at=pull.merged_at,
        merge_commit=pull.merge_commit_sha or _merged_as(github, number),
        base_sha=pull.base.sha,
        base_ref=pull.base.ref,
        default_branch=pull.base.repo.default_branch if pull.base.repo else None,
        head_sha=pull.head.sha,
        head_ref=pull.head.ref,
        from_fork=pull.head.repo is None or pull.head.repo.id != github.repository_id,
        fork=_fork(pull.head, github.repository_id),
        labels=frozenset(label.name for label in pull.labels),
        change=Change(files=change.files, gitattributes=attributes, missing=change.missing),
        source=source,
        commit_count=pull.commits,
        problem=problem,
        policy_text=_text(github, POLICY_FILE, pull.base.sha),
    )


def _pull(github: GitHub, number: int) -> _Pull:
    name = github.full_name
    try:
        pull = github.get(f"pulls/{number}", _Pull)
    except (NotFound, AccessRefused):
        # Raises `GoneForGood` if the repository is gone; else the pull request is not there yet.
        if github.ask_name() == name:
            raise
        return github.get(f"pulls/{number}", _Pull)
    if pull.base.repo is None or pull.base.repo.id == github.repository_id:
        return pull
    # Another repository has the old name now, so GitHub did not redirect us.
    if github.ask_name() == name:
        raise GoneForGood(GoneReason.REMOVED, f"repository {github.repository_id}")
    return github.get(f"pulls/{number}", _Pull)


def _merged_as(github: GitHub, number: int) -> str | None:
    """Find the merge commit if the pull request does not name it; ``None``: not found."""
    try:
        pages = github.pages(f"issues/{number}/events", tuple[_IssueEvent, ...])
        events = chain.from_iterable(pages)
        return next((event.commit_id for event in events if event.event == "merged"), None)
    except (NotFound, AccessRefused):
        return None


# --- the added lines ------------------------------------------------------------------------------


def _change(
    github: GitHub, pull: _Pull, git_cache: Path
) -> tuple[Change, ChangeSource, str | None]:
    """Read the added lines of all files from one source, so that they fit together.

    A list that fails, however often it is asked, is only the first way: git is the next.
    """
    listed, failed = _listed(github, pull.number)
    files, missing = _from_patches(listed)
    problem = str(failed) if failed else _problem(pull, listed, missing)
    if problem is None:
        return Change(files=files), ChangeSource.FILES, None
    try:
        return Change(files=_from_git(github, pull, git_cache)), ChangeSource.GIT, None
    except (GitError, DiffError, *NEXT_WAY) as second:
        if failed is not None and not isinstance(failed, RequestRejected):
            # Nothing was read, and the list may come back.
            raise failed from second
        # GitHub does not name the files that it does not list.
        unlisted = pull.changed_files - len(listed)
        rest = (f"({unlisted} more files that GitHub does not list)",) if unlisted > 0 else ()
        unread = (*missing, *rest) or ("(files whose counts do not fit together)",)
        return (
            Change(files=files, missing=unread),
            ChangeSource.PARTIAL,
            f"{problem}; git: {second}",
        )


def _listed(github: GitHub, number: int) -> tuple[list[_File], GitHubError | None]:
    """Return GitHub's list of files, or nothing and why it cannot be read."""
    try:
        pages = github.pages(f"pulls/{number}/files", list[_File])
        return list(chain.from_iterable(pages)), None
    except NEXT_WAY as failed:
        return [], failed


def _problem(pull: _Pull, listed: Sequence[_File], missing: Sequence[str]) -> str | None:
    """Say why GitHub's list of files is incomplete; ``None``: it is complete."""
    if not pull.changed_files:
        # GitHub counts 0 for some that have changes, even in commits and added lines; git decides.
        # https://github.com/octokit/octokit.js/issues/1075
        return "GitHub counts no changed file"
    if missing:
        return f"{len(missing)} files are listed without all of their lines"
    if len(listed) >= MOST_LISTED_FILES or len(listed) != pull.changed_files:
        return f"{len(listed)} of {pull.changed_files} files are listed"
    additions = sum(file.additions for file in listed)
    if additions != pull.additions:
        return f"the files have {additions} added lines, the pull request {pull.additions}"
    return None


def _from_patches(listed: Iterable[_File]) -> tuple[tuple[FileDiff, ...], tuple[str, ...]]:
    """Read each file's patch; return the files, and the paths with missing lines."""
    files: list[FileDiff] = []
    missing: list[str] = []
    for file in listed:
        if file.status == "unchanged":
            continue
        read = _from_patch(file)
        if read is None:
            missing.append(file.filename)
        else:
            files.append(read)
    return tuple(files), tuple(missing)


def _from_patch(file: _File) -> FileDiff | None:
    """Read one file; ``None``: its patch is missing, cut, or does not match the count."""
    status = _STATUSES.get(file.status, FileStatus.MODIFIED)
    if file.patch is None:
        return None if file.changes else _without_text(file, status)
    try:
        read = parse_patch(
            file.patch, path=file.filename, previous_path=file.previous_filename, status=status
        )
    except DiffError:
        return None
    return read if len(read.added()) == file.additions else None


def _without_text(file: _File, status: FileStatus) -> FileDiff:
    """Return a file without lines: it is binary, empty, or has only a new name or mode."""
    same_content = file.status in {"renamed", "copied", "changed"}
    binary = not same_content and file.sha not in EMPTY_BLOBS
    return FileDiff(
        path=file.filename, previous_path=file.previous_filename, status=status, binary=binary
    )


_STATUSES = {
    "added": FileStatus.ADDED,
    "removed": FileStatus.DELETED,
    "modified": FileStatus.MODIFIED,
    "changed": FileStatus.MODIFIED,
    "renamed": FileStatus.RENAMED,
    "copied": FileStatus.COPIED,
}
"""GitHub's words for what happened to a file → ours."""


def _from_git(github: GitHub, pull: _Pull, git_cache: Path) -> tuple[FileDiff, ...]:
    """Read all files through git, from the merge base as the pull request's page does.

    https://docs.github.com/en/pull-requests/collaborating-with-pull-requests/proposing-changes-to-your-work-with-pull-requests/about-comparing-branches-in-pull-requests
    """
    base = merge_base(github, pull.base.sha, pull.head.sha, git_cache)
    path, url = git_place(github, git_cache)
    git = fetch_commits(path, url, (base, pull.head.sha), github.token().token)
    return parse_diff(git.diff(base, pull.head.sha))


def merge_base(github: GitHub, base_sha: str, head_sha: str, git_cache: Path) -> str:
    """Return where a pull request's commits begin: as GitHub compares, else as git does.

    Raises `GitError`, and the errors of `answers` that end an audit.
    """
    try:
        compared = github.get(
            f"compare/{segment(base_sha)}...{segment(head_sha)}", _Comparison, per_page=1
        )
    except NEXT_WAY:
        path, url = git_place(github, git_cache)
        asked = (base_sha, head_sha)
        git = fetch_objects(
            path, url, github.token().token, asked, lambda _: (), depth=WHOLE_HISTORY
        )
        return git.merge_base(base_sha, head_sha)
    return compared.merge_base_commit.sha


def git_place(github: GitHub, git_cache: Path) -> tuple[Path, str]:
    """Return our bare repository of GitHub's repository, and the address to fetch from."""
    url = f"{git_address(github.base_url)}/{in_path(github.full_name)}.git"
    return git_cache / str(github.repository_id), url


def git_address(base_url: str) -> str:
    """Return the address that repositories are cloned from, given the API's address.

    >>> git_address("https://api.github.com"), git_address("https://git.example/api/v3")
    ('https://github.com', 'https://git.example')
    """
    scheme, _, rest = base_url.rstrip("/").partition("://")
    return f"{scheme}://{rest.removeprefix('api.').removesuffix('/api/v3')}"


# --- files of the base ----------------------------------------------------------------------------


def _gitattributes(github: GitHub, sha: str, paths: Iterable[str]) -> dict[str, str]:
    """Read every ``.gitattributes`` that may apply to one of the paths."""
    directories = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
    names = {ATTRIBUTES if name == "." else f"{name}/{ATTRIBUTES}" for name in directories}
    if len(names) > ASKED_ONE_BY_ONE:
        names &= _files_of(github, sha, names)
    texts = {name: _text(github, name, sha) for name in sorted(names)}
    return {name: text for name, text in texts.items() if text is not None}


def _files_of(github: GitHub, sha: str, names: set[str]) -> set[str]:
    """Return a commit's files in one request, or ``names`` if GitHub cuts the list."""
    tree = github.get(f"git/trees/{segment(sha)}", _Tree, recursive=1)
    return names if tree.truncated else {entry.path for entry in tree.tree}


def policy_text(github: GitHub) -> str | None:
    """Read a repository's present policy file; ``None``: it has none."""
    return _text(github, POLICY_FILE)


def codeowners_text(github: GitHub) -> str | None:
    """Read a repository's present CODEOWNERS file; ``None``: it has none."""
    found = (_text(github, path) for path in CODEOWNERS_FILES)
    return next((text for text in found if text is not None), None)


def _text(github: GitHub, path: str, sha: str | None = None) -> str | None:
    """Read a file's text at a commit, or on the default branch without one.

    ``None``: there is no such file, or it is not a file, or it is over 1 MB.
    https://docs.github.com/en/rest/repos/contents#get-repository-content
    """
    at = {} if sha is None else {"ref": sha}
    try:
        found = github.get(f"contents/{quoted(path)}", _Content | list[Any], **at)  # type: ignore[arg-type]
    except NotFound:
        return None
    if not isinstance(found, _Content) or found.type != "file" or found.encoding != "base64":
        return None
    try:
        return base64.b64decode(found.content or "").decode(errors="replace")
    except binascii.Error:
        return None


# --- lists -------------------------------------------------------------------------------------


class ListedPage(Struct, frozen=True, kw_only=True):
    """One page of a repository's closed pull requests, oldest first."""

    merged: tuple[MergedPull, ...]
    """May be empty: pull requests that were not merged are left out."""
    last_created_at: datetime | None
    """When the last pull request on the page was opened; ``None``: the page is empty."""
    is_last: bool


def history_page(github: GitHub, number: int) -> ListedPage:
    """Return a page of GitHub's list; the first is 1.

    A pull request that closes later may push others to the next page, but never to an earlier one.
    """
    parameters: dict[str, str | int] = {"state": "closed", "sort": "created", "direction": "asc"}
    listed = github.get(
        "pulls", tuple[_ListedPull, ...], page=number, per_page=PER_PAGE, **parameters
    )
    return ListedPage(
        merged=tuple(_merged(listed)),
        last_created_at=listed[-1].created_at if listed else None,
        is_last=len(listed) < PER_PAGE,
    )


def recently_merged(github: GitHub, since: datetime) -> Iterator[MergedPull]:
    """Yield the pull requests merged since a time, most recently updated first.

    A merge updates a pull request, so one that was last updated before that time is not among them.
    """
    pages = github.pages(
        "pulls", tuple[_ListedPull, ...], state="closed", sort="updated", direction="desc"
    )
    for page in pages:
        yield from (pull for pull in _merged(page) if pull.merged_at >= since)
        if page and page[-1].updated_at < since:
            return


def _merged(page: Iterable[_ListedPull]) -> Iterator[MergedPull]:
    for pull in page:
        if pull.merged_at is not None:
            yield MergedPull(
                number=pull.number,
                created_at=pull.created_at,
                updated_at=pull.updated_at,
                merged_at=pull.merged_at,
                head_sha=pull.head.sha,
                base_sha=pull.base.sha,
                merge_commit=pull.merge_commit_sha,
            )
