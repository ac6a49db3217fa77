"""The API as an OpenAPI 3.1 document, read off the routes of the application.

It checks no request: the routes do.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from flask import Blueprint, Flask, Response, current_app

from ghapp import __version__, wire
from ghapp.attribution.model import Struct
from ghapp.web.api.answers import JSON, shown_schemas
from ghapp.web.api.operation import INGEST, READ, UPLOAD, ApiOperation, describe, operation_of

PATH = "/api/openapi.json"
COMPONENTS = "#/components/schemas/{name}"
RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds to wait before sending the request again.",
        "schema": {"type": "integer"},
    }
}
SECURITY = {
    UPLOAD: {
        "type": "http",
        "scheme": "bearer",
        "description": "Made by `ghapp collect enroll`: sends and removes its person's evidence.",
    },
    READ: {
        "type": "http",
        "scheme": "bearer",
        "description": "A read token: reads what its person may read, and changes nothing.",
    },
    INGEST: {
        "type": "http",
        "scheme": "bearer",
        "description": "An organization's ingest token: sends what its systems tell.",
    },
}

Number = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]

# /repositories/<owner>/<name>/pulls/<int(max=2147483647):number>
_PARAMETER = re.compile(r"<(?:(?P<converter>\w+)(?:\([^()<]*\))?:)?(?P<name>\w+)>")
_KEY = "ghapp.openapi"

openapi = Blueprint("openapi", __name__)


class ApiRoute(Struct, frozen=True):
    """A route of the application with its operation."""

    method: str
    """In lower case."""
    rule: str
    """As Flask writes it: ``/api/repositories/<owner>/<name>``."""
    operation: ApiOperation

    @property
    def path(self) -> str:
        """The rule with its parameters in braces."""
        return _PARAMETER.sub(r"{\g<name>}", self.rule)


@openapi.get(PATH)
@describe(
    ApiOperation(
        id="readDescription",
        about="Read this description.",
        answers={200: dict[str, Any]},
        refusals=(429,),
    )
)
def described() -> Response:
    """Answer with the description."""
    return Response(current_app.extensions[_KEY](), content_type=JSON)


def add_description(app: Flask, address: str | None) -> None:
    """Describe the application, whose routes are all registered by now, when it is asked to."""
    app.extensions[_KEY] = cache(lambda: msgspec.json.encode(description(app, address)))


def routes(app: Flask) -> Iterator[ApiRoute]:
    """Yield every route that carries an operation."""
    for rule in app.url_map.iter_rules():
        operation = operation_of(app.view_functions[rule.endpoint])
        if operation is not None:
            (method,) = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            yield ApiRoute(method=method.lower(), rule=rule.rule, operation=operation)


def description(app: Flask, address: str | None) -> dict[str, Any]:
    """Return the description; ``address`` is the app's public one, ``None``: not known."""
    found = list(routes(app))
    kinds = list(dict.fromkeys(_kinds(one.operation for one in found)))
    schemas, components = msgspec.json.schema_components(kinds, ref_template=COMPONENTS)
    by_kind = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, Any] = {}
    for one in found:
        paths.setdefault(one.path, {})[one.method] = _described(one, by_kind, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Attribution Auditor",
            "version": __version__,
            "description": "Evidence from developers' machines, and the audits made from it.",
        },
        "servers": [{"url": address or "/"}],
        "paths": paths,
        "components": {"schemas": shown_schemas(components), "securitySchemes": SECURITY},
    }


def _kinds(operations: Iterable[ApiOperation]) -> Iterable[Any]:
    yield wire.WireProblem
    for one in operations:
        spoken = (one.body, one.question, *one.answers.values())
        yield from (kind for kind in spoken if kind is not None)


def _described(
    route: ApiRoute, by_kind: dict[Any, dict[str, Any]], components: dict[str, Any]
) -> dict[str, Any]:
    one = route.operation
    answers = {str(status): _answer(one, status, by_kind) for status in one.answers}
    refusals = {str(status): _refusal(status, by_kind) for status in one.refusals}
    found: dict[str, Any] = {
        "operationId": one.id,
        "summary": one.about,
        "responses": answers | refusals,
    }
    parameters = [*_in_path(route.rule), *_in_query(one.question, components)]
    if parameters:
        found["parameters"] = parameters
    if one.body is not None:
        content = {JSON: {"schema": by_kind[one.body]}}
        found["requestBody"] = {"required": True, "content": content}
    if one.token is not None:
        found["security"] = [{one.token: []}]
    return found


def _in_path(rule: str) -> Iterator[dict[str, Any]]:
    for found in _PARAMETER.finditer(rule):
        schema = msgspec.json.schema(Number if found["converter"] == "int" else str)
        yield {"name": found["name"], "in": "path", "required": True, "schema": schema}


def _in_query(question: type[Struct] | None, components: dict[str, Any]) -> Iterator[Any]:
    properties = components[question.__name__]["properties"] if question else {}
    for name, schema in properties.items():
        plain = {key: value for key, value in schema.items() if key != "default"}
        yield {"name": name, "in": "query", "schema": plain}


def _answer(one: ApiOperation, status: int, by_kind: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    kind = one.answers[status]
    found: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if kind is not None:
        found["content"] = {one.media: {"schema": by_kind[kind]}}
    elif one.media != JSON:
        found["content"] = {one.media: {"schema": {"type": "string"}}}
    return found


def _refusal(status: int, by_kind: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content": {JSON: {"schema": by_kind[wire.WireProblem]}},
    }
    if status in {429, 503}:
        found["headers"] = RETRY_AFTER
    return found
