"""What travels between a developer's machine and the app; it neither sends nor keeps anything.

The collector writes these, the upload routes read them, and the OpenAPI description is made
of them. No member can hold a prompt, a conversation, command output or a line's text.
"""

from datetime import datetime
from typing import Annotated

import msgspec

from ghapp.attribution.model import EditResult, FingerprintLines, Struct

SCHEMA = "ghapp/evidence/1"
MOST_EDITS = 2_000
"""Edits in one batch."""
MOST_BYTES = 16 * 1024 * 1024
"""Bytes of a batch as JSON, after it was unpacked."""

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Path = Annotated[str, msgspec.Meta(min_length=1, max_length=4_096)]


class SentEdit(Struct, frozen=True):
    """One edit as it travels: fingerprints and metadata, its path relative to the repository."""

    id: Name
    """The tool call's id; sent twice, it is kept once."""
    agent: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,38}$")]
    agent_session: Name
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    path: Path
    outcome: EditResult
    tool: Name
    lines: FingerprintLines


class EditBatch(Struct, frozen=True):
    """Edits of one repository from one machine; stored whole or not at all.

    Without edits it says that the machine is there and reports (coverage).
    """

    schema: str
    """``ghapp/evidence/1``."""
    client: Name
    """Program and version, such as ``ghapp/1.0.0``."""
    machine: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$")]
    """A random number made at enrollment; it says nothing of the machine."""
    installation: int
    key_id: Name
    """Which key the fingerprints were made with."""
    remotes: Annotated[tuple[Name, ...], msgspec.Meta(max_length=20)] = ()
    """The clone's remotes as ``host/owner/name``, lower case: a fork's, and what it is a fork of.
    Empty only where there are no edits."""
    edits: Annotated[tuple[SentEdit, ...], msgspec.Meta(max_length=MOST_EDITS)] = ()


class BatchReceipt(Struct, frozen=True):
    """What became of a batch."""

    stored: int
    already_known: int
    audits_due: int
    """Audits that are made again because of it."""


class WireProblem(Struct, frozen=True):
    """Why a request was refused."""

    error: str
    field: str | None = None
    """Place in the request, such as ``edits[3].at``; ``None``: it is about the whole."""
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
    """What an enrolled machine needs to know; asked again when a key was changed."""

    login: str
    host: str
    """GitHub's host, as it stands in remotes."""
    installations: tuple[EnrolledInstallation, ...]


class EnrollmentStarted(Struct, frozen=True):
    """What a person does next: open the address and type the code (GitHub's device flow)."""

    handle: str
    user_code: str
    verification_uri: str
    interval: int
    """Seconds between two questions."""
    expires_in: int
    """Seconds."""


class EnrollmentAsked(Struct, frozen=True):
    """The question whether the person has typed the code."""

    handle: str


class EnrollmentPending(Struct, frozen=True):
    """The person has not, so far: ask again after the interval."""

    pending: bool = True


class MachineEnrolled(Struct, frozen=True):
    """The person has: the token is shown this once."""

    token: str
    enrollment: MachineEnrollment


class ForgetRequest(Struct, frozen=True):
    """Which of the evidence that one's own token sent is to be removed; all of it by default."""

    remotes: tuple[Name, ...] = ()
    paths: tuple[Path, ...] = ()
    edits: tuple[Name, ...] = ()


class ForgetReceipt(Struct, frozen=True):
    """How much was removed."""

    edits: int
