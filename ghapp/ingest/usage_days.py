"""Usage on a developer's machine as rows, by working directory: what the collector sends each day.

It reads the records that changed since the first day asked for, settles over all of them, and
holds numbers and names only. A file that did not change since then holds nothing of these days.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import msgspec

from ghapp.attribution.model import PassedOver, Struct, UnreadEvidence
from ghapp.evidence.source import added_up
from ghapp.ingest.artifacts import EvidenceArtifact, each_artifact
from ghapp.ingest.usage_files import read_usage
from ghapp.usage.answers import MOST, Settling, UsageRecord
from ghapp.usage.believed import left_out
from ghapp.usage.days import DecisionDay, TokenDay, decision_days, misfits, token_days
from ghapp.usage.decisions import DecidedEdit, decided_once

MOST_READ = 8 * 1024 * 1024 * 1024
"""Bytes that are read at most, the newest files first."""

MARGIN = timedelta(days=1)
"""Records this near to the days asked for are kept until all are read: copies of an answer may have
other times than the one that counts."""

TOO_MANY = "days of an agent session with impossible sums"

DaysOfProject = tuple[tuple[TokenDay, ...], tuple[DecisionDay, ...]]


class UsageOfMachine(Struct, frozen=True):
    """What a machine's records say of some days."""

    projects: dict[str | None, DaysOfProject]
    """Working directory → its rows; ``None``: the records name no directory."""
    passed_over: tuple[PassedOver, ...]
    """What was seen and not counted, each agent and kind once."""
    unread: int
    """Records that could not be read."""
    files: int
    """Files that were read."""
    files_left_out: int
    """Files that changed and were too much to read: if there are any, the rows are a part."""


def usage_of_machine(
    folders: Iterable[Path],
    since: date,
    until: date,
    now: datetime,
    *,
    most: int = MOST_READ,
) -> UsageOfMachine:
    """Return the usage of the days from ``since`` to ``until``, both included.

    A folder that does not exist holds nothing. ``most`` bounds the bytes that are read. An agent
    session that worked in several directories has rows in each, and the same answer is in one
    only.
    """
    homes = [folder for folder in folders if folder.exists()]
    changed = _changed(homes, since)
    chosen = _within(changed, most)
    usage = _Usage(since, until)
    for found in read_usage(homes, now, lambda artifact: artifact.name in chosen):
        if isinstance(found, PassedOver):
            usage.passed_over.append(found)
        elif isinstance(found, UnreadEvidence):
            usage.unread += 1
        else:
            usage.add(found)
    projects = usage.by_project()
    return UsageOfMachine(
        projects=projects,
        passed_over=added_up([*usage.passed_over, *usage.misfits]),
        unread=usage.unread,
        files=len(chosen),
        files_left_out=len(changed) - len(chosen),
    )


class _Usage:
    """What was found so far of some days."""

    def __init__(self, since: date, until: date) -> None:
        self._since, self._until = since, until
        self._settling = Settling()
        self._decisions: list[DecidedEdit] = []
        self.passed_over: list[PassedOver] = []
        self.misfits: tuple[PassedOver, ...] = ()
        self.unread = 0

    def add(self, found: UsageRecord | DecidedEdit) -> None:
        """Take a record if it is near to the days; of others only notice that they are there."""
        day = _day(found)
        is_near = self._since - day <= MARGIN and day - self._until <= MARGIN
        if isinstance(found, DecidedEdit):
            if is_near:
                self._decisions.append(found)
        elif is_near:
            self._settling.add(found)
        else:
            self._settling.note(found)

    def by_project(self) -> dict[str | None, DaysOfProject]:
        """Return the rows of the days asked for, settled; note what does not fit into one."""
        answers: defaultdict[str | None, list[UsageRecord]] = defaultdict(list)
        decisions: defaultdict[str | None, list[DecidedEdit]] = defaultdict(list)
        for answer in self._settling.answers():
            if self._since <= _day(answer) <= self._until:
                answers[answer.project].append(answer)
        for decision in decided_once(self._decisions):
            if self._since <= _day(decision) <= self._until:
                decisions[decision.project].append(decision)
        self.misfits = misfits(
            one for parts in (answers, decisions) for own in parts.values() for one in own
        )
        return {
            project: (
                tuple(self._sendable(token_days(answers.get(project, ())))),
                tuple(decision_days(decisions.get(project, ()))),
            )
            for project in sorted({*answers, *decisions}, key=lambda one: one or "")
        }

    def _sendable(self, rows: Iterable[TokenDay]) -> Iterator[TokenDay]:
        """Yield the rows whose sums can be; note the others."""
        for row in rows:
            if max(one or 0 for one in msgspec.structs.astuple(row.tokens)) <= MOST:
                yield row
            else:
                self.passed_over.append(left_out(row.agent, TOO_MANY))


def _day(one: UsageRecord | DecidedEdit) -> date:
    return one.at.astimezone(UTC).date()


def _changed(folders: list[Path], since: date) -> list[tuple[float, int, str]]:
    """Return when each file changed that changed since a day, its size and its name."""
    first = datetime.combine(since, time.min, UTC).timestamp()
    found = []
    for artifact in each_artifact(folders):
        if isinstance(artifact, UnreadEvidence):
            continue
        try:
            changed, size = _state(artifact)
        except OSError:  # it is gone, or nobody may look at it: reading it says so
            changed, size = first, 0
        if changed >= first:
            found.append((changed, size, artifact.name))
    return found


def _state(artifact: EvidenceArtifact) -> tuple[float, int]:
    """Return when a file changed and its bytes. Raises `OSError`.

    What a database was told last stands in a file beside it.
    """
    states = [part.stat() for part in artifact.parts]
    beside = artifact.parts[0].with_name(f"{artifact.parts[0].name}-wal")
    if beside.exists():
        states.append(beside.stat())
    return max(one.st_mtime for one in states), sum(one.st_size for one in states)


def _within(files: list[tuple[float, int, str]], most: int) -> set[str]:
    """Return the names of the newest files that have so many bytes together."""
    chosen: set[str] = set()
    left = most
    for _, size, name in sorted(files, reverse=True):
        if size <= left:
            chosen.add(name)
            left -= size
    return chosen
