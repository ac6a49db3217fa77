"""Parts of the stand-in without a server, for tests of one part."""

from pathlib import Path

from werkzeug.datastructures import Headers

from ghapp.demo.sandbox.call import HubAnswer, HubCall, HubRoute
from ghapp.demo.sandbox.dispatch import HubDispatcher, WireAnswer, WireRequest
from ghapp.demo.sandbox.faults import FaultPlan
from ghapp.demo.sandbox.limits import HubLimits
from ghapp.demo.sandbox.state import HubLinks, World
from ghapp.demo.sandbox.tokens import TokenGuard
from tests.demo.sandbox.hub import Clock

NOWHERE = Path("/nowhere")
"""These parts keep no repositories."""


def new_world(limits: HubLimits | None = None) -> World:
    """Return an empty world; its clock is a `Clock`."""
    links = HubLinks(web="http://127.0.0.1:1", api_prefix="/api/v3")
    return World(NOWHERE, Clock(), limits or HubLimits(), links)


def route(method: str = "GET", template: str = "/things", members: str = "") -> HubRoute:
    """Return a route that answers with nothing."""
    names = frozenset(members.split())
    return HubRoute(method, template, lambda _: HubAnswer(), (), "anyone", names, frozenset())


def call(
    world: World,
    *,
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    of: HubRoute | None = None,
    path: str = "/things",
) -> HubCall:
    """Return a request as a route gets it."""
    return HubCall(
        world=world,
        route=of or route(),
        path=path,
        params={},
        query=query or {},
        headers=Headers(headers or {}),
        body=body,
        tokens=TokenGuard(world, classic=True),
    )


class Door:
    """The API without HTTP: requests go in, answers come out."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.plan = FaultPlan()
        self.dispatcher = HubDispatcher(world, TokenGuard(world, classic=True), self.plan)

    def ask(
        self, method: str, path: str, *, query: str = "", body: bytes = b"", **headers: str
    ) -> WireAnswer:
        """Ask; names of headers have underscores for hyphens."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        named = Headers({"User-Agent": "test", **given})
        return self.dispatcher.answer(WireRequest(method, path, query, named, body))
