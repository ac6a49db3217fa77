"""The request that led to an edit, from the transcript on this machine. It stores nothing.

A transcript is looked for again once the edit is known: no prompt passes through anything that
audits, stores or sends.
"""

import mmap
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ghapp.attribution.identity import is_drawn
from ghapp.attribution.model import Edit, UnreadEvidence
from ghapp.evidence import claude_code
from ghapp.evidence.registry import source_of
from ghapp.ingest import opencode_rows
from ghapp.ingest.artifacts import (
    PACKED,
    ArtifactReader,
    EvidenceArtifact,
    each_artifact,
    is_of_a_message,
    opened,
)
from ghapp.mine.prompts import NEVER, CallMention, PersonPrompt, prompts_and_mentions


class FoundRequest(NamedTuple):
    """What the person asked before an edit, or why that is unknown."""

    prompt: PersonPrompt | None
    transcript: str | None
    """The file that holds the edit; ``None``: it was not found."""
    unknown: str | None = None
    """Why no request is known; ``None``: one is."""


def request_of(edit: Edit, folders: Iterable[Path]) -> FoundRequest:
    """Return the request that led to an edit, as the transcripts below some folders tell it.

    ``edit`` is as it was read, with the path that the agent wrote.
    """
    for artifact in each_artifact(folders):
        if isinstance(artifact, UnreadEvidence) or not _may_hold(artifact, edit):
            continue
        if any(_is_same(edit, one) for one in ArtifactReader().read(artifact)):
            return _in_transcript(artifact, edit)
    return FoundRequest(None, None, "no transcript on this machine holds this edit")


def _is_same(edit: Edit, found: object) -> bool:
    return isinstance(found, Edit) and (found.id, found.path, found.agent_session) == (
        edit.id,
        edit.path,
        edit.agent_session,
    )


def _may_hold(artifact: EvidenceArtifact, edit: Edit) -> bool:
    """Say cheaply whether a file may hold an edit: it names its call, or its agent session."""
    signs = [edit.agent_session.encode(), _call(edit).encode()]
    if any(sign in artifact.name.encode(errors="replace") for sign in signs):
        return True
    return any(part.suffix == PACKED or _holds(part, signs) for part in artifact.parts)


def _holds(part: Path, signs: Iterable[bytes]) -> bool:
    try:
        with part.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            return any(text.find(sign) >= 0 for sign in signs)
    except (OSError, ValueError):  # an empty file cannot be mapped
        return False


def _call(edit: Edit) -> str:
    """Return the id of an edit's call: a shell command's second file has ``#2`` behind it."""
    return edit.id.partition("#")[0]


def _in_transcript(artifact: EvidenceArtifact, edit: Edit) -> FoundRequest:
    """Return the last request before an edit in the file that holds it."""
    try:
        head, lines = opened(artifact)
        source = source_of(artifact.name, head)
        if head.startswith(opencode_rows.SIGN):
            lines = opencode_rows.conversation(artifact.parts[0], edit.agent_session)
        if source is None or is_of_a_message(artifact):
            why = "this version of the agent keeps each part of a conversation in a file of its own"
            return FoundRequest(None, artifact.name, why)
        prompt = _before(edit, prompts_and_mentions(source.NAME, lines, frozenset({_call(edit)})))
    except OSError as problem:
        return FoundRequest(None, artifact.name, f"the transcript cannot be read: {problem}")
    if prompt is None and source is claude_code and _is_subagents(artifact.name):
        return _of_parent(artifact, edit)
    if prompt is None:
        why = NEVER.get(source.NAME, "its records hold no request before this edit")
        return FoundRequest(None, artifact.name, why)
    return FoundRequest(prompt, artifact.name)


def _is_subagents(name: str) -> bool:
    return "/subagents/" in name or Path(name).name.startswith("agent-")


def _of_parent(artifact: EvidenceArtifact, edit: Edit) -> FoundRequest:
    """Return the request to the agent session that started a subagent."""
    tree = claude_code.tree_of(artifact.name)
    beside = Path(artifact.name).with_name(f"{edit.agent_session}.jsonl")
    for parent in (Path(f"{tree}.jsonl"), beside):
        if parent.is_file() and str(parent) != artifact.name:
            with parent.open("rb") as lines:
                told = [*prompts_and_mentions(claude_code.NAME, lines, frozenset())]
            prompt = _before(edit, told)
            if prompt is not None:
                return FoundRequest(prompt, str(parent))
    why = "a subagent made this edit, and the transcript of its agent session is not here"
    return FoundRequest(None, artifact.name, why)


def _before(edit: Edit, told: Iterable[PersonPrompt | CallMention]) -> PersonPrompt | None:
    """Return the last prompt before the edit's call, else the last one before its time."""
    last: PersonPrompt | None = None
    by_time: PersonPrompt | None = None
    at_call: PersonPrompt | None = None
    is_named = False
    for one in told:
        if isinstance(one, PersonPrompt):
            last = one
            by_time = one if one.at is not None and one.at <= edit.at else by_time
        elif not is_named or _is_later_call(one, edit):
            is_named, at_call = True, last
    return at_call if is_named else by_time


def _is_later_call(one: CallMention, edit: Edit) -> bool:
    """Say whether a further place that names a call's id may be the edit's own.

    Models that number their calls begin again with each turn.
    """
    return not is_drawn(edit.id) and one.at is not None and one.at <= edit.at
