"""Routes about merged pull requests, their audits and their lines."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

import msgspec
from flask import Response, abort

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Audit, EditSource, Struct
from ghapp.store import Publication, Repository, SavedAudit
from ghapp.web.access import note_access, require_reader
from ghapp.web.api.answers import ListPage, answer, listed, tagged
from ghapp.web.api.blueprint import api
from ghapp.web.api.operation import reads
from ghapp.web.api.questions import LineParameters, NoParameters, read
from ghapp.web.current import services

LARGEST = 2**31 - 1
"""The largest number of a pull request or audit that the database can hold."""
PULL = f"/repositories/<owner>/<name>/pulls/<int(max={LARGEST}):number>"


_UNKNOWN = EditSource(agent_version=None, model=None)


class PullAnswer(Struct, frozen=True):
    """A pull request, its audits and what the app published on GitHub."""

    repository: str
    pull_request: int
    in_force: SavedAudit
    """The latest audit, without its document."""
    audits: tuple[SavedAudit, ...]
    """All of them, the oldest first."""
    published: tuple[Publication, ...]
    """What the app wrote to GitHub for the audit in force, and what it read back."""


class LineAnswer(Struct, frozen=True):
    """One added line with its reason, and the edit that supports it or comes nearest."""

    path: str
    line: int
    """In the merged version, from 1."""
    reason: str
    attributed: bool
    difference: float | None
    """``None``: nothing was compared."""
    agent: str | None
    """This and the next three are ``None`` if no edit is involved."""
    agent_session: str | None
    edit: str | None
    edited_at: datetime | None
    agent_version: str | None
    """``None``: no edit is involved, or none of its records names it, as for the model."""
    model: str | None
    outcome: Literal["unrecorded"] | msgspec.UnsetType = msgspec.UNSET
    """Given only if no record tells the edit's outcome."""


@api.get(PULL)
@reads("readPullRequest", "Read a merged pull request's audits.", PullAnswer)
def pull(owner: str, name: str, number: int) -> Response:
    """Answer with a pull request's audits."""
    repository = require_reader(owner, name)
    read(NoParameters)
    audits = services.store.audits.all_of(repository.id, number)
    if not audits:
        abort(404, f"there is no audit of #{number}")
    note_access("audit", repository=repository, pull_request=number)
    return answer(
        PullAnswer(
            repository=repository.full_name,
            pull_request=number,
            in_force=audits[-1],
            audits=audits,
            published=services.store.publications.of(audits[-1]),
        )
    )


@api.get(f"{PULL}/document")
@reads("readDocument", "Read the document of the audit in force.", dict[str, Any])
def latest_document(owner: str, name: str, number: int) -> Response:
    """Answer with the document of the audit in force."""
    return _tagged_document(owner, name, number)


@api.get(f"{PULL}/audits/<int(max={LARGEST}):audit>/document")
@reads("readNumberedDocument", "Read the document of one audit.", dict[str, Any])
def document(owner: str, name: str, number: int, audit: int) -> Response:
    """Answer with the document of one audit."""
    return _tagged_document(owner, name, number, audit)


@api.get(f"{PULL}/lines")
@reads(
    "listLines",
    "List the added lines with their reasons.",
    tuple[LineAnswer, ...],
    question=LineParameters,
)
def lines(owner: str, name: str, number: int) -> Response:
    """List a pull request's added lines."""
    repository = require_reader(owner, name)
    asked = read(LineParameters)
    began, seen = _place(asked.after)
    saved = _audit(repository, number, began or asked.audit)
    note_access("lines", repository=repository, pull_request=number)
    wanted = _wanted(from_document(_document(saved)), asked)
    return listed(_cut(list(wanted), saved.number, seen, asked.limit))


def _tagged_document(owner: str, name: str, number: int, audit: int | None = None) -> Response:
    repository = require_reader(owner, name)
    read(NoParameters)
    saved = _audit(repository, number, audit)
    note_access("document", repository=repository, pull_request=number)
    return tagged(_document(saved), saved.digest)


def _audit(repository: Repository, number: int, audit: int | None) -> SavedAudit:
    """Return the audit with that number; ``None``: the one in force."""
    audits = services.store.audits
    found = (
        audits.latest(repository.id, number)
        if audit is None
        else audits.numbered(repository.id, number, audit)
    )
    return found or abort(404, f"there is no such audit of #{number}")


def _document(saved: SavedAudit) -> bytes:
    found = services.store.audits.document(saved.id)
    assert found is not None  # noqa: S101 - audits are never deleted
    return found


def _wanted(audit: Audit, asked: LineParameters) -> Iterator[LineAnswer]:
    sources = audit.edits or {}
    for file in audit.files:
        for line in file.lines if asked.path in {None, file.path} else ():
            is_reason = asked.reason in {None, line.reason}
            if is_reason and asked.attributed in {None, line.attributed}:
                made = sources.get(line.edit or "", _UNKNOWN)
                yield LineAnswer(
                    path=file.path, **msgspec.structs.asdict(line), **msgspec.structs.asdict(made)
                )


def _place(after: str | None) -> tuple[int | None, int]:
    """Return the audit that a list began with, and how many of its lines were shown.

    Audits never change, so a list that continues in the same one neither skips nor repeats lines.
    """
    if after is None:
        return None, 0
    audit, _, seen = after.partition(".")
    numbers = [int(one) for one in (audit, seen) if one.isascii() and one.isdigit()]
    if len(numbers) != 2 or not 0 < numbers[0] <= LARGEST:
        abort(400, f"after is {after!r}; copy it from the Link header of the previous page")
    return numbers[0], numbers[1]


def _cut(lines: list[LineAnswer], audit: int, seen: int, limit: int) -> ListPage:
    end = seen + limit
    after = f"{audit}.{end}" if end < len(lines) else None
    return ListPage(items=tuple(lines[seen:end]), after=after)
