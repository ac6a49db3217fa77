"""What the collector last sent of usage, as it keeps it for itself and for ``status``."""

from datetime import date, datetime

from msgspec import field

from ghapp.attribution.model import PassedOver, Struct


class UsageSent(Struct, frozen=True):
    """The last time that usage was sent, and what of it did not leave."""

    at: datetime
    since: date
    """First of the days that were sent; the last is that of ``at``, in UTC."""
    rows: int = 0
    """Rows that the app stored."""
    repositories: int = 0
    """Repositories that they were of."""
    is_taken: bool = True
    """Whether the app takes usage: older ones do not."""
    refused: dict[str, str] = field(default_factory=dict)
    """Repository whose usage the app did not accept → what the app said."""
    stays: dict[str, int] = field(default_factory=dict)
    """Why answers and decided edits did not leave, in words → how many."""
    passed_over: tuple[PassedOver, ...] = ()
    """What was seen and not counted."""
    unread: int = 0
    """Records that could not be read."""
    files_left_out: int = 0
    """Files that were too much to read: if there are any, the app knows a part."""
