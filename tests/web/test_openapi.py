"""The description of the API and the application hold each other to their word."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import jsonschema_rs
import msgspec
import pytest
import schemathesis
from flask import Flask
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ghapp.store import NewToken, TokenKind, new_secret
from ghapp.web.app import BLUEPRINTS
from ghapp.web.openapi import PATH, description, routes
from tests.searching import FACTOR, searched
from tests.web.machine import Machine, machine_of
from tests.web.place import Place

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def _routes_alone() -> Flask:
    """Return an application with all routes and nothing behind them."""
    app = Flask(__name__)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return app


DESCRIBED = schemathesis.openapi.from_dict(description(_routes_alone(), None))


@pytest.fixture(scope="module")
def place(
    tmp_path_factory: pytest.TempPathFactory,
    at_night_on_each: dict[str, str],
    without_limits: None,
) -> Iterator[Place]:
    del without_limits
    made = Place(tmp_path_factory.mktemp("openapi"), **at_night_on_each)
    made.sandbox.allow(made.repositories["app"], "ann", "write")
    yield made
    made.close()


@pytest.fixture(scope="module")
def reading(place: Place) -> dict[str, str]:
    """Return what a program shows that reads as an owner of acme."""
    place.signed_in("admin")
    person = place.store.logins.named("admin")
    assert person is not None
    secret = new_secret(TokenKind.READ)
    new = NewToken(kind=TokenKind.READ, login="admin", user_id=person.id)
    place.store.tokens.issue(new, secret, now=place.clock())
    return {"Authorization": f"Bearer {secret}"}


@pytest.fixture(scope="module")
def machine(place: Place) -> Machine:
    return machine_of(place, "ann")


def test_every_route_below_api_is_described_and_nothing_else(place: Place) -> None:
    served = {
        (method.lower(), rule.rule)
        for rule in place.app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = list(routes(place.app))
    assert {(one.method, one.rule) for one in described} == served
    assert len({one.operation.id for one in described}) == len(described)


def test_the_description_is_valid_and_served(place: Place) -> None:
    found: dict[str, Any] = place.browser().get(PATH).get_json()
    assert found == msgspec.json.decode(msgspec.json.encode(description(place.app, None)))
    for schema in found["components"]["schemas"].values():
        jsonschema_rs.meta.validate({**schema, "components": found["components"]})


EDGES, SOME_EDGES = count(), 6


@DESCRIBED.parametrize()
@searched(4)
def test_the_application_answers_as_described(
    case: Case, place: Place, machine: Machine, reading: dict[str, str]
) -> None:
    # Edges of what is described are thousands: each knocks with the token that opens its door, and
    # a plain run tries some of them, of every route.
    if case.meta is not None and case.meta.phase.name is TestPhase.COVERAGE:
        if FACTOR == 1 and next(EDGES) % SOME_EDGES:
            return
        token = machine.headers if case.operation.path in OF_MACHINES else reading
        hold(about_what_is_there(case), place, token)
        return
    for headers in ({}, machine.headers, reading):
        hold(case, place, headers)
    hold(about_what_is_there(case), place, reading)


OF_MACHINES = {"/api/evidence", "/api/enrollment"}
THERE = {"organization": "acme", "owner": "acme", "name": "app", "number": 17, "audit": 1}


def about_what_is_there(case: Case) -> Case:
    """Let a case ask about what exists, unless its path is what it tries: a made-up name is 404."""
    data = case.meta.phase.data if case.meta is not None else None
    if getattr(data, "parameter_location", None) is not ParameterLocation.PATH:
        known = {name: THERE[name] for name in case.path_parameters if name in THERE}
        case.path_parameters.update(known)
    return case


@pytest.fixture(scope="module")
def sender(
    tmp_path_factory: pytest.TempPathFactory,
    on_postgresql: dict[str, str],
    without_limits: None,
) -> Iterator[Machine]:
    """Return a machine before an app on PostgreSQL, whose columns hold less than SQLite's."""
    del without_limits
    made = Place(tmp_path_factory.mktemp("evidence"), **on_postgresql)
    made.sandbox.allow(made.repositories["app"], "ann", "write")
    yield machine_of(made, "ann")
    made.close()


@DESCRIBED.include(path=["/api/evidence", "/api/usage"]).parametrize()
@searched(4)
def test_what_machines_send_is_answered_as_described_on_postgresql(
    case: Case, sender: Machine
) -> None:
    hold(case, sender.place, sender.headers)


def hold(case: Case, place: Place, headers: dict[str, str]) -> None:
    """Hold the application to the description in one case, with these headers."""
    answer = case.call(app=place.app, headers={**(case.headers or {}), **headers})
    case.validate_response(answer, checks=CHECKS)
