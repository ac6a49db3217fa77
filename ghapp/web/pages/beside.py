"""The sentences that stand beside a share on a page: who was heard of, and what was erased."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time

from ghapp.bootstrap import Services
from ghapp.reports.coverage import erased, of_author, of_authors
from ghapp.store import SavedAudit
from ghapp.summaries.selection import PullSelection


def beside_pull(services: Services, saved: SavedAudit) -> list[str]:
    """Return what has to be known to read one audit's share."""
    return list(_of_pull(services, saved))


def beside_pulls(services: Services, selection: PullSelection) -> str | None:
    """Return what has to be known to read the share of many; ``None``: no author is known.

    Of a selection its repositories and days count, not its other filters.
    """
    since = datetime.combine(selection.since or date.min, time.min, UTC)
    until = datetime.combine(selection.until or date.max, time.max, UTC)
    covered = services.store.coverage.covered(selection.repository_ids, since, until)
    if not covered.pulls:
        return None
    return of_authors(covered.pulls, covered.without, is_all=covered.is_all)


def _of_pull(services: Services, saved: SavedAudit) -> Iterator[str]:
    known = services.store.coverage.of_pull(saved.repository_id, saved.pull_request)
    if known is not None:
        yield of_author(known)
    gone = services.store.erasures.since(saved)
    if gone is not None:
        yield erased(gone.edits, gone.last_at.date().isoformat())
