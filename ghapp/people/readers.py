"""Signs people in and asks GitHub what they may read.

It knows no web framework. It asks with the person's own token, never with the app's.
"""

import base64
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
from cryptography.fernet import Fernet, InvalidToken

from ghapp.github.answers import BadCredentials, GitHubError, TemporaryFailure
from ghapp.github.token_cache import derive_key
from ghapp.github.user_access import AccessLevel, GitHubAway, UserAccess
from ghapp.github.user_auth import SignIn, SignInRefused, UserTokens
from ghapp.people.unknown_names import nowhere
from ghapp.store import Store
from ghapp.store.logins import SignedIn, new_cookie

SIGNED_IN_FOR = timedelta(days=14)
"""How long a browser stays signed in."""
REFRESH_BEFORE = timedelta(minutes=5)
"""How long before its expiry a token is renewed."""
RENEWAL = timedelta(minutes=2)
"""How long a process may take to renew a token before another one tries: longer than GitHub's
answer and the database together, because GitHub accepts a refresh token only once."""
AWAY = timedelta(minutes=1)
"""When to ask again after GitHub did not answer."""
WAIT_SECONDS = 0.2
WAIT_TIMES = 25
"""How often a process checks whether another one has renewed the tokens: for 5 s in all."""

Found = TypeVar("Found")


class NotSignedIn(Exception):  # noqa: N818 - a state of the person, not a fault
    """GitHub no longer accepts this person's tokens; they must sign in again."""


@dataclass(frozen=True)
class PageReaders:
    """Signs people in and answers what they may read. Threads and forks may share it."""

    store: Store
    sign_in: SignIn
    access: UserAccess
    encryption_key: bytes
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]

    def begin(self, code: str, verifier: str, redirect_uri: str) -> tuple[SignedIn, str]:
        """Sign in the person who got this code from GitHub; return them and the browser's cookie.

        Raises `SignInRefused`, `TemporaryFailure` and `GitHubAway`.
        """
        now = self.clock()
        tokens = self.sign_in.redeem(code, verifier, redirect_uri, now=now)
        try:
            person = self.access.person(tokens.access_token)
        except BadCredentials as error:
            raise SignInRefused("GitHub does not accept the token that it issued") from error
        signed_in = SignedIn(id=person.id, login=person.login, sealed=self._seal(tokens))
        cookie = new_cookie()
        self.store.logins.begin(signed_in, cookie, now + SIGNED_IN_FOR, now=now)
        self._map_emails(signed_in, tokens.access_token, now)
        return signed_in, cookie

    def _map_emails(self, person: SignedIn, token: str, now: datetime) -> None:
        """Map the person's verified e-mail addresses, as far as usage names them.

        Without the permission nothing happens, and nobody's sign-in waits for it to work.
        """
        with suppress(GitHubAway, GitHubError):
            emails = self.access.verified_emails(token) or ()
            self.store.usage.map_emails(person.id, person.login, emails, now=now)

    def of_cookie(self, cookie: str) -> SignedIn | None:
        """Return the person at a browser; ``None``: not signed in, or GitHub revoked the tokens."""
        found = self.store.logins.of_cookie(cookie, now=self.clock())
        return found if found and found.sealed else None

    # --- permissions; all raise `GitHubAway` and `NotSignedIn` -----------------------------------

    def repository(self, person: SignedIn, repository_id: int) -> AccessLevel:
        """Return the person's access level in a repository."""
        return self._asked(
            person, lambda token: self.access.repository(person.id, token, repository_id)
        )

    def nowhere(self, name: str) -> int:
        """Return an id that stands for an unknown name."""
        return nowhere(self.encryption_key, name)

    def organization(self, person: SignedIn, login: str) -> AccessLevel:
        """Return ``admin`` for an owner, ``read`` for a member. Also raises `MembersHidden`."""
        return self._asked(person, lambda token: self.access.organization(person.id, token, login))

    def installations(self, person: SignedIn) -> frozenset[int]:
        """Return the ids of the installations with a repository that the person may read."""
        return self._asked(person, lambda token: self.access.installations(person.id, token))

    def readable(self, person: SignedIn, installation_id: int) -> frozenset[int]:
        """Return the ids of an installation's repositories that the person may read."""
        return self._asked(
            person, lambda token: self.access.readable(person.id, token, installation_id)
        )

    def tells_emails(self, person: SignedIn) -> bool:
        """Say whether GitHub tells this app the person's e-mail addresses."""
        return self._asked(person, self.access.verified_emails) is not None

    def text(self, person: SignedIn, full_name: str, path: str, commit: str) -> str | None:
        """Return a file's text at a commit; ``None``: the person can read no such file."""
        return self._asked(person, lambda token: self.access.text(token, full_name, path, commit))

    def token(self, person: SignedIn) -> str:
        """Return the person's own access token, for requests as the person."""
        return self._fresh(person, None)

    # --- tokens -----------------------------------------------------------------------------------

    def _asked(self, person: SignedIn, ask: Callable[[str], Found]) -> Found:
        token = self._fresh(person, None)
        try:
            return ask(token)
        except BadCredentials:
            # Another process may have renewed the token meanwhile, which ends this one.
            token = self._fresh(person, token)
        try:
            return ask(token)
        except BadCredentials as error:
            raise self._ended(person) from error

    def _fresh(self, person: SignedIn, refused: str | None) -> str:
        """Return a valid access token, but never the ``refused`` one."""
        for _ in range(WAIT_TIMES):
            current, tokens = self._kept(person)
            if tokens.access_token != refused and self._lasts(tokens):
                return tokens.access_token
            now = self.clock()
            until = now + RENEWAL
            if self.store.logins.begin_renewal(current, until, now=now):
                renewed = self._renewed(current, tokens, until, refused)
                if renewed is not None:
                    return renewed
            else:
                self.sleep(WAIT_SECONDS)
        raise GitHubAway(self.clock() + AWAY, "another process is renewing the sign-in")

    def _renewed(
        self, person: SignedIn, tokens: UserTokens, until: datetime, refused: str | None
    ) -> str | None:
        """Return a new access token; ``None``: the person got other tokens meanwhile.

        The database decides who may renew, not Redis: while Redis is slow or away, processes
        would use the same refresh token, and GitHub refuses it to all but the first.
        """
        if tokens.refresh_token is None:
            raise self._ended(person)
        now = self.clock()
        try:
            new = self.sign_in.refresh(tokens.refresh_token, now=now)
        except SignInRefused as error:
            if self._resealed(person, None):
                raise NotSignedIn(person.login) from error
            return None
        except TemporaryFailure as error:
            self.store.logins.give_up_renewal(person, until)
            if refused is None and tokens.access_until and now < tokens.access_until:
                return tokens.access_token
            raise GitHubAway(now + AWAY, str(error)) from error
        return new.access_token if self._resealed(person, self._seal(new)) else None

    def _kept(self, person: SignedIn) -> tuple[SignedIn, UserTokens]:
        current = self.store.logins.person(person.id)
        if current is None or current.sealed is None:
            raise NotSignedIn(person.login)
        try:
            text = self._box.decrypt(current.sealed)
        except InvalidToken as error:
            raise NotSignedIn(person.login) from error
        return current, msgspec.json.decode(text, type=UserTokens)

    def _ended(self, person: SignedIn) -> NotSignedIn:
        self._resealed(person, None)
        return NotSignedIn(person.login)

    def _resealed(self, person: SignedIn, sealed: bytes | None) -> bool:
        return self.store.logins.reseal(person.id, person.sealed, sealed)

    def _lasts(self, tokens: UserTokens) -> bool:
        until = tokens.access_until
        return until is None or until - REFRESH_BEFORE > self.clock()

    def _seal(self, tokens: UserTokens) -> bytes:
        return self._box.encrypt(msgspec.json.encode(tokens))

    @property
    def _box(self) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(derive_key(self.encryption_key, "people's tokens")))
