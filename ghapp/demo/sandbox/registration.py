"""Registers apps for the builder and for manifests. It answers no request."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ghapp.demo.sandbox import manifest
from ghapp.demo.sandbox.state import HubAccount, HubApp, World
from ghapp.demo.sandbox.tokens import keys_of

_NOT_IN_SLUGS = re.compile(r"[^a-z0-9]+")


class RegistrationRefused(ValueError):  # noqa: N818 - an answer of GitHub's, not a failure
    """GitHub does not register this app; the message says why, in its words."""


@dataclass(frozen=True)
class RegisteredApp:
    """A new app with its private key, which only its owner sees."""

    app: HubApp
    private_key: str


def register_app(  # noqa: PLR0913 - an app has these parts; all are keyword-only
    world: World,
    *,
    name: str,
    owner: HubAccount,
    webhook_url: str | None,
    permissions: Mapping[str, str],
    events: Sequence[str],
    external_url: str = "https://example.test/",
    callback_urls: Sequence[str] = (),
    webhook_secret: str | None = None,
) -> RegisteredApp:
    """Register an app with its own key; ids come from the world, so runs are repeatable.

    Raises `RegistrationRefused` for permissions and events that GitHub refuses. Addresses may be
    on this machine: there is no other in a test. The page for manifests is stricter.
    """
    wrong = [*manifest.of_permissions(permissions), *manifest.of_events(events, permissions)]
    if wrong:
        raise RegistrationRefused("; ".join(wrong))
    number, slug = world.next_id("app"), _slug(name)
    bot = world.account(f"{slug}[bot]", "Bot")
    keys = keys_of(number)
    app = HubApp(
        id=number,
        slug=slug,
        name=name,
        owner=owner,
        bot=bot,
        client_id=f"Iv23sandbox{number:09d}",
        client_secret=_secret("client", number),
        webhook_secret=webhook_secret or _secret("webhook", number),
        webhook_url=webhook_url,
        hook_id=world.next_id("hook"),
        permissions={**permissions, "metadata": "read"},
        events=list(events),
        created_at=world.now(),
        public_keys=[keys.public],
        external_url=external_url,
        callback_urls=list(callback_urls),
    )
    world.apps[number] = app
    return RegisteredApp(app, keys.private)


def _slug(name: str) -> str:
    return _NOT_IN_SLUGS.sub("-", name.lower()).strip("-")


def _secret(purpose: str, number: int) -> str:
    """Return a secret that is the same in every run; nothing here needs protection."""
    return hashlib.sha256(f"sandbox {purpose} {number}".encode()).hexdigest()
