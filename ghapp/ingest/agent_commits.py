"""Finds the lines of a pull request that agents' own accounts pushed: whose, and which lines.

GitHub says whose a commit is, with the list of commits that is read anyway. Only where a commit is
proven does anything else happen: the list of merged pull requests is asked, and git is.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from pathlib import Path

from ghapp.attribution.model import AgentCommit, CommittedLines, FileDiff, Struct, UnreadEvidence
from ghapp.attribution.normalize import normalize
from ghapp.attribution.unified_diff import DiffError, parse_diff
from ghapp.evidence.agent_accounts import AgentAccount, is_proven, named_account
from ghapp.git.blame import BlamedLine, blamed
from ghapp.git.repository import GitError, GitRepository
from ghapp.github.client import GitHub
from ghapp.github.pull_commits import MOST_LISTED_COMMITS, ListedCommit, fetch_history
from ghapp.github.pull_requests import NEXT_WAY, PullRequest, recently_merged
from ghapp.ingest.carried import BEYOND_ALL_TIME

MOST_MERGED = 1_000
"""Merged pull requests that are looked at; where there are more, no commit is proven."""
MOST_FILES = 1_000
"""Files of a change whose lines are followed."""
SLACK = timedelta(hours=1)
"""How much earlier than a commit its own merge may seem to be."""


class AgentCommits(Struct, frozen=True):
    """What is known of agents' own commits, and what could not be read of them."""

    commits: tuple[AgentCommit, ...] | None
    """``None``: GitHub did not say whose the commits are."""
    unread: tuple[UnreadEvidence, ...] = ()


class _Named(Struct, frozen=True):
    listed: ListedCommit
    account: AgentAccount
    is_proven: bool


def agent_commits(
    github: GitHub, pull: PullRequest, listed: Sequence[ListedCommit], git_cache: Path
) -> AgentCommits:
    """Return the commits that GitHub names as agents', and the merged lines of proven ones.

    Raises the errors of `answers` that end an audit.
    """
    if all(one.accounts is None for one in listed):
        return AgentCommits(commits=None)
    named = list(_named(listed, is_fork=pull.from_fork))
    unread: list[UnreadEvidence] = []
    if named and any(one.accounts is None for one in listed):
        unread.append(_unread(pull, f"GitHub tells whose only {MOST_LISTED_COMMITS} of them are"))
    try:
        squashed = _squashed(github, named)
        proven = {
            one.listed.commit.sha
            for one in named
            if one.is_proven and one.listed.commit.sha not in squashed
        }
        lines = _lines(github, pull, listed, proven, git_cache) if proven else {}
    except (GitError, *NEXT_WAY) as error:
        unread.append(_unread(pull, str(error)))
        proven, lines = set(), {}
    commits = tuple(_made(one, proven, lines) for one in named)
    return AgentCommits(commits=commits, unread=tuple(unread))


def _named(listed: Sequence[ListedCommit], *, is_fork: bool) -> Iterator[_Named]:
    """Yield the commits whose author GitHub names as an agent's account.

    A merge has no lines of its own. In a fork anybody may squash an agent's pull request, with her
    own lines in it, and GitHub signs it in the agent's name; nobody here can see that.
    """
    for one in listed:
        account = None if one.accounts is None else named_account(one.accounts)
        if one.accounts is not None and account is not None:
            proven = not is_fork and len(one.commit.parents) == 1 and is_proven(one.accounts)
            yield _Named(one, account, proven)


def _squashed(github: GitHub, named: Sequence[_Named]) -> frozenset[str]:
    """Return the commits that are squashed pull requests of the time.

    GitHub makes them in the name of who opened the pull request, and signs them, whoever else
    pushed to it. Raises `GitError` if there are too many pull requests to tell.
    """
    times = [one.listed.commit.committed_at for one in named if one.is_proven]
    first = min((at for at in times if at is not None), default=None)
    if first is None:
        return frozenset()
    merged = list(islice(recently_merged(github, first - SLACK), MOST_MERGED + 1))
    if len(merged) > MOST_MERGED:
        problem = f"more than {MOST_MERGED} pull requests were merged since the first of them"
        raise GitError("pulls", None, problem)
    return frozenset(one.merge_commit for one in merged if one.merge_commit)


def _lines(
    github: GitHub,
    pull: PullRequest,
    listed: Sequence[ListedCommit],
    proven: set[str],
    git_cache: Path,
) -> dict[str, tuple[CommittedLines, ...]]:
    """Return the lines that proven commits wrote, by commit. Raises `GitError`."""
    commits = [one.commit for one in listed]
    has_merges = any(len(one.parents) != 1 for one in commits)
    files = [file for file in pull.change.files if file.hunks]
    if len(files) > MOST_FILES:
        raise GitError("blame", None, f"{len(files)} files are more than are followed")
    names = {one for file in pull.change.files for one in (file.path, file.previous_path) if one}

    def lacking(git: GitRepository) -> Iterator[str]:
        for commit in commits:
            for parent in commit.parents:
                missing = git.missing(parent, commit.sha)
                # A merge differs from the branch in all that the base gained.
                is_merge = len(commit.parents) != 1
                yield from (name for name, path in missing.items() if path in names or not is_merge)

    git, base = fetch_history(github, pull, git_cache, lacking)

    def writers(path: str) -> Iterator[BlamedLine]:
        return blamed(git, base, pull.head_sha, path, across_files=not has_merges)

    mine = [commit for commit in commits if commit.sha in proven]
    removed = {one.sha: removed_by(git, one.parents[0], one.sha) for one in mine}
    found = followed(files, removed, writers)
    if cut := git.shallow() & {one.sha for one in commits}:
        raise GitError("blame", None, f"the history above {min(cut)} is not there")
    return found


def removed_by(git: GitRepository, parent: str, sha: str) -> frozenset[str]:
    """Return the normalized lines that a commit removes anywhere. Raises `GitError`."""
    try:
        files = parse_diff(git.diff(parent, sha))
    except DiffError as error:
        raise GitError("diff-tree", None, f"the diff of {sha}: {error}") from error
    hunks = (hunk for file in files for hunk in file.hunks)
    return frozenset(
        normalize(text) for one in hunks for origin, text in one.lines if origin == "-"
    )


def followed(
    files: Iterable[FileDiff],
    removed: Mapping[str, frozenset[str]],
    writers: Callable[[str], Iterator[BlamedLine]],
) -> dict[str, tuple[CommittedLines, ...]]:
    """Return the added lines of some files that proven commits wrote, by commit.

    ``removed`` has each proven commit, and what it removed: an equal line that it added was only
    moved or restyled, and somebody else may have written it. One line of a commit supports one
    line (rules.md 2.8): a copy by somebody else is not the agent's.
    """
    seen: set[tuple[str, str, int]] = set()
    found: dict[str, list[CommittedLines]] = {}
    for file in sorted(files, key=lambda one: one.path):
        texts = {line.number: line.text for line in file.added()}
        numbers: dict[str, list[int]] = {}
        for line in sorted(writers(file.path)):
            source = (line.commit, line.path, line.first_number)
            moved = removed.get(line.commit)
            if line.number not in texts or moved is None or source in seen:
                continue
            if normalize(texts[line.number]) not in moved:
                seen.add(source)
                numbers.setdefault(line.commit, []).append(line.number)
        for sha, mine in numbers.items():
            lines = CommittedLines(path=file.path, numbers=tuple(mine))
            found.setdefault(sha, []).append(lines)
    return {sha: tuple(lines) for sha, lines in found.items()}


def _made(
    one: _Named, proven: set[str], lines: dict[str, tuple[CommittedLines, ...]]
) -> AgentCommit:
    commit = one.listed.commit
    at = commit.written_at or commit.committed_at or BEYOND_ALL_TIME
    return AgentCommit(
        sha=commit.sha,
        agent=one.account.agent,
        counted_as=one.account.counted_as,
        at=at,
        is_proven=commit.sha in proven,
        lines=lines.get(commit.sha, ()),
    )


def _unread(pull: PullRequest, problem: str) -> UnreadEvidence:
    source = f"agents' own commits of pull request {pull.number}"
    return UnreadEvidence(source=source, line=None, problem=problem)
