"""A filter changes every number of an answer, or the answer refuses it: every route, every filter.

Routes and filters are found, not named. What a route says of an organization under a filter must
be what it says, without the filter, of an organization that has just the pull requests which the
list shows under that filter.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from typing import NamedTuple, get_args

import pytest
from flask.testing import FlaskClient

from ghapp.web.api.questions import FilterParameters
from tests.searching import FACTOR
from tests.web.laws.organizations import (
    SPAN,
    TEAM_OF,
    MadeOrganization,
    MadePull,
    administrator,
    make_organization,
    make_pulls,
)
from tests.web.laws.surfaces import ask, routes, values, words_in
from tests.web.place import Place

LIST = "/api/repositories/<owner>/<name>/pulls"
ALL = "/api/organizations/<organization>/pulls.csv"
OF_LINES = {
    "path": ("By language", "By directory", ".languages", ".directories"),
    "agent": (".funnel", "Lines, from suggestion to survival"),
}
"""Filter → parts that show the lines of the directory or of the agent alone, not whole pull
requests; the tests of the summaries recount them."""
OF_PEOPLE = ("/adoption", "/adoption.csv", "/segments", "/segments.csv")
"""Routes whose filter selects people of the table, whom the part has all, merged or not:
tests/web/api/test_segments.py holds them to their people."""
VALUES = FACTOR
"""Values that are tried of each filter."""


@pytest.fixture(scope="module")
def place(
    at_night_on_each: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("laws"), GHAPP_NAMES="people", **at_night_on_each)
    yield made
    made.close()


@pytest.fixture(scope="module")
def pulls() -> list[MadePull]:
    return make_pulls(seed=1)


@pytest.fixture(scope="module")
def whole(place: Place, pulls: list[MadePull]) -> MadeOrganization:
    return make_organization(place, pulls)


@pytest.fixture
def browser(place: Place) -> FlaskClient:
    return administrator(place)


def filters() -> list[str]:
    return [name for name in FilterParameters.__struct_fields__ if name not in SPAN]


def listed(
    browser: FlaskClient, made: MadeOrganization, **query: str
) -> set[tuple[str, int]] | None:
    """Return which pull requests an organization's list shows; ``None``: it shows none at all."""
    answer = browser.get(made.address(ALL), query_string=query)
    if answer.status_code in {400, 403}:
        return None
    rows = [line.split(",")[:2] for line in answer.text.splitlines()[1:]]
    return {(repository.rpartition("/")[2], int(number)) for repository, number in rows}


def candidates(name: str, browser: FlaskClient, made: MadeOrganization) -> Iterator[str]:
    """Yield what could be asked for: the members of an enumeration, shares, words of the list."""
    kinds = get_args(FilterParameters.__annotations__[name]) or (str,)
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, Enum):
            yield from (str(one.value) for one in kind)
            return
    rows = browser.get(made.address(LIST), query_string={**SPAN, "limit": "200"}).json
    if "share" in name:
        yield from sorted({str(row["share"]) for row in rows if row["share"]})
        return
    yield from ("any", "src", "docs")
    yield from sorted(set(words_in(rows)))


def chosen(
    name: str, browser: FlaskClient, made: MadeOrganization
) -> Iterator[tuple[str, set[tuple[str, int]]]]:
    """Yield values of a filter that show some pull requests, and not those shown without it."""
    every = listed(browser, made, **SPAN)
    found: list[set[tuple[str, int]]] = []
    for value in candidates(name, browser, made):
        shown = listed(browser, made, **SPAN, **{name: value})
        if shown and shown != every and shown not in found:
            found.append(shown)
            # What only its branch leaves out belongs to the part: its number is shown.
            yield value, listed(browser, made, **SPAN, **{"base": "any", name: value}) or shown
        if len(found) == VALUES:
            return


@pytest.mark.parametrize("name", filters())
def test_a_filter_changes_every_number_or_is_refused(
    place: Place, whole: MadeOrganization, pulls: list[MadePull], browser: FlaskClient, name: str
) -> None:
    tried = 0
    for value, shown in chosen(name, browser, whole):
        tried += 1
        of_edits = [with_edits_like(one, name, value) for one in pulls]
        part = make_organization(place, [one for one in of_edits if one.key in shown], of_edits)
        law = FilterLaw(browser, whole, part, name, value)
        answered = [
            rule for rule in routes(place.app) if not rule.endswith(OF_PEOPLE) and law.holds(rule)
        ]
        assert len(answered) >= 6, answered
    assert tried, f"the made pull requests have nothing that the filter {name} tells apart"


def with_edits_like(pull: MadePull, name: str, value: str) -> MadePull:
    """Leave out edits that a filter of edits does not select; no other filter selects edits."""
    return replace(
        pull,
        edits=tuple(
            one
            for one in pull.edits
            if {"agent": one.agent, "team": TEAM_OF.get(one.actor or "")}.get(name, value) == value
        ),
    )


class FilterLaw(NamedTuple):
    """One value of one filter, and the organization that has only what it selects."""

    browser: FlaskClient
    whole: MadeOrganization
    part: MadeOrganization
    name: str
    value: str

    def holds(self, rule: str) -> bool:
        """Hold one route to the law; ``False``: it refuses the filter."""
        span = SPAN if ask(self.browser, self.whole, rule, **SPAN).status_code == 200 else {}
        asked = {self.name: as_asked(rule, self.name, self.value)}
        under = ask(self.browser, self.whole, rule, **span, **asked)
        if under.status_code in {400, 403}:
            assert self.name in under.text or "select" in under.text, f"{rule}: {under.text}"
            return False
        assert under.status_code == 200, f"{rule}: {under.text}"
        # Without its filter by branch, the part would leave out what the filter selects.
        branch = {"base": "any"} if self.name == "base" else {}
        without = ask(self.browser, self.part, rule, **span, **branch)
        found, expected = values(self.whole, under), values(self.part, without)
        is_apart = (*OF_LINES.get(self.name, ()), *untold(found, expected))
        differ = {
            figure: (found[figure], expected[figure])
            for figure in found.keys() | expected.keys()
            if found[figure] != expected[figure] and not figure.startswith(is_apart)
        }
        assert not differ, f"{rule}?{self.name}={self.value}: found and expected: {differ}"
        return True


def untold(found: Counter[str], expected: Counter[str]) -> Iterator[str]:
    """Yield the parts of an answer that are unknown under a filter: null, or left out whole."""
    for figure in found - expected:
        if figure.endswith("=None"):
            yield figure.removesuffix("=None")
    parts = {figure.partition(" | ")[0] for figure in found}
    for figure in expected:
        part, _, rest = figure.partition(" | ")
        if rest and part and part not in parts:
            yield part


def as_asked(rule: str, name: str, value: str) -> str:
    """Return a value as the route wants it: pages take a share in percent."""
    is_percent = "share" in name and not rule.startswith("/api/")
    return f"{100 * float(value):g}" if is_percent else value
