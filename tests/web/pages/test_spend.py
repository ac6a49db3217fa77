"""The pages of spend: the amounts of the questions, one meaning on a page, nobody's own money."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from ghapp.reports.pull_cost import GAP_WORDS
from ghapp.spend.allocation import CostGap
from ghapp.spend.cost import CostBasis
from ghapp.spend.counts import SpendSummary
from ghapp.spend.money import for_people
from ghapp.store.summaries.spend import SpendQuestions
from ghapp.summaries.selection import NamesShown, PersonNaming, TimeGrain
from ghapp.web.frame import cost
from tests.web.conftest import NOW
from tests.web.pages.reading import Read
from tests.web.pages.test_usage import read, selection
from tests.web.pages.year import documents
from tests.web.place import Place

PAGE = "/organizations/acme/spend"


def asked(place: Place, grain: TimeGrain = TimeGrain.MONTH, **narrowed: object) -> SpendSummary:
    questions = SpendQuestions(place.store.database, PersonNaming())
    chosen = selection(place, **narrowed)
    return questions.summary(chosen, CostBasis.LIST, grain, today=NOW.date())


def test_the_page_shows_what_the_question_answers(admin: FlaskClient, place: Place) -> None:
    found = asked(place)
    assert found.totals.cost is not None
    assert found.totals.cost.amount
    assert found.totals.unallocated is not None
    page = read(admin, PAGE)
    text = admin.get(PAGE).text
    assert f"<dd>{cost(found.totals.cost)}</dd>" in text
    assert f"<dd>{cost(found.totals.unallocated)}</dd>" in text
    assert "Estimate at list prices" in text
    assert "Billed by the vendor" not in text
    assert [row[2] for row in page.table("Tool", "People")] == [
        cost(one.cost) for one in found.agents
    ]
    assert [row[2] for row in page.table("Model", "People")] == [
        cost(one.cost) for one in found.models
    ]
    dearest = page.table("Pull request", "Cost")
    assert [row[1] for row in dearest] == [for_people(one.amount or 0) for one in found.dearest]
    assert len(dearest) > 1


def test_a_filter_changes_every_amount(admin: FlaskClient, place: Place) -> None:
    narrowed = asked(place, agent="codex")
    text = admin.get(f"{PAGE}?agent=codex").text
    assert f"<dd>{cost(narrowed.totals.cost)}</dd>" in text
    assert narrowed.totals != asked(place).totals
    assert narrowed.shipped != asked(place).shipped


@pytest.mark.parametrize("name", ["verdict=assisted", "author=ann", "path=src", "basis=billed"])
def test_what_spend_does_not_have_is_refused(admin: FlaskClient, name: str) -> None:
    assert admin.get(f"{PAGE}?{name}").status_code == 400


def test_other_pages_know_no_basis(admin: FlaskClient) -> None:
    answer = admin.get("/organizations/acme/usage?basis=list")
    assert answer.status_code == 400


def test_few_people_s_money_is_shown_to_nobody(place: Place) -> None:
    """Each period, tool, model and repository is of five people or more, or has a dash."""
    for grain in TimeGrain:
        found = asked(place, grain)
        for point in found.series:
            assert point.spent.cost is None or point.spent.people >= 5
        for part in (*found.agents, *found.models, *found.teams, *found.repositories):
            assert part.cost is None or part.people >= 5


def test_people_are_named_only_if_the_setting_says_so(place: Place) -> None:
    assert asked(place).people is None
    naming = PersonNaming(names=NamesShown.PSEUDONYMS, key=b"k" * 32)
    questions = SpendQuestions(place.store.database, naming)
    found = questions.summary(selection(place), CostBasis.LIST, TimeGrain.MONTH, today=NOW.date())
    assert found.people
    assert all(one.person.startswith("person-") for one in found.people)


def test_a_forecast_is_of_the_month_that_goes_on(place: Place) -> None:
    found = asked(place)
    assert found.month == NOW.date().replace(day=1)
    questions = SpendQuestions(place.store.database, PersonNaming())
    later = questions.summary(
        selection(place), CostBasis.LIST, TimeGrain.MONTH, today=NOW.date() + timedelta(days=40)
    )
    assert later.forecast is None


def test_a_single_repository_s_page_has_no_table_of_them(admin: FlaskClient) -> None:
    assert "By repository" in admin.get(PAGE).text
    text = admin.get("/repositories/acme/shop/spend").text
    assert "Estimate at list prices" in text
    assert "By repository" not in text


def test_a_pull_request_s_page_shows_the_cost_that_the_table_gives(
    admin: FlaskClient, place: Place
) -> None:
    found = asked(place).dearest
    for one in (found[0], found[-1]):
        page = admin.get(f"/repositories/{one.repository}/pull/{one.pull_request}").text
        assert f"{for_people(one.amount or 0)} at list prices" in page
        told = admin.get(f"/api/repositories/{one.repository}/pulls/{one.pull_request}/cost").json
        assert (told["amount"], told["basis"], told["gap"]) == (one.amount, "list", None)
        assert told["method"] == "matched_lines"
        assert sum(model["amount"] for model in told["models"]) == one.amount
        assert 0 < told["coverage"] <= 1
        rows = Read(page).table("Model", "Cost", "Tokens without a price")
        assert [row[1] for row in rows] == [for_people(m["amount"]) for m in told["models"]]


def test_a_pull_request_without_a_cost_says_why(admin: FlaskClient, place: Place) -> None:
    costed = {(one.repository, one.pull_request) for one in asked(place).dearest}
    without = next(
        one
        for one in documents(place, "acme/shop")
        if not one.totals.attributed and (one.repository, one.pull_request) not in costed
    )
    page = admin.get(f"/repositories/{without.repository}/pull/{without.pull_request}").text
    assert GAP_WORDS[CostGap.NO_LINES] in page
    told = admin.get(f"/api/repositories/{without.repository}/pulls/{without.pull_request}/cost")
    assert (told.json["amount"], told.json["gap"]) == (None, "no_lines")
    # By contract nothing is known without a rate card, whatever is known at list prices.
    one = asked(place).dearest[0]
    path = f"/api/repositories/{one.repository}/pulls/{one.pull_request}/cost?basis=contract"
    assert admin.get(path).json["amount"] is None


def test_a_repository_s_page_leads_to_its_spend(admin: FlaskClient, place: Place) -> None:
    shop = place.store.installations.find("acme/shop")
    assert shop is not None
    whole = selection(place, repository_ids=(shop.id,), has_unplaced=False)
    spent = SpendQuestions(place.store.database, PersonNaming()).total(whole, CostBasis.LIST)
    page = admin.get(f"/repositories/acme/shop?since={whole.since}&until={whole.until}").text
    assert f"Agents cost {cost(spent.cost)}</a> here" in page
    assert "Agents cost" not in admin.get("/repositories/acme/shop?verdict=assisted").text


PUBLISHED = "What others published"


def test_published_figures_stand_beside_ours_of_the_same_definition_only(
    admin: FlaskClient, place: Place
) -> None:
    overview = "/organizations/acme"
    assert PUBLISHED in admin.get(overview).text
    assert PUBLISHED not in admin.get(f"{overview}?verdict=assisted").text
    text = admin.get(PAGE).text
    assert f"<dd>{for_people(asked(place).active_day.by_day or 0)}</dd>" in text
    assert "about $13" in text
    assert PUBLISHED not in admin.get(f"{PAGE}?agent=codex").text
    # Of a member's repositories only, a day is a part of a person's day.
    assert PUBLISHED not in place.signed_in("member").get(PAGE).text
    assert PUBLISHED not in admin.get("/repositories/acme/shop/spend").text
