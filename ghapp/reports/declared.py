"""What a change declares about agents, beside what was measured, in words. It judges neither."""

from collections.abc import Callable, Iterator, Sequence

from ghapp.attribution.model import AgentCommitCount, AgentDeclaration
from ghapp.reports import words

_CALLED = {"claude-code": "Claude", "gemini-cli": "Gemini", "other": "another agent"}
"""How people call an agent whose program has another name: models share it."""


def beside(
    declared: Sequence[AgentDeclaration] | None,
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


def pushed(
    commits: Sequence[AgentCommitCount] | None,
    declared: Sequence[AgentDeclaration] | None,
    safe: Callable[[str], str],
) -> str | None:
    """Return whose commits are proven; ``None``: nothing says that an agent made one.

    ``commits`` is ``None`` where nobody asked GitHub. Then the commits' own names are all there is.
    """
    if commits:
        said = "; ".join(_counted(one, safe) for one in commits)
        return f"Commits by agents' own accounts: {said}."
    named = {form for one in declared or () for form in one.forms}
    if commits is None and not named.isdisjoint({"author", "committer"}):
        return (
            "Agents are named as authors of commits. Only GitHub knows whose a commit is, and it "
            "was not asked, so no line is followed from them."
        )
    return None


def _counted(one: AgentCommitCount, safe: Callable[[str], str]) -> str:
    parts = [f"{one.proven:,} proven"] if one.proven else []
    parts += [f"{one.unproven:,} by name or address alone"] if one.unproven else []
    return f"{safe(words.agent_name(one.agent))} {words.listed(parts)}"


def _measured(measured: Sequence[tuple[str, str]] | None, safe: Callable[[str], str]) -> str:
    if measured is None:
        return "unknown"
    shares = [f"{share} {safe(words.agent_name(agent))}" for agent, share in measured]
    return words.listed(shares) if shares else "no line"


def _most_first(declared: Sequence[AgentDeclaration]) -> list[AgentDeclaration]:
    return sorted(declared, key=lambda one: (-one.commits, one.agent))


def _declaration(one: AgentDeclaration, safe: Callable[[str], str]) -> str:
    name = safe(_CALLED.get(one.agent) or words.agent_name(one.agent))
    return f"{name} ({', '.join(_details(one, safe))})"


def _details(one: AgentDeclaration, safe: Callable[[str], str]) -> Iterator[str]:
    places = [words.counted(one.commits, "commit")] if one.commits else []
    yield words.listed([*places, *(["the text"] if one.in_text else [])]) or "nowhere"
    if one.models:
        yield safe(words.listed(list(one.models)))
    if one.tools:
        yield f"with {safe(words.listed(list(one.tools)))}"
