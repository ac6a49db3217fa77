"""Tool calls that wait for their results, joined by ids that may repeat or be blanked.

Models that number their calls begin again with each turn, so an id may name several calls of one
agent session. It reads no record.
"""

from collections.abc import Hashable
from typing import Generic, TypeVar

_Call = TypeVar("_Call")


class OpenCalls(Generic[_Call]):
    """The calls of one artifact, in their order."""

    def __init__(self) -> None:
        self._open: dict[str, _Call] = {}
        self._nameless: list[_Call] = []
        self._lost: list[_Call] = []
        self._told: dict[str, set[int]] = {}

    def tell(self, id_: str, told: Hashable) -> bool:
        """Return whether a call is new; if not, it is a copy of one that was told before.

        ``told`` is what shows that a call is another one than an earlier one of the same id.
        """
        before = self._told.setdefault(id_, set())
        size = len(before)
        before.add(hash(told))
        return len(before) > size

    def ended(self, id_: str) -> bool:
        """Return whether a call of this id was told and none waits for its result."""
        return id_ in self._told and id_ not in self._open

    def add(self, id_: str | None, call: _Call) -> None:
        """Let a call wait; without an id, if its id was blanked."""
        if id_ is None:
            self._nameless.append(call)
        else:
            self.give_way(id_)
            self._open[id_] = call

    def give_way(self, id_: str) -> None:
        """Let a call wait no longer whose id another call has by now."""
        if id_ in self._open:
            self._lost.append(self._open.pop(id_))

    def doubt(self) -> None:
        """Let no call wait whose id was blanked: a record that cannot be read may be its result.

        What comes next would look like its result, or like a second call beside it.
        """
        self._lost += self._nameless
        self._nameless = []

    def is_open(self, id_: str | None) -> bool:
        """Return whether a call of this id waits; ``None``: one whose id was blanked."""
        return bool(self._nameless) if id_ is None else id_ in self._open

    def take(self, id_: str | None) -> _Call | None:
        """Return the call that a result belongs to; ``None``: no such call waits.

        A result whose id was blanked belongs to the one call that waits without an id. If several
        wait, nothing tells which of them it is, and none of them gets a result.
        """
        if id_ is not None:
            return self._open.pop(id_, None)
        waiting, self._nameless = self._nameless, []
        if len(waiting) == 1:
            return waiting[0]
        self._lost += waiting
        return None

    def take_all(self) -> list[_Call]:
        """Return the calls that got no result, and let none wait any longer."""
        left = [*self._lost, *self._open.values(), *self._nameless]
        self._open.clear()
        self._lost, self._nameless = [], []
        return left
