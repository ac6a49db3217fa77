"""One request on its way through the stand-in: the route, who sends it, and how it ends.

It finds no route and decides nothing about tokens.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from werkzeug.datastructures import Headers

from ghapp.demo.sandbox.state import (
    Announcement,
    HubAccount,
    HubApp,
    HubDelivery,
    HubInstallation,
    HubRepository,
    HubToken,
    Json,
    World,
)


class ErrorAnswer(Exception):  # noqa: N818 - it is an answer, not a mishap
    """The request is answered with an error; raised by any handler."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: list[Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = dict(headers or {})


@dataclass(frozen=True)
class HubAnswer:
    """What is sent back. ``body`` is JSON, raw bytes, or ``None`` for nothing."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json; charset=utf-8"


class TokenOffice(Protocol):
    """What a route may ask about installation tokens; `tokens.Guard` answers."""

    def issue(self, installation: HubInstallation, wanted: Json) -> HubToken:
        """Make a token, narrowed to the permissions and repositories that are wanted."""

    def reaches(self, token: HubToken, repository: HubRepository) -> bool:
        """Say whether the token's installation and scope hold the repository."""


@dataclass
class HubCall:
    """One request on a known route, after its sender is known."""

    world: World
    route: "HubRoute"
    path: str
    params: dict[str, str]
    query: dict[str, str]
    headers: Headers
    body: bytes
    tokens: TokenOffice
    app: HubApp | None = None
    token: HubToken | None = None
    user: HubAccount | None = None
    user_app: HubApp | None = None
    """The app that the person's token was made for; ``None``: made by hand."""
    repository: HubRepository | None = None
    as_of: datetime | None = None
    """What happened after it is not known to the replica that answers; ``None``: all is."""
    rate: dict[str, int] = field(default_factory=dict)
    """The caller's limit, remaining, used and reset."""
    announcements: list[Announcement] = field(default_factory=list)
    """Webhooks that this request causes."""
    redeliveries: list[HubDelivery] = field(default_factory=list)
    """Deliveries that this request wants sent again."""
    _json: Json | None = None

    @property
    def where(self) -> str:
        """Return the route in words, for violations."""
        return f"{self.route.method} {self.route.template}"

    @property
    def repo(self) -> HubRepository:
        """Return the repository of a repository route."""
        if self.repository is None:
            raise ErrorAnswer(404, "Not Found")
        return self.repository

    @property
    def acting_app(self) -> HubApp:
        """Return the app that calls, by its JWT or by an installation's token."""
        app = self.token.installation.app if self.token else self.app
        if app is None:
            raise ErrorAnswer(403, "You must authenticate as an app")
        return app

    @property
    def actor(self) -> HubAccount:
        """Return the account that what is written will bear."""
        return self.user or self.acting_app.bot

    def hides(self, at: datetime | None) -> bool:
        """Say whether what happened then is too young for the replica that answers."""
        return self.as_of is not None and at is not None and at > self.as_of

    def announce(self, event: str, members: dict[str, Any]) -> None:
        """Have an event sent once the request is answered; members hold nouns, not JSON."""
        self.announcements.append(Announcement(event, members, self.repo, self.actor))

    def number(self, name: str) -> int:
        """Return a parameter of the path that must be a number; 404 otherwise."""
        value = self.params[name]
        if not value.isdigit():
            raise ErrorAnswer(404, "Not Found")
        return int(value)

    def json(self) -> Json:
        """Return the body as an object; what the route does not know is a violation."""
        if self._json is None:
            self._json = self._parsed()
            for name in sorted(set(self._json) - self.route.members):
                self.world.violate(self.where, f"unknown member {name!r} in the request body")
        return self._json

    def _parsed(self) -> Json:
        if not self.body:
            return {}
        try:
            found = json.loads(self.body)
        except ValueError as broken:
            raise ErrorAnswer(400, "Problems parsing JSON") from broken
        if not isinstance(found, dict):
            raise ErrorAnswer(422, "Invalid request.\n\nFor 'links/0/schema', not an object.")
        return found

    def api_version(self) -> str:
        """Return the version of the API that the caller asked for."""
        return self.headers.get("X-GitHub-Api-Version", "2022-11-28")

    def accepts(self, word: str) -> bool:
        """Say whether the caller asked for a media type such as ``raw`` or ``diff``."""
        accept = self.headers.get("Accept", "")
        return bool(re.search(rf"application/vnd\.github\.(v3\.)?{word}(\+json)?\b", accept))


Handler = Callable[[HubCall], HubAnswer]


@dataclass(frozen=True)
class HubRoute:
    """One operation of the API.

    ``needs`` are alternatives such as ``pull_requests:write``; one of them suffices.
    ``sender`` is ``app`` (JWT), ``installation`` (its token), ``user``, or ``anyone``.
    """

    method: str
    template: str
    handler: Handler
    needs: tuple[str, ...]
    sender: str
    members: frozenset[str]
    query: frozenset[str]

    @property
    def accepted_permissions(self) -> str:
        """Return the header that names what would be accepted."""
        return "; ".join(need.replace(":", "=") for need in self.needs)
