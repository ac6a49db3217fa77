"""What the collector remembers between runs, for itself and for ``status``."""

from collections import Counter
from datetime import datetime

import msgspec
from msgspec import field

from ghapp.attribution.model import Struct
from ghapp.collector.agents_seen import AgentsSeen
from ghapp.collector.places import CollectorFiles, read_if_there, write_whole
from ghapp.collector.usage_sent import UsageSent


class CollectorState(Struct, frozen=True):
    """When the collector last sent what, and how it went."""

    sent_at: datetime | None = None
    """When the app last acknowledged edits; ``None``: never."""
    sent: int = 0
    """Edits acknowledged since this machine was enrolled."""
    problem: str | None = None
    """Why the last run ended early; ``None``: it did not."""
    not_before: datetime | None = None
    """When the app may be asked again; ``None``: at any time."""
    heard_at: dict[int, datetime] = field(default_factory=dict)
    """Installation's id → when this machine last reported to it."""
    refused: dict[str, str] = field(default_factory=dict)
    """Repository that the app did not accept when last asked → what the app said."""
    stays: dict[str, int] = field(default_factory=dict)
    """Why edits of the queue did not leave, in words → how many."""
    seen: AgentsSeen | None = None
    """What was last seen of agents on this machine; ``None``: nobody looked yet."""
    usage: UsageSent | None = None
    """What was last sent of usage; ``None``: nothing yet."""


def load(places: CollectorFiles) -> CollectorState:
    """Return the stored state; an empty one if the file cannot be read."""
    try:
        return msgspec.json.decode(read_if_there(places.state) or b"{}", type=CollectorState)
    except msgspec.DecodeError:
        return CollectorState()  # these counts and times are only shown: no reason to fail a run


def save(places: CollectorFiles, state: CollectorState) -> None:
    """Store the state."""
    write_whole(places.state, msgspec.json.encode(state))


def with_stays(state: CollectorState, stays: Counter[str]) -> CollectorState:
    """Return the state with more edits that did not leave."""
    return msgspec.structs.replace(state, stays=dict(Counter(state.stays) + stays))
