"""GitHub's device flow: a person types a code on another screen to sign in.

The flow in a browser is in ``sign_in``. A test calls `approve` or `deny`; a person types the code
at ``/login/device``.
https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps#device-flow
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ghapp.demo.sandbox.dispatch import WireAnswer, WireRequest
from ghapp.demo.sandbox.sign_in import app_of, encoded, issue, problem, sent_members
from ghapp.demo.sandbox.state import HubAccount, HubApp, World

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
CODE_SECONDS = 900
"""How long a code is valid."""
INTERVAL_SECONDS = 5
"""Shortest time between two polls of an app."""
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""Letters of a code: no vowels, so that no code spells a word."""


@dataclass
class HubDeviceCode:
    """A sign-in that waits for its person."""

    device_code: str
    user_code: str
    app: HubApp
    expires_at: datetime
    interval: int = INTERVAL_SECONDS
    asked_at: datetime | None = None
    account: HubAccount | None = None
    denied: bool = False


class DeviceFlow:
    """Answers an app's two requests and serves a person's page."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._codes: dict[str, HubDeviceCode] = {}

    def answer(self, request: WireRequest, form: Mapping[str, str]) -> WireAnswer | None:
        """Answer a request; ``None``: it does not belong to this flow."""
        sent = sent_members(request, form)
        with self._world.lock:
            match request.method, request.path:
                case "POST", "/login/device/code":
                    return encoded(request, self._started(sent))
                case "POST", "/login/oauth/access_token" if sent.get("grant_type") == GRANT:
                    return encoded(request, self._token(sent))
                case "POST", "/login/device":
                    return self._typed(sent)
                case "GET", "/login/device":
                    return _page(FORM)
        return None

    def approve(self, user_code: str, login: str) -> None:
        """Type a code as a person who agrees. Raises `KeyError` for an unknown code."""
        with self._world.lock:
            self._waiting(user_code).account = self._world.account(login)

    def deny(self, user_code: str) -> None:
        """Type a code and refuse. Raises `KeyError` for an unknown code."""
        with self._world.lock:
            self._waiting(user_code).denied = True

    def _started(self, sent: Mapping[str, str]) -> dict[str, str | int]:
        app = app_of(self._world, sent.get("client_id", ""))
        if app is None:
            return problem("Not Found")
        if not app.device_flow:
            return problem("device_flow_disabled")
        number = self._world.next_id("request")
        code = HubDeviceCode(
            device_code=f"{number:040x}",
            user_code=_user_code(number),
            app=app,
            expires_at=self._world.now() + timedelta(seconds=CODE_SECONDS),
        )
        self._codes[code.device_code] = code
        return {
            "device_code": code.device_code,
            "user_code": code.user_code,
            "verification_uri": f"{self._world.links.web}/login/device",
            "expires_in": CODE_SECONDS,
            "interval": code.interval,
        }

    def _token(self, sent: Mapping[str, str]) -> dict[str, str | int]:
        code = self._codes.get(sent.get("device_code", ""))
        if code is None:
            return problem("incorrect_device_code")
        over = self._over(code, sent)
        if over is not None:
            return problem(over)
        now = self._world.now()
        last, code.asked_at = code.asked_at, now
        if last is not None and now - last < timedelta(seconds=code.interval):
            code.interval += INTERVAL_SECONDS
            return {**problem("slow_down"), "interval": code.interval}
        if code.account is None:
            return problem("authorization_pending")
        del self._codes[code.device_code]
        return issue(self._world, code.account, code.app)

    def _over(self, code: HubDeviceCode, sent: Mapping[str, str]) -> str | None:
        """Return the error that ends the sign-in; ``None``: it goes on."""
        if code.app.client_id != sent.get("client_id"):
            return "incorrect_client_credentials"
        if self._world.now() >= code.expires_at:
            return "expired_token"
        return "access_denied" if code.denied else None

    def _typed(self, sent: Mapping[str, str]) -> WireAnswer:
        try:
            self.approve(sent.get("user_code", ""), sent.get("login") or "maintainer")
        except KeyError:
            return _page("This code is unknown or expired.", status=404)
        return _page("You are signed in on your other screen.")

    def _waiting(self, user_code: str) -> HubDeviceCode:
        wanted, now = user_code.strip().upper(), self._world.now()
        for code in self._codes.values():
            if code.user_code == wanted and now < code.expires_at:
                return code
        raise KeyError(wanted)


FORM = (
    '<form method="post"><label>Code <input name="user_code" autofocus></label> '
    '<label>as <input name="login" value="maintainer"></label> <button>Sign in</button></form>'
)


def _user_code(number: int) -> str:
    letters = [LETTERS[(number * 7 + at * at * 3 + number // 20**at) % 20] for at in range(8)]
    return "".join(letters[:4]) + "-" + "".join(letters[4:])


def _page(text: str, status: int = 200) -> WireAnswer:
    policy = "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy}
    body = f"<!doctype html><title>Device</title><main><p>{text}</p></main>".encode()
    return WireAnswer(status, headers, body)
