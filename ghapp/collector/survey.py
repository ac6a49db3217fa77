"""What this machine saw of agents in the last week, by version: numbers and days. It sends nothing.

It reads the records that changed, so that a new version of an agent whose edits nobody can read
is noticed within a day, by the app as well as by ``status``.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ghapp.collector.agents_seen import AgentsSeen
from ghapp.collector.batches import AGENT, VERSION, known_as
from ghapp.evidence.source import added_up
from ghapp.ingest.artifacts import EvidenceArtifact
from ghapp.ingest.survey import SurveyedFile, by_version, survey
from ghapp.wire import MOST_AGENTS, SeenAgent

WEEK = timedelta(days=7)
MOST_READ = 512 * 1024 * 1024
"""Bytes that one look reads; a machine that writes more in a week is judged by a part of it."""


def look(folders: Iterable[Path], now: datetime) -> AgentsSeen:
    """Read the records that changed in the last week, up to `MOST_READ`."""
    recent = _Recent(now - WEEK)
    files = list(survey(folders, recent.chosen))
    return AgentsSeen(
        at=now,
        agents=tuple(_seen([(path, file) for path, file in files if file.agent])[:MOST_AGENTS]),
        passed_over=added_up(one for _, file in files for one in file.passed_over),
        unread=sum(file.unread for _, file in files),
    )


class _Recent:
    """Chooses the files that changed lately, until enough bytes are read."""

    def __init__(self, since: datetime) -> None:
        self._since = since.timestamp()
        self._left = MOST_READ

    def chosen(self, artifact: EvidenceArtifact) -> bool:
        try:
            found = [part.stat() for part in artifact.parts]
        except OSError:
            return False
        size = sum(one.st_size for one in found)
        if max(one.st_mtime for one in found) < self._since or size > self._left:
            return False
        self._left -= size
        return True


def _seen(files: list[tuple[Path, SurveyedFile]]) -> list[SeenAgent]:
    changed: dict[tuple[str | None, str | None], float] = {}
    for path, file in files:
        key = file.agent, file.version
        changed[key] = max(changed.get(key, 0.0), _changed(path))
    return [
        SeenAgent(
            agent=one.agent,
            version=known_as(one.version, VERSION),
            transcripts=one.files,
            edits=one.edits,
            seen_on=datetime.fromtimestamp(changed[one.agent, one.version], UTC).date(),
            last_edit_on=one.last_at.astimezone(UTC).date() if one.edits and one.last_at else None,
        )
        for one in by_version(file for _, file in files)
        if one.agent is not None and AGENT.fullmatch(one.agent)
    ]


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
