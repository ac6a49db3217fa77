"""Where a path lies: in which checkout of the repository, and in which file of the change."""

from typing import Any

import msgspec
import pytest

from ghapp.attribution.model import Change, Edit, FileDiff, FileSnapshot, FileStatus
from ghapp.attribution.paths import (
    ELSEWHERE,
    KnownCheckouts,
    below,
    below_deepest,
    deepest_first,
    is_absolute,
    tidy,
    within,
    without_worktree,
)
from tests.attribution.strategies import MERGED

ROOTS = ("/src", "/src/shop", "/home/ann/shop")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/src/a.py", "a.py"),
        ("/src/shop/lib/a.py", "lib/a.py"),
        ("/src/shopping/a.py", "shopping/a.py"),
        ("/home/ann/shop/a.py", "a.py"),
        ("/home/ann/a.py", None),
        ("lib/a.py", None),
    ],
)
def test_a_path_belongs_to_the_deepest_root_that_holds_it(path: str, expected: str | None) -> None:
    assert below_deepest(ROOTS, path) == expected
    assert below_deepest(reversed(ROOTS), path) == expected


def test_a_root_itself_is_no_file_of_the_root_around_it() -> None:
    assert below_deepest(ROOTS, "/src/shop") == ""


# --- checkouts --------------------------------------------------------------------------------

CHANGE = Change(
    files=(
        FileDiff(path="src/shop/a.py"),
        FileDiff(path="README.md", blobs=("1111111aaa", "2222222bbb")),
        FileDiff(path="ledger.py"),
        FileDiff(path="src/new.py", previous_path="src/old.py", status=FileStatus.RENAMED),
    )
)


def edit(path: str, cwd: str | None = None) -> Edit:
    return Edit(id=path, agent="codex", agent_session="one", at=MERGED, path=path, cwd=cwd)


def checkouts(*edits: Edit, **more: Any) -> KnownCheckouts:
    return KnownCheckouts(edits, CHANGE, **more)


def test_a_relative_path_is_inside_and_may_be_a_file_of_the_change() -> None:
    found = checkouts()
    assert found.place("./src//shop/a.py") == ("src/shop/a.py", True)
    assert found.place("src/old.py") == ("src/old.py", True)
    assert found.place("src/other.py") == (None, True)


def test_without_a_checkout_an_absolute_path_is_elsewhere() -> None:
    assert checkouts().place("/home/ann/shop/src/shop/a.py") == ELSEWHERE


def test_a_checkout_is_what_precedes_a_path_of_the_change() -> None:
    found = checkouts(edit("/home/ann/shop/src/shop/a.py"))
    assert found.roots == ("/home/ann/shop",)
    assert found.place("/home/ann/shop/lib/x.py") == (None, True)
    assert found.place("/home/ann/other/src/shop/a.py") == ELSEWHERE


def test_known_roots_exclude_everything_else() -> None:
    found = checkouts(edit("/home/ann/shop/src/shop/a.py"), known=["/srv/shop/"])
    assert found.roots == ("/srv/shop",)
    assert found.place("/srv/shop/src/shop/a.py") == ("src/shop/a.py", True)
    assert found.place("/home/ann/shop/src/shop/a.py") == ELSEWHERE


def test_likely_roots_are_added_to_the_inferred_ones() -> None:
    found = checkouts(edit("/home/ann/shop/src/shop/a.py"), likely=["/srv/clone"])
    assert set(found.roots) == {"/home/ann/shop", "/srv/clone"}


def test_a_folder_of_the_working_directory_is_no_checkout() -> None:
    one = edit("/home/ann/shop/vendor/lib/src/shop/a.py", cwd="/home/ann/shop")
    assert checkouts(one, repository="acme/shop").place(one.path) == (None, True)
    for cwd, repository in (
        ("/home/ann/shop/vendor/lib", "acme/shop"),  # it worked there
        ("/home/ann/shop", "acme/lib"),
        ("/home/ann/shop", None),
    ):
        inside = msgspec.structs.replace(one, cwd=cwd)
        assert checkouts(inside, repository=repository).place(one.path).path == "src/shop/a.py"


def test_no_path_makes_a_foreign_root_a_checkout() -> None:
    one = edit("/home/ann/shop/src/shop/a.py", cwd="/home/ann/shop")
    top = edit("/home/ann/shop/ledger.py", cwd="/home/ann/shop")
    more: dict[str, Any] = {"foreign": ["/home/ann/shop/"], "repository": "acme/shop"}
    assert checkouts(one, **more).place(one.path) == ELSEWHERE
    assert checkouts(top, **more).place(top.path) == ELSEWHERE
    assert checkouts(one, likely=["/home/ann/shop"], **more).roots == ("/home/ann/shop",)
    assert checkouts(one, known=["/home/ann/shop"], **more).roots == ("/home/ann/shop",)


@pytest.mark.parametrize("folder", [".claude/worktrees", ".worktrees", "worktrees"])
def test_a_worktree_inside_is_the_checkout_around_it(folder: str) -> None:
    found = checkouts(known=["/srv/shop"])
    assert found.place(f"/srv/shop/{folder}/fix/src/shop/a.py") == ("src/shop/a.py", True)
    assert without_worktree(f"{folder}/fix") == ""


def test_of_a_checkout_in_a_checkout_the_one_with_more_edits_is_right() -> None:
    outer, inner = edit("/w/src/shop/a.py"), edit("/w/copy/src/shop/a.py")
    second = edit("/w/copy/src/new.py")
    assert checkouts(outer, inner).roots == ("/w",)
    assert checkouts(outer, inner, second).roots == ("/w/copy",)


def test_a_common_name_alone_shows_nothing_and_its_content_does() -> None:
    readme = edit("/w/README.md", cwd="/w")
    assert checkouts(readme).roots == ()
    told = FileSnapshot(path="/w/README.md", blob="1111111aaa" + "0" * 30)
    assert checkouts(readme, snapshots=[told]).roots == ("/w",)
    other = FileSnapshot(path="/w/README.md", blob="3" * 40)
    assert checkouts(readme, snapshots=[other]).roots == ()


def test_an_uncommon_name_shows_the_directory_that_the_agent_worked_in() -> None:
    assert checkouts(edit("/w/ledger.py", cwd="/w")).roots == ("/w",)
    assert checkouts(edit("/w/ledger.py", cwd="/")).roots == ()
    assert checkouts(edit("/w/ledger.py")).roots == ()


def test_a_working_directory_named_like_the_repository_is_a_checkout() -> None:
    one = edit("/home/ann/Shop/x.py", cwd="/home/ann/Shop/src")
    assert checkouts(one, repository="acme/shop").roots == ("/home/ann/Shop",)
    assert checkouts(one, repository="acme/other").roots == ()


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/a//b/./c/", "/a/b/c"),
        ("C:\\Code\\shop\\a.py", "C:/Code/shop/a.py"),
        ("a\\b", "a\\b"),
        ("./a", "a"),
        ("/", "/"),
        ("", ""),
        ("c:\\Code\\shop", "C:/Code/shop"),
        ("c:/Code/", "C:/Code"),
        ("\\\\?\\C:\\Code\\shop", "C:/Code/shop"),
        ("\\\\?\\UNC\\server\\shop\\a.py", "//server/shop/a.py"),
        ("\\\\server\\shop\\a.py", "//server/shop/a.py"),
        ("//server/shop//a.py", "//server/shop/a.py"),
        ("\\\\wsl$\\Ubuntu\\home\\ann", "/home/ann"),
        ("//wsl.localhost/Ubuntu-24.04/home/ann/", "/home/ann"),
        ("/mnt/c/Code/shop", "C:/Code/shop"),
        ("/cygdrive/d/x", "D:/x"),
        ("/mnt/data/shop", "/mnt/data/shop"),
        ("/home/ann/mnt/c/shop", "/home/ann/mnt/c/shop"),
        ("//?/C:/Code/shop", "C:/Code/shop"),
        ("/private/var/shop", "/var/shop"),
        ("/private/shop", "/private/shop"),
    ],
)
def test_a_tidy_path(path: str, found: str) -> None:
    assert tidy(path) == found


def test_an_absolute_path_starts_at_a_root_a_drive_or_a_home() -> None:
    assert all(map(is_absolute, ("/a", "C:/a", "~/a")))
    assert not any(map(is_absolute, ("a", "./a", "~a", "CC:/a", "")))


def test_roots_come_deepest_first() -> None:
    assert deepest_first(["/a", "/a/b", "/c"]) == ("/a/b", "/a", "/c")
    assert below("/", "/a") == "a"


# --- one file, several names ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("root", "path"),
    [
        ("C:\\Code\\shop", "c:\\code\\Shop\\src\\shop\\a.py"),
        ("\\\\Server\\Share\\shop", "\\\\server\\share\\shop\\src\\shop\\a.py"),
        ("/mnt/c/Code/shop", "C:\\Code\\shop\\src\\shop\\a.py"),
        ("C:\\Code\\shop", "/mnt/c/code/shop/src/shop/a.py"),
        ("/home/ann/shop", "\\\\wsl$\\Ubuntu\\home\\ann\\shop\\src\\shop\\a.py"),
        ("/Users/ann/re\u0301sume\u0301", "/Users/Ann/r\xe9sum\xe9/src/shop/a.py"),
    ],
)
def test_a_root_is_known_by_every_name_of_its_file_system(root: str, path: str) -> None:
    assert checkouts(known=[root]).place(path) == ("src/shop/a.py", True)


def test_on_linux_a_folder_in_another_case_is_another_folder() -> None:
    assert checkouts(known=["/home/ann/shop"]).place("/home/ann/Shop/src/shop/a.py") == ELSEWHERE


def test_a_folded_name_is_a_file_of_the_change_only_if_it_fits_one() -> None:
    files = ("src/R\xe9sum\xe9.py", "lib/a.py", "lib/A.py")
    change = Change(files=tuple(FileDiff(path=path) for path in files))
    found = KnownCheckouts((), change, known=["/Users/ann/shop"])
    assert found.place("/Users/ann/shop/SRC/re\u0301sume\u0301.py").path == "src/R\xe9sum\xe9.py"
    assert found.place("/Users/ann/shop/lib/A.py").path == "lib/A.py"
    assert found.place("/Users/ann/shop/LIB/a.PY").path is None
    other = Edit(id="1", agent="codex", agent_session="s", at=MERGED, path="/w/Src/r\xe9sum\xe9.py")
    assert KnownCheckouts([other], change).roots == ("/w",)


@pytest.mark.parametrize("known", [(), ("/w",)])
def test_a_worktree_may_have_any_folder_and_a_submodule_is_none(known: tuple[str, ...]) -> None:
    outer = [edit("/w/src/shop/a.py", cwd="/w"), edit("/w/src/new.py", cwd="/w")]

    def roots(*inner: Edit) -> tuple[str, ...]:
        return checkouts(*outer, *inner, known=known).roots

    for folder in (".conductor/tokyo", "trees/x", "my-worktrees/x"):
        one = edit(f"/w/{folder}/src/shop/a.py", cwd=f"/w/{folder}")
        assert roots(one) == (f"/w/{folder}", "/w")
    one = edit("/w/tokyo/src/shop/a.py", cwd="/w/tokyo")
    assert roots(one) == ("/w",)
    assert roots(one, edit("/w/tokyo/src/new.py", cwd="/w/tokyo")) == ("/w/tokyo", "/w")
    assert roots(edit("/w/.conductor/tokyo/src/shop/a.py", cwd="/w")) == ("/w",)
    folder_of_the_change = edit("/w/src/ledger.py", cwd="/w/src")
    assert roots(folder_of_the_change) == ("/w",)


def test_a_path_that_is_not_absolute_is_in_the_repository() -> None:
    assert within(ROOTS, "./lib/a.py") == "lib/a.py"
    assert within(ROOTS, "../a.py") is None
    assert within(ROOTS, "/src/shop/a.py") == "a.py"
    assert within(ROOTS, "/src/shop") is None
    assert within(ROOTS, "/elsewhere/a.py") is None


def test_a_path_that_no_disk_holds_shows_no_checkout() -> None:
    deep = "/shop" * 1_000
    edits = [edit(f"{deep}/src/shop/a.py", cwd=deep)]
    assert KnownCheckouts(edits, CHANGE, repository="acme/shop").roots == ()
    assert KnownCheckouts([edit("/shop/src/shop/a.py")], CHANGE).roots == ("/shop",)
