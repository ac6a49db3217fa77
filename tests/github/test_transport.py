"""The connection: which addresses are safe, and which next page is followed."""

import http.server
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from github.Auth import Token

from ghapp.github.answers import HttpAnswer, TemporaryFailure
from ghapp.github.transport import (
    GitHubTransport,
    _named_by_environment,
    check_base_url,
)
from tests.receivers import serving


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


def test_a_next_page_that_is_no_address_is_for_later() -> None:
    with pytest.raises(TemporaryFailure, match="no address"):
        GitHubTransport("https://git.example/api/v3").next_page(linked("https://[/api/v3/x"))


def test_pygithub_prints_nothing_by_itself() -> None:
    GitHubTransport("https://api.github.com").close()
    logger = logging.getLogger("github")
    assert logger.handlers == []
    assert not logger.isEnabledFor(logging.DEBUG)


# --- the environment ------------------------------------------------------------------------------


class Proxy(http.server.ThreadingHTTPServer):
    """Answers whatever it is asked, and keeps the addresses."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.logins: list[str | None] = []
        super().__init__(("127.0.0.1", 0), ProxyHandler)

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.server_port}"


class ProxyHandler(http.server.BaseHTTPRequestHandler):
    """Answers with an empty list."""

    server: Proxy

    def do_GET(self) -> None:
        """Answer."""
        self.server.asked.append(self.path)
        self.server.logins.append(self.headers["Authorization"])
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """Log nothing."""


@pytest.fixture(autouse=True)
def _environment_of_its_own() -> Iterator[None]:
    """Let each test's environment be read: a process reads it once, because it never changes."""
    _named_by_environment.cache_clear()
    yield
    _named_by_environment.cache_clear()


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Run a proxy, and name it in the environment."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    running = Proxy()
    with serving(running):
        monkeypatch.setenv("http_proxy", running.url)
        yield running


def asked(address: str) -> str:
    transport = GitHubTransport(address)
    try:
        return transport.send("GET", "/meta", Token("word")).text
    finally:
        transport.close()


def test_a_proxy_of_the_environment_is_asked(proxy: Proxy) -> None:
    assert asked("http://127.0.0.1:1/api/v3") == "[]"
    assert proxy.asked == ["http://127.0.0.1:1/api/v3/meta"]


def test_no_proxy_is_asked_for_a_host_that_the_environment_excludes(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(TemporaryFailure, match="no answer"):
        asked("http://127.0.0.1:1/api/v3")
    assert asked(proxy.url) == "[]"
    assert proxy.asked == ["/meta"]


def test_certificates_of_the_environment_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own.pem"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(own))
    # There is no such file, and only who looks for it can say so.
    with pytest.raises(OSError, match=r"own\.pem"):
        asked("https://127.0.0.1:1")


def test_a_login_of_a_netrc_file_does_not_replace_the_token(
    proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    asked("http://127.0.0.1:1")
    assert proxy.logins == ["token word"]
