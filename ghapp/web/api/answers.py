"""How the API answers: JSON with an entity tag, and where a list goes on. It asks nothing."""

from collections.abc import Iterable
from typing import TypeVar
from urllib.parse import urlencode

import msgspec
from flask import Response, request

from ghapp.attribution.model import Struct

JSON = "application/json"

Item = TypeVar("Item")


class ListPage(Struct, frozen=True):
    """Part of a list, in which order and place do not change by what is added meanwhile."""

    items: tuple[object, ...]
    after: str | None = None
    """Where the next page begins; ``None``: this was the last one."""


def answer(value: object) -> Response:
    """Return a value as JSON; 304 where the caller has it already."""
    return tagged(msgspec.json.encode(value))


def listed(page: ListPage) -> Response:
    """Return a page of a list; the ``Link`` header leads to the next one (RFC 8288)."""
    response = answer(page.items)
    if page.after is not None:
        query = [(name, value) for name, value in request.args.items() if name != "after"]
        address = f"{request.base_url}?{urlencode([*query, ('after', page.after)])}"
        response.headers["Link"] = f'<{address}>; rel="next"'
    return response


def tagged(body: bytes, tag: str | None = None) -> Response:
    """Return bytes of JSON with an entity tag; ``tag`` ``None``: it is made of the bytes."""
    response = Response(body, content_type=JSON)
    if tag is None:
        response.add_etag()
    else:
        response.set_etag(tag)
    # Whoever reads with another token asks again: a yes for one is none for another.
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization, Cookie"
    response.make_conditional(request)
    return response


def cut(items: Iterable[tuple[str, Item]], after: str | None, limit: int) -> ListPage:
    """Return the page of ``limit`` items that follow the one whose key is ``after``.

    ``items`` are keys with their items, in an order in which a key's place never changes.
    """
    rest = list(items)
    if after is not None:
        keys = [key for key, _ in rest]
        rest = rest[keys.index(after) + 1 :] if after in keys else []
    shown = rest[:limit]
    more = len(rest) > limit
    return ListPage(items=tuple(item for _, item in shown), after=shown[-1][0] if more else None)
