"""A repository's pages: each number is that of the audit documents, each link leads on."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from ghapp.attribution.model import Audit, AuditState, Verdict
from ghapp.reports.summary import percent
from tests.web.pages.figures import parsed
from tests.web.pages.reading import Read
from tests.web.pages.year import FIRST_DAY, documents
from tests.web.place import Place

ORGANIZATION = "/organizations/acme"
SHOP = "/repositories/acme/shop"
SPAN = f"?since={FIRST_DAY}"


def read(browser: FlaskClient, path: str) -> Read:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    return Read(answer.text)


def total(audits: Iterable[Audit], count: Callable[[Audit], int]) -> str:
    return f"{sum(map(count, audits)):,}"


def shown_numbers(audits: list[Audit]) -> dict[str, str]:
    """Return the numbers at a page's head, counted from documents."""
    whole = [one for one in audits if one.inputs.change_complete]
    share = percent(
        sum(one.totals.attributed for one in whole), sum(one.totals.effective for one in whole)
    )
    return {
        "PRs with an agent": total(audits, lambda one: one.verdict is Verdict.ASSISTED),
        "Lines of code with": total(audits, lambda one: one.totals.attributed),
        "Share of lines": f"at least {share}",
        "Without evidence": total(audits, lambda one: one.verdict is Verdict.NO_EVIDENCE),
        "Provisional": total(audits, lambda one: one.state is AuditState.PROVISIONAL),
    }


@pytest.mark.parametrize(("path", "name"), [(ORGANIZATION, None), (SHOP, "acme/shop")])
def test_the_head_counts_the_documents(
    admin: FlaskClient, place: Place, path: str, name: str | None
) -> None:
    assert read(admin, path).numbers == shown_numbers(documents(place, name))


def test_the_chart_of_pull_requests_counts_the_documents_by_day(
    admin: FlaskClient, place: Place
) -> None:
    rows = read(admin, f"{SHOP}{SPAN}&grain=day").table("Day", "With", "Without")
    found = Counter((one.merged_at.date(), one.verdict) for one in documents(place, "acme/shop"))
    days = [FIRST_DAY + timedelta(days=number) for number in range(len(rows))]
    kinds = (Verdict.ASSISTED, Verdict.NOT_ASSISTED, Verdict.NO_EVIDENCE)
    assert [row[0] for row in rows] == [f"{day.day} {day:%b %Y}" for day in days]
    assert [row[1:] for row in rows] == [[str(found[day, kind]) for kind in kinds] for day in days]


def test_the_chart_of_the_share_counts_the_documents_by_month(
    admin: FlaskClient, place: Place
) -> None:
    rows = read(admin, f"{SHOP}{SPAN}&grain=month").table("Month", "Lines with", "Effective lines")
    audits = documents(place, "acme/shop")
    for name, with_, effective, _ in rows:
        of_month = [one for one in audits if f"{one.merged_at:%B %Y}" == name]
        assert with_ == total(of_month, lambda one: one.totals.attributed)
        assert effective == total(of_month, lambda one: one.totals.effective)


def test_agents_are_counted_from_the_documents(admin: FlaskClient, place: Place) -> None:
    rows = read(admin, SHOP).table("Agent", "PRs with", "Lines with")
    lines: Counter[str] = Counter()
    pulls: Counter[str] = Counter()
    for audit in documents(place, "acme/shop"):
        lines.update(audit.totals.by_agent)
        pulls.update(set(audit.totals.by_agent))
    assert sorted((row[1], row[2]) for row in rows) == sorted(
        (f"{pulls[agent]:,}", f"{lines[agent]:,}") for agent in lines
    )


def test_a_list_shows_every_pull_request_once_page_by_page(
    admin: FlaskClient, place: Place
) -> None:
    wanted = {one.pull_request for one in documents(place, "acme/storefront")}
    found: list[str] = []
    path = "/repositories/acme/storefront/pulls?sort=share"
    while path:
        page = read(admin, path)
        found += [link for link in page.links if "/pull/" in link]
        path = next((link for link in page.links if "after=" in link), "")
    assert len(found) == len(wanted) > 50
    assert {int(link.rpartition("/")[2]) for link in found} == wanted


def test_numbers_at_the_head_lead_to_the_pull_requests_behind_them(admin: FlaskClient) -> None:
    page = parsed(admin.get(SHOP).text)
    (head,) = (one for one in page.all("dl") if one.is_a("numbers"))
    links = {one.text: one.attributes["href"] or "" for one in head.all("a")}
    for name, column in (("Lines of code with", 3), ("Share of lines", 5)):
        number = read(admin, SHOP).numbers[name].removeprefix("at least ")
        rows = Read(admin.get(links[number]).text).table("Pull request", "Team", "Verdict")
        values = [int(row[column].removesuffix("%")) for row in rows]
        assert values[0] > 0
        assert values == sorted(values, reverse=True)


def test_an_empty_span_says_what_to_do(admin: FlaskClient) -> None:
    page = admin.get(f"{SHOP}?since=2020-01-01&until=2020-01-31").text
    assert "Nothing was merged in this period" in page
    assert "Show the last twelve months" in page


def test_what_a_page_shows_is_exported_as_it_is_asked_for(admin: FlaskClient, place: Place) -> None:
    page = read(admin, f"{SHOP}/pulls{SPAN}&verdict=assisted&share_from=50")
    wanted = [
        one
        for one in documents(place, "acme/shop")
        if one.verdict is Verdict.ASSISTED and (one.totals.share or 0) >= 0.5
    ]
    exported = [link for link in page.links if link.startswith("/api/")]
    assert len(exported) == 3
    for link in exported:
        answer = admin.get(link)
        head = "/pulls.csv" in link
        assert len(answer.text.splitlines()) - head == len(wanted)
    (users,) = [one for one in read(admin, ORGANIZATION).links if "users.csv" in one]
    assert "Web" in admin.get(users).text


@pytest.mark.parametrize("page", [SHOP, ORGANIZATION, f"{SHOP}/pulls"])
def test_a_page_that_is_empty_says_whether_a_filter_made_it_so(
    admin: FlaskClient, page: str
) -> None:
    filtered = parsed(admin.get(f"{page}?team=Nobody").text)
    assert "No pull request matches" in filtered.text
    assert "Nothing was merged" not in filtered.text


def test_a_list_offers_the_teams_that_are_in_it(admin: FlaskClient) -> None:
    text = admin.get(f"{SHOP}/pulls").text
    (offered,) = parsed(text).all("datalist")
    teams = {row[1] for row in Read(text).table("Pull request", "Team")} - {"-"}
    assert teams
    assert [one.attributes["value"] for one in offered.all("option")] == sorted(teams)
