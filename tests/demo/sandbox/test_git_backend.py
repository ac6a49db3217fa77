"""The git repository behind the stand-in: what it remembers is what git says."""

import itertools
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ghapp.demo.sandbox.git_backend import (
    FEW_PACKS,
    NEW,
    BareRepository,
    Content,
    GitFailed,
    GitPerson,
)

AT = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
DEV = GitPerson("dev", "dev@example.test")
MAIN = "refs/heads/main"


@pytest.fixture
def git(tmp_path: Path) -> BareRepository:
    return BareRepository(tmp_path / "app.git", "main")


def commit(
    git: BareRepository,
    files: dict[str, Content],
    *parents: str,
    ref: str = MAIN,
    others: dict[str, str | None] | None = None,
) -> str:
    made = git.write_commit(
        ref, files, parents=parents, author=DEV, at=AT, message="Change", others=others
    )
    assert_remembers_well(git)
    return made


def assert_remembers_well(git: BareRepository) -> None:
    """Demand that refs are as git lists them, and that git finds no fault."""
    said = git.run("for-each-ref", "--format=%(refname) %(objectname)").decode()
    listed = dict(line.split(" ") for line in said.splitlines())
    assert {ref: git.resolve(ref) for ref in listed} == listed
    branches = {f"refs/heads/{name}": sha for name, sha in git.branches().items()}
    assert branches == {ref: sha for ref, sha in listed.items() if ref.startswith("refs/heads/")}
    git.run("fsck", "--strict", "--no-progress")


def test_an_empty_repository_is_as_git_makes_it(git: BareRepository, tmp_path: Path) -> None:
    other = tmp_path / "git-s.git"
    subprocess.run(["git", "init", "-q", "--bare", "--template=", str(other)], check=True)
    ours, theirs = (
        {str(one.relative_to(root)) for root in (top,) for one in root.rglob("*")}
        for top in (git.path, other)
    )
    assert ours == theirs
    assert git.run("symbolic-ref", "HEAD") == b"refs/heads/main\n"
    assert (git.resolve("main"), git.branches()) == (None, {})


def test_two_that_begin_alike_go_on_by_themselves(git: BareRepository, tmp_path: Path) -> None:
    other = BareRepository(tmp_path / "other.git", "trunk")
    first = commit(git, {"a": "1\n"})
    assert commit(other, {"a": "1\n"}) == first
    second = commit(git, {"a": "2\n"}, first)
    assert (git.resolve("main"), other.resolve("main")) == (second, first)
    assert other.resolve(second) is None


def test_other_refs_move_in_the_same_step(git: BareRepository) -> None:
    start = commit(git, {"a": "1\n"}, others={"refs/pull/1/head": NEW})
    assert git.resolve("refs/pull/1/head") == start
    gone = {"refs/pull/1/head": None, "refs/heads/never": None}
    tip = commit(git, {"a": "2\n"}, start, others={**gone, "refs/tags/old": start})
    assert git.resolve("refs/pull/1/head") is None
    assert (git.resolve("old"), git.resolve("main")) == (start, tip)


def test_refs_are_set_and_deleted(git: BareRepository) -> None:
    start = commit(git, {"a": "1\n"})
    git.set_refs({"refs/heads/one": start, "refs/heads/two": start})
    assert_remembers_well(git)
    git.set_refs({"refs/heads/one": None, "refs/heads/none": None})
    assert_remembers_well(git)
    assert sorted(git.branches()) == ["main", "two"]


def test_a_name_that_is_no_ref_is_asked_of_git(git: BareRepository) -> None:
    start = commit(git, {"a": "1\n"})
    assert {git.resolve(name) for name in ("HEAD", "heads/main", start[:10])} == {start}
    assert git.resolve("main", "tree") == git.tree_of(start)
    assert git.resolve(start, "tree") == git.tree_of(start)
    for name in ("", "--all", "main..main", "main@{1}", "none", "refs/heads/none", "0" * 40):
        assert git.resolve(name) is None, name


def test_a_fault_is_said_and_changes_nothing(git: BareRepository) -> None:
    start = commit(git, {"a": "1\n"})
    with pytest.raises(GitFailed, match=r"fast-import.* ended with"):
        commit(git, {"a": "2\n"}, start, ref="refs/heads/no..name")
    with pytest.raises(GitFailed):
        git.set_refs({"refs/heads/other": "1" * 40})
    assert_remembers_well(git)
    assert git.branches() == {"main": start}


def test_histories_are_compared_as_git_compares_them(git: BareRepository, tmp_path: Path) -> None:
    """A fork, two branches and two merges, one of them criss-cross; and one history apart."""
    start = commit(git, {"a": "1\n"})
    one = commit(git, {"one": "1\n"}, start, ref="refs/heads/one")
    two = commit(git, {"two": "2\n"}, start, ref="refs/heads/two")
    left = commit(git, {}, one, two, ref="refs/heads/one")
    right = commit(git, {}, two, one, ref="refs/heads/two")
    apart = commit(git, {"else": "x\n"}, ref="refs/heads/apart")
    fork = BareRepository(tmp_path / "fork.git", "main")
    fork.fetch_from(git, MAIN, MAIN)
    far = commit(fork, {"far": "f\n"}, start)
    git.fetch_from(fork, far, "refs/pull/1/head")
    assert_remembers_well(git)
    for base, head in itertools.product([start, one, two, left, right, apart, far], repeat=2):
        said = git.run("merge-base", base, head, allowed=(0, 1)).decode().strip()
        assert git.merge_base(base, head) == (said or None)
        counted = git.run("rev-list", "--count", f"{base}..{head}").decode().strip()
        assert git.count(base, head) == int(counted)
    assert git.tree_of(far) == git.commit_info(far).tree


def test_many_commits_leave_few_packs(git: BareRepository) -> None:
    tip = commit(git, {"a": "0\n"})
    for number in range(1, FEW_PACKS + 5):
        tip = git.write_commit(
            MAIN,
            {"a": f"{number}\n"},
            parents=(tip,),
            author=DEV,
            at=AT + timedelta(minutes=number),
            message="Change",
        )
    assert_remembers_well(git)
    assert len(list((git.path / "objects" / "pack").glob("*.pack"))) <= FEW_PACKS
    assert git.blob(git.tree(tip)[0].sha) == f"{FEW_PACKS + 4}\n".encode()


def test_a_large_beginning_is_not_remembered(git: BareRepository) -> None:
    start = commit(git, {"long": "x\n" * 60_000})
    assert len(git.blob(git.tree(start)[0].sha) or b"") == 120_000


def test_a_text_with_a_nul_keeps_its_patch(git: BareRepository) -> None:
    """Git takes a file for a text where the first 8,000 bytes have no NUL."""
    old = commit(git, {"nul": "a\n" * 5_000 + "\0\0\n", "b": "1\n"})
    new = commit(git, {"nul": "a\n" * 5_000 + "\0\0 more\n", "b": "2\n"}, old)
    first, second = git.changes(old, new)
    assert (first.path, second.path) == ("b", "nul")
    assert second.patch is not None
    assert second.patch.endswith("-\0\0\n+\0\0 more")
    assert git.changes(new, new) == ()
