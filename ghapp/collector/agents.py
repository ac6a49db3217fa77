"""Where agents keep their transcripts on this machine. It reads none of them."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from ghapp.collector.places import NoHome

_MOVED = {
    ".claude/": "CLAUDE_CONFIG_DIR",
    ".codex/": "CODEX_HOME",
    ".local/share/": "XDG_DATA_HOME",
}
"""Folders of a home that a variable may move elsewhere."""


def config_roots(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folders that Claude Code may be configured in, there or not.

    Several may be in use: one that a variable names, and those from before it was set.
    Raises `NoHome`.
    """
    home = _home(environment)
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    named = environment.get("CLAUDE_CONFIG_DIR")
    found = [*([Path(named)] if named else []), home / ".claude", config / "claude"]
    return tuple(dict.fromkeys(found))


def transcripts(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the places of all agents' transcripts that are there, each once. Raises `NoHome`."""
    # Not for `config_roots`, which must answer at once.
    from ghapp.evidence.registry import SOURCES  # noqa: PLC0415

    home = _home(environment)
    named = [root / "projects" for root in config_roots(environment)]
    for source in SOURCES.values():
        for below_home in source.HOMES:
            named += _places(home, below_home, environment)
    there = {place.resolve(): place for place in named if place.exists()}
    return tuple(dict.fromkeys(there.values()))


def _places(home: Path, below_home: str, environment: Mapping[str, str]) -> Iterator[Path]:
    """Yield a place below the home, and where a variable has moved it."""
    yield home / below_home
    for folder, variable in _MOVED.items():
        moved = environment.get(variable)
        if moved and below_home.startswith(folder):
            yield Path(moved) / below_home.removeprefix(folder)


def _home(environment: Mapping[str, str]) -> Path:
    home = environment.get("HOME") or environment.get("USERPROFILE", "")
    if not home:
        raise NoHome("HOME is not set, so no transcripts can be found: name their folder")
    return Path(home)
