"""How each source of usage is doing: when it last came, how much, what was refused, how complete.

A page and the API show it to an organization's owners. Requests, points and rows are counts of what
came; they say nothing about tokens or edits of anybody.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from ghapp.attribution.model import Struct
from ghapp.otlp.refusals import WORDS, RefusalReason
from ghapp.otlp.senders.claude_code import AGENT, counts_once
from ghapp.store import Installation, UsageArrival, UsageRefusal
from ghapp.store.summaries.usage_sources import UsageCoverage
from ghapp.summaries.selection import EARLIEST
from ghapp.usage.sources import UsageSource
from ghapp.vendors.registry import VENDORS
from ghapp.web.access import readable
from ghapp.web.current import services

KINDS = {
    UsageSource.TRANSCRIPTS: "rows",
    UsageSource.EVENTS: "events",
    UsageSource.METRICS: "data points",
}
"""What the requests of a source hold."""
WHOLE = {
    "request_400": "requests that could not be read",
    "request_403": "reports of a repository that their sender may not write",
    "request_404": "reports of repositories where the app is not installed",
    "request_413": "requests that were too large",
    "request_415": "requests of another media type or encoding",
    "request_422": "reports that do not fit: update the collector",
}
"""Why a request was refused whole."""


class ArrivedOn(Struct, frozen=True):
    """What came on one day of one agent."""

    day: date
    """On which it came, not that of the usage."""
    agent: str | None
    """``None``: nothing was kept."""
    requests: int
    kept: int
    """Rows, events or data points."""


class RefusedFor(Struct, frozen=True):
    """What was refused for one reason."""

    reason: str
    words: str
    count: int
    last_at: datetime


class SourceStatus(Struct, frozen=True, kw_only=True):
    """One source of usage."""

    name: str
    """``transcripts``, ``events`` or ``metrics``, or another one that joins them."""
    last_success_at: datetime | None
    """When anything of it was last kept; ``None``: never, as far as is known."""
    last_problem: str | None = None
    """What was wrong with what was last refused."""
    last_problem_at: datetime | None = None
    requests: int | None = None
    """On the selected days, as for what follows; ``None``: the app reads it by itself."""
    kept: int | None = None
    arrivals: tuple[ArrivedOn, ...] = ()
    """By day and agent, the latest day first."""
    refusals: tuple[RefusedFor, ...] = ()
    """By reason, most first."""
    agent_sessions_covered: int | None = None
    """Agent sessions of the evidence that it told of; ``None``: it names none."""
    coverage: float | None = None
    """Part of all agent sessions of the evidence, from 0 to 1; ``None``: there are none."""
    versions_counting_twice: tuple[str, ...] = ()
    """Versions of Claude Code that it told of and that counted tokens twice: do not compare."""


class SourcesStatus(Struct, frozen=True, kw_only=True):
    """The sources of an organization's usage on some days."""

    since: date
    until: date
    agent_sessions: int
    """Agent sessions of the evidence, each once on every day on which it edited."""
    agent_sessions_covered: int
    """Those of them that any source told of."""
    coverage: float | None
    sources: tuple[SourceStatus, ...]


def sources_status(installation: Installation, since: date, until: date) -> SourcesStatus:
    """Return the sources of an organization whose owner asks."""
    found = services.usage_sources.coverage(
        installation.id, sorted(readable(installation.id)), since, until
    )
    return SourcesStatus(
        since=since,
        until=until,
        agent_sessions=found.agent_sessions,
        agent_sessions_covered=found.covered,
        coverage=_part(found.covered, found),
        sources=(*_sent(installation, since, until, found), *_read(installation)),
    )


def _sent(
    installation: Installation, since: date, until: date, found: UsageCoverage
) -> Iterable[SourceStatus]:
    """Yield what is sent to us: by collectors, and as telemetry."""
    arrivals = services.store.arrivals
    today = services.clock().date()
    last_kept = arrivals.last_kept(installation.id)
    came = arrivals.came(installation.id, since, until)
    refused = arrivals.refused(installation.id, EARLIEST, today)
    for source in KINDS:
        shown = [one for one in came if one.source is source]
        problems = [one for one in refused if one.source is source]
        last = max(problems, key=lambda one: one.last_at, default=None)
        yield SourceStatus(
            name=source.name.lower(),
            last_success_at=last_kept.get(source),
            last_problem=words_of(source, last.reason) if last else None,
            last_problem_at=last.last_at if last else None,
            requests=sum(one.requests for one in shown),
            kept=sum(one.kept for one in shown),
            arrivals=tuple(map(_arrived, shown)),
            refusals=_by_reason(source, [one for one in problems if since <= one.day <= until]),
            agent_sessions_covered=found.by_source.get(source, 0),
            coverage=_part(found.by_source.get(source, 0), found),
            versions_counting_twice=_counting_twice(source, found),
        )


def _read(installation: Installation) -> Iterable[SourceStatus]:
    """Yield what we read: a vendor that an owner connected tells days, not agent sessions."""
    for one in services.store.vendors.connections(installation.id):
        yield SourceStatus(
            name=VENDORS[one.vendor].title if one.vendor in VENDORS else one.vendor,
            last_success_at=one.succeeded_at,
            last_problem=one.problem,
            last_problem_at=one.problem_at,
        )


def words_of(source: UsageSource, reason: str) -> str:
    """Return why something was refused, in words.

    >>> words_of(UsageSource.EVENTS, "negative"), words_of(UsageSource.METRICS, "request_413")
    ('events negative', 'requests that were too large')
    """
    if reason in WHOLE:
        return WHOLE[reason]
    if reason in {one.value for one in RefusalReason}:
        return f"{KINDS[source]} {WORDS[RefusalReason(reason)]}"
    return reason


def _arrived(one: UsageArrival) -> ArrivedOn:
    return ArrivedOn(one.day, one.agent or None, one.requests, one.kept)


def _by_reason(source: UsageSource, refused: Sequence[UsageRefusal]) -> tuple[RefusedFor, ...]:
    found: defaultdict[str, list[UsageRefusal]] = defaultdict(list)
    for one in refused:
        found[one.reason].append(one)
    rows = (
        RefusedFor(
            reason=reason,
            words=words_of(source, reason),
            count=sum(one.count for one in own),
            last_at=max(one.last_at for one in own),
        )
        for reason, own in found.items()
    )
    return tuple(sorted(rows, key=lambda row: (-row.count, row.reason)))


def _part(covered: int, found: UsageCoverage) -> float | None:
    return round(covered / found.agent_sessions, 4) if found.agent_sessions else None


def _counting_twice(source: UsageSource, found: UsageCoverage) -> tuple[str, ...]:
    """Return versions whose telemetry counted twice; their transcripts never did."""
    if source is UsageSource.TRANSCRIPTS:
        return ()
    return tuple(
        one.version
        for one in found.versions.get(source, ())
        if one.agent == AGENT and one.version is not None and not counts_once(one.version)
    )
