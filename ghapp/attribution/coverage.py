"""How much of what an agent session wrote in a file is in the change. It credits nothing.

If only little of it is there, equal lines may be a coincidence: test scaffolding and error
handling recur in files that agents edit often (rules.md 2.9).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from math import fsum

from ghapp.attribution.sides import EditSide, fresh

Weights = Mapping[int, float]
AgentSession = tuple[str, str]
"""Agent and agent session."""


def session_of(side: EditSide) -> AgentSession:
    """Return the agent session of an edit."""
    return side.edit.agent, side.edit.agent_session


def by_session(
    sides: Iterable[EditSide],
    asked: Set[AgentSession],
    standing: Counter[int],
    weights: Weights,
) -> dict[AgentSession, float]:
    """Return the coverage of each session in ``asked``: by weight, how much of its text stands.

    ``standing`` counts the codes of the added lines. Lines that any session later removed are
    not counted, so a first draft does not weigh against the second.
    """
    left: defaultdict[AgentSession, Counter[int]] = defaultdict(Counter)
    for side in sorted(sides, key=lambda side: (side.edit.at, side.edit.id)):
        session = session_of(side)
        if side.edit.tool == "Write" and not side.removed:
            left[session].clear()
        gone = side.removed.difference(side.own)
        for lines in left.values() if gone else ():
            for code in gone & lines.keys():
                lines[code] -= 1
        if session in asked:
            left[session].update(fresh(side))
    return {key: share(left[key], standing, weights) for key in asked}


def share(lines: Counter[int], standing: Counter[int], weights: Weights) -> float:
    """Return the share of some lines that stands, by weight: 0 to 1; 0 if they weigh nothing."""
    left = [(code, weights[code], count) for code, count in lines.items() if count > 0]
    total = fsum([weight * count for _, weight, count in left])
    stands = fsum([weight * min(count, standing[code]) for code, weight, count in left])
    return stands / total if total else 0.0
