"""The pages of summaries: each number is that of the audit documents, each link leads on."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from ghapp.attribution.model import Audit, AuditState, Verdict
from ghapp.reports.summary import percent
from ghapp.web.pages import organization
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


def test_repositories_are_compared_by_their_documents(admin: FlaskClient, place: Place) -> None:
    rows = read(admin, ORGANIZATION).table("Repository", "Share by month")
    assert len(rows) > 5
    for name, _, with_, pulls, lines_with, lines, *_ in rows:
        audits = documents(place, f"acme/{name}")
        assert [with_, pulls, lines_with, lines] == [
            total(audits, lambda one: one.verdict is Verdict.ASSISTED),
            f"{len(audits):,}",
            total(audits, lambda one: one.totals.attributed),
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


def test_a_filter_is_said_and_can_be_taken_out(admin: FlaskClient, place: Place) -> None:
    answer = admin.get(f"{SHOP}/pulls?verdict=no_evidence")
    assert "Remove filter: no evidence" in answer.text
    none = [one for one in documents(place, "acme/shop") if one.verdict is Verdict.NO_EVIDENCE]
    shown = [link for link in Read(answer.text).links if "/pull/" in link]
    assert len(shown) == len(none)
    assert f"{SHOP}/pulls" in Read(answer.text).links


def test_numbers_lead_to_their_pull_requests(admin: FlaskClient) -> None:
    page = read(admin, f"{ORGANIZATION}{SPAN}&team=Web")
    expected = f"{ORGANIZATION}/pulls?since={FIRST_DAY}&team=Web&verdict=assisted"
    assert expected in {link.replace("&amp;", "&") for link in page.links}


@pytest.mark.parametrize(
    "wrong",
    ["since=yesterday", "grain=hour", "share_from=101", "verdict=guilty", "sort=author"],
)
def test_an_address_that_means_nothing_is_refused_with_what_to_write(
    admin: FlaskClient, wrong: str
) -> None:
    answer = admin.get(f"{ORGANIZATION}?{wrong}", headers={"Accept": "text/html"})
    assert answer.status_code == 400
    assert "; give " in answer.text


def test_nobody_is_named_where_only_teams_are(admin: FlaskClient) -> None:
    assert admin.get(f"{ORGANIZATION}?author=maria").status_code == 403
    assert ">maria<" not in admin.get(ORGANIZATION).text


def test_an_empty_span_says_what_to_do(admin: FlaskClient) -> None:
    page = admin.get(f"{SHOP}?since=2020-01-01&until=2020-01-31").text
    assert "Nothing was merged in this period" in page
    assert "Show the last twelve months" in page


def test_only_what_somebody_may_read_is_counted(place: Place) -> None:
    page = place.signed_in("member").get(ORGANIZATION).text
    assert "2 repositories that you may read" in page
    assert "storefront" not in page


def test_the_front_lists_what_somebody_may_read(place: Place, admin: FlaskClient) -> None:
    assert "/repositories/acme/shop" in read(admin, "/").links
    reader = read(place.signed_in("reader"), "/").links
    assert [link for link in reader if link.startswith("/rep")] == [
        "/repositories/acme/app",
        "/repositories/acme/open",
    ]


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


def test_a_filter_is_said_in_words_and_a_name_as_it_is(admin: FlaskClient) -> None:
    asked = "verdict=not_assisted&agent=claude-code&path=src/my_module"
    page = parsed(admin.get(f"{SHOP}/pulls?{asked}").text)
    (on,) = (one for one in page.all("p") if one.is_a("on"))
    said = [one.attributes["aria-label"] for one in on.all("a")]
    assert said == [
        f"Remove filter: {words}"
        for words in ("with Claude Code", "not assisted", "in src/my_module")
    ]


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


def test_narrowing_down_keeps_how_a_page_is_looked_at(admin: FlaskClient) -> None:
    asked = "grain=day&board=lines&share_from=10&share_to=90&agent=codex"
    page = admin.get(f"{ORGANIZATION}?{asked}").text
    (form,) = (one for one in parsed(page).all("form") if one.is_a("filters"))
    given = {one.attributes["name"]: one.attributes.get("value") for one in form.all("input")}
    kept = {"grain": "day", "board": "lines", "share_from": "10", "share_to": "90"}
    assert {name: given.get(name) for name in kept} == kept
    names = [one.attributes["name"] for one in form.all("input", "select")]
    assert len(names) == len(set(names))


# --- outcomes -------------------------------------------------------------------------------------


def test_outcomes_stand_beside_each_other_with_what_they_rest_on(
    admin: FlaskClient, place: Place
) -> None:
    answer = admin.get(f"{SHOP}/outcomes")
    assert "show no cause" in answer.text
    rows = Read(answer.text).table("Group", "Value", "Based on")
    final = [one for one in documents(place, "acme/shop") if one.state is AuditState.FINAL]
    counted = Counter(one.verdict for one in final)
    assert [(row[0], row[2]) for row in rows] == [
        ("Assisted", f"{counted[Verdict.ASSISTED]:,}"),
        ("Not assisted", f"{counted[Verdict.NOT_ASSISTED]:,}"),
    ]


def test_without_outcomes_the_page_says_when_they_come(admin: FlaskClient) -> None:
    page = admin.get("/repositories/acme/app/outcomes").text
    assert "No outcomes are known yet" in page
