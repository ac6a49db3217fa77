"""Where agents store their transcripts on this machine: every folder in use, each once."""

from pathlib import Path

import pytest

from ghapp.collector import agents
from ghapp.collector.places import NoHome


def test_a_named_folder_goes_first_and_older_ones_stay(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    usual = (tmp_path / ".claude", tmp_path / ".config" / "claude")
    assert agents.config_roots(home) == usual
    named = tmp_path / "work"
    assert agents.config_roots({**home, "CLAUDE_CONFIG_DIR": str(named)}) == (named, *usual)
    same = {**home, "CLAUDE_CONFIG_DIR": str(usual[0])}
    assert agents.config_roots(same) == usual
    moved = {**home, "XDG_CONFIG_HOME": str(tmp_path / "etc"), "CLAUDE_CONFIG_DIR": ""}
    assert agents.config_roots(moved) == (usual[0], tmp_path / "etc" / "claude")


@pytest.mark.parametrize("environment", [{}, {"HOME": ""}])
def test_without_a_home_nothing_can_be_found(environment: dict[str, str]) -> None:
    with pytest.raises(NoHome, match="name their folder"):
        agents.config_roots(environment)
    with pytest.raises(NoHome):
        agents.transcripts(environment)


def test_folders_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    assert agents.transcripts({"HOME": str(tmp_path)}) == ()


def test_every_config_root_is_found_once(tmp_path: Path) -> None:
    environment = {
        "HOME": str(tmp_path),
        "CLAUDE_CONFIG_DIR": str(tmp_path / "work"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }
    for root in (".claude", "work", "config/claude"):
        (tmp_path / root / "projects").mkdir(parents=True)
    assert agents.transcripts(environment) == (
        tmp_path / "work" / "projects",
        tmp_path / ".claude" / "projects",
        tmp_path / "config" / "claude" / "projects",
    )
    for place in (".codex/sessions", "data/opencode", "codex/sessions"):
        (tmp_path / place).mkdir(parents=True)
    moved = {"CODEX_HOME": str(tmp_path / "codex"), "XDG_DATA_HOME": str(tmp_path / "data")}
    assert set(agents.transcripts({**environment, **moved})) - set(
        agents.transcripts(environment)
    ) == {tmp_path / "codex" / "sessions", tmp_path / "data" / "opencode"}
    (tmp_path / "linked").symlink_to(tmp_path / ".claude")
    linked = {**environment, "CLAUDE_CONFIG_DIR": str(tmp_path / "linked")}
    assert len(agents.transcripts(linked)) == 3
