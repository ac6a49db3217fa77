"""The pages of usage: the numbers of the questions, in words, and nothing of few people."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace

from ghapp.store.summaries.usage import UsageQuestions
from ghapp.summaries.selection import TimeGrain
from ghapp.usage.counts import UsageSelection
from ghapp.usage.sources import UsageSource
from ghapp.web.pages.usage import SOURCES
from tests.web.conftest import NOW
from tests.web.pages.reading import Read
from tests.web.pages.year import FIRST_DAY
from tests.web.place import Place

PAGE = "/organizations/acme/usage"


def selection(place: Place, **asked: object) -> UsageSelection:
    installation = place.store.installations.of_account("acme")
    assert installation is not None
    known = place.store.installations.repositories(installation.id)
    whole = UsageSelection(
        installation_id=installation.id,
        repository_ids=tuple(one.id for one in known),
        since=NOW.date() - timedelta(days=364),
        until=NOW.date(),
        has_unplaced=True,
    )
    return replace(whole, **asked)


def read(browser: FlaskClient, path: str) -> Read:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    return Read(answer.text)


def test_the_page_shows_what_the_question_answers(admin: FlaskClient, place: Place) -> None:
    found = UsageQuestions(place.store.database).summary(selection(place), TimeGrain.MONTH)
    assert found.totals.tokens is not None
    text = admin.get(PAGE).text
    for number in (found.totals.people, found.totals.agent_sessions, found.totals.tokens.output):
        assert f">{number:,}<" in text
    rows = Read(text).table("Tool", "People")
    assert [row[1] for row in rows] == [str(one.counts.people) for one in found.agents]
    steps = Read(text).table("Step", "Lines")
    assert [row[1].replace(",", "") for row in steps[:3]] == [
        str(one) for one in (found.funnel.suggested, found.funnel.accepted, found.funnel.merged)
    ]
    covered = {one.source: one.days_covered for one in found.sources}
    assert covered["transcripts"] == 0
    assert covered["metrics"] > 0


def test_the_api_gives_the_same_numbers(admin: FlaskClient, place: Place) -> None:
    answer = admin.get(f"/api{PAGE}")
    assert answer.status_code == 200, answer.text
    found = UsageQuestions(place.store.database).summary(selection(place), TimeGrain.MONTH)
    totals = answer.json["totals"]
    assert totals["people"] == found.totals.people
    assert totals["tokens"]["output"] == found.totals.tokens.output  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["verdict=assisted", "author=ann", "path=src", "share_from=1"])
def test_a_filter_that_usage_does_not_have_is_refused(admin: FlaskClient, name: str) -> None:
    answer = admin.get(f"{PAGE}?{name}")
    assert answer.status_code == 400
    assert "leave it out" in answer.text


def test_a_filter_changes_every_number(admin: FlaskClient, place: Place) -> None:
    asked = selection(place, agent="codex")
    found = UsageQuestions(place.store.database).summary(asked, TimeGrain.MONTH)
    text = admin.get(f"{PAGE}?agent=codex").text
    assert f">{found.totals.agent_sessions:,}<" in text
    assert {row[0] for row in Read(text).table("Tool", "People")} <= {
        "Codex",
        "others, and groups under five",
    }


def test_a_repository_has_a_page_of_its_own(admin: FlaskClient, place: Place) -> None:
    del place
    page = read(admin, f"/repositories/acme/shop/usage?since={FIRST_DAY}")
    assert page.table("Tool", "People")


def test_usage_is_not_opened_with_the_pages_of_public_repositories(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    place = Place(tmp_path_factory.mktemp("open"), GHAPP_PUBLIC_PAGES="on")
    try:
        nobody = place.app.test_client()
        assert nobody.get("/repositories/acme/open").status_code == 200
        assert nobody.get("/repositories/acme/open/usage").status_code == 302
        assert nobody.get("/api/repositories/acme/open/usage").status_code == 401
    finally:
        place.close()


def test_every_source_has_words() -> None:
    assert list(SOURCES) == [one.name.lower() for one in UsageSource]


def test_the_page_leads_to_the_exports_of_what_it_selects(admin: FlaskClient) -> None:
    page = read(admin, f"{PAGE}?agent=codex&since={FIRST_DAY}")
    (by_tool,) = [one for one in page.links if "usage.csv" in one and "by=tool" in one]
    assert f"since={FIRST_DAY}" in by_tool
    rows = admin.get(by_tool).text.splitlines()
    assert {row.partition(",")[0] for row in rows[1:]} <= {"codex", "(others)"}
    assert not [one for one in page.links if "by=person" in one]
