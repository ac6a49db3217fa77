"""Journey 4 on one page: find and store the evidence that a pull request's repository carries.

Without such evidence it is cheap: one request for the commits, and at most once an hour a list of
the repository's refs. It never stops an audit; it reports whatever it cannot read.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from ghapp.attribution.model import Edit, PassedOver, Struct, UnreadEvidence
from ghapp.evidence import agent_trace, aider, declarations, entire, git_ai_notes
from ghapp.evidence.declarations import DeclaredText
from ghapp.evidence.source import Found
from ghapp.git.repository import GitError, GitRepository
from ghapp.github.client import GitHub
from ghapp.github.pull_commits import (
    MOST_LISTED_COMMITS,
    ListedCommit,
    commits_by_git,
    commits_of,
    fetch_objects,
    refs_there,
)
from ghapp.github.pull_requests import NEXT_WAY, PullRequest
from ghapp.ingest.agent_commits import agent_commits as find_agent_commits
from ghapp.ingest.carried import (
    CarriedEvidence,
    CarriedInventory,
    as_carried,
    lacking,
    read,
    take_inventory,
)
from ghapp.ingest.keep import EncodeLines, keep_read
from ghapp.store import Store

NOT_ASKED_AGAIN = timedelta(hours=1)
"""How long a repository without notes is not asked again; the final audit always asks."""


log = structlog.get_logger()


class CarryTarget(Struct, frozen=True):
    """Where carried evidence is stored, and how."""

    store: Store
    encode: Callable[[], EncodeLines]
    """Called only if there are edits to store: an installation's key may be unavailable."""
    git_cache: Path
    """Directory for bare repositories."""


def carry(
    github: GitHub,
    pull: PullRequest,
    keeping: CarryTarget,
    *,
    now: datetime,
    agent_commits: bool,
) -> CarriedEvidence:
    """Store the edits that a repository carries about a pull request; return everything else.

    ``agent_commits``: whether to follow the lines of agents' own commits.

    Raises `answers.Limited`, `answers.Gone` and `StoreError`, which end an audit anyway.
    """
    listed, cut = _commits(github, pull, keeping.git_cache)
    text = DeclaredText(title=pull.title, body=pull.text)
    declared = declarations.declared((as_carried(one.commit) for one in listed), text)
    if not listed:
        return CarriedEvidence(found=cut, declared=declared)
    theirs = None
    if agent_commits:
        pushed = find_agent_commits(github, pull, listed, keeping.git_cache)
        theirs, cut = pushed.commits, (*cut, *pushed.unread)
    try:
        refs = _refs(github, listed, keeping, now)
        there_is_more = bool(refs) or _has_more(pull, listed)
        carried = _fetched(github, pull, listed, refs, keeping) if there_is_more else ()
    except GitError as error:
        unread = (*cut, _unread("git", error))
        return CarriedEvidence(found=unread, declared=declared, agent_commits=theirs)
    edits = [found for found in carried if isinstance(found, Edit)]
    if edits:
        encode = keeping.encode()
        added = keep_read(keeping.store, pull.repository_id, edits, encode, now=now, carried=True)
        log.info("evidence_carried", pull_request=pull.number, edits=len(edits), added=added.added)
    rest = tuple(one for one in carried if isinstance(one, UnreadEvidence | PassedOver))
    return CarriedEvidence(found=(*cut, *rest), declared=declared, agent_commits=theirs)


def _commits(
    github: GitHub, pull: PullRequest, git_cache: Path
) -> tuple[Sequence[ListedCommit], tuple[UnreadEvidence, ...]]:
    """Return the commits of a pull request, all of them, or those that were found and what is cut.

    GitHub lists the first 250 without a word about the others.
    """
    listed: tuple[ListedCommit, ...] = ()
    try:
        listed = commits_of(github, pull.number)
        if len(listed) < MOST_LISTED_COMMITS and len(listed) >= pull.commit_count:
            return listed, ()
    except NEXT_WAY as failed:
        log.warning("commits_not_listed", pull_request=pull.number, problem=failed.told)
    known = {one.commit.sha: one for one in listed}
    try:
        found = commits_by_git(github, pull, git_cache)
    except (GitError, *NEXT_WAY) as error:
        return listed, (_unread(f"the commits of pull request {pull.number}", error),)
    return [known.get(one.commit.sha, one) for one in found], ()


def _refs(
    github: GitHub, listed: Sequence[ListedCommit], keeping: CarryTarget, now: datetime
) -> list[str]:
    """Return the existing refs that may hold evidence on some commits."""
    asked = sorted(set(_checkpoints(listed)))
    notes = _Notes(keeping.store, github.repository_id)
    if not asked and not notes.are_due(now):
        return []
    try:
        there = refs_there(github, keeping.git_cache, [*asked, git_ai_notes.REF])
    except GitError as error:
        if asked:
            raise
        # Nothing shows that notes exist, so no evidence is known to be missing.
        log.warning("notes_not_looked_for", problem=str(error))
        there = frozenset()
    if git_ai_notes.REF not in there:
        notes.are_not_there(now)
    return sorted(there)


def _checkpoints(listed: Iterable[ListedCommit]) -> Iterator[str]:
    for one in listed:
        for checkpoint in entire.checkpoints(one.commit.message):
            yield entire.place(checkpoint).whole_ref


class _Notes:
    """When a repository last had no notes, stored as a bookmark."""

    def __init__(self, store: Store, repository_id: int) -> None:
        self._cursors = store.cursors
        self._name = f"no-notes:{repository_id}"

    def are_due(self, now: datetime) -> bool:
        """Return whether it is time to ask for notes again."""
        seen = self._cursors.read(self._name)
        return seen is None or now - datetime.fromisoformat(seen) >= NOT_ASKED_AGAIN

    def are_not_there(self, now: datetime) -> None:
        """Store that there are no notes."""
        self._cursors.move(self._name, now.isoformat(), now=now)


def _has_more(pull: PullRequest, listed: Iterable[ListedCommit]) -> bool:
    """Return whether the commits or files themselves carry evidence, apart from refs.

    Those of a fork do not count: their author may not write here (docs/decisions/0013).
    """
    commits = [as_carried(one.commit) for one in listed]
    if any(entire.checkpoints(one.message) for one in commits):
        return True
    traces = any(agent_trace.is_named(file.path) for file in pull.change.files)
    return not pull.from_fork and (traces or any(map(aider.made, commits)))


def _fetched(
    github: GitHub,
    pull: PullRequest,
    listed: Sequence[ListedCommit],
    refs: Sequence[str],
    keeping: CarryTarget,
) -> tuple[Found, ...]:
    """Fetch and read the evidence on the commits."""
    shas = [one.commit.sha for one in listed]
    parents = [parent for one in listed for parent in one.commit.parents[:1]]
    names = [*dict.fromkeys([*shas, *parents]), *refs]
    actors = {one.commit.sha: one.login for one in listed if one.login}

    def inventory(git: GitRepository) -> CarriedInventory:
        return take_inventory(git, shas, actors, only_refs=pull.from_fork)

    git = fetch_objects(github, keeping.git_cache, names, lambda git: lacking(git, inventory(git)))
    return read(git, inventory(git))


def _unread(source: str, error: Exception) -> UnreadEvidence:
    log.warning("evidence_not_carried", source=source, problem=str(error))
    return UnreadEvidence(source=source, line=None, problem=str(error))
