"""Where usage comes from and who it is of; which source counts. It reads and stores nothing."""

from enum import IntEnum, StrEnum

from ghapp.attribution.model import Struct


class UsageSource(IntEnum):
    """A source of usage. For a person, a day and an agent, the lowest that has rows counts."""

    TRANSCRIPTS = 1
    """Agents' own records, sent by the collector."""
    EVENTS = 2
    """Telemetry: one record for each request and decision."""
    METRICS = 3
    """Telemetry: sums over time."""
    VENDOR = 4
    """What the agent's vendor reports of a day, read once a day."""


class IdentityKind(StrEnum):
    """What names a person. The first that a source gives is used."""

    ACCOUNT = "account"
    """An account of GitHub, by its number: the sender is known."""
    EMAIL = "email"
    ACCOUNT_UUID = "account_uuid"
    """An account of the agent's vendor."""
    END_USER = "end_user"
    """A name that an organization gives its machines (``enduser.id``)."""
    TOOL_INSTALLATION = "tool_installation"
    """One installation of a tool: a machine at most."""
    API_KEY = "api_key"
    """A key or service account at an agent's vendor: a program, or people who share it."""


class UsageIdentity(Struct, frozen=True):
    """Who used an agent, as a source names it. It may not be mapped to a person yet."""

    kind: IdentityKind
    value: str


def of_email(address: str) -> UsageIdentity:
    """Return the identity of an e-mail address: whoever writes it, in small letters.

    >>> of_email("Ada@Example.com").value
    'ada@example.com'
    """
    return UsageIdentity(IdentityKind.EMAIL, address.lower())
