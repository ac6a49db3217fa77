"""git-ai's notes: which agent session wrote which lines of a commit. It reads no git.

``refs/notes/ai`` attaches a note to a commit: lines by number, a divider, and JSON that names the
agent of each agent session. Whatever a note leaves open stays unknown. The format is git-ai's
standard 3.0.0 (https://github.com/git-ai-project/git-ai).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from ghapp.attribution.model import UnreadEvidence
from ghapp.evidence.agents import agent_name
from ghapp.evidence.carried import CarriedCommit, CommitAttachment, LineClaim, LineRange, claimed
from ghapp.evidence.json_records import RecordError, decoded
from ghapp.evidence.source import Found

NAME = "git_ai_notes"
REF = "refs/notes/ai"

#   a1b2c3d4::e5f6 1-4,9
_ENTRY = re.compile(r"  (\S+) ([0-9,-]+)")
# 9, 1-4
_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?")
_DIVIDER = "---"
_HUMAN = "h_"
_UNDESCRIBED = "a note names an agent session that it does not describe: its lines are left out"


class _AgentId(msgspec.Struct):
    tool: Any = None
    id: Any = None


class _AgentSession(msgspec.Struct):
    agent_id: _AgentId


class _Metadata(msgspec.Struct):
    sessions: dict[str, _AgentSession] = {}
    prompts: dict[str, _AgentSession] = {}
    """The member's name in earlier versions."""


_METADATA = msgspec.json.Decoder(_Metadata)

Attested = dict[tuple[str, str], list[LineRange]]
"""Path, and key of an agent session → its lines."""


def read(commit: CarriedCommit, attached: Sequence[CommitAttachment]) -> Iterator[Found]:
    """Yield one edit for each agent session and file that a commit's note names."""
    for note in attached:
        text = [line.decode(errors="replace").rstrip("\n") for line in note.lines]
        name = f"{note.name} of {commit.sha}"
        try:
            attested, metadata = _parse(text)
        except RecordError as problem:
            yield UnreadEvidence(source=name, line=None, problem=str(problem))
            continue
        for (path, key), ranges in attested.items():
            claim = _claim(path, key, ranges, metadata)
            if claim is None:
                yield UnreadEvidence(source=name, line=None, problem=_UNDESCRIBED)
            elif edit := claimed(commit, claim):
                yield edit


def _parse(text: Sequence[str]) -> tuple[Attested, _Metadata]:
    """Return the lines of a note, and its metadata. Raises `RecordError`."""
    if _DIVIDER not in text:
        raise RecordError("a note without a divider: it is skipped")
    at = text.index(_DIVIDER)
    return _attested(text[:at]), decoded(_METADATA, "\n".join(text[at + 1 :]).encode())


def _attested(text: Iterable[str]) -> Attested:
    """Return the lines of each agent session by file, without people's lines.

    All edits of one agent session are joined, so neighboring lines stay neighbors.
    """
    found: Attested = {}
    path = None
    for line in text:
        if entry := _ENTRY.fullmatch(line):
            key = entry[1].partition("::")[0]
            if path is not None and not key.startswith(_HUMAN):
                found.setdefault((path, key), []).extend(_ranges(entry[2]))
        elif line and not line[0].isspace():
            path = line.strip('"')
    return found


def _ranges(text: str) -> Iterator[LineRange]:
    for part in text.split(","):
        if numbers := _RANGE.fullmatch(part):
            yield LineRange(int(numbers[1]), int(numbers[2] or numbers[1]))


def _claim(path: str, key: str, ranges: list[LineRange], metadata: _Metadata) -> LineClaim | None:
    known = metadata.sessions.get(key) or metadata.prompts.get(key)
    agent = agent_name(known.agent_id.tool) if known else None
    if known is None or agent is None:
        return None
    # The tool's own id connects a note with the tool's own records.
    agent_session = known.agent_id.id if isinstance(known.agent_id.id, str) else key
    return LineClaim(NAME, agent, agent_session, path, tuple(ranges))
