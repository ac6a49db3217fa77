"""Audits a diff file or a git commit without a server, on one page. It prints nothing.

It returns what it could not read beside the audit, with file and line.
"""

import gc
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ghapp.attribution.attribute import attribute
from ghapp.attribution.model import (
    Audit,
    AuditSubject,
    Change,
    Edit,
    Evidence,
    FileDiff,
    FileSnapshot,
    FileStatus,
    PassedOver,
    Reason,
    ShellCommand,
    Struct,
    UnreadEvidence,
)
from ghapp.attribution.moved import SHORTEST
from ghapp.attribution.paths import below_deepest, folded, paths_of, tidy
from ghapp.attribution.policy import Policy
from ghapp.attribution.shell_commands import with_moved
from ghapp.attribution.unified_diff import DiffError, parse_diff
from ghapp.evidence.source import (
    NamedCheckout,
    WantedPath,
    Worktree,
    everything,
    with_worktrees,
    without_used,
)
from ghapp.ingest.artifacts import find_evidence
from ghapp.ingest.named_checkouts import (
    foreign_roots,
    named_roots,
    repositories_of,
    with_clone,
)

if TYPE_CHECKING:  # only the audit of a commit needs git, and what a clone carries
    from ghapp.git.repository import Commit, GitError, GitRepository
    from ghapp.ingest.carried import CarriedEvidence

WHOLE_DIFF = "(the whole diff)"
"""Stands for the files of a diff that could not be read, since their names are unknown."""


class OfflineTerms(Struct, frozen=True):
    """The settings of an offline audit, apart from the change itself."""

    evidence: tuple[Path, ...]
    """Directories or single files of native transcripts."""
    policy: Policy
    at: datetime
    """Now; decides whether the audit is provisional."""
    roots: tuple[str, ...] = ()
    """Checkouts on the machines that wrote the evidence; empty: they are inferred."""
    repository: str | None = None
    pull_request: int | None = None
    carried: bool = False
    """Whether what the clone itself carries about the commits is evidence, too."""


class MovedLines(Struct, frozen=True):
    """Lines of an added file that equal a block of an agent's edit of another file."""

    path: str
    edited_path: str
    """Where the agent edited; below a known checkout, relative to it."""
    lines: int


class OfflineAudit(Struct, frozen=True):
    """An audit, what it was made from, and what could not be read for it."""

    audit: Audit
    subject: AuditSubject
    change: Change
    evidence: Evidence
    problems: tuple[UnreadEvidence, ...]
    moved: tuple[MovedLines, ...] = ()
    """What the policy would count as moved blocks if it followed them."""


@contextmanager
def _gc_paused() -> Iterator[None]:
    """Pause the garbage collector: an audit makes no cycles, but a million small values.

    The collector would walk them again and again; without it, a large audit takes about a fifth
    less time. Reference counts still free what is no longer used.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@_gc_paused()
def audit_diff(text: bytes, *, name: str, merged_at: datetime, terms: OfflineTerms) -> OfflineAudit:
    """Audit a unified diff; ``name`` stands for it in messages.

    If the diff cannot be read whole, the audit is marked incomplete and counts nothing.
    Raises `ArtifactError` if a path of the evidence does not exist.
    """
    subject = _subject(terms, merged_at)
    try:
        change = Change(files=parse_diff(text))
    except DiffError as error:
        return _unread_diff(name, error, subject, terms)
    return _audited(subject, change, terms, repositories=repositories_of(terms.repository))


@_gc_paused()
def audit_commit(
    git: "GitRepository",
    revision: str,
    *,
    base: str | None = None,
    merged_at: datetime | None = None,
    terms: OfflineTerms,
) -> OfflineAudit:
    """Audit a commit as if it were a merged pull request.

    The diff starts where the commit's branch left ``base``; without ``base`` at the first parent,
    and without a parent at the empty tree. ``merged_at`` is the commit's own time unless given.
    If the clone cannot show the whole diff, the audit is marked incomplete. Raises `GitError` if
    there is no such repository, commit or base, and `ArtifactError` if a path of the evidence
    does not exist.
    """
    from ghapp.git.repository import GitError  # noqa: PLC0415 - see the top
    from ghapp.ingest.carried import read_between  # noqa: PLC0415 - see the top

    commit = git.commit(revision)
    start = _base(git, commit, base)
    merged_at = merged_at or commit.committed_at
    if merged_at is None:
        problem = f"the committer's date of {commit.sha} is none that a calendar has"
        raise GitError("cat-file", None, problem, "say when it was merged, with --merged-at")
    subject = _subject(terms, merged_at, commit.sha)
    try:
        files = parse_diff(git.diff(start, commit.sha))
        attributes = _attributes(git, start, files)
    except (DiffError, GitError) as error:
        return _unread_diff(f"git diff {start} {commit.sha}", error, subject, terms)
    change = Change(files=files, gitattributes=attributes)
    carried = read_between(git, start, commit.sha) if terms.carried else None
    repositories = repositories_of(terms.repository, git.top_level())
    return _audited(
        subject,
        change,
        terms,
        likely_roots=git.checkouts(),
        carried=carried,
        repositories=repositories,
    )


@_gc_paused()
def audit_uncommitted(git: "GitRepository", path: str, *, terms: OfflineTerms) -> OfflineAudit:
    """Audit what a file of a checkout has that its last commit lacks, as if it were merged now.

    ``path`` is relative to the checkout's root, and ``terms.at`` is now. Raises `GitError` if
    there is no such file, and `ArtifactError` if a path of the evidence does not exist.
    """
    from ghapp.git.worktree import uncommitted  # noqa: PLC0415 - see the top

    subject = _subject(terms, terms.at)
    try:
        change = Change(files=uncommitted(git, path))
    except DiffError as error:
        return _unread_diff(path, error, subject, terms)
    return _audited(
        subject,
        change,
        terms,
        likely_roots=git.checkouts(),
        repositories=repositories_of(terms.repository, git.top_level()),
    )


def _attributes(git: "GitRepository", start: str, files: Iterable[FileDiff]) -> dict[str, str]:
    """Return the ``.gitattributes`` that may apply to a changed file, as the app reads them."""
    from ghapp.git.repository import EMPTY_TREES, attribute_files  # noqa: PLC0415 - see the top

    if start in EMPTY_TREES.values():
        return {}
    names = attribute_files(file.path for file in files)
    return git.gitattributes(start, names) if names else {}


def wanted_paths(change: Change, policy: Policy) -> WantedPath:
    """Return which paths need their edits' lines: files with a name that the change has.

    A policy that follows moved blocks needs all of them.
    """
    if policy.moved_blocks:
        return everything
    names = {_name(path) for path in paths_of(change)}
    return lambda path: _name(path) in names


def _name(path: str) -> str:
    """Return the last part of a path with slashes or backslashes, as every file system has it."""
    return folded(path.replace("\\", "/").rpartition("/")[2])


def _subject(terms: OfflineTerms, merged_at: datetime, commit: str | None = None) -> AuditSubject:
    return AuditSubject(
        merged_at=merged_at,
        repository=terms.repository,
        pull_request=terms.pull_request,
        merge_commit=commit,
    )


def _base(git: "GitRepository", commit: "Commit", base: str | None) -> str:
    """Return the start of a commit's diff; for a merge the first parent, as GitHub shows it."""
    from ghapp.git.repository import EMPTY_TREES  # noqa: PLC0415 - see the top

    if base is not None:
        return git.merge_base(git.commit(base).sha, commit.sha)
    return commit.parents[0] if commit.parents else EMPTY_TREES[len(commit.sha)]


def _audited(  # noqa: PLR0913 - what is audited, the terms, and what a clone adds
    subject: AuditSubject,
    change: Change,
    terms: OfflineTerms,
    *,
    likely_roots: Sequence[str] = (),
    carried: "CarriedEvidence | None" = None,
    repositories: Sequence[str] = (),
) -> OfflineAudit:
    wanted = wanted_paths(change, terms.policy)
    evidence = read_evidence(
        terms.evidence,
        wanted,
        roots=with_clone(terms.roots, likely_roots),
        likely_roots=likely_roots,
        carried=carried,
        repositories=repositories,
    )
    audit = attribute(subject, change, evidence, terms.policy, at=terms.at)
    moved = _moved(audit, change, terms, likely_roots) if _may_have_moved(audit, change) else ()
    return OfflineAudit(
        audit=audit,
        subject=subject,
        change=change,
        evidence=evidence,
        problems=evidence.unread,
        moved=moved,
    )


def _may_have_moved(audit: Audit, change: Change) -> bool:
    """Say whether an added file has only lines that no edit of it comes close to."""
    if audit.policy.moved_blocks:
        return False
    added = {file.path for file in change.files if file.status is FileStatus.ADDED}
    return any(
        file.path in added
        and not file.attributed
        and sum(line.reason == Reason.NO_MATCH for line in file.lines) >= SHORTEST
        for file in audit.files
    )


def _moved(
    audit: Audit, change: Change, terms: OfflineTerms, likely_roots: Sequence[str]
) -> tuple[MovedLines, ...]:
    """Return what a policy that follows moved blocks would count in addition, by file.

    This reads the evidence again, with the lines of every edit.
    """
    evidence = read_evidence(terms.evidence, roots=terms.roots, likely_roots=likely_roots)
    policy = replace(terms.policy, moved_blocks=True)
    subject = AuditSubject(merged_at=audit.merged_at, repository=audit.repository)
    followed = attribute(subject, change, evidence, policy, at=terms.at)
    paths = {edit.id: tidy(edit.path) for edit in evidence.edits}
    roots = [tidy(root) for root in (*evidence.roots, *evidence.likely_roots)]
    found: Counter[tuple[str, str]] = Counter()
    for before, after in zip(audit.files, followed.files, strict=True):
        for one, other in zip(before.lines, after.lines, strict=True):
            if one.reason == Reason.NO_MATCH and other.attributed and other.edit:
                path = paths[other.edit]
                found[after.path, below_deepest(roots, path) or path] += 1
    return tuple(
        MovedLines(path=path, edited_path=edited, lines=found[path, edited])
        for path, edited in sorted(found)
    )


def _unread_diff(
    name: str, error: "DiffError | GitError", subject: AuditSubject, terms: OfflineTerms
) -> OfflineAudit:
    """Return an empty audit, marked incomplete: half a diff is never counted."""
    change, evidence = Change(missing=(WHOLE_DIFF,)), Evidence()
    audit = attribute(subject, change, evidence, terms.policy, at=terms.at)
    if isinstance(error, DiffError):
        problem = UnreadEvidence(
            source=name, line=error.line, problem=f"{error.found}; {error.advice}"
        )
    else:
        problem = UnreadEvidence(source=name, line=None, problem=str(error))
    return OfflineAudit(
        audit=audit, subject=subject, change=change, evidence=evidence, problems=(problem,)
    )


def read_evidence(  # noqa: PLR0913 - the evidence, and whose checkouts it may be in
    paths: Iterable[Path],
    wanted: WantedPath = everything,
    *,
    roots: Sequence[str] = (),
    likely_roots: Sequence[str] = (),
    carried: "CarriedEvidence | None" = None,
    repositories: Sequence[str] = (),
) -> Evidence:
    """Return the evidence of the transcripts below some paths; worktrees of roots become roots.

    ``carried`` is the evidence of the repository itself; ``repositories`` are its names, by which
    records may name its checkouts. Edits of paths that are not ``wanted``
    have no lines, unless a command moved their file. Raises `ArtifactError`.
    """
    read = partial(
        _read,
        tuple(paths),
        roots=roots,
        likely_roots=likely_roots,
        carried=carried,
        repositories=repositories,
    )
    evidence = read(wanted)
    moved = _moved_from(evidence, wanted)
    if not moved:
        return evidence
    # Which files were moved is known only now, so their lines were left out.
    return read(lambda path: wanted(path) or path in moved)


def _moved_from(evidence: Evidence, wanted: WantedPath) -> frozenset[str]:
    """Return paths that are not wanted, of edits whose file a command moved to one that is."""
    count = len(evidence.edits)
    moved = with_moved(evidence.edits, evidence.commands)[count:]
    named = {(edit.id, edit.at) for edit in moved if wanted(edit.path)}
    return frozenset(
        edit.path
        for edit in (evidence.edits if named else ())
        if (edit.id, edit.at) in named and not wanted(edit.path)
    )


def _read(  # noqa: PLR0913 - see above
    paths: Iterable[Path],
    wanted: WantedPath,
    *,
    roots: Sequence[str],
    likely_roots: Sequence[str],
    carried: "CarriedEvidence | None",
    repositories: Sequence[str],
) -> Evidence:
    edits: list[Edit] = []
    unread: list[UnreadEvidence] = []
    worktrees: list[Worktree] = []
    named: list[NamedCheckout] = []
    snapshots: list[FileSnapshot] = []
    passed_over: list[PassedOver] = []
    commands: list[ShellCommand] = []
    for found in chain(find_evidence(paths, wanted), carried.found if carried else ()):
        match found:
            case Edit():
                edits.append(found)
            case UnreadEvidence():
                unread.append(found)
            case Worktree():
                worktrees.append(found)
            case NamedCheckout():
                named.append(found)
            case FileSnapshot():
                snapshots.append(found)
            case PassedOver():
                passed_over.append(found)
            case ShellCommand():
                commands.append(found)
    return Evidence(
        edits=tuple(edits),
        roots=with_worktrees(roots, worktrees),
        likely_roots=with_worktrees([*likely_roots, *named_roots(named, repositories)], worktrees),
        foreign_roots=foreign_roots(named, repositories),
        snapshots=tuple(snapshots),
        commands=tuple(commands),
        unread=tuple(unread),
        passed_over=without_used(passed_over, commands),
        declared=carried.declared if carried else None,
    )
