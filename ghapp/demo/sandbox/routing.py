"""Declares routes, finds the route of a request, and answers lists page by page."""

import re
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import unquote

from ghapp.demo.sandbox.call import Handler, HubAnswer, HubCall, HubRoute
from ghapp.demo.sandbox.limits import PAGE
from ghapp.demo.sandbox.state import Json

DOCUMENTATION = "https://docs.example.test/rest"
PAGING = frozenset({"per_page", "page"})
SLASHED = frozenset({"path", "ref", "basehead"})
"""Parameters whose value may hold slashes."""

# /repos/{owner}/{repo}
_PLACE = re.compile(r"\{\w+\}")
# /repos/\{owner\}/\{repo\}: `re.escape` put a backslash before each brace.
_ESCAPED_PLACE = re.compile(r"\\\{(\w+)\\\}")

Item = TypeVar("Item")


class RouteTable:
    """The routes of one resource; calling the table returns a decorator that adds one."""

    def __init__(self) -> None:
        self.all: list[HubRoute] = []

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
        """Declare a route; ``members`` and ``query`` are the names that it accepts, by spaces."""
        asked = frozenset(query.split()) | (PAGING if paged else frozenset())

        def register(handler: Handler) -> Handler:
            self.all.append(
                HubRoute(
                    method, template, handler, needs, sender, frozenset(members.split()), asked
                )
            )
            return handler

        return register


class Router:
    """Finds the route of a method and path; a path names a repository or gives its id."""

    def __init__(self, routes: list[HubRoute]) -> None:
        self._patterns: list[tuple[re.Pattern[str], HubRoute]] = []
        for route in routes:
            self._patterns.append((_pattern(route.template), route))
            if route.template.startswith("/repos/{owner}/{repo}"):
                rest = route.template.removeprefix("/repos/{owner}/{repo}")
                self._patterns.append((_pattern("/repositories/{repository_id}" + rest), route))
        # Longer templates first: ``commits/{ref}`` also matches ``commits/abc/check-runs``.
        self._patterns.sort(key=lambda pair: -len(_PLACE.sub("", pair[1].template)))

    def find(self, method: str, path: str) -> tuple[HubRoute, dict[str, str]] | None:
        """Return the route and its decoded parameters; ``None``: there is no such route."""
        for pattern, route in self._patterns:
            found = pattern.fullmatch(path)
            if found and route.method == method:
                return route, {name: unquote(value) for name, value in found.groupdict().items()}
        return None


def _pattern(template: str) -> re.Pattern[str]:
    def group(found: re.Match[str]) -> str:
        name = found[1]
        return f"(?P<{name}>.+)" if name in SLASHED else f"(?P<{name}>[^/]+)"

    return re.compile(_ESCAPED_PLACE.sub(group, re.escape(template)))


def paged(call: HubCall, items: Sequence[Item]) -> tuple[list[Item], dict[str, str]]:
    """Return one page of the items and its ``Link`` header.

    https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
    """
    size = _positive(call, "per_page", 30)
    if size > PAGE:
        call.world.violate(call.where, f"per_page={size} is above {PAGE}")
    size, number = min(size, PAGE), _positive(call, "page", 1)
    last = max(1, -(-len(items) // size))
    return list(items[(number - 1) * size : number * size]), _link(call, number, last)


def listed(
    call: HubCall, items: Sequence[Item], shape: Callable[[Item], Json], name: str | None = None
) -> HubAnswer:
    """Answer with one page of a list; with ``name``, in an object with the total count."""
    page, link = paged(call, items)
    shown = [shape(item) for item in page]
    body = shown if name is None else {"total_count": len(items), name: shown}
    return HubAnswer(body, headers=link)


def _positive(call: HubCall, name: str, default: int) -> int:
    value = call.query.get(name, "")
    return int(value) if value.isdigit() and int(value) > 0 else default


def _link(call: HubCall, number: int, last: int) -> dict[str, str]:
    targets = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
    if number <= 1:
        del targets["prev"], targets["first"]
    if number >= last:
        del targets["next"], targets["last"]
    if not targets:
        return {}
    links = [f'<{_address(call, page)}>; rel="{rel}"' for rel, page in targets.items()]
    return {"Link": ", ".join(links)}


def _address(call: HubCall, page: int) -> str:
    """Return a page's address; here GitHub uses the repository's id."""
    path = call.path
    if call.repository and path.startswith("/repos/"):
        path = f"/repositories/{call.repository.id}/" + path.split("/", 4)[4]
    others = [f"{name}={value}" for name, value in call.query.items() if name != "page"]
    return f"{call.world.links.api}{path}?" + "&".join([*others, f"page={page}"])
