"""One request inside the stand-in: its route, its sender and its answer.

It neither finds routes nor checks tokens.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from werkzeug.datastructures import Headers

from ghapp.demo.sandbox.shapes import JsonShapes
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

Value = TypeVar("Value")

# application/vnd.github.v3.diff, application/vnd.github.raw+json
_ACCEPTED = re.compile(r"application/vnd\.github\.(?:v3\.)?(\w+)")


class ErrorAnswer(Exception):  # noqa: N818 - an answer, not a failure
    """An answer with an error; any handler may raise it."""

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
    """An answer. ``body`` is JSON, raw bytes, or ``None`` for no body."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json; charset=utf-8"


def existing(value: Value | None) -> Value:
    """Return the value that a lookup found; answer with 404 if it found none."""
    if value is None:
        raise ErrorAnswer(404, "Not Found")
    return value


class TokenOffice(Protocol):
    """What a route may ask about installation tokens; `TokenGuard` answers."""

    def issue(self, installation: HubInstallation, wanted: Json) -> HubToken:
        """Create a token, narrowed to the requested permissions and repositories."""

    def reaches(self, token: HubToken, repository: HubRepository) -> bool:
        """Return whether the token's installation and scope include the repository."""


@dataclass
class HubCall:
    """One request on a known route."""

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
    """The app that got the person's token; ``None``: a test created the token."""
    repository: HubRepository | None = None
    as_of: datetime | None = None
    """The answering replica knows nothing later than this; ``None``: it knows everything."""
    rate: dict[str, int] = field(default_factory=dict)
    """The caller's limit, remaining, used and reset."""
    announcements: list[Announcement] = field(default_factory=list)
    """Webhooks that this request causes."""
    redeliveries: list[HubDelivery] = field(default_factory=list)
    """Deliveries that this request asks to send again."""
    _json: Json | None = None

    @property
    def shapes(self) -> JsonShapes:
        """Return the builder of GitHub's JSON."""
        return JsonShapes(self.world)

    @property
    def where(self) -> str:
        """Return the method and template of the route, for violations."""
        return f"{self.route.method} {self.route.template}"

    @property
    def repo(self) -> HubRepository:
        """Return the repository of a repository route."""
        return existing(self.repository)

    @property
    def acting_app(self) -> HubApp:
        """Return the calling app, known by its JWT or its installation token."""
        app = self.token.installation.app if self.token else self.app
        if app is None:
            raise ErrorAnswer(403, "You must authenticate as an app")
        return app

    @property
    def actor(self) -> HubAccount:
        """Return the account that GitHub shows as the author of what this request writes."""
        return self.user or self.acting_app.bot

    def hides(self, at: datetime | None) -> bool:
        """Return whether the answering replica does not know yet what happened at ``at``."""
        return self.as_of is not None and at is not None and at > self.as_of

    def announce(self, event: str, members: dict[str, Any]) -> None:
        """Queue an event until the request is answered; ``members`` hold nouns, not JSON."""
        self.announcements.append(Announcement(event, members, self.repo, self.actor))

    def number(self, name: str) -> int:
        """Return a numeric parameter of the path; 404 if it is no number."""
        value = self.params[name]
        if not value.isdigit():
            raise ErrorAnswer(404, "Not Found")
        return int(value)

    def json(self) -> Json:
        """Return the body as an object; members that the route does not know are violations."""
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
        """Return the API version that the caller requests."""
        return self.headers.get("X-GitHub-Api-Version", "2022-11-28")

    def accepts(self, word: str) -> bool:
        """Return whether the caller requests a media type such as ``raw`` or ``diff``."""
        accept = self.headers.get("Accept", "")
        return word in _ACCEPTED.findall(accept)


Handler = Callable[[HubCall], HubAnswer]


@dataclass(frozen=True)
class HubRoute:
    """One operation of the API.

    ``needs`` lists permissions such as ``pull_requests:write``; one of them is enough.
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
        """Return the value of ``X-Accepted-GitHub-Permissions``."""
        return "; ".join(need.replace(":", "=") for need in self.needs)
