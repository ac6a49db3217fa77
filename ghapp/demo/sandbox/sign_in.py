"""The web sign-in: redirects a browser with a code, and exchanges the code for tokens.

As strict as GitHub: registered addresses only, codes that work once and for ten minutes, PKCE
with S256, tokens that expire after eight hours, refresh tokens that work once.
https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode

from ghapp.demo.sandbox.dispatch import WireAnswer, WireRequest
from ghapp.demo.sandbox.limits import LOGIN_CODE_SECONDS, REFRESH_SECONDS, USER_TOKEN_SECONDS
from ghapp.demo.sandbox.state import HubAccount, HubApp, LoginCode, UserToken, World

TEXT = {"Content-Type": "text/plain; charset=utf-8"}

_DESCRIPTIONS = {
    "access_denied": "The user has denied your application access.",
    "authorization_pending": "The authorization request is still pending.",
    "bad_refresh_token": "The refresh token passed is incorrect or expired.",
    "bad_verification_code": "The code passed is incorrect or expired.",
    "device_flow_disabled": "Device Flow must be explicitly enabled for this App",
    "expired_token": "The device_code has expired.",
    "incorrect_client_credentials": "The client_id and/or client_secret passed are incorrect.",
    "incorrect_device_code": "The device_code provided is not valid.",
    "redirect_uri_mismatch": "The redirect_uri MUST match the registered callback URL.",
    "slow_down": "Too many requests have been made in the same timeframe.",
    "unsupported_grant_type": "The authorization grant type is not supported.",
}


class HubSignIn:
    """Answers the two addresses of the web flow; the world knows who is at the browser."""

    def __init__(self, world: World) -> None:
        self._world = world

    def answer(self, request: WireRequest, form: Mapping[str, str]) -> WireAnswer | None:
        """Answer with a redirect or with tokens; ``None``: it is neither address."""
        with self._world.lock:
            match request.method, request.path:
                case "GET", "/login/oauth/authorize":
                    return self._authorize(dict(parse_qsl(request.query)))
                case "POST", "/login/oauth/access_token":
                    return encoded(request, self._token(sent_members(request, form)))
        return None

    # --- the browser --------------------------------------------------------------------------

    def _authorize(self, query: Mapping[str, str]) -> WireAnswer:
        app = app_of(self._world, query.get("client_id", ""))
        if app is None or not app.callback_urls:
            return WireAnswer(
                404, TEXT, b"There is no such application, or it has no callback URL."
            )
        target = query.get("redirect_uri", app.callback_urls[0])
        passed = {"state": query["state"]} if "state" in query else {}
        if target not in app.callback_urls:
            return _refused(app.callback_urls[0], "redirect_uri_mismatch", passed)
        if self._world.browser_denies:
            return _refused(target, "access_denied", passed)
        method = query.get("code_challenge_method", "S256")
        if method != "S256":
            self._world.violate("GET /login/oauth/authorize", f"code_challenge_method={method!r}")
        code = f"{self._world.next_id('request'):020d}"
        account = self._world.account(query.get("login", self._world.browser_login))
        self._world.login_codes[code] = LoginCode(
            app, account, target, query.get("code_challenge"), self._world.now()
        )
        return redirect(target, {"code": code, **passed})

    # --- the app --------------------------------------------------------------------------------

    def _token(self, sent: Mapping[str, str]) -> dict[str, str | int]:
        app = app_of(self._world, sent.get("client_id", ""))
        secret = sent.get("client_secret", "")
        if app is None or not hmac.compare_digest(app.client_secret.encode(), secret.encode()):
            return problem("incorrect_client_credentials")
        match sent.get("grant_type", "authorization_code"):
            case "authorization_code":
                return self._redeem(app, sent)
            case "refresh_token":
                return self._refresh(app, sent.get("refresh_token", ""))
        return problem("unsupported_grant_type")

    def _redeem(self, app: HubApp, sent: Mapping[str, str]) -> dict[str, str | int]:
        code = self._world.login_codes.pop(sent.get("code", ""), None)
        limit = timedelta(seconds=LOGIN_CODE_SECONDS)
        if code is None or code.app is not app or code.made_at + limit < self._world.now():
            return problem("bad_verification_code")
        if sent.get("redirect_uri", code.redirect_uri) != code.redirect_uri:
            return problem("redirect_uri_mismatch")
        if code.challenge is not None and code.challenge != _challenge(sent):
            return problem("bad_verification_code")
        return issue(self._world, code.account, app)

    def _refresh(self, app: HubApp, value: str) -> dict[str, str | int]:
        found = [one for one in self._world.user_tokens.values() if one.refresh == value]
        if not value or not found or found[0].app is not app or not found[0].refreshes(self._world):
            return problem("bad_refresh_token")
        # Using a refresh token revokes it and the access token that came with it.
        found[0].revoked = True
        return issue(self._world, found[0].account, app)


def issue(world: World, account: HubAccount, app: HubApp) -> dict[str, str | int]:
    """Create a person's token for an app and return the token address's answer."""
    number = world.next_id("request")
    now = world.now()
    token = UserToken(
        value=f"ghu_{number:036d}",
        account=account,
        app=app,
        refresh=f"ghr_{number:076d}",
        expires_at=now + timedelta(seconds=USER_TOKEN_SECONDS),
        refresh_until=now + timedelta(seconds=REFRESH_SECONDS),
    )
    world.user_tokens[token.value] = token
    return {
        "access_token": token.value,
        "expires_in": USER_TOKEN_SECONDS,
        "refresh_token": str(token.refresh),
        "refresh_token_expires_in": REFRESH_SECONDS,
        "token_type": "bearer",
        "scope": "",
    }


def app_of(world: World, client_id: str) -> HubApp | None:
    """Return the app with a client id; ``None``: there is none."""
    return next((app for app in world.apps.values() if app.client_id == client_id), None)


def problem(error: str) -> dict[str, str | int]:
    """Return an error as the token address answers it, with status 200."""
    return {
        "error": error,
        "error_description": _DESCRIPTIONS.get(error, error),
        "error_uri": "https://docs.example.test/apps/oauth",
    }


def encoded(request: WireRequest, members: Mapping[str, str | int]) -> WireAnswer:
    """Answer in JSON if requested, otherwise as a form, which is GitHub's default here."""
    if "application/json" in request.headers.get("Accept", ""):
        body = json.dumps(members).encode()
        return WireAnswer(200, {"Content-Type": "application/json; charset=utf-8"}, body)
    kind = "application/x-www-form-urlencoded; charset=utf-8"
    return WireAnswer(200, {"Content-Type": kind}, urlencode(members).encode())


def sent_members(request: WireRequest, form: Mapping[str, str]) -> dict[str, str]:
    """Return the members of a request's form or JSON."""
    if form or not request.body.lstrip().startswith(b"{"):
        return dict(form)
    return {str(name): str(value) for name, value in json.loads(request.body).items()}


def _challenge(sent: Mapping[str, str]) -> str:
    digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def _refused(target: str, error: str, passed: Mapping[str, str]) -> WireAnswer:
    said = {"error": error, "error_description": _DESCRIPTIONS[error]}
    return redirect(target, {**said, **passed})


def redirect(target: str, members: Mapping[str, str]) -> WireAnswer:
    """Send a browser to an address with these members in its query."""
    mark = "&" if "?" in target else "?"
    return WireAnswer(302, {"Location": f"{target}{mark}{urlencode(members)}"}, b"")
