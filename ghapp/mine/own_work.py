"""A developer's own work with agents, from the records on one machine.

It asks no server. What is not known, such as lines of a repository without a clone here, is
``None`` and not 0.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import NamedTuple

from ghapp.attribution.identity import identity
from ghapp.attribution.model import NOT_DONE, Edit, PassedOver, Struct, UnreadEvidence
from ghapp.collector.clones import LocalClones
from ghapp.evidence.homes import agent_at
from ghapp.evidence.source import added_up
from ghapp.ingest.artifacts import ArtifactReader, EvidenceArtifact, each_artifact
from ghapp.ingest.usage_days import UsageOfMachine, usage_of_machine
from ghapp.mine.standing import ClonesLines, MadeBy, lines_in
from ghapp.usage.answers import known_sum

NO_CLONE = "no clone on this machine holds these files"


class WorkCounts(Struct, frozen=True):
    """Numbers of some part of the work."""

    agent_sessions: int
    """With an edit or an answer of a model."""
    edits: int
    """Applied, or of whose outcome no record tells (rules.md 2.17)."""
    lines: int
    """Lines that these edits added."""
    merged: int | None
    """Lines that an audit of the default branch attributes to them; ``None``: unknown."""
    standing: int | None
    """Of these, lines that the default branch still has; ``None``: unknown."""


class RepositoryWork(Struct, frozen=True):
    """The work in one repository."""

    repository: str | None
    """``host/owner/name``, or the folder of a clone without a remote; ``None``: outside of any."""
    branch: str | None
    """The branch whose lines were counted, as last fetched."""
    counts: WorkCounts
    unknown: str | None
    """Why lines are unknown, or what was left out."""


class AgentWork(Struct, frozen=True):
    """The work of one agent with one model."""

    agent: str
    model: str | None
    """``None``: not recorded."""
    counts: WorkCounts


class ReadAgent(Struct, frozen=True):
    """What was read of one agent's records."""

    agent: str | None
    """``None``: nothing says whose they are."""
    files: int
    edits: int
    unread: int
    """Records that could not be read."""
    passed_over: tuple[PassedOver, ...]


class OwnWork(Struct, frozen=True):
    """Everything that the records on this machine say of some days."""

    since: date
    until: date
    counts: WorkCounts
    by_repository: tuple[RepositoryWork, ...]
    """Most lines first."""
    by_agent: tuple[AgentWork, ...]
    read: tuple[ReadAgent, ...]
    unread: tuple[UnreadEvidence, ...]


class _OwnEdit(NamedTuple):
    by: MadeBy
    agent_session: str
    at: datetime
    path: str
    lines: int
    artifact: EvidenceArtifact


Tell = Callable[[str], None]
"""Takes what is being read now."""


def own_work(
    folders: Iterable[Path], since: date, until: date, now: datetime, tell: Tell
) -> tuple[OwnWork, UsageOfMachine]:
    """Return the work in the days from ``since`` to ``until``, both included, and its usage.

    Files of records that did not change since then are not read. Raises `ArtifactError`.
    """
    homes = list(folders)
    tell("reading agents' records")
    usage = usage_of_machine(homes, since, until, now)
    reading = _Reading(since, until)
    for artifact in each_artifact(homes):
        if isinstance(artifact, UnreadEvidence):
            reading.unread.append(artifact)
        elif _changed(artifact, since):
            reading.read(artifact)
    return _Work(reading, usage, now, tell).whole(), usage


def _changed(artifact: EvidenceArtifact, since: date) -> bool:
    """Say whether a file, or a database with its log, changed since a day."""
    start = datetime.combine(since, time(), UTC).timestamp()
    files = [one for part in artifact.parts for one in (part, Path(f"{part}-wal"))]
    return any(one.exists() and one.stat().st_mtime >= start for one in files)


class _Reading:
    """The edits of some days, each once, and what was read for them."""

    def __init__(self, since: date, until: date) -> None:
        self.since, self.until = since, until
        self._reader = ArtifactReader()
        self._known: set[int] = set()
        self.edits: list[_OwnEdit] = []
        self.unread: list[UnreadEvidence] = []
        self._files: Counter[str | None] = Counter()
        self._edits: Counter[str | None] = Counter()
        self._unread: Counter[str | None] = Counter()
        self._passed_over: defaultdict[str | None, list[PassedOver]] = defaultdict(list)

    def read(self, artifact: EvidenceArtifact) -> None:
        """Take what an artifact holds."""
        agent = agent_at(artifact.name)
        unread = 0
        passed_over = []
        edits = 0
        for found in self._reader.read(artifact):
            if isinstance(found, Edit):
                agent = found.agent
                edits += self._take(found, artifact)
            elif isinstance(found, PassedOver):
                agent = agent or found.agent
                passed_over.append(found)
            elif isinstance(found, UnreadEvidence):
                self.unread.append(found)
                unread += 1
        self._files[agent] += 1
        self._edits[agent] += edits
        self._unread[agent] += unread
        self._passed_over[agent] += passed_over

    def _take(self, edit: Edit, artifact: EvidenceArtifact) -> bool:
        """Keep an edit of these days that may count and is no copy; say whether it was kept."""
        same = hash(identity(edit))
        if not self.is_asked_for(edit) or same in self._known:
            return False
        self._known.add(same)
        lines = sum(len(hunk.own) for hunk in edit.lines.hunks)
        by = MadeBy(edit.agent, edit.model)
        self.edits.append(_OwnEdit(by, edit.agent_session, edit.at, edit.path, lines, artifact))
        return True

    def is_asked_for(self, edit: Edit) -> bool:
        """Say whether an edit is of these days and may count."""
        day = edit.at.astimezone(UTC).date()
        return edit.outcome not in NOT_DONE and self.since <= day <= self.until

    def agents(self) -> tuple[ReadAgent, ...]:
        """Return what was read, by agent."""
        return tuple(
            ReadAgent(
                agent=agent,
                files=self._files[agent],
                edits=self._edits[agent],
                unread=self._unread[agent],
                passed_over=added_up(self._passed_over[agent]),
            )
            for agent in sorted(self._files, key=lambda one: one or "")
        )


class _Work:
    """The parts of the work."""

    def __init__(self, read: _Reading, usage: UsageOfMachine, now: datetime, tell: Tell) -> None:
        self._read, self._usage, self._now, self._tell = read, usage, now, tell
        self._clones = LocalClones(usage.worktrees)
        self._in: defaultdict[str | None, list[_OwnEdit]] = defaultdict(list)
        self._roots: dict[str, str] = {}
        for edit in read.edits:
            self._in[self._repository(edit.path)].append(edit)
        self._sessions: defaultdict[str | None, set[tuple[str, str]]] = defaultdict(set)
        for answer in usage.answers:
            where = self._repository(f"{answer.project}/.") if answer.project else None
            self._sessions[where].add((answer.agent, answer.agent_session))

    def whole(self) -> OwnWork:
        """Return everything."""
        lines = {name: self._lines(name) for name in self._in if name is not None}
        names = {**self._in, **self._sessions}
        parts = [self._part(name, lines.get(name) if name else None) for name in names]
        parts.sort(key=lambda one: (-one.counts.lines, one.repository or "~"))
        return OwnWork(
            since=self._read.since,
            until=self._read.until,
            counts=self._counts(
                self._read.edits,
                set().union(*self._sessions.values()) if self._sessions else set(),
                *(known_sum(getattr(one.counts, name) for one in parts) for name in _LINES),
            ),
            by_repository=tuple(parts),
            by_agent=self._by_agent(lines),
            read=self._read.agents(),
            unread=tuple(self._read.unread),
        )

    def _repository(self, path: str) -> str | None:
        """Return the name of the repository of a path; remember a checkout of it."""
        root = self._clones.root(path)
        if root is None:
            return None
        name = next(iter(self._clones.remotes_of(root)), root)
        self._roots.setdefault(name, root)
        return name

    def _lines(self, name: str) -> ClonesLines:
        edits = self._in[name]
        files = dict.fromkeys(part for one in edits for part in one.artifact.parts)
        first = min(one.at for one in edits)
        self._tell(f"reading the history of {name}")
        root = Path(self._roots[name])
        return lines_in(root, tuple(files), self._read.is_asked_for, first, self._now)

    def _part(self, name: str | None, lines: ClonesLines | None) -> RepositoryWork:
        edits = self._in.get(name, [])
        merged = _sum(lines.merged) if lines else None
        standing = _sum(lines.standing) if lines else None
        unknown = lines.unknown if lines else None
        if name is None and edits:
            unknown = NO_CLONE
        if not edits:  # agent sessions that only talked
            merged = standing = 0
        return RepositoryWork(
            repository=name,
            branch=lines.branch if lines else None,
            counts=self._counts(edits, self._sessions.get(name, set()), merged, standing),
            unknown=unknown,
        )

    def _by_agent(self, lines: dict[str, ClonesLines]) -> tuple[AgentWork, ...]:
        edits: defaultdict[MadeBy, list[_OwnEdit]] = defaultdict(list)
        places: defaultdict[MadeBy, list[ClonesLines]] = defaultdict(list)
        for name, some in self._in.items():
            for edit in some:
                edits[edit.by].append(edit)
            for by in {edit.by for edit in some}:
                places[by].append(lines[name] if name else ClonesLines())
        sessions: defaultdict[MadeBy, set[tuple[str, str]]] = defaultdict(set)
        for answer in self._usage.answers:
            by = MadeBy(answer.agent, answer.model)
            sessions[by].add((answer.agent, answer.agent_session))
        found = [
            AgentWork(
                agent=by.agent,
                model=by.model,
                counts=self._counts(
                    edits.get(by, []),
                    sessions.get(by, set()),
                    known_sum(_of(one.merged, by) for one in places[by]) if places[by] else 0,
                    known_sum(_of(one.standing, by) for one in places[by]) if places[by] else 0,
                ),
            )
            for by in {**edits, **sessions}
        ]
        return tuple(sorted(found, key=lambda one: (-one.counts.lines, one.agent, one.model or "")))

    @staticmethod
    def _counts(
        edits: list[_OwnEdit],
        sessions: set[tuple[str, str]],
        merged: int | None,
        standing: int | None,
    ) -> WorkCounts:
        both = sessions | {(one.by.agent, one.agent_session) for one in edits}
        return WorkCounts(
            agent_sessions=len(both),
            edits=len(edits),
            lines=sum(one.lines for one in edits),
            merged=merged,
            standing=standing,
        )


_LINES = ("merged", "standing")


def _sum(lines: dict[MadeBy, int] | None) -> int | None:
    return None if lines is None else sum(lines.values())


def _of(lines: dict[MadeBy, int] | None, by: MadeBy) -> int | None:
    return None if lines is None else lines.get(by, 0)


def days_before(until: date, days: int) -> date:
    """Return the first of some days that end with another."""
    return until - timedelta(days=days - 1)
