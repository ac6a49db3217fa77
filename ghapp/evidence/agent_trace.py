"""Agent Trace records in the repository: lines of a revision by agent. It reads no git.

The format (https://agent-trace.dev) does not say where records are kept; this module reads those
below ``.agent-trace/``. A record names a revision, and its line numbers refer to the files of that
revision. A record made after its revision refers to files that no commit holds, so nobody can
find its lines.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import msgspec

from ghapp.attribution.model import UnreadEvidence
from ghapp.evidence.agents import agent_name
from ghapp.evidence.carried import CarriedCommit, CommitAttachment, LineClaim, LineRange, claimed
from ghapp.evidence.json_records import RecordError, decoded, to_time
from ghapp.evidence.source import Found

NAME = "agent_trace"
FOLDER = ".agent-trace/"
ENDINGS = (".jsonl", ".json")

# "revision": "9fceb02d0ae5"
_REVISION = re.compile(rb'"revision"\s*:\s*"([0-9a-f]{7,64})"')

JUST_AFTER = timedelta(minutes=1)
"""A hook that runs after a commit writes its record a moment after the commit."""
SHORTEST_SHA = 7
"""Hexadecimal digits of the shortest name that a record may give to a revision."""


class _Contributor(msgspec.Struct):
    type: Any = None


class _Range(msgspec.Struct):
    start_line: int
    end_line: int
    contributor: _Contributor | None = None


class _Conversation(msgspec.Struct):
    url: Any = None
    contributor: _Contributor | None = None
    ranges: list[_Range] = []


class _File(msgspec.Struct):
    path: str
    conversations: list[_Conversation] = []


class _Vcs(msgspec.Struct):
    type: Any = None
    revision: Any = None


class _Tool(msgspec.Struct):
    name: Any = None


class _Record(msgspec.Struct):
    id: str
    timestamp: Any = None
    vcs: _Vcs | None = None
    tool: _Tool | None = None
    files: list[_File] = []


_RECORD = msgspec.json.Decoder(_Record)


def is_named(path: str) -> bool:
    """Return whether a file of the repository may hold records."""
    return path.startswith(FOLDER) and path.endswith(ENDINGS)


def revisions(file: CommitAttachment) -> frozenset[str]:
    """Return the first digits of every revision that a record of the file may name."""
    found = (match[1].decode() for line in file.lines for match in _REVISION.finditer(line))
    return frozenset(name[:SHORTEST_SHA] for name in found)


def read(commit: CarriedCommit, attached: Sequence[CommitAttachment]) -> Iterator[Found]:
    """Yield one edit for each conversation and file in the records of a commit."""
    for file in attached:
        late = 0
        for found in _of_commit(file, commit):
            if isinstance(found, UnreadEvidence):
                yield found
            elif _is_late(found, commit):
                late += 1
            elif (agent := agent_name(found.tool.name if found.tool else None)) is None:
                said = f"record {found.id} names no tool: its lines are left out"
                yield UnreadEvidence(source=file.name, line=None, problem=said)
            else:
                yield from _edits(found, agent, commit)
        if late:
            said = (
                f"{late} record(s) made after {commit.sha}, the revision they name: "
                "no commit holds the lines that they count"
            )
            yield UnreadEvidence(source=file.name, line=None, problem=said)


def _of_commit(file: CommitAttachment, commit: CarriedCommit) -> Iterator[_Record | UnreadEvidence]:
    """Yield the records that name a commit, and possible records that cannot be read."""
    sign = commit.sha[:SHORTEST_SHA].encode()
    for number, line in _records(file):
        if sign not in line:
            continue
        try:
            record = decoded(_RECORD, line)
        except RecordError as problem:
            yield UnreadEvidence(source=file.name, line=number, problem=str(problem))
            continue
        revision = record.vcs.revision if record.vcs and record.vcs.type == "git" else ""
        is_name = isinstance(revision, str) and len(revision) >= SHORTEST_SHA
        if is_name and commit.sha.startswith(str(revision)):
            yield record


def _records(file: CommitAttachment) -> Iterator[tuple[int, bytes]]:
    """Yield records with their line number: one in each line, or one in the whole file."""
    if file.name.endswith(".json"):
        yield 1, b"".join(file.lines)
    else:
        yield from enumerate(file.lines, 1)


def _is_late(record: _Record, commit: CarriedCommit) -> bool:
    at = to_time(record.timestamp)
    return at is None or at > commit.committed_at + JUST_AFTER


def _edits(record: _Record, agent: str, commit: CarriedCommit) -> Iterator[Found]:
    for file in record.files:
        for conversation in file.conversations:
            ranges = tuple(
                LineRange(one.start_line, one.end_line)
                for one in conversation.ranges
                if _is_agents(one.contributor or conversation.contributor)
            )
            agent_session = _agent_session(conversation) or record.id
            claim = LineClaim(NAME, agent, agent_session, file.path, ranges)
            if edit := claimed(commit, claim):
                # A file may have several records of one conversation.
                yield msgspec.structs.replace(edit, id=f"{edit.id}:{record.id}")


def _is_agents(contributor: _Contributor | None) -> bool:
    """Return whether an agent alone wrote the lines; mixed and unknown lines stay unknown."""
    return contributor is not None and contributor.type == "ai"


def _agent_session(conversation: _Conversation) -> str | None:
    """Return the id at the end of a conversation's URL: a transcript's name, or the id itself."""
    if not isinstance(conversation.url, str):
        return None
    try:
        return PurePosixPath(urlsplit(conversation.url).path).stem or None
    except ValueError:
        return None
