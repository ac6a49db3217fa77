"""What landed changes add: together as one by one, and never more than a clone can show."""

import subprocess
from pathlib import Path

import msgspec

from ghapp.attribution.model import Change
from ghapp.git.landed import NotInClone, changes
from ghapp.git.repository import GitRepository
from tests.cases import FIXTURES
from tests.git.landing import found
from tests.histories import History, make

REPLAY = FIXTURES / "replay"


def test_together_and_one_by_one_are_the_same(history: History) -> None:
    git = GitRepository(history.path)
    some = found(git)
    assert [changes(git, [one])[0] for one in some] == changes(git, some)


def test_diff_is_what_git_says_of_the_pair(history: History) -> None:
    git = GitRepository(history.path)
    for one, change in zip(some := found(git), changes(git, some), strict=True):
        if one.head is None or one.before is None:
            continue
        base = history.git("merge-base", one.before, one.head)
        told = history.git("diff", "--numstat", base, one.head).splitlines()
        assert isinstance(change, Change)
        assert [len(file.added()) for file in change.files] == [
            int(line.split("\t")[0]) for line in told
        ]


def clone(history: History, path: Path, *options: str) -> GitRepository:
    address = f"file://{history.path}"
    history.git("config", "uploadpack.allowFilter", "true")
    subprocess.run(["git", "clone", "-q", *options, address, str(path)], check=True)
    return GitRepository(path)


def test_bare_clone_shows_the_same(tmp_path: Path) -> None:
    history = make(REPLAY / "merge", tmp_path / "made")
    bare = clone(history, tmp_path / "bare.git", "--bare")
    git = GitRepository(history.path)
    assert found(bare) == found(git)
    assert changes(bare, found(bare)) == changes(git, found(git))


def test_shallow_clone_says_where_it_ends(tmp_path: Path) -> None:
    history = make(REPLAY / "merged_to_two_at_one_time", tmp_path / "made")
    git = clone(history, tmp_path / "shallow", "--depth=2")
    some = found(git)
    read = changes(git, some)
    assert [one.number for one in some] == [20, 21]
    assert some[0].cut
    assert isinstance(read[0], NotInClone)
    assert "--unshallow" in read[0].problem
    assert isinstance(read[1], Change)


def test_shallow_clone_does_not_guess_a_merge_base(tmp_path: Path) -> None:
    history = make(REPLAY / "merge_after_the_base_moved", tmp_path / "made")
    git = clone(history, tmp_path / "shallow", "--depth=2")
    read = changes(git, found(git))
    assert isinstance(read[-1], NotInClone)
    assert "--unshallow" in read[-1].problem


def test_partial_clone_names_what_it_lacks(tmp_path: Path) -> None:
    history = make(REPLAY / "squash", tmp_path / "made")
    git = clone(history, tmp_path / "partial.git", "--bare", "--filter=blob:none")
    assert git.is_partial()
    read = changes(git, found(git))
    assert all(isinstance(one, NotInClone) for one in read)
    assert "src/b.py" in msgspec.to_builtins(read[-1])["problem"]


def test_attributes_that_a_partial_clone_lacks_are_not_taken_for_none(tmp_path: Path) -> None:
    history = make(REPLAY / "attributes_of_the_base", tmp_path / "made")
    git = clone(history, tmp_path / "partial", "--filter=blob:limit=5")
    assert git.is_partial()
    assert isinstance(changes(git, found(git))[-1], NotInClone)
