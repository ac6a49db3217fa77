"""The sentences beside a share: whose machines reported, and what evidence was erased."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time

from ghapp.reports.coverage import erased, of_author, of_authors
from ghapp.store import SavedAudit
from ghapp.summaries.selection import PullSelection
from ghapp.web.current import services


def beside_pull(saved: SavedAudit) -> Iterator[str]:
    """Yield the sentences that qualify one audit's share."""
    known = services.store.coverage.of_pull(saved.repository_id, saved.pull_request)
    if known is not None:
        yield of_author(known)
    gone = services.store.erasures.since(saved)
    if gone is not None:
        yield erased(gone.edits, gone.last_at.date().isoformat())


def beside_pulls(selection: PullSelection) -> str | None:
    """Return the sentence that qualifies the share of many; ``None``: no author is known.

    It covers the selection's repositories and days, and ignores its other filters.
    """
    since = datetime.combine(selection.since or date.min, time.min, UTC)
    until = datetime.combine(selection.until or date.max, time.max, UTC)
    covered = services.store.coverage.covered(selection.repository_ids, since, until)
    if not covered.pulls:
        return None
    return of_authors(covered.pulls, covered.without, is_all=covered.is_all)
