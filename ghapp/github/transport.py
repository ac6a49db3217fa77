"""One HTTP request to GitHub and its answer. It retries nothing and judges no status.

PyGithub's `Requester` sends; its objects are not used, because they ask again behind the
caller's back when a member is absent, hide an answer's headers, and post labels in a form
that GitHub's own description does not know.
"""

import logging
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import SplitResult, urlsplit

import github
import requests
from github.Requester import (
    HTTPRequestsConnectionClass,
    HTTPSRequestsConnectionClass,
    RequestsResponse,
)

from ghapp import __version__
from ghapp.github.answers import HttpAnswer, TemporaryFailure

API_VERSION = "2022-11-28"
"""The last version whose pull requests carry ``merge_commit_sha``."""

TIMEOUT_SECONDS = 15
PER_PAGE = 100
"""GitHub's largest page."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class MovedError(Exception):
    """GitHub redirects: the repository has another name now. Nothing was done."""

    def __init__(self, status: int, location: str | None) -> None:
        super().__init__(f"redirected with status {status}")
        self.location = location
        """Where to, as GitHub wrote it; ``None``: it did not say."""


def silence_pygithub() -> None:
    """Take PyGithub's own handler away: it would bypass the redaction of ours."""
    logger = logging.getLogger("github")
    logger.handlers.clear()
    logger.setLevel(logging.INFO)


silence_pygithub()


class _Unredirected:
    """Gives every redirect to us: PyGithub would follow it and lose the query string."""

    def getresponse(self) -> RequestsResponse:
        response = cast("RequestsResponse", super().getresponse())  # type: ignore[misc]
        if response.status in {301, 302, 303, 307, 308}:
            location = response.response.headers.get("location")
            raise MovedError(response.status, location)
        # JSON is UTF-8 whatever a proxy says, and guessing from the bytes is slow.
        response.response.encoding = "utf-8"
        return response


class _Http(_Unredirected, HTTPRequestsConnectionClass):
    """Plain HTTP, for a stand-in on this machine."""


class _Https(_Unredirected, HTTPSRequestsConnectionClass):
    """What GitHub is asked over."""


def check_base_url(base_url: str) -> SplitResult:
    """Refuse an address that could carry a token elsewhere; return its parts.

    Raises `ValueError` where it is not https (http on this machine only) or holds a login.
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


class GitHubTransport:
    """A connection to one GitHub. ``authorization`` is given with each request.

    ``base_url`` is https://api.github.com, or an Enterprise Server's https://HOST/api/v3.
    Not thread-safe; one for each job. Raises `ValueError` where the address is not safe.
    """

    def __init__(self, base_url: str, *, timeout: int = TIMEOUT_SECONDS) -> None:
        self._parts = check_base_url(base_url)
        self.base_url = base_url.rstrip("/")
        kind = _Https if self._parts.scheme == "https" else _Http
        self._connection = kind(
            cast("str", self._parts.hostname), self._parts.port, timeout=timeout, retry=None
        )
        self._requester = github.Github(
            base_url=self.base_url,
            timeout=timeout,
            user_agent=f"ghapp/{__version__}",
            per_page=PER_PAGE,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
            lazy=True,
            api_version=API_VERSION,
        ).requester

    def send(
        self,
        verb: str,
        path: str,
        *,
        authorization: str,
        parameters: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> HttpAnswer:
        """Send one request and return its answer, whatever its status.

        ``path`` starts at the base address, or is an address from `next_page`.
        Raises `TemporaryFailure` where no answer came, `MovedError` on a redirect.
        """
        headers = {"Accept": "application/vnd.github+json", "Authorization": authorization}
        try:
            status, answered, text = self._requester.requestJson(
                verb, path, dict(parameters or {}), headers, body, cnx=self._connection
            )
        except requests.RequestException as problem:
            # The message of `requests` may hold the address and nothing secret.
            raise TemporaryFailure(
                f"{verb} {path}", f"no answer ({type(problem).__name__})"
            ) from problem
        return HttpAnswer(status=status, headers=answered, text=text)

    def next_page(self, answer: HttpAnswer) -> str | None:
        """Return the address of the next page; ``None``: this was the last one.

        Raises `TemporaryFailure` where the address is not on the host we asked.
        """
        links = requests.utils.parse_header_links(answer.headers.get("link", ""))
        address = next((link["url"] for link in links if link.get("rel") == "next"), None)
        if address is None:
            return None
        parts = urlsplit(address)
        ours = (self._parts.scheme, self._parts.netloc)
        if (parts.scheme, parts.netloc) != ours or not parts.path.startswith(self._parts.path):
            raise TemporaryFailure("next page", f"it is on another host: {parts.netloc!r}")
        return address

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
        self._requester.close()
