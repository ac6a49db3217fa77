"""Where agents store their transcripts on this machine. It reads none of them."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ghapp.collector.places import NoHome


class AgentFolder(NamedTuple):
    """A folder or file in which an agent keeps records."""

    agent: str | None
    """``None``: it may hold records of several agents."""
    path: Path
    is_read: bool
    """Whether a source reads this agent's records."""


_MOVED = {
    ".claude/": "CLAUDE_CONFIG_DIR",
    ".cline/": "CLINE_DIR",
    ".codex/": "CODEX_HOME",
    ".cursor/": "CURSOR_CONFIG_DIR",
    ".local/share/": "XDG_DATA_HOME",
}
"""Folder of the home → the variable that may move it elsewhere."""


def config_roots(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folders that may hold Claude Code's settings, whether they exist or not.

    Several may be in use: the one that a variable names, and those from before it was set
    (https://code.claude.com/docs/en/settings). Raises `NoHome`.
    """
    home = _home(environment)
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    named = environment.get("CLAUDE_CONFIG_DIR")
    found = [*([Path(named)] if named else []), home / ".claude", config / "claude"]
    return tuple(dict.fromkeys(found))


def transcripts(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Return all existing folders of transcripts, each once. Raises `NoHome`."""
    # `config_roots` does not need the sources, and their import is slow.
    from ghapp.evidence.registry import SOURCES  # noqa: PLC0415

    home = _home(environment)
    named = [root / "projects" for root in config_roots(environment)]
    for source in SOURCES.values():
        for below_home in source.HOMES:
            named += _places(home, below_home, environment)
    there = {place.resolve(): place for place in named if place.exists()}
    return tuple(dict.fromkeys(there.values()))


def folders_of(environment: Mapping[str, str]) -> tuple[AgentFolder, ...]:
    """Return where each known agent keeps its records, whether the folder exists or not.

    Folders of agents that no source reads are among them only if they exist. Raises `NoHome`.
    """
    from ghapp.evidence.homes import UNREAD_HOMES, read_homes  # noqa: PLC0415 - see above

    home = _home(environment)
    found: dict[Path, AgentFolder] = {}
    for is_read, homes in ((True, read_homes()), (False, UNREAD_HOMES)):
        for agent, below_home in homes:
            for place in _places(home, below_home, environment):
                if is_read or place.exists():
                    found.setdefault(place, AgentFolder(agent, place, is_read=is_read))
    for root in config_roots(environment):
        projects = root / "projects"
        if projects.exists():
            found.setdefault(projects, AgentFolder("claude-code", projects, is_read=True))
    return tuple(sorted(found.values(), key=lambda one: (one.agent or "", str(one.path))))


def _places(home: Path, below_home: str, environment: Mapping[str, str]) -> Iterator[Path]:
    """Yield a folder below the home, and where a variable has moved it."""
    yield home / below_home
    for folder, variable in _MOVED.items():
        moved = environment.get(variable)
        if moved and below_home.startswith(folder):
            yield Path(moved) / below_home.removeprefix(folder)


def _home(environment: Mapping[str, str]) -> Path:
    home = environment.get("HOME", "")
    if not home:
        raise NoHome("HOME is not set, so transcripts cannot be found: name their folder")
    return Path(home)
