"""The state of the app as Prometheus reads it, for who has the operator's token: ``/metrics``.

It changes nothing and names no person. The figures come from the database, not from
processes: a job's process lives for a second, and what one web process has counted is not
what happened.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from flask import Blueprint, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from ghapp.attribution.model import Verdict
from ghapp.bootstrap import Services
from ghapp.store import StoreError
from ghapp.summaries.counts import PullCounts
from ghapp.summaries.selection import PullSelection
from ghapp.web.errors import problem
from ghapp.web.operator import for_operators


def metrics(services: Services) -> Blueprint:
    """Return the route ``/metrics``."""
    blueprint = Blueprint("metrics", __name__)
    for_operators(blueprint, services)

    @blueprint.get("/metrics")
    def scrape() -> Response:
        try:
            return Response(render(services), content_type=CONTENT_TYPE)
        except StoreError:
            return problem(503, "the database is away")

    return blueprint


SPAN = timedelta(hours=24)
"""Sums are over the last day: rows older than the settings say are forgotten."""


FOUR_WEEKS = timedelta(days=27)
"""Days before today that shares are about: twenty-eight in all."""


CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def render(services: Services) -> bytes:
    """Return all metrics as text. Raises `DatabaseUnavailable`."""
    registry = CollectorRegistry()
    registry.register(_Collector(services))
    return generate_latest(registry)


class _Collector:
    """Asks the database once for each scrape."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def describe(self) -> list[Metric]:
        """Say nothing beforehand, so that registering asks no database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the figures as they are now."""
        now = self._services.clock()
        yield self._accepted(now)
        yield self._applied(now)
        yield from self._backlog(now)
        yield from self._stuck(now)
        yield from self._limits(now)
        yield from self._shares(now)

    def _accepted(self, now: datetime) -> Metric:
        counted = self._services.store.deliveries.counts(now - SPAN)
        family = GaugeMetricFamily(
            "ghapp_deliveries_accepted_day",
            "Deliveries accepted in the last 24 hours",
            labels=["event", "outcome"],
        )
        for (event, outcome), count in sorted(counted.items(), key=str):
            family.add_metric([event, outcome or "open"], count)
        return family

    def _applied(self, now: datetime) -> Metric:
        family = GaugeMetricFamily(
            "ghapp_items_ended_day",
            "Items that came to an end in the last 24 hours",
            labels=["kind", "outcome"],
        )
        for (kind, outcome), count in sorted(self._services.store.work.ended(now - SPAN).items()):
            family.add_metric([kind, outcome], count)
        return family

    def _backlog(self, now: datetime) -> Iterator[Metric]:
        waiting = GaugeMetricFamily(
            "ghapp_due_waiting", "Items that could be done now", labels=["installation", "lane"]
        )
        oldest = GaugeMetricFamily(
            "ghapp_due_oldest_seconds",
            "Age of the item that has been due for the longest",
            labels=["installation", "lane"],
        )
        for one in self._services.store.work.backlog(now):
            names = [str(one.installation_id or "-"), one.lane.value]
            waiting.add_metric(names, one.waiting)
            oldest.add_metric(names, (now - one.oldest).total_seconds())
        yield waiting
        yield oldest

    def _stuck(self, now: datetime) -> Iterator[Metric]:
        store = self._services.store
        yield GaugeMetricFamily(
            "ghapp_items_set_aside",
            "Items that wait for a person",
            value=len(store.work.dead_letters()),
        )
        yield GaugeMetricFamily(
            "ghapp_deliveries_left",
            "Deliveries that were accepted and not followed within a minute",
            value=len(store.deliveries.unsettled(now - timedelta(minutes=1))),
        )
        yield GaugeMetricFamily(
            "ghapp_publications_not_confirmed_day",
            "Writes to GitHub in the last 24 hours that were refused or read back differently",
            value=len(store.publications.not_confirmed(now - SPAN)),
        )
        yield GaugeMetricFamily(
            "ghapp_redis_up", "Whether Redis answers", value=self._services.queue.is_alive()
        )

    def _shares(self, now: datetime) -> Iterator[Metric]:
        """Yield what the audits of the last weeks say, by installation: no repository, no person.

        The share itself is lines by lines, so that sums over installations stay right.
        """
        pulls = GaugeMetricFamily(
            "ghapp_pull_requests_four_weeks",
            "Merged pull requests of the last 28 days by their verdict",
            labels=["installation", "verdict"],
        )
        lines = GaugeMetricFamily(
            "ghapp_lines_four_weeks",
            "Effective added lines of the last 28 days, all of them and the attributed ones",
            labels=["installation", "lines"],
        )
        for one in self._services.store.installations.all():
            counts = self._counts(one.id, now)
            for verdict in Verdict:
                pulls.add_metric([str(one.id), verdict], getattr(counts, verdict))
            lines.add_metric([str(one.id), "effective"], counts.whole_effective)
            lines.add_metric([str(one.id), "attributed"], counts.whole_attributed)
        yield pulls
        yield lines

    def _counts(self, installation_id: int, now: datetime) -> PullCounts:
        known = self._services.store.installations.repositories(installation_id)
        today = now.date()
        selection = PullSelection(
            repository_ids=tuple(one.id for one in known), since=today - FOUR_WEEKS, until=today
        )
        return self._services.summaries.totals(selection)

    def _limits(self, now: datetime) -> Iterator[Metric]:
        parked = GaugeMetricFamily(
            "ghapp_installation_parked_seconds",
            "For how long GitHub still wants quiet",
            labels=["installation"],
        )
        left = GaugeMetricFamily(
            "ghapp_installation_requests_left",
            "What is left of the hour's requests, as GitHub last said",
            labels=["installation"],
        )
        for one in self._services.store.installations.all():
            if one.parked_until is not None and one.parked_until > now:
                parked.add_metric([str(one.id)], (one.parked_until - now).total_seconds())
            headroom = self._services.pace.headroom(one.id)
            if headroom is not None:
                left.add_metric([str(one.id)], headroom.remaining)
        yield parked
        yield left
