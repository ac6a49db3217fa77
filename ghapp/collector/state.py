"""What the collector remembers of its own work, for the next run and for ``status``."""

from collections import Counter
from datetime import datetime

import msgspec
from msgspec import field

from ghapp.attribution.model import Struct
from ghapp.collector.places import CollectorFiles, read_if_there, write_whole


class CollectorState(Struct, frozen=True):
    """When what was last done, and how it went."""

    sent_at: datetime | None = None
    """Last time that the app acknowledged edits; ``None``: never."""
    sent: int = 0
    """Edits acknowledged since this machine was enrolled."""
    problem: str | None = None
    """Why the last try ended early; ``None``: it did not."""
    not_before: datetime | None = None
    """When the app said to come again; ``None``: any time."""
    heard_at: dict[int, datetime] = field(default_factory=dict)
    """Installation to the last time that this machine reported to it."""
    refused: dict[str, str] = field(default_factory=dict)
    """Repositories that the app did not take when last asked, to what it said."""
    stays: dict[str, int] = field(default_factory=dict)
    """Why edits of the queue did not leave, in words, to how many."""


def load(places: CollectorFiles) -> CollectorState:
    """Return what is remembered; of a file that cannot be read, nothing."""
    try:
        return msgspec.json.decode(read_if_there(places.state) or b"{}", type=CollectorState)
    except msgspec.DecodeError:
        return CollectorState()  # counts and times for people: worth less than a run


def save(places: CollectorFiles, state: CollectorState) -> None:
    """Remember it."""
    write_whole(places.state, msgspec.json.encode(state))


def with_stays(state: CollectorState, stays: Counter[str]) -> CollectorState:
    """Return the state with more edits that did not leave."""
    return msgspec.structs.replace(state, stays=dict(Counter(state.stays) + stays))
