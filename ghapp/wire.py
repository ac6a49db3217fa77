"""The messages between a developer's machine and the app. It neither sends nor stores anything.

The collector writes them, the upload routes read them, and the OpenAPI description is generated
from them. No member can hold a prompt, a conversation, command output or the text of a line.
"""

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

import msgspec

from ghapp.attribution.model import EditResult, FingerprintLines, Struct
from ghapp.usage.days import AgentName, DecisionDay, Model, TokenDay, Version

SCHEMA = "ghapp/evidence/1"
USAGE_SCHEMA = "ghapp/usage/1"
MOST_EDITS = 2_000
"""Edits in one batch."""
MOST_DAYS = 2_000
"""Rows of each kind in one report of usage."""
OLDEST_USAGE = timedelta(days=400)
"""How old a day of usage may be."""
MOST_AGENTS = 200
"""Versions of agents that one machine reports."""
MOST_NAMED = 500
"""Paths or edits that one request removes: a database takes no condition without end."""
MOST_BYTES = 16 * 1024 * 1024
"""Bytes of a batch as JSON, after decompression."""

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Id = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""One of GitHub's ids. It fits a 64-bit column."""
Path = Annotated[str, msgspec.Meta(min_length=1, max_length=4_096)]


Count = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]


class SentEdit(Struct, frozen=True):
    """One edit: fingerprints and metadata, with its path relative to the repository."""

    id: Name
    """The tool call's id. An edit that is sent twice, with equal agent, id, path, time and own
    lines, is kept once."""
    agent: AgentName
    agent_session: Name
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    path: Path
    outcome: EditResult
    tool: Name
    lines: FingerprintLines
    agent_version: Version | None = None
    """``None``: not recorded, as for the model; older collectors send neither."""
    model: Model | None = None


class SeenAgent(Struct, frozen=True):
    """What a machine saw of one version of an agent in a week, in any folder; numbers only.

    Agent sessions without edits show that an agent's format changed, or that nobody let it edit.
    """

    agent: AgentName
    version: Version | None
    """``None``: not recorded."""
    transcripts: Count
    """Files of records that changed in the week."""
    edits: Count
    """Applied edits that were read in them."""
    seen_on: date
    """Day of the last change of one of these files, in UTC."""
    last_edit_on: date | None
    """Day of the last applied edit in them; ``None``: there is none."""


class EditBatch(Struct, frozen=True):
    """Edits of one repository from one machine; the app stores all of them or none.

    A batch without edits says that the machine reports, for coverage.
    """

    schema: str
    """``ghapp/evidence/1``."""
    client: Name
    """Program and version, such as ``ghapp/1.0.0``."""
    machine: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$")]
    """A random number made at enrollment; it reveals nothing about the machine."""
    installation: Id
    key_id: Name
    """The key that the fingerprints were made with."""
    remotes: Annotated[tuple[Name, ...], msgspec.Meta(max_length=20)] = ()
    """The clone's remotes as ``host/owner/name``, lower case, such as a fork and its parent.
    Empty only if there are no edits."""
    edits: Annotated[tuple[SentEdit, ...], msgspec.Meta(max_length=MOST_EDITS)] = ()
    agents: Annotated[tuple[SeenAgent, ...], msgspec.Meta(max_length=MOST_AGENTS)] = ()
    """What this machine saw of agents in the last week; empty: it does not say."""


class BatchReceipt(Struct, frozen=True):
    """The answer to a batch that was stored."""

    stored: int
    """Edits that are new."""
    already_known: int
    audits_due: int
    """Audits that the app makes again because of the batch."""


class UsageReport(Struct, frozen=True):
    """Usage in one repository on one machine: numbers, ids and names of models and tools.

    All rows of an agent session and day come together; they replace what the machine said of them
    before.
    """

    schema: str
    """``ghapp/usage/1``."""
    client: Name
    machine: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$")]
    """As in an `EditBatch`."""
    installation: Id
    remotes: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=20)]
    """As in an `EditBatch`: remotes of the clone that the agent worked in."""
    tokens: Annotated[tuple[TokenDay, ...], msgspec.Meta(max_length=MOST_DAYS)] = ()
    decisions: Annotated[tuple[DecisionDay, ...], msgspec.Meta(max_length=MOST_DAYS)] = ()


class UsageReceipt(Struct, frozen=True):
    """The answer to a report that was stored."""

    days: int
    """Rows stored."""
    repository: Id
    """The repository that they count for: two clones may have different names of the same."""


class WireProblem(Struct, frozen=True):
    """Why a request was refused."""

    error: str
    """A sentence for a person."""
    field: str | None = None
    """Place in the request, such as ``edits[3].at``; ``None``: the whole request."""
    code: str | None = None
    """A word for programs: ``stale_key``, ``unknown_repository``, ``may_not_write``,
    ``other_installation``, ``too_large``, ``unknown_token``, ``revoked``."""


class EnrolledInstallation(Struct, frozen=True):
    """One installation that a developer sends evidence to, with the key of its fingerprints."""

    id: int
    account: str
    """Owner of the repositories."""
    key_id: str
    key: bytes
    """Base64 in JSON."""


class MachineEnrollment(Struct, frozen=True):
    """What an enrolled machine needs to know; it asks again after a key was changed."""

    login: str
    host: str
    """GitHub's host, as remotes name it."""
    installations: tuple[EnrolledInstallation, ...]


class EnrollmentStarted(Struct, frozen=True):
    """What a person does next: open the address and type the code.

    https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#device-flow
    """

    handle: str
    user_code: str
    verification_uri: str
    interval: int
    """Seconds between two polls."""
    expires_in: int
    """Seconds."""


class EnrollmentAsked(Struct, frozen=True):
    """A poll whether the person has typed the code."""

    handle: str


class EnrollmentPending(Struct, frozen=True):
    """The person has not typed the code yet: poll again after the interval."""

    pending: bool = True


class MachineEnrolled(Struct, frozen=True):
    """The person has typed the code; the app shows the token only this once."""

    token: str
    enrollment: MachineEnrollment


class ForgetRequest(Struct, frozen=True):
    """What to remove of the evidence that this token sent; by default all of it."""

    remotes: Annotated[tuple[Name, ...], msgspec.Meta(max_length=20)] = ()
    paths: Annotated[tuple[Path, ...], msgspec.Meta(max_length=MOST_NAMED)] = ()
    edits: Annotated[tuple[Name, ...], msgspec.Meta(max_length=MOST_NAMED)] = ()


class ForgetReceipt(Struct, frozen=True):
    """The answer to a `ForgetRequest`."""

    edits: int
    """Edits removed."""


class OwnMachine(Struct, frozen=True):
    """A machine that may send evidence of its person."""

    label: str
    """The person's name for it; empty: none given."""
    created_at: datetime
    used_at: datetime | None
    """Last use, to the hour; ``None``: never used."""


class OwnAccount(Struct, frozen=True):
    """How a person stands in the repositories of one account that the person may read."""

    account: str
    pulls: int
    """Merged pull requests of the person, as the app's summaries count them."""
    assisted: int | None
    """With lines of an agent; ``None``: unknown, as for the next four."""
    no_evidence: int
    effective: int
    attributed: int | None
    share: float | None
    """Attributed by effective lines, 0 to 1."""
    agent_sessions: int | None
    tokens: int | None


class OwnRecord(Struct, frozen=True):
    """What the app knows of the person who asks; nobody else can ask for it."""

    login: str
    names: Literal["teams", "pseudonyms", "people"]
    """How others see people here."""
    since: date
    """First day of the pull requests and of the usage; edits are all that are kept."""
    until: date
    machines: tuple[OwnMachine, ...]
    edits: int
    """Edits of the person that the app keeps."""
    last_edit_at: datetime | None
    """``None``: it keeps none."""
    accounts: tuple[OwnAccount, ...]
