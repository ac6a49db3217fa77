"""The stand-in as one object: it starts, builds scenarios, reports what it saw, and stops."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from ghapp.demo.sandbox.app import create_app
from ghapp.demo.sandbox.builder import HubBuilder
from ghapp.demo.sandbox.device_flow import DeviceFlow
from ghapp.demo.sandbox.dispatch import HubDispatcher, WireAnswer, WireRequest
from ghapp.demo.sandbox.events import EventSender
from ghapp.demo.sandbox.faults import Fault, FaultPlan
from ghapp.demo.sandbox.git_http import GitDoor
from ghapp.demo.sandbox.limits import HubLimits
from ghapp.demo.sandbox.pages import HubPages, PageButtons
from ghapp.demo.sandbox.server import HubServer
from ghapp.demo.sandbox.state import (
    Clock,
    Exchange,
    HubCheckRun,
    HubComment,
    HubLabel,
    HubLinks,
    HubPull,
    Violation,
    World,
)
from ghapp.demo.sandbox.tokens import TokenGuard
from ghapp.demo.sandbox.webhooks import WebhookSender

NO_CONTENT = ("/access_tokens", "/attempts", "/conversions", "/installation/token")
"""Ends of routes that write nothing that anyone sees."""


@dataclass(frozen=True)
class VisiblePull:
    """What a person sees on a pull request; the check runs are those of its head."""

    check_runs: tuple[HubCheckRun, ...]
    comments: tuple[HubComment, ...]
    labels: tuple[HubLabel, ...]

    @property
    def label_names(self) -> tuple[str, ...]:
        """Return the names of the labels, in the order in which they were added."""
        return tuple(label.name for label in self.labels)


def utc_now() -> datetime:
    """Return the real time."""
    return datetime.now(UTC)


class Sandbox(HubBuilder, EventSender):
    """A strict GitHub on loopback; use it as a context manager.

    The caller owns ``directory`` and may delete it afterwards. ``prefix`` is the API's base path
    (``/api/v3`` on an Enterprise Server). ``echo``: apps receive the webhooks that their own
    writes cause, as on GitHub. ``slim_record``: drop successful reads and the bodies of answers,
    for runs with many thousand requests. ``classic_tokens``: create installation tokens in the
    old format.
    """

    def __init__(  # noqa: PLR0913 - all settings are keyword-only
        self,
        directory: Path,
        *,
        clock: Clock = utc_now,
        limits: HubLimits | None = None,
        faults: Iterable[Fault] = (),
        seed: int = 0,
        prefix: str = "",
        port: int = 0,
        echo: bool = True,
        slim_record: bool = False,
        classic_tokens: bool = False,
    ) -> None:
        self._links = HubLinks(api_prefix=prefix)
        world = World(directory, clock, limits or HubLimits(), self._links)
        world.slim_record = slim_record
        self.faults = FaultPlan(faults, seed=seed)
        self._webhooks = WebhookSender(world, self.faults)
        HubBuilder.__init__(self, world)
        EventSender.__init__(self, world, self._webhooks)
        guard = TokenGuard(world, classic=classic_tokens)
        self._dispatcher = HubDispatcher(world, guard, self.faults)
        self._echo = echo
        git = GitDoor(world, guard, self.faults)
        buttons = PageButtons(
            rerun=lambda pull, run, by: self.deliver_rerequested(pull.repository, run, by),
            act=lambda pull, run, name, by: self.deliver_requested_action(
                pull.repository, run, name, by
            ),
        )
        self.device_flow = DeviceFlow(world)
        pages = HubPages(world, buttons, self.device_flow)
        self._server = HubServer(create_app(self.answer, git, pages.answer, prefix), port=port)
        self._links.web = self._server.url

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving; keep the directory."""
        self.faults.close()
        self._server.close()
        self._webhooks.close()

    # --- addresses ----------------------------------------------------------------------------

    @property
    def api_url(self) -> str:
        """Return the API's base address, for a client's setting."""
        return self._links.api

    @property
    def web_url(self) -> str:
        """Return the base address of pages and of git (``<web_url>/<owner>/<name>.git``)."""
        return self._links.web

    def pull_url(self, pull: HubPull) -> str:
        """Return the address of a pull request's page."""
        return f"{self.web_url}/{pull.repository.full_name}/pull/{pull.number}"

    # --- observations -------------------------------------------------------------------------

    @property
    def exchanges(self) -> list[Exchange]:
        """Return every request with its answer, in the order of the answers."""
        with self.world.lock:
            return list(self.world.exchanges)

    @property
    def violations(self) -> list[Violation]:
        """Return what clients did wrong; tests expect none."""
        with self.world.lock:
            return list(self.world.violations)

    def writes(self) -> list[Exchange]:
        """Return the requests that changed what people see, even if the answer was an error."""
        return [
            exchange
            for exchange in self.exchanges
            if exchange.wrote and not (exchange.template or "").endswith(NO_CONTENT)
        ]

    def visible(self, pull: HubPull) -> VisiblePull:
        """Return what a person sees on a pull request now."""
        with self.world.lock:
            runs = pull.repository.check_runs.values()
            at_head = tuple(run for run in runs if run.head_sha == pull.head_sha)
            return VisiblePull(at_head, tuple(pull.comments), tuple(pull.labels))

    def spend(self, installation_id: int, requests: int) -> None:
        """Use up requests of an installation's hourly budget."""
        with self.world.lock:
            self._dispatcher.rates.spend(f"installation:{installation_id}", requests)

    def settle(self) -> None:
        """Wait until all webhooks caused by requests are sent."""
        self._webhooks.settle()

    def play(self, *faults: Fault | Mapping[str, Any]) -> None:
        """Add faults, given as `Fault` or as plain data."""
        self.faults.add(*faults)

    # --- answering ----------------------------------------------------------------------------

    def answer(self, request: WireRequest) -> WireAnswer:
        """Answer a request of the API and queue the webhooks that it causes."""
        sent = self._dispatcher.answer(request)
        with self.world.lock:
            redelivered = [self._webhooks.again(delivery) for delivery in sent.redeliveries]
            told = sent.announcements if self._echo else ()
            echoes = [made for one in told for made in self._webhooks.composed(one)]
        self._webhooks.queue([*redelivered, *echoes])
        return sent
