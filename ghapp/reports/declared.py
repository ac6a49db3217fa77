"""What a change declares about agents, beside what was measured, in words. It judges neither."""

from collections.abc import Callable, Iterator, Sequence

from ghapp.attribution.model import Declaration
from ghapp.reports import words

_CALLED = {"claude-code": "Claude", "gemini-cli": "Gemini", "other": "another agent"}
"""How people call an agent whose program has another name: models share it."""


def beside(
    declared: Sequence[Declaration] | None,
    measured: Sequence[tuple[str, str]] | None,
    safe: Callable[[str], str],
) -> str | None:
    """Return both halves; ``None``: nobody looked, or neither says anything.

    ``measured`` is agent and share in percent; ``None``: unknown. ``safe`` makes text from users
    harmless for the place that shows it.
    """
    if declared is None or not (declared or measured):
        return None
    said = "; ".join(_declaration(one, safe) for one in _most_first(declared))
    return f"Declared: {said or 'no agent'}. Measured: {_measured(measured, safe)}."


def _measured(measured: Sequence[tuple[str, str]] | None, safe: Callable[[str], str]) -> str:
    if measured is None:
        return "unknown"
    shares = [f"{share} {safe(words.agent_name(agent))}" for agent, share in measured]
    return words.listed(shares) if shares else "no line"


def _most_first(declared: Sequence[Declaration]) -> list[Declaration]:
    return sorted(declared, key=lambda one: (-one.commits, one.agent))


def _declaration(one: Declaration, safe: Callable[[str], str]) -> str:
    name = safe(_CALLED.get(one.agent) or words.agent_name(one.agent))
    return f"{name} ({', '.join(_details(one, safe))})"


def _details(one: Declaration, safe: Callable[[str], str]) -> Iterator[str]:
    places = [words.counted(one.commits, "commit")] if one.commits else []
    yield words.listed([*places, *(["the text"] if one.in_text else [])]) or "nowhere"
    if one.models:
        yield safe(words.listed(list(one.models)))
    if one.tools:
        yield f"with {safe(words.listed(list(one.tools)))}"
