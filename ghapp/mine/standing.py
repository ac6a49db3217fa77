"""Which lines of agents' edits were merged in a clone, and which of these still stand, offline.

What landed on the default branch is audited as `ghapp replay --commits` does it, and a line stands
as the app counts it (`ghapp.git.survival`). It asks no server, so the branch is as last fetched.
"""

import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Audit, Edit, Struct
from ghapp.auditing.edit_index import write_index
from ghapp.auditing.replay import ReplayTask, ReplayTerms, neighbors
from ghapp.evidence.source import Found
from ghapp.git.history import HistorySpan, LandedChange, changes_of, landed
from ghapp.git.repository import GitError, GitRepository
from ghapp.git.survival import removed_since
from ghapp.ingest.artifacts import ArtifactError, find_evidence
from ghapp.ingest.named_checkouts import repositories_of

MOST_CHANGES = 5_000
"""Changes of one clone that are audited, the newest: some tens of seconds."""
MOST_FILES = 3_000
"""Versions of files that are compared with the branch's tip: one git process each."""

BRANCHES = ("origin/HEAD", "origin/main", "origin/master", "main", "master", "HEAD")
"""Where a clone's default branch is looked for; without a remote the clone's own counts."""


class MadeBy(NamedTuple):
    """Who wrote lines."""

    agent: str
    model: str | None
    """``None``: not recorded."""


class ClonesLines(Struct, frozen=True):
    """Lines of one clone, by who wrote them; ``None``: unknown."""

    branch: str | None = None
    """The branch that was read, such as ``origin/main``; ``None``: none could be."""
    merged: dict[MadeBy, int] | None = None
    standing: dict[MadeBy, int] | None = None
    unknown: str | None = None
    """Why something is unknown, or what was left out; ``None``: all is known."""


def lines_in(
    root: Path,
    transcripts: Sequence[Path],
    wanted: Callable[[Edit], bool],
    since: datetime,
    now: datetime,
) -> ClonesLines:
    """Return the merged lines of the wanted edits in some transcripts, of what landed since then.

    ``since`` is the time of the first of these edits.
    """
    git = GitRepository(root)
    try:
        return _lines_in(git, _Asked(transcripts, wanted, now), since)
    except (GitError, ArtifactError, OSError) as error:
        return ClonesLines(unknown=str(error))


class _Asked(NamedTuple):
    """Whose lines are asked for, and when."""

    transcripts: Sequence[Path]
    wanted: Callable[[Edit], bool]
    now: datetime

    def found(self) -> Iterator[Found]:
        """Yield what the transcripts hold, without edits that nobody asked for."""
        for one in find_evidence(self.transcripts):
            if not isinstance(one, Edit) or self.wanted(one):
                yield one


def _lines_in(git: GitRepository, asked: _Asked, since: datetime) -> ClonesLines:
    branch, tip = default_branch(git)
    found = deque(
        changes_of(landed(git, HistorySpan(tip=tip, since=since, every_commit=True))),
        maxlen=MOST_CHANGES + 1,
    )
    is_cut = len(found) > MOST_CHANGES
    # GitHub's ref of a pull request may count its lines otherwise than the branch does.
    some = [replace(one, shown=None) for one in found][-MOST_CHANGES:]
    merged: Counter[MadeBy] = Counter()
    standing: Counter[MadeBy] = Counter()
    compared = 0
    unread = 0
    for change, audit in _audited(git, asked, some):
        unread += not audit.inputs.change_complete
        lines = _attributed(audit)
        for of_file in lines.values():
            merged.update(of_file.values())
        compared += len(lines)
        if compared <= MOST_FILES:
            standing.update(_still(git, change, tip, lines))
    notes = [
        f"only the last {MOST_CHANGES:,} changes were read" if is_cut else "",
        f"{unread} changes are not whole in this clone" if unread else "",
        "too many files to follow" if compared > MOST_FILES else "",
    ]
    return ClonesLines(
        branch=branch,
        merged=dict(merged),
        standing=dict(standing) if compared <= MOST_FILES else None,
        unknown="; ".join(filter(None, notes)) or None,
    )


def default_branch(git: GitRepository) -> tuple[str, str]:
    """Return the name and the last commit of a clone's default branch, as last fetched.

    Raises `GitError` if the clone has no commit.
    """
    for name in BRANCHES:
        sha = git.resolve(name if name == "HEAD" else _ref(name))
        if sha is not None:
            return name, sha
    raise GitError("rev-parse", None, f"{git.path} has no commit")


def _ref(name: str) -> str:
    return f"refs/remotes/{name}" if name.startswith("origin/") else f"refs/heads/{name}"


def _audited(
    git: GitRepository, asked: _Asked, some: Sequence[LandedChange]
) -> list[tuple[LandedChange, Audit]]:
    """Return the audits of some changes that attribute a line."""
    terms = ReplayTerms(repository_path=git.path, evidence=(), policy=None)
    found = []
    with tempfile.TemporaryDirectory(prefix="ghapp-mine-") as name:
        checkouts = git.checkouts()
        write_index(
            asked.found(),
            Path(name),
            roots=(),
            likely_roots=checkouts,
            repositories=repositories_of(None, git.top_level()),
        )
        answer = ReplayTask(terms, Path(name), asked.now).start()
        for group in neighbors(iter(some)):
            for change, (document, _) in zip(group, answer(group), strict=True):
                audit = from_document(document)
                if audit.totals.attributed or not audit.inputs.change_complete:
                    found.append((change, audit))
    return found


def _attributed(audit: Audit) -> dict[str, dict[int, MadeBy]]:
    """Return who wrote each attributed line, by path and number."""
    sources = audit.edits or {}
    found: dict[str, dict[int, MadeBy]] = {}
    for file in audit.files:
        lines = {}
        for one in file.lines:
            if one.attributed and one.agent:
                source = sources.get(one.edit or "")
                lines[one.line] = MadeBy(one.agent, source.model if source else None)
        if lines:
            found[file.path] = lines
    return found


def _still(
    git: GitRepository, change: LandedChange, tip: str, lines: dict[str, dict[int, MadeBy]]
) -> Counter[MadeBy]:
    """Count the lines that the tip still has where they were merged."""
    count: Counter[MadeBy] = Counter()
    for path, gone in removed_since(git, change.head or change.commit, tip, lines):
        if gone is not None:
            count.update(one for number, one in lines[path].items() if number not in gone)
    return count
