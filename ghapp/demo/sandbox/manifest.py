"""What GitHub refuses when an app is registered: names, permissions, events, addresses.

``permissions.json`` is cut from GitHub's own description (tests/openapi/renew.py). The sentences
are GitHub's, as people who met them reported them:
https://github.com/derive-to/derive/pull/269, https://github.com/tuist/tuist/pull/10709,
https://github.com/alp82/curia/pull/933,
https://github.com/github-community-projects/private-mirrors/issues/387
"""

import json
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from ghapp.demo.sandbox.limits import APP_NAME_CHARACTERS, CALLBACK_URLS
from ghapp.demo.sandbox.state import Json

MEMBERS = frozenset(
    {
        *("name", "url", "description", "public", "hook_attributes", "redirect_url", "setup_url"),
        *("callback_urls", "default_events", "default_permissions", "request_oauth_on_install"),
        "setup_on_update",
    }
)
"""https://docs.github.com/en/apps/sharing-github-apps/registering-a-github-app-from-a-manifest"""


EMAILS = "emails"
"""What apps ask for to read people's e-mail addresses. GitHub's own description calls it
``email_addresses``, and GitHub refuses a manifest that does:
https://github.com/agentconnect-md/agentconnect/pull/710"""
OF_PEOPLE = frozenset({EMAILS})
"""Permissions that each person grants at the sign-in, and no installation has."""


@cache
def description() -> dict[str, dict[str, list[str]]]:
    """Return ``permissions``, each with its levels, and ``events``, each with what it needs."""
    text = Path(__file__).with_name("permissions.json").read_text("utf-8")
    found: dict[str, dict[str, list[str]]] = json.loads(text)
    found["permissions"][EMAILS] = found["permissions"].pop("email_addresses")
    return found


def problems(manifest: Json, names: Collection[str] = ()) -> list[str]:
    """Return why GitHub refuses a manifest; ``names`` are those of the apps that there are."""
    permissions = manifest.get("default_permissions") or {}
    return [
        *_of_name(manifest.get("name"), names),
        *_of_addresses(manifest),
        *of_permissions(permissions),
        *of_events(manifest.get("default_events") or (), permissions),
    ]


def of_permissions(asked: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with an app's permissions: their names, and the level of each."""
    known = description()["permissions"]
    unknown = sorted(set(asked) - set(known))
    if unknown:
        yield f"Default permission records resource is not included in the list: {_list(unknown)}"
    for name, level in asked.items():
        if name in known and level not in known[name]:
            yield f"Default permission records {name} cannot be {level!r}: {_list(known[name])}"


def of_events(events: Collection[str], permissions: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with an app's events.

    Each needs one of the permissions that GitHub names; its least level is enough.
    """
    known = description()["events"]
    held = {*permissions, "metadata"}
    unsupported = [one for one in events if not known.get(one)]
    if unsupported:
        yield f"Default events unsupported: {_list(unsupported)}"
    uncovered = [one for one in events if not held & set(known.get(one, ()))]
    if uncovered:
        yield f"Default events are not supported by permissions: {_list(uncovered)}"


def supports(permissions: Mapping[str, str], event: str) -> bool:
    """Return whether these permissions let an app hear an event."""
    return not list(of_events([event], permissions))


def _of_name(name: object, names: Collection[str]) -> Iterator[str]:
    if not isinstance(name, str) or not name.strip():
        yield "Name can't be blank"
    elif len(name) > APP_NAME_CHARACTERS:
        yield f"Name is too long (maximum is {APP_NAME_CHARACTERS} characters)"
    elif name.lower() in {one.lower() for one in names}:
        yield "Name is already in use"


def _of_addresses(manifest: Json) -> Iterator[str]:
    hook = manifest.get("hook_attributes")
    if not manifest.get("url") or (hook is not None and not hook.get("url")):
        yield '"url" wasn\'t supplied.'
    callbacks = manifest.get("callback_urls") or []
    if len(callbacks) > CALLBACK_URLS:
        yield f"Callback URLs: no more than {CALLBACK_URLS} are allowed"
    named = {"url": manifest.get("url"), "redirect_url": manifest.get("redirect_url")}
    named |= {"setup_url": manifest.get("setup_url"), "hook url": (hook or {}).get("url")}
    named |= {f"callback_urls[{number}]": one for number, one in enumerate(callbacks)}
    for name, address in named.items():
        if address and not _is_address(address):
            yield f"{name} must be a valid URL"
    if hook and _is_address(hook.get("url")) and is_local(hook["url"]):
        host = urlsplit(hook["url"]).hostname
        yield (
            "Hook url is not supported because it isn't reachable over the public Internet "
            f"({host})"
        )


def _is_address(text: object) -> bool:
    try:
        parts = urlsplit(text) if isinstance(text, str) else None
    except ValueError:
        return False
    return parts is not None and parts.scheme in {"http", "https"} and bool(parts.hostname)


def is_local(address: str) -> bool:
    """Return whether an address is the machine's own: no other machine reaches it."""
    host = (urlsplit(address).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        found = ip_address(host)
    except ValueError:
        return False
    return found.is_loopback or found.is_unspecified


def _list(names: Collection[str]) -> str:
    return ", ".join(names)
