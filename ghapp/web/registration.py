"""GitHub's manifest flow: app.yml becomes a manifest, and a code becomes credentials.

https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest
"""

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import requests
import yaml

from ghapp.attribution.model import Struct
from ghapp.git.names import segment
from ghapp.github.transport import API_VERSION, TIMEOUT_SECONDS, check_base_url
from ghapp.settings import is_this_machine, public_address

_LOGIN = re.compile(r"[A-Za-z0-9-]*")  # acme; empty: the person's own
LONGEST_NAME = 34
"""Characters that GitHub allows in an app's name."""


class RegistrationError(RuntimeError):
    """The registration failed; the message is for the person at the set-up page."""


class NewCredentials(Struct, frozen=True, kw_only=True):
    """What GitHub returns once for a new app.

    ``client_secret``, ``webhook_secret`` and ``pem`` are secrets.
    """

    id: int
    slug: str
    client_id: str
    client_secret: str
    webhook_secret: str
    pem: str
    html_url: str


def app_file() -> Path:
    """Return where app.yml is: in the installed package, or at the top of the checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "app.yml"
    return installed if installed.exists() else package.parent / "app.yml"


def read_app_file(path: Path) -> dict[str, Any]:
    """Read app.yml: the app's name, permissions and events.

    Raises `RegistrationError` if one of them is missing.
    """
    app = yaml.safe_load(path.read_text(encoding="utf-8"))
    missing = {"name", "default_permissions", "default_events"} - set(app)
    if missing:
        raise RegistrationError(f"{path} lacks {', '.join(sorted(missing))}")
    return dict(app)


def manifest(app: dict[str, Any], *, name: str, public_url: str, redirect_url: str) -> bytes:
    """Return the manifest for GitHub's form, as JSON.

    ``public_url`` is where GitHub reaches this app, and GitHub sends the person's browser back to
    ``redirect_url``. Raises `RegistrationError` for an unusable name or public address.
    """
    public_url = checked_address(public_url)
    if not 0 < len(name) <= LONGEST_NAME:
        raise RegistrationError(f"the name has {len(name)} characters; use 1 to {LONGEST_NAME}")
    return msgspec.json.encode(
        {
            "name": name,
            "url": public_url,
            "hook_attributes": {"url": f"{public_url}/webhooks/github", "active": True},
            "redirect_url": redirect_url,
            "callback_urls": [f"{public_url}/login/callback"],
            "description": app.get("description", ""),
            "public": bool(app.get("public", False)),
            "default_permissions": app["default_permissions"],
            "default_events": app["default_events"],
        }
    )


def checked_address(public_url: str) -> str:
    """Return a public address that the settings take and that GitHub can reach.

    GitHub registers no app whose webhooks would go to the app's own machine:
    https://github.com/github-community-projects/private-mirrors/issues/387.
    Raises `RegistrationError`.
    """
    if not public_url.strip():
        raise RegistrationError("the public address is empty: give https://HOST")
    try:
        address = public_address(public_url)
    except ValueError as error:
        raise RegistrationError(f"the public address {error}") from None
    if is_this_machine(address):
        raise RegistrationError(
            "the public address is this machine's own, where GitHub's webhooks arrive nowhere: "
            "give https://HOST of a proxy or tunnel"
        )
    return address


def check_organization(login: str) -> None:
    """Raise `RegistrationError` for what is no login; empty: the person will own the app."""
    if not _LOGIN.fullmatch(login):
        raise RegistrationError(f"the organization is {login!r}: give its login")


def to_settings(credentials: NewCredentials, public_url: str) -> dict[str, str]:
    """Return the credentials as environment variables of `Settings`."""
    return {
        "GITHUB_APP_ID": str(credentials.id),
        "GITHUB_PRIVATE_KEY": credentials.pem,
        "GITHUB_WEBHOOK_SECRETS": credentials.webhook_secret,
        "GITHUB_CLIENT_ID": credentials.client_id,
        "GITHUB_CLIENT_SECRET": credentials.client_secret,
        "GHAPP_PUBLIC_URL": public_url.rstrip("/"),
    }


def form_address(web_url: str, organization: str | None, state: str) -> str:
    """Return the address on GitHub that the manifest's form posts to.

    ``organization`` owns the app; ``None``: the person does.
    """
    owner = f"organizations/{segment(organization)}/" if organization else ""
    return f"{web_url.rstrip('/')}/{owner}settings/apps/new?state={quote(state, safe='')}"


def convert(api_url: str, code: str) -> NewCredentials:
    """Exchange the redirect's code for the app's credentials; a code works once, for an hour.

    Raises `RegistrationError` if GitHub refuses, does not answer, or answers unexpectedly.
    """
    check_base_url(api_url)
    address = f"{api_url.rstrip('/')}/app-manifests/{segment(code)}/conversions"
    headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": API_VERSION}
    try:
        answer = requests.post(
            address, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False
        )
    except requests.RequestException as error:
        kind = type(error).__name__
        raise RegistrationError(f"GitHub did not answer ({kind}); try again") from error
    if answer.status_code != requests.codes.created:
        raise RegistrationError(
            f"GitHub refused the code with {answer.status_code}: a code works once, for an hour; "
            "start the registration again"
        )
    try:
        return msgspec.json.decode(answer.content, type=NewCredentials)
    except msgspec.DecodeError as error:
        raise RegistrationError(f"GitHub's answer is not as documented: {error}") from error
