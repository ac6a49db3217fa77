"""What a route is: its template, who may call it, what it may be sent; and how one is found."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

from werkzeug.datastructures import Headers

from ghapp.sandbox.limits import PAGE
from ghapp.sandbox.state import Account, Announcement, App, Delivery, Json, Repository, Token, World

if TYPE_CHECKING:
    from ghapp.sandbox.tokens import Guard

DOCUMENTATION = "https://docs.example.test/rest"
PAGING = frozenset({"per_page", "page"})
SLASHED = frozenset({"path", "ref", "basehead"})
"""Parameters whose value may hold slashes."""


class Refused(Exception):  # noqa: N818 - it is an answer, not a mishap
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
class Answer:
    """What is sent back. ``body`` is JSON, raw bytes, or ``None`` for nothing."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = "application/json; charset=utf-8"


@dataclass
class Call:
    """One request on a known route, after its sender is known."""

    world: World
    route: "Route"
    path: str
    params: dict[str, str]
    query: dict[str, str]
    headers: Headers
    body: bytes
    guard: "Guard"
    app: App | None = None
    token: Token | None = None
    user: Account | None = None
    user_app: App | None = None
    """The app that the person's token was made for; ``None``: made by hand."""
    repository: Repository | None = None
    as_of: datetime | None = None
    """What happened after it is not known to the replica that answers; ``None``: all is."""
    rate: dict[str, int] = field(default_factory=dict)
    """The caller's limit, remaining, used and reset."""
    announcements: list[Announcement] = field(default_factory=list)
    """Webhooks that this request causes."""
    redeliveries: list[Delivery] = field(default_factory=list)
    """Deliveries that this request wants sent again."""
    _json: Json | None = None

    @property
    def where(self) -> str:
        """Return the route in words, for violations."""
        return f"{self.route.method} {self.route.template}"

    @property
    def repo(self) -> Repository:
        """Return the repository of a repository route."""
        if self.repository is None:
            raise Refused(404, "Not Found")
        return self.repository

    @property
    def acting_app(self) -> App:
        """Return the app that calls, by its JWT or by an installation's token."""
        app = self.token.installation.app if self.token else self.app
        if app is None:
            raise Refused(403, "You must authenticate as an app")
        return app

    @property
    def actor(self) -> Account:
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
            raise Refused(404, "Not Found")
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
            raise Refused(400, "Problems parsing JSON") from broken
        if not isinstance(found, dict):
            raise Refused(422, "Invalid request.\n\nFor 'links/0/schema', not an object.")
        return found

    def api_version(self) -> str:
        """Return the version of the API that the caller asked for."""
        return self.headers.get("X-GitHub-Api-Version", "2022-11-28")

    def accepts(self, word: str) -> bool:
        """Say whether the caller asked for a media type such as ``raw`` or ``diff``."""
        accept = self.headers.get("Accept", "")
        return bool(re.search(rf"application/vnd\.github\.(v3\.)?{word}(\+json)?\b", accept))


Item = TypeVar("Item")
Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
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


class Routes:
    """The routes of one resource, filled by its decorator."""

    def __init__(self) -> None:
        self.all: list[Route] = []

    def __call__(  # noqa: PLR0913 - a route has these parts
        self,
        method: str,
        template: str,
        *needs: str,
        sender: str = "installation",
        members: str = "",
        query: str = "",
        paged: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Declare a route; ``members`` and ``query`` list in words what it may be sent."""
        asked = frozenset(query.split()) | (PAGING if paged else frozenset())

        def register(handler: Handler) -> Handler:
            self.all.append(
                Route(method, template, handler, needs, sender, frozenset(members.split()), asked)
            )
            return handler

        return register


class Router:
    """Finds the route of a method and path; repositories go by name and by number."""

    def __init__(self, routes: list[Route]) -> None:
        self._patterns: list[tuple[re.Pattern[str], Route]] = []
        for route in routes:
            self._patterns.append((_pattern(route.template), route))
            if route.template.startswith("/repos/{owner}/{repo}"):
                rest = route.template.removeprefix("/repos/{owner}/{repo}")
                self._patterns.append((_pattern("/repositories/{repository_id}" + rest), route))
        # More words first: ``commits/{ref}`` would swallow ``commits/{ref}/check-runs``.
        self._patterns.sort(key=lambda pair: -len(re.sub(r"\{\w+\}", "", pair[1].template)))

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Return the route and its parameters, decoded; ``None``: there is no such route."""
        for pattern, route in self._patterns:
            found = pattern.fullmatch(path)
            if found and route.method == method:
                return route, {name: unquote(value) for name, value in found.groupdict().items()}
        return None


def _pattern(template: str) -> re.Pattern[str]:
    def group(found: re.Match[str]) -> str:
        name = found[1]
        return f"(?P<{name}>.+)" if name in SLASHED else f"(?P<{name}>[^/]+)"

    # A slashed parameter in mid-path is greedy only up to what follows it.
    return re.compile(re.sub(r"\\\{(\w+)\\\}", group, re.escape(template)))


def paged(call: Call, items: Sequence[Item]) -> tuple[list[Item], dict[str, str]]:
    """Return one page of the items and the Link header that leads on."""
    size = _positive(call, "per_page", 30)
    if size > PAGE:
        call.world.violate(call.where, f"per_page={size} is above {PAGE}")
    size, number = min(size, PAGE), _positive(call, "page", 1)
    last = max(1, -(-len(items) // size))
    return list(items[(number - 1) * size : number * size]), _link(call, number, last)


def _positive(call: Call, name: str, default: int) -> int:
    value = call.query.get(name, "")
    return int(value) if value.isdigit() and int(value) > 0 else default


def _link(call: Call, number: int, last: int) -> dict[str, str]:
    targets = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
    if number <= 1:
        del targets["prev"], targets["first"]
    if number >= last:
        del targets["next"], targets["last"]
    if not targets:
        return {}
    links = [f'<{_address(call, page)}>; rel="{rel}"' for rel, page in targets.items()]
    return {"Link": ", ".join(links)}


def _address(call: Call, page: int) -> str:
    """Return a page's address; GitHub writes repositories by number here."""
    path = call.path
    if call.repository and path.startswith("/repos/"):
        path = f"/repositories/{call.repository.id}/" + path.split("/", 4)[4]
    others = [f"{name}={value}" for name, value in call.query.items() if name != "page"]
    return f"{call.world.links.api}{path}?" + "&".join([*others, f"page={page}"])
