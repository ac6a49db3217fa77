"""What is kept: the store's face. Doors and journeys import from here, not from its parts."""

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from ghapp.store.access_log import Access, AccessLog, Door, LoggedAccess
from ghapp.store.audits import Audits, SavedAudit, Witness
from ghapp.store.coverage import (
    AuthorCoverage,
    Coverage,
    Covered,
    MachineReport,
    PullCoverage,
    WeekCoverage,
)
from ghapp.store.cursors import Cursors
from ghapp.store.database import (
    Database,
    DatabaseDamaged,
    DatabaseUnavailable,
    StoreError,
    WrongDatabaseURL,
)
from ghapp.store.deliveries import Deliveries, Delivery, DeliveryOutcome
from ghapp.store.due import (
    Backlog,
    Due,
    DueItem,
    DueOutcome,
    DueState,
    DueTable,
    Kind,
    Lane,
    Recurring,
    Scheduled,
)
from ghapp.store.erasures import ErasedBy, ErasedSince, Erasure, Erasures
from ghapp.store.evidence import EvidenceAdded, EvidenceHeld, EvidenceTable, Sender, Whose
from ghapp.store.fingerprint_keys import FingerprintKeys, KeptKey, key_id
from ghapp.store.installations import Installation, Installations, Repository
from ghapp.store.logins import Logins, SignedIn
from ghapp.store.outcomes import OutcomeTable
from ghapp.store.policy_files import PolicyFiles
from ghapp.store.publications import Publication, Publications
from ghapp.store.records import RecordKey, Records, SignedAudit
from ghapp.store.replays import (
    Asked,
    Found,
    Progress,
    PullState,
    Replay,
    Replays,
    ReplayState,
    ReplayUnderWay,
)
from ghapp.store.repository_names import Alias, RepositoryNames
from ghapp.store.repository_names import Why as WhyNamed
from ghapp.store.teams import TeamTable, Written
from ghapp.store.tokens import AccessToken, NewToken, TokenKind, Tokens, new_secret
from ghapp.store.weeklies import Weeklies, Weekly

__all__ = [
    "Access",
    "AccessLog",
    "AccessToken",
    "Alias",
    "Asked",
    "Audits",
    "AuthorCoverage",
    "Backlog",
    "Coverage",
    "Covered",
    "Cursors",
    "Database",
    "DatabaseDamaged",
    "DatabaseUnavailable",
    "Deliveries",
    "Delivery",
    "DeliveryOutcome",
    "Door",
    "Due",
    "DueItem",
    "DueOutcome",
    "DueState",
    "DueTable",
    "ErasedBy",
    "ErasedSince",
    "Erasure",
    "Erasures",
    "EvidenceAdded",
    "EvidenceHeld",
    "EvidenceTable",
    "FingerprintKeys",
    "Found",
    "Installation",
    "Installations",
    "KeptKey",
    "Kind",
    "Lane",
    "LoggedAccess",
    "Logins",
    "MachineReport",
    "NewToken",
    "PolicyFiles",
    "Progress",
    "Publication",
    "Publications",
    "PullCoverage",
    "PullState",
    "RecordKey",
    "Records",
    "Recurring",
    "Replay",
    "ReplayState",
    "ReplayUnderWay",
    "Replays",
    "Repository",
    "RepositoryNames",
    "SavedAudit",
    "Scheduled",
    "Sender",
    "SignedAudit",
    "SignedIn",
    "Store",
    "StoreError",
    "TokenKind",
    "Tokens",
    "WeekCoverage",
    "Weeklies",
    "Weekly",
    "Whose",
    "WhyNamed",
    "Witness",
    "Written",
    "WrongDatabaseURL",
    "key_id",
    "new_secret",
]


@dataclass(frozen=True)
class Store:
    """Everything that is kept, over one database. Safe to share among threads and over forks.

    Every method of its parts is one transaction, and raises `DatabaseUnavailable` where the
    database is away: then nothing was kept, and another try is worth it.
    """

    database: Database
    deliveries: Deliveries
    installations: Installations
    evidence: EvidenceTable
    audits: Audits
    publications: Publications
    records: Records
    replays: Replays
    due: DueTable
    cursors: Cursors
    outcomes: OutcomeTable
    teams: TeamTable
    policy_files: PolicyFiles
    tokens: Tokens
    coverage: Coverage
    erasures: Erasures
    fingerprint_keys: FingerprintKeys
    repository_names: RepositoryNames
    access_log: AccessLog
    logins: Logins
    weeklies: Weeklies

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
        """Return the store without touching the database: nothing is connected yet."""
        database = Database(url)
        due = DueTable(database)
        audits = Audits(database)
        return cls(
            database=database,
            deliveries=Deliveries(database, due),
            installations=Installations(database),
            evidence=EvidenceTable(database, audits, due),
            audits=audits,
            publications=Publications(database),
            records=Records(database),
            replays=Replays(database, due),
            due=due,
            cursors=Cursors(database),
            outcomes=OutcomeTable(database),
            teams=TeamTable(database),
            policy_files=PolicyFiles(database),
            tokens=Tokens(database),
            logins=Logins(database),
            weeklies=Weeklies(database),
            coverage=Coverage(database),
            erasures=Erasures(database),
            fingerprint_keys=FingerprintKeys(database),
            repository_names=RepositoryNames(database),
            access_log=AccessLog(database),
        )

    def close(self) -> None:
        """Give all connections back."""
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
