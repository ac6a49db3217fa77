"""Sign in with GitHub in a browser: the address to open, and tokens for a code or refresh token.

It neither stores nor uses tokens. Authlib speaks the protocol: authorization code with PKCE and
state.
https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
"""

import hmac
from datetime import datetime, timedelta
from typing import Any

import msgspec
import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from ghapp.attribution.model import Struct
from ghapp.github.answers import TemporaryFailure
from ghapp.github.transport import check_base_url

VERIFIER_CHARACTERS = 64
STATE_CHARACTERS = 43
PATIENCE_SECONDS = 5
"""Seconds: a person waits, and so does the next request of this process."""


class SignInRefused(Exception):  # noqa: N818 - what GitHub did, not a fault of ours
    """GitHub gives no token for this code or refresh token; signing in again may help."""


class UserTokens(Struct, frozen=True, kw_only=True):
    """A person's tokens. ``repr`` leaves them out."""

    access_token: str
    access_until: datetime | None
    """``None``: the app's tokens do not expire, or GitHub did not say."""
    refresh_token: str | None
    """Works once; ``None``: there is none, because the access token does not expire."""

    def __repr__(self) -> str:
        """Leave the tokens out: a repr ends up in logs."""
        return f"UserTokens(access_until={self.access_until!r})"


class StartedSignIn(Struct, frozen=True, kw_only=True):
    """A sign-in under way; the browser holds state and verifier, sealed, until it returns."""

    address: str
    """The page of GitHub that the browser opens."""
    state: str
    verifier: str

    def is_answered_by(self, state: str) -> bool:
        """Say whether GitHub's redirect belongs to this sign-in."""
        return hmac.compare_digest(self.state.encode(), state.encode())


class _TokenAnswer(Struct, frozen=True, kw_only=True):
    access_token: str
    expires_in: int | None = None
    refresh_token: str | None = None


class SignIn:
    """The app's side of GitHub's web flow. Raises `ValueError` if the address is not safe."""

    def __init__(self, client_id: str, client_secret: str, web_url: str) -> None:
        check_base_url(web_url)
        self._client_id = client_id
        self._client_secret = client_secret
        self._authorize = f"{web_url}/login/oauth/authorize"
        self._access_token = f"{web_url}/login/oauth/access_token"

    def start(self, redirect_uri: str) -> StartedSignIn:
        """Return a new sign-in; ``redirect_uri`` is the app's registered callback address."""
        state, verifier = generate_token(STATE_CHARACTERS), generate_token(VERIFIER_CHARACTERS)
        with self._client(redirect_uri) as client:
            address, _ = client.create_authorization_url(
                self._authorize, state=state, code_verifier=verifier
            )
        return StartedSignIn(address=address, state=state, verifier=verifier)

    def redeem(self, code: str, verifier: str, redirect_uri: str, *, now: datetime) -> UserTokens:
        """Exchange a code for tokens; it works once. Raises `SignInRefused`, `TemporaryFailure`."""
        return self._tokens(
            now,
            redirect_uri=redirect_uri,
            grant_type="authorization_code",
            code=code,
            code_verifier=verifier,
        )

    def refresh(self, refresh_token: str, *, now: datetime) -> UserTokens:
        """Return new tokens and end the old ones. Raises `SignInRefused` and `TemporaryFailure`."""
        return self._tokens(now, grant_type="refresh_token", refresh_token=refresh_token)

    def _tokens(self, now: datetime, redirect_uri: str | None = None, **sent: str) -> UserTokens:
        try:
            with self._client(redirect_uri) as client:
                found = client.fetch_token(self._access_token, allow_redirects=False, **sent)
            answer = msgspec.convert(dict(found), _TokenAnswer)
        except OAuthError as error:
            raise SignInRefused(f"GitHub gives no token: {error.error}") from error
        except (requests.RequestException, msgspec.ValidationError, ValueError) as error:
            raise TemporaryFailure(
                "sign-in", f"no usable answer ({type(error).__name__})"
            ) from error
        lasts = answer.expires_in
        return UserTokens(
            access_token=answer.access_token,
            access_until=None if lasts is None else now + timedelta(seconds=lasts),
            refresh_token=answer.refresh_token,
        )

    def _client(self, redirect_uri: str | None) -> Any:
        return OAuth2Session(
            self._client_id,
            self._client_secret,
            token_endpoint_auth_method="client_secret_post",  # noqa: S106 - where it goes
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            default_timeout=PATIENCE_SECONDS,
        )
