"""The commits of a pull request: as GitHub lists them, and fetched with git."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path

from ghapp.attribution.model import Struct
from ghapp.git.names import in_path
from ghapp.git.repository import Commit, GitRepository, fetch, remote_refs
from ghapp.github.client import GitHub
from ghapp.github.pull_requests import git_address

MOST_LISTED_COMMITS = 250
"""GitHub lists no more commits of a pull request.
https://docs.github.com/en/rest/pulls/pulls#list-commits-on-a-pull-request"""


class ListedCommit(Struct, frozen=True):
    """A commit, and the GitHub account of its author."""

    commit: Commit
    login: str | None
    """Login of the author; ``None``: GitHub knows no account for the email address."""


class _Person(Struct, frozen=True):
    name: str
    email: str
    date: datetime


class _Written(Struct, frozen=True):
    author: _Person
    committer: _Person
    message: str


class _Parent(Struct, frozen=True):
    sha: str


class _Account(Struct, frozen=True):
    login: str | None = None


class _Listed(Struct, frozen=True):
    sha: str
    commit: _Written
    parents: tuple[_Parent, ...]
    author: _Account | None = None


def commits_of(github: GitHub, number: int) -> tuple[ListedCommit, ...]:
    """Return the commits of a pull request, oldest first, 250 at most."""
    pages = github.pages(f"pulls/{number}/commits", tuple[_Listed, ...])
    return tuple(_to_listed(one) for one in chain.from_iterable(pages))


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
    return ListedCommit(commit=commit, login=listed.author.login if listed.author else None)


def refs_there(github: GitHub, git_cache: Path, names: Sequence[str]) -> frozenset[str]:
    """Return those of the named refs that the repository has. Raises `GitError`."""
    path, url = _place(github, git_cache)
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
    path, url = _place(github, git_cache)
    return fetch(path, url, github.token().token, names, lacking)


def _place(github: GitHub, git_cache: Path) -> tuple[Path, str]:
    url = f"{git_address(github.base_url)}/{in_path(github.full_name)}.git"
    return git_cache / str(github.repository_id), url
