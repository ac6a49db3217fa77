"""Remotes in all of git's forms come out as one; what is no repository on a host is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghapp.git.remotes import all_normalized, normalized, on_host
from tests.searching import searched

SHOP = "github.com/acme/shop"


@pytest.mark.parametrize(
    "remote",
    [
        "https://github.com/acme/shop",
        "https://github.com/acme/shop.git",
        "https://github.com/Acme/Shop.git/",
        "HTTPS://GitHub.com/acme/shop.git",
        "https://x-access-token:secret@github.com/acme/shop.git",
        "https://github.com:443/acme/shop",
        "https://www.github.com/acme/shop",
        "http://github.com/acme/shop",
        "git://github.com/acme/shop.git",
        "ssh://git@github.com/acme/shop.git",
        "ssh://git@github.com:22/acme/shop.git",
        "ssh://git@ssh.github.com:443/acme/shop.git",
        "git+ssh://git@github.com/acme/shop.git",
        "git@github.com:acme/shop.git",
        "git@github.com:/acme/shop",
        "github.com:acme/shop",
        "org-123@github.com:acme/shop.git",
        "  git@github.com:acme/shop.git\n",
    ],
)
def test_one_repository_has_one_form(remote: str) -> None:
    assert normalized(remote) == SHOP


@pytest.mark.parametrize(
    "remote",
    [
        "",
        "origin",
        "/srv/git/shop.git",
        "../shop",
        "file:///srv/git/acme/shop.git",
        "C:/work/acme/shop",
        "C:\\work\\shop",
        "https://github.com/acme",
        "https://github.com/acme/shop/tree/main",
        "https://github.com/acme/..",
        "https://github.com/acme/.git",
        "https://github.com/acme/sh%6fp",
        "https://github.com/acme/shop?x=1",
        "https://github.com/ac me/shop",
        "https:///acme/shop",
    ],
)
def test_what_is_no_repository_of_an_owner_is_none(remote: str) -> None:
    assert normalized(remote) is None


def test_an_enterprise_servers_host_stays() -> None:
    assert normalized("ssh://git@git.example.com:7999/a/b.git") == "git.example.com/a/b"


def test_each_repository_is_named_once_and_found_by_host() -> None:
    remotes = ["git@github.com:acme/shop.git", "https://github.com/acme/shop", "/srv", "h.org:a/b"]
    assert all_normalized(remotes) == (SHOP, "h.org/a/b")
    assert on_host(all_normalized(remotes), "github.com") == ("acme/shop",)


@searched(60)
@given(st.text(max_size=60))
def test_any_text_gives_a_name_or_none_and_a_name_never_holds_a_login(text: str) -> None:
    found = normalized(text)
    if found is not None:
        host, owner, name = found.split("/")
        assert all((host, owner, name))
        assert "@" not in found
        assert found == found.lower()
        assert normalized(f"https://{found}.git") == found
