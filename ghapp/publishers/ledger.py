"""Remember between audits what the publishers wrote. It writes nothing on GitHub."""

from collections.abc import Sequence
from datetime import datetime

import structlog

from ghapp.github.client import GitHub
from ghapp.publishers.publisher import Memories, PublisherMemory, PublisherReport, WriteResult
from ghapp.publishers.registry import PUBLISHERS
from ghapp.store import Publication, SavedAudit, Store

log = structlog.get_logger()


def memories(saved: SavedAudit, github: GitHub, store: Store) -> Memories:
    """Return what the publishers asked to remember, and what they were about to make."""
    kept, where = store.publications, (saved.repository_id, saved.pull_request)

    def memory(name: str) -> PublisherMemory:
        last = kept.last(*where, name)
        shelf = f"{name}:{saved.repository_id}:"
        return PublisherMemory(
            recall=lambda what: store.cursors.read(shelf + what.casefold()),
            keep=lambda what, value: store.cursors.move(
                shelf + what.casefold(), value, now=github.now()
            ),
            note=lambda: kept.note(saved, name, at=github.now()),
            withdraw=lambda: kept.withdraw(saved, name, at=github.now()),
            external_id=None if last is None else last.external_id,
            noted_at=kept.noted_at(*where, name),
        )

    return {name: memory(name) for name in PUBLISHERS}


def record(
    published: Sequence[PublisherReport], saved: SavedAudit, store: Store, now: datetime
) -> None:
    """Store what each publisher did; store only once for an audit that nothing changed."""
    known = {one.publisher: one for one in store.publications.of(saved)}
    for one in published:
        detail = one.told or one.detail
        log.info("published", publisher=one.name, outcome=one.outcome, detail=detail)
        if _is_known(one, known.get(one.name)):
            continue
        row = Publication(
            publisher=one.name,
            outcome=one.outcome,
            asked_at=now,
            detail=detail,
            external_id=one.external_id,
            url=one.url,
            read_back_at=None if one.confirmed is None else now,
            read_back_ok=one.confirmed,
        )
        store.publications.record(saved, row)


def _is_known(one: PublisherReport, last: Publication | None) -> bool:
    """Say whether the ledger holds this already: left out once more, or as it was.

    It does not hold what GitHub wrote although it answered with an error.
    """
    if last is not None and one.outcome is WriteResult.LEFT_OUT:
        return last.outcome == WriteResult.LEFT_OUT
    return (
        one.outcome is WriteResult.UNCHANGED
        and last is not None
        and last.outcome != WriteResult.NOT_WRITTEN
        and last.external_id == one.external_id
    )
