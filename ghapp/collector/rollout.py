"""Installs the hook into Claude Code's settings, for one user, everyone or a plugin; removes it.

It changes only our own entries, and writes a file only if that changes it. The format is that of
https://code.claude.com/docs/en/settings and https://code.claude.com/docs/en/hooks.
"""

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ghapp import __version__
from ghapp.collector import hook
from ghapp.collector.places import CollectorError, read_if_there, write_whole

MATCHER = "Edit|Write|MultiEdit|NotebookEdit|Bash"
"""The tools whose calls may change a file."""
SECONDS = 5
"""Time-out of the hook; it usually takes a hundredth of a second."""
MANAGED_FILE = "50-ghapp-collector.json"
PLUGIN = "ghapp-collector"
EVERYONES_COMMAND = "ghapp collect hook 2>/dev/null || true"
"""Runs the ``ghapp`` of each machine's PATH; silent where it is not installed."""

_OURS = ("ghapp collect hook", "ghapp/collector/hook.py")
_MANAGED = {
    "linux": "/etc/claude-code/managed-settings.d",
    "darwin": "/Library/Application Support/ClaudeCode/managed-settings.d",
}


class SettingsUnread(CollectorError):  # noqa: N818 - a state of a file, named as what it is
    """A settings file does not have Claude Code's format; nothing was changed."""


def command_here() -> str:
    """Return the hook's command for this installation; it runs the file, for a quick start."""
    started = shlex.join([sys.executable, "-I", "-S", hook.__file__])
    return f"{started} 2>/dev/null || true"


def hooks(command: str) -> dict[str, Any]:
    """Return the hooks in the settings' format: around each call, and at the end of a turn."""
    ours = {"hooks": [{"type": "command", "command": command, "timeout": SECONDS}]}
    return {
        "PreToolUse": [{"matcher": "Bash", **ours}],
        "PostToolUse": [{"matcher": MATCHER, **ours}],
        "Stop": [ours],
        "SessionEnd": [ours],
    }


def with_hooks(settings: dict[str, Any], command: str) -> dict[str, Any]:
    """Return the settings with our hook, once; everything else stays."""
    merged = dict(without_hooks(settings).get("hooks", {}))
    for event, entries in hooks(command).items():
        merged[event] = [*merged.get(event, []), *entries]
    return {**settings, "hooks": merged}


def without_hooks(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings without our hook. Raises `SettingsUnread`."""
    groups = settings.get("hooks", {})
    if not isinstance(groups, dict):
        raise SettingsUnread("its member 'hooks' is not an object")
    left = {event: list(_others(event, entries)) for event, entries in groups.items()}
    kept = {event: entries for event, entries in left.items() if entries or not groups[event]}
    if kept or not groups:
        return {**settings, "hooks": kept} if kept else settings
    return {name: value for name, value in settings.items() if name != "hooks"}


def _others(event: str, entries: object) -> Iterator[dict[str, Any]]:
    """Yield the entries of an event that are not ours."""
    if not isinstance(entries, list):
        raise SettingsUnread(f"its hooks for {event} are not a list")
    for entry in entries:
        commands = entry.get("hooks", []) if isinstance(entry, dict) else []
        others = [one for one in commands if not is_ours(one)]
        if len(others) == len(commands):
            yield entry
        elif others:
            yield {**entry, "hooks": others}


def is_ours(handler: object) -> bool:
    """Say whether a hook's handler is the collector's, in any version."""
    command = handler.get("command", "") if isinstance(handler, dict) else ""
    return isinstance(command, str) and any(sign in command for sign in _OURS)


# --- one user's settings ------------------------------------------------------------------------


def install(path: Path, command: str) -> bool:
    """Write the hook into a settings file; say whether that changed the file.

    The first change keeps the old content beside it, as ``settings.json.before-ghapp``.
    Raises `SettingsUnread` and `OSError`.
    """
    return _change(path, lambda settings: with_hooks(settings, command))


def remove(path: Path) -> bool:
    """Remove the hook from a settings file, and the copy beside it; say whether anything was there.

    A file that has only what it had before `install` is as it was, byte for byte; one that
    `install` made is gone, and so is its folder where nothing else is in it.
    Raises `SettingsUnread` and `OSError`.
    """
    if not path.exists():
        return False
    path = path.resolve()
    kept = _kept(path)
    before = read_if_there(kept)
    was_there = is_installed(path)
    _change(path, without_hooks, keeps=False)
    if before is not None:
        if was_there and _says_the_same(path, before):
            _replace(path, before)
        kept.unlink()
    elif was_there and not _read(path):
        path.unlink()
        if not any(path.parent.iterdir()):
            path.parent.rmdir()
    return was_there or before is not None


def _says_the_same(path: Path, before: bytes) -> bool:
    """Say whether a file without our hook has what it had before, however that was written."""
    try:
        then = json.loads(before) if before.strip() else {}
        # Empty lists of hooks go with ours.
        return without_hooks(with_hooks(then, EVERYONES_COMMAND)) == _read(path)
    except (ValueError, TypeError, AttributeError, SettingsUnread):
        return False


def is_installed(path: Path) -> bool:
    """Say whether a settings file contains the hook; ``False`` if it cannot be read."""
    try:
        settings = _read(path)
        return without_hooks(settings) != settings
    except (SettingsUnread, OSError):
        return False


def _kept(path: Path) -> Path:
    """Return where the first change keeps the old content."""
    return path.with_name(f"{path.name}.before-ghapp")


def _change(
    path: Path, change: Callable[[dict[str, Any]], dict[str, Any]], *, keeps: bool = True
) -> bool:
    # The settings may be a link into somebody's dotfiles: keep the link.
    path = path.resolve()
    before = read_if_there(path)
    try:
        settings = _read(path)
        changed = change(settings)
    except SettingsUnread as error:
        raise SettingsUnread(f"{path}: {error}; fix it first, nothing was changed") from error
    if changed == settings:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    if keeps and before is not None and not _kept(path).exists() and not is_installed(path):
        write_whole(_kept(path), before)
    _replace(path, _as_json(changed))
    return True


def _replace(path: Path, content: bytes) -> None:
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    write_whole(path, content)
    path.chmod(mode)


def _read(path: Path) -> dict[str, Any]:
    content = read_if_there(path)
    if content is None or not content.strip():
        return {}
    try:
        found = json.loads(content)
    except ValueError as error:
        raise SettingsUnread(f"it is not JSON ({error})") from error
    if not isinstance(found, dict):
        raise SettingsUnread("it is not a JSON object")
    return found


def _as_json(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


# --- everyone's settings ------------------------------------------------------------------------


def managed_settings(*, shell_diffs: bool) -> bytes:
    """Return the fragment of managed settings that runs the hook on every machine.

    ``shell_diffs`` makes Claude Code record what shell commands change in files.
    """
    settings: dict[str, Any] = {"hooks": hooks(EVERYONES_COMMAND)}
    if shell_diffs:
        settings["bashEditDiffEnabled"] = True
    return _as_json(settings)


def managed_file() -> Path:
    """Return the path of the fragment that Claude Code reads on this system."""
    return Path(_MANAGED.get(sys.platform, _MANAGED["linux"])) / MANAGED_FILE


def plugin_files() -> dict[str, bytes]:
    """Return a plugin that runs the hook, with a marketplace around it: path → content."""
    about = "Sends which lines agents edited to your organization's Attribution Auditor."
    manifest = {"name": PLUGIN, "version": __version__, "description": about}
    marketplace = {
        "name": PLUGIN,
        "owner": {"name": "Attribution Auditor"},
        "plugins": [{"name": PLUGIN, "source": f"./{PLUGIN}", "description": about}],
    }
    return {
        ".claude-plugin/marketplace.json": _as_json(marketplace),
        f"{PLUGIN}/.claude-plugin/plugin.json": _as_json(manifest),
        f"{PLUGIN}/hooks/hooks.json": _as_json({"hooks": hooks(EVERYONES_COMMAND)}),
    }


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    """Write files below a folder, readable by everyone; keep a copy of others' content."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        before = read_if_there(path)
        if before is not None and not _is_written_by_us(before) and not _kept(path).exists():
            write_whole(_kept(path), before)
        path.write_bytes(content)


def _is_written_by_us(content: bytes) -> bool:
    """Say whether a file of managed settings or of the plugin is ours, in any version."""
    return PLUGIN.encode() in content or EVERYONES_COMMAND.encode() in content


def remove_files(folder: Path, files: dict[str, bytes]) -> bool:
    """Remove the files that `write_files` wrote, and then empty folders; say if any existed.

    What stood there before comes back; a file that somebody else wrote since stays.
    """
    found = False
    for name in files:
        path = folder / name
        content, before = read_if_there(path), read_if_there(_kept(path))
        if content is not None and _is_written_by_us(content):
            path.unlink()
            found = True
            if before is not None:
                _kept(path).replace(path)
        for parent in path.parents:
            if parent == folder.parent or not parent.is_dir() or any(parent.iterdir()):
                break
            parent.rmdir()
    return found
