"""Each folder below fixtures/replay: a history in, the pull requests found in it out."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ghapp.attribution.model import Change
from ghapp.git.history import HistorySpan, LandedChange, LandedHow, landed
from ghapp.git.landed import NotInClone, changes
from ghapp.git.repository import GitRepository
from tests.cases import cases, names
from tests.histories import History, Step, as_json, make

FOLDERS = cases("replay")


def found(git: GitRepository, *, every_commit: bool = True) -> list[LandedChange]:
    tip = git.commit("main").sha
    return list(landed(git, HistorySpan(tip=tip, every_commit=every_commit)))


def shown(one: LandedChange, change: Change | NotInClone) -> dict[str, Any]:
    assert isinstance(change, Change), change
    return {
        "number": one.number,
        "how": one.how,
        "merged_at": one.merged_at,
        "added": {file.path: [line.number for line in file.added()] for file in change.files},
        "gitattributes": sorted(change.gitattributes),
    }


@pytest.fixture(scope="module", params=FOLDERS, ids=names(FOLDERS))
def folder(request: pytest.FixtureRequest) -> Path:
    case: Path = request.param
    return case


@pytest.fixture(scope="module")
def history(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> History:
    """Return the history of a case, made once for all tests that only read it."""
    return make(folder, tmp_path_factory.mktemp(folder.name) / "clone")


def test_history(folder: Path, history: History) -> None:
    git = GitRepository(history.path)
    some = found(git)
    actual = as_json([shown(*pair) for pair in zip(some, changes(git, some), strict=True)])
    expected = folder / "expected.json"
    if os.environ.get("RENEW"):
        expected.write_bytes(actual)
    assert actual == expected.read_bytes()


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


def test_commits_without_a_number_are_passed_over(tmp_path: Path) -> None:
    history = History(tmp_path / "clone")
    history.do(Step(write={"a.py": "a = 1\n"}, message="First"))
    history.do(Step(write={"a.py": "a = 2\n"}, message="Second (#2)"))
    assert [one.number for one in found(GitRepository(history.path), every_commit=False)] == [2]


def test_span_includes_both_ends(tmp_path: Path) -> None:
    history = History(tmp_path / "clone")
    for day in range(1, 6):
        history.do(Step(at=f"2026-05-0{day}T00:00:00Z", message=f"Day (#{day})"))
    git = GitRepository(history.path)
    since, until = datetime(2026, 5, 2, tzinfo=UTC), datetime(2026, 5, 4, tzinfo=UTC)
    span = HistorySpan(tip=git.commit("main").sha, since=since, until=until)
    assert [one.number for one in landed(git, span)] == [2, 3, 4]


def clone(history: History, path: Path, *options: str) -> GitRepository:
    address = f"file://{history.path}"
    history.git("config", "uploadpack.allowFilter", "true")
    subprocess.run(["git", "clone", "-q", *options, address, str(path)], check=True)
    return GitRepository(path)


def test_bare_clone_shows_the_same(tmp_path: Path) -> None:
    history = make(FOLDERS[0].parent / "merge", tmp_path / "made")
    bare = clone(history, tmp_path / "bare.git", "--bare")
    git = GitRepository(history.path)
    assert found(bare) == found(git)
    assert changes(bare, found(bare)) == changes(git, found(git))


def test_shallow_clone_says_where_it_ends(tmp_path: Path) -> None:
    history = make(FOLDERS[0].parent / "merged_to_two_at_one_time", tmp_path / "made")
    git = clone(history, tmp_path / "shallow", "--depth=2")
    some = found(git)
    read = changes(git, some)
    assert [one.number for one in some] == [20, 21]
    assert some[0].cut
    assert isinstance(read[0], NotInClone)
    assert "--unshallow" in read[0].problem
    assert isinstance(read[1], Change)


def test_shallow_clone_does_not_guess_a_merge_base(tmp_path: Path) -> None:
    history = make(FOLDERS[0].parent / "merge_after_the_base_moved", tmp_path / "made")
    git = clone(history, tmp_path / "shallow", "--depth=2")
    read = changes(git, found(git))
    assert isinstance(read[-1], NotInClone)
    assert "--unshallow" in read[-1].problem


def test_partial_clone_names_what_it_lacks(tmp_path: Path) -> None:
    history = make(FOLDERS[0].parent / "squash", tmp_path / "made")
    git = clone(history, tmp_path / "partial.git", "--bare", "--filter=blob:none")
    assert git.is_partial()
    read = changes(git, found(git))
    assert all(isinstance(one, NotInClone) for one in read)
    assert "src/b.py" in msgspec.to_builtins(read[-1])["problem"]


def test_attributes_that_a_partial_clone_lacks_are_not_taken_for_none(tmp_path: Path) -> None:
    history = make(FOLDERS[0].parent / "attributes_of_the_base", tmp_path / "made")
    git = clone(history, tmp_path / "partial", "--filter=blob:limit=5")
    assert git.is_partial()
    assert isinstance(changes(git, found(git))[-1], NotInClone)


def test_title_of_many_lines_and_foreign_encodings(tmp_path: Path) -> None:
    history = History(tmp_path / "clone")
    history.do(Step(message="A title\nthat goes on (#4)\n\nText (#5)"))
    history.git("commit", "-q", "--allow-empty", "-m", "Gr\u00fc\u00dfe (#6)")
    assert [(one.number, one.how) for one in found(GitRepository(history.path))] == [
        (4, LandedHow.SQUASH),
        (6, LandedHow.SQUASH),
    ]
