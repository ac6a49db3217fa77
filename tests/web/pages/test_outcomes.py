"""Outcomes of assisted pull requests beside the others."""

from collections import Counter

from flask.testing import FlaskClient

from ghapp.attribution.model import AuditState, Verdict
from tests.web.pages.reading import Read
from tests.web.pages.year import documents
from tests.web.place import Place

SHOP = "/repositories/acme/shop"


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
