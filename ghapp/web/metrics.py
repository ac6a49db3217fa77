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
from ghapp.store import StoreError
from ghapp.summaries.counts import PullCounts
from ghapp.summaries.selection import PullSelection
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
        for figures in (_deliveries, _work, _backlog, _stuck, _installations, _shares):
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


def _counts(services: Services, installation_id: int, now: datetime) -> PullCounts:
    known = services.store.installations.repositories(installation_id)
    today = now.date()
    selection = PullSelection(
        repository_ids=tuple(one.id for one in known), since=today - FOUR_WEEKS, until=today
    )
    return services.summaries.totals(selection)
