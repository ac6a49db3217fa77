"""The sentences beside a share: whose machines reported, and what evidence was erased."""

from collections.abc import Iterator

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
    """Return the sentences that qualify the share of many; ``None``: no author is known."""
    heard = services.summaries.heard(selection)
    return of_authors(heard) if heard.pulls else None
