"""How the API answers: JSON with an entity tag, and lists in pages. It queries nothing."""

from collections.abc import Iterable
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
from flask import Response, abort, request

from ghapp.attribution.model import Struct
from ghapp.summaries.counts import OF_EVIDENCE, LineCounts, PullCounts

JSON = "application/json"

Item = TypeVar("Item")


class ListPage(Struct, frozen=True):
    """Part of a list whose order does not change when items are added."""

    items: tuple[object, ...]
    after: str | None = None
    """Where the next page begins; ``None``: this is the last page."""


def answer(value: object) -> Response:
    """Return a value as JSON, or 304 if the caller already has it."""
    return tagged(msgspec.json.encode(shown(value)))


def shown(value: object) -> object:
    """Return a value whose counts are as people read them, at any depth."""
    if isinstance(value, PullCounts | LineCounts):
        return value.shown()
    if isinstance(value, Struct):
        members = ((name, getattr(value, name)) for name in value.__struct_fields__)
        return {name: shown(one) for name, one in members if one is not msgspec.UNSET}
    if isinstance(value, tuple):
        return [shown(one) for one in value]
    return value


def shown_schemas(components: dict[str, Any]) -> dict[str, Any]:
    """Return JSON Schemas by name, in which counts may be null and have shares, as `shown`."""
    made = dict(components)
    for kind in (PullCounts, LineCounts):
        if kind.__name__ in made:
            made[kind.__name__] = _shown_schema(made[kind.__name__], kind)
    return made


def _shown_schema(schema: dict[str, Any], kind: type[PullCounts | LineCounts]) -> dict[str, Any]:
    unknown = OF_EVIDENCE if kind is PullCounts else ("attributed", "whole_attributed")
    null = {name: {"type": ["integer", "null"]} for name in unknown}
    shares = ("share", "pulls_share") if kind is PullCounts else ()
    more = {name: {"type": ["number", "null"]} for name in shares}
    return {**schema, "properties": {**schema["properties"], **null, **more}}


def listed(page: ListPage) -> Response:
    """Return a page of a list; its ``Link`` header names the next one.

    https://www.rfc-editor.org/rfc/rfc8288
    """
    response = answer(page.items)
    if page.after is not None:
        query = [(name, value) for name, value in request.args.items() if name != "after"]
        address = f"{request.base_url}?{urlencode([*query, ('after', page.after)])}"
        response.headers["Link"] = f'<{address}>; rel="next"'
    return response


def tagged(body: bytes, tag: str | None = None) -> Response:
    """Return JSON bytes with an entity tag; without ``tag``, compute it from the bytes."""
    response = Response(body, content_type=JSON)
    if tag is None:
        response.add_etag()
    else:
        response.set_etag(tag)
    # A cached answer for one token must never serve another: caches ask again each time.
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization, Cookie"
    response.make_conditional(request)
    return response


def cut(items: Iterable[tuple[str, Item]], after: str | None, limit: int) -> ListPage:
    """Return the ``limit`` items that follow the one whose key is ``after``.

    ``items`` are keys with their items, in an order in which a key never changes its place.
    Answers 400 if no item has the key.
    """
    rest = list(items)
    if after is not None:
        keys = [key for key, _ in rest]
        if after not in keys:
            abort(400, f"{after!r} is not a place in this list: begin again without it")
        rest = rest[keys.index(after) + 1 :]
    shown = rest[:limit]
    more = len(rest) > limit
    return ListPage(items=tuple(item for _, item in shown), after=shown[-1][0] if more else None)
