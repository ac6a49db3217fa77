"""How a pull request came to its merge, and what happened to its base branch. It judges nothing.

It needs to read only pull requests and contents: no issue, no person's profile.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain, islice

from ghapp.attribution.model import Struct
from ghapp.git.names import segment
from ghapp.github.client import GitHub

MOST_LATER = 500
"""Commits after a merge that are read; a busier branch is reported as unknown."""


class MergeTimeline(Struct, frozen=True):
    """A merged pull request's history, as GitHub tells it."""

    opened_at: datetime
    merged_at: datetime
    base_ref: str
    head_sha: str
    merge_commit: str | None
    changed_lines: int
    review_comments: int
    commits: tuple[str, ...]
    """The full hashes of the first 100 commits."""
    first_commit_at: datetime | None
    first_review_at: datetime | None
    """By a person other than the author; ``None``: there was none."""
    review_rounds: int


class LaterCommit(Struct, frozen=True):
    """A commit that reached the base branch after the merge."""

    sha: str
    message: str


# --- GitHub's answers: the members that are read --------------------------------------------------


class _User(Struct, frozen=True):
    id: int
    type: str = "User"


class _Ref(Struct, frozen=True):
    ref: str
    sha: str


class _Pull(Struct, frozen=True):
    created_at: datetime
    additions: int
    deletions: int
    review_comments: int
    base: _Ref
    head: _Ref
    user: _User | None = None
    merged_at: datetime | None = None
    merge_commit_sha: str | None = None


class _Review(Struct, frozen=True):
    state: str
    user: _User | None = None
    submitted_at: datetime | None = None


class _Person(Struct, frozen=True):
    date: datetime | None = None


class _GitCommit(Struct, frozen=True):
    message: str
    author: _Person | None = None


class _Commit(Struct, frozen=True):
    sha: str
    commit: _GitCommit


class _File(Struct, frozen=True):
    filename: str
    patch: str | None = None
    previous_filename: str | None = None


class _WholeCommit(Struct, frozen=True):
    files: tuple[_File, ...] = ()


# --- reading --------------------------------------------------------------------------------------


def read_timeline(github: GitHub, number: int) -> MergeTimeline | None:
    """Return how a pull request came to its merge; ``None``: it is not merged.

    Raises the errors of `answers`.
    """
    pull = github.get(f"pulls/{number}", _Pull)
    if pull.merged_at is None:
        return None
    own = github.get(f"pulls/{number}/commits", tuple[_Commit, ...], per_page=100)
    pages = github.pages(f"pulls/{number}/reviews", tuple[_Review, ...])
    reviews = [one for one in chain.from_iterable(pages) if _counts(one, pull)]
    submitted = [one.submitted_at for one in reviews if one.submitted_at is not None]
    changes = sum(one.state == "CHANGES_REQUESTED" for one in reviews)
    return MergeTimeline(
        opened_at=pull.created_at,
        merged_at=pull.merged_at,
        base_ref=pull.base.ref,
        head_sha=pull.head.sha,
        merge_commit=pull.merge_commit_sha,
        changed_lines=pull.additions + pull.deletions,
        review_comments=pull.review_comments,
        commits=tuple(one.sha for one in own),
        first_commit_at=min(_authored(own), default=None),
        first_review_at=min(submitted, default=None),
        review_rounds=1 + changes if reviews else 0,
    )


def _counts(review: _Review, pull: _Pull) -> bool:
    """Say whether a person other than the author wrote a review; a deleted account counts."""
    if review.user is None or pull.user is None:
        return True
    return review.user.type != "Bot" and review.user.id != pull.user.id


def _authored(commits: Iterable[_Commit]) -> Iterator[datetime]:
    for one in commits:
        if one.commit.author is not None and one.commit.author.date is not None:
            yield one.commit.author.date


def later_commits(
    github: GitHub, branch: str, since: datetime, until: datetime
) -> tuple[LaterCommit, ...] | None:
    """Return a branch's commits of a time span; ``None``: there are more than we read."""
    pages = github.pages(
        "commits",
        tuple[_Commit, ...],
        sha=branch,
        since=since.isoformat(),
        until=until.isoformat(),
    )
    found = tuple(islice(chain.from_iterable(pages), MOST_LATER + 1))
    if len(found) > MOST_LATER:
        return None
    return tuple(LaterCommit(one.sha, one.commit.message) for one in found)


def tip_at(github: GitHub, branch: str, at: datetime) -> str | None:
    """Return the latest commit of a branch at a point in time; ``None``: it had none."""
    found = github.get("commits", tuple[_Commit, ...], sha=branch, until=at.isoformat(), per_page=1)
    return found[0].sha if found else None


def removed_lines(github: GitHub, sha: str) -> dict[str, set[str]]:
    """Return the lines that a commit removed, by old path; a file without a patch has none."""
    whole = github.get(f"commits/{segment(sha)}", _WholeCommit)
    return {
        file.previous_filename or file.filename: {
            line[1:] for line in (file.patch or "").split("\n") if line.startswith("-")
        }
        for file in whole.files
    }
