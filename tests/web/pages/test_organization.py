"""An organization's pages: over the repositories that one may read."""

from collections.abc import Callable, Iterable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from ghapp.attribution.model import Audit, Verdict
from ghapp.web.pages import organization
from tests.web.pages.figures import parsed
from tests.web.pages.reading import Read
from tests.web.pages.year import FIRST_DAY, documents
from tests.web.place import Place

ORGANIZATION = "/organizations/acme"


SPAN = f"?since={FIRST_DAY}"


def read(browser: FlaskClient, path: str) -> Read:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    return Read(answer.text)


def total(audits: Iterable[Audit], count: Callable[[Audit], int]) -> str:
    return f"{sum(map(count, audits)):,}"


def test_repositories_are_compared_by_their_documents(admin: FlaskClient, place: Place) -> None:
    rows = read(admin, ORGANIZATION).table("Repository", "Share by month")
    assert len(rows) > 5
    for name, _, with_, pulls, lines_with, lines, *_ in rows:
        audits = documents(place, f"acme/{name}")
        is_told = any(one.verdict is not Verdict.NO_EVIDENCE for one in audits)
        assert [with_, pulls, lines_with, lines] == [
            total(audits, lambda one: one.verdict is Verdict.ASSISTED) if is_told else "-",
            f"{len(audits):,}",
            total(audits, lambda one: one.totals.attributed) if is_told else "-",
            total(audits, lambda one: one.totals.effective),
        ]


def test_the_largest_repositories_are_listed_first_and_all_on_request(
    admin: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    heads = ("Repository", "Share by month")
    whole = read(admin, ORGANIZATION).table(*heads)
    monkeypatch.setattr(organization, "REPOSITORIES", 3)
    page = admin.get(ORGANIZATION).text
    assert Read(page).table(*heads) == whole[:3]
    assert f"Show all {len(whole)}" in page
    assert read(admin, f"{ORGANIZATION}?repositories=all").table(*heads) == whole


def test_a_team_on_the_leaderboard_leads_to_its_pull_requests(admin: FlaskClient) -> None:
    text = admin.get(ORGANIZATION).text
    (board,) = (
        one
        for one in parsed(text).all("section")
        if one.attributes.get("aria-labelledby") == "board"
    )
    rows = [row for body in board.all("tbody") for row in body.all("tr")]
    assert rows
    for row in rows:
        (link,) = row.all("a")
        found = Read(admin.get(link.attributes["href"] or "").text).table("Pull request", "Team")
        assert {one[1] for one in found} == {link.text}


def test_numbers_lead_to_their_pull_requests(admin: FlaskClient) -> None:
    page = read(admin, f"{ORGANIZATION}{SPAN}&team=Web")
    expected = f"{ORGANIZATION}/pulls?since={FIRST_DAY}&team=Web&verdict=assisted"
    assert expected in {link.replace("&amp;", "&") for link in page.links}


def test_a_selection_of_too_few_people_leads_to_wider_ones(admin: FlaskClient) -> None:
    days = f"since={FIRST_DAY}&until={FIRST_DAY + timedelta(days=1)}"
    narrow = admin.get(f"{ORGANIZATION}?team=Web&{days}", headers={"Accept": "text/html"})
    assert (narrow.status_code, "select less narrowly" in narrow.text) == (403, True)
    ways = {
        link.text: link.attributes["href"]
        for link in parsed(narrow.text).all("a")
        if link.text.startswith("Show ")
    }
    assert list(ways) == ["Show 12 months", "Show without “team Web”"]
    assert [admin.get(address or "").status_code for address in ways.values()] == [200, 200]


def test_nobody_is_named_where_only_teams_are(admin: FlaskClient) -> None:
    assert admin.get(f"{ORGANIZATION}?author=maria").status_code == 403
    assert ">maria<" not in admin.get(ORGANIZATION).text


def test_only_what_somebody_may_read_is_counted(place: Place) -> None:
    page = place.signed_in("member").get(ORGANIZATION).text
    assert "2 repositories that you may read" in page
    assert "storefront" not in page
