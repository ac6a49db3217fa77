"""Sign in on a machine without a browser, by GitHub's device flow. It stores no token.

A person opens an address and types a code; meanwhile the app polls GitHub for the token. PyGithub
does not know this flow.
https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
"""

import requests

from ghapp import __version__
from ghapp.attribution.model import Struct
from ghapp.github.answers import TemporaryFailure, decoded
from ghapp.github.transport import check_base_url

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
TIMEOUT_SECONDS = 10
SIGN_IN = "sign-in"
"""What errors name."""
HEADERS = {"Accept": "application/json", "User-Agent": f"ghapp/{__version__}"}
WAITING = frozenset({"authorization_pending", "slow_down"})
"""GitHub's errors that say: the code is not typed yet, or we poll too fast."""


class NotApproved(Exception):  # noqa: N818 - how a sign-in ended, not a fault
    """The sign-in ended without approval; the message says why and what to do."""


class DeviceCode(Struct, frozen=True):
    """A sign-in that was started."""

    device_code: str
    """Secret: its holder gets the token."""
    user_code: str
    verification_uri: str
    expires_in: int
    """Seconds until the code expires."""
    interval: int
    """Seconds between two polls."""

    def __repr__(self) -> str:
        """Leave the secret out."""
        return f"DeviceCode(user_code={self.user_code!r})"


class _Answer(Struct, frozen=True):
    access_token: str | None = None
    error: str | None = None


def start(web_url: str, client_id: str) -> DeviceCode:
    """Start a sign-in at the GitHub whose pages are at ``web_url``.

    Raises `TemporaryFailure` if GitHub does not answer as documented, and `NotApproved` if it
    refuses: the app's owner must tick "Enable Device Flow".
    """
    raw = _post(web_url, "/login/device/code", client_id=client_id)
    error = decoded(raw, _Answer, SIGN_IN).error
    if error is not None:
        raise NotApproved(
            f"GitHub does not start a sign-in by code ({error}): tick 'Enable Device Flow' in the "
            "app's settings on GitHub, and check GITHUB_CLIENT_ID"
        )
    return decoded(raw, DeviceCode, SIGN_IN)


def user_token(web_url: str, client_id: str, device_code: str) -> str | None:
    """Return the person's token once the code was typed; ``None``: not yet.

    GitHub gives the token once. Raises `NotApproved` if it never will, and `TemporaryFailure`.
    """
    raw = _post(
        *(web_url, "/login/oauth/access_token"),
        client_id=client_id,
        device_code=device_code,
        grant_type=GRANT,
    )
    answer = decoded(raw, _Answer, SIGN_IN)
    if answer.access_token:
        return answer.access_token
    if answer.error in WAITING:
        return None
    raise NotApproved(f"the sign-in is over ({answer.error or 'no reason given'}): start again")


def _post(web_url: str, path: str, **members: str) -> bytes:
    check_base_url(web_url)
    try:
        answer = requests.post(
            web_url + path,
            data=members,
            headers=HEADERS,
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )
    except requests.RequestException as problem:
        raise TemporaryFailure(f"POST {path}", f"no answer ({type(problem).__name__})") from problem
    if answer.status_code not in {200, 404}:
        raise TemporaryFailure(f"POST {path}", f"status {answer.status_code}")
    return answer.content
