"""Counts what is read of agents' records, by agent and version. It keeps no path and no line."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

from ghapp.attribution.model import NOT_DONE, Edit, PassedOver, Struct, UnreadEvidence
from ghapp.evidence.homes import agent_at
from ghapp.evidence.source import added_up
from ghapp.evidence.versions import version_in
from ghapp.ingest.artifacts import HEAD, EvidenceArtifact, artifacts, find_evidence


class SurveyedFile(Struct, frozen=True):
    """What was read of one file of records."""

    agent: str | None
    """``None``: nothing in it or in its place names one."""
    version: str | None
    """The last version that the file's edits name, else the first that it names at all."""
    edits: int
    """Edits that were applied, or of whose outcome no record tells (rules.md 2.17)."""
    not_applied: int
    first_at: datetime | None
    """Time of its first edit, applied or not; ``None``: it has none."""
    last_at: datetime | None
    passed_over: tuple[PassedOver, ...]
    unread: int
    """Records that could not be read."""


class AgentSurvey(Struct, frozen=True):
    """The files of one agent and version, added up."""

    agent: str | None
    version: str | None
    files: int
    edits: int
    not_applied: int
    first_at: datetime | None
    last_at: datetime | None
    passed_over: tuple[PassedOver, ...]
    unread: int


Chosen = Callable[[EvidenceArtifact], bool]
"""Says of a file of records whether it is read."""


def survey(
    folders: Iterable[Path], chosen: Chosen = lambda _: True
) -> Iterator[tuple[Path, SurveyedFile]]:
    """Read the chosen files below some folders; yield each with what it holds, without lines.

    A folder that cannot be opened is yielded, too: as one unread record.
    """
    for folder in folders:
        for artifact in artifacts(folder):
            if isinstance(artifact, UnreadEvidence):
                yield Path(artifact.source), _closed(artifact.source)
            elif chosen(artifact):
                yield artifact.parts[0], _surveyed(artifact)


def by_version(files: Iterable[SurveyedFile]) -> tuple[AgentSurvey, ...]:
    """Return the counts of each agent and version, in their order; unknown ones come first."""
    groups: defaultdict[tuple[str, str], list[SurveyedFile]] = defaultdict(list)
    for file in files:
        groups[file.agent or "", file.version or ""].append(file)
    return tuple(_added(group) for _, group in sorted(groups.items()))


def _added(group: list[SurveyedFile]) -> AgentSurvey:
    first = [file.first_at for file in group if file.first_at]
    last = [file.last_at for file in group if file.last_at]
    return AgentSurvey(
        agent=group[0].agent,
        version=group[0].version,
        files=len(group),
        edits=sum(file.edits for file in group),
        not_applied=sum(file.not_applied for file in group),
        first_at=min(first, default=None),
        last_at=max(last, default=None),
        passed_over=added_up(one for file in group for one in file.passed_over),
        unread=sum(file.unread for file in group),
    )


def _closed(source: str) -> SurveyedFile:
    return SurveyedFile(
        agent=agent_at(source),
        version=None,
        edits=0,
        not_applied=0,
        first_at=None,
        last_at=None,
        passed_over=(),
        unread=1,
    )


def _surveyed(artifact: EvidenceArtifact) -> SurveyedFile:
    edits: list[Edit] = []
    passed_over: list[PassedOver] = []
    unread = 0
    # No path is wanted, so no source works out lines.
    for found in find_evidence(artifact.parts[:1], lambda _: False):
        if isinstance(found, Edit):
            edits.append(found)
        elif isinstance(found, PassedOver):
            passed_over.append(found)
        elif isinstance(found, UnreadEvidence):
            unread += 1
    times = [edit.at for edit in edits]
    versions = [edit.agent_version for edit in edits if edit.agent_version]
    agents = [edit.agent for edit in edits] + [one.agent for one in passed_over if one.agent]
    applied = sum(edit.outcome not in NOT_DONE for edit in edits)
    return SurveyedFile(
        agent=agents[0] if agents else agent_at(artifact.name),
        version=versions[-1] if versions else _version(artifact.parts[0]),
        edits=applied,
        not_applied=len(edits) - applied,
        first_at=min(times, default=None),
        last_at=max(times, default=None),
        passed_over=added_up(passed_over),
        unread=unread,
    )


def _version(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return version_in(file.read(HEAD))
    except OSError:
        return None
