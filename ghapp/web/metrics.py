"""``/metrics``: the state of the app for Prometheus, behind the operator token.

It names no person. All figures come from the database: a worker's process lives for a second, and
a counter in one web process would miss what the others did.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from flask import Blueprint, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ghapp.attribution.model import Verdict
from ghapp.bootstrap import Services
from ghapp.store import LEFT_OUT_FOR, StoreError
from ghapp.summaries.counts import PullCounts
from ghapp.summaries.selection import SMALLEST_GROUP, PullSelection, TimeGrain
from ghapp.usage.counts import UsageCounts, UsageSelection
from ghapp.web import current
from ghapp.web.errors import problem
from ghapp.web.operator import require_operator

DAY = timedelta(hours=24)
"""Sums cover the last day: the app deletes rows older than its settings say."""
FOUR_WEEKS = timedelta(days=27)
"""Days before today that shares cover: twenty-eight in all."""
LATE = timedelta(minutes=1)
"""How long a delivery may wait before it counts as left behind."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

metrics = Blueprint("metrics", __name__)
metrics.before_request(require_operator)


@metrics.get("/metrics")
def scrape() -> Response:
    """Answer with all metrics; 503 without a database."""
    try:
        return Response(render(current.services), content_type=CONTENT_TYPE)
    except StoreError:
        return problem(503, "the database is away")


def render(services: Services) -> bytes:
    """Return all metrics in the text format of Prometheus. Raises `DatabaseUnavailable`."""
    registry = CollectorRegistry()
    registry.register(_ServicesCollector(services))
    return generate_latest(registry)


class _ServicesCollector(Collector):
    """Reads every figure from the database, once per scrape."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        """Yield the figures as they are now."""
        now = self._services.clock()
        for figures in (
            *(_deliveries, _work, _backlog, _left_out, _stuck, _installations, _shares),
            *(_usage, _sources, _spend, _billed, _vendors),
        ):
            yield from figures(self._services, now)


def _deliveries(services: Services, now: datetime) -> Iterator[Metric]:
    accepted = GaugeMetricFamily(
        "ghapp_deliveries_accepted_day",
        "Deliveries accepted in the last 24 hours",
        labels=["event", "outcome"],
    )
    counts = services.store.deliveries.counts(now - DAY)
    for (event, outcome), count in sorted(counts.items(), key=str):
        accepted.add_metric([event, outcome or "open"], count)
    yield accepted


def _work(services: Services, now: datetime) -> Iterator[Metric]:
    ended = GaugeMetricFamily(
        "ghapp_work_items_ended_day",
        "Work items that ended in the last 24 hours",
        labels=["kind", "outcome"],
    )
    for (kind, outcome), count in sorted(services.store.work.ended(now - DAY).items()):
        ended.add_metric([kind, outcome], count)
    yield ended


def _backlog(services: Services, now: datetime) -> Iterator[Metric]:
    labels = ["installation", "lane"]
    waiting = GaugeMetricFamily(
        "ghapp_work_items_waiting", "Work items that are due", labels=labels
    )
    oldest = GaugeMetricFamily(
        "ghapp_work_items_oldest_seconds", "Age of the oldest work item that is due", labels=labels
    )
    for one in services.store.work.backlog(now):
        names = [str(one.installation_id or "-"), one.lane.value]
        waiting.add_metric(names, one.waiting)
        oldest.add_metric(names, (now - one.oldest).total_seconds())
    yield waiting
    yield oldest


def _left_out(services: Services, now: datetime) -> Iterator[Metric]:
    labels = ["installation", "publisher"]
    pulls = GaugeMetricFamily(
        "ghapp_publications_left_out",
        "Pull requests that the limit of writes had no room for, and still lack it",
        labels=labels,
    )
    oldest = GaugeMetricFamily(
        "ghapp_publications_left_out_seconds", "Age of the oldest of them", labels=labels
    )
    for one in services.store.publications.left_out(now - LEFT_OUT_FOR):
        names = [str(one.installation_id or "-"), one.publisher]
        pulls.add_metric(names, one.pulls)
        oldest.add_metric(names, (now - one.since).total_seconds())
    yield pulls
    yield oldest


def _stuck(services: Services, now: datetime) -> Iterator[Metric]:
    store = services.store
    yield GaugeMetricFamily(
        "ghapp_dead_letters",
        "Dead letters: work items that wait for a person",
        value=len(store.work.dead_letters()),
    )
    yield GaugeMetricFamily(
        "ghapp_deliveries_unsettled",
        "Deliveries that were accepted more than a minute ago and are not settled",
        value=len(store.deliveries.unsettled(now - LATE)),
    )
    yield GaugeMetricFamily(
        "ghapp_publications_not_confirmed_day",
        "Writes to GitHub in the last 24 hours that were refused or read back differently",
        value=len(store.publications.not_confirmed(now - DAY)),
    )
    yield GaugeMetricFamily(
        "ghapp_redis_up", "Whether Redis takes writes", value=services.queue.is_alive()
    )


def _installations(services: Services, now: datetime) -> Iterator[Metric]:
    parked = GaugeMetricFamily(
        "ghapp_installation_parked_seconds",
        "Seconds until GitHub accepts requests of the installation again",
        labels=["installation"],
    )
    left = GaugeMetricFamily(
        "ghapp_installation_requests_left",
        "Requests left in this hour, as GitHub last reported",
        labels=["installation"],
    )
    for one in services.store.installations.all():
        if one.parked_until is not None and one.parked_until > now:
            parked.add_metric([str(one.id)], (one.parked_until - now).total_seconds())
        headroom = services.pace.headroom(one.id)
        if headroom is not None:
            left.add_metric([str(one.id)], headroom.remaining)
    yield parked
    yield left


def _shares(services: Services, now: datetime) -> Iterator[Metric]:
    """Yield the counts behind the share, by installation; no repository, no person.

    Prometheus divides the two numbers of lines, so that a sum over installations stays right.
    """
    pulls = GaugeMetricFamily(
        "ghapp_pull_requests_four_weeks",
        "Merged pull requests of the last 28 days by verdict",
        labels=["installation", "verdict"],
    )
    lines = GaugeMetricFamily(
        "ghapp_lines_four_weeks",
        "Effective added lines of the last 28 days: all of them, and the attributed ones",
        labels=["installation", "lines"],
    )
    for one in services.store.installations.all():
        counts = _counts(services, one.id, now)
        for verdict in Verdict:
            pulls.add_metric([str(one.id), verdict], getattr(counts, verdict))
        lines.add_metric([str(one.id), "effective"], counts.whole_effective)
        if counts.share is not None:  # without evidence the number is unknown, not 0
            lines.add_metric([str(one.id), "attributed"], counts.whole_attributed)
    yield pulls
    yield lines


def _usage(services: Services, now: datetime) -> Iterator[Metric]:
    """Yield the usage of whole weeks by installation; nothing of fewer than five people.

    Sums over days that move would tell from scrape to scrape what single people did.
    """
    label = ["installation"]
    people = GaugeMetricFamily(
        "ghapp_usage_people_four_weeks",
        "People who used agents in the last four whole weeks",
        labels=label,
    )
    agent_sessions = GaugeMetricFamily(
        "ghapp_usage_agent_sessions_four_weeks",
        "Agent sessions of the last four whole weeks",
        labels=label,
    )
    tokens = GaugeMetricFamily(
        "ghapp_usage_tokens_four_weeks",
        "Tokens of the last four whole weeks; input excludes what caches gave",
        labels=[*label, "kind"],
    )
    edits = GaugeMetricFamily(
        "ghapp_usage_edits_four_weeks",
        "Edits decided in the last four whole weeks, and who decided",
        labels=[*label, "decided_by", "decision"],
    )
    lines = GaugeMetricFamily(
        "ghapp_usage_lines_accepted_four_weeks",
        "Lines of edits accepted in the last four whole weeks",
        labels=label,
    )
    for one in services.store.installations.all():
        counts, name = _used(services, one.id, now), str(one.id)
        if counts.people < SMALLEST_GROUP:
            continue
        people.add_metric([name], counts.people)
        if counts.agent_sessions is not None:
            agent_sessions.add_metric([name], counts.agent_sessions)
        if counts.tokens is not None:
            for kind in ("input", "output", "cache_read", "cache_write"):
                tokens.add_metric([name, kind], getattr(counts.tokens, kind))
        if counts.edits is not None:
            for by in ("by_people", "automatic", "unknown"):
                decided = getattr(counts.edits, by)
                edits.add_metric([name, by.removeprefix("by_"), "accepted"], decided.accepted)
                edits.add_metric([name, by.removeprefix("by_"), "refused"], decided.refused)
            if counts.edits.lines_accepted is not None:
                lines.add_metric([name], counts.edits.lines_accepted)
    yield from (people, agent_sessions, tokens, edits, lines)


def _used(services: Services, installation_id: int, now: datetime) -> UsageCounts:
    return services.usage.totals(_whole_weeks(services, installation_id, now))


def _whole_weeks(services: Services, installation_id: int, now: datetime) -> UsageSelection:
    """Return the last four whole weeks of an installation's usage, all of it."""
    known = services.store.installations.repositories(installation_id)
    sunday = TimeGrain.WEEK.start(now.date()) - timedelta(days=1)
    return UsageSelection(
        installation_id=installation_id,
        repository_ids=tuple(one.id for one in known),
        since=sunday - FOUR_WEEKS,
        until=sunday,
        has_unplaced=True,
    )


def _spend(services: Services, now: datetime) -> Iterator[Metric]:
    """Yield what whole weeks cost, each estimate by itself; nothing of few people."""
    labels = ["installation", "basis"]
    spent = GaugeMetricFamily(
        "ghapp_spend_microdollars_four_weeks",
        "Estimated cost of agents in the last four whole weeks, in millionths of a dollar",
        labels=labels,
    )
    left = GaugeMetricFamily(
        "ghapp_spend_unallocated_microdollars_four_weeks",
        "The part of it of agent sessions without a merged line",
        labels=labels,
    )
    unpriced = GaugeMetricFamily(
        "ghapp_spend_unpriced_tokens_four_weeks",
        "Tokens of the last four whole weeks without a price; they are in no amount",
        labels=labels,
    )
    for one in services.store.installations.all():
        selection = _whole_weeks(services, one.id, now)
        for basis in services.settings.estimates:
            found, names = services.spend.total(selection, basis), [str(one.id), basis.value]
            if found.cost is None:  # of too few people, or nearly all of one
                continue
            unpriced.add_metric(names, found.cost.unpriced_tokens)
            if found.cost.amount is not None:
                spent.add_metric(names, found.cost.amount)
            if found.unallocated is not None and found.unallocated.amount is not None:
                left.add_metric(names, found.unallocated.amount)
    yield from (spent, left, unpriced)


def _billed(services: Services, now: datetime) -> Iterator[Metric]:
    """Yield what vendors bill, each report by itself: two of them may tell the same money."""
    billed = GaugeMetricFamily(
        "ghapp_spend_billed_micros_four_weeks",
        "What a vendor says it charges for the last four whole weeks, in millionths",
        labels=["installation", "vendor", "report", "currency"],
    )
    for one in services.store.installations.all():
        for told in services.spend.billed(_whole_weeks(services, one.id, now)):
            if told.billed is not None:
                names = [str(one.id), told.vendor, told.report, told.currency]
                billed.add_metric(names, told.billed)
    yield billed


def _vendors(services: Services, now: datetime) -> Iterator[Metric]:
    del now
    problem = GaugeMetricFamily(
        "ghapp_vendor_connection_problem",
        "Whether a connected vendor could not be read as it should be",
        labels=["installation", "vendor"],
    )
    for one in services.store.vendors.connections():
        names = [str(one.installation_id), one.vendor]
        problem.add_metric(names, one.problem is not None)
    yield problem


def _sources(services: Services, now: datetime) -> Iterator[Metric]:
    """Yield how old the last of each source is that ever came, and what waits to be summed."""
    age = GaugeMetricFamily(
        "ghapp_usage_source_age_seconds",
        "Seconds since anything of a source of usage was last kept",
        labels=["installation", "source"],
    )
    waiting = GaugeMetricFamily(
        "ghapp_usage_days_waiting",
        "Days of people whose usage is not summed yet",
        labels=["installation"],
    )
    for one in services.store.installations.all():
        for source, last in services.store.arrivals.last_kept(one.id).items():
            name = [str(one.id), source.name.lower()]
            age.add_metric(name, (now - last).total_seconds())
        waiting.add_metric([str(one.id)], services.store.usage.stale(one.id))
    yield age
    yield waiting


def _counts(services: Services, installation_id: int, now: datetime) -> PullCounts:
    known = services.store.installations.repositories(installation_id)
    today = now.date()
    selection = PullSelection(
        repository_ids=tuple(one.id for one in known), since=today - FOUR_WEEKS, until=today
    )
    return services.summaries.totals(selection)
