"""The commits of a pull request: as GitHub lists them, and fetched with git."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path

from ghapp.attribution.model import Struct
from ghapp.evidence.agent_accounts import CommitAccounts
from ghapp.git.repository import Commit, GitError, GitRepository, fetch, remote_refs
from ghapp.github.client import GitHub
from ghapp.github.pull_requests import PullRequest, git_place, merge_base

MOST_LISTED_COMMITS = 250
"""GitHub lists no more commits of a pull request.
https://docs.github.com/en/rest/pulls/pulls#list-commits-on-a-pull-request"""


MOST_COMMITS = 5_000
"""A pull request with more is none that a person wrote."""


class ListedCommit(Struct, frozen=True):
    """A commit, and the GitHub account of its author."""

    commit: Commit
    login: str | None
    """Login of the author; ``None``: GitHub knows no account for the email address."""
    accounts: CommitAccounts | None = None
    """What GitHub says about its people; ``None``: git brought it, and GitHub was not asked."""


class _Person(Struct, frozen=True):
    name: str
    email: str
    date: datetime


class _Verification(Struct, frozen=True):
    verified: bool


class _Written(Struct, frozen=True):
    author: _Person
    committer: _Person
    message: str
    verification: _Verification | None = None


class _Parent(Struct, frozen=True):
    sha: str


class _Account(Struct, frozen=True):
    login: str | None = None
    id: int | None = None
    type: str | None = None


class _Listed(Struct, frozen=True):
    sha: str
    commit: _Written
    parents: tuple[_Parent, ...]
    author: _Account | None = None
    committer: _Account | None = None


def commits_of(github: GitHub, number: int) -> tuple[ListedCommit, ...]:
    """Return the commits of a pull request, oldest first, 250 at most."""
    pages = github.pages(f"pulls/{number}/commits", tuple[_Listed, ...])
    return tuple(_to_listed(one) for one in chain.from_iterable(pages))


def commits_by_git(github: GitHub, pull: PullRequest, git_cache: Path) -> tuple[ListedCommit, ...]:
    """Return all commits of a pull request, oldest first, without accounts: git knows none.

    Raises `GitError` if there are too many or fewer than GitHub counts, and the errors of
    `answers` that end an audit.
    """
    git, base = fetch_history(github, pull, git_cache)
    listed = ("rev-list", "--reverse", "--topo-order", "--end-of-options")
    shas = git.run(*listed, pull.head_sha, f"^{base}", "--").decode().split()
    if len(shas) < pull.commit_count:
        problem = f"{len(shas)} of {pull.commit_count} commits are there"
        raise GitError("rev-list", None, problem)
    return tuple(ListedCommit(commit=one, login=None) for one in git.commits(shas))


def fetch_history(
    github: GitHub,
    pull: PullRequest,
    git_cache: Path,
    lacking: Callable[[GitRepository], Iterable[str]] = lambda _: (),
) -> tuple[GitRepository, str]:
    """Fetch the commits of a pull request, and the objects that ``lacking`` names.

    Returns the repository and the commit where they begin. Raises `GitError` if there are too
    many, and the errors of `answers` that end an audit.
    """
    if pull.commit_count > MOST_COMMITS:
        raise GitError("rev-list", None, f"{pull.commit_count} commits are more than we read")
    base = merge_base(github, pull.base_sha, pull.head_sha, git_cache)
    path, url = git_place(github, git_cache)
    # Every commit of a pull request is at most that many generations above its head.
    depth = max(pull.commit_count, MOST_LISTED_COMMITS) + 1
    names = (pull.head_sha, base)
    return fetch(path, url, github.token().token, names, lacking, depth=depth), base


def _to_listed(listed: _Listed) -> ListedCommit:
    written = listed.commit
    commit = Commit(
        sha=listed.sha,
        parents=tuple(parent.sha for parent in listed.parents),
        committed_at=written.committer.date,
        author_email=written.author.email,
        message=written.message,
        written_at=written.author.date,
        author=f"{written.author.name} <{written.author.email}>",
        committer=f"{written.committer.name} <{written.committer.email}>",
    )
    author, committer = listed.author or _Account(), listed.committer or _Account()
    accounts = CommitAccounts(
        author_id=author.id,
        author_type=author.type,
        committer_id=committer.id,
        is_verified=written.verification is not None and written.verification.verified,
    )
    return ListedCommit(commit=commit, login=author.login, accounts=accounts)


def refs_there(github: GitHub, git_cache: Path, names: Sequence[str]) -> frozenset[str]:
    """Return those of the named refs that the repository has. Raises `GitError`."""
    path, url = git_place(github, git_cache)
    return remote_refs(path, url, github.token().token, names)


def fetch_objects(
    github: GitHub,
    git_cache: Path,
    names: Sequence[str],
    lacking: Callable[[GitRepository], Iterable[str]],
) -> GitRepository:
    """Fetch commits and refs without files, then the files that ``lacking`` names.

    Raises `GitError`.
    """
    path, url = git_place(github, git_cache)
    return fetch(path, url, github.token().token, names, lacking)
