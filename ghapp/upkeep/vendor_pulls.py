"""Reads what vendors report, once a day and connection, and seals their keys.

The last days are read again, since vendors revise them. Each day is stored as a whole or not at
all. What went wrong stands beside the connection, where its owner looks.
"""

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import structlog
from cryptography.fernet import Fernet, InvalidToken

from ghapp.attribution.model import Struct
from ghapp.github.token_cache import derive_key
from ghapp.log import redact
from ghapp.store import (
    AddedUsage,
    Installation,
    Lane,
    ReportKey,
    ReportState,
    Store,
    StoreError,
    UsageOrigin,
    VendorConnection,
    WorkKind,
    WorkRequest,
)
from ghapp.usage.answers import TokenCounts
from ghapp.usage.sources import UsageSource
from ghapp.vendors.asking import READ_SECONDS, VendorAccess, VendorRequests
from ghapp.vendors.nouns import PersonDay, ReportedDay, tokens_of
from ghapp.vendors.refusals import (
    NotThereYet,
    VendorAway,
    VendorError,
    VendorLimited,
    WrongAnswer,
)
from ghapp.vendors.registry import VENDORS
from ghapp.vendors.vendor import AgentVendor, VendorReport

FIRST_DAYS = 30
"""How far back the first reading goes."""
AGAIN_DAYS = 5
"""Days that each reading reads again."""
MOST_DAYS = 90
"""How far back a reading goes to make up for days that could not be read."""
LATE_DAYS = 3
"""A report that is not there this long after its day is a day without any: no more is to come."""
QUICK_SECONDS = 8
"""A person waits while a key is tried."""
ONE_DAY = timedelta(days=1)
UNREADABLE = "the key cannot be decrypted: GHAPP_ENCRYPTION_KEY was changed; give the key again"

OUR_FAULT = "reading failed on our side; the app's log has the details"

# sk-ant-admin01-…, key_…, github_pat_…
_KEY = re.compile(r"[!-~]{8,1000}")

log = structlog.get_logger()


class WrongKey(ValueError):  # noqa: N818 - a state of the key
    """A key that cannot be one, or that the vendor does not take; the message says why."""


class VendorPulled(Struct, frozen=True):
    """How one reading ended."""

    days: int
    """Days that were stored, over all reports."""
    problem: str | None
    """``None``: there was none."""
    until: datetime | None = None
    """The vendor limits the app until then; ``None``: it does not."""
    is_away: bool = False
    """Whether another try soon may help."""


def pull_request(connection: VendorConnection, at: datetime, why: str) -> WorkRequest:
    """Return the work of reading a connection."""
    return WorkRequest(
        kind=WorkKind.VENDOR_PULL,
        due_at=at,
        lane=Lane.RERUN,
        installation_id=connection.installation_id,
        why=why,
        about=connection.vendor,
    )


@dataclass(frozen=True)
class VendorPulls:
    """Reads vendors for organizations; ``github_api`` is where GitHub Copilot is asked."""

    store: Store
    encryption_key: bytes
    github_api: str
    clock: Callable[[], datetime]
    vendors: Mapping[str, AgentVendor] = field(default_factory=lambda: VENDORS)
    """Name → vendor."""

    # --- keys -------------------------------------------------------------------------------------

    def connect(
        self, installation: Installation, vendor: AgentVendor, key: str, *, by: str
    ) -> None:
        """Try a key at the vendor, store it encrypted, and enqueue the first reading.

        Raises `WrongKey` if it cannot be a key, or the vendor does not take it or does not answer.
        """
        if not _KEY.fullmatch(key):
            raise WrongKey("a key has 8 to 1000 ASCII characters and no spaces")
        self._try(installation, vendor, key)
        names = [one.name for one in vendor.reports]
        sealed, now = self._box.encrypt(key.encode()), self.clock()
        self.store.vendors.connect(installation.id, vendor.name, sealed, names, by=by, now=now)
        connected = self.store.vendors.of(installation.id, vendor.name)
        if connected is not None:
            request = pull_request(connected, now, "a key was given")
            self.store.work.enqueue(request, now=now)

    def _try(self, installation: Installation, vendor: AgentVendor, key: str) -> None:
        """Ask each report for almost nothing; one that opens is enough.

        Raises `WrongKey` where none opens.
        """
        problems: list[str] = []
        with self._asking(installation, vendor, key, QUICK_SECONDS) as asking:
            for report in vendor.reports:
                day = self.clock().astimezone(UTC).date() - report.lag * ONE_DAY
                try:
                    report.try_key(asking, day)
                except NotThereYet:
                    pass
                except VendorError as error:
                    problems.append(_told(error, key))
                    continue
                return
        raise WrongKey(
            f"{vendor.title} does not open: {'; '.join(problems)}. It takes {vendor.key_is}"
        )

    def _key_of(self, connection: VendorConnection) -> str | None:
        try:
            return self._box.decrypt(connection.key).decode()
        except InvalidToken:
            return None

    @property
    def _box(self) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(derive_key(self.encryption_key, "vendor keys")))

    @contextmanager
    def _asking(
        self,
        installation: Installation,
        vendor: AgentVendor,
        key: str,
        seconds: float = READ_SECONDS,
    ) -> Iterator[VendorRequests]:
        address = vendor.address or self.github_api
        access = VendorAccess(address.rstrip("/"), key, installation.account)
        headers = vendor.headers(key)
        asking = VendorRequests(access, headers, clock=self.clock, seconds=seconds)
        try:
            yield asking
        finally:
            asking.close()

    # --- reading ----------------------------------------------------------------------------------

    def pull(self, installation_id: int, name: str) -> VendorPulled | None:
        """Read a connection's reports; ``None``: there is no such connection any more.

        Raises `StoreError`.
        """
        connection = self.store.vendors.of(installation_id, name)
        installation = self.store.installations.installation(installation_id)
        vendor = self.vendors.get(name)
        if connection is None or vendor is None or installation is None:
            return None
        if not installation.is_active:
            return None
        key = self._key_of(connection)
        if key is None:
            for report in vendor.reports:
                unread = ReportKey(installation_id, name, report.name)
                self.store.vendors.asked(unread, UNREADABLE, resume=None, now=self.clock())
            return VendorPulled(0, UNREADABLE)
        with self._asking(installation, vendor, key) as asking:
            return self._pull(connection, vendor, asking)

    def _pull(
        self, connection: VendorConnection, vendor: AgentVendor, asking: VendorRequests
    ) -> VendorPulled:
        """Read what was cut short the last time, or else every report."""
        readings = [_Reading(self, connection, one, asking) for one in vendor.reports]
        wanted = [one for one in readings if one.is_resumed] or readings
        until: datetime | None = None
        for reading in wanted:
            if until is None:
                until = reading.read()
            else:
                reading.postpone()
        problem = "; ".join(one.problem for one in wanted if one.problem) or None
        days = sum(one.days for one in wanted)
        log.info("vendor_pulled", vendor=vendor.name, days=days, problem=problem)
        return VendorPulled(days, problem, until, any(one.is_away for one in wanted))


def _told(error: VendorError, key: str) -> str:
    """Return an error's words; a vendor may have put the key into its answer."""
    return redact(str(error).replace(key, "..."))


class _Reading:
    """One report, read day by day."""

    def __init__(
        self,
        pulls: VendorPulls,
        connection: VendorConnection,
        report: VendorReport,
        asking: VendorRequests,
    ) -> None:
        self.days = 0
        self.problem: str | None = None
        """The first thing that went wrong; ``None``: nothing did."""
        self.is_away = False
        self._pulls = pulls
        self._key = ReportKey(connection.installation_id, connection.vendor, report.name)
        self._report = report
        self._asking = asking
        state = connection.state(report.name)
        self.is_resumed = state.resume is not None
        self._today = pulls.clock().astimezone(UTC).date()
        self._last = self._today - report.lag * ONE_DAY
        self._begin = self._last - (FIRST_DAYS - 1) * ONE_DAY
        """Where a first reading begins."""
        self._through = state.through
        self._day = self._first(state)

    def _first(self, state: ReportState) -> date:
        if state.resume is not None:
            first = state.resume
        elif state.through is None:
            first = self._begin
        else:
            first = min(state.through, self._last) - (AGAIN_DAYS - 1) * ONE_DAY
        return max(first, self._last - (MOST_DAYS - 1) * ONE_DAY)

    def postpone(self) -> None:
        """Leave the report to the next reading."""
        self._pulls.store.vendors.postpone(self._key, self._day)

    def read(self) -> datetime | None:
        """Store each day that can be read; return until when the vendor limits the app."""
        until: datetime | None = None
        resume: date | None = None
        try:
            self._read()
        except VendorLimited as error:
            self._note(error)
            until, resume = error.until, self._day
        except VendorAway as error:
            self._note(error)
            self.is_away, resume = True, self._day
        except VendorError as error:
            self._note(error)
        except StoreError:
            raise
        except Exception:
            self.problem = f"{self._report.title}: {OUR_FAULT}"
            self._store(resume=None)
            raise
        self._store(resume=resume)
        return until

    def _store(self, *, resume: date | None) -> None:
        now = self._pulls.clock()
        self._pulls.store.vendors.asked(self._key, self.problem, resume=resume, now=now)

    def _read(self) -> None:
        first, missing = self._day, ""
        while self._day <= self._last:
            try:
                told = self._report.read(self._asking, self._day)
            except NotThereYet as error:
                missing = missing or str(error)
                if self._today - self._day > LATE_DAYS * ONE_DAY:
                    self._is_read()
            except WrongAnswer as error:
                self._note(error, f"{self._day}: ", "; nothing of the day is stored")
            else:
                self._is_read()
                if not self._keep(self._day, told):
                    return
                self.days += 1
            self._day += ONE_DAY
        if missing and not self.days:
            self._note(NotThereYet(f"{missing}, on no day since {first}"))

    def _is_read(self) -> None:
        """Note that a day is read; a gap before it holds back how far everything is."""
        reached = self._begin - ONE_DAY if self._through is None else self._through
        if self._day - ONE_DAY <= reached:
            self._through = max(self._day, reached)

    def _note(self, error: VendorError, before: str = "", after: str = "") -> None:
        """Keep the first thing that went wrong, in a vendor's words, but for the key."""
        if self.problem is None:
            why = _told(error, self._asking.access.key)
            self.problem = f"{self._report.title}: {before}{why}{after}"

    def _keep(self, day: date, told: ReportedDay) -> bool:
        """Replace a day; ``False``: the connection was removed meanwhile."""
        usage = [self._added(day, one) for one in told.people]
        return self._pulls.store.vendors.replace_day(
            self._key,
            day,
            [one for one in usage if one.rows],
            told.amounts,
            through=self._through,
            now=self._pulls.clock(),
        )

    def _added(self, day: date, one: PersonDay) -> AddedUsage:
        rows = one.rows
        if not rows and one.agent_sessions:
            # Whoever had an agent session was active, even if nothing else of it is told.
            rows = (tokens_of(one.agent, day, TokenCounts(), model=None),)
        origin = UsageOrigin(
            installation_id=self._key.installation_id,
            source=UsageSource.VENDOR,
            identity=one.identity,
            login=one.login,
            machine=self._key.machine,
        )
        return AddedUsage(origin, rows)
