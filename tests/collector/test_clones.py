"""Which repository a path on this machine belongs to."""

from pathlib import Path

import pytest

from ghapp.collector.clones import FileInClone, LocalClones
from ghapp.evidence.source import Worktree
from tests.clones import Clone

SHOP = ("github.com/acme/shop",)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """Return a clone of acme/shop with one commit."""
    made = Clone(tmp_path / "shop")
    made.git("remote", "add", "origin", "git@github.com:acme/shop.git")
    made.commit({"src/a.py": "a = 1\n"})
    return made


def test_a_file_lies_in_the_clone_around_it(clone: Clone) -> None:
    clones = LocalClones()
    assert clones.place(f"{clone.path}/src/a.py") == FileInClone(SHOP, "src/a.py")
    assert clones.place(f"{clone.path}/README.md") == FileInClone(SHOP, "README.md")
    assert clones.place(f"{clone.path}/not/there/yet.py") == FileInClone(SHOP, "not/there/yet.py")


@pytest.mark.parametrize("path", ["src/a.py", "~nobody/a.py", "", "/", "C:/shop/a.py", "/a.py"])
def test_what_lies_in_no_clone(path: str) -> None:
    assert LocalClones().place(path) is None


def test_gits_own_folder_is_no_part_of_the_repository(clone: Clone) -> None:
    assert LocalClones().place(f"{clone.path}/.git/config") is None


def test_links_are_followed(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(clone.path / "src")
    assert LocalClones().place(f"{tmp_path}/link/a.py") == FileInClone(SHOP, "src/a.py")


def test_a_submodule_is_a_repository_of_its_own(clone: Clone) -> None:
    inner = Clone(clone.path / "vendor" / "lib")
    inner.git("remote", "add", "origin", "https://github.com/acme/lib")
    assert LocalClones().place(f"{inner.path}/x.py") == FileInClone(
        ("github.com/acme/lib",), "x.py"
    )


def test_a_clone_without_remotes_has_no_name(tmp_path: Path) -> None:
    lonely = Clone(tmp_path / "lonely")
    assert LocalClones().place(f"{lonely.path}/a.py") == FileInClone((), "a.py")


def test_origin_comes_first_then_upstream(tmp_path: Path) -> None:
    clone = Clone(tmp_path / "shop")
    for name in ("backup", "upstream", "origin"):
        clone.git("remote", "add", name, f"https://github.com/{name}/shop")
    clone.git("remote", "add", "disk", "/srv/git/shop.git")
    place = LocalClones().place(f"{clone.path}/a.py")
    assert place is not None
    assert place.remotes == (
        "github.com/origin/shop",
        "github.com/upstream/shop",
        "github.com/backup/shop",
    )


def test_a_worktree_that_is_gone_is_mapped_to_its_checkout(clone: Clone, tmp_path: Path) -> None:
    inside = f"{clone.path}/.claude/worktrees/topic/src/a.py"
    beside = f"{tmp_path}/shop-topic/src/a.py"
    assert LocalClones().place(inside) == FileInClone(SHOP, "src/a.py")
    assert LocalClones().place(beside) is None
    # The agent session had started in a folder of the checkout.
    named = Worktree(path=f"{tmp_path}/shop-topic", original=f"{clone.path}/src")
    assert LocalClones([named]).place(beside) == FileInClone(SHOP, "src/a.py")


def test_a_clones_own_settings_run_nothing(clone: Clone, tmp_path: Path) -> None:
    clone.git("config", "core.fsmonitor", f"touch {tmp_path}/ran")
    clone.git("config", "core.sshCommand", f"touch {tmp_path}/ran")
    assert LocalClones().place(f"{clone.path}/src/a.py") == FileInClone(SHOP, "src/a.py")
    assert not (tmp_path / "ran").exists()
