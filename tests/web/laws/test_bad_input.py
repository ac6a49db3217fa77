"""Bad input is answered with 400 and a sentence at every door that shows audits, never with 500.

Routes and parameters are found, not named: each route is asked with each parameter of any.
"""

from collections.abc import Iterator
from http import HTTPStatus

import pytest
from flask.testing import FlaskClient

from ghapp.web.api import questions
from ghapp.web.pages.filters import FILTERS, VIEW
from tests.web.laws.organizations import (
    MadeOrganization,
    administrator,
    make_organization,
    make_pulls,
)
from tests.web.laws.surfaces import ask, routes
from tests.web.place import Place

STRUCTS = (kind for kind in vars(questions).values() if isinstance(kind, type))
NAMES = sorted(
    {*FILTERS, *VIEW, *(name for one in STRUCTS for name in getattr(one, "__struct_fields__", ()))}
)
BAD = {
    "since": ("0001-01-01", "1969-12-31", "9999-12-31", "31.5.2026", "2026-02-30", "2100-01-01"),
    "share_from": ("-1", "1e3", "nan", "inf", "half", "1e999"),
    "after": ("x", "AAAA", "Wzk5OTk5XQ"),
    "verdict": ("maybe",),
    "state": ("open",),
    "sort": ("title",),
    "grain": ("year",),
    "ascending": ("perhaps",),
    "board": ("people",),
    "repositories": ("none",),
    "limit": ("0", "-1", "99999999999999999999", "ten"),
    "audit": ("0", "-1", "99999999999999999999999", "two"),
}
BAD |= {"until": BAD["since"], "share_to": BAD["share_from"]}
PAIRS = (
    {"since": "2026-05-02", "until": "2026-05-01"},
    {"share_from": "0.9", "share_to": "0.1"},
    {"no_such_parameter": "1"},
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("laws"), GHAPP_NAMES="people")
    yield made
    made.close()


@pytest.fixture(scope="module")
def made(place: Place) -> MadeOrganization:
    return make_organization(place, make_pulls(seed=3, count=8))


@pytest.fixture
def browser(place: Place) -> FlaskClient:
    return administrator(place)


@pytest.fixture(scope="module")
def answering(place: Place, made: MadeOrganization) -> list[str]:
    """Return the rules of the routes that answer without any parameter."""
    browser = administrator(place)
    return [
        rule for rule in routes(place.app) if ask(browser, made, rule).status_code == HTTPStatus.OK
    ]


@pytest.fixture(scope="module")
def filtered(place: Place, made: MadeOrganization, answering: list[str]) -> list[str]:
    """Return the rules of the routes that select pull requests."""
    browser = administrator(place)
    return [
        rule
        for rule in answering
        if ask(browser, made, rule, verdict="assisted").status_code == HTTPStatus.OK
    ]


def test_parameters_that_have_bad_values_are_all_there() -> None:
    assert set(BAD) <= set(NAMES)


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_bad_value_is_refused_by_every_route_that_takes_it(
    made: MadeOrganization, browser: FlaskClient, answering: list[str], name: str
) -> None:
    assert len(answering) >= 6
    for rule in answering:
        for value in BAD[name]:
            answer = ask(browser, made, rule, **{name: value})
            if takes_any_text(rule, name):
                assert answer.status_code in {200, 400}, f"{rule}?{name}={value}"
                continue
            assert answer.status_code == 400, f"{rule}?{name}={value}: {answer.status_code}"
            assert name in answer.text or value in answer.text, answer.text


def takes_any_text(rule: str, name: str) -> bool:
    """Say whether a page that has no such parameter may ignore it: it is no filter."""
    return not rule.startswith("/api/") and name not in FILTERS


@pytest.mark.parametrize("query", PAIRS, ids="-".join)
def test_what_selects_nothing_is_refused(
    made: MadeOrganization, browser: FlaskClient, filtered: list[str], query: dict[str, str]
) -> None:
    assert len(filtered) >= 6
    for rule in filtered:
        given = query
        if "share_from" in query and not rule.startswith("/api/"):
            given = {"share_from": "90", "share_to": "10"}
        answer = ask(browser, made, rule, **given)
        assert answer.status_code == 400, f"{rule}: {answer.text[:500]}"
        assert any(name in answer.text for name in query), answer.text


def test_a_parameter_that_is_given_twice_is_refused(
    made: MadeOrganization, browser: FlaskClient, filtered: list[str]
) -> None:
    for rule in filtered:
        address = f"{made.address(rule)}?verdict=assisted&verdict=no_evidence"
        assert browser.get(address).status_code == 400, rule
