"""One HTTP request to GitHub and its answer. It retries nothing and judges no status.

PyGithub's `Requester` sends. Decision 6 in docs/decisions says which of PyGithub's typed calls
we do without, and why.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

import github
import requests
from github.Auth import Auth
from github.Requester import (
    HTTPRequestsConnectionClass,
    HTTPSRequestsConnectionClass,
    Requester,
    RequestsResponse,
)

from ghapp import __version__
from ghapp.git.names import leads_up
from ghapp.github.answers import HttpAnswer, NotFound, TemporaryFailure
from ghapp.log import silence_pygithub

API_VERSION = "2022-11-28"
"""The last version whose pull requests carry ``merge_commit_sha``.
https://docs.github.com/en/rest/about-the-rest-api/api-versions"""

TIMEOUT_SECONDS = 15
PER_PAGE = 100
"""Entries on GitHub's largest page.
https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api"""
MOST_PAGES = 1_000
"""A longer list goes in a circle."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class MovedError(Exception):
    """GitHub redirects: the repository has another name now. GitHub did nothing.

    https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
    """

    def __init__(self, status: int, location: str | None) -> None:
        super().__init__(f"redirected with status {status}")
        self.location = location
        """The new address, as GitHub wrote it; ``None``: GitHub gave none."""


class _Http(HTTPRequestsConnectionClass):
    """Plain HTTP, for a stand-in on this machine."""

    def getresponse(self) -> RequestsResponse:
        return _checked(super().getresponse())


class _Https(HTTPSRequestsConnectionClass):
    """HTTPS, for GitHub."""

    def getresponse(self) -> RequestsResponse:
        return _checked(super().getresponse())


def _checked(response: RequestsResponse) -> RequestsResponse:
    """Raise `MovedError` on a redirect: PyGithub would follow it and lose the query string."""
    if response.status in REDIRECTS:
        raise MovedError(response.status, response.response.headers.get("location"))
    # JSON is UTF-8 whatever a proxy says, and guessing the encoding from the bytes is slow.
    response.response.encoding = "utf-8"
    return response


def check_base_url(base_url: str) -> SplitResult:
    """Return the parts of an API address that is safe to send a token to.

    Raises `ValueError` unless it is https (http on this machine only) and holds no login.
    """
    parts = urlsplit(base_url)
    local = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not parts.hostname or not (parts.scheme == "https" or local):
        raise ValueError(
            f"GitHub's address is {base_url!r}: give https://HOST/PATH, such as "
            "https://api.github.com or https://HOST/api/v3 (http for this machine only)"
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("GitHub's address holds a login, a query or a fragment: leave it out")
    return parts


def _read_environment(connection: _Http | _Https, base_url: str) -> None:
    """Give a connection what the environment names, which is read before each request otherwise.

    That takes a fifth of the whole request's time.
    """
    proxies, certificates = _named_by_environment(base_url)
    session = connection.session
    session.proxies, connection.verify = dict(proxies), certificates
    session.trust_env = False


@lru_cache(maxsize=16)
def _named_by_environment(base_url: str) -> tuple[dict[str, str], bool | str]:
    """Return the proxies for an address and which certificates are trusted; read once a process."""
    found = requests.Session().merge_environment_settings(base_url, {}, None, True, None)  # noqa: FBT003 - its signature
    return found["proxies"], found["verify"]


def _requester(base_url: str, timeout: int) -> Requester:
    """Make PyGithub's sender, without its retries and pauses: `client` and `pacing` have ours."""
    silence_pygithub()
    return github.Github(
        base_url=base_url,
        timeout=timeout,
        user_agent=f"ghapp/{__version__}",
        per_page=PER_PAGE,
        retry=None,
        seconds_between_requests=None,
        seconds_between_writes=None,
        lazy=True,
        api_version=API_VERSION,
    ).requester


class GitHubTransport:
    """A connection to one GitHub; each request brings its own authentication.

    ``base_url`` is https://api.github.com, or an Enterprise Server's https://HOST/api/v3.
    ``timeout`` is in seconds. Not thread-safe; one for each job. Raises `ValueError` if the
    address is not safe.
    """

    def __init__(self, base_url: str, *, timeout: int = TIMEOUT_SECONDS) -> None:
        self._parts = check_base_url(base_url)
        self.base_url = base_url.rstrip("/")
        kind = _Https if self._parts.scheme == "https" else _Http
        host, port = str(self._parts.hostname), self._parts.port
        self._connection = kind(host, port, timeout=timeout, retry=None)
        _read_environment(self._connection, self.base_url)
        self._requester = _requester(self.base_url, timeout)

    def send(
        self,
        verb: str,
        path: str,
        auth: Auth,
        *,
        parameters: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> HttpAnswer:
        """Send one request and return its answer, whatever its status.

        ``path`` starts below the base address, or is an address from `next_page`.
        Raises `TemporaryFailure` if no answer came, `MovedError` on a redirect, and `NotFound`
        for a path with ``..``, which would lead elsewhere: it is never sent.
        """
        if leads_up(urlsplit(path).path):
            raise NotFound(f"{verb} {path}")
        headers = {"Accept": "application/vnd.github+json"}
        sender = self._requester.withAuth(auth)
        try:
            status, answered, text = sender.requestJson(
                verb, path, dict(parameters or {}), headers, body, cnx=self._connection
            )
        except requests.RequestException as problem:
            # Name only the type: the message may hold the address.
            raise TemporaryFailure(
                f"{verb} {path}", f"no answer ({type(problem).__name__})"
            ) from problem
        return HttpAnswer(status=status, headers=answered, text=text)

    def next_page(self, answer: HttpAnswer) -> str | None:
        """Return the address of the next page; ``None``: this is the last one.

        Raises `TemporaryFailure` if the address is on another host.
        """
        links = requests.utils.parse_header_links(answer.headers.get("link", ""))
        address = next((link["url"] for link in links if link.get("rel") == "next"), None)
        if address is None:
            return None
        try:
            parts = urlsplit(address)
        except ValueError as error:
            raise TemporaryFailure("next page", f"it is no address: {address[:80]!r}") from error
        ours = (self._parts.scheme, self._parts.netloc)
        if (parts.scheme, parts.netloc) != ours or not parts.path.startswith(self._parts.path):
            raise TemporaryFailure("next page", f"it is on another host: {parts.netloc!r}")
        return address

    def pages(self, first: HttpAnswer, read: Callable[[str], HttpAnswer]) -> Iterator[HttpAnswer]:
        """Yield an answer and the pages that it links; ``read`` sends the request for an address.

        Raises `TemporaryFailure` if the pages go in a circle.
        """
        yield first
        address, seen = self.next_page(first), set[str]()
        while address is not None:
            if address in seen or len(seen) >= MOST_PAGES:
                raise TemporaryFailure("next page", "the pages go in a circle")
            seen.add(address)
            answer = read(address)
            yield answer
            address = self.next_page(answer)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
        self._requester.close()
