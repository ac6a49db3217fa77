"""Every request to one repository of one installation, with its answer classified.

It knows requests, pages and limits, and nothing of pull requests, audits or publishers.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Self

from github import Auth

from ghapp.attribution.model import Struct
from ghapp.git.names import in_path
from ghapp.github.answers import (
    AnswerT,
    BadCredentials,
    GoneForGood,
    GoneReason,
    Headroom,
    HttpAnswer,
    TemporaryFailure,
    decoded,
    error_of,
    headroom,
)
from ghapp.github.app_auth import AppAuth, InstallationToken
from ghapp.github.transport import PER_PAGE, GitHubTransport, MovedError

READ_TIMES = 3
"""How often a read is sent at most. A write is sent once: only a read shows whether it was done."""
FIRST_WAIT_SECONDS = 0.5
"""Before the second try. Each further wait is twice as long; jitter adds up to as much again."""


class _RepositoryName(Struct, frozen=True):
    id: int
    full_name: str


class _Repositories(Struct, frozen=True):
    repositories: tuple[_RepositoryName, ...]


def _nothing() -> None:
    """Let a write go at once: the default of ``before``."""


class ClientPauses(Struct, frozen=True, kw_only=True):
    """How the client waits: all of its time and randomness, so that a test can replace them."""

    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    """Returns a number from 0 to 1."""
    before_write: Callable[[], None] = _nothing
    """Runs before each write: keeps an installation's writes a second apart."""
    wrote: Callable[[], None] = _nothing
    """Runs when a write is sent, and again when it is answered: the pause begins then."""


class GitHub:
    """GitHub for one repository of one installation. One for each job; not thread-safe.

    Paths of requests start below the repository: ``pulls/17``. Every method raises the errors of
    `answers` and no others. The client sends a read up to three times and a write once.
    """

    def __init__(
        self,
        auth: AppAuth,
        *,
        installation_id: int,
        repository_id: int,
        pauses: ClientPauses | None = None,
    ) -> None:
        self.installation_id = installation_id
        self.repository_id = repository_id
        self.headroom: Headroom | None = None
        """The primary limit as the last answer said; ``None``: no answer said."""
        self.requests = 0
        """Requests sent so far, retries included."""
        self.writes = 0
        """Requests sent so far that could change something."""
        self._auth = auth
        self._pauses = pauses or ClientPauses()
        self._transport = GitHubTransport(auth.base_url)
        self._full_name: str | None = None

    @property
    def app_id(self) -> int:
        """Return this app's id."""
        return self._auth.app_id

    @property
    def base_url(self) -> str:
        """Return the API's address."""
        return self._transport.base_url

    @property
    def full_name(self) -> str:
        """Return the repository's present name; the first call may ask GitHub."""
        if self._full_name is None:
            self._full_name = self.token().full_name or self.ask_name()
        return self._full_name

    def now(self) -> datetime:
        """Return the time now, in UTC."""
        return self._auth.clock()

    def token(self) -> InstallationToken:
        """Return a token for this repository, for git; requests bring it by themselves."""
        return self._auth.installation_token(self.installation_id, self.repository_id)

    def signature(self, text: str) -> str:
        """Return 16 hex digits that only this app can make of a text."""
        return self._auth.signature(text)

    def ask_name(self) -> str:
        """Ask GitHub for the repository's present name and use it from now on.

        Raises `GoneForGood` if the installation no longer reaches the repository.
        """
        path = "/installation/repositories"
        # The token reaches only this repository, so the list has one entry or none.
        answer = self._checked("GET", path, {"per_page": PER_PAGE}, None)
        listed = decoded(answer.text, _Repositories, path).repositories
        names = {item.id: item.full_name for item in listed}
        if self.repository_id not in names:
            raise GoneForGood(GoneReason.REMOVED, f"repository {self.repository_id}")
        self._full_name = names[self.repository_id]
        return self._full_name

    # --- requests -------------------------------------------------------------------------------

    def get(self, path: str, kind: type[AnswerT], **parameters: str | int) -> AnswerT:
        """Read one thing as ``kind``; retry if GitHub could not answer."""
        return decoded(self._read(path, parameters).text, kind, f"GET {path}")

    def pages(self, path: str, kind: type[AnswerT], **parameters: str | int) -> Iterator[AnswerT]:
        """Yield the pages of a list, each decoded as ``kind``."""

        def read(address: str) -> HttpAnswer:
            return self._retried(partial(self._checked, "GET", address, {}, None))

        first = self._read(path, {"per_page": PER_PAGE, **parameters})
        for answer in self._transport.pages(first, read):
            yield decoded(answer.text, kind, f"GET {path}")

    def post(
        self,
        path: str,
        body: Mapping[str, Any],
        kind: type[AnswerT],
        *,
        before: Callable[[], None] = _nothing,
    ) -> AnswerT:
        """Create something. After `TemporaryFailure` it may exist: read before trying again.

        ``before`` runs right before the request is sent, after the wait for its turn.
        """
        return self._write("POST", path, body, kind, before)

    def patch(self, path: str, body: Mapping[str, Any], kind: type[AnswerT]) -> AnswerT:
        """Change something. After `TemporaryFailure` the change may be done: read first."""
        return self._write("PATCH", path, body, kind)

    def delete(self, path: str) -> None:
        """Delete something. After `TemporaryFailure` it may be gone: read first."""
        self._write("DELETE", path, None, object)

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _read(self, path: str, parameters: Mapping[str, str | int]) -> HttpAnswer:
        return self._retried(lambda: self._in_repository("GET", path, parameters, None))

    def _retried(self, read: Callable[[], HttpAnswer]) -> HttpAnswer:
        wait = FIRST_WAIT_SECONDS
        for _ in range(READ_TIMES - 1):
            try:
                return read()
            except TemporaryFailure:
                self._pauses.sleep(wait * (1 + self._pauses.jitter()))
                wait *= 2
        return read()

    def _write(
        self,
        verb: str,
        path: str,
        body: Mapping[str, Any] | None,
        kind: type[AnswerT],
        before: Callable[[], None] = _nothing,
    ) -> AnswerT:
        self._pauses.before_write()
        before()
        self.writes += 1
        self._pauses.wrote()
        try:
            answer = self._in_repository(verb, path, {}, body)
        finally:
            self._pauses.wrote()
        return decoded(answer.text or "null", kind, f"{verb} {path}")

    def _in_repository(
        self,
        verb: str,
        path: str,
        parameters: Mapping[str, str | int],
        body: Mapping[str, Any] | None,
    ) -> HttpAnswer:
        """Send a request below the repository; if it was renamed, once more by its new name."""
        try:
            return self._checked(verb, f"/repos/{in_path(self.full_name)}/{path}", parameters, body)
        except MovedError:
            # A redirected request did nothing, so even a write may be sent again.
            name = self.ask_name()
        try:
            return self._checked(verb, f"/repos/{in_path(name)}/{path}", parameters, body)
        except MovedError as moved:
            raise TemporaryFailure(
                f"{verb} {path}", f"{moved} under its new name {name}"
            ) from moved

    def _checked(
        self,
        verb: str,
        path: str,
        parameters: Mapping[str, str | int],
        body: Mapping[str, Any] | None,
    ) -> HttpAnswer:
        """Send one request and raise what its answer means; renew a refused token once."""
        token = self.token()
        answer = self._send(verb, path, parameters, body, token)
        if answer.status == 401:
            self._auth.forget(self.installation_id, self.repository_id, token)
            answer = self._send(verb, path, parameters, body, self.token())
        error = error_of(answer, what=f"{verb} {path}", at=self.now())
        if isinstance(error, BadCredentials):
            raise TemporaryFailure(f"{verb} {path}", "GitHub does not accept a fresh token yet")
        if error is not None:
            raise error
        return answer

    def _send(
        self,
        verb: str,
        path: str,
        parameters: Mapping[str, str | int],
        body: Mapping[str, Any] | None,
        token: InstallationToken,
    ) -> HttpAnswer:
        self.requests += 1
        auth = Auth.Token(token.token)
        answer = self._transport.send(verb, path, auth, parameters=parameters, body=body)
        self.headroom = headroom(answer) or self.headroom
        return answer
