"""Where agents keep their transcripts on this machine. It reads none of them."""

from collections.abc import Callable, Mapping
from pathlib import Path

from ghapp.collector.places import NoHome


def config_roots(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folders that Claude Code may be configured in, there or not.

    Several may be in use: one that a variable names, and those from before it was set.
    """
    home = _home(environment)
    named = environment.get("CLAUDE_CONFIG_DIR", "")
    xdg = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    found = [Path(one) for one in (named,) if one]
    return tuple(dict.fromkeys([*found, home / ".claude", xdg / "claude"]))


def transcripts(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folders of transcripts that are there, each once, however it is reached."""
    folders = (folder for known in KNOWN for folder in known(environment))
    there = {folder.resolve(): folder for folder in folders if folder.is_dir()}
    return tuple(there.values())


def _claude_code(environment: Mapping[str, str]) -> list[Path]:
    return [root / "projects" for root in config_roots(environment)]


KNOWN: tuple[Callable[[Mapping[str, str]], list[Path]], ...] = (_claude_code,)


def _home(environment: Mapping[str, str]) -> Path:
    home = environment.get("HOME") or environment.get("USERPROFILE", "")
    if not home:
        raise NoHome("HOME is not set, so no transcripts can be found: name their folder")
    return Path(home)
