"""The same question has the same answer: page, API, CSV, JSON lines, letter and command agree.

The counts of pull requests and lines of one selection are read from every surface that gives them.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ghapp.reports.letter import to_markdown
from ghapp.reports.weekly import WeekSummary, weekly
from ghapp.summaries.counts import PullCounts
from ghapp.summaries.selection import PullSelection, TimeGrain
from tests.web.conftest import NOW
from tests.web.laws.organizations import (
    SPAN,
    MadeOrganization,
    administrator,
    make_organization,
    make_pulls,
)
from tests.web.pages.reading import Read
from tests.web.place import Place

Numbers = tuple[int, int, int, int]
"""Pull requests, those with an agent, effective lines, attributed lines."""
WHOLE, ONE = "organizations/{organization}", "repositories/{organization}/r0"
FILTERS = (
    {},
    {"verdict": "assisted"},
    {"state": "final"},
    {"agent": "codex"},
    {"path": "src"},
    {"base": "any"},
    {"base": "next"},
    {"verdict": "no_evidence"},
)


@pytest.fixture(scope="module")
def place(
    at_night_on_each: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("laws"), GHAPP_NAMES="people", **at_night_on_each)
    yield made
    made.close()


@pytest.fixture(scope="module")
def made(place: Place) -> MadeOrganization:
    return make_organization(place, make_pulls(seed=4))


@pytest.fixture
def browser(place: Place) -> FlaskClient:
    return administrator(place)


def of_page(answer: TestResponse) -> Numbers:
    shown = Read(answer.text).numbers
    if not shown:
        return 0, 0, 0, 0
    text = answer.text
    of = {
        noun: re.search(rf"of ([\d,]+) {noun}", text)
        for noun in ("merged pull request", "effective line")
    }
    pulls, lines = (whole(match[1]) if match else 0 for match in of.values())
    return pulls, whole(shown["PRs with an agent"]), lines, whole(shown["Lines of code with"])


def of_summary(answer: TestResponse) -> Numbers:
    totals = json.loads(answer.text)["totals"]
    names = ("pulls", "assisted", "effective", "attributed")
    return tuple(totals[name] or 0 for name in names)  # type: ignore[return-value]


def of_csv(answer: TestResponse) -> Numbers:
    return added_up(csv.DictReader(io.StringIO(answer.text)))


def of_json_lines(answer: TestResponse) -> Numbers:
    return added_up(map(json.loads, answer.text.splitlines()))


def of_users(answer: TestResponse) -> Numbers:
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    heads = ("PRs", "PRs with agents", "Lines of code", "Lines of code with agents")
    return tuple(sum(int(row[head] or 0) for row in rows) for head in heads)  # type: ignore[return-value]


def of_documents(answer: TestResponse) -> Numbers:
    rows = [json.loads(line) for line in answer.text.splitlines()]
    return added_up({**row["totals"], "verdict": row["verdict"]} for row in rows)


def added_up(rows: Any) -> Numbers:
    pulls = with_ = effective = attributed = 0
    for row in rows:
        pulls += 1
        with_ += row["verdict"] == "assisted"
        effective += int(row["effective"])
        attributed += int(row["attributed"] or 0)
    return pulls, with_, effective, attributed


def whole(text: str) -> int:
    return 0 if text == "-" else int(text.replace(",", ""))


SURFACES: dict[str, Callable[[TestResponse], Numbers]] = {
    f"/{WHOLE}": of_page,
    f"/api/{WHOLE}/summary": of_summary,
    f"/api/{WHOLE}/pulls.csv": of_csv,
    f"/api/{WHOLE}/users.csv?counting=any": of_users,
}
OF_ONE: dict[str, Callable[[TestResponse], Numbers]] = {
    f"/{ONE}": of_page,
    f"/api/{ONE}/summary": of_summary,
    f"/api/{ONE}/pulls.csv": of_csv,
    f"/api/{ONE}/pulls.jsonl": of_json_lines,
    f"/api/{ONE}/documents.jsonl": of_documents,
    f"/api/{ONE}/pulls?limit=200": lambda answer: added_up(json.loads(answer.text)),
}


@pytest.mark.parametrize("surfaces", [SURFACES, OF_ONE], ids=["organization", "repository"])
@pytest.mark.parametrize("asked", FILTERS, ids=str)
def test_every_surface_gives_the_same_counts(
    made: MadeOrganization,
    browser: FlaskClient,
    surfaces: dict[str, Callable[[TestResponse], Numbers]],
    asked: dict[str, str],
) -> None:
    found = {}
    for address, numbers in surfaces.items():
        path, _, more = address.format(organization=made.account).partition("?")
        query = {**SPAN, **asked, **dict(one.split("=") for one in more.split("&") if one)}
        answer = browser.get(path, query_string=query)
        assert answer.status_code == 200, answer.text
        found[address] = numbers(answer)
    assert len(set(found.values())) == 1, found
    assert next(iter(found.values()))[0]


def test_the_letter_gives_the_counts_of_its_week(
    place: Place, made: MadeOrganization, browser: FlaskClient
) -> None:
    monday = NOW.date() - timedelta(days=NOW.weekday() + 7)
    sunday = monday + timedelta(days=6)
    ids = tuple(one.id for one in place.store.installations.repositories(made.installed.id))
    week = PullSelection(ids, since=monday, until=sunday)
    summary = place.services.summaries.organization(week, TimeGrain.WEEK, today=NOW.date())
    week = WeekSummary(made.account, monday, sunday, None)
    letter = to_markdown(weekly(week, summary, PullCounts()))
    query = {"since": monday.isoformat(), "until": sunday.isoformat()}
    pulls, with_, *_ = of_page(browser.get(f"/organizations/{made.account}", query_string=query))
    assert f"- {pulls} merged pull request" in letter
    assert f"**{with_} with an agent**" in letter
    assert date.fromisoformat(query["until"]) == sunday
