"""Evidence that a repository itself carries, found and read in its objects. It fetches nothing.

Reading takes two steps, so that a partial clone can fetch objects between them. `take_inventory`
looks at commits, trees and refs and lists what is attached to some commits. `read` opens it.
"""

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from msgspec.structs import replace

from ghapp.attribution.model import AgentCommit, AgentDeclaration, Edit, Struct, UnreadEvidence
from ghapp.attribution.unified_diff import DiffError, parse_diff
from ghapp.evidence import agent_trace, aider, declarations, entire, git_ai_notes
from ghapp.evidence.carried import CarriedCommit, CommitAttachment
from ghapp.evidence.carried_registry import CARRIED
from ghapp.evidence.source import Found, NamedCheckout
from ghapp.git.repository import EMPTY_TREES, LAST_YEAR, Commit, GitError, GitRepository

BY_LINES = frozenset({git_ai_notes.NAME, agent_trace.NAME, aider.NAME})
"""Sources that name lines of a commit."""

BEYOND_ALL_TIME = datetime(LAST_YEAR, 1, 1, tzinfo=UTC)
"""Stands for the time of a commit whose date is none that a calendar has: no window holds it."""
LARGEST_ATTACHMENT = 128 * 1024 * 1024
"""Bytes of one note, transcript or file of records, which memory must hold whole."""
LONG_BEFORE = timedelta(days=60)
"""An older commit is outside every window, even if its author's clock was wrong."""

_BRANCHES = ("refs/heads/", "refs/remotes/origin/")


class CarriedPart(NamedTuple):
    """Something attached to a commit, as the names of the objects that hold it."""

    name: str
    objects: tuple[str, ...]


class CommitWithParts(Struct, frozen=True):
    """A commit with its attachments, still unread."""

    commit: Commit
    attached: dict[str, tuple[CarriedPart, ...]]
    """Source → what it reads; empty for a source that reads the commit itself."""
    actor: str | None = None
    """GitHub login of the commit's author; ``None``: not known."""

    @property
    def is_compared(self) -> bool:
        """Whether a source needs the lines that the commit adds. A merge adds none of its own."""
        return len(self.commit.parents) < 2 and not BY_LINES.isdisjoint(self.attached)

    @property
    def pair(self) -> tuple[str, str]:
        """The two sides of the diff: the first parent or the empty tree, and the commit."""
        parents = self.commit.parents
        return (parents[0] if parents else EMPTY_TREES[len(self.commit.sha)]), self.commit.sha


class CarriedInventory(Struct, frozen=True):
    """What is attached to some commits, and what of it is missing."""

    hanging: tuple[CommitWithParts, ...] = ()
    unread: tuple[UnreadEvidence, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to open."""
        return any(one.attached for one in self.hanging)


class CarriedEvidence(Struct, frozen=True):
    """What a repository carries about some commits."""

    found: tuple[Found, ...]
    declared: tuple[AgentDeclaration, ...] | None
    """What the commits, and a pull request's text, declare. ``None``: not read."""
    agent_commits: tuple[AgentCommit, ...] | None = None
    """Commits by agents' own accounts; ``None``: nobody asked GitHub whose they are."""


def read_between(git: GitRepository, base: str, head: str) -> CarriedEvidence:
    """Read the evidence on the commits of a change, and report whatever cannot be read.

    ``base`` is the commit where the change begins, or an empty tree for a root.
    """
    try:
        inventory = take_inventory(git, commits_between(git, base, head))
    except GitError as problem:
        unread = UnreadEvidence(source=f"commits up to {head}", line=None, problem=str(problem))
        return CarriedEvidence(found=(unread,), declared=None)
    declared = declarations.declared(as_carried(one.commit) for one in inventory.hanging)
    return CarriedEvidence(found=read(git, inventory), declared=declared)


def declared_between(
    git: GitRepository, base: str, head: str
) -> tuple[AgentDeclaration, ...] | None:
    """Return what the commits of a change declare; ``None``: this clone lacks some of them.

    ``base`` is the commit where the change begins, or an empty tree for a root.
    """
    try:
        commits = git.commits(commits_between(git, base, head))
    except GitError:
        return None
    return declarations.declared(map(as_carried, commits))


def read_history(
    git: GitRepository, tips: Sequence[str], since: datetime | None
) -> tuple[Found, ...]:
    """Read the evidence on all commits that some tips reach; the first tip is the newest.

    ``since`` excludes commits made long before it; ``None``: excludes none.
    """
    first = [f"--since={(since - LONG_BEFORE).isoformat()}"] if since else []
    listed = ("rev-list", "--reverse", "--topo-order", *first, "--end-of-options", *tips, "--")
    try:
        shas = [sha for sha in git.run(*listed).decode().split() if sha != tips[0]]
        return read(git, take_inventory(git, [*shas, tips[0]]))
    except GitError as problem:
        source = f"commits up to {tips[0]}"
        return (UnreadEvidence(source=source, line=None, problem=str(problem)),)


# --- taking inventory ---------------------------------------------------------------------------


def commits_between(git: GitRepository, base: str, head: str) -> list[str]:
    """Return the commits of a change, oldest first. Raises `GitError`."""
    if base in EMPTY_TREES.values():
        return [head]
    listed = ("rev-list", "--reverse", "--topo-order", "--end-of-options", head, f"^{base}", "--")
    return git.run(*listed).decode().split()


def take_inventory(
    git: GitRepository,
    shas: Sequence[str],
    actors: Mapping[str, str] = MappingProxyType({}),
    *,
    only_refs: bool = False,
) -> CarriedInventory:
    """Return what is attached to some commits, of which the last one is the newest.

    ``actors`` maps commits to the known GitHub logins of their authors. ``only_refs`` excludes
    evidence in the commits themselves. Raises `GitError` if a commit is missing.
    """
    if not shas:
        return CarriedInventory()
    commits = git.commits(shas)
    notes = _notes(git)
    traces = () if only_refs else _traces(git, shas[-1])
    checkpoints = _Checkpoints(git)
    hanging = []
    for commit in commits:
        attached: dict[str, tuple[CarriedPart, ...]] = {}
        if transcripts := checkpoints.transcripts(commit):
            attached[entire.NAME] = transcripts
        if note := notes.get(commit.sha):
            attached[git_ai_notes.NAME] = (CarriedPart(git_ai_notes.REF, (note,)),)
        if traces:
            attached[agent_trace.NAME] = traces
        if not only_refs and aider.made(as_carried(commit)):
            attached[aider.NAME] = ()
        actor = actors.get(commit.sha)
        hanging.append(CommitWithParts(commit=commit, attached=attached, actor=actor))
    return CarriedInventory(hanging=tuple(hanging), unread=tuple(checkpoints.unread()))


def _notes(git: GitRepository) -> dict[str, str]:
    """Return the object of each commit's note.

    Git may spread notes over folders: ``ab/cdef…``, https://git-scm.com/docs/git-notes
    """
    tip = git.resolve(git_ai_notes.REF)
    listed = git.entries(tip) if tip else {}
    return {path.replace("/", ""): name for path, name in listed.items()}


def _traces(git: GitRepository, tip: str) -> tuple[CarriedPart, ...]:
    listed = git.entries(tip, agent_trace.FOLDER)
    return tuple(
        CarriedPart(path, (name,))
        for path, name in sorted(listed.items())
        if agent_trace.is_named(path)
    )


class _Checkpoints:
    """Looks up in this repository the checkpoints that commits name."""

    def __init__(self, git: GitRepository) -> None:
        self._git = git
        self._missing: Counter[str] = Counter()

    def transcripts(self, commit: Commit) -> tuple[CarriedPart, ...]:
        """Return the transcripts of a commit's checkpoints."""
        found: list[CarriedPart] = []
        for checkpoint in entire.checkpoints(commit.message):
            ref, folder = entire.place(checkpoint)
            tip = self._tip(ref)
            listed = self._git.entries(tip, *([folder] if folder else [])) if tip else {}
            if not listed:
                self._missing[ref] += 1
            for name, paths in entire.transcripts(listed).items():
                shown = f"{ref}:{name}" if folder else f"{ref}/{name}"
                found.append(CarriedPart(shown, tuple(listed[path] for path in paths)))
        return tuple(found)

    def _tip(self, ref: str) -> str | None:
        if ref.startswith("refs/"):
            return self._git.resolve(ref)
        tips = (self._git.resolve(f"{where}{ref}") for where in _BRANCHES)
        return next(filter(None, tips), None)

    def unread(self) -> Iterator[UnreadEvidence]:
        """Yield the checkpoints that commits name and this repository lacks, by ref."""
        for ref, count in sorted(self._missing.items()):
            problem = f"{count} checkpoint(s) that commits name are missing"
            yield UnreadEvidence(source=ref, line=None, problem=problem)


def lacking(git: GitRepository, inventory: CarriedInventory) -> Iterator[str]:
    """Yield the objects that `read` will open and that a partial clone may lack."""
    for one in inventory.hanging:
        for parts in one.attached.values():
            for part in parts:
                yield from part.objects
        if one.is_compared:
            yield from git.missing(*one.pair)


# --- reading ------------------------------------------------------------------------------------


def read(git: GitRepository, inventory: CarriedInventory) -> tuple[Found, ...]:
    """Read the attachments of an inventory, and report whatever cannot be read. Raises nothing."""
    # A dictionary, because checkpoints hold growing copies of one transcript.
    found: dict[Found, None] = dict.fromkeys(inventory.unread)
    reading = _Reading(git)
    for one in inventory.hanging:
        found.update(dict.fromkeys(reading.of(one)))
    return tuple(found)


class _Reading:
    """The state of reading one inventory."""

    def __init__(self, git: GitRepository) -> None:
        self._git = git
        self._opened: set[tuple[str, ...]] = set()
        self._told = set[int]()
        self._traces: dict[CarriedPart, tuple[CommitAttachment, frozenset[str]]] = {}

    def of(self, hanging: CommitWithParts) -> Iterator[Found]:
        """Yield what the sources read from the attachments of one commit."""
        attached: dict[str, list[CommitAttachment]] = {}
        for name, parts in hanging.attached.items():
            for part in parts:
                try:
                    self._attach(attached, name, part, hanging)
                except GitError as problem:
                    yield UnreadEvidence(source=part.name, line=None, problem=str(problem))
            if not parts:
                attached[name] = []
        commit = as_carried(hanging.commit)
        if hanging.is_compared and not attached.keys().isdisjoint(BY_LINES):
            try:
                commit = replace(commit, files=parse_diff(self._git.diff(*hanging.pair)))
            except (GitError, DiffError) as problem:
                yield UnreadEvidence(source=f"commit {commit.sha}", line=None, problem=str(problem))
                return
        for name, attachments in attached.items():
            for found in self._without_copies(CARRIED[name].read(commit, attachments), attachments):
                yield _carried_by(hanging, found)

    def _without_copies(
        self, found: Iterable[Found], attachments: Iterable[CommitAttachment]
    ) -> Iterator[Found]:
        """Drop what cannot be read of a record whose copy was told before."""
        for one in found:
            if not isinstance(one, UnreadEvidence) or self._is_new(one, attachments):
                yield one

    def _is_new(self, unread: UnreadEvidence, attachments: Iterable[CommitAttachment]) -> bool:
        """Return whether no copy of the record was told: checkpoints hold one transcript often."""
        if unread.line is None:
            return True
        lines = next((one.lines for one in attachments if one.name == unread.source), ())
        record = lines[unread.line - 1] if unread.line <= len(lines) else unread.source.encode()
        digest = hash((record, unread.problem))
        if digest in self._told:
            return False
        self._told.add(digest)
        return True

    def _attach(
        self,
        attached: dict[str, list[CommitAttachment]],
        name: str,
        part: CarriedPart,
        hanging: CommitWithParts,
    ) -> None:
        """Open one part, unless it was read before or does not concern this commit."""
        if name == entire.NAME and part.objects in self._opened:
            return
        if name == agent_trace.NAME:
            attachment, revisions = self._trace(part)
            if hanging.commit.sha[: agent_trace.SHORTEST_SHA] not in revisions:
                return
        else:
            attachment = self._attachment(part)
        self._opened.add(part.objects)
        attached.setdefault(name, []).append(attachment)

    def _trace(self, part: CarriedPart) -> tuple[CommitAttachment, frozenset[str]]:
        """Return a file of records and the revisions that it names; all commits share it."""
        if part not in self._traces:
            attachment = self._attachment(part)
            self._traces[part] = attachment, agent_trace.revisions(attachment)
        return self._traces[part]

    def _attachment(self, part: CarriedPart) -> CommitAttachment:
        size = self._git.size(part.objects)
        if size > LARGEST_ATTACHMENT:
            problem = f"{size:,} bytes are more than the limit of {LARGEST_ATTACHMENT:,}: not read"
            raise GitError("cat-file", None, problem)
        text = _joined(self._git.objects(part.objects))
        return CommitAttachment(name=part.name, lines=tuple(io.BytesIO(text)))


def _carried_by(hanging: CommitWithParts, found: Found) -> Found:
    if isinstance(found, Edit):
        return replace(found, actor=hanging.actor)
    return replace(found, is_carried=True) if isinstance(found, NamedCheckout) else found


def _joined(texts: Sequence[bytes]) -> bytes:
    """Join the parts of a transcript; a cut between two lines may have dropped the line end."""
    joined = bytearray()
    for text in texts:
        if joined.endswith(b"}") and text.startswith(b"{"):
            joined += b"\n"
        joined += text
    return bytes(joined)


def as_carried(commit: Commit) -> CarriedCommit:
    """Return a commit as sources take it, without its diff."""
    return CarriedCommit(
        sha=commit.sha,
        # A date beyond all time is in no window.
        written_at=commit.written_at or commit.committed_at or BEYOND_ALL_TIME,
        committed_at=commit.committed_at or BEYOND_ALL_TIME,
        author=commit.author,
        committer=commit.committer,
        message=commit.message,
        parents=len(commit.parents),
    )
