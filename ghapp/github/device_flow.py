"""Sign-in on a machine without a browser: GitHub's device flow. It keeps no token.

A person opens an address and types a code; meanwhile the app asks whether that was done.
"""

from typing import TypeVar

import msgspec
import requests

from ghapp import __version__
from ghapp.attribution.model import Struct
from ghapp.github.answers import TemporaryFailure
from ghapp.github.transport import check_base_url

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
TIMEOUT_SECONDS = 10
HEADERS = {"Accept": "application/json", "User-Agent": f"ghapp/{__version__}"}
WAITING = frozenset({"authorization_pending", "slow_down"})


AnswerT = TypeVar("AnswerT")


class NotApproved(Exception):  # noqa: N818 - how a sign-in ended, not a fault
    """The sign-in is over without a person; the message says why and what to do."""


class DeviceCode(Struct, frozen=True):
    """A sign-in that has begun."""

    device_code: str
    """Secret: whoever has it gets the token."""
    user_code: str
    verification_uri: str
    expires_in: int
    interval: int
    """Seconds between two questions."""

    def __repr__(self) -> str:
        """Leave the secret out."""
        return f"DeviceCode(user_code={self.user_code!r})"


class _Answer(Struct, frozen=True):
    access_token: str | None = None
    error: str | None = None


def start(web_url: str, client_id: str) -> DeviceCode:
    """Begin a sign-in at the GitHub whose pages are at ``web_url``.

    Raises `TemporaryFailure` where GitHub does not answer as documented, and `NotApproved` where it
    refuses: the app's owner has to tick "Enable Device Flow".
    """
    raw = _post(web_url, "/login/device/code", client_id=client_id)
    error = _decoded(raw, _Answer).error
    if error is not None:
        raise NotApproved(
            f"GitHub does not begin a sign-in by code ({error}): tick 'Enable Device Flow' in the "
            "app's settings on GitHub, and check GITHUB_CLIENT_ID"
        )
    return _decoded(raw, DeviceCode)


def user_token(web_url: str, client_id: str, device_code: str) -> str | None:
    """Ask whether the code was typed: the person's token, ``None``: not yet.

    GitHub gives it once. Raises `NotApproved` where it will not be, and `TemporaryFailure`.
    """
    raw = _post(
        *(web_url, "/login/oauth/access_token"),
        client_id=client_id,
        device_code=device_code,
        grant_type=GRANT,
    )
    answer = _decoded(raw, _Answer)
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


def _decoded(raw: bytes, kind: type[AnswerT]) -> AnswerT:
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.DecodeError as problem:
        raise TemporaryFailure(
            "sign-in", f"the answer is not as documented: {problem}"
        ) from problem
