"""What the publishers wrote at a pull request, remembered between audits. It writes on no page."""

from collections.abc import Sequence
from datetime import datetime

import structlog

from ghapp.github.client import GitHub
from ghapp.publishers.publisher import Memories, PublisherMemory, PublisherReport, WriteResult
from ghapp.publishers.registry import PUBLISHERS
from ghapp.store import Publication, SavedAudit, Store

log = structlog.get_logger()


def memories(saved: SavedAudit, github: GitHub, store: Store) -> Memories:
    """Return what the publishers asked to remember last time, and what they set out to do."""
    kept, where = store.publications, (saved.repository_id, saved.pull_request)

    def memory(name: str) -> PublisherMemory:
        last = kept.last(*where, name)
        return PublisherMemory(
            note=lambda: kept.note(saved, name, at=github.now()),
            external_id=None if last is None else last.external_id,
            noted_at=kept.noted_at(*where, name),
        )

    return {name: memory(name) for name in PUBLISHERS}


def record(
    published: Sequence[PublisherReport], saved: SavedAudit, store: Store, now: datetime
) -> None:
    """Keep what each publisher did; that nothing changed is recorded once for an audit."""
    told = {one.publisher: one for one in store.publications.of(saved)}
    for one in published:
        log.info("published", publisher=one.name, outcome=one.outcome, detail=one.detail)
        if _is_told(one, told.get(one.name)):
            continue
        row = Publication(
            publisher=one.name,
            outcome=one.outcome,
            asked_at=now,
            detail=one.detail,
            external_id=one.external_id,
            url=one.url,
            read_back_at=None if one.confirmed is None else now,
            read_back_ok=one.confirmed,
        )
        store.publications.record(saved, row)


def _is_told(one: PublisherReport, last: Publication | None) -> bool:
    """Say whether the ledger has it already.

    What was written although GitHub answered with an error is not in it.
    """
    return (
        one.outcome is WriteResult.UNCHANGED
        and last is not None
        and last.outcome != WriteResult.NOT_WRITTEN
        and last.external_id == one.external_id
    )
