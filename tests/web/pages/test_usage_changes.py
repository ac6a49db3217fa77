"""Usage and spend beside the days before: page, API and download say the same."""

import csv
import io
from typing import Any

import pytest
from flask.testing import FlaskClient

from ghapp.reports.figures import difference_words
from ghapp.summaries.counts import MeasuredDifference
from ghapp.web.pages.usage_changes import amount_difference, count_difference
from tests.web.pages.reading import Read

MAY = "since=2026-04-20&until=2026-05-20"
PLACES = ("/organizations/acme", "/repositories/acme/shop")


def api(browser: FlaskClient, address: str) -> Any:
    answer = browser.get(f"/api{address}?{MAY}")
    assert answer.status_code == 200, answer.text
    return answer.json


def rows(browser: FlaskClient, address: str) -> list[dict[str, str]]:
    answer = browser.get(f"/api{address}?{MAY}")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


def compared(browser: FlaskClient, address: str) -> dict[str, list[str]]:
    text = browser.get(f"{address}?{MAY}").text
    return {row[0]: row[1:] for row in Read(text).table("Measure", "Now", "Before", "Difference")}


def number(words: str) -> int | None:
    return None if words == "-" else int(words.replace(",", ""))


@pytest.mark.parametrize("door", PLACES)
def test_usage_is_the_same_on_page_and_api_and_in_the_download(
    admin: FlaskClient, door: str
) -> None:
    told = api(admin, f"{door}/usage")["changes"]["totals"]
    page = compared(admin, f"{door}/usage")
    table = {one["measure"]: one for one in rows(admin, f"{door}/usage-changes.csv")[:6]}
    for name, key in (("People", "people"), ("Agent sessions", "agent_sessions")):
        now, before = (told[when][key] for when in ("now", "before"))
        assert list(map(number, page[name][:2])) == [now, before]
        assert page[name][2] == count_difference(now, before)
        found = table[key]
        assert (found["now"], found["before"]) == (str(now), str(before))
        assert found["difference"] == str(now - before)
    measured = MeasuredDifference(**told["difference"])
    assert page["Accept rate"][2] == difference_words(measured)
    low = table["accept_rate_from"]["low"]
    assert (float(low) if low else None) == measured.low


@pytest.mark.parametrize("door", PLACES)
def test_spend_is_the_same_on_page_and_api_and_in_the_download(
    admin: FlaskClient, door: str
) -> None:
    told = api(admin, f"{door}/spend")["changes"]
    page = compared(admin, f"{door}/spend")
    table = {one["measure"]: one for one in rows(admin, f"{door}/spend-changes.csv")[:4]}
    spent = told["spent"]
    assert spent["difference"] is not None
    words = amount_difference(spent["difference"], spent["before"]["amount"])
    assert page["Spent"][2].removeprefix("about ") == words
    assert round(float(table["dollars"]["difference"]) * 10**6) == spent["difference"]
    by_pull = told["by_pull"]
    assert page["By merged pull request"][2] == amount_difference(
        by_pull["difference"], by_pull["before"]
    )


def test_it_is_said_where_there_is_nothing_to_compare_with(admin: FlaskClient) -> None:
    for kind in ("usage", "spend"):
        first = admin.get(f"{PLACES[0]}/{kind}?since=2000-01-01&until=2026-05-20").text
        assert "There are no days before these to compare with." in first
        alone = admin.get(f"{PLACES[0]}/{kind}?since=2024-01-01&until=2026-05-20").text
        assert "there is nothing to compare with." in alone
        uneven = admin.get(f"{PLACES[0]}/{kind}?since=2026-05-18&until=2026-05-20").text
        assert "These are 3 days, those before 7 days: compare rates, not sums." in uneven


def test_pages_lead_to_the_download(admin: FlaskClient) -> None:
    for kind in ("usage", "spend"):
        text = admin.get(f"{PLACES[0]}/{kind}?{MAY}").text
        link = next(one for one in Read(text).links if f"/{kind}-changes.csv" in one)
        assert admin.get(link.replace("&amp;", "&")).status_code == 200
