"""Validates recorded exchanges and webhooks against GitHub's own descriptions."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jsonschema_rs

from ghapp.demo.sandbox import Exchange, HubDelivery

HERE = Path(__file__).parent


@dataclass(frozen=True)
class FalseAlarm:
    """A finding that is the description's mistake; both patterns are searched for."""

    where: str
    problem: str
    reason: str


FALSE_ALARMS = (
    FalseAlarm(
        r"GET /app/installations$",
        r"not valid under any of the schemas .* at /\d+/account$",
        "in this list alone, the description wants an account to be a user and an enterprise",
    ),
    FalseAlarm(
        r"POST .*/issues/\{issue_number\}/labels",
        r"\[.*\] is not valid under any|is not of type \"object\"",
        "GitHub takes a bare array of names too, which the description only tells in prose",
    ),
    FalseAlarm(
        r"GET .*/pulls(/\{pull_number\}/files)?$|GET .*/(commits/\{ref\}|compare/\{basehead\})$",
        r"null is not of type \"string\" at /(files/)?\d+/(blob_url|raw_url)",
        "submodules have neither a blob nor a raw address, though the description wants both",
    ),
    FalseAlarm(
        r"GET .*/pulls(/\{pull_number\})?$|GET .*/commits/\{commit_sha\}/pulls$",
        r"null is not of type \"object\" at (/\d+)?/head/repo",
        "the head repository is null once a fork was deleted; webhooks' description says so",
    ),
    FalseAlarm(
        r"GET .*/pulls(/\{pull_number\})?$|GET .*/commits/\{commit_sha\}/pulls$",
        r"null is not of type \"string\" at (/\d+)?/labels/\d+/description",
        "a label without description has null, as the label's own description says",
    ),
)
UNDESCRIBED = {301, 304, 307, 400, 401, 403, 404, 406, 422, 429, 500, 502, 503}
"""Statuses of any operation, described or not."""
ERROR_MEMBERS = {"message", "documentation_url", "status", "errors", "url"}


# --- the descriptions -------------------------------------------------------------------------


@cache
def _api() -> dict[str, Any]:
    loaded = json.loads((HERE / "api.json").read_text(encoding="utf-8"))
    converted: dict[str, Any] = _nullable_as_type(loaded)
    return converted


@cache
def _webhooks() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((HERE / "webhooks.json").read_text(encoding="utf-8"))
    return loaded


def _nullable_as_type(value: Any) -> Any:
    """Turn ``nullable`` of OpenAPI 3.0 into JSON Schema, enums included."""
    if isinstance(value, list):
        return [_nullable_as_type(item) for item in value]
    if not isinstance(value, dict):
        return value
    plain = {name: _nullable_as_type(item) for name, item in value.items() if name != "nullable"}
    if value.get("nullable") is not True:
        return plain
    if "enum" in plain:
        plain["enum"] = [*plain["enum"], None]
    if isinstance(plain.get("type"), str):
        return {**plain, "type": [plain["type"], "null"]}
    return {"anyOf": [plain, {"type": "null"}]}


@cache
def _validator(description: str, pointer: str) -> jsonschema_rs.Draft202012Validator:
    """Return the validator of the schema at a pointer such as ``/components/schemas/label``."""
    whole = {"api": _api, "webhooks": _webhooks}[description]()
    schema: Any = whole
    for step in pointer.split("\n"):
        schema = schema[step]
    document = {"allOf": [schema], "components": whole["components"]}
    return jsonschema_rs.Draft202012Validator(document, validate_formats=True)


def _broken(validator: jsonschema_rs.Draft202012Validator, value: Any) -> list[str]:
    found = []
    for error in validator.iter_errors(value):
        spot = "".join(f"/{step}" for step in error.instance_path)
        found.append(f"{error.message[-300:]} at {spot}")
    return found


def _resolved(member: dict[str, Any]) -> dict[str, Any]:
    """Resolve a reference; return anything else as it is."""
    if "$ref" not in member:
        return member
    found: Any = _api()
    for step in member["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


# --- exchanges --------------------------------------------------------------------------------


def exchange_problems(exchange: Exchange) -> list[str]:
    """Return what is wrong with a request and its answer."""
    if exchange.template is None:
        return [f"{exchange.method} {exchange.path}: no such route"]
    if ".git/" in exchange.template:
        return []
    operation = _api()["paths"].get(exchange.template, {}).get(exchange.method.lower())
    where = f"{exchange.method} {exchange.template}"
    if operation is None:
        return [f"{where}: GitHub describes no such operation"]
    refused = 400 <= exchange.status < 500
    asked = [] if refused else [*_query_problems(exchange, operation), *_sent_problems(exchange)]
    return _kept(where, [*asked, *_answer_problems(exchange, operation)])


def _kept(where: str, problems: Iterable[str]) -> list[str]:
    return [f"{where}: {one}" for one in problems if not _false_alarm(where, one)]


def _false_alarm(where: str, problem: str) -> bool:
    return any(re.search(a.where, where) and re.search(a.problem, problem) for a in FALSE_ALARMS)


def _query_problems(exchange: Exchange, operation: dict[str, Any]) -> list[str]:
    known = {
        found["name"]: found["schema"]
        for found in map(_resolved, operation.get("parameters", []))
        if found["in"] == "query"
    }
    problems = []
    for name, value in parse_qsl(exchange.query, keep_blank_values=True):
        if name not in known:
            problems.append(f"unknown query parameter {name}={value}")
        elif not _fits(known[name], value):
            problems.append(f"query parameter {name}={value} is not {known[name]}")
    return problems


def _fits(schema: dict[str, Any], value: str) -> bool:
    wanted: Any = int(value) if schema.get("type") == "integer" and value.isdigit() else value
    return jsonschema_rs.is_valid(schema, wanted)


def _sent_problems(exchange: Exchange) -> list[str]:
    steps = ["paths", exchange.template or "", exchange.method.lower(), "requestBody", "content",
             "application/json", "schema"]  # fmt: skip
    if not exchange.request_body:
        return []
    sent = json.loads(exchange.request_body)
    try:
        validator = _validator("api", "\n".join(steps))
    except KeyError:
        return ["a body was sent where none is described"] if sent else []
    return [*_broken(validator, sent), *_unknown_members(steps, sent)]


def _unknown_members(steps: list[str], sent: Any) -> list[str]:
    """Return members that the schema lacks, because descriptions allow any member."""
    schema: Any = _api()
    for step in steps:
        schema = schema[step]
    known = _members(schema)
    return [
        f"unknown member {name}" for name in sent if isinstance(sent, dict) and name not in known
    ]


def _members(schema: dict[str, Any]) -> set[str]:
    schema = _resolved(schema)
    found = set(schema.get("properties", {}))
    for word in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(word, []):
            found |= _members(part)
    return found


def _answer_problems(exchange: Exchange, operation: dict[str, Any]) -> list[str]:
    described = operation["responses"].get(str(exchange.status))
    if exchange.status >= 300 or exchange.status == 304:
        return _error_problems(exchange, described=described is not None)
    if described is None:
        return [f"status {exchange.status} is not described"]
    steps = ["paths", exchange.template or "", exchange.method.lower(), "responses",
             str(exchange.status)]  # fmt: skip
    kind = exchange.headers.get("Content-Type", "").split(";")[0]
    if kind != "application/json" or not exchange.body:
        return []
    # A response may be a reference itself; then its schema is found in the components.
    if "$ref" in described:
        steps = described["$ref"].removeprefix("#/").split("/")
    try:
        validator = _validator("api", "\n".join([*steps, "content", kind, "schema"]))
    except KeyError:
        return []
    return _broken(validator, json.loads(exchange.body))


def _error_problems(exchange: Exchange, *, described: bool) -> list[str]:
    if not described and exchange.status not in UNDESCRIBED:
        return [f"status {exchange.status} is not described"]
    if not exchange.body:
        return []
    body = json.loads(exchange.body)
    unknown = sorted(set(body) - ERROR_MEMBERS)
    return [f"an error has the members {unknown}"] if unknown or "message" not in body else []


# --- webhooks ---------------------------------------------------------------------------------


def payload_problems(event: str, payload: dict[str, Any]) -> list[str]:
    """Return what is wrong with a webhook's payload."""
    action = payload.get("action")
    name = f"{event}.{action}" if action else event
    described = re.sub(r"[._]", "-", name)
    if described not in _webhooks()["webhooks"]:
        return [f"{name}: GitHub describes no such webhook in the slim description"]
    validator = _validator("webhooks", f"webhooks\n{described}")
    return _kept(name, _broken(validator, payload))


def problems(exchanges: Iterable[Exchange], deliveries: Iterable[HubDelivery] = ()) -> list[str]:
    """Return everything that is wrong with exchanges and deliveries."""
    found = [problem for exchange in exchanges for problem in exchange_problems(exchange)]
    for delivery in deliveries:
        found += payload_problems(delivery.event, json.loads(delivery.body))
    return found
