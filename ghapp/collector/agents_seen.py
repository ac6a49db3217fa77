"""What a machine saw of agents, as the collector keeps it. It looks at nothing."""

from datetime import datetime

from ghapp.attribution.model import PassedOver, Struct
from ghapp.wire import SeenAgent


class AgentsSeen(Struct, frozen=True):
    """What was seen, and what of it no reader takes for an edit."""

    at: datetime
    agents: tuple[SeenAgent, ...]
    passed_over: tuple[PassedOver, ...]
    unread: int
    """Records that could not be read."""
