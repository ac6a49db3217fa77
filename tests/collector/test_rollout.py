"""Installing and removing the hook changes nothing else in Claude Code's settings."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.collector import rollout
from ghapp.collector.rollout import SettingsUnread, with_hooks, without_hooks

OURS = "/opt/venv/bin/python -I -S /opt/ghapp/collector/hook.py 2>/dev/null || true"
THEIRS = {"type": "command", "command": "prettier --write"}
SETTINGS = {
    "model": "opus",
    "hooks": {
        "PostToolUse": [{"matcher": "Edit", "hooks": [THEIRS]}],
        "PreToolUse": [{"matcher": "Bash", "hooks": [THEIRS]}],
    },
    "permissions": {"allow": ["Bash(ls)"]},
}

_ENTRIES = st.lists(
    st.fixed_dictionaries(
        {"hooks": st.lists(st.just(THEIRS), min_size=1, max_size=2)},
        optional={"matcher": st.sampled_from(["Edit", "Bash", ""])},
    ),
    max_size=2,
)
_SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "model": st.text(),
        "hooks": st.dictionaries(
            st.sampled_from(["PostToolUse", "Stop", "SessionStart"]), _ENTRIES, min_size=1
        ),
    },
)


@given(settings=_SETTINGS)
def test_putting_in_and_taking_out_changes_nothing(settings: dict[str, Any]) -> None:
    installed = with_hooks(settings, OURS)
    assert with_hooks(installed, OURS) == installed
    assert with_hooks(installed, "ghapp collect hook") == with_hooks(settings, "ghapp collect hook")
    assert _without_empty(without_hooks(installed)) == _without_empty(settings)


def _without_empty(settings: dict[str, Any]) -> dict[str, Any]:
    """Leave out events without entries: to Claude Code they are the same as none."""
    hooks = {event: entries for event, entries in settings.get("hooks", {}).items() if entries}
    rest = {name: value for name, value in settings.items() if name != "hooks"}
    return {**rest, **({"hooks": hooks} if hooks else {})}


def test_the_hook_runs_after_edits_and_at_the_end_of_turns() -> None:
    hooks = with_hooks(SETTINGS, OURS)["hooks"]
    assert [entry["matcher"] for entry in hooks["PostToolUse"]] == ["Edit", rollout.MATCHER]
    for event in ("PostToolUse", "Stop", "SessionEnd"):
        assert hooks[event][-1]["hooks"] == [{"type": "command", "command": OURS, "timeout": 5}]
    theirs, ours = hooks["PreToolUse"]
    assert [theirs] == SETTINGS["hooks"]["PreToolUse"]  # type: ignore[index]
    assert ours == {**hooks["Stop"][-1], "matcher": "Bash"}


def test_ours_among_theirs_is_taken_out_alone() -> None:
    mixed = {"Stop": [{"hooks": [THEIRS, {"type": "command", "command": OURS}]}]}
    assert without_hooks({"hooks": mixed}) == {"hooks": {"Stop": [{"hooks": [THEIRS]}]}}


def test_a_settings_file_is_changed_once_and_kept_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    before = json.dumps(SETTINGS, indent=4)
    path.write_text(before)
    path.chmod(0o640)
    assert rollout.install(path, OURS)
    assert not rollout.install(path, OURS)
    assert rollout.is_installed(path)
    assert list(json.loads(path.read_text())) == ["model", "hooks", "permissions"]
    assert path.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "settings.json.before-ghapp").read_text() == before
    assert rollout.remove(path)
    assert path.read_text() == before
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]
    assert not rollout.remove(path)


@pytest.mark.parametrize(
    "before", ["", "{}", '{"model": "x",\n\n "hooks": {}}', '{"hooks":{"Stop":[]}}']
)
def test_removing_leaves_each_byte_that_was_there(before: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(before)
    assert rollout.install(path, OURS)
    assert rollout.remove(path)
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {path.name: before}


def test_where_nothing_was_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "claude" / "settings.json"
    assert rollout.install(path, OURS)
    assert rollout.remove(path)
    assert list(tmp_path.iterdir()) == []


def test_what_a_person_changed_since_stays(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text("{}")
    rollout.install(path, OURS)
    path.write_text(json.dumps({**json.loads(path.read_text()), "model": "mine"}))
    assert rollout.remove(path)
    assert json.loads(path.read_text()) == {"model": "mine"}
    assert list(tmp_path.iterdir()) == [path]


def test_a_copy_never_holds_our_own_hook(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text("{}")
    rollout.install(path, OURS)
    (tmp_path / "settings.json.before-ghapp").unlink()
    assert rollout.install(path, f"{OURS} --newer")
    assert rollout.remove(path)
    assert not path.exists()


def test_others_files_in_the_place_of_ours_come_back(tmp_path: Path) -> None:
    files = rollout.plugin_files()
    theirs = tmp_path / "m" / ".claude-plugin" / "marketplace.json"
    theirs.parent.mkdir(parents=True)
    theirs.write_text('{"name": "theirs"}')
    rollout.write_files(tmp_path / "m", files)
    rollout.write_files(tmp_path / "m", files)
    assert rollout.remove_files(tmp_path / "m", files)
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == [theirs]
    assert theirs.read_text() == '{"name": "theirs"}'


def test_what_somebody_else_wrote_since_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / rollout.MANAGED_FILE
    rollout.write_files(tmp_path, {path.name: rollout.managed_settings(shell_diffs=False)})
    path.write_text('{"model": "theirs"}')
    assert not rollout.remove_files(tmp_path, {path.name: b""})
    assert path.read_text() == '{"model": "theirs"}'


def test_a_linked_settings_file_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles.json").write_text("{}")
    path = tmp_path / "settings.json"
    path.symlink_to(tmp_path / "dotfiles.json")
    assert rollout.install(path, OURS)
    assert path.is_symlink()
    assert "hooks" in json.loads((tmp_path / "dotfiles.json").read_text())


@pytest.mark.parametrize("text", ["{", "[]", '{"hooks": []}', '{"hooks": {"Stop": {}}}'])
def test_a_file_that_is_something_else_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(text)
    with pytest.raises(SettingsUnread, match="nothing was changed"):
        rollout.install(path, OURS)
    assert path.read_text() == text
    assert not rollout.is_installed(path)


def test_everyones_settings_run_the_command_on_the_path(tmp_path: Path) -> None:
    plain = json.loads(rollout.managed_settings(shell_diffs=False))
    assert plain == {"hooks": rollout.hooks(rollout.EVERYONES_COMMAND)}
    assert json.loads(rollout.managed_settings(shell_diffs=True)) == {
        **plain,
        "bashEditDiffEnabled": True,
    }
    path = tmp_path / "managed-settings.d" / rollout.MANAGED_FILE
    rollout.write_files(path.parent, {path.name: rollout.managed_settings(shell_diffs=False)})
    assert rollout.is_installed(path)


def test_a_plugin_is_written_and_removed_whole(tmp_path: Path) -> None:
    folder = tmp_path / "marketplace"
    files = rollout.plugin_files()
    rollout.write_files(folder, files)
    marketplace = json.loads((folder / ".claude-plugin" / "marketplace.json").read_text())
    (plugin,) = marketplace["plugins"]
    root = folder / plugin["source"]
    manifest = json.loads((root / ".claude-plugin" / "plugin.json").read_text())
    assert manifest["name"] == plugin["name"] == rollout.PLUGIN
    assert set(json.loads((root / "hooks" / "hooks.json").read_text())["hooks"]) == {
        "PreToolUse",
        "PostToolUse",
        "Stop",
        "SessionEnd",
    }
    (folder / "README.md").write_text("ours")
    assert rollout.remove_files(folder, files)
    assert [path.name for path in folder.rglob("*")] == ["README.md"]
    assert not rollout.remove_files(folder, files)
