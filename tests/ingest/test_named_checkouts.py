"""A record that names its repository shows a checkout, and one of another repository does not."""

from pathlib import Path

import pytest

from ghapp.evidence.source import NamedCheckout
from ghapp.ingest.named_checkouts import (
    foreign_roots,
    named_roots,
    repositories_of,
    with_clone,
)
from tests.clones import Clone


@pytest.mark.parametrize(
    ("folder", "remote", "is_root", "roots"),
    [
        ("/home/ann/shop", "git@github.com:Acme/Shop.git", False, ("/home/ann/shop",)),
        ("/home/ann/shop/src", "https://github.com/acme/shop", False, ("/home/ann/shop",)),
        ("/home/ann/work", "https://github.com/acme/shop.git", False, ("/home/ann/work",)),
        ("/home/ann/shop/vendor", "acme/shop", True, ("/home/ann/shop/vendor",)),
        ("C:\\Code\\Shop\\src", "acme/shop", False, ("C:/Code/Shop",)),
        ("/home/ann/shop", "git@github.com:acme/other.git", False, ()),
        ("/home/ann/shop", "git@github.com:eve/shop.git", False, ()),
        ("/home/ann/shop", "", False, ()),
    ],
)
def test_a_record_shows_the_root_of_its_repository(
    folder: str,
    remote: str,
    is_root: bool,  # noqa: FBT001 (a column of the table)
    roots: tuple[str, ...],
) -> None:
    one = NamedCheckout(folder=folder, remote=remote, is_root=is_root)
    assert named_roots([one], ["Acme/shop"]) == roots


@pytest.mark.parametrize(
    ("remote", "roots"),
    [
        ("https://github.com/acme/receipts.git", ("/home/ann/receipts",)),
        ("https://github.com/eve/Shop.git", ()),  # a fork
        ("acme/shop", ()),
    ],
)
def test_a_record_of_another_repository_shows_a_foreign_checkout(
    remote: str, roots: tuple[str, ...]
) -> None:
    one = NamedCheckout(folder="/home/ann/receipts/src", remote=remote)
    assert foreign_roots([one], ["acme/shop"]) == roots
    assert foreign_roots([one], []) == ()
    carried = NamedCheckout(folder="/home/ann/receipts", remote=remote, is_carried=True)
    assert foreign_roots([carried], ["acme/shop"]) == ()


def test_without_a_name_the_clones_remotes_say_the_repository(tmp_path: Path) -> None:
    clone = Clone(tmp_path / "shop")
    assert repositories_of("acme/shop", clone.path) == ("acme/shop",)
    assert repositories_of(None) == ()
    clone.git("remote", "add", "origin", "git@github.com:acme/shop.git")
    assert repositories_of(None, clone.path) == ("acme/shop",)


def test_a_clone_that_is_a_root_brings_its_worktrees() -> None:
    checkouts = ("/Users/ann/shop", "/Users/ann/tokyo")
    assert with_clone(["/users/Ann/shop"], checkouts) == ("/users/Ann/shop",)
    assert with_clone(["/Users/Ann/shop/"], checkouts) == ("/Users/Ann/shop/", *checkouts)
    assert with_clone(["/srv/shop"], checkouts) == ("/srv/shop",)
    assert with_clone([], checkouts) == ()
