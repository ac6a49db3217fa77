"""The page of an organization's sources of usage, for its owners."""

from collections import defaultdict
from datetime import timedelta

from flask import render_template, request
from msgspec.structs import replace

from ghapp.attribution.model import Struct
from ghapp.summaries.selection import EARLIEST
from ghapp.web.access import note_access, readable_ids, require_admin
from ghapp.web.current import services
from ghapp.web.pages.blueprint import pages
from ghapp.web.pages.filters import asked_for, takes
from ghapp.web.pages.usage import SOURCES
from ghapp.web.usage_sources import KINDS, SourceStatus, sources_status

SHOWN = timedelta(days=27)
"""Days before the last one that the page covers by default."""


class AgentArrivals(Struct, frozen=True):
    """What came of one agent."""

    agent: str | None
    days: int
    requests: int
    kept: int


@pages.get("/organizations/<organization>/usage/sources")
@takes({"since", "until"})
def organization_usage_sources(organization: str) -> str:
    """Show an organization's sources of usage."""
    account = require_admin(organization)
    wanted = asked_for(readable_ids(account.id), services.clock().date())
    until = wanted.selection.until or wanted.today
    if not request.args.get("since"):
        since = max(until - SHOWN, EARLIEST)
        wanted = replace(wanted, selection=replace(wanted.selection, since=since))
    note_access("usage sources", detail=account.account)
    status = sources_status(account, wanted.selection.since or until, until)
    return render_template(
        "organization_usage_sources.html",
        account=account.account,
        asked=wanted,
        status=status,
        by_agent={one.name: _by_agent(one) for one in status.sources},
        source_words=SOURCES,
        kinds={source.name.lower(): words for source, words in KINDS.items()},
    )


def _by_agent(status: SourceStatus) -> tuple[AgentArrivals, ...]:
    """Return what came by agent, most first."""
    found: defaultdict[str | None, list[tuple[int, int]]] = defaultdict(list)
    for one in status.arrivals:
        found[one.agent].append((one.requests, one.kept))
    rows = (
        AgentArrivals(agent, len(own), sum(one for one, _ in own), sum(one for _, one in own))
        for agent, own in found.items()
    )
    return tuple(sorted(rows, key=lambda row: (-row.kept, row.agent or "")))
