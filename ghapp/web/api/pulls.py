"""Merged pull requests, their audits and their lines, as the API shows them."""

from collections.abc import Iterator
from datetime import datetime

from flask import Blueprint, Response, abort

from ghapp.attribution.document import from_document
from ghapp.attribution.model import Audit, Struct
from ghapp.bootstrap import Services
from ghapp.store import Publication, Repository, SavedAudit
from ghapp.web.access import note_access, require_reader
from ghapp.web.api.answers import ListPage, answer, listed, tagged
from ghapp.web.api.questions import LineParameters, NoParameters, read

LARGEST = 2**31 - 1
"""The largest number of a pull request or audit that the database keeps."""


class PullAnswer(Struct, frozen=True):
    """A pull request, its audits and what was said on GitHub."""

    repository: str
    pull_request: int
    in_force: SavedAudit
    """The latest audit, without its document."""
    audits: tuple[SavedAudit, ...]
    """All of them, the oldest first."""
    published: tuple[Publication, ...]
    """What was asked of GitHub for the audit in force, and what was read back."""


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
    """With the three that follow ``None`` where no edit is involved."""
    agent_session: str | None
    edit: str | None
    edited_at: datetime | None


def add(blueprint: Blueprint, services: Services) -> None:
    """Add the routes on pull requests, audits, documents and lines."""
    one = f"/repositories/<owner>/<name>/pulls/<int(max={LARGEST}):number>"

    @blueprint.get(one)
    def pull(owner: str, name: str, number: int) -> Response:
        repository = require_reader(services, owner, name)
        read(NoParameters)
        audits = services.store.audits.all_of(repository.id, number)
        if not audits:
            abort(404, f"there is no audit of #{number}")
        note_access(services, "audit", repository=repository, pull_request=number)
        published = services.store.publications.of(audits[-1])
        return answer(
            PullAnswer(
                repository=repository.full_name,
                pull_request=number,
                in_force=audits[-1],
                audits=audits,
                published=published,
            )
        )

    @blueprint.get(f"{one}/document", defaults={"audit": None})
    @blueprint.get(f"{one}/audits/<int(max={LARGEST}):audit>/document")
    def document(owner: str, name: str, number: int, audit: int | None) -> Response:
        repository = require_reader(services, owner, name)
        read(NoParameters)
        saved = _audit(services, repository, number, audit)
        note_access(services, "document", repository=repository, pull_request=number)
        return tagged(_document(services, saved), saved.digest)

    @blueprint.get(f"{one}/lines")
    def lines(owner: str, name: str, number: int) -> Response:
        repository = require_reader(services, owner, name)
        asked = read(LineParameters)
        began, seen = _place(asked.after)
        saved = _audit(services, repository, number, began or asked.audit)
        note_access(services, "lines", repository=repository, pull_request=number)
        wanted = _wanted(from_document(_document(services, saved)), asked)
        return listed(_cut(list(wanted), saved.number, seen, asked.limit))


def _audit(
    services: Services, repository: Repository, number: int, audit: int | None
) -> SavedAudit:
    audits = services.store.audits
    found = (
        audits.latest(repository.id, number)
        if audit is None
        else audits.numbered(repository.id, number, audit)
    )
    return found or abort(404, f"there is no such audit of #{number}")


def _document(services: Services, saved: SavedAudit) -> bytes:
    found = services.store.audits.document(saved.id)
    assert found is not None  # noqa: S101 - audits are never deleted
    return found


def _wanted(audit: Audit, asked: LineParameters) -> Iterator[LineAnswer]:
    for file in audit.files:
        if asked.path not in {None, file.path}:
            continue
        for line in file.lines:
            if asked.reason not in {None, line.reason}:
                continue
            if asked.attributed not in {None, line.attributed}:
                continue
            yield LineAnswer(
                path=file.path,
                line=line.line,
                reason=line.reason,
                attributed=line.attributed,
                difference=line.difference,
                agent=line.agent,
                agent_session=line.agent_session,
                edit=line.edit,
                edited_at=line.edited_at,
            )


def _place(after: str | None) -> tuple[int | None, int]:
    """Return the audit that a list began with and how many lines were shown.

    Audits never change, so a list that goes on in the same one neither skips nor repeats.
    """
    if after is None:
        return None, 0
    audit, _, seen = after.partition(".")
    numbers = [int(one) for one in (audit, seen) if one.isascii() and one.isdigit()]
    if len(numbers) != 2 or not 0 < numbers[0] <= LARGEST:
        abort(400, f"after is {after!r}; give what the Link header of the page before says")
    return numbers[0], numbers[1]


def _cut(lines: list[LineAnswer], audit: int, seen: int, limit: int) -> ListPage:
    end = seen + limit
    after = f"{audit}.{end}" if end < len(lines) else None
    return ListPage(items=tuple(lines[seen:end]), after=after)
