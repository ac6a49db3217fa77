"""Services of which a test decides what the work comes to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from ghapp.audit import AuditRequest
from ghapp.ending import Ending
from ghapp.ingest.compliance import PullResult
from ghapp.store import Store

NOW = datetime(2026, 5, 20, 15, 30, tzinfo=UTC)


@dataclass
class Unpaced:
    """A pace that holds nobody up, and remembers who asked and who was parked."""

    ready: datetime | None = None
    parked: list[int] = field(default_factory=list)
    asked: list[tuple[int, bool]] = field(default_factory=list)

    def ready_at(self, installation_id: int, *, background: bool) -> datetime | None:
        """Return what the test decided."""
        self.asked.append((installation_id, background))
        return self.ready

    def park(self, installation_id: int, until: datetime) -> None:
        """Remember it."""
        del until
        self.parked.append(installation_id)


@dataclass
class Doing:
    """Services of which a test decides what an audit, a pull or a letter comes to."""

    store: Store
    result: Any
    now: datetime = NOW
    asked: list[AuditRequest] = field(default_factory=list)
    pace: Unpaced = field(default_factory=Unpaced)

    def clock(self) -> datetime:
        """Return the time of the test."""
        return self.now

    def audit(self, ref: AuditRequest) -> Ending:
        """Come to what the test decided."""
        self.asked.append(ref)
        result: Ending = self._come_to_it()
        return result

    def pull_sessions(self) -> PullResult | None:
        """Come to what the test decided."""
        result: PullResult | None = self._come_to_it()
        return result

    @property
    def weekly_summaries(self) -> SimpleNamespace:
        """Return a sender that comes to what the test decided."""
        return SimpleNamespace(send=lambda _: self._come_to_it())

    @contextmanager
    def github(self, *about: int, background: bool = False) -> Iterator[None]:
        """Yield nothing: what asks GitHub is no work of these tests."""
        del about, background
        yield None

    def _come_to_it(self) -> Any:
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result() if callable(self.result) else self.result
