"""What an installation leaves out on GitHub where an hour's writes do not suffice for everything.

It decides by counts that it is given; it writes nothing and counts nothing itself. GitHub lets an
app create about 500 things an hour and installation:
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from itertools import takewhile

from ghapp.attribution.model import Struct
from ghapp.store import MergeRate


class WriteKind(StrEnum):
    """What is written, in the order in which it is kept: the last is left out first."""

    LABEL = "label"
    ASSISTED_RUN = "assisted_run"
    """The check run of a pull request that an agent had a part in."""
    OTHER_RUN = "other_run"
    COMMENT = "comment"
    SECOND_EDIT = "second_edit"
    """An update of a check run or comment that stands already: provisional → final."""


def needs(expected: MergeRate) -> dict[WriteKind, int]:
    """Return how many writes of each kind the hour to come asks for.

    It counts by the usual policy: a comment on each, and a second edit of each comment and run.

    >>> needs(MergeRate(merged=10, assisted=4))[WriteKind.SECOND_EDIT]
    20
    """
    others = expected.merged - expected.assisted
    return {
        WriteKind.LABEL: expected.assisted,
        WriteKind.ASSISTED_RUN: expected.assisted,
        WriteKind.OTHER_RUN: others,
        WriteKind.COMMENT: expected.merged,
        WriteKind.SECOND_EDIT: 2 * expected.merged,
    }


class PublishingPlan(Struct, frozen=True):
    """What one installation may write now."""

    writes_an_hour: int
    needed: Callable[[], Mapping[WriteKind, int]]
    """What `needs` says; called only where a write asks for room."""
    written: Callable[[], Mapping[WriteKind, int] | None]
    """Writes of the last hour by kind; ``None``: unknown, since Redis is away."""
    note: Callable[[WriteKind, int], None]
    """Counts writes of a kind."""

    def has_room(self, kind: WriteKind) -> bool:
        """Say whether one more write of a kind leaves room for all that is kept before it.

        What the kinds kept before it need stays free, written or not. So a label finds room as long
        as labels alone fit into an hour.
        """
        written = self.written()
        if kind is WriteKind.LABEL or written is None:
            return True
        needed = self.needed()
        used = sum(written.get(one, 0) for one in WriteKind)
        lacking = sum(
            max(0, needed[one] - written.get(one, 0))
            for one in takewhile(lambda one: one is not kind, WriteKind)
        )
        return used + lacking < self.writes_an_hour

    @property
    def spare(self) -> int | None:
        """How many writes of the hour nothing asks for that is merged now; ``None``: unknown."""
        written = self.written()
        if written is None:
            return None
        first = sum(
            count for kind, count in self.needed().items() if kind is not WriteKind.SECOND_EDIT
        )
        return max(0, self.writes_an_hour - max(first, sum(written.values())))


def caught_up(left_out: int, spare: int | None) -> str:
    """Say when so many left-out writes will be made; ``spare`` is the hour's.

    >>> caught_up(900, 200)
    'made up for in about 5 hours at this pace'
    """
    if spare is None:
        return "when they are made up for is not known, since Redis is away"
    if spare == 0:
        return "not made up for while as many are merged"
    hours = -(-left_out // spare)
    return f"made up for in about {hours} {'hour' if hours == 1 else 'hours'} at this pace"


EVERYTHING = PublishingPlan(
    writes_an_hour=1, needed=dict, written=lambda: None, note=lambda _kind, _count: None
)
"""Leaves nothing out."""
