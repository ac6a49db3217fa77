"""Routes about spend: the amounts of the page, in micro-dollars and as tables in dollars."""

import csv
import io
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace

from ghapp.spend.money import for_machines
from ghapp.summaries.teams import TeamSource
from tests.web.conftest import NOW
from tests.web.pages.test_spend import PAGE, asked
from tests.web.pages.year import place_with_a_year
from tests.web.place import Place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Yield the app with the demo's repositories, which the admin may read."""
    made = place_with_a_year(tmp_path_factory)
    yield made
    made.close()


@pytest.fixture
def admin(place: Place) -> FlaskClient:
    """Return a browser in which the owner of acme is signed in."""
    return place.signed_in("admin")


def table(admin: FlaskClient, path: str) -> list[dict[str, str]]:
    answer = admin.get(path)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_the_api_gives_the_same_amounts(admin: FlaskClient, place: Place) -> None:
    found = asked(place)
    answer = admin.get(f"/api{PAGE}")
    assert answer.status_code == 200, answer.text
    told = answer.json["totals"]
    assert (told["cost"]["amount"], told["people"]) == (
        found.totals.cost and found.totals.cost.amount,
        found.totals.people,
    )
    assert answer.json["basis"] == "list"


def test_the_table_of_periods_is_the_series(admin: FlaskClient, place: Place) -> None:
    rows = table(admin, f"/api{PAGE}.csv?grain=month")
    told = [row["dollars"] for row in rows if row["by"] == "period"]
    amounts = [one.spent.cost and one.spent.cost.amount for one in asked(place).series]
    assert told == [for_machines(one) if one is not None else "" for one in amounts]
    assert any(told)
    assert {row["basis"] for row in rows} == {"list"}


def test_pull_requests_are_told_with_basis_and_method(admin: FlaskClient, place: Place) -> None:
    rows = table(admin, "/api/organizations/acme/pull-costs.csv")
    dearest = asked(place).dearest
    assert [row["dollars"] for row in rows[: len(dearest)]] == [
        for_machines(one.amount or 0) for one in dearest
    ]
    assert {(row["basis"], row["method"]) for row in rows} == {("list", "matched_lines")}
    of_shop = table(admin, "/api/repositories/acme/shop/pull-costs.csv")
    assert [row for row in rows if row["repository"] == "acme/shop"] == of_shop


def test_a_repository_s_spend_is_its_own(admin: FlaskClient) -> None:
    whole = admin.get(f"/api{PAGE}").json["totals"]["cost"]["amount"]
    own = admin.get("/api/repositories/acme/shop/spend").json
    assert 0 < own["totals"]["cost"]["amount"] < whole
    assert own["repositories"] == []
    assert {row["by"] for row in table(admin, "/api/repositories/acme/shop/spend.csv")} >= {
        "period",
        "agents",
    }


def test_cost_centers_pay_for_their_people_by_month(admin: FlaskClient, place: Place) -> None:
    teams = place.store.teams.of("acme")[TeamSource.CSV]
    members = [replace(one, cost_center="=4711" if n % 2 else None) for n, one in enumerate(teams)]
    place.store.teams.replace("acme", TeamSource.CSV, members)
    rows = table(admin, "/api/organizations/acme/charge-back.csv")
    assert {row["basis"] for row in rows} == {"list"}
    # A cell that a spreadsheet would run stays text.
    assert {row["cost_center"] for row in rows} >= {"'=4711", "(none)"}
    assert all(int(row["people"]) >= 5 for row in rows if row["dollars"])
    whole = {
        f"{one.start:%Y-%m}": one.spent.cost
        for one in asked(place, since=date(2025, 6, 1), until=NOW.date()).series
    }
    months = {row["month"] for row in rows}
    assert months
    for month in months:
        own = [row["dollars"] for row in rows if row["month"] == month]
        cost = whole.get(month)
        if cost is not None and "" not in own:
            assert sum(map(Decimal, own)) == Decimal(for_machines(cost.amount or 0))
    # A day stands for its whole month: two files do not tell a day.
    few = "/api/organizations/acme/charge-back.csv?since=2026-04-10&until=2026-04-11"
    assert table(admin, few) == [row for row in rows if row["month"] == "2026-04"]
