"""Enrolls machines, and checks which repositories a machine's person may write to.

It knows no web framework. A person signs in at GitHub once. The app uses that token to learn who
the person is and where they may write, and drops it. Later the app asks GitHub itself.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cryptography.fernet import Fernet, InvalidToken

from ghapp.github import device_flow
from ghapp.github.answers import BadCredentials, GitHubError, GoneForGood, NotFound
from ghapp.github.app_auth import AppAuth
from ghapp.github.device_flow import NotApproved
from ghapp.github.token_cache import TokenCache, derive_key
from ghapp.github.user_access import AccessLevel, GitHubAway, UserAccess
from ghapp.keys.evidence import EvidenceKeys
from ghapp.people.unknown_names import nowhere
from ghapp.store import AccessToken, NewToken, Store, TokenKind, new_secret
from ghapp.wire import EnrolledInstallation, EnrollmentStarted, MachineEnrolled, MachineEnrollment

KEPT = timedelta(minutes=5)
"""How long an access level is cached, even if GitHub takes it back."""
NO_KEPT = timedelta(hours=1)
"""How long it is cached that a person may not write where the token never could: what a machine
keeps naming costs little. The machine sets such edits aside for longer."""
AWAY = timedelta(minutes=1)
"""When to ask again after GitHub did not answer."""
CODE_LASTS = timedelta(minutes=15)
"""The lifetime of GitHub's codes."""
REMEMBERED = 20
"""Most repositories per installation that a token remembers. The app asks GitHub about these to
learn whether the person still belongs to the installation."""


@dataclass(frozen=True)
class EvidenceUploaders:
    """Enrolls people who send evidence. Threads and forks may share it."""

    store: Store
    keys: EvidenceKeys
    access: UserAccess
    cache: TokenCache
    auth: AppAuth
    client_id: str
    web_url: str
    encryption_key: bytes
    clock: Callable[[], datetime]

    @property
    def host(self) -> str:
        """Return GitHub's host name as in git remotes."""
        return (urlsplit(self.web_url).hostname or "").lower()

    # --- enrollment -------------------------------------------------------------------------------

    def begin(self) -> EnrollmentStarted:
        """Begin a sign-in with a sealed secret. Raises `NotApproved` and `TemporaryFailure`."""
        code = device_flow.start(self.web_url, self.client_id)
        at = int(self.clock().timestamp())
        return EnrollmentStarted(
            handle=self._box.encrypt_at_time(code.device_code.encode(), at).decode(),
            user_code=code.user_code,
            verification_uri=code.verification_uri,
            interval=code.interval,
            expires_in=code.expires_in,
        )

    def finish(self, handle: str) -> MachineEnrolled | None:
        """Return a new upload token once the person has typed the code; ``None``: not yet.

        Raises `NotApproved` if the sign-in failed or the person may not write to any repository
        of the app; `TemporaryFailure` and `GitHubAway` if GitHub does not answer.
        """
        code = self._opened(handle)
        token = device_flow.user_token(self.web_url, self.client_id, code)
        if token is None:
            return None
        try:
            new = self._new_token(token)
        except BadCredentials as error:
            raise NotApproved("GitHub does not accept the token that it issued") from error
        secret = new_secret(TokenKind.UPLOAD)
        kept = self.store.tokens.issue(new, secret, now=self.clock())
        return MachineEnrolled(token=secret, enrollment=self.enrollment(kept))

    def enrollment(self, token: AccessToken) -> MachineEnrollment:
        """Return where a token's person may send evidence now, with the current keys.

        Omit installations in which the person has lost write access to all repositories of the
        token. Raises `GitHubAway` and `KeyLost`.
        """
        active = [one for one in self.store.installations.all() if one.is_active]
        found = [
            EnrolledInstallation(id=one.id, account=one.account, key_id=key.id, key=key.secret)
            for one in active
            if token.reaches(one.id) and self._belongs(token, one.id)
            for key in (self.keys.present(one.id, now=self.clock()),)
        ]
        return MachineEnrollment(login=token.login, host=self.host, installations=tuple(found))

    def _new_token(self, user_token: str) -> NewToken:
        person = self.access.person(user_token)
        known = {one.id for one in self.store.installations.all() if one.is_active}
        reached = self.access.installations(person.id, user_token) & known
        writable = {one: self.access.writable(user_token, one) for one in sorted(reached)}
        writable = {one: found[:REMEMBERED] for one, found in writable.items() if found}
        if not writable:
            raise NotApproved(
                f"{person.login} may not write to any repository on which the app is installed: "
                "ask an administrator to install it or to grant write access, then start again"
            )
        repositories = tuple(number for found in writable.values() for number in found)
        for number in repositories:
            self._remember(person.id, number, AccessLevel.WRITE)
        return NewToken(
            kind=TokenKind.UPLOAD,
            login=person.login,
            user_id=person.id,
            installations=tuple(writable),
            repositories=repositories,
        )

    def _belongs(self, token: AccessToken, installation_id: int) -> bool:
        for number in token.repositories:
            known = self.store.installations.repository(number)
            if known is None or known.installation_id != installation_id:
                continue
            if self.level(token, installation_id, number).reaches(AccessLevel.WRITE):
                return True
        return False

    # --- access levels ----------------------------------------------------------------------------

    def level(self, token: AccessToken, installation_id: int, repository_id: int) -> AccessLevel:
        """Return the access level of a token's person in a repository, as GitHub tells the app.

        If somebody else has the login by now, it is none. Raises `GitHubAway`.
        """
        known = self.known_level(token, repository_id)
        if known is not None:
            return known
        try:
            level = self._asked(token, installation_id, repository_id)
        except (NotFound, GoneForGood):
            level = AccessLevel.NONE
        except GitHubError as error:
            raise GitHubAway(self.clock() + AWAY, str(error)) from error
        is_theirs = level.reaches(AccessLevel.WRITE) or repository_id in token.repositories
        self._remember(token.user_id, repository_id, level, KEPT if is_theirs else NO_KEPT)
        return level

    def known_level(self, token: AccessToken, repository_id: int) -> AccessLevel | None:
        """Return the level that GitHub told a short time ago; ``None``: it must be asked."""
        kept = self.cache.read(_cached(token.user_id, repository_id))
        return None if kept is None else AccessLevel(kept.decode())

    def nowhere(self, full_name: str) -> int:
        """Return an id that stands for an unknown name."""
        return nowhere(self.encryption_key, full_name)

    def _asked(self, token: AccessToken, installation_id: int, repository_id: int) -> AccessLevel:
        found = self.auth.permission(installation_id, repository_id, token.login)
        is_same = found.user is not None and found.user.id == token.user_id
        return AccessLevel(found.permission) if is_same else AccessLevel.NONE

    def _remember(
        self, user_id: int, repository_id: int, level: AccessLevel, keep: timedelta = KEPT
    ) -> None:
        self.cache.write(_cached(user_id, repository_id), level.encode(), keep)

    # --- handles ----------------------------------------------------------------------------------

    def began(self, handle: str) -> bool:
        """Say whether a sign-in with this handle began here, a short time ago."""
        try:
            self._opened(handle)
        except NotApproved:
            return False
        return True

    def _opened(self, handle: str) -> str:
        lasts, now = int(CODE_LASTS.total_seconds()), int(self.clock().timestamp())
        try:
            return self._box.decrypt_at_time(handle.encode(), lasts, now).decode()
        except (InvalidToken, UnicodeEncodeError) as error:
            raise NotApproved("this sign-in did not begin here, or began too long ago") from error

    @property
    def _box(self) -> Fernet:
        key = derive_key(self.encryption_key, "enrollment")
        return Fernet(base64.urlsafe_b64encode(key))


def _cached(user_id: int, repository_id: int) -> str:
    return f"writes:{user_id}:{repository_id}"
