"""The store's public names. Other rooms import from here, not from its modules."""

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from ghapp.attribution.struct_types import build_struct_types
from ghapp.store.access_log import AccessDoor, AccessEntry, AccessLog, LoggedAccess
from ghapp.store.agent_reports import AgentReport, AgentReports, AgentSeen
from ghapp.store.audits import AuditTable, SavedAudit, SignRecord
from ghapp.store.budgets import BudgetTable
from ghapp.store.coverage import (
    AuthorCoverage,
    AuthorsHeard,
    CoverageTable,
    MachineReport,
    PullCoverage,
    WeekCoverage,
)
from ghapp.store.cursors import CursorTable
from ghapp.store.database import (
    Database,
    DatabaseDamaged,
    DatabaseState,
    DatabaseUnavailable,
    NotMigrated,
    StoreError,
    WrongDatabaseURL,
)
from ghapp.store.deliveries import Delivery, DeliveryEnd, DeliveryTable
from ghapp.store.erasures import ErasedBy, ErasedSince, Erasure, ErasureTable
from ghapp.store.evidence import (
    EditSender,
    ErasureScope,
    EvidenceAdded,
    EvidenceHeld,
    EvidenceTable,
)
from ghapp.store.fingerprint_keys import FingerprintKeys, KeptKey, key_id
from ghapp.store.installations import Installation, InstallationTable, Repository
from ghapp.store.known_accounts import KnownAccount, KnownAccounts
from ghapp.store.logins import LoginTable, SignedIn
from ghapp.store.merge_rates import MergeRate, MergeRates
from ghapp.store.outcomes import OutcomeTable
from ghapp.store.policy_files import PolicyFiles
from ghapp.store.publications import LEFT_OUT_FOR, LeftOut, Publication, PublicationLedger
from ghapp.store.records import RecordKey, RecordTable, SignedAudit
from ghapp.store.replays import (
    ListedPull,
    PullState,
    Replay,
    ReplayCounts,
    ReplayRequest,
    ReplayState,
    ReplayTable,
    ReplayUnderWay,
)
from ghapp.store.repository_names import NameReason, RepositoryAlias, RepositoryNames
from ghapp.store.teams import LinesWritten, TeamTable
from ghapp.store.telemetry import TelemetryTable
from ghapp.store.tokens import NOBODY, AccessToken, NewToken, TokenKind, TokenTable, new_secret
from ghapp.store.usage import UsageTable
from ghapp.store.usage_arrivals import ArrivalTable, UsageArrival, UsageRefusal
from ghapp.store.usage_rows import (
    AddedUsage,
    IdentityMapping,
    KnownIdentity,
    StoredUsage,
    UnmappedUsage,
    UsageOrigin,
)
from ghapp.store.vendors import (
    ReportKey,
    ReportState,
    StoredAmount,
    VendorConnection,
    VendorTable,
)
from ghapp.store.weeklies import WeeklyOrder, WeeklyTable
from ghapp.store.work_items import (
    AUDITING,
    MERGED,
    EnqueueResult,
    Lane,
    RecurringWork,
    WorkBacklog,
    WorkEnd,
    WorkItem,
    WorkKind,
    WorkRequest,
    WorkState,
    WorkTable,
)

__all__ = [
    "AUDITING",
    "LEFT_OUT_FOR",
    "MERGED",
    "NOBODY",
    "AccessDoor",
    "AccessEntry",
    "AccessLog",
    "AccessToken",
    "AddedUsage",
    "AgentReport",
    "AgentReports",
    "AgentSeen",
    "ArrivalTable",
    "AuditTable",
    "AuthorCoverage",
    "AuthorsHeard",
    "CoverageTable",
    "CursorTable",
    "Database",
    "DatabaseDamaged",
    "DatabaseState",
    "DatabaseUnavailable",
    "Delivery",
    "DeliveryEnd",
    "DeliveryTable",
    "EditSender",
    "EnqueueResult",
    "ErasedBy",
    "ErasedSince",
    "Erasure",
    "ErasureScope",
    "ErasureTable",
    "EvidenceAdded",
    "EvidenceHeld",
    "EvidenceTable",
    "FingerprintKeys",
    "IdentityMapping",
    "Installation",
    "InstallationTable",
    "KeptKey",
    "KnownAccount",
    "KnownAccounts",
    "KnownIdentity",
    "Lane",
    "LeftOut",
    "LinesWritten",
    "ListedPull",
    "LoggedAccess",
    "LoginTable",
    "MachineReport",
    "MergeRate",
    "MergeRates",
    "NameReason",
    "NewToken",
    "NotMigrated",
    "PolicyFiles",
    "Publication",
    "PublicationLedger",
    "PullCoverage",
    "PullState",
    "RecordKey",
    "RecordTable",
    "RecurringWork",
    "Replay",
    "ReplayCounts",
    "ReplayRequest",
    "ReplayState",
    "ReplayTable",
    "ReplayUnderWay",
    "ReportKey",
    "ReportState",
    "Repository",
    "RepositoryAlias",
    "RepositoryNames",
    "SavedAudit",
    "SignRecord",
    "SignedAudit",
    "SignedIn",
    "Store",
    "StoreError",
    "StoredAmount",
    "StoredUsage",
    "TelemetryTable",
    "TokenKind",
    "TokenTable",
    "UnmappedUsage",
    "UsageArrival",
    "UsageOrigin",
    "UsageRefusal",
    "UsageTable",
    "VendorConnection",
    "VendorTable",
    "WeekCoverage",
    "WeeklyOrder",
    "WeeklyTable",
    "WorkBacklog",
    "WorkEnd",
    "WorkItem",
    "WorkKind",
    "WorkRequest",
    "WorkState",
    "WorkTable",
    "WrongDatabaseURL",
    "key_id",
    "new_secret",
]


@dataclass(frozen=True)
class Store:
    """All tables over one database. Threads and forked processes may share it.

    Every method of its tables is one transaction, except those that take a connection. It raises
    `DatabaseUnavailable` if the database is away: nothing was stored, and a retry is worth it.
    """

    database: Database
    deliveries: DeliveryTable
    installations: InstallationTable
    evidence: EvidenceTable
    audits: AuditTable
    publications: PublicationLedger
    records: RecordTable
    replays: ReplayTable
    work: WorkTable
    cursors: CursorTable
    outcomes: OutcomeTable
    teams: TeamTable
    policy_files: PolicyFiles
    tokens: TokenTable
    coverage: CoverageTable
    agent_reports: AgentReports
    erasures: ErasureTable
    fingerprint_keys: FingerprintKeys
    repository_names: RepositoryNames
    access_log: AccessLog
    logins: LoginTable
    weeklies: WeeklyTable
    usage: UsageTable
    telemetry: TelemetryTable
    vendors: VendorTable
    budgets: BudgetTable
    arrivals: ArrivalTable
    known_accounts: KnownAccounts
    merge_rates: MergeRates

    @classmethod
    def open(cls, url: str) -> Self:
        """Connect to ``sqlite:///FILE`` or ``postgresql://…`` and bring its tables up to date.

        Raises `WrongDatabaseURL` or `DatabaseUnavailable`.
        """
        store = cls.unmigrated(url)
        store.database.migrate()
        return store

    @classmethod
    def unmigrated(cls, url: str) -> Self:
        """Return the store without connecting to the database yet.

        Threads of its process may then convert to every struct that is imported by now.
        """
        build_struct_types()
        database = Database(url)
        work = WorkTable(database)
        audits = AuditTable(database)
        usage = UsageTable(database)
        return cls(
            database=database,
            deliveries=DeliveryTable(database, work),
            installations=InstallationTable(database),
            evidence=EvidenceTable(database, audits, work),
            audits=audits,
            publications=PublicationLedger(database),
            records=RecordTable(database),
            replays=ReplayTable(database, work),
            work=work,
            cursors=CursorTable(database),
            outcomes=OutcomeTable(database),
            teams=TeamTable(database),
            policy_files=PolicyFiles(database),
            tokens=TokenTable(database),
            logins=LoginTable(database),
            weeklies=WeeklyTable(database),
            coverage=CoverageTable(database),
            agent_reports=AgentReports(database),
            erasures=ErasureTable(database),
            fingerprint_keys=FingerprintKeys(database),
            repository_names=RepositoryNames(database),
            access_log=AccessLog(database),
            usage=usage,
            telemetry=TelemetryTable(database, usage),
            vendors=VendorTable(database, usage),
            budgets=BudgetTable(database),
            arrivals=ArrivalTable(database),
            known_accounts=KnownAccounts(database),
            merge_rates=MergeRates(database),
        )

    def close(self) -> None:
        """Close all connections."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()
