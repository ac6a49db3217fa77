"""The connection: which addresses are safe, and which next page is followed."""

import logging

import pytest

from ghapp.github.answers import HttpAnswer, TemporaryFailure
from ghapp.github.transport import GitHubTransport, check_base_url


@pytest.mark.parametrize(
    "address",
    ["https://api.github.com", "https://git.example/api/v3", "http://127.0.0.1:8080/api/v3"],
)
def test_safe_addresses(address: str) -> None:
    assert check_base_url(address).hostname


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("http://api.github.com", "give https://HOST/PATH"),
        ("http://127.0.0.1.example.com", "give https://HOST/PATH"),
        ("ftp://api.github.com", "give https://HOST/PATH"),
        ("api.github.com", "give https://HOST/PATH"),
        ("", "give https://HOST/PATH"),
        ("https://someone:word@api.github.com", "holds a login"),
        ("https://api.github.com/?x=1", "holds a login, a query"),
    ],
)
def test_other_addresses_are_refused(address: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        GitHubTransport(address)


def linked(address: str, rel: str = "next") -> HttpAnswer:
    return HttpAnswer(status=200, headers={"link": f'<{address}>; rel="{rel}"'}, text="[]")


def test_next_page_is_followed_on_our_own_host() -> None:
    transport = GitHubTransport("https://git.example/api/v3")
    address = "https://git.example/api/v3/repositories/1/pulls?page=2&per_page=100"
    assert transport.next_page(linked(address)) == address
    assert transport.next_page(linked(address, "last")) is None
    assert transport.next_page(HttpAnswer(status=200, headers={}, text="[]")) is None


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/api/v3/repositories/1/pulls?page=2",
        "http://git.example/api/v3/repositories/1/pulls?page=2",
        "https://git.example:444/api/v3/repositories/1/pulls?page=2",
        "https://git.example@evil.example/api/v3/x",
        "https://git.example/other",
        "//evil.example/api/v3/x",
    ],
)
def test_next_page_elsewhere_is_refused(address: str) -> None:
    with pytest.raises(TemporaryFailure, match="on another host"):
        GitHubTransport("https://git.example/api/v3").next_page(linked(address))


def test_pygithub_prints_nothing_by_itself() -> None:
    GitHubTransport("https://api.github.com").close()
    logger = logging.getLogger("github")
    assert logger.handlers == []
    assert not logger.isEnabledFor(logging.DEBUG)
