"""Checks senders: verifies JWTs, creates installation tokens, enforces permissions and scope.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ghapp.demo.sandbox.call import ErrorAnswer, HubCall
from ghapp.demo.sandbox.limits import JWT_SECONDS, TOKEN_REPOSITORIES, TOKEN_SECONDS
from ghapp.demo.sandbox.state import HubApp, HubInstallation, HubRepository, HubToken, Json, World

NOT_ACCESSIBLE = "Resource not accessible by integration"
SUSPENDED = "This installation has been suspended"
ARCHIVED = "Repository was archived so is read-only."
LEVELS = {"none": 0, "read": 1, "write": 2, "admin": 3}
PUBLIC = "/repos/{owner}/{repo}"
CLOCK_SECONDS = 5
"""How far an ``iat`` may be ahead of the clock; GitHub does not publish its figure."""


class KeyPair:
    """An RSA key pair as PEM texts."""

    def __init__(self) -> None:
        self.key = private = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
        self.private = private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        ).decode()
        self.public = (
            private.public_key()
            .public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            .decode()
        )


@cache
def keys_of(app_id: int) -> KeyPair:  # noqa: ARG001 - the cache needs the number
    """Return an app's keys, the same for every sandbox of a process. 0: the stand-in's own.

    Generating a key takes a tenth of a second, and tests start many sandboxes.
    """
    return KeyPair()


class TokenGuard:
    """Identifies the sender of a request and checks their permission.

    ``classic``: create tokens in the old format of 40 characters, as on Enterprise Server.
    """

    def __init__(self, world: World, *, classic: bool = False) -> None:
        self._world = world
        self._signing = keys_of(0)
        self._classic = classic

    # --- identity -----------------------------------------------------------------------------

    def identify(self, call: HubCall) -> str:
        """Set the call's sender from its ``Authorization`` header; return a name for it."""
        kind, _, value = call.headers.get("Authorization", "").partition(" ")
        if not value:
            return self._anonymous(call)
        if kind.lower() not in {"bearer", "token"}:
            raise ErrorAnswer(401, "Bad credentials")
        if value in self._world.user_tokens:
            return self._as_user(call, value)
        if value.count(".") == 2 and not value.startswith("gh"):
            call.app = self.app_of(value)
            return f"app:{call.app.id}"
        call.token = self.living_token(value)
        return f"installation:{call.token.installation.id}"

    def _anonymous(self, call: HubCall) -> str:
        if call.route.sender != "anyone":
            status = 401 if call.route.sender in {"app", "user"} else 404
            raise ErrorAnswer(status, "Requires authentication" if status == 401 else "Not Found")
        return "anonymous"

    def _as_user(self, call: HubCall, value: str) -> str:
        token = self._world.user_tokens[value]
        if not token.lives(self._world):
            raise ErrorAnswer(401, "Bad credentials")
        call.user, call.user_app = token.account, token.app
        return f"user:{call.user.id}"

    def living_token(self, value: str) -> HubToken:
        """Return the token with a value; 401 if it is unknown, expired or revoked."""
        token = self._world.tokens.get(value)
        if token is None or token.revoked or token.expires_at <= self._world.now():
            raise ErrorAnswer(401, "Bad credentials")
        if token.installation.deleted:
            raise ErrorAnswer(401, "Bad credentials")
        if token.installation.suspended_at is not None:
            raise ErrorAnswer(403, SUSPENDED)
        return token

    def app_of(self, value: str) -> HubApp:
        """Return the app that signed a JWT; 401 says what is wrong with it."""
        claims = self._unverified(value)
        app = self._issuer(claims.get("iss"))
        self._check_times(claims)
        for key in app.public_keys:
            try:
                jwt.decode(
                    value, key, algorithms=["RS256"],
                    options={"verify_exp": False, "verify_iat": False, "verify_aud": False},
                )  # fmt: skip
            except jwt.InvalidTokenError:
                continue
            return app
        raise ErrorAnswer(401, "A JSON web token could not be decoded")

    def _unverified(self, value: str) -> Json:
        try:
            if jwt.get_unverified_header(value).get("alg") != "RS256":
                raise ErrorAnswer(401, "A JSON web token could not be decoded")
            found: Json = jwt.decode(value, options={"verify_signature": False})
        except jwt.InvalidTokenError as broken:
            raise ErrorAnswer(401, "A JSON web token could not be decoded") from broken
        return found

    def _issuer(self, issuer: object) -> HubApp:
        for app in self._world.apps.values():
            if str(issuer) in {str(app.id), app.client_id}:
                return app
        raise ErrorAnswer(404, "Integration not found")

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._world.clock().timestamp()
        issued, expires = claims.get("iat"), claims.get("exp")
        if not isinstance(issued, int) or issued > now + CLOCK_SECONDS:
            raise ErrorAnswer(
                401,
                "'Issued at' claim ('iat') must be an Integer representing the time that the "
                "assertion was issued",
            )
        if not isinstance(expires, int) or expires <= now:
            raise ErrorAnswer(
                401,
                "'Expiration time' claim ('exp') must be a numeric value representing the "
                "future time at which the assertion expires",
            )
        if expires > now + JWT_SECONDS + CLOCK_SECONDS:
            raise ErrorAnswer(401, "'Expiration time' claim ('exp') is too far in the future")

    # --- permission ---------------------------------------------------------------------------

    def admit(self, call: HubCall) -> None:
        """Refuse a sender of the wrong kind, without permission, or out of scope."""
        sender = call.route.sender
        if sender == "anyone":
            return
        if sender == "app" and call.app is None:
            raise ErrorAnswer(401, "A JSON web token could not be decoded")
        if sender == "user" and call.user is None:
            raise _forbidden(call)
        if sender == "installation":
            self._admit_installation(call)

    def _admit_installation(self, call: HubCall) -> None:
        if call.app is not None:
            raise ErrorAnswer(403, NOT_ACCESSIBLE)
        repository = call.repository
        if repository and not repository.private and call.route.template == PUBLIC:
            return  # everybody may read the name and the parent of a public repository
        if repository and not self._in_scope(call, repository):
            raise ErrorAnswer(404, "Not Found") if repository.private else _forbidden(call)
        if call.token and not self._permitted(call, call.token):
            raise _forbidden(call)
        if repository and repository.archived and call.route.method != "GET":
            raise ErrorAnswer(403, ARCHIVED)

    def _in_scope(self, call: HubCall, repository: HubRepository) -> bool:
        if call.user is not None:
            wanted = "read" if call.route.method == "GET" else "write"
            held = repository.permission_of(call.user.login)
            return LEVELS[held] >= LEVELS[wanted] and self._shared(call.user_app, repository)
        return call.token is not None and self.reaches(call.token, repository)

    def _shared(self, app: HubApp | None, repository: HubRepository) -> bool:
        """Return whether a person's app reaches a repository too; public ones, always."""
        if app is None or not repository.private:
            return True
        return any(one.app is app for one in self._world.installations_on(repository))

    def reaches(self, token: HubToken, repository: HubRepository) -> bool:
        """Return whether a token's scope includes a repository."""
        if token.repository_ids is not None and repository.id not in token.repository_ids:
            return False
        return repository in self._world.repositories_of(token.installation)

    def _permitted(self, call: HubCall, token: HubToken) -> bool:
        needs = call.route.needs
        return not needs or any(self.holds(token, *need.split(":")) for need in needs)

    def holds(self, token: HubToken, name: str, level: str) -> bool:
        """Return whether a token has a permission; metadata is always readable."""
        if (name, level) == ("metadata", "read"):
            return True
        granted = token.installation.permissions.get(name, "none")
        asked = token.permissions.get(name, "none")
        return min(LEVELS[granted], LEVELS[asked]) >= LEVELS[level]

    # --- new tokens ---------------------------------------------------------------------------

    def issue(self, installation: HubInstallation, wanted: Json) -> HubToken:
        """Create a token, narrowed as requested; 422 if it asks for too much."""
        permissions = self._narrowed_permissions(installation, wanted.get("permissions") or {})
        ids = self._narrowed_repositories(installation, wanted)
        now = self._world.now()
        expires = now + timedelta(seconds=TOKEN_SECONDS)
        value = self._token_value(installation, now, expires)
        token = HubToken(value, installation, permissions, ids, expires)
        self._world.tokens[value] = token
        return token

    def _narrowed_permissions(self, installation: HubInstallation, asked: Json) -> dict[str, str]:
        for name, level in asked.items():
            held = LEVELS[installation.permissions.get(name, "none")]
            if LEVELS.get(level, 9) > held and (name, level) != ("metadata", "read"):
                raise ErrorAnswer(
                    422, "The permissions requested are not granted to this installation."
                )
        granted = dict(asked) if asked else dict(installation.permissions)
        return granted | {"metadata": "read"}

    def _narrowed_repositories(
        self, installation: HubInstallation, wanted: Json
    ) -> frozenset[int] | None:
        names, ids = wanted.get("repositories") or [], wanted.get("repository_ids") or []
        if not names and not ids:
            return None
        if len(names) + len(ids) > TOKEN_REPOSITORIES:
            raise ErrorAnswer(422, f"At most {TOKEN_REPOSITORIES} repositories can be named.")
        reached = self._world.repositories_of(installation)
        by_name = {repository.name.lower(): repository.id for repository in reached}
        found = {by_name.get(str(name).lower(), 0) for name in names}
        found |= {one if one in {r.id for r in reached} else 0 for one in ids}
        if 0 in found:
            raise ErrorAnswer(
                422,
                "There is at least one repository that does not exist or is not accessible to "
                "the parent installation.",
            )
        return frozenset(found)

    def _token_value(self, installation: HubInstallation, now: datetime, expires: datetime) -> str:
        number = self._world.next_id("request")
        if self._classic:
            return f"ghs_{number:036d}"
        claims = {
            "iss": "sandbox",
            "sub": f"installation/{installation.id}",
            "iat": int(now.timestamp()),
            "exp": int(expires.timestamp()),
            "jti": f"{number:016x}",
        }
        signed = jwt.encode(claims, self._signing.key, algorithm="RS256")
        return f"ghs_{installation.app.id}_{signed}"


def _forbidden(call: HubCall) -> ErrorAnswer:
    headers = {"X-Accepted-GitHub-Permissions": call.route.accepted_permissions}
    return ErrorAnswer(403, NOT_ACCESSIBLE, headers=headers if call.route.needs else {})
