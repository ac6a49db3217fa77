"""Which edit of an agent wrote a line of a checkout, and what the person had asked for.

The line's commit is audited as if it were a merged pull request, by the standard rules, with the
transcripts of this machine. It prints nothing and stores nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from msgspec.structs import replace

from ghapp.attribution.model import (
    Edit,
    LineVerdict,
    PassedOver,
    Reason,
    Struct,
    UnreadEvidence,
    Verdict,
)
from ghapp.attribution.policy import Policy
from ghapp.git.repository import GitRepository
from ghapp.git.worktree import BlamedLine, blamed
from ghapp.mine.conversation import request_of
from ghapp.offline import OfflineAudit, OfflineTerms, audit_commit, audit_uncommitted
from ghapp.reports.words import sentence


class WhyAnswer(StrEnum):
    """What is known of who wrote a line."""

    AGENT = "agent"
    NO_AGENT = "no_agent"
    """No edit of an agent on this machine wrote it."""
    UNKNOWN = "unknown"


class WhyEdit(Struct, frozen=True):
    """The edit that wrote a line, or the one that comes nearest."""

    id: str
    agent: str
    agent_version: str | None
    model: str | None
    agent_session: str
    tool: str
    path: str
    """As the agent named it."""
    at: datetime
    outcome: str
    difference: float | None
    """How far the line differs from the agent's, 0 to 1; ``None``: they were not compared."""


class WhyRequest(Struct, frozen=True):
    """What the person had asked the agent."""

    text: str
    at: datetime | None


class WhyRead(Struct, frozen=True):
    """What was read for the answer."""

    folders: tuple[str, ...]
    edits: int
    """Edits that could have written the line, of this repository and near that time."""
    unread: int
    """Records that could not be read."""
    passed_over: tuple[PassedOver, ...]
    """What was not read as an edit."""


class LineOrigin(Struct, frozen=True):
    """Why a line is there."""

    path: str
    line: int
    text: str
    commit: str | None
    """``None``: not committed yet, as for the next one."""
    committed_at: datetime | None
    answer: WhyAnswer
    reason: str | None
    """The rule's word for it; ``None``: no audit says anything about this line."""
    because: str
    """One sentence."""
    edit: WhyEdit | None
    """Of another answer than `WhyAnswer.AGENT`: the one that comes nearest, if any does."""
    request: WhyRequest | None
    """What led to this edit."""
    request_unknown: str | None
    """Why no request is known; ``None``: one is, or no edit is named."""
    transcript: str | None
    """The file on this machine that holds the edit."""
    read: WhyRead


_NO_EDIT = frozenset({Reason.NO_MATCH, Reason.REWRITTEN, Reason.NOT_APPLIED})
_NOT_HERE = "Its commit does not add this line: it stood elsewhere before."
_NOT_WHOLE = "Its commit cannot be read whole in this clone."
_CUT = "The history of this clone ends at its commit: git fetch --unshallow"


def why(
    git: GitRepository,
    place: tuple[str, int],
    transcripts: Sequence[Path],
    policy: Policy,
    now: datetime,
) -> tuple[LineOrigin, tuple[UnreadEvidence, ...]]:
    """Return why a line is there, and the records that could not be read.

    ``place`` is the file's path below the checkout's root and the line's number. Raises `GitError`
    if the checkout has no such line, and `ArtifactError` if a transcript is not there.
    """
    path, number = place
    line = blamed(git, path, number)
    terms = OfflineTerms(evidence=tuple(transcripts), policy=policy, at=now)
    if line.commit is None:
        done = audit_uncommitted(git, path, terms=terms)
    else:
        done = audit_commit(git, line.commit, terms=replace(terms, carried=True))
    found = _verdict(done, line)
    answer, because = _judged(done, found, is_cut=line.commit in git.shallow())
    edit = _edit(done, found)
    request = request_of(edit, transcripts) if edit else None
    prompt = request.prompt if request else None
    origin = LineOrigin(
        path=path,
        line=number,
        text=line.text,
        commit=line.commit,
        committed_at=git.commit(line.commit).committed_at if line.commit else None,
        answer=answer,
        reason=found.reason if found else None,
        because=because,
        edit=_shown(edit, found),
        request=WhyRequest(text=prompt.text, at=prompt.at) if prompt else None,
        request_unknown=request.unknown if request else None,
        transcript=request.transcript if request else None,
        read=_read(done, transcripts),
    )
    return origin, done.problems


def _verdict(done: OfflineAudit, line: BlamedLine) -> LineVerdict | None:
    """Return what the audit says about a line; ``None``: it adds no such line."""
    files = (file for file in done.audit.files if file.path == line.path)
    return next((one for file in files for one in file.lines if one.line == line.line), None)


def _judged(
    done: OfflineAudit, found: LineVerdict | None, *, is_cut: bool
) -> tuple[WhyAnswer, str]:
    """Return the answer, and why it is this one."""
    if is_cut or found is None or not done.audit.inputs.change_complete:
        whole = _NOT_HERE if done.audit.inputs.change_complete else _NOT_WHOLE
        return WhyAnswer.UNKNOWN, _CUT if is_cut else whole
    if found.attributed or (found.reason == Reason.OUTSIDE_WINDOW and found.edit):
        return WhyAnswer.AGENT, sentence(found.reason)
    unread = found.reason in _NO_EDIT and _what_lacks(done)
    is_known = found.reason in _NO_EDIT and not unread
    answer = WhyAnswer.NO_AGENT if is_known else WhyAnswer.UNKNOWN
    return answer, unread or sentence(found.reason)


def _what_lacks(done: OfflineAudit) -> str | None:
    """Return what of the evidence lacks, so that another edit may have written the line."""
    if done.audit.verdict is Verdict.NO_EVIDENCE:
        return "No edit of an agent in this repository is recorded here near that time."
    if done.problems:
        count = len(done.problems)
        return f"No edit that was read wrote it, and {count} of the records could not be read."
    return None


def _edit(done: OfflineAudit, found: LineVerdict | None) -> Edit | None:
    """Return the edit that a verdict names, as it was read."""
    if found is None or found.edit is None:
        return None
    same = [one for one in done.evidence.edits if one.id == found.edit]
    for edit in same:
        if edit.agent_session == found.agent_session and edit.at == found.edited_at:
            return edit
    used = [one.edit for one in done.evidence.commands if one.edit.id == found.edit]
    return next(iter([*same, *used]), None)


def _shown(edit: Edit | None, found: LineVerdict | None) -> WhyEdit | None:
    if edit is None or found is None:
        return None
    return WhyEdit(
        id=edit.id,
        agent=edit.agent,
        agent_version=edit.agent_version,
        model=edit.model,
        agent_session=edit.agent_session,
        tool=edit.tool,
        path=edit.path,
        at=edit.at,
        outcome=edit.outcome.value,
        difference=found.difference,
    )


def _read(done: OfflineAudit, transcripts: Sequence[Path]) -> WhyRead:
    inputs = done.audit.inputs
    return WhyRead(
        folders=tuple(map(str, transcripts)),
        edits=inputs.edits_considered,
        unread=len(done.problems),
        passed_over=inputs.passed_over or (),
    )
